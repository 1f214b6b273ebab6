/**
 * The read interaction.
 * https://hl7.org/fhir/R4/http.html#read
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { keyOf, type Live, type Stored } from '../storage/port.ts'
import { checkType } from './identity.ts'

/**
 * Returns the current version of a resource.
 *
 * Throws `not-supported` (404) for an unknown type, `not-found` where it never existed, `deleted` (410) when it is gone.
 */
export async function read(ctx: Context, type: string, id: string): Promise<Live> {
  checkType(ctx, type)
  return live(await ctx.storage.read(keyOf(type, id)), type, id)
}

/** Returns what was found as a live version; throws as `read` does. */
export function live(found: Stored | undefined, type: string, id: string): Live {
  if (found === undefined) throw fhirError('not-found', `There is no ${type}/${id}.`)
  if (found.text === undefined) throw fhirError('deleted', `${type}/${id} has been deleted.`)
  return found as Live
}
