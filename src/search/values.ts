/**
 * What is asked of the values of a parameter, whether there are any or which.
 * https://hl7.org/fhir/R4/search.html#modifiers
 */
import { type Ask, anyOf, type PlanContext, refusal } from './ask.ts'
import { checkKept, dependsOnNow, isNegated, plannerOf, presence } from './modifiers.ts'
import { type Criterion, shown, unescapeValue } from './parse.ts'
import type { Node } from './plan-node.ts'
import type { SearchParam } from './registry.ts'

/** Plans what is asked of a parameter, given on each type searched: its values, or a comparison in a filter. */
export type Asked = (criterion: Criterion, params: readonly SearchParam[]) => Node

/** What the criteria of one search are planned with. */
export interface Planning {
  context: PlanContext
  /** Gets the texts of nodes whose bounds depend on the time of asking. */
  marks: Map<Node, string>
  /** Values times types that the search may still ask for, a node each; each criterion takes its own away. */
  room: { asks: number }
}

/** Takes so many nodes away from what the search may still ask for. Throws `too-costly` where there is no room for them. */
export function takeRoom(criterion: Criterion, asks: number, { room }: Planning): void {
  room.asks -= asks
  if (room.asks < 0)
    throw refusal(
      criterion,
      'So many values on so many types are too many: ask for fewer values, or name the types as in "subject:Patient.name".',
      'too-costly',
    )
}

/**
 * Returns what a criterion asks of the values of its parameter, given on each type searched.
 *
 * Throws `not-supported` for a modifier that has no meaning, `invalid` for a value that the parameter does not take, `too-costly` for too
 * many of them.
 */
export function planValues(criterion: Criterion, params: readonly SearchParam[], planning: Planning): Node {
  const { context, marks } = planning
  for (const param of params) checkKept({ param, criterion, context })
  if (criterion.modifier === 'missing') {
    takeRoom(criterion, params.length, planning)
    return missing(criterion, params)
  }
  // Ids are looked up as one list.
  const values = criterion.code === '_id' ? criterion.values.slice(0, 1) : criterion.values
  takeRoom(criterion, values.length * params.length, planning)
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
