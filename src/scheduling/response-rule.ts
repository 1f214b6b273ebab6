/**
 * What a reply does to its appointment: the rule for AppointmentResponses.
 * https://hl7.org/fhir/R4/appointmentresponse.html
 */
import type { Context, Pending, Put, Ruling, WriteRule } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Json, JsonObject, Resource } from '../fhir/json.ts'
import { codings, objects } from '../fhir/tree.ts'
import { keysOf } from '../search/busy.ts'
import { type Key, type Live, type Stored, typeOf } from '../storage/port.ts'
import { resourceOf } from './calendar.ts'
import { isLive } from './hold.ts'
import { declined, isOffer, wasOffered } from './offer.ts'

/**
 * The status of a reply becomes that of the participant in the same commit. A time that was offered from the waitlist is booked by the
 * patient who accepts it, and free again when the patient declines.
 */
export const responseRule: WriteRule = { types: new Set(['AppointmentResponse']), judge }

async function judge(ctx: Context, pending: readonly Pending[]): Promise<Ruling> {
  const puts = new Map<Key, Put>()
  for (const { key, after } of pending) {
    if (typeOf(key) !== 'AppointmentResponse' || after === undefined) continue
    const [to] = keysOf(after.appointment, ctx.settings.baseUrl) as Key[]
    if (to === undefined || typeOf(to) !== 'Appointment') continue
    const found = puts.get(to) ?? (await standing(ctx, pending, to))
    if (found?.resource === undefined) continue
    const resource = answered(ctx, found.resource, after)
    if (resource !== found.resource) puts.set(to, { ...found, resource })
  }
  return { puts: [...puts.values()] }
}

/** Returns the appointment as the commit has it, otherwise as it is stored. */
async function standing(ctx: Context, pending: readonly Pending[], key: Key): Promise<Put | undefined> {
  const own = pending.find(one => one.key === key)
  if (own !== undefined) return { key, current: undefined, resource: own.after }
  const current: Stored | undefined = await ctx.storage.read(key)
  return current?.text === undefined ? undefined : { key, current, resource: resourceOf(current as Live) }
}

/** Returns the appointment after a reply; itself where the reply says nothing new. Throws `business-rule` where a stranger replies. */
function answered(ctx: Context, appointment: Resource, response: Resource): Resource {
  const status = response.participantStatus
  const participants = objects(appointment.participant)
  const replying = repliersIn(ctx, response, participants)
  if (replying.length === 0)
    throw fhirError('business-rule', 'The reply is from nobody who takes part in the appointment.', {
      expression:
        response.actor === undefined ? 'AppointmentResponse.participantType' : 'AppointmentResponse.actor',
    })
  const fresh = replying.filter(one => one.status !== status)
  const participant = participants.map(one =>
    fresh.includes(one) ? { ...one, ...named(response, one), status: status as Json } : one,
  )
  const changed = fresh.length === 0 ? appointment : { ...appointment, participant }
  const patient = replying.some(one => keysOf(one.actor, ctx.settings.baseUrl)[0]?.startsWith('Patient/'))
  if (!patient || !wasOffered(appointment)) return changed
  if (status === 'accepted' && !isLive(appointment, ctx.clock()))
    throw fhirError('conflict', 'The time in which the offer could be accepted is over.', {
      expression: 'AppointmentResponse.participantStatus',
    })
  if (!isOffer(appointment)) return changed
  if (status === 'declined') return declined(changed)
  return status === 'accepted' ? { ...changed, status: 'booked' } : changed
}

/** Who accepts a part that nobody had is the one who takes it. */
const named = ({ actor, participantStatus }: Resource, participant: JsonObject): JsonObject =>
  participant.actor === undefined && actor !== undefined && participantStatus === 'accepted' ? { actor } : {}

/**
 * Returns those whom a reply speaks for: the participants who are its actor; where there is none, those of its role whom the appointment
 * does not name, or any of its role where the reply names nobody.
 */
function repliersIn(ctx: Context, response: Resource, participants: readonly JsonObject[]): JsonObject[] {
  const { baseUrl } = ctx.settings
  const [actor] = keysOf(response.actor, baseUrl)
  const same = participants.filter(one => actor !== undefined && keysOf(one.actor, baseUrl)[0] === actor)
  if (same.length > 0) return same
  const asked = codings(response.participantType)
  return participants.filter(
    one =>
      (one.actor === undefined || response.actor === undefined) &&
      codings(one.type).some(type =>
        asked.some(other => other.system === type.system && other.code === type.code),
      ),
  )
}
