/**
 * From one criterion to its node: the parameter on each type searched, the way that its links lead, and what is asked of its values.
 * https://hl7.org/fhir/R4/search.html#parameters
 */
import { type PlanContext, refusal, type Unsupported, unsupported } from './ask.ts'
import { planChain, planHas, planList } from './chain.ts'
import { planFilter } from './filter.ts'
import { isSearched } from './modifiers.ts'
import { type Criterion, shown } from './parse.ts'
import type { Node } from './plan-node.ts'
import type { SearchParam } from './registry.ts'
import { type Asked, type Planning, planValues } from './values.ts'

/** Parameters that the server knows and does not do. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  [
    '_in',
    '"_in" is a parameter of R5: in R4 "_list" finds the items of a List, and "_has:Group:member:_id" the members of a Group.',
  ],
  ['_query', '"_query" is not supported: the server has no named queries.'],
  ['_score', '"_score" is not supported: matches have no score.'],
])

/** Links in a chain, those of `_has` included; comparisons in a filter. */
export interface CriterionLimits {
  chain: number
  parameters: number
}

/**
 * Returns what a criterion means on these types, none for all.
 *
 * Throws `not-supported` for a parameter or modifier that is unknown or has no meaning, `invalid` for a value that the parameter does not
 * take, `too-costly` for too many values and links; and Unresolved where a value means what is not known yet.
 */
export function planCriterion(
  criterion: Criterion,
  types: readonly string[],
  planning: Planning,
  limits: CriterionLimits,
): Node {
  if (criterion.code === '_filter') {
    const compare = (one: Criterion, asked: Asked) => linked(one, types, planning, limits, asked)
    return planFilter(criterion, { planning, most: limits.parameters, compare })
  }
  return linked(criterion, types, planning, limits, (one, params) => planValues(one, params, planning))
}

/** Follows the links of a criterion, as many as there are, to the parameter at their end. */
function linked(
  criterion: Criterion,
  types: readonly string[],
  planning: Planning,
  limits: CriterionLimits,
  asked: Asked,
): Node {
  const { context } = planning
  const follow = (at: Criterion, on: readonly string[], links: number): Node => {
    const refused = REFUSED.get(at.code)
    if (refused !== undefined) throw unsupported(at, refused)
    if (at.code === '_filter')
      throw unsupported(at, '"_filter" stands alone: it is neither chained nor part of another filter.')
    if (at.code === '_list') return planList(at, context)
    if (at.code === '_has') {
      checkLinks(at, links, limits.chain)
      return planHas(at, on, context, (one, next) => follow(one, next, links + 1))
    }
    const params = paramsOf(at, on, context)
    if (at.chain === undefined) return asked(at, params)
    checkLinks(at, links, limits.chain)
    return planChain(at, params, planning, (one, next) => follow(one, next, links + 1))
  }
  return follow(criterion, types, 0)
}

function checkLinks(criterion: Criterion, links: number, most: number): void {
  if (links >= most)
    throw refusal(
      criterion,
      `A chain has ${most} links at most, those of "_has" included (NADI_CHAIN_LIMIT).`,
      'too-costly',
    )
}

/** Returns the parameter of each type searched. */
function paramsOf(criterion: Criterion, types: readonly string[], { registry }: PlanContext): SearchParam[] {
  const params = (types.length === 0 ? ['Resource'] : types).map(type => {
    const param = registry.param(type, criterion.code)
    if (param === undefined) throw unknown(criterion, type, types, registry.params(type))
    return param
  })
  const first = params[0]!
  if (params.some(param => param.type !== first.type))
    throw unsupported(criterion, `"${criterion.code}" means different things on the types searched.`)
  if (!params.every(isSearched))
    throw unsupported(criterion, `"${criterion.code}" is not supported: it is a ${first.type} parameter.`)
  return [...new Map(params.map(param => [param.name, param])).values()]
}

function unknown(
  criterion: Criterion,
  type: string,
  types: readonly string[],
  params: readonly SearchParam[],
): Unsupported {
  const code = shown(criterion.code)
  if (types.length > 1)
    return unsupported(
      criterion,
      `"${code}" is not a parameter of all types searched, such as ${type}; name the types that it is for with _type.`,
    )
  return unsupported(
    criterion,
    types.length === 0
      ? `"${code}" is not a parameter of all resource types; name the types that it is for with _type.`
      : `${type} has no search parameter "${code}"; it has ${params
          .filter(isSearched)
          .map(param => param.code)
          .join(', ')}.`,
  )
}
