/**
 * The search interaction on a type, on the system and in a compartment.
 * https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html
 */

import { mostCharacters } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import type { BundleLink } from '../fhir/bundle.ts'
import type { Issue } from '../fhir/error.ts'
import { fhirError } from '../fhir/error.ts'
import { type Compartment, compartmentNode } from '../search/compartment.ts'
import { parseSearch } from '../search/parse.ts'
import type { PlannedSearch } from '../search/plan.ts'
import type { Cursor, Live, SearchOptions } from '../storage/port.ts'
import { charactersOf } from './answer-size.ts'
import { Outdated, underCurrent } from './current.ts'
import { openPlace, sealPlace, type Way } from './cursors.ts'
import { lap, logSlow, newTrace, type Trace } from './explain.ts'
import { checkId, checkType, checkUnlimited } from './identity.ts'
import { included } from './include.ts'
import { linkOf } from './paging.ts'
import { planned } from './planned.ts'
import { recallQuery, STORED, storeQuery } from './stored-query.ts'
import type { Summary } from './subset.ts'
import { versionWarning } from './version-warning.ts'
import type { Pairs } from './written.ts'

export interface AskOptions {
  /** What is not known or not supported is left out and named in the answer. */
  lenient?: boolean
  /** Only what is in the compartment of this resource is found. */
  compartment?: Compartment | undefined
}

/** Where a search is asked. `type` undefined: the whole system, or all that the compartment holds. */
interface Place {
  type: string | undefined
  compartment: Compartment | undefined
}

export interface SearchResult {
  /** The page; empty where only the count was asked. */
  rows: readonly Live[]
  /** What includes add to the page. */
  included: readonly Live[]
  total?: number
  /** `self` shows what was applied; `next` and `previous` where there is more. */
  links: readonly BundleLink[]
  /** What was left out under `lenient`, and what was judged otherwise than asked, for an entry with search.mode outcome. */
  warnings: readonly Issue[]
  /** What is shown of each resource. */
  summary: Summary
  /** Names of `_elements`, for the matches alone; undefined shows all. */
  elements?: readonly string[]
  /** The answer says how it was found. */
  explain: boolean
  trace: Trace
}

/** The parameter of `next` and `previous` links that says where the page begins. */
export const CURSOR = '_cursor'

/**
 * Returns a page of the resources that match. `type` undefined searches the whole system, or the whole compartment. The parameters of
 * presentation (`_format`, `_pretty`) are the caller's to take out of `pairs`.
 *
 * Throws `not-supported` (404) for an unknown type or one that has no such compartment, `invalid`/`not-supported` (400) for an unknown
 * parameter or modifier unless `lenient`, `not-found` (410) for a stored query whose time is over, `too-costly` when the search takes too
 * long or its includes are too many.
 */
export async function search(
  ctx: Context,
  type: string | undefined,
  pairs: Pairs,
  options: AskOptions = {},
): Promise<SearchResult> {
  return underCurrent(ctx, under => searchUnder(under, type, pairs, options))
}

async function searchUnder(
  ctx: Context,
  type: string | undefined,
  pairs: Pairs,
  options: AskOptions,
): Promise<SearchResult> {
  const trace = newTrace(ctx)
  try {
    return await traced(ctx, type, pairs, options, trace)
  } catch (error) {
    // One that is ended at its deadline is a slow one.
    lap(ctx, trace, trace.phase)
    logSlow(ctx, trace)
    throw error
  }
}

async function traced(
  ctx: Context,
  type: string | undefined,
  pairs: Pairs,
  options: AskOptions,
  trace: Trace,
): Promise<SearchResult> {
  const path = pathOf({ type, compartment: options.compartment })
  const { plan, result, applied, ignored } = await plannedSearch(ctx, type, pairs, options, trace)
  // What is left out as unknown may have been defined on another instance.
  if (ignored.length > 0 && ctx.live !== undefined && (await ctx.live.refresh()).epoch !== ctx.registry.epoch)
    throw new Outdated()
  trace.plan = plan
  trace.asked = result.explain
  trace.names = applied.map(([name]) => name)

  const cursor = pairs.find(([name]) => name === CURSOR)?.[1]
  const binding = `search ${plan.fingerprint}`
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const query: SearchOptions = {
    limit: result.summary === 'count' ? 0 : result.count,
    total: result.summary === 'count' || (result.total ?? 'none') !== 'none' ? 'accurate' : 'none',
    deadline,
    bytes: mostCharacters(ctx),
    explain: result.explain,
    explainAfter: ctx.settings.limits.slowMs,
  }
  const from = cursor === undefined ? undefined : await openPlace(ctx, binding, cursor)
  if (from !== undefined) query[from.way] = from.cursor
  lap(ctx, trace, 'plan')

  const page = await ctx.storage.search(plan, query)
  const rows = page.rows as Live[]
  trace.rows = rows.length
  if (page.explained !== undefined) trace.query = page.explained
  lap(ctx, trace, 'query')

  // However large the matches are, one resource may come along.
  const room = Math.max(mostCharacters(ctx) - charactersOf(rows), ctx.settings.limits.body)
  const more = await included(ctx, rows, result.includes, { deadline, room, explain: result.explain })
  trace.included = more.rows.length
  trace.includes = more.explained
  lap(ctx, trace, 'include')

  const links: BundleLink[] = []
  const link = async (relation: string, and: Pairs): Promise<void> => {
    const whole = linkOf(ctx, relation, path, [...applied, ...and])
    links.push(whole.url.length <= ctx.settings.limits.url ? whole : await shorter(relation, and))
  }
  const shorter = async (relation: string, and: Pairs): Promise<BundleLink> =>
    linkOf(ctx, relation, path, [[STORED, await storeQuery(ctx, path, applied)], ...and])
  const linkTo = async (relation: string, way: Way, place: Cursor | undefined): Promise<void> => {
    if (place !== undefined)
      await link(relation, [[CURSOR, await sealPlace(ctx, binding, { way, cursor: place })]])
  }
  const backwards = from?.way === 'before'
  await link('self', cursor === undefined ? [] : [[CURSOR, cursor]])
  if (page.more || backwards) await linkTo('next', 'after', page.last)
  if (backwards ? page.more : from !== undefined) await linkTo('previous', 'before', page.first)

  // A first page that is also the last one has been counted by reading it.
  const whole = from === undefined && !page.more && query.limit > 0 ? rows.length : undefined
  const total = page.total ?? (result.total === 'none' ? undefined : whole)
  lap(ctx, trace, 'render')
  return {
    rows,
    included: more.rows,
    ...(total === undefined ? {} : { total }),
    links,
    warnings: [...ignored, ...versionWarning(ctx, plan, rows)],
    summary: result.summary,
    ...(result.elements === undefined ? {} : { elements: result.elements }),
    explain: result.explain,
    trace,
  }
}

/** Returns where a search is asked, below the base. */
const pathOf = ({ type, compartment }: Place): string =>
  compartment === undefined ? (type ?? '') : `${compartment.type}/${compartment.id}/${type ?? '*'}`

/**
 * Returns the plan of a search without doing it: for who must know beforehand that it is sound.
 *
 * Throws as `search` does.
 */
export async function plannedSearch(
  ctx: Context,
  type: string | undefined,
  pairs: Pairs,
  { lenient = false, compartment }: AskOptions,
  trace = newTrace(ctx),
): Promise<PlannedSearch> {
  if (type === undefined) checkUnlimited(ctx)
  else checkType(ctx, type)
  if (compartment !== undefined) checkCompartment(ctx, compartment, type)
  const request = parseSearch(await criteria(ctx, pathOf({ type, compartment }), pairs))
  lap(ctx, trace, 'parse')
  return planned(ctx, request, {
    types: type === undefined ? [] : [type],
    lenient,
    ...(compartment === undefined ? {} : { within: compartment }),
  })
}

/** Throws where there is no such compartment, or where the type is never in it. */
function checkCompartment(ctx: Context, compartment: Compartment, type: string | undefined): void {
  checkType(ctx, compartment.type)
  checkId(compartment.id, 'http.id')
  compartmentNode(compartment, type === undefined ? [] : [type], ctx.registry)
}

/** Returns the parameters that choose resources and say how they come back, those of a stored query where it is asked for. */
async function criteria(ctx: Context, path: string, pairs: Pairs): Promise<Pairs> {
  const rest = pairs.filter(([name]) => name !== CURSOR)
  const stored = rest.find(([name]) => name === STORED)
  if (stored === undefined) return rest
  if (rest.length > 1)
    throw fhirError(
      'invalid',
      `${STORED} stands for all parameters of a search: no other can stand beside it.`,
      {
        expression: `http.${STORED}`,
      },
    )
  return recallQuery(ctx, path, stored[1])
}
