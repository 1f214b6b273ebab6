/** Who may be booked when, by plain FHIR writes. Expected: the issue's rules of overlap, and R4's statuses. */
import { beforeEach, describe, expect, it } from 'vitest'
import { underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { FhirError } from '../../src/fhir/error.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { remove } from '../../src/interactions/delete.ts'
import { read } from '../../src/interactions/read.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import { type TestContext, testContext } from '../interactions/context.ts'
import { tree } from '../operations/context.ts'

let base: TestContext
let ctx: Context
const DAY = '2026-12-01'

const put = async (one: object): Promise<string> => {
  const resource = tree(one)
  const { stored } = await update(ctx, resource.resourceType, String(resource.id), resource)
  return stored.key
}

const slot = (id: string, from: string, to: string, more: object = {}, schedule = 'anjali') =>
  put({
    resourceType: 'Slot',
    id,
    schedule: { reference: `Schedule/${schedule}` },
    status: 'free',
    start: `${DAY}T${from}:00+05:30`,
    end: `${DAY}T${to}:00+05:30`,
    ...more,
  })

interface Wish {
  id?: string
  status?: string
  from?: string
  to?: string
  patient?: string
  with?: readonly string[]
  slots?: readonly string[]
  more?: object
}

const appointment = ({ id, status, from, to, patient, slots, more, ...rest }: Wish): Resource =>
  tree({
    resourceType: 'Appointment',
    ...(id === undefined ? {} : { id }),
    status: status ?? 'booked',
    start: `${DAY}T${from ?? '09:00'}:00+05:30`,
    end: `${DAY}T${to ?? '09:20'}:00+05:30`,
    ...(slots === undefined ? {} : { slot: slots.map(one => ({ reference: `Slot/${one}` })) }),
    participant: [`Patient/${patient ?? 'meera'}`, ...(rest.with ?? ['Practitioner/anjali'])].map(
      reference => ({
        actor: { reference },
        status: 'accepted',
      }),
    ),
    ...more,
  })

const book = async (wish: Wish): Promise<string> =>
  wish.id === undefined
    ? (await create(ctx, 'Appointment', appointment(wish))).stored.key
    : (await update(ctx, 'Appointment', wish.id, appointment(wish))).stored.key

/** The status of a refusal and the rules that it names. */
async function refused(promise: Promise<unknown>): Promise<unknown[]> {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    return [error.status, ...error.issues.map(issue => issue.rule ?? issue.code)]
  }
  return ['nothing was refused']
}

async function stateOf(type: string, id: string): Promise<Resource> {
  return parseJson((await read(ctx, type, id)).text) as Resource
}
const slotStatus = async (id: string) => (await stateOf('Slot', id)).status

beforeEach(async () => {
  base = await testContext()
  ctx = underRules(base)
  for (const id of ['anjali', 'thomas'])
    await put({ resourceType: 'Schedule', id, actor: [{ reference: `Practitioner/${id}` }] })
})

describe('a slot', () => {
  it('of capacity 1 is busy once it is booked, and refuses a second patient with 409', async () => {
    await slot('s', '09:00', '09:20')
    await book({ slots: ['s'] })
    expect(await slotStatus('s')).toBe('busy')
    expect(await refused(book({ slots: ['s'], patient: 'ravi' }))).toEqual([409, 'slot-full'])
  })

  it('of capacity 3 takes three patients at the same time, stays free until then, and refuses the fourth', async () => {
    const extension = [{ url: 'urn:nadi:extension:slot-capacity', valuePositiveInt: 3 }]
    await slot('s', '09:00', '09:20', { extension })
    await book({ slots: ['s'], patient: 'a' })
    await book({ slots: ['s'], patient: 'b' })
    expect(await slotStatus('s')).toBe('free')
    await book({ slots: ['s'], patient: 'c' })
    expect(await slotStatus('s')).toBe('busy')
    expect(await refused(book({ slots: ['s'], patient: 'd' }))).toEqual([409, 'slot-full'])
  })

  it('is free again when its appointment is cancelled, deleted, missed or moved to another', async () => {
    await slot('s', '09:00', '09:20')
    await slot('t', '09:20', '09:40')
    for (const status of ['cancelled', 'noshow', 'entered-in-error']) {
      await book({ id: `one-${status}`, slots: ['s'] })
      await book({ id: `one-${status}`, slots: ['s'], status })
      expect([status, await slotStatus('s')]).toEqual([status, 'free'])
    }
    await book({ id: 'two', slots: ['s'] })
    await book({ id: 'two', slots: ['t'], from: '09:20', to: '09:40' })
    expect([await slotStatus('s'), await slotStatus('t')]).toEqual(['free', 'busy'])
    await remove(ctx, 'Appointment', 'two')
    expect(await slotStatus('t')).toBe('free')
  })

  it('that people have set aside is refused, by whatever status, and stays so', async () => {
    await slot('s', '09:00', '09:20', { status: 'busy-unavailable' })
    await slot('t', '10:00', '10:20', { status: 'busy' })
    expect(await refused(book({ slots: ['s'] }))).toEqual([409, 'slot-unavailable'])
    expect(await refused(book({ slots: ['t'], from: '10:00', to: '10:20' }))).toEqual([
      409,
      'slot-unavailable',
    ])
    await book({ id: 'one', from: '10:00', to: '10:20' })
    await book({ id: 'one', from: '10:00', to: '10:20', status: 'cancelled' })
    expect([await slotStatus('s'), await slotStatus('t')]).toEqual(['busy-unavailable', 'busy'])
  })

  it('that was closed opens when it is called free, and keeps no mark of it', async () => {
    await slot('s', '09:00', '09:20', { status: 'busy' })
    expect(await refused(book({ slots: ['s'] }))).toEqual([409, 'slot-unavailable'])
    const closed = await stateOf('Slot', 's')
    expect((closed.meta as Resource).tag).toEqual([{ system: 'urn:nadi:codes:slot', code: 'closed' }])
    await put({
      ...closed,
      status: 'free',
      meta: { tag: [{ code: 'mine' }, { system: 'urn:nadi:codes:slot', code: 'closed' }] },
    })
    expect(((await stateOf('Slot', 's')).meta as Resource).tag).toEqual([{ code: 'mine' }])
    await book({ slots: ['s'] })
    expect(await slotStatus('s')).toBe('busy')
  })

  it('that a client calls tentative stays so, and can be booked', async () => {
    await slot('s', '09:00', '09:20', { status: 'busy-tentative' })
    expect(await slotStatus('s')).toBe('busy-tentative')
    await book({ id: 'one', slots: ['s'] })
    expect(await slotStatus('s')).toBe('busy')
    await book({ id: 'one', slots: ['s'], status: 'cancelled' })
    expect(await slotStatus('s')).toBe('free')
  })

  it('that a client calls free though it is booked stays busy', async () => {
    await slot('s', '09:00', '09:20')
    await book({ slots: ['s'] })
    await slot('s', '09:00', '09:20')
    expect(await slotStatus('s')).toBe('busy')
  })

  it('may be written by the client in the same transaction as its appointment', async () => {
    await slot('s', '09:00', '09:20')
    const busy = { ...(await stateOf('Slot', 's')), status: 'busy' } as Resource
    const entries = [
      { resource: appointment({ slots: ['s'] }), request: { method: 'POST', url: 'Appointment' } },
      { resource: busy, request: { method: 'PUT', url: 'Slot/s' } },
    ]
    await transaction(
      ctx,
      tree({ resourceType: 'Bundle', type: 'transaction', entry: [] }) &&
        ({
          resourceType: 'Bundle',
          type: 'transaction',
          entry: entries,
        } as never),
    )
    expect(await slotStatus('s')).toBe('busy')
    expect(await refused(book({ slots: ['s'], patient: 'ravi' }))).toEqual([409, 'slot-full'])
  })

  it('cannot be deleted or moved while it is booked', async () => {
    await slot('s', '09:00', '09:20')
    await book({ slots: ['s'] })
    expect(await refused(remove(ctx, 'Slot', 's'))).toEqual([409, 'slot-taken'])
    expect(await refused(slot('s', '11:00', '11:20'))).toEqual([409, 'slot-taken'])
  })

  it('does not take an appointment outside its time', async () => {
    await slot('s', '09:00', '09:20')
    expect(await refused(book({ slots: ['s'], from: '09:10', to: '09:30' }))).toEqual([409, 'slot-mismatch'])
  })

  it('made free on time that is taken already comes out busy', async () => {
    await book({ from: '09:10', to: '09:30' })
    await slot('s', '09:00', '09:20')
    await slot('t', '09:30', '09:50')
    expect([await slotStatus('s'), await slotStatus('t')]).toEqual(['busy', 'free'])
  })
})

describe('an appointment without a slot', () => {
  it('takes the free slots that it overlaps out of the searches, and gives them back', async () => {
    await slot('s', '09:00', '09:20')
    await slot('t', '09:20', '09:40')
    await slot('u', '09:40', '10:00')
    await slot('other', '09:00', '09:40', {}, 'thomas')
    await book({ id: 'walk-in', from: '09:10', to: '09:30' })
    const all = async () => Promise.all(['s', 't', 'u', 'other'].map(slotStatus))
    expect(await all()).toEqual(['busy', 'busy', 'free', 'free'])
    await book({ id: 'walk-in', from: '09:10', to: '09:30', status: 'cancelled' })
    expect(await all()).toEqual(['free', 'free', 'free', 'free'])
  })

  it('keeps a slot busy until the last of those in its way is gone', async () => {
    await slot('s', '09:00', '10:00')
    await book({ id: 'a', from: '09:00', to: '09:20' })
    await book({ id: 'b', patient: 'ravi', from: '09:30', to: '09:40' })
    await book({ id: 'a', from: '09:00', to: '09:20', status: 'cancelled' })
    expect(await slotStatus('s')).toBe('busy')
    await book({ id: 'b', patient: 'ravi', from: '09:30', to: '09:40', status: 'cancelled' })
    expect(await slotStatus('s')).toBe('free')
  })
})

describe('who may overlap', () => {
  it('a patient is booked once per time, with whomever; touching ends do not overlap', async () => {
    await book({})
    expect(await refused(book({ with: ['Practitioner/thomas'], from: '09:19', to: '09:40' }))).toEqual([
      409,
      'patient-overlap',
    ])
    await book({ with: ['Practitioner/thomas'], from: '09:20', to: '09:40' })
    await book({ with: ['Practitioner/thomas'], from: '08:40', to: '09:00' })
  })

  it('a practitioner is booked once per time outside a slot, under a role too', async () => {
    await put({
      resourceType: 'PractitionerRole',
      id: 'opd',
      practitioner: { reference: 'Practitioner/anjali' },
    })
    await put({
      resourceType: 'PractitionerRole',
      id: 'ward',
      practitioner: { reference: 'Practitioner/anjali' },
    })
    await book({ with: ['PractitionerRole/opd'] })
    expect(await refused(book({ patient: 'ravi' }))).toEqual([409, 'practitioner-overlap'])
    expect(await refused(book({ patient: 'ravi', with: ['PractitionerRole/ward'] }))).toEqual([
      409,
      'practitioner-overlap',
    ])
  })

  it('a practitioner who has declined is not taken', async () => {
    const declined = appointment({})
    const participant = declined.participant as Resource[]
    await create(ctx, 'Appointment', {
      ...declined,
      participant: participant.map((one, i) => (i === 0 ? one : { ...one, status: 'declined' })) as never,
    })
    await book({ patient: 'ravi' })
  })

  it('a room takes one appointment at a time, a clinic many, unless they are marked otherwise', async () => {
    const kind = (code: string) => ({
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code }],
    })
    const marked = (valueBoolean: boolean) => [{ url: 'urn:nadi:extension:exclusive-location', valueBoolean }]
    const places: [string, object, boolean][] = [
      ['room', { physicalType: kind('ro') }, true],
      ['hall', { physicalType: kind('ro'), extension: marked(false) }, false],
      ['clinic', { physicalType: kind('bu') }, false],
      ['theatre', { physicalType: kind('area'), extension: marked(true) }, true],
    ]
    for (const [id, more, exclusive] of places) {
      await put({ resourceType: 'Location', id, ...more })
      const other = { patient: `x-${id}`, with: [`Practitioner/x-${id}`, `Location/${id}`] }
      await book({ patient: `y-${id}`, with: [`Practitioner/y-${id}`, `Location/${id}`] })
      const answer = exclusive ? [409, 'location-overlap'] : ['nothing was refused']
      expect([id, await refused(book(other))]).toEqual([id, answer])
    }
  })

  it('names every conflict at once', async () => {
    await book({})
    expect(await refused(book({}))).toEqual([409, 'practitioner-overlap', 'patient-overlap'])
  })

  it('appointments over hours, days and months meet short ones at their edges', async () => {
    const at = (start: string, end: string, patient: string) =>
      create(ctx, 'Appointment', { ...appointment({ patient }), start, end })
    for (const [index, [start, end]] of (
      [
        ['2026-12-03T00:00:00Z', '2026-12-03T06:00:00Z'],
        ['2026-12-05T00:00:00Z', '2026-12-10T00:00:00Z'],
        ['2027-01-01T00:00:00Z', '2027-08-01T00:00:00Z'],
      ] as const
    ).entries()) {
      await at(start, end, `long-${index}`)
      const first = new Date(Date.parse(start)).toISOString()
      const inside = (offset: number, from: string) => new Date(Date.parse(from) + offset).toISOString()
      expect(await refused(at(first, inside(60_000, first), 'p'))).toEqual([409, 'practitioner-overlap'])
      expect(await refused(at(inside(-60_000, end), end, 'p'))).toEqual([409, 'practitioner-overlap'])
      expect(await refused(at(inside(-864e5, start), inside(864e5, end), 'p'))).toEqual([
        409,
        'practitioner-overlap',
      ])
      await at(inside(-60_000, first), first, `before-${index}`)
      await at(end, inside(60_000, end), `after-${index}`)
    }
  })

  it('two appointments may change places in one transaction', async () => {
    await slot('s', '09:00', '09:20')
    await slot('t', '09:20', '09:40')
    await book({ id: 'a', slots: ['s'], patient: 'a' })
    await book({ id: 'b', slots: ['t'], patient: 'b', from: '09:20', to: '09:40' })
    const swapped = [
      appointment({ id: 'a', slots: ['t'], patient: 'a', from: '09:20', to: '09:40' }),
      appointment({ id: 'b', slots: ['s'], patient: 'b' }),
    ]
    await transaction(ctx, {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: swapped.map(resource => ({
        resource,
        request: { method: 'PUT', url: `Appointment/${String(resource.id)}` },
      })),
    })
    expect((await stateOf('Appointment', 'a')).start).toBe(`${DAY}T09:20:00+05:30`)
    expect([await slotStatus('s'), await slotStatus('t')]).toEqual(['busy', 'busy'])
  })

  it('two appointments of one transaction may not overlap each other', async () => {
    const entry = ['a', 'b'].map(patient => ({
      resource: appointment({ patient }),
      request: { method: 'POST', url: 'Appointment' },
    }))
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry } as never
    expect(await refused(transaction(ctx, bundle))).toEqual([
      409,
      'practitioner-overlap',
      'practitioner-overlap',
    ])
  })
})

describe('a hold', () => {
  it('keeps others away for 15 minutes, its slot busy-tentative', async () => {
    await slot('s', '09:00', '09:20')
    const key = await book({ slots: ['s'], status: 'pending' })
    expect(await slotStatus('s')).toBe('busy-tentative')
    const hold = await stateOf('Appointment', key.split('/')[1]!)
    // 2026-11-21T05:11:00Z by the test's clock, and a quarter of an hour.
    expect(hold.extension).toEqual([
      { url: 'urn:nadi:extension:hold-until', valueInstant: '2026-11-21T05:26:00.000Z' },
    ])
    base.pass(15 * 60_000 - 1)
    expect(await refused(book({ slots: ['s'], patient: 'ravi' }))).toEqual([409, 'slot-full'])
    base.pass(1)
    await book({ slots: ['s'], patient: 'ravi' })
    expect(await slotStatus('s')).toBe('busy')
    expect((await stateOf('Appointment', key.split('/')[1]!)).status).toBe('cancelled')
  })

  it('that has run out can still be booked while nobody else has taken its time', async () => {
    await slot('s', '09:00', '09:20')
    await book({ id: 'hold', slots: ['s'], status: 'pending' })
    base.pass(60 * 60_000)
    await book({ id: 'hold', slots: ['s'], status: 'booked' })
    expect(await slotStatus('s')).toBe('busy')
  })

  it('may be shorter than the setting, not longer', async () => {
    const until = (valueInstant: string) => ({
      more: { extension: [{ url: 'urn:nadi:extension:hold-until', valueInstant }] },
    })
    await book({ id: 'short', status: 'pending', ...until('2026-11-21T05:12:00Z') })
    await book({
      id: 'long',
      status: 'pending',
      from: '10:00',
      to: '10:20',
      ...until('2030-01-01T00:00:00Z'),
    })
    const ends = await Promise.all(
      ['short', 'long'].map(async id => (await stateOf('Appointment', id)).extension),
    )
    expect(ends).toEqual([
      [{ url: 'urn:nadi:extension:hold-until', valueInstant: '2026-11-21T05:12:00Z' }],
      [{ url: 'urn:nadi:extension:hold-until', valueInstant: '2026-11-21T05:26:00.000Z' }],
    ])
  })

  it('is not made longer by being written again', async () => {
    await book({ id: 'hold', status: 'pending' })
    base.pass(14 * 60_000)
    await book({ id: 'hold', status: 'pending' })
    base.pass(60_000)
    await book({ patient: 'ravi' })
    expect((await stateOf('Appointment', 'hold')).status).toBe('cancelled')
  })

  it('that is given up frees its slot, even after it has run out', async () => {
    await slot('s', '09:00', '09:20')
    await book({ id: 'hold', slots: ['s'], status: 'pending' })
    base.pass(60 * 60_000)
    await book({ id: 'hold', slots: ['s'], status: 'cancelled' })
    expect(await slotStatus('s')).toBe('free')
  })
})

describe('a hold whose end races with a booking', () => {
  /** A context whose first commit waits until it is let go, after all that it read. */
  function gated(): { ctx: Context; waiting: Promise<void>; go: () => void } {
    let go = () => {}
    let arrived = () => {}
    const opened = new Promise<void>(resolve => (go = resolve))
    const waiting = new Promise<void>(resolve => (arrived = resolve))
    const { storage } = ctx
    const commit: typeof storage.commit = async intent => {
      arrived()
      await opened
      return storage.commit(intent)
    }
    return { ctx: { ...ctx, storage: { ...storage, commit } }, waiting, go }
  }

  it('is booked by its owner although another has found it run out and is about to take its time', async () => {
    await slot('s', '09:00', '09:20')
    await book({ id: 'hold', slots: ['s'], status: 'pending' })
    base.pass(60 * 60_000)
    const other = gated()
    const taking = create(other.ctx, 'Appointment', appointment({ slots: ['s'], patient: 'ravi' }))
    await other.waiting
    await book({ id: 'hold', slots: ['s'] })
    other.go()
    expect(await refused(taking)).toEqual([409, 'slot-full'])
  })

  it('is not booked by its owner when another has taken its time since it ran out', async () => {
    await slot('s', '09:00', '09:20')
    await book({ id: 'hold', slots: ['s'], status: 'pending' })
    const owner = gated()
    const booking = update(owner.ctx, 'Appointment', 'hold', appointment({ id: 'hold', slots: ['s'] }))
    await owner.waiting
    base.pass(60 * 60_000)
    await book({ slots: ['s'], patient: 'ravi' })
    owner.go()
    expect(await refused(booking)).toEqual([422, 'status-transition'])
  })
})

describe('the status of an appointment', () => {
  it('follows the table: what is cancelled or fulfilled is not booked again', async () => {
    for (const last of ['cancelled', 'fulfilled']) {
      await book({ id: last })
      await book({ id: last, status: last })
      expect(await refused(book({ id: last }))).toEqual([422, 'status-transition'])
    }
  })

  it('may go back from arrived to booked, and from no-show to arrived where the time is still free', async () => {
    await book({ id: 'a', status: 'arrived' })
    await book({ id: 'a' })
    await book({ id: 'a', status: 'noshow' })
    await book({ id: 'b', patient: 'ravi' })
    expect(await refused(book({ id: 'a', status: 'arrived' }))).toEqual([409, 'practitioner-overlap'])
    await book({ id: 'b', patient: 'ravi', status: 'cancelled' })
    await book({ id: 'a', status: 'arrived' })
  })
})

describe('an online appointment', () => {
  it('has a join link of the template', async () => {
    const settings = {
      ...ctx.settings,
      scheduling: { holdMinutes: 15, joinUrl: 'https://visit.example.org/{appointment}' },
    }
    ctx = { ...ctx, settings }
    const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR' }]
    await book({ id: 'tele', more: { serviceType: [{ coding }] } })
    await book({ id: 'here', patient: 'ravi', from: '10:00', to: '10:20' })
    expect((await stateOf('Appointment', 'tele')).extension).toEqual([
      { url: 'urn:nadi:extension:join-url', valueUrl: 'https://visit.example.org/tele' },
    ])
    expect((await stateOf('Appointment', 'here')).extension).toBeUndefined()
  })
})

it('an appointment that ends before it starts is refused', async () => {
  expect(await refused(book({ from: '09:20', to: '09:00' }))).toEqual([422, 'business-rule'])
})
