/**
 * The update interaction, update as create, and the conditional update.
 * https://hl7.org/fhir/R4/http.html#update
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Json } from '../fhir/json.ts'
import type { Pairs, WriteOptions, Written } from './written.ts'

/**
 * Stores the next version of a resource; the first one where the id is new, and a live one again where it was deleted (`created`).
 *
 * Throws validation's issues, `invalid` where the body's id is not the URL's, 412 where If-Match does not hold.
 */
export async function update(
  _ctx: Context,
  _type: string,
  _id: string,
  _body: Json,
  _options: WriteOptions = {},
): Promise<Written> {
  throw fhirError('not-supported', 'Not yet.')
}

/**
 * Updates the one resource that matches; creates where none does (under the body's id, if it has one).
 *
 * Throws as `update` does, `multiple-matches` (412), `invalid` where the body's id is not that of the match or for criteria that say nothing.
 */
export async function conditionalUpdate(
  _ctx: Context,
  _type: string,
  _criteria: Pairs,
  _body: Json,
  _options: WriteOptions = {},
): Promise<Written> {
  throw fhirError('not-supported', 'Not yet.')
}
