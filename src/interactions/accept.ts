/**
 * Whether a body may be stored: the one place where writes are validated.
 * https://hl7.org/fhir/R4/validation.html
 */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { isObject, type Json, type Resource } from '../fhir/json.ts'
import { validateStructure } from '../fhir/validate/structure.ts'
import { validate } from '../validation/validate.ts'

/**
 * Returns the body as a resource of the type. `links` is said in a transaction: while they are `open`, references may be searches and fullUrls,
 * and only the structure is checked; it is accepted once more when they are `resolved`.
 *
 * Throws one FhirError (400) with every fault found.
 */
export async function accept(
  ctx: Context,
  body: Json,
  type: string,
  { links }: { links?: 'open' | 'resolved' } = {},
): Promise<Resource> {
  if (!isObject(body)) throw fhirError('structure', 'A resource is a JSON object.')
  const stated = body.resourceType
  if (typeof stated !== 'string')
    throw fhirError('structure', 'The body has no resourceType.', { expression: 'resourceType' })
  if (stated !== type)
    throw fhirError('invalid', `The body is a ${stated.slice(0, 64)} and was sent as a ${type}.`, {
      expression: `${type}.resourceType`,
    })
  const resource = body as Resource
  if (resource.meta !== undefined && !isObject(resource.meta))
    throw fhirError('structure', 'meta must be an object.', { expression: `${type}.meta` })
  if (ctx.settings.validate === 'off') return resource
  const issues =
    ctx.settings.validate === 'profile' && links !== 'open'
      ? await validate(ctx, resource, { type, linked: links === 'resolved' })
      : validateStructure(resource, type, {
          conditionalReferences: links === 'open',
          linked: links === 'resolved',
        })
  const worst = issues.find(issue => issue.severity === 'error' || issue.severity === 'fatal')
  if (worst !== undefined) throw new FhirError(worst.code, issues, { status: 400 })
  return resource
}
