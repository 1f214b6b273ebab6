/**
 * The history interaction on an instance, a type and the system.
 * https://hl7.org/fhir/R4/http.html#history
 */
import type { Context } from '../context.ts'
import type { BundleLink } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import type { HistoryScope, Stored } from '../storage/port.ts'
import type { Pairs } from './written.ts'

export interface HistoryResult {
  /** Newest first; those without text are deletions. */
  rows: readonly Stored[]
  total?: number
  /** `self`, and `next` where there is more. */
  links: readonly BundleLink[]
}

/**
 * Returns a page of versions. Parameters: `_since`, `_at`, `_count`, and the cursor of a `next` link. Those of presentation
 * (`_format`, `_pretty`) are the caller's to take out.
 *
 * Throws `not-supported` (404) for an unknown type, `not-found` for an id that never was, `invalid` for a bad or unknown parameter
 * (unless `lenient`, which leaves unknown ones out of the `self` link).
 */
export async function history(
  _ctx: Context,
  _scope: HistoryScope,
  _pairs: Pairs,
  _options: { lenient?: boolean } = {},
): Promise<HistoryResult> {
  throw fhirError('not-supported', 'Not yet.')
}

/** Returns the history Bundle as text. */
export function historyBundle(_ctx: Context, _result: HistoryResult): string {
  throw fhirError('not-supported', 'Not yet.')
}
