/**
 * The search interaction on a type and on the system.
 * https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html
 */
import type { Context } from '../context.ts'
import type { BundleLink } from '../fhir/bundle.ts'
import { fhirError, type Issue } from '../fhir/error.ts'
import type { Live } from './read.ts'
import type { Pairs } from './written.ts'

export interface SearchResult {
  /** The page; empty where only the count was asked. */
  rows: readonly Live[]
  total?: number
  /** `self` shows what was applied; `next` and `previous` where there is more. */
  links: readonly BundleLink[]
  /** What was left out under `lenient`, for an entry with search.mode outcome. */
  warnings: readonly Issue[]
  /** What is shown of each resource. */
  summary: 'false' | 'true' | 'text' | 'data' | 'count'
  /** Names of `_elements`; undefined shows all. */
  elements?: readonly string[]
}

/**
 * Returns a page of the resources that match. `type` undefined searches the whole system. Those of presentation (`_format`, `_pretty`)
 * are the caller's to take out of `pairs`.
 *
 * Throws `not-supported` (404) for an unknown type, `invalid`/`not-supported` (400) for an unknown parameter or modifier unless `lenient`,
 * `too-costly` when the search takes too long.
 */
export async function search(
  _ctx: Context,
  _type: string | undefined,
  _pairs: Pairs,
  _options: { lenient?: boolean } = {},
): Promise<SearchResult> {
  throw fhirError('not-supported', 'Not yet.')
}

/** Returns the searchset Bundle as text: whole resources as they are stored, subsets marked SUBSETTED. */
export function searchBundle(_ctx: Context, _result: SearchResult): string {
  throw fhirError('not-supported', 'Not yet.')
}
