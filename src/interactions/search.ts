/**
 * The search interaction on a type and on the system.
 * https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html
 */
import type { Context } from '../context.ts'
import { type BundleEntry, type BundleLink, bundleText } from '../fhir/bundle.ts'
import type { Issue } from '../fhir/error.ts'
import { outcomeText } from '../fhir/outcome.ts'
import { parseSearch } from '../search/parse.ts'
import { type PlannedSearch, planSearch } from '../search/plan.ts'
import { type Cursor, type SearchOptions, stampText } from '../storage/port.ts'
import { fittingPage } from './answer-size.ts'
import { openPlace, sealPlace, type Way } from './cursors.ts'
import { checkType } from './identity.ts'
import { linkOf } from './paging.ts'
import type { Live } from './read.ts'
import { type Summary, shownText } from './subset.ts'
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
  summary: Summary
  /** Names of `_elements`; undefined shows all. */
  elements?: readonly string[]
}

/** The parameter of `next` and `previous` links that says where the page begins. */
export const CURSOR = '_cursor'

/**
 * Returns a page of the resources that match. `type` undefined searches the whole system. Those of presentation (`_format`, `_pretty`)
 * are the caller's to take out of `pairs`.
 *
 * Throws `not-supported` (404) for an unknown type, `invalid`/`not-supported` (400) for an unknown parameter or modifier unless `lenient`,
 * `too-costly` when the search takes too long.
 */
export async function search(
  ctx: Context,
  type: string | undefined,
  pairs: Pairs,
  options: { lenient?: boolean } = {},
): Promise<SearchResult> {
  if (type !== undefined) checkType(ctx, type)
  const planned = plannedSearch(ctx, type, pairs, options.lenient === true)
  const { plan, result, applied, ignored } = planned
  const cursor = pairs.find(([name]) => name === CURSOR)?.[1]
  const binding = `search ${plan.fingerprint}`
  const query: SearchOptions = {
    limit: result.summary === 'count' ? 0 : result.count,
    total: result.summary === 'count' || (result.total ?? 'none') !== 'none' ? 'accurate' : 'none',
    deadline: ctx.clock() + ctx.settings.limits.searchMs,
  }
  const from = cursor === undefined ? undefined : await openPlace(ctx, binding, cursor)
  if (from !== undefined) query[from.way] = from.cursor

  const page = await fittingPage(ctx, query.limit, limit => ctx.storage.search(plan, { ...query, limit }))
  const path = type ?? ''
  const self = cursor === undefined ? applied : [...applied, [CURSOR, cursor] as const]
  const links: BundleLink[] = [linkOf(ctx, 'self', path, self)]
  const link = async (relation: string, way: Way, place: Cursor | undefined): Promise<void> => {
    if (place === undefined) return
    const sealed = await sealPlace(ctx, binding, { way, cursor: place })
    links.push(linkOf(ctx, relation, path, [...applied, [CURSOR, sealed]]))
  }
  const backwards = from?.way === 'before'
  if (page.more || backwards) await link('next', 'after', page.last)
  if (backwards ? page.more : from !== undefined) await link('previous', 'before', page.first)

  // A first page that is also the last one has been counted by reading it.
  const whole = from === undefined && !page.more && query.limit > 0 ? page.rows.length : undefined
  const total = page.total ?? (result.total === 'none' ? undefined : whole)
  return {
    rows: page.rows as Live[],
    ...(total === undefined ? {} : { total }),
    links,
    warnings: ignored,
    summary: result.summary,
    ...(result.elements === undefined ? {} : { elements: result.elements }),
  }
}

/**
 * Returns the plan of a search without doing it: for who must know beforehand that it is sound.
 *
 * Throws as `search` does.
 */
export function plannedSearch(
  ctx: Context,
  type: string | undefined,
  pairs: Pairs,
  lenient: boolean,
): PlannedSearch {
  const { registry, settings } = ctx
  const { pageDefault, pageMax } = settings.limits
  return planSearch(parseSearch(pairs.filter(([name]) => name !== CURSOR)), {
    types: type === undefined ? [] : [type],
    registry,
    zone: settings.zone,
    baseUrl: settings.baseUrl,
    now: ctx.clock(),
    lenient,
    limits: { pageDefault, pageMax },
  })
}

/** Returns the searchset Bundle as text: whole resources as they are stored, subsets marked SUBSETTED. */
export function searchBundle(ctx: Context, result: SearchResult): string {
  const { baseUrl } = ctx.settings
  const shown = {
    summary: result.summary,
    ...(result.elements === undefined ? {} : { elements: result.elements }),
  }
  const entries: BundleEntry[] = result.rows.map(row => ({
    fullUrl: `${baseUrl}/${row.key}`,
    resource: shownText(row.text, shown),
    search: { mode: 'match' },
  }))
  if (result.warnings.length > 0)
    entries.push({ resource: outcomeText(result.warnings), search: { mode: 'outcome' } })
  return bundleText({
    type: 'searchset',
    lastUpdated: stampText(ctx.clock()),
    ...(result.total === undefined ? {} : { total: result.total }),
    links: result.links,
    entries,
  })
}
