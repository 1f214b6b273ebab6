/**
 * The vread interaction: a version of a resource, current or not.
 * https://hl7.org/fhir/R4/http.html#vread
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { keyOf, type Live } from '../storage/port.ts'
import { checkType } from './identity.ts'

/**
 * Returns a version of a resource.
 *
 * Throws `not-supported` (404) for an unknown type, `not-found` where there is no such resource or version, `deleted` (410) where the
 * version is a deletion.
 */
export async function vread(ctx: Context, type: string, id: string, versionId: string): Promise<Live> {
  checkType(ctx, type)
  const version = /^[1-9][0-9]{0,14}$/.test(versionId) ? Number(versionId) : undefined
  const found = version === undefined ? undefined : await ctx.storage.read(keyOf(type, id), { version })
  if (found === undefined) throw fhirError('not-found', `There is no version ${versionId} of ${type}/${id}.`)
  if (found.text === undefined)
    throw fhirError('deleted', `Version ${versionId} of ${type}/${id} is its deletion.`)
  return found as Live
}
