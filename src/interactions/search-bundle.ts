/**
 * The answer to a search as a Bundle.
 * https://hl7.org/fhir/R4/bundle.html#searchset, https://hl7.org/fhir/R4/search.html#summary
 */
import type { Context } from '../context.ts'
import { type BundleEntry, bundleText } from '../fhir/bundle.ts'
import { outcomeText } from '../fhir/outcome.ts'
import { type Live, stampText } from '../storage/port.ts'
import { explanation, lap, logSlow } from './explain.ts'
import type { SearchResult } from './search.ts'
import { type Shown, shownText } from './subset.ts'

/**
 * Returns the searchset Bundle as text: whole resources as they are stored, subsets marked SUBSETTED. `_elements` does not apply to
 * included resources. A search that was slow is logged.
 */
export function searchBundle(ctx: Context, result: SearchResult): string {
  const { summary, elements, warnings, trace } = result
  const entryOf = (row: Live, mode: 'match' | 'include', shown: Shown): BundleEntry => ({
    fullUrl: `${ctx.settings.baseUrl}/${row.key}`,
    resource: shownText(row.text, shown),
    search: { mode },
  })
  const shown = { summary, ...(elements === undefined ? {} : { elements }) }
  const entries = [
    ...result.rows.map(row => entryOf(row, 'match', shown)),
    ...result.included.map(row => entryOf(row, 'include', { summary })),
  ]
  if (warnings.length > 0) entries.push({ resource: outcomeText(warnings), search: { mode: 'outcome' } })
  const textOf = () =>
    bundleText({
      type: 'searchset',
      lastUpdated: stampText(ctx.clock()),
      ...(result.total === undefined ? {} : { total: result.total }),
      links: result.links,
      entries,
    })
  const text = textOf()
  lap(ctx, trace, 'render')
  logSlow(ctx, trace)
  if (!result.explain) return text
  entries.push({ resource: outcomeText(explanation(trace)), search: { mode: 'outcome' } })
  return textOf()
}
