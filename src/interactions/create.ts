/**
 * The create interaction, and the conditional create.
 * https://hl7.org/fhir/R4/http.html#create
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Json } from '../fhir/json.ts'
import type { Pairs, Written } from './written.ts'

/**
 * Stores a new resource under an id of ours, whatever id the body has. With `ifNoneExist` it is stored only where nothing matches the
 * criteria; where one does, that one is returned with `created` false.
 *
 * Throws validation's issues (`structure`, `value`, ...), `multiple-matches` (412), `invalid` for criteria that say nothing.
 */
export async function create(
  _ctx: Context,
  _type: string,
  _body: Json,
  _options: { ifNoneExist?: Pairs } = {},
): Promise<Written> {
  throw fhirError('not-supported', 'Not yet.')
}
