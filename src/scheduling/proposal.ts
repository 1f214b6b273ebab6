/**
 * Appointments that could be: what `$find` answers with and `$hold` and `$book` refer to. They are not stored; the id says which slot.
 * https://profiles.ihe.net/ITI/Scheduling/ITI-115.html
 */
import type { Json, JsonObject, Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'

const PREFIX = 'proposed.'
/** https://hl7.org/fhir/R4/datatypes.html#id */
const LONGEST_ID = 64

/** Returns the id of the appointment that could be in a slot; undefined where the slot's own leaves no room. */
export const proposalId = (slotId: string): string | undefined =>
  PREFIX.length + slotId.length > LONGEST_ID ? undefined : PREFIX + slotId

/** Returns the id of the slot that the id of a proposal names; undefined for any other id. */
export const slotOfProposal = (id: string): string | undefined =>
  id.startsWith(PREFIX) && id.length > PREFIX.length ? id.slice(PREFIX.length) : undefined

/** Returns the appointment that could be in a slot of the schedule, with those who belong to the schedule, and nobody else. */
export function proposalOf(slot: Resource, schedule: Resource): Resource {
  const id = proposalId(String(slot.id))
  const period: JsonObject = { start: slot.start ?? null, end: slot.end ?? null }
  const said = (name: string): Json | undefined => slot[name] ?? schedule[name]
  const appointment: Resource = {
    resourceType: 'Appointment',
    ...(id !== undefined && { id }),
    status: 'proposed',
  }
  for (const name of ['serviceCategory', 'serviceType', 'specialty']) {
    const value = said(name)
    if (value !== undefined) appointment[name] = value
  }
  if (slot.appointmentType !== undefined) appointment.appointmentType = slot.appointmentType
  return {
    ...appointment,
    start: slot.start ?? null,
    end: slot.end ?? null,
    slot: [{ reference: `Slot/${String(slot.id)}` }],
    participant: participantsOf(schedule),
    requestedPeriod: [period],
  }
}

/** Returns who takes part in what is booked in a schedule: its practitioners, places and departments. */
export const participantsOf = (schedule: Resource): JsonObject[] =>
  objects(schedule.actor).map(actor => ({ actor, status: 'accepted' }))
