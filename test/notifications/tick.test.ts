import { beforeEach, describe, expect, it } from 'vitest'
import { remindWithin } from '../../src/notifications/remind.ts'
import { tick } from '../../src/notifications/tick.ts'
import type { SomeSettings } from '../settings.ts'
import { testSettings } from '../settings.ts'
import { accepting, type Clinic, openClinic, plain, told, visit } from './clinic.ts'

/** The clock of the test stands at 10:41 in Kolkata on Saturday, 21 November 2026. */
const MONDAY = '2026-11-23T10:00:00+05:30'
const TUESDAY = '2026-11-24T10:00:00+05:30'

interface Request {
  id: string
  status: string
  statusReason?: { text: string }
  occurrenceDateTime: string
  category: { coding: { code: string }[] }[]
}

let clinic: Clinic
const channel = () => accepting('sms', 'phone')

/** Quiet hours of 22:00 to 07:00, and the link under which feedback is asked for. */
const messages = (more: object): SomeSettings => ({ messages: { ...testSettings().messages, ...more } })
const QUIET = messages({ quiet: { from: 22 * 60, to: 7 * 60 } })

const at = async (time: string): Promise<void> => {
  clinic.ctx.pass(Date.parse(time) - clinic.ctx.clock())
  await tick(clinic.ctx, clinic.ctx.clock())
}

/** What was told, but for booking and moving, which tests of the rule see. */
const reminded = async (): Promise<string[]> =>
  told(await clinic.all('Communication'))
    .filter(([event]) => !['booked', 'rescheduled', 'cancelled'].includes(event!))
    .map(([event, , who]) => `${event} ${who}`)

/** Event, state and time in UTC of each request. */
const requests = async (): Promise<string[]> =>
  (plain((await clinic.all('CommunicationRequest')) as never) as Request[])
    .map(one => `${one.category[0]!.coding[0]!.code} ${one.status} ${one.occurrenceDateTime}`)
    .sort()

describe('reminders', () => {
  beforeEach(async () => {
    clinic = await openClinic([channel()])
  })

  it('go to the patient 24 hours and 1 hour before, once each', async () => {
    await clinic.put(visit('a', MONDAY))
    expect(await requests()).toEqual([
      'reminder-1h active 2026-11-23T03:30:00.000Z',
      'reminder-24h active 2026-11-22T04:30:00.000Z',
    ])
    await at('2026-11-22T09:59:59+05:30')
    expect(await reminded()).toEqual([])
    await at('2026-11-22T10:00:00+05:30')
    await at('2026-11-22T10:01:00+05:30')
    expect(await reminded()).toEqual(['reminder-24h Patient/meera'])
    await at('2026-11-23T09:00:00+05:30')
    await at('2026-11-23T09:01:00+05:30')
    expect(await reminded()).toEqual(['reminder-24h Patient/meera', 'reminder-1h Patient/meera'])
    expect((await requests()).map(one => one.split(' ')[1])).toEqual(['completed', 'completed'])
    const texts = told(await clinic.all('Communication')).map(([, , , text]) => text)
    expect(texts.at(-1)).toBe(
      'Reminder: Meera Nair has an appointment with Dr Anjali Menon at Thanal Clinic soon: Monday, 23 November 2026, 10:00 AM.',
    )
  })

  it('move with their appointment, and are told anew of the new time', async () => {
    await clinic.put(visit('a', MONDAY))
    await at('2026-11-22T10:00:00+05:30')
    await clinic.put(visit('a', TUESDAY))
    expect(await requests()).toEqual([
      'reminder-1h active 2026-11-24T03:30:00.000Z',
      'reminder-24h active 2026-11-23T04:30:00.000Z',
    ])
    await at('2026-11-23T10:00:00+05:30')
    expect(await reminded()).toEqual(['reminder-24h Patient/meera', 'reminder-24h Patient/meera'])
  })

  it.each(['cancelled', 'arrived', 'entered-in-error'])(
    'are revoked in the commit that makes it %s',
    async status => {
      await clinic.put(visit('a', MONDAY))
      await clinic.put(visit('a', MONDAY, { status }))
      expect((await requests()).map(one => one.split(' ')[1])).toEqual(['revoked', 'revoked'])
      await at('2026-11-22T10:00:00+05:30')
      expect(await reminded()).toEqual([])
    },
  )

  it('that would be past are not made', async () => {
    await clinic.put(visit('soon', '2026-11-21T11:30:00+05:30'))
    await clinic.put(visit('today', '2026-11-21T18:00:00+05:30'))
    expect(await requests()).toEqual(['reminder-1h active 2026-11-21T11:30:00.000Z'])
  })

  it('after a day of downtime say nothing that makes no sense any more', async () => {
    await clinic.put(visit('over', '2026-11-22T12:00:00+05:30'))
    await clinic.put(visit('near', '2026-11-22T18:30:00+05:30'))
    await clinic.put(visit('far', '2026-11-23T15:00:00+05:30'))
    // "over" is past; of "near" the last hour has begun; of "far" there are 21 hours left.
    await at('2026-11-22T18:00:00+05:30')
    const all = plain((await clinic.all('Communication')) as never) as {
      about: { reference: string }[]
      category: Request['category']
    }[]
    const about = all
      .map(one => `${one.category[0]!.coding[0]!.code} ${one.about[0]!.reference}`)
      .filter(one => one.startsWith('reminder'))
    expect(about.sort()).toEqual(['reminder-1h Appointment/near', 'reminder-24h Appointment/far'])
    const late = (
      plain((await clinic.all('CommunicationRequest', { status: 'revoked' })) as never) as Request[]
    ).map(({ statusReason }) => statusReason!.text)
    expect(new Set(late)).toEqual(new Set(['The visit is too near, or over.']))
    // Both of "over", and the first of "near".
    expect(late).toHaveLength(3)
  })

  it('of two servers that tick at once are sent once', async () => {
    await clinic.put(visit('a', MONDAY))
    clinic.ctx.pass(Date.parse('2026-11-22T10:00:00+05:30') - clinic.ctx.clock())
    const now = clinic.ctx.clock()
    const two = { ...clinic.ctx, newId: () => crypto.randomUUID() }
    const done = await Promise.all([clinic.ctx, two, two, clinic.ctx].map(ctx => tick(ctx, now)))
    expect(done.filter(one => one !== undefined).reduce((sum, one) => sum + one.requests, 0)).toBe(1)
    expect(await reminded()).toEqual(['reminder-24h Patient/meera'])
  })

  it('a server that died while it ticked is followed by another', async () => {
    await clinic.put(visit('a', MONDAY))
    clinic.ctx.pass(Date.parse('2026-11-22T10:00:00+05:30') - clinic.ctx.clock())
    await clinic.ctx.storage.lease('tick', 'died', 120_000)
    expect(await tick(clinic.ctx, clinic.ctx.clock())).toBeUndefined()
    clinic.ctx.pass(120_000)
    expect(await tick(clinic.ctx, clinic.ctx.clock())).toMatchObject({ requests: 1 })
  })
})

describe('quiet hours', () => {
  beforeEach(async () => {
    clinic = await openClinic([channel()], QUIET)
  })

  it('send a reminder that falls inside before they begin', async () => {
    // An hour before 07:30 is 06:30, which is quiet: 22:00 of the evening is not yet.
    await clinic.put(visit('a', '2026-11-23T07:30:00+05:30'))
    expect(await requests()).toEqual([
      'reminder-1h active 2026-11-22T16:30:00.000Z',
      'reminder-24h active 2026-11-22T02:00:00.000Z',
    ])
    await at('2026-11-22T22:00:00+05:30')
  })

  it('delay nothing that is due now', async () => {
    clinic.ctx.pass(Date.parse('2026-11-21T23:30:00+05:30') - clinic.ctx.clock())
    await clinic.put(visit('a', MONDAY))
    await clinic.put(visit('a', MONDAY, { status: 'cancelled' }))
    expect(told(await clinic.all('Communication')).map(([event]) => event)).toEqual([
      'booked',
      'booked',
      'cancelled',
      'cancelled',
    ])
  })

  it('hold back a reminder that downtime has made late, but never beyond the visit', async () => {
    await clinic.put(visit('noon', '2026-11-23T12:00:00+05:30'))
    await clinic.put(visit('early', '2026-11-22T07:05:00+05:30'))
    // The 24 hours of "early" ended before it was booked; its hour falls at 06:05, and would go out at 22:00.
    await at('2026-11-21T23:00:00+05:30')
    const early = told(await clinic.all('Communication')).filter(([event]) => event === 'reminder-1h')
    expect(early).toHaveLength(0)
    await at('2026-11-22T07:00:00+05:30')
    expect(await reminded()).toEqual(['reminder-1h Patient/meera'])
    await at('2026-11-22T23:00:00+05:30')
    expect(await reminded()).toEqual(['reminder-1h Patient/meera'])
    await at('2026-11-23T07:00:00+05:30')
    expect(await reminded()).toEqual(['reminder-1h Patient/meera', 'reminder-24h Patient/meera'])
  })
})

describe('after the visit', () => {
  it('the patient is told an hour after completion, and asked how it was; in quiet hours when they are over', async () => {
    const feedbackUrl = 'https://clinic.example.org/feedback/{appointment}'
    clinic = await openClinic([channel()], messages({ feedbackUrl, quiet: { from: 22 * 60, to: 7 * 60 } }))
    await clinic.put(visit('a', MONDAY))
    clinic.ctx.pass(Date.parse('2026-11-23T10:30:00+05:30') - clinic.ctx.clock())
    await clinic.put(visit('a', MONDAY, { status: 'fulfilled' }))
    expect((await requests()).filter(one => !one.startsWith('reminder'))).toEqual([
      'feedback active 2026-11-23T06:00:00.000Z',
      'follow-up active 2026-11-23T06:00:00.000Z',
    ])
    await at('2026-11-23T11:30:00+05:30')
    expect((await reminded()).sort()).toEqual(['feedback Patient/meera', 'follow-up Patient/meera'])
    const texts = told(await clinic.all('Communication'))
      .map(([, , , text]) => text)
      .join()
    expect(texts).toContain('Please tell us here: https://clinic.example.org/feedback/a')

    await clinic.put(visit('b', '2026-11-23T21:00:00+05:30'))
    clinic.ctx.pass(Date.parse('2026-11-23T21:30:00+05:30') - clinic.ctx.clock())
    await clinic.put(visit('b', '2026-11-23T21:00:00+05:30', { status: 'fulfilled' }))
    expect(await requests()).toContain('follow-up active 2026-11-24T01:30:00.000Z')
  })

  it('what was to follow goes with a completion that was a mistake, and stays with any other change', async () => {
    clinic = await openClinic([channel()])
    await clinic.put(visit('a', MONDAY))
    clinic.ctx.pass(Date.parse('2026-11-23T10:30:00+05:30') - clinic.ctx.clock())
    await clinic.put(visit('a', MONDAY, { status: 'fulfilled' }))
    await clinic.put(visit('a', MONDAY, { status: 'fulfilled', description: 'Review' }))
    expect(await requests()).toContain('follow-up active 2026-11-23T06:00:00.000Z')
    await clinic.put(visit('a', MONDAY, { status: 'entered-in-error' }))
    expect(await requests()).toContain('follow-up revoked 2026-11-23T06:00:00.000Z')
  })

  it('nobody is asked without a link to answer under', async () => {
    clinic = await openClinic([channel()])
    await clinic.put(visit('a', MONDAY))
    clinic.ctx.pass(Date.parse('2026-11-23T10:30:00+05:30') - clinic.ctx.clock())
    await clinic.put(visit('a', MONDAY, { status: 'fulfilled' }))
    expect((await requests()).filter(one => one.includes('active'))).toEqual([
      'follow-up active 2026-11-23T06:00:00.000Z',
    ])
  })
})

describe('requests of clients', () => {
  const request = (id: string, more: object) => ({
    resourceType: 'CommunicationRequest',
    id,
    status: 'active',
    category: [{ coding: [{ system: 'urn:nadi:codes:message-event', code: 'note' }] }],
    subject: { reference: 'Patient/meera' },
    payload: [{ contentString: id }],
    ...more,
  })
  const texts = async () => told(await clinic.all('Communication')).map(([, , , text]) => text)

  it('are told when they are due, by time or by period, and not when their time is over', async () => {
    clinic = await openClinic([channel()])
    await clinic.put(request('time', { occurrenceDateTime: '2026-11-22T10:00:00+05:30' }))
    await clinic.put(
      request('period', {
        occurrencePeriod: { start: '2026-11-22T10:00:00+05:30', end: '2026-11-22T12:00:00+05:30' },
      }),
    )
    await clinic.put(
      request('missed', {
        occurrencePeriod: { start: '2026-11-22T09:00:00+05:30', end: '2026-11-22T09:30:00+05:30' },
      }),
    )
    await at('2026-11-21T12:00:00+05:30')
    expect(await texts()).toEqual([])
    await at('2026-11-22T10:00:00+05:30')
    expect((await texts()).sort()).toEqual(['period', 'time'])
  })

  it('a reminder of a visit that is not booked any more is revoked', async () => {
    clinic = await openClinic([channel()])
    await clinic.put(visit('a', MONDAY, { status: 'cancelled' }))
    const category = [{ coding: [{ system: 'urn:nadi:codes:message-event', code: 'reminder-24h' }] }]
    await clinic.put(request('r', { category, about: [{ reference: 'Appointment/a' }] }))
    expect(await texts()).toEqual([])
    const [one] = plain((await clinic.all('CommunicationRequest')) as never) as Request[]
    expect([one!.status, one!.statusReason?.text]).toEqual(['revoked', 'The visit is not booked any more.'])
  })

  it('one that cannot be told keeps no other from being told, and is tried again', async () => {
    clinic = await openClinic([channel()])
    await clinic.put(request('first', { occurrenceDateTime: '2026-11-22T10:00:00+05:30' }))
    await clinic.put(request('second', { occurrenceDateTime: '2026-11-22T10:00:00+05:30' }))
    const { rules = [] } = clinic.ctx
    const refusing = {
      types: new Set(['CommunicationRequest']),
      judge: () => Promise.reject(new Error('broken')),
    }
    clinic.ctx.pass(Date.parse('2026-11-22T10:00:00+05:30') - clinic.ctx.clock())
    const now = clinic.ctx.clock()
    await expect(tick({ ...clinic.ctx, rules: [refusing] }, now + 7_200_000)).resolves.toMatchObject({
      requests: 0,
    })
    await expect(tick({ ...clinic.ctx, rules }, now + 10_800_000)).resolves.toMatchObject({ requests: 2 })
  })
})

it('by hand all visits of the next hours are reminded of, once, and not again at the time of that reminder', async () => {
  clinic = await openClinic([channel()])
  await clinic.put(visit('near', '2026-11-21T11:20:00+05:30'))
  await clinic.put(visit('today', '2026-11-21T18:00:00+05:30'))
  await clinic.put(visit('later', '2026-11-23T10:00:00+05:30'))
  expect(await remindWithin(clinic.ctx, 24)).toBe(2)
  expect((await reminded()).sort()).toEqual(['reminder-1h Patient/meera', 'reminder-24h Patient/meera'])
  expect(await remindWithin(clinic.ctx, 24)).toBe(0)
  expect(await remindWithin(clinic.ctx, 72)).toBe(1)
  await at('2026-11-22T10:00:00+05:30')
  // Of "today" and of "later", both by hand.
  expect((await reminded()).filter(one => one.startsWith('reminder-24h'))).toHaveLength(2)
})
