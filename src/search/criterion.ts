/**
 * From one criterion to its node: the parameter on each type searched, and what is asked of its values.
 * https://hl7.org/fhir/R4/search.html#parameters
 */
import { type Ask, anyOf, type PlanContext, refusal, type Unsupported, unsupported } from './ask.ts'
import { dependsOnNow, isNegated, isSearched, plannerOf, presence } from './modifiers.ts'
import { type Criterion, shown, unescapeValue } from './parse.ts'
import type { Node } from './plan-node.ts'
import type { SearchParam } from './registry.ts'

/** Parameters of R4 that the server does not know to do. */
const NOT_YET = new Set([
  '_has',
  '_include',
  '_revinclude',
  '_contained',
  '_containedType',
  '_list',
  '_filter',
  '_query',
  '_text',
  '_content',
  '_score',
])

/** Values times types; a node each. */
const MAX_ASKS = 5000

/**
 * Returns what a criterion means on these types, none for all. `marks` gets the texts of nodes whose bounds depend on the time of asking.
 *
 * Throws `not-supported` for a parameter or modifier that is unknown or has no meaning, `invalid` for a value that the parameter does not
 * take, `too-costly` for too many of them.
 */
export function planCriterion(
  criterion: Criterion,
  types: readonly string[],
  context: PlanContext,
  marks: Map<Node, string>,
): Node {
  const { code, modifier, chain } = criterion
  if (NOT_YET.has(code)) throw unsupported(criterion, `"${code}" is not supported.`)
  const params = paramsOf(criterion, types, context)
  if (chain !== undefined)
    throw unsupported(criterion, `Chained parameters such as "${shown(criterion.name)}" are not supported.`)
  if (modifier === 'missing') return missing(criterion, params)
  // Ids are looked up as one list.
  const values = code === '_id' ? criterion.values.slice(0, 1) : criterion.values
  if (values.length * params.length > MAX_ASKS)
    throw refusal(criterion, 'So many values on so many types are too many.', 'too-costly')
  const node = anyOf(
    values.flatMap(value => params.map(param => leaf({ param, criterion, value, context }, marks))),
  )
  return isNegated(modifier) ? { kind: 'not', node } : node
}

function leaf(ask: Ask, marks: Map<Node, string>): Node {
  const node = plannerOf(ask)(ask)
  if (dependsOnNow(ask)) marks.set(node, `${ask.param.name}=${ask.value}`)
  return node
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

function missing(criterion: Criterion, params: readonly SearchParam[]): Node {
  const value = unescapeValue(criterion.value)
  if (value !== 'true' && value !== 'false')
    throw refusal(criterion, `"${shown(criterion.name)}" is true or false.`)
  const present = anyOf(params.map(presence))
  return value === 'true' ? { kind: 'not', node: present } : present
}
