/**
 * Criteria of conditional interactions: which resources they name, and what the commit must find so that they still do.
 * https://hl7.org/fhir/R4/http.html#cond-update
 */
import type { Context } from '../context.ts'
import { type FhirError, fhirError } from '../fhir/error.ts'
import type { Need } from '../search/ask.ts'
import { parseSearch } from '../search/parse.ts'
import type { Node, SearchPlan } from '../search/plan-node.ts'
import { RESULT_PARAMS } from '../search/result-params.ts'
import type { Key, Live, Page, Require } from '../storage/port.ts'
import { planned } from './planned.ts'
import type { Pairs } from './written.ts'

export interface Criteria {
  type: string
  plan: SearchPlan
  /** Equal for criteria of equal meaning. */
  guard: string
  /** The types of other resources that decide about a match, and then its own: empty where each resource is judged by itself. */
  related: ReadonlySet<string>
}

const RESULT: ReadonlySet<string> = new Set(RESULT_PARAMS)

/**
 * Returns the criteria that a query names.
 *
 * Throws `invalid` where it says nothing, has a parameter without a value or one of results (`_sort`), and as a search does for parameters
 * and values that are not understood: what is left out of criteria would hit other resources than were meant. `expression` names them.
 */
export async function criteriaOf(
  ctx: Context,
  type: string,
  pairs: Pairs,
  expression: string,
): Promise<Criteria> {
  const refuse = (why: string): FhirError => fhirError('invalid', why, { expression })
  for (const [name, value] of pairs) {
    if (RESULT.has(name)) throw refuse(`${name} chooses no resources, and cannot stand among criteria.`)
    if (value === '') throw refuse(`The criterion ${name.slice(0, 64)} has no value.`)
  }
  const { plan, needs } = await planned(ctx, parseSearch(pairs), { types: [type], lenient: false })
  if (plan.where.kind === 'and' && plan.where.nodes.length === 0)
    throw refuse('There are no criteria: every resource of the type would match.')
  return { type, plan, guard: plan.fingerprint, related: relatedTypes(type, plan.where, needs) }
}

function relatedTypes(type: string, where: Node, needs: readonly Need[]): Set<string> {
  const related = new Set(linkedTypes(where))
  if (related.size > 0) related.add(type)
  for (const need of needs)
    for (const one of need.is === 'resources' ? [need.type] : ['ValueSet', 'CodeSystem']) related.add(one)
  return related
}

/** Returns the types that chains lead over. */
function linkedTypes(node: Node): string[] {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.nodes.flatMap(linkedTypes)
    case 'not':
      return linkedTypes(node.node)
    case 'chain':
      return [...node.types, ...linkedTypes(node.node)]
    case 'has':
      return [node.type, ...linkedTypes(node.node)]
    default:
      return []
  }
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
