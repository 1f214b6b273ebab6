/**
 * One element of a profile compiled into closures: what it says of each value, of the number of them, and of their parts.
 * https://hl7.org/fhir/R4/elementdefinition.html
 */
import type { ElementRule } from '../../definitions/structure.ts'
import { isPrimitive } from '../../definitions/types.ts'
import { checkBinding } from './bindings.ts'
import { cardinality } from './cardinality.ts'
import { elementRule, knownConstraints, typeRule } from './core.ts'
import { constraintChecks } from './invariants.ts'
import { choiceOf, namesOf } from './properties.ts'
import { checkTargets, targetsOf } from './reference-targets.ts'
import { type ListCheck, slicingCheck } from './slicing.ts'
import { childrenOf, type Spot } from './spot.ts'
import type { ElementNode } from './tree.ts'
import { typeChecks } from './types.ts'
import { valueChecks } from './value-checks.ts'
import { spend, type Walk } from './walk.ts'

export type Check = (spot: Spot, walk: Walk) => void

/**
 * Returns the check of one value of a type by an element's rule; undefined where that says nothing beyond `known`, which are the rules that
 * the value is held against already.
 */
export function elementCheck(
  node: ElementNode,
  type: string,
  known: readonly ElementRule[],
): Check | undefined {
  const { rule } = node
  const checks: Check[] = []
  const root = known.length === 0
  const base = root ? typeRule(type) : known[0]
  const before = root ? (base === undefined ? [] : [base]) : known
  checks.push(...valueChecks(node, type, before))
  if (!root) checks.push(...typeChecks(rule, type, before))
  checks.push(...constraintChecks(rule.constraints ?? [], knownConstraints(type, [base, ...before])))
  const { binding } = rule
  if (
    binding !== undefined &&
    !before.some(
      one => one.binding?.valueSet === binding.valueSet && one.binding?.strength === binding.strength,
    )
  )
    checks.push((spot, walk) => checkBinding(spot, binding, walk))
  if (type === 'Reference') {
    const targets = targetsOf(rule.types, 'Reference')
    const same = before.some(one => JSON.stringify(one.types) === JSON.stringify(rule.types))
    if (targets !== undefined && !same) checks.push((spot, walk) => checkTargets(spot, targets, walk))
  }
  const parts = partsCheck(node, type)
  if (parts !== undefined) checks.push(parts)
  return all(checks)
}

function all(checks: readonly Check[]): Check | undefined {
  if (checks.length < 2) return checks[0]
  return (spot, walk) => {
    for (const check of checks) check(spot, walk)
  }
}

/**
 * Returns the check of the parts of a value. A content reference means the element of R4's own definition, which is checked anyway: what a
 * profile says of sections is not said of the sections within them.
 */
function partsCheck(node: ElementNode, type: string): Check | undefined {
  if (node.children.length === 0 && node.rule.contentReference !== undefined) return undefined
  return childrenCheck(node, type)
}

const compiledChildren = new WeakMap<ElementNode, Map<string, Check | undefined>>()

function childrenCheck(node: ElementNode, type: string): Check | undefined {
  const known = compiledChildren.get(node)
  if (known?.has(type)) return known.get(type)
  const made = all(node.children.flatMap(child => groupCheck(child, type) ?? []))
  const check: Check | undefined =
    made &&
    ((spot, walk) => {
      spend(walk)
      made(spot, walk)
    })
  if (known === undefined) compiledChildren.set(node, new Map([[type, check]]))
  else known.set(type, check)
  return check
}

/** Returns the check of all values that an owner has of an element. */
function groupCheck(node: ElementNode, ownerType: string): Check | undefined {
  const { rule } = node
  let element = node.name
  // What stands in `_birthDate` is that of any element.
  let named = namesOf(isPrimitive(ownerType) ? 'Element' : ownerType, element)
  let only: string | undefined
  if (named === undefined) {
    // An element that the definition calls by one of its types: valueQuantity, or value for value[x].
    const choice = choiceOf(ownerType, element)
    if (choice === undefined) return undefined
    element = choice.element
    only = choice.type
    named = namesOf(ownerType, element)!
  }
  const core = elementRule(ownerType, element)
  const before = core === undefined ? [{ id: '', path: '' }] : [core]
  const types = [...new Set(named.map(({ property }) => property.type))].filter(
    type => only === undefined || type === only,
  )
  const each = valueCheck(node, types, before)
  const lists: ListCheck[] = []
  const count = cardinality(node, core, only !== undefined)
  if (count !== undefined) lists.push(count)
  if (each !== undefined)
    lists.push((items, _, walk) => {
      for (const item of items) each(item, walk)
    })
  if (node.slices.length > 0) {
    const slicing = rule.slicing ?? { discriminators: [], ordered: false, rules: 'open' as const }
    lists.push(slicingCheck(node, slicing, slice => valueCheck(slice, types, [...before, rule])))
  }
  if (lists.length === 0) return undefined
  return (spot, walk) => {
    let items = childrenOf(spot, element)
    if (only !== undefined) items = items.filter(item => item.type === only)
    for (const list of lists) list(items, spot, walk)
  }
}

/** Returns the check of a value that may be of several types; what depends on the type is compiled when one of it is met. */
function valueCheck(
  node: ElementNode,
  types: readonly string[],
  before: readonly ElementRule[],
): Check | undefined {
  if (types.length === 1 && types[0] !== 'Resource') return elementCheck(node, types[0]!, before)
  const byType = new Map<string, Check | undefined>()
  return (spot, walk) => {
    let check = byType.get(spot.type)
    if (check === undefined && !byType.has(spot.type)) {
      check = elementCheck(node, spot.type, before)
      byType.set(spot.type, check)
    }
    check?.(spot, walk)
  }
}
