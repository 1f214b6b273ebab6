/** Words of OpenCare and what they are in FHIR: identifier systems, states of appointments, kinds of providers. */
import type { Resource } from '../../fhir/json.ts'

/** What has integer ids, in the words of the API. */
export type Kind = 'appointment' | 'patient' | 'provider' | 'facility'

export const KINDS: readonly Kind[] = ['appointment', 'patient', 'provider', 'facility']

export const TYPE_OF: Readonly<Record<Kind, string>> = {
  appointment: 'Appointment',
  patient: 'Patient',
  provider: 'Practitioner',
  facility: 'Location',
}

/** Returns the system of the identifiers that hold the integer ids. */
export const systemOf = (kind: Kind): string => `urn:nadi:opencare:${kind}`

export type State = 'scheduled' | 'completed' | 'cancelled' | 'no_show'

/** https://hl7.org/fhir/R4/valueset-appointmentstatus.html; what the API writes stands first. Other states are no appointments yet, or never were. */
export const STATUSES: Readonly<Record<State, readonly string[]>> = {
  scheduled: ['booked', 'arrived', 'checked-in'],
  completed: ['fulfilled'],
  cancelled: ['cancelled'],
  no_show: ['noshow'],
}

export const STATES = Object.keys(STATUSES) as State[]

/** Every state that the API shows. */
export const SHOWN: readonly string[] = STATES.flatMap(state => STATUSES[state])

/** Returns the state in the words of the API; undefined for one that it does not show. */
export const stateOf = (appointment: Resource): State | undefined =>
  STATES.find(state => STATUSES[state].includes(String(appointment.status)))

/** PractitionerRole.code of those who may be booked: `system|code`. */
export const USER_TYPES: Readonly<Record<string, string>> = {
  'urn:nadi:opencare:user-type|doctor': 'doctor',
  'urn:nadi:opencare:user-type|nurse': 'nurse',
  'urn:nadi:opencare:user-type|midwife': 'midwife',
  'urn:nadi:opencare:user-type|community_worker': 'community_worker',
  'http://terminology.hl7.org/CodeSystem/practitioner-role|doctor': 'doctor',
  'http://terminology.hl7.org/CodeSystem/practitioner-role|nurse': 'nurse',
  'http://snomed.info/sct|158965000': 'doctor',
  'http://snomed.info/sct|309343006': 'doctor',
  'http://snomed.info/sct|106292003': 'nurse',
  'http://snomed.info/sct|224535009': 'nurse',
  'http://snomed.info/sct|309453006': 'midwife',
  'http://snomed.info/sct|159141008': 'midwife',
}
