/**
 * Resource types and logical ids as they come in URLs and bodies.
 * https://hl7.org/fhir/R4/datatypes.html#id
 */
import { type Grants, isGranted } from '../auth/grants.ts'
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'

/** R4 allows `.` and `..` too, but in a URL they are steps and no names: nobody could read what is stored there. */
const ID = /^(?!\.{1,2}$)[A-Za-z0-9\-.]{1,64}$/

export const isId = (id: unknown): id is string => typeof id === 'string' && ID.test(id)

/**
 * Throws `not-supported` (404) where the type is no R4 resource type (https://hl7.org/fhir/R4/http.html#read), `forbidden` where the
 * principal may not read it.
 */
export function checkType(ctx: Context, type: string): void {
  if (!isType(ctx, type))
    throw fhirError('not-supported', `${type} is no FHIR R4 resource type.`, { status: 404 })
  checkGranted(ctx, 'read', type)
}

/** Throws `forbidden` where the principal may not see every type. */
export function checkUnlimited({ principal }: Context): void {
  if (principal.grants !== undefined)
    throw fhirError('forbidden', 'This caller may not look at all types at once.')
}

/** Throws `forbidden` where the principal may not read, or write, resources of the type. */
export function checkGranted({ principal }: Context, what: keyof Grants, type: string): void {
  if (!isGranted(principal.grants, what, type))
    throw fhirError('forbidden', `This caller may not ${what} resources of type ${type}.`)
}

/** Returns whether the server knows the resource type. */
export function isType(ctx: Context, type: string): boolean {
  const types = ctx.registry.types
  let low = 0
  let high = types.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = types[middle]!
    if (at === type) return true
    if (at < type) low = middle + 1
    else high = middle - 1
  }
  return false
}

/** Throws `value` where the id is not 1 to 64 letters, digits, hyphens and dots, or is `.` or `..`. */
export function checkId(id: string, expression: string): void {
  if (!isId(id))
    throw fhirError('value', 'An id is 1 to 64 letters, digits, hyphens and dots, and neither . nor ..', {
      expression,
    })
}
