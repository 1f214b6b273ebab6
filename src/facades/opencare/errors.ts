/** Refusals in the shapes that OpenCare's clients read. */
import { FhirError, type Issue } from '../../fhir/error.ts'

/** Texts by the field that they are about; `non_field_errors` for the whole. */
export type Faults = Record<string, string[]>

/** An answer that is no success. */
export class Refusal extends Error {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(String(body.message ?? body.error))
    this.name = 'Refusal'
    this.status = status
    this.body = body
  }
}

/** Returns the refusal of a request that is not valid: the fields stand under `errors`, and once more at the top level. */
export const invalid = (faults: Faults): Refusal =>
  new Refusal(400, { ...faults, code: 'invalid', message: 'Request validation failed.', errors: faults })

/** Returns the refusal of an action. */
export const notPossible = (error: string): Refusal => new Refusal(400, { error })

const coded = (status: number, code: string, message: string): Refusal =>
  new Refusal(status, { code, message })

export const notFound = (): Refusal => coded(404, 'error', 'The requested resource could not be found.')

export const notSignedIn = (): Refusal =>
  coded(401, 'not_authenticated', 'Authentication credentials were not provided.')

export const notAllowed = (): Refusal =>
  coded(403, 'permission_denied', 'You do not have permission to perform this action.')

export const noSuchMethod = (method: string): Refusal =>
  coded(405, 'method_not_allowed', `Method "${method}" not allowed.`)

export const notJson = (why: string): Refusal => coded(400, 'parse_error', why)

export const unknownMedia = (type: string): Refusal =>
  coded(415, 'unsupported_media_type', `Unsupported media type "${type}" in request.`)

const serverError = (status: number): Refusal =>
  coded(status, 'server_error', 'An unexpected error occurred. Please try again later.')

/** The texts of times that are taken, and of transitions that are none: rules of bookings by their name, and the fields that they are about. */
export const TAKEN: Readonly<Record<string, string>> = {
  provider: 'Provider already has an appointment in this window.',
  patient: 'Patient already has an appointment in this window.',
  facility: 'Facility already has an appointment in this window.',
}

const FIELD_OF_RULE: Readonly<Record<string, string>> = {
  'patient-overlap': 'patient',
  'practitioner-overlap': 'provider',
  'slot-full': 'provider',
  'slot-unavailable': 'provider',
  'location-overlap': 'facility',
  'facility-overlap': 'facility',
}

/** The rule of the state table that all doors share. */
const TRANSITION = 'status-transition'

/** Elements of the Appointment by the fields that they are made of. */
const FIELD_OF_ELEMENT: readonly (readonly [RegExp, string])[] = [
  [/^Appointment\.start/, 'start_time'],
  [/^Appointment\.end/, 'end_time'],
  [/^Appointment\.appointmentType/, 'appointment_type'],
  [/^Appointment\.reasonCode/, 'reason'],
]

/** Returns what an error of the interactions is to a client of this API; anything else is a fault of ours (500). */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (!(error instanceof FhirError)) return serverError(500)
  const { status, issues } = error
  if (status >= 500) return serverError(status)
  if (status === 401) return notSignedIn()
  if (status === 403) return notAllowed()
  if (status === 404 || status === 410) return notFound()
  if (issues.some(issue => issue.rule === TRANSITION)) return notPossible(error.message)
  if (status === 413 || status === 414 || status === 429) return coded(status, 'error', error.message)
  return invalid(faultsOf(issues))
}

function faultsOf(issues: readonly Issue[]): Faults {
  const faults: Faults = {}
  for (const { rule, diagnostics, expression = '' } of issues) {
    const taken = FIELD_OF_RULE[rule ?? '']
    const field = taken ?? FIELD_OF_ELEMENT.find(([element]) => element.test(expression))?.[1]
    const name = field ?? 'non_field_errors'
    const text = taken === undefined ? diagnostics : TAKEN[taken]!
    const texts = Object.hasOwn(faults, name) ? faults[name]! : []
    if (!texts.includes(text)) faults[name] = [...texts, text]
  }
  return faults
}
