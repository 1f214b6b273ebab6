/** What a request of the contract is refused with: a status and a text, which its generation puts into its own shape. */
import { FhirError } from '../../fhir/error.ts'

export class Refusal extends Error {
  readonly status: number
  /** Of a first-generation result: 50000 unless it is one of the named ones. */
  readonly code: string

  constructor(status: number, text: string, code = '50000') {
    super(text)
    this.name = 'Refusal'
    this.status = status
    this.code = code
  }
}

/** The body is not what the contract asks for. */
export const malformed = (text: string): Refusal => new Refusal(400, text)

/** The body is well, but what it wants cannot be. */
export const impossible = (text: string, code?: string): Refusal => new Refusal(422, text, code)

/** The contract's words for what the rules of writes refuse. */
const RULES: Readonly<Record<string, string>> = {
  'emergency-active': 'An active emergency request already exists for this patient',
  'patient-overlap': 'Patient already has a booking for this slot',
  'slot-full': 'Slot is already full',
  'slot-unavailable': 'Slot is already full',
  'slot-mismatch': 'Slot is already full',
  'practitioner-overlap': 'Slot is already full',
  'location-overlap': 'Slot is already full',
}

/** Returns the rule of writes that an error names, undefined where it names none. */
export const ruleOf = (error: unknown): string | undefined =>
  error instanceof FhirError ? error.issues.find(({ rule }) => rule !== undefined)?.rule : undefined

/** Returns the contract's refusal for an error of the interactions; another error as it is. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof FhirError)) return error
  const rules = error.issues.flatMap(({ rule }) => (rule === undefined ? [] : [rule]))
  // A full slot is full for everybody, whoever asks.
  const told = rules.includes('slot-full') ? 'slot-full' : rules.find(rule => rule in RULES)
  if (told !== undefined) return impossible(RULES[told]!)
  return error.status >= 500 && error.status !== 503 ? error : new Refusal(error.status, error.message)
}
