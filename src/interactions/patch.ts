/**
 * The patch interaction: JSON Patch and FHIRPath Patch.
 * https://hl7.org/fhir/R4/http.html#patch
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Json } from '../fhir/json.ts'
import type { Pairs, WriteOptions, Written } from './written.ts'

/** The parsed body: of `application/json-patch+json`, or a Parameters resource. */
export type Patch = { kind: 'json'; body: Json } | { kind: 'fhirpath'; body: Json }

/**
 * Applies the patch to the current version and stores the result as the next one.
 *
 * Throws `not-found`, `deleted`, 412 where If-Match does not hold, `invalid` for a malformed patch, `processing` (422) where it cannot be
 * applied to this resource, validation's issues where the result is no valid resource, and `conflict` when others kept winning the race.
 */
export async function patch(
  _ctx: Context,
  _type: string,
  _id: string,
  _patch: Patch,
  _options: WriteOptions = {},
): Promise<Written> {
  throw fhirError('not-supported', 'Not yet.')
}

/** Patches the one resource that matches. Throws as `patch` does, `not-found` for no match, `multiple-matches` (412) for many. */
export async function conditionalPatch(
  _ctx: Context,
  _type: string,
  _criteria: Pairs,
  _patch: Patch,
  _options: WriteOptions = {},
): Promise<Written> {
  throw fhirError('not-supported', 'Not yet.')
}
