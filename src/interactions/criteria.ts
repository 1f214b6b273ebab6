/**
 * Criteria of conditional interactions: which resources they name, and what the commit must find so that they still do.
 * https://hl7.org/fhir/R4/http.html#cond-update
 */
import type { Context } from '../context.ts'
import { type FhirError, fhirError } from '../fhir/error.ts'
import { parseSearch } from '../search/parse.ts'
import { planSearch } from '../search/plan.ts'
import type { SearchPlan } from '../search/plan-node.ts'
import { RESULT_PARAMS } from '../search/result-params.ts'
import type { Key, Page, Require } from '../storage/port.ts'
import type { Live } from './read.ts'
import type { Pairs } from './written.ts'

export interface Criteria {
  type: string
  plan: SearchPlan
  /** Equal for criteria of equal meaning. */
  guard: string
}

const RESULT: ReadonlySet<string> = new Set(RESULT_PARAMS)

/**
 * Returns the criteria that a query names.
 *
 * Throws `invalid` where it says nothing, has a parameter without a value or one of results (`_sort`), and as a search does for parameters
 * and values that are not understood: what is left out of criteria would hit other resources than were meant. `expression` names them.
 */
export function criteriaOf(ctx: Context, type: string, pairs: Pairs, expression: string): Criteria {
  const refuse = (why: string): FhirError => fhirError('invalid', why, { expression })
  for (const [name, value] of pairs) {
    if (RESULT.has(name)) throw refuse(`${name} chooses no resources, and cannot stand among criteria.`)
    if (value === '') throw refuse(`The criterion ${name.slice(0, 64)} has no value.`)
  }
  const { registry, settings } = ctx
  const { plan } = planSearch(parseSearch(pairs), {
    types: [type],
    registry,
    zone: settings.zone,
    baseUrl: settings.baseUrl,
    now: ctx.clock(),
  })
  if (plan.where.kind === 'and' && plan.where.nodes.length === 0)
    throw refuse('There are no criteria: every resource of the type would match.')
  return { type, plan, guard: plan.fingerprint }
}

/** Returns the resources that match, at most `most`, and whether there are more. */
export async function findMatches(
  ctx: Context,
  { plan }: Criteria,
  most: number,
): Promise<Page & { rows: Live[] }> {
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  return (await ctx.storage.search(plan, { limit: most, total: 'none', deadline })) as Page & { rows: Live[] }
}

/** Returns the one resource that matches, undefined for none. Throws `multiple-matches` (412) for many. */
export async function findMatch(ctx: Context, criteria: Criteria): Promise<Live | undefined> {
  const { rows, more } = await findMatches(ctx, criteria, 1)
  if (more) throw multipleMatches(criteria.type)
  return rows[0]
}

export const multipleMatches = (type: string): FhirError =>
  fhirError(
    'multiple-matches',
    `Several resources of type ${type} match: the criteria are not selective enough.`,
  )

export const nothingMatches = ({ plan, guard }: Criteria): Require => ({
  is: 'matches',
  plan,
  keys: [],
  guard,
})

export const onlyMatch = ({ plan, guard }: Criteria, key: Key): Require => ({
  is: 'matches',
  plan,
  keys: [key],
  guard,
})
