/**
 * `$book`: an appointment that could be, or is held, is booked; one that is booked is changed or cancelled.
 * https://profiles.ihe.net/ITI/Scheduling/ITI-117.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { isObject, type JsonObject, type Resource } from '../fhir/json.ts'
import { checkType } from '../interactions/identity.ts'
import { instantOf } from '../search/busy.ts'
import { type Key, keyOf, type Live } from '../storage/port.ts'
import {
  appointmentOf,
  COMMENT,
  commented,
  commitAll,
  overtaken,
  postEntry,
  putEntry,
  settled,
} from './appointment-change.ts'
import {
  asNew,
  completed,
  type Named,
  named,
  namedKey,
  patientsIn,
  REFERENCE,
  REFERENCE_PARAMETER,
  unheld,
  withPatients,
} from './appointment-named.ts'
import { callingOff } from './appointment-visit.ts'
import { bookingAnswer, orRefused } from './booking-answer.ts'
import { type BookingPatients, bookingPatients } from './booking-patients.ts'
import { type Call, type Operation, resourceOf } from './operation.ts'

const RESOURCE = 'appointment-resource'

export const book: Operation = {
  name: 'book',
  definition: 'https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-book',
  types: ['Appointment'],
  levels: ['type'],
  affectsState: true,
  parameters: [
    REFERENCE_PARAMETER,
    { name: RESOURCE, type: 'Resource', min: 0, max: 1, resourceTypes: ['Appointment'] },
    { name: 'patient-resource', type: 'Resource', min: 0, max: '*', resourceTypes: ['Patient'] },
    COMMENT,
  ],
  run: (ctx, call) =>
    orRefused(ctx, async () => bookingAnswer(ctx, [await settled(() => attempt(ctx, call))])),
}

async function attempt(ctx: Context, call: Call): Promise<Live> {
  const key = namedKey(ctx, call)
  const sent = resourceOf(call, RESOURCE)
  if ((key === undefined) === (sent === undefined))
    throw fhirError('required', `$book needs ${REFERENCE} or ${RESOURCE}, and not both.`, {
      expression: `http.${REFERENCE}`,
    })
  if (key !== undefined) return bookNamed(ctx, call, await named(ctx, key), key)
  const stored = await storedOf(ctx, sent!)
  switch (sent!.status) {
    case 'pending': {
      if (stored === undefined) return bookNamed(ctx, call, { appointment: asNew(sent!), stored }, undefined)
      if (appointmentOf(stored).status === 'booked') return stored
      checkSeen(sent!, stored)
      return bookNamed(ctx, call, { appointment: sent!, stored }, stored.key)
    }
    case 'booked':
      return changed(ctx, call, sent!, existing(stored))
    case 'cancelled':
      return cancelled(ctx, call, sent!, existing(stored))
    default:
      throw fhirError(
        'invalid',
        `The status of ${RESOURCE} is pending to book a new appointment, booked to change one, cancelled to cancel one.`,
        { expression: 'Appointment.status' },
      )
  }
}

/** Returns what is stored under the id of an appointment that was sent. */
async function storedOf(ctx: Context, { id }: Resource): Promise<Live | undefined> {
  checkType(ctx, 'Appointment')
  if (typeof id !== 'string') return undefined
  const found = await ctx.storage.read(keyOf('Appointment', id))
  if (found?.text !== undefined) return found as Live
  // The id of what could be, or one that the client gave to what is new.
  return undefined
}

function existing(stored: Live | undefined): Live {
  if (stored !== undefined) return stored
  throw fhirError('not-found', `${RESOURCE} has the id of no Appointment that there is.`, {
    expression: 'Appointment.id',
  })
}

/** Throws `conflict` (409) where the appointment says which version it was made of, and that is not the current one. */
function checkSeen({ meta }: Resource, stored: Live): void {
  const seen = isObject(meta) ? meta.versionId : undefined
  if (seen !== undefined && seen !== String(stored.version)) throw overtaken(stored)
}

/** Books what could be, or is held; what is booked already stays as it is. */
async function bookNamed(
  ctx: Context,
  call: Call,
  { appointment, stored }: Named,
  key: Key | undefined,
): Promise<Live> {
  const patients = await bookingPatients(ctx, (call.trees.get('patient-resource') ?? []) as Resource[])
  const whole = whoseIs(ctx, appointment, patients)
  if (stored !== undefined && appointment.status === 'booked') return stored
  if (appointment.status === 'waitlist')
    throw fhirError('business-rule', `${String(key)} is on the waitlist, and has no time yet.`, {
      expression: 'Appointment.status',
    })
  checkTimed(whole)
  const next = { ...completed(ctx, unheld(commented(whole, call))), status: 'booked' }
  const own = stored === undefined ? postEntry(asNew(next)) : putEntry(next, stored)
  return (await commitAll(ctx, [own, ...patients.entries]))[0]!
}

/**
 * Returns the appointment with its patients.
 *
 * Throws `business-rule` (422) where it is for other patients than those who come, and where nobody comes.
 */
function whoseIs(ctx: Context, appointment: Resource, { references }: BookingPatients): Resource {
  const there = patientsIn(ctx, appointment)
  const refuse = (why: string) => fhirError('business-rule', why, { expression: 'Appointment.participant' })
  if (there.length === 0 && references.length === 0)
    throw refuse(
      'A booking has a patient: send patient-resource, or an Appointment whose participant is one.',
    )
  if (there.length > 0 && references.some(one => !there.includes(one)))
    throw refuse('The appointment is for another patient.')
  return withPatients(ctx, appointment, references)
}

/** Throws `required` (400) where an appointment has no time. https://hl7.org/fhir/R4/appointment.html#app-3 */
export function checkTimed({ start, end }: Resource): void {
  for (const [name, value] of Object.entries({ start, end }))
    if (instantOf(value) === undefined)
      throw fhirError('required', `A booking has a ${name}.`, { expression: `Appointment.${name}` })
}

/** Stores an appointment in the place of the one that is booked. */
async function changed(ctx: Context, call: Call, sent: Resource, stored: Live): Promise<Live> {
  checkSeen(sent, stored)
  const before = appointmentOf(stored)
  if (before.status !== 'booked')
    throw fhirError(
      'business-rule',
      `${stored.key} is ${String(before.status)}: it cannot be changed as one that is booked.`,
      {
        expression: 'Appointment.status',
      },
    )
  const patients = await bookingPatients(ctx, (call.trees.get('patient-resource') ?? []) as Resource[])
  const next = completed(ctx, unheld(commented(whoseIs(ctx, sent, patients), call)))
  return (await commitAll(ctx, [putEntry(next, stored), ...patients.entries]))[0]!
}

/** Cancels an appointment, with the reason that was sent; all else of it stays. */
async function cancelled(ctx: Context, call: Call, sent: Resource, stored: Live): Promise<Live> {
  const appointment = appointmentOf(stored)
  if (appointment.status === 'cancelled') return stored
  checkSeen(sent, stored)
  const reason: JsonObject =
    sent.cancelationReason === undefined ? {} : { cancelationReason: sent.cancelationReason }
  const next = { ...commented(appointment, call), ...reason, status: 'cancelled' }
  return (await commitAll(ctx, [putEntry(next, stored), ...(await callingOff(ctx, appointment))]))[0]!
}
