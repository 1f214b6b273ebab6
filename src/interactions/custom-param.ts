/** What must hold of a SearchParameter before it is stored. https://hl7.org/fhir/R4/searchparameter.html */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { claimsOf, readSearchParameter } from '../search/custom-params.ts'

/** More are no parameters of one server any more, but an attack on its memory. */
export const MOST_PARAMS = 500

/**
 * Returns the names that an active SearchParameter owns, so that no two define one code on one type.
 *
 * Throws `business-rule` (422) with every reason for which it cannot be indexed.
 */
export function paramClaims({ live }: Context, resource: Resource): string[] {
  const read = readSearchParameter(resource)
  if ('refusals' in read) {
    const issues = read.refusals.map(({ why, expression }) => ({
      severity: 'error' as const,
      code: 'business-rule' as const,
      diagnostics: why,
      expression,
    }))
    throw new FhirError('business-rule', issues)
  }
  if (read.definition === undefined) return []
  if (live !== undefined && live.count() >= MOST_PARAMS)
    throw fhirError('business-rule', `This server indexes ${MOST_PARAMS} custom search parameters at most.`)
  return claimsOf(read.definition)
}
