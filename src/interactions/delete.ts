/**
 * The delete interaction, and the conditional delete, single and multiple.
 * https://hl7.org/fhir/R4/http.html#delete
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Deleted, Pairs, WriteOptions } from './written.ts'

/**
 * Deletes a resource; its history stays. Nothing happens where it never existed or is deleted already.
 *
 * Throws 412 where If-Match does not hold, `conflict` where live resources refer to it and references are enforced.
 */
export async function remove(
  _ctx: Context,
  _type: string,
  _id: string,
  _options: WriteOptions = {},
): Promise<Deleted> {
  throw fhirError('not-supported', 'Not yet.')
}

/**
 * Deletes what matches in one commit: one resource, or with `multiple` all of them.
 *
 * Throws `multiple-matches` (412) where many match and `multiple` is off, `too-costly` where they are more than one commit takes,
 * `invalid` for criteria that say nothing.
 */
export async function conditionalDelete(
  _ctx: Context,
  _type: string,
  _criteria: Pairs,
  _options: { multiple?: boolean } & WriteOptions = {},
): Promise<Deleted> {
  throw fhirError('not-supported', 'Not yet.')
}
