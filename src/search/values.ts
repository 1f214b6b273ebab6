/**
 * What is asked of the values of a parameter, whether there are any or which.
 * https://hl7.org/fhir/R4/search.html#modifiers
 */
import { type Ask, anyOf, type PlanContext, refusal } from './ask.ts'
import { dependsOnNow, isNegated, plannerOf, presence } from './modifiers.ts'
import { type Criterion, shown, unescapeValue } from './parse.ts'
import type { Node } from './plan-node.ts'
import type { SearchParam } from './registry.ts'

/** Plans what is asked of a parameter, given on each type searched: its values, or a comparison in a filter. */
export type Asked = (criterion: Criterion, params: readonly SearchParam[]) => Node

/** Values times types; a node each. */
const MAX_ASKS = 5000

/**
 * Returns what a criterion asks of the values of its parameter, given on each type searched. `marks` gets the texts of nodes whose bounds
 * depend on the time of asking.
 *
 * Throws `not-supported` for a modifier that has no meaning, `invalid` for a value that the parameter does not take, `too-costly` for too
 * many of them.
 */
export function planValues(
  criterion: Criterion,
  params: readonly SearchParam[],
  context: PlanContext,
  marks: Map<Node, string>,
): Node {
  if (criterion.modifier === 'missing') return missing(criterion, params)
  // Ids are looked up as one list.
  const values = criterion.code === '_id' ? criterion.values.slice(0, 1) : criterion.values
  if (values.length * params.length > MAX_ASKS)
    throw refusal(criterion, 'So many values on so many types are too many.', 'too-costly')
  const node = anyOf(
    values.flatMap(value => params.map(param => leaf({ param, criterion, value, context }, marks))),
  )
  return isNegated(criterion.modifier) ? { kind: 'not', node } : node
}

function leaf(ask: Ask, marks: Map<Node, string>): Node {
  const node = plannerOf(ask)(ask)
  if (dependsOnNow(ask)) marks.set(node, `${ask.param.name}=${ask.value}`)
  return node
}

function missing(criterion: Criterion, params: readonly SearchParam[]): Node {
  const value = unescapeValue(criterion.value)
  if (value !== 'true' && value !== 'false')
    throw refusal(criterion, `"${shown(criterion.name)}" is true or false.`)
  const present = anyOf(params.map(presence))
  return value === 'true' ? { kind: 'not', node: present } : present
}
