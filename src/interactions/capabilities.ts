/**
 * The capabilities interaction: a CapabilityStatement built from what the code registers and the backend can do.
 * https://hl7.org/fhir/R4/http.html#capabilities
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'

/** What only the HTTP layer knows. */
export interface HttpFacts {
  /** MIME types, such as `application/fhir+json`. */
  formats: readonly string[]
  patchFormats: readonly string[]
}

/** Returns the CapabilityStatement. It is the same for the life of the process and one index epoch, so the caller may keep its text. */
export function capabilities(_ctx: Context, _facts: HttpFacts): Resource {
  throw fhirError('not-supported', 'Not yet.')
}
