/**
 * The batch interaction: every entry on its own.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'

/** Prefer: return, as the HTTP header has it. */
export type Return = 'minimal' | 'representation' | 'OperationOutcome'

export interface BundleOptions {
  return?: Return
  lenient?: boolean
}

/**
 * Returns the entries of the response, in the order of the request. A failed entry has its status and outcome; the rest go on.
 *
 * Throws `too-costly` for more entries than the limit, `structure` for a Bundle that is none.
 */
export async function batch(
  _ctx: Context,
  _bundle: Resource,
  _options: BundleOptions = {},
): Promise<BundleEntry[]> {
  throw fhirError('not-supported', 'Not yet.')
}
