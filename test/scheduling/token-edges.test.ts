/** Tokens, the waitlist and series where clients send what is odd, or two things at once. */
import { beforeEach, expect, it } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { remove } from '../../src/interactions/delete.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import { releaseExpired } from '../../src/scheduling/expire.ts'
import { tokenTask } from '../../src/scheduling/token.ts'
import type { TestContext } from '../interactions/context.ts'
import {
  type Any,
  appointmentFor,
  ask,
  DAY,
  morning,
  parameters,
  put,
  reference,
  statusOf,
  stored,
} from '../operations/appointments.ts'
import { tree } from '../operations/context.ts'

let ctx: TestContext

const code = (name: string, valueCode: string) => ({ name, valueCode })
const posted = (resource: object) => ({ resource: tree(resource), request: { method: 'POST', url: 'Task' } })
const task = () =>
  tokenTask({
    appointment: 'Appointment/v',
    patient: 'Patient/meera',
    owner: 'Practitioner/anjali',
    day: DAY,
  })

async function rulesOf(entry: Any[]): Promise<unknown> {
  try {
    await transaction(ctx, { resourceType: 'Bundle', type: 'transaction', entry })
    return 'stored'
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    return [error.status, error.issues.map(one => one.rule)]
  }
}

beforeEach(async () => {
  ctx = await morning()
  await put(ctx, { ...appointmentFor('meera', { status: 'booked' }), id: 'v' })
})

it('an appointment gets no two tokens of a queue, in one commit or beside its own next version', async () => {
  expect(await rulesOf([posted(task()), posted(task())])).toEqual([409, ['token-exists']])
  const visit = async () => ({
    resource: tree(await stored(ctx, 'Appointment/v')),
    request: { method: 'PUT', url: 'Appointment/v' },
  })
  expect(await rulesOf([await visit(), posted(task())])).toBe('stored')
  expect(await rulesOf([await visit(), posted(task())])).toEqual([409, ['token-exists']])
})

it('a token whose end is taken back while its appointment is being cancelled does not stay in the queue', async () => {
  const [, token] = await ask(ctx, 'Appointment/v/$token')
  await ask(ctx, `Task/${token.id}/$queue-step`, parameters(code('step', 'complete')))
  let first = true
  const commit: TestContext['storage']['commit'] = async intent => {
    if (first) {
      first = false
      await ask(ctx, `Task/${token.id}/$queue-step`, parameters(code('step', 'undo')))
      expect(await statusOf(ctx, `Task/${token.id}`)).toBe('requested')
    }
    return ctx.storage.commit(intent)
  }
  const slow = { ...ctx, storage: { ...ctx.storage, commit } }
  const visit = await stored(ctx, 'Appointment/v')
  await update(slow, 'Appointment', 'v', tree({ ...visit, status: 'cancelled' }))
  expect(await statusOf(ctx, `Task/${token.id}`)).toBe('cancelled')
})

it('who is booked at an offered time waits no longer, whatever the client has left out of it', async () => {
  for (const status of ['booked', 'arrived']) {
    const day = [
      { name: 'start', valueDateTime: DAY },
      { name: 'end', valueDateTime: DAY },
    ]
    const wish = parameters(
      reference('patient', 'Patient/abdul'),
      reference('actor', 'Practitioner/thomas'),
      ...day,
    )
    const [, entry] = await ask(ctx, 'Appointment/$waitlist', wish)
    const { offered } = await releaseExpired(ctx, ctx.clock())
    const { identifier: _, supportingInformation: __, ...offer } = await stored(ctx, offered[0]!)
    await update(ctx, 'Appointment', offer.id, tree({ ...offer, status }))
    expect([status, await statusOf(ctx, `Appointment/${entry.id}`)]).toEqual([status, 'cancelled'])
    await remove(ctx, 'Appointment', offer.id)
  }
})

it('a token of an appointment at the ends of the calendar has the nearest day', async () => {
  await ask(ctx, 'Appointment/v/$token')
  const moved = async (start: string, end: string) => {
    await put(ctx, { ...appointmentFor('meera', { status: 'booked', start, end }), slot: undefined, id: 'v' })
    const [, found] = await ask(ctx, 'Appointment/v/$token')
    return found.groupIdentifier.value
  }
  expect(await moved('9999-12-31T23:00:00Z', '9999-12-31T23:20:00Z')).toBe(
    'Practitioner/anjali|General|9999-12-31',
  )
  expect(await moved('0001-01-01T00:00:00+14:00', '0001-01-01T00:20:00+14:00')).toBe(
    'Practitioner/anjali|General|0001-01-02',
  )
})

it('a series begins within the calendar of its zone', async () => {
  const appointment = appointmentFor('abdul', {
    start: '9999-12-31T23:00:00Z',
    end: '9999-12-31T23:20:00Z',
    slot: undefined,
  })
  const rule = [code('frequency', 'daily'), { name: 'count', valuePositiveInt: 2 }]
  const [status] = await ask(
    ctx,
    'Appointment/$book-series',
    parameters({ name: 'appointment', resource: appointment }, ...rule),
  )
  expect(status).toBe(400)
})

it('slots are made of a planning horizon that never ends', async () => {
  await put(ctx, {
    resourceType: 'PractitionerRole',
    id: 'r',
    practitioner: { reference: 'Practitioner/anjali' },
    availableTime: [{ daysOfWeek: ['sun'], availableStartTime: '09:00:00', availableEndTime: '10:00:00' }],
  })
  await put(ctx, {
    resourceType: 'Schedule',
    id: 'h',
    actor: [{ reference: 'PractitionerRole/r' }],
    planningHorizon: { start: '2026-12-01', end: '9999-12-31T23:59:59Z' },
  })
  const minutes = { name: 'slotMinutes', valuePositiveInt: 60 }
  const [, made] = await ask(ctx, 'Schedule/h/$generate-slots', parameters(minutes))
  // 400 days from 1 December 2026, a Tuesday, have 57 Sundays.
  expect(made.parameter[0].part.find((one: Any) => one.name === 'created').valueInteger).toBe(57)
})
