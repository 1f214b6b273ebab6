/** `$book-together`, an operation of this server: several appointments in one commit, as a guardian books for several patients. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { reachedOn } from '../scheduling/guardian.ts'
import { liveResources } from '../scheduling/live-resources.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { definitionOf } from './appointment-change.ts'
import { patientsIn } from './appointment-named.ts'
import { checkTimed } from './book.ts'
import { bookMany, MOST_TOGETHER, type Wanted } from './book-many.ts'
import { bookingAnswer, orRefused } from './booking-answer.ts'
import { type Operation, textOf } from './operation.ts'

export const bookTogether: Operation = {
  name: 'book-together',
  definition: definitionOf('book-together'),
  types: ['Appointment'],
  levels: ['type'],
  affectsState: true,
  parameters: [
    { name: 'appointment', type: 'Resource', min: 1, max: '*', resourceTypes: ['Appointment'] },
    { name: 'phone', type: 'string', min: 0, max: 1 },
  ],
  run: (ctx, call) =>
    orRefused(ctx, async () => {
      const sent = call.trees.get('appointment') as Resource[]
      if (sent.length > MOST_TOGETHER)
        throw fhirError('too-costly', `${MOST_TOGETHER} appointments at most are booked together.`, {
          status: 400,
        })
      const phone = textOf(call, 'phone')
      const wanted: Wanted[] = sent.map((appointment, index) => ({
        appointment,
        name: `Appointment ${index + 1}`,
      }))
      for (const { appointment } of wanted) {
        checkTimed(appointment)
        if (patientsIn(ctx, appointment).length === 0)
          throw fhirError('required', 'A booking has a patient.', { expression: 'Appointment.participant' })
      }
      const ready = phone === undefined ? wanted : await answeredFor(ctx, wanted, phone)
      const { stored } = await bookMany(ctx, ready)
      return bookingAnswer(ctx, stored)
    }),
}

/**
 * Returns the appointments with the persons who answer for their patients on the telephone.
 *
 * Throws `business-rule` (422) where a patient is not reached on it.
 */
async function answeredFor(ctx: Context, wanted: readonly Wanted[], phone: string): Promise<Wanted[]> {
  const keys = [...new Set(wanted.flatMap(({ appointment }) => patientsIn(ctx, appointment)))] as Key[]
  const patients = await liveResources(ctx, keys)
  const guardians = new Map<string, readonly Key[]>()
  for (const key of keys) {
    const patient = patients.get(key)
    const reached = patient === undefined ? undefined : await reachedOn(ctx, phone, key, patient)
    if (reached === undefined || (!reached.directly && reached.by.length === 0))
      throw fhirError(
        'business-rule',
        `${key} is not reached on this telephone, nor is a contact or related person.`,
        {
          expression: 'http.phone',
        },
      )
    guardians.set(key, reached.by)
  }
  return wanted.map(one => ({
    ...one,
    appointment: withGuardians(
      ctx,
      one.appointment,
      patientsIn(ctx, one.appointment).flatMap(key => guardians.get(key) ?? []),
    ),
  }))
}

function withGuardians(ctx: Context, appointment: Resource, guardians: readonly Key[]): Resource {
  const participants = objects(appointment.participant)
  const there = new Set(participants.flatMap(one => keysOf(one.actor, ctx.settings.baseUrl)))
  const more = guardians
    .filter(key => !there.has(key))
    .map(
      (reference): JsonObject => ({ actor: { reference }, required: 'information-only', status: 'accepted' }),
    )
  return { ...appointment, participant: [...participants, ...more] }
}
