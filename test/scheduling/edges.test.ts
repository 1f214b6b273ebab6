/** Edges of the booking rule that are easily got wrong: odd times, slots of several, and what others do between a look and the commit. */
import { beforeEach, describe, expect, it } from 'vitest'
import { underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { FhirError } from '../../src/fhir/error.ts'
import type { Resource } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { remove } from '../../src/interactions/delete.ts'
import { update } from '../../src/interactions/update.ts'
import { bookingRule } from '../../src/scheduling/booking-rule.ts'
import { type TestContext, testContext } from '../interactions/context.ts'
import { put, statusOf } from '../operations/appointments.ts'
import { tree } from '../operations/context.ts'

let base: TestContext
let ctx: Context
const DAY = '2026-12-01'
const at = (clock: string) => `${DAY}T${clock.length === 5 ? `${clock}:00` : clock}+05:30`

const slot = (id: string, from: string, to: string, more: object = {}) =>
  put(ctx, {
    resourceType: 'Slot',
    id,
    schedule: { reference: 'Schedule/anjali' },
    status: 'free',
    start: at(from),
    end: at(to),
    ...more,
  })

const places = (count: number) => ({
  extension: [{ url: 'urn:nadi:extension:slot-capacity', valuePositiveInt: count }],
})

const visit = (patient: string, from: string, to: string, more: object = {}, doctor = 'anjali') =>
  tree({
    resourceType: 'Appointment',
    status: 'booked',
    start: at(from),
    end: at(to),
    participant: [`Patient/${patient}`, `Practitioner/${doctor}`].map(reference => ({
      actor: { reference },
      status: 'accepted',
    })),
    ...more,
  })

const inSlots = (...ids: string[]) => ({ slot: ids.map(id => ({ reference: `Slot/${id}` })) })

const book = (id: string, resource: object, on = ctx) =>
  update(on, 'Appointment', id, tree({ ...resource, id }))

async function refused(promise: Promise<unknown>): Promise<unknown[]> {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    return [error.status, ...error.issues.map(issue => issue.rule ?? issue.code)]
  }
  return ['nothing was refused']
}

beforeEach(async () => {
  base = await testContext()
  ctx = underRules(base)
  for (const id of ['anjali', 'thomas'])
    await put(ctx, { resourceType: 'Schedule', id, actor: [{ reference: `Practitioner/${id}` }] })
})

describe('times', () => {
  it('a leap second is a time: who begins in one takes the time', async () => {
    await book('a', visit('a', '08:59:60', '09:20'))
    expect(await refused(book('b', visit('b', '09:00', '09:20')))).toEqual([409, 'practitioner-overlap'])
    expect(await refused(book('c', visit('c', '09:10', '09:19:60')))).toEqual([409, 'practitioner-overlap'])
  })

  it('what takes a time has a start and an end, with a zone', async () => {
    const without = (more: object) =>
      refused(create(ctx, 'Appointment', tree({ ...visit('a', '09:00', '09:20'), ...more })))
    for (const more of [{ end: undefined }, { start: undefined }, { start: undefined, end: undefined }])
      expect(await without(more)).toEqual([422, 'business-rule'])
    for (const start of ['2026-12-01T09:00:00', '2026-12-01', '2026-11-31T09:00:00+05:30'])
      expect(await without({ start })).toEqual([400, 'format'])
    expect(await without({ status: 'waitlist', start: undefined, end: undefined })).toEqual([
      'nothing was refused',
    ])
  })
})

describe('slots', () => {
  it('that is booked does not go to another schedule', async () => {
    await slot('s', '09:00', '09:20')
    await book('a', visit('a', '09:00', '09:20', inSlots('s')))
    expect(
      await refused(slot('s', '09:00', '09:20', { schedule: { reference: 'Schedule/thomas' } })),
    ).toEqual([409, 'slot-taken'])
  })

  it('that has room elsewhere makes no room at another time', async () => {
    await slot('g', '09:00', '09:20', places(3))
    await book('a', visit('a', '11:00', '11:20', inSlots('g', 'none-1')))
    expect(await refused(book('b', visit('b', '11:00', '11:20', inSlots('g', 'none-2'))))).toEqual([
      409,
      'practitioner-overlap',
    ])
  })

  it('with room before and after make none between them', async () => {
    await slot('s1', '09:00', '09:20', places(2))
    await slot('s2', '09:20', '09:40')
    await slot('s3', '09:40', '10:00', places(2))
    await book('a', visit('a', '09:00', '10:00', inSlots('s1', 's3')))
    expect(await refused(book('b', visit('b', '09:00', '10:00', inSlots('s1', 's3'))))).toEqual([
      409,
      'practitioner-overlap',
    ])
  })

  it('all slots of a hold that has run out are free again when one of them is booked', async () => {
    await slot('s', '09:00', '09:20')
    await slot('t', '09:20', '09:40')
    await book('hold', visit('a', '09:00', '09:40', { ...inSlots('s', 't'), status: 'pending' }))
    base.pass(3_600_000)
    await book('b', visit('b', '09:00', '09:20', inSlots('s')))
    expect(await statusOf(ctx, 'Appointment/hold')).toBe('cancelled')
    expect(await statusOf(ctx, 'Slot/t')).toBe('free')
  })

  it('so are those that a hold without a slot took', async () => {
    await slot('s', '09:00', '09:20')
    await slot('t', '09:20', '09:40')
    await book('hold', visit('a', '09:00', '09:40', { status: 'pending' }))
    base.pass(3_600_000)
    await book('b', visit('b', '09:00', '09:20', inSlots('s')))
    expect(await statusOf(ctx, 'Slot/t')).toBe('free')
  })

  it('that is deleted cannot be booked any more', async () => {
    await slot('s', '09:00', '09:20')
    await remove(ctx, 'Slot', 's')
    expect(await refused(book('a', visit('a', '09:00', '09:20', inSlots('s'))))).toEqual([
      409,
      'slot-unavailable',
    ])
  })
})

describe('what others do between a look at the calendar and the commit', () => {
  /** Books while `other` happens after the calendar was read. */
  async function meanwhile(other: () => Promise<unknown>, act: (on: Context) => Promise<unknown>) {
    let first = true
    const { storage } = ctx
    const commit: typeof storage.commit = async intent => {
      if (first) {
        first = false
        await other()
      }
      return storage.commit(intent)
    }
    return refused(act({ ...ctx, storage: { ...storage, commit } }))
  }

  it('an appointment is moved by minutes onto the time', async () => {
    await book('x', visit('a', '09:05', '09:10'))
    const moved = () => book('x', visit('a', '09:00', '09:05'))
    expect(await meanwhile(moved, on => book('y', visit('b', '09:00', '09:05'), on))).toEqual([
      409,
      'practitioner-overlap',
    ])
  })

  it('the patient is moved onto the time at another doctor', async () => {
    await book('x', visit('a', '09:05', '09:10'))
    const moved = () => book('x', visit('a', '09:00', '09:05'))
    expect(await meanwhile(moved, on => book('y', visit('a', '09:00', '09:05', {}, 'thomas'), on))).toEqual([
      409,
      'patient-overlap',
    ])
  })

  it('the slot is closed', async () => {
    await slot('g', '09:00', '09:20', places(3))
    const closed = () => slot('g', '09:00', '09:20', { ...places(3), status: 'busy-unavailable' })
    expect(await meanwhile(closed, on => book('y', visit('a', '09:00', '09:20', inSlots('g')), on))).toEqual([
      409,
      'slot-unavailable',
    ])
  })

  it('the slot gets fewer places', async () => {
    await slot('g', '09:00', '09:20', places(3))
    await book('x', visit('b', '09:00', '09:20', inSlots('g')))
    const less = () => slot('g', '09:00', '09:20')
    expect(await meanwhile(less, on => book('y', visit('a', '09:00', '09:20', inSlots('g')), on))).toEqual([
      409,
      'slot-full',
    ])
  })

  it('the slot of a department, which has no practitioner, is closed', async () => {
    const opd = { schedule: { reference: 'Schedule/opd' } }
    await put(ctx, { resourceType: 'Schedule', id: 'opd', actor: [{ reference: 'HealthcareService/opd' }] })
    await slot('g', '09:00', '09:20', { ...places(3), ...opd })
    const closed = () => slot('g', '09:00', '09:20', { ...places(3), ...opd, status: 'busy-unavailable' })
    const act = (on: Context) => book('y', visit('a', '09:00', '09:20', inSlots('g')), on)
    expect(await meanwhile(closed, act)).toEqual([409, 'slot-unavailable'])
  })
})

it('writers of one slot of a department meet under one name, whoever their practitioners are', async () => {
  await put(ctx, { resourceType: 'Schedule', id: 'opd', actor: [{ reference: 'HealthcareService/opd' }] })
  await slot('g', '09:00', '09:20', { schedule: { reference: 'Schedule/opd' } })
  const guards = async (resource: Resource) => {
    const key = `Appointment/${String(ctx.newId())}` as const
    const ruling = await bookingRule.judge(ctx, [{ key, method: 'POST', before: undefined, after: resource }])
    const found = ruling.require!.flatMap(one =>
      one.is === 'matches' ? [one.guard, ...(one.also ?? [])] : [],
    )
    return new Set(found)
  }
  const one = await guards(visit('a', '09:00', '09:20', inSlots('g')))
  const other = await guards(visit('b', '09:00', '09:20', inSlots('g'), 'thomas'))
  expect([...one].filter(name => other.has(name))).toEqual(['busy Slot/g'])
})
