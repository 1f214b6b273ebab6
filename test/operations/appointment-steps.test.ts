/** `$reschedule` and the steps of a visit. Expected: the statuses of R4, and the transitions of src/scheduling/appointment-status.ts. */
import { beforeEach, describe, expect, it } from 'vitest'
import { update } from '../../src/interactions/update.ts'
import type { TestContext } from '../interactions/context.ts'
import {
  type Any,
  appointmentFor,
  ask,
  at,
  DAY,
  morning,
  parameters,
  put,
  reference,
  statusOf,
  stored,
} from './appointments.ts'
import { tree } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await morning()
})

const KEY = 'Appointment/visit'
const visit = (status: string, more: object = {}): Any => ({
  ...appointmentFor('meera', { status, ...more }),
  id: 'visit',
})
const step = (name: string, ...given: object[]) => ask(ctx, `${KEY}/$${name}`, parameters(...given))

/** Stores the appointment in a status that it may not be able to come into by one write. */
async function inStatus(status: string): Promise<void> {
  const { rules: _, ...unruled } = ctx
  const time = ['waitlist'].includes(status) ? { start: undefined, end: undefined, slot: undefined } : {}
  await update(unruled, 'Appointment', 'visit', tree(visit(status, time)))
}
const encounters = async (): Promise<Any[]> => {
  const page = await ctx.storage.search(
    { types: ['Encounter'], where: { kind: 'and', nodes: [] }, sort: [], fingerprint: 'x' },
    { limit: 100, total: 'none' },
  )
  return page.rows.map(row => JSON.parse(row.text!))
}
const codeOf = (answer: [number, Any]) => {
  const issue = answer[1].issue?.[0]
  return [answer[0], issue?.rule ?? issue?.code ?? answer[1].status]
}

/** What each operation makes of each status: `=` is as it was, a word the status then, 422 a refusal. Typed from R4 and the issue. */
const TABLE: Record<string, Record<string, string | number>> = {
  proposed: { cancel: 'cancelled', 'check-in': 422, complete: 422, 'no-show': 422 },
  pending: { cancel: 'cancelled', 'check-in': 'checked-in', complete: 422, 'no-show': 422 },
  waitlist: { cancel: 'cancelled', 'check-in': 422, complete: 422, 'no-show': 422 },
  booked: { cancel: 'cancelled', 'check-in': 'checked-in', complete: 'fulfilled', 'no-show': 'noshow' },
  arrived: { cancel: 'cancelled', 'check-in': 'checked-in', complete: 'fulfilled', 'no-show': 'noshow' },
  'checked-in': { cancel: 'cancelled', 'check-in': '=', complete: 'fulfilled', 'no-show': 'noshow' },
  fulfilled: { cancel: 422, 'check-in': 422, complete: '=', 'no-show': 422 },
  noshow: { cancel: 422, 'check-in': 'checked-in', complete: 422, 'no-show': '=' },
  cancelled: { cancel: '=', 'check-in': 422, complete: 422, 'no-show': 422 },
  'entered-in-error': { cancel: 422, 'check-in': 422, complete: 422, 'no-show': 422 },
}

describe('each step from each status', () => {
  const cases = Object.entries(TABLE).flatMap(([from, steps]) =>
    Object.entries(steps).map(([name, to]) => [from, name, to] as const),
  )
  it.each(cases)('%s by $%s: %s', async (from, name, to) => {
    await inStatus(from)
    const answer = await step(name)
    const { status, meta } = await stored(ctx, KEY)
    if (to === 422)
      expect([answer[0], answer[1].issue[0].rule, status]).toEqual([422, 'status-transition', from])
    else if (to === '=') expect([answer[0], answer[1].status, meta.versionId]).toEqual([200, from, '1'])
    else expect([answer[0], answer[1].status, status]).toEqual([200, to, to])
  })

  it.each(['proposed', 'pending', 'booked'])('%s can be moved', async from => {
    await inStatus(from)
    expect((await step('reschedule', { name: 'start', valueInstant: at('09:20') }))[0]).toBe(200)
  })
  it.each(['arrived', 'checked-in', 'fulfilled', 'noshow', 'cancelled', 'entered-in-error'])(
    '%s cannot be moved',
    async from => {
      await inStatus(from)
      expect(codeOf(await step('reschedule', { name: 'start', valueInstant: at('09:20') }))).toEqual([
        422,
        'business-rule',
      ])
    },
  )
})

describe('$check-in and $complete', () => {
  it('make an Encounter that has arrived, and finish it', async () => {
    await put(ctx, visit('booked'))
    await step('check-in')
    const [arrived] = await encounters()
    expect(arrived).toMatchObject({
      status: 'arrived',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: 'Patient/meera' },
      appointment: [{ reference: KEY }],
      participant: [{ individual: { reference: 'Practitioner/anjali' } }],
      period: { start: '2026-11-21T05:11:00.000Z' },
    })
    ctx.pass(20 * 60_000)
    await step('complete')
    const after = await encounters()
    expect(after).toHaveLength(1)
    expect(after[0]).toMatchObject({
      id: arrived.id,
      status: 'finished',
      statusHistory: [
        { status: 'arrived', period: { start: '2026-11-21T05:11:00.000Z', end: '2026-11-21T05:31:00.000Z' } },
      ],
      period: { start: '2026-11-21T05:11:00.000Z', end: '2026-11-21T05:31:00.000Z' },
    })
  })

  it('find the Encounter that there is', async () => {
    await put(ctx, visit('booked'))
    await put(ctx, {
      resourceType: 'Encounter',
      id: 'planned',
      status: 'planned',
      class: { code: 'AMB' },
      subject: { reference: 'Patient/meera' },
      appointment: [{ reference: KEY }],
    })
    await step('check-in')
    expect((await encounters()).map(one => [one.id, one.status])).toEqual([['planned', 'arrived']])
  })

  it('of one who was not checked in, an Encounter is made as it ends', async () => {
    await put(ctx, visit('booked'))
    await step('complete')
    expect((await encounters()).map(one => one.status)).toEqual(['finished'])
  })

  it('twice have one effect', async () => {
    await put(ctx, visit('booked'))
    const first = await step('check-in')
    expect(await step('check-in')).toEqual(first)
    expect(await encounters()).toHaveLength(1)
  })

  it('are refused where there is no patient', async () => {
    await put(
      ctx,
      visit('booked', { participant: [{ actor: { reference: 'Practitioner/anjali' }, status: 'accepted' }] }),
    )
    expect(codeOf(await step('check-in'))).toEqual([422, 'business-rule'])
  })

  it('a cancellation cancels the Encounter that was not begun', async () => {
    await put(ctx, visit('booked'))
    await step('check-in')
    await step('cancel', { name: 'reason', valueCodeableConcept: { text: 'Called away' } })
    expect((await encounters()).map(one => one.status)).toEqual(['cancelled'])
    expect([(await stored(ctx, KEY)).cancelationReason.text, await statusOf(ctx, 'Slot/0900')]).toEqual([
      'Called away',
      'free',
    ])
  })
})

describe('$reschedule', () => {
  beforeEach(() => put(ctx, visit('booked')))
  const to = (clock: string) => ({ name: 'start', valueInstant: at(clock) })

  it('takes the slot of the same schedule at that time, and frees the one before', async () => {
    const [status, after] = await step('reschedule', to('09:40'))
    expect([status, after.start, after.end, after.slot]).toEqual([
      200,
      at('09:40'),
      at('10:00'),
      [{ reference: 'Slot/0940' }],
    ])
    expect([await statusOf(ctx, 'Slot/0900'), await statusOf(ctx, 'Slot/0940')]).toEqual(['free', 'busy'])
  })

  it('where no slot fits the appointment has none', async () => {
    const [status, after] = await step('reschedule', to('13:00'))
    expect([status, after.slot]).toEqual([200, undefined])
  })

  it('in a slot of another schedule it is with who belongs to that', async () => {
    const [status, after] = await step('reschedule', reference('slot', 'Slot/t0900'))
    expect(status).toBe(200)
    expect(after.participant.map((one: Any) => one.actor.reference)).toEqual([
      'Patient/meera',
      'Practitioner/thomas',
      'Location/clinic',
    ])
  })

  it('is refused where the time is taken, and changes nothing', async () => {
    await put(ctx, {
      ...appointmentFor('abdul', { status: 'booked', start: at('09:20'), end: at('09:40') }),
      id: 'other',
      slot: [{ reference: 'Slot/0920' }],
    })
    const answer = await step('reschedule', to('09:20'))
    expect([answer[0], answer[1].issue[0].rule]).toEqual([409, 'slot-full'])
    expect((await stored(ctx, KEY)).start).toBe(at('09:00'))
  })

  it('to where it is already stores nothing', async () => {
    await step('reschedule', to('09:00'))
    expect((await stored(ctx, KEY)).meta.versionId).toBe('1')
  })

  it.each<[string, object[], number]>([
    ['nothing', [], 400],
    ['an end alone', [{ name: 'end', valueInstant: at('10:00') }], 400],
    ['a day', [{ name: 'start', valueInstant: DAY }], 400],
    ['no time', [{ name: 'start', valueInstant: 'soon' }], 400],
    ['an end before the start', [to('09:20'), { name: 'end', valueInstant: at('09:10') }], 422],
    ['a slot that is not there', [reference('slot', 'Slot/none')], 422],
    ['a slot that is none', [reference('slot', 'Patient/meera')], 400],
    ['a version that is none', [to('09:20'), { name: 'version', valuePositiveInt: 0 }], 400],
  ])('refuses %s', async (_, given, expected) => {
    expect((await step('reschedule', ...given))[0]).toBe(expected)
    expect((await stored(ctx, KEY)).meta.versionId).toBe('1')
  })
})

describe('two clerks at once', () => {
  beforeEach(() => put(ctx, visit('booked')))

  it('who has seen another version is refused with the version that it is', async () => {
    await step('check-in')
    const answer = await step('cancel', { name: 'version', valuePositiveInt: 1 })
    expect([answer[0], answer[1].issue[0].diagnostics]).toEqual([
      409,
      'Appointment/visit has been changed meanwhile: its version is 2 now. Read it and try again.',
    ])
  })

  it('of one who completes and one who cancels one wins, and the other is told what it is', async () => {
    const answers = await Promise.all([step('complete'), step('cancel')])
    const status = await statusOf(ctx, KEY)
    expect(answers.map(one => one[0]).sort()).toEqual([200, 422])
    expect(answers.find(one => one[0] === 200)![1].status).toBe(status)
    expect(answers.find(one => one[0] === 422)![1].issue[0].rule).toBe('status-transition')
  })

  it('of two who move it to different times one is refused', async () => {
    const answers = await Promise.all([
      step('reschedule', { name: 'start', valueInstant: at('09:20') }),
      step('reschedule', { name: 'start', valueInstant: at('09:40') }),
    ])
    expect(answers.map(one => one[0]).sort()).toEqual([200, 409])
  })

  it('who check in at once make one Encounter', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => step('check-in')))
    expect(new Set(answers.map(one => one[0]))).toEqual(new Set([200]))
    expect(await encounters()).toHaveLength(1)
    expect((await stored(ctx, KEY)).meta.versionId).toBe('2')
  })
})
