/** The operations on Appointments under hostile input: a clear refusal, never a bug, and nothing stored. */
import { describe, expect, it } from 'vitest'
import { seeded } from '../../bench/random.ts'
import type { Context, Principal } from '../../src/context.ts'
import { FhirError } from '../../src/fhir/error.ts'
import { update } from '../../src/interactions/update.ts'
import { releaseExpired } from '../../src/scheduling/expire.ts'
import {
  type Any,
  appointmentFor,
  ask,
  at,
  DAY,
  morning,
  parameters,
  reference,
  resourceIn,
} from './appointments.ts'
import { tree } from './context.ts'

const next = seeded(20_261_121)
const one = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!

const ODD: readonly Any[] = [
  '',
  'x',
  '..',
  'Appointment/',
  'Appointment/..',
  'Slot/0900',
  'Patient/meera',
  '#',
  '#x',
  'urn:uuid:1',
  'javascript:alert(1)',
  '9999-12-31T23:59:59+14:00',
  '0001-01-01T00:00:00Z',
  '+275760-09-13T00:00:00Z',
  '2026-02-30T09:00:00+05:30',
  'x'.repeat(70_000),
  '\u0000',
  '__proto__',
  0,
  -1,
  1e300,
  true,
  null,
  [],
  {},
  [[]],
  [null],
  { reference: 'Slot/0900' },
  { reference: { reference: 'x' } },
  { coding: 'x' },
]

/** Returns the tree with one of its values, chosen at random, replaced or taken away. */
function bent(value: Any): Any {
  if (typeof value !== 'object' || value === null || next() < 0.25) return one(ODD)
  if (Array.isArray(value)) {
    const index = Math.floor(next() * value.length)
    return value.map((item, i) => (i === index ? bent(item) : item))
  }
  const name = one(Object.keys(value))
  if (name === undefined || name === 'resourceType') return value
  return { ...value, [name]: next() < 0.1 ? undefined : bent(value[name]) }
}

const visit = appointmentFor('meera', { requestedPeriod: [{ start: at('09:00'), end: at('09:20') }] })
const patient = reference('patient', 'Patient/meera')
const BODIES: Record<string, () => Any> = {
  'Appointment/$hold': () => parameters(reference('appointment-reference', 'Appointment/proposed.0900')),
  'Appointment/$book': () =>
    parameters(
      resourceIn('appointment-resource', visit),
      resourceIn('patient-resource', {
        resourceType: 'Patient',
        id: 'meera',
        identifier: [{ system: 'x', value: 'y' }],
      }),
    ),
  'Appointment/$book-series': () =>
    parameters(
      resourceIn('appointment', visit),
      { name: 'frequency', valueCode: 'weekly' },
      { name: 'count', valuePositiveInt: 2 },
      { name: 'day', valueCode: 'tue' },
    ),
  'Appointment/$book-together': () =>
    parameters(resourceIn('appointment', visit), { name: 'phone', valueString: '1' }),
  'Appointment/$walk-in': () =>
    parameters(patient, reference('practitioner', 'Practitioner/anjali'), {
      name: 'minutes',
      valuePositiveInt: 5,
    }),
  'Appointment/$waitlist': () =>
    parameters(
      patient,
      reference('actor', 'Practitioner/anjali'),
      { name: 'start', valueDateTime: DAY },
      { name: 'end', valueDateTime: DAY },
    ),
  'Appointment/odd/$reschedule': () =>
    parameters({ name: 'start', valueInstant: at('09:20') }, reference('slot', 'Slot/0920')),
  'Appointment/odd/$cancel': () => parameters({ name: 'reason', valueCodeableConcept: { text: 'x' } }),
  'Appointment/odd/$check-in': () => parameters({ name: 'version', valuePositiveInt: 1 }),
  'Appointment/odd/$complete': () => parameters({ name: 'comment', valueString: 'x' }),
  'Appointment/odd/$no-show': () => parameters(),
}

/** Stores what no rule would let in, as it may have been stored before there was one. */
async function store(ctx: Context, resource: Any): Promise<void> {
  const { rules: _, ...unruled } = ctx
  if (resource?.resourceType !== 'Appointment' || resource.id !== 'odd') return
  await update(unruled, 'Appointment', 'odd', tree(resource)).catch(error => {
    if (!(error instanceof FhirError)) throw error
  })
}

describe('operations on Appointments', () => {
  // Nothing has looked at what is stored or sent: the operations themselves must not trust it.
  it('are refused with a clear error, or done, whatever is sent and whatever is stored', {
    timeout: 60_000,
  }, async () => {
    const ctx = await morning({ validate: 'off' })
    const wrong: string[] = []
    const seen = new Map<number, number>()
    for (let round = 0; round < 150; round++)
      for (const [path, body] of Object.entries(BODIES)) {
        const stored = bent({ ...visit, id: 'odd', status: one(['booked', 'pending', 'waitlist']) })
        const { parameter = [] } = body()
        const bad = bent(parameter)
        const sent = { resourceType: 'Parameters', parameter: Array.isArray(bad) ? bad : [bad] }
        try {
          await store(ctx, stored)
          const [status] = await ask(ctx, path, sent)
          seen.set(status, (seen.get(status) ?? 0) + 1)
          if (status >= 500) wrong.push(`${path} ${status}: ${JSON.stringify(sent).slice(0, 300)}`)
        } catch (error) {
          wrong.push(
            `${path} ${error}: ${JSON.stringify(sent).slice(0, 300)} on ${JSON.stringify(stored).slice(0, 300)}`,
          )
        }
      }
    await releaseExpired(ctx, ctx.clock() + 3_600_000)
    expect(wrong.slice(0, 5)).toEqual([])
    // Some got through the door, and were judged inside.
    expect([...seen.keys()].sort()).toEqual(expect.arrayContaining([200, 400, 409, 422]))
  })

  it('tell nothing to who may not read, and store nothing for who may not write', async () => {
    const ctx = await morning()
    const as = (read: string[], write: string[]) => {
      const principal: Principal = { id: 'app', grants: { read: new Set(read), write: new Set(write) } }
      return { ...ctx, principal }
    }
    const hold = parameters(reference('appointment-reference', 'Appointment/proposed.0900'))
    expect((await ask(as(['Patient'], ['Appointment']), 'Appointment/$hold', hold))[0]).toBe(403)
    expect((await ask(as(['Appointment'], ['Appointment']), 'Appointment/$hold', hold))[0]).toBe(403)
    expect((await ask(as(['Appointment', 'Slot', 'Schedule'], []), 'Appointment/$hold', hold))[0]).toBe(403)
    const book = parameters(
      reference('appointment-reference', 'Appointment/proposed.0900'),
      resourceIn('patient-resource', { resourceType: 'Patient', id: 'meera' }),
    )
    const all = ['Appointment', 'Slot', 'Schedule']
    expect((await ask(as(all, all), 'Appointment/$book', book))[0]).toBe(403)
    expect((await ask(as([...all, 'Patient'], ['Appointment']), 'Appointment/$book', book))[0]).toBe(200)
  })

  // Each of these once took half a minute, all memory, or both: the days of millennia were gone through one by one.
  it('judge times of millennia at once', { timeout: 5000 }, async () => {
    const ctx = await morning()
    const [never, ever] = ['0001-01-01T00:00:00Z', '9999-12-31T00:00:00Z']
    const series = (more: object) =>
      ask(
        ctx,
        'Appointment/$book-series',
        parameters(
          resourceIn('appointment', appointmentFor('meera', more)),
          { name: 'frequency', valueCode: 'daily' },
          { name: 'count', valuePositiveInt: 2 },
        ),
      )
    expect((await series({ start: never, end: ever }))[0]).toBe(422)
    const slot = {
      resourceType: 'Slot',
      id: 'ever',
      schedule: { reference: 'Schedule/anjali' },
      status: 'free',
    }
    await update(ctx, 'Slot', 'ever', tree({ ...slot, start: never, end: ever }))
    const booked = (more: object) =>
      ask(
        ctx,
        'Appointment/$book',
        parameters(resourceIn('appointment-resource', appointmentFor('meera', more))),
      )
    expect((await booked({ start: never, end: '0001-01-01T00:20:00Z' }))[0]).toBe(409)
    expect((await booked({ start: never, end: ever }))[0]).toBe(422)
    expect((await booked({}))[0]).toBe(200)
    const past = { name: 'start', valueInstant: ever }
    const { id } = (await booked({ slot: undefined, start: at('11:00'), end: at('11:10') }))[1].entry[0]
      .resource
    const long = parameters(past, { name: 'end', valueInstant: '9999-12-31T00:10:00Z' })
    expect((await ask(ctx, `Appointment/${id}/$reschedule`, long))[0]).toBe(200)
  })
})
