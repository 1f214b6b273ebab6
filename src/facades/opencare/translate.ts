/**
 * Appointments, people and places in the shapes of OpenCare, and back: pure functions.
 * https://hl7.org/fhir/R4/appointment.html
 */
import { isObject, type Json, type JsonObject, type Resource } from '../../fhir/json.ts'
import { numberIn } from '../../interactions/numbering.ts'
import { instantOf, keysOf } from '../../search/busy.ts'
import { type Kind, STATUSES, type State, stateOf, systemOf } from './codes.ts'

/** Who and what takes part, as keys: `Patient/1`. */
export interface Actors {
  patient: string | undefined
  /** A Practitioner, or a PractitionerRole. */
  provider: string | undefined
  facility: string | undefined
}

/** An appointment with the resources that its shape is made of. */
export interface Seen {
  appointment: Resource
  patient: Resource | undefined
  /** The Practitioner, also where a PractitionerRole takes part. */
  provider: Resource | undefined
  facility: Resource | undefined
  /** ms since 1970. */
  updated: number
}

/** What a client writes; `undefined` leaves as it is. Times are ms since 1970. */
export interface Fields {
  /** Keys, of a Practitioner and a Location. */
  patient?: string | undefined
  provider?: string | undefined
  facility?: string | undefined
  appointment_type?: string | undefined
  reason?: string | undefined
  status?: State | undefined
  start_time?: number | undefined
  end_time?: number | undefined
}

const PROVIDER = /^(Practitioner|PractitionerRole)\//

/** Returns who takes part: the first of each kind. */
export function actorsIn(appointment: Resource, baseUrl: string): Actors {
  const keys = participants(appointment).flatMap(one => keysOf(one.actor, baseUrl))
  return {
    patient: keys.find(key => key.startsWith('Patient/')),
    provider: keys.find(key => PROVIDER.test(key)),
    facility: keys.find(key => key.startsWith('Location/')),
  }
}

const participants = (appointment: Resource): JsonObject[] =>
  Array.isArray(appointment.participant) ? appointment.participant.filter(isObject) : []

/** Returns the integer id that a resource has, undefined where it has none yet. */
export const numberOf = (kind: Kind, resource: Resource | undefined): number | undefined =>
  numberIn(resource, systemOf(kind))

/** Returns the appointment as lists and actions show it. */
export function rowOf({ appointment, patient, provider, facility, updated }: Seen): Record<string, unknown> {
  return {
    id: numberOf('appointment', appointment) ?? null,
    patient: numberOf('patient', patient) ?? null,
    patient_name: fullName(patient),
    provider: numberOf('provider', provider) ?? null,
    provider_name: fullName(provider),
    facility: numberOf('facility', facility) ?? null,
    facility_name: textOf(facility?.name),
    appointment_type: typeOf(appointment),
    reason: reasonOf(appointment),
    status: stateOf(appointment) ?? null,
    start_time: timeText(instantOf(appointment.start)),
    end_time: timeText(instantOf(appointment.end)),
    created_at: timeText(instantOf(appointment.created) ?? updated),
    updated_at: timeText(updated),
  }
}

/** Returns the row that tells of a conflict: names of those who are not in question themselves. */
export function conflictRow(of: 'provider' | 'patient' | 'facility', seen: Seen): Record<string, unknown> {
  const { appointment } = seen
  const patient = namesOf(seen.patient)
  const provider = namesOf(seen.provider)
  return {
    id: numberOf('appointment', appointment) ?? null,
    start_time: timeText(instantOf(appointment.start)),
    end_time: timeText(instantOf(appointment.end)),
    ...(of !== 'patient' && { patient__first_name: patient.first }),
    ...(of === 'provider' && { patient__last_name: patient.last }),
    ...(of !== 'provider' && { provider__first_name: provider.first }),
    ...(of === 'patient' && { provider__last_name: provider.last }),
  }
}

/** Returns ISO 8601 in UTC with Z, to the second, or to the microsecond where that says more; null for no time. */
export function timeText(at: number | undefined): string | null {
  if (at === undefined) return null
  const text = new Date(at).toISOString()
  return at % 1000 === 0 ? text.replace('.000Z', 'Z') : text.replace('Z', '000Z')
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** Returns what a CodeableConcept, or the first of several, says in words. */
function wordsOf(value: Json | undefined): string {
  const concept = Array.isArray(value) ? value[0] : value
  if (!isObject(concept)) return ''
  if (typeof concept.text === 'string') return concept.text
  const codings = Array.isArray(concept.coding) ? concept.coding : []
  for (const one of codings) if (isObject(one) && typeof one.display === 'string') return one.display
  return ''
}

const typeOf = (appointment: Resource): string =>
  wordsOf(appointment.appointmentType) || wordsOf(appointment.serviceType)

const reasonOf = (appointment: Resource): string =>
  wordsOf(appointment.reasonCode) || textOf(appointment.description)

/** Returns first and last name: of the official or usual name, else of the first. */
export function namesOf(person: Resource | undefined): { first: string; last: string } {
  const names = Array.isArray(person?.name) ? person.name.filter(isObject) : []
  const name = names.find(one => one.use === 'official') ?? names.find(one => one.use === 'usual') ?? names[0]
  if (name === undefined) return { first: '', last: '' }
  const first = Array.isArray(name.given) ? textOf(name.given[0]) : ''
  const last = textOf(name.family)
  if (first !== '' || last !== '') return { first, last }
  const words = textOf(name.text).trim().split(/\s+/)
  return words.length < 2
    ? { first: words[0] ?? '', last: '' }
    : { first: words.slice(0, -1).join(' '), last: words.at(-1)! }
}

const fullName = (person: Resource | undefined): string => {
  const { first, last } = namesOf(person)
  return `${first} ${last}`.trim()
}

/** Returns a new appointment, with a promise of an integer id. What is missing is the caller's to check. `now` is ms since 1970. */
export function newAppointment(fields: Fields, now: number): Resource {
  const bare: Resource = {
    resourceType: 'Appointment',
    identifier: [{ system: systemOf('appointment') }],
    status: 'booked',
    created: new Date(now).toISOString(),
  }
  return changed(bare, fields, { patient: undefined, provider: undefined, facility: undefined })
}

/**
 * Returns the appointment with what the fields say. Who takes part beside patient, provider and facility stays; a slot that is no longer the
 * appointment's is let go. `actors` are those of the appointment, with the Practitioner in the place of a role of theirs.
 */
export function changed(appointment: Resource, fields: Fields, actors: Actors): Resource {
  const made: Resource = { ...appointment }
  if (fields.status !== undefined && fields.status !== stateOf(appointment))
    made.status = STATUSES[fields.status][0]!
  set(made, 'appointmentType', fields.appointment_type, typeOf(appointment), text => ({ text }))
  set(made, 'reasonCode', fields.reason, reasonOf(appointment), text => [{ text }])
  if (fields.reason !== undefined && fields.reason !== reasonOf(appointment)) delete made.description
  const moved =
    changesTime(made, 'start', fields.start_time) ||
    changesTime(made, 'end', fields.end_time) ||
    (fields.provider !== undefined && fields.provider !== actors.provider)
  if (changesTime(made, 'start', fields.start_time)) made.start = instantText(fields.start_time!)
  if (changesTime(made, 'end', fields.end_time)) made.end = instantText(fields.end_time!)
  if (moved) {
    delete made.slot
    delete made.minutesDuration
  }
  made.participant = seats(appointment, fields, actors)
  return made
}

const instantText = (at: number): string => new Date(at).toISOString()

const changesTime = (appointment: Resource, name: 'start' | 'end', at: number | undefined): boolean =>
  at !== undefined && instantOf(appointment[name]) !== at

function set(
  made: Resource,
  element: string,
  value: string | undefined,
  before: string,
  write: (text: string) => Json,
): void {
  if (value === undefined || value === before) return
  if (value === '') delete made[element]
  else made[element] = write(value)
}

function seats(appointment: Resource, fields: Fields, actors: Actors): Json[] {
  const made: Json[] = [...participants(appointment)]
  const seat = (of: keyof Actors, is: RegExp): void => {
    const key = fields[of]
    if (key === undefined || key === actors[of]) return
    const at = made.findIndex(one => isObject(one) && is.test(keyIn(one)))
    const participant = { actor: { reference: key }, required: 'required', status: 'accepted' }
    if (at === -1) made.push(participant)
    else made[at] = participant
  }
  seat('patient', /^Patient\/|\/Patient\//)
  seat('provider', /(^|\/)Practitioner(Role)?\//)
  seat('facility', /(^|\/)Location\//)
  return made
}

const keyIn = (participant: JsonObject): string =>
  isObject(participant.actor) ? textOf(participant.actor.reference) : ''
