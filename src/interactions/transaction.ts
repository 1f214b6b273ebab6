/**
 * The transaction interaction: all entries in one commit, or none.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import type { BundleOptions } from './batch.ts'

/**
 * Returns the entries of the response, in the order of the request, after all is stored. `bundle` is changed: links are rewritten in it.
 *
 * Throws what the first failing entry throws, its expression begun with `Bundle.entry[i]`; nothing is stored then.
 */
export async function transaction(
  _ctx: Context,
  _bundle: Resource,
  _options: BundleOptions = {},
): Promise<BundleEntry[]> {
  throw fhirError('not-supported', 'Not yet.')
}
