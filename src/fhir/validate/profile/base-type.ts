/**
 * What R4 says of every value of a type beyond its structure: invariants, bindings, targets of references, extensions. Compiled once for
 * each type; a value is walked by the properties that it has.
 * https://hl7.org/fhir/R4/validation.html
 */
import { isObject, type JsonObject } from '../../json.ts'
import type { Binding } from './bindings.ts'
import { checkBinding, checkUnit } from './bindings.ts'
import { elementRule, isA, typeRule } from './core.ts'
import { checkExtension } from './extensions.ts'
import { constraintChecks } from './invariants.ts'
import { isListed } from './listed.ts'
import { checkNarrative } from './narrative-check.ts'
import { type Property, propertiesOf } from './properties.ts'
import { checkTargets, type Targets, targetsOf } from './reference-targets.ts'
import { childrenOf, type Spot, spotOf, spotsOf } from './spot.ts'
import { typeChecks } from './types.ts'
import { spend, type Walk } from './walk.ts'

type Check = (spot: Spot, walk: Walk) => void

interface Slot {
  property: Property
  /** Of the value itself; undefined where nothing is to be checked. */
  check: Check | undefined
  /** The property is `_birthDate`. */
  sibling: boolean
  /** The name of the value of which this is the sibling. */
  name: string
}

interface TypeChecks {
  own: readonly Check[]
  slots: ReadonlyMap<string, Slot>
}

const compiled = new Map<string, TypeChecks>()

/** Checks an object of a type of R4, and everything in it. */
export function checkObject(spot: Spot, walk: Walk): void {
  const object = spot.value
  if (!isObject(object)) return
  spend(walk)
  const { own, slots } = checksOf(spot.type)
  for (const check of own) check(spot, walk)
  for (const name in object) {
    const slot = slots.get(name)
    if (slot === undefined) continue
    if (slot.sibling) siblings(spot, slot, object, name, walk)
    else if (slot.check !== undefined) values(spot, slot, object, name, slot.check, walk)
  }
}

function values(
  spot: Spot,
  { property }: Slot,
  object: JsonObject,
  name: string,
  check: Check,
  walk: Walk,
): void {
  const value = object[name]
  const beside = property.primitive ? object[`_${name}`] : undefined
  if (!property.many) {
    const one = spotOf(spot, property, value, beside, -1)
    if (one !== undefined) check(one, walk)
    return
  }
  if (!Array.isArray(value)) return
  const besides = Array.isArray(beside) ? beside : undefined
  for (let i = 0; i < value.length; i++) {
    const one = spotOf(spot, property, value[i], besides?.[i], i)
    if (one !== undefined) check(one, walk)
  }
}

/** The extensions of primitives. */
function siblings(
  spot: Spot,
  { property, name: plain }: Slot,
  object: JsonObject,
  name: string,
  walk: Walk,
): void {
  for (const one of spotsOf(spot, property, object[plain], object[name])) {
    if (one.sibling === undefined) continue
    for (const extension of childrenOf(one, 'extension')) {
      checkExtension(extension, walk)
      checkObject(extension, walk)
    }
  }
}

function checksOf(type: string): TypeChecks {
  const known = compiled.get(type)
  if (known !== undefined) return known
  const slots = new Map<string, Slot>()
  for (const [name, property] of propertiesOf(type) ?? []) {
    slots.set(name, { property, check: checkOf(type, property), sibling: false, name })
    if (property.primitive) slots.set(`_${name}`, { property, check: undefined, sibling: true, name })
  }
  const own: Check[] = constraintChecks(typeRule(type)?.constraints ?? [])
  if (type === 'Narrative') own.push(checkNarrative)
  if (isA(type, 'Quantity')) own.push(checkUnit)
  const checks = { own, slots }
  compiled.set(type, checks)
  return checks
}

function checkOf(owner: string, property: Property): Check | undefined {
  const { element, type, primitive } = property
  if (type === 'Resource') return (spot, walk) => walk.nested(spot)
  const rule = elementRule(owner, element)
  const checks: Check[] = []
  // The rule of a backbone element is that of its type, which checkObject sees to.
  if (`${owner}.${element}` !== type) checks.push(...constraintChecks(rule?.constraints ?? []))
  if (primitive) checks.push(...constraintChecks(typeRule(type)?.constraints ?? []))
  const binding = rule?.binding
  if (binding !== undefined && binding.strength !== 'example' && !isJudged(binding, property))
    checks.push((spot, walk) => checkBinding(spot, binding, walk))
  if (type === 'Reference') {
    const targets = targetsOf(rule?.types, 'Reference')
    if (targets !== undefined) checks.push(targetCheck(targets))
  }
  if (type === 'Extension') checks.push(checkExtension)
  // Of R4's own elements only quantities have profiles on their types: SimpleQuantity.
  if (rule !== undefined) checks.push(...typeChecks(rule, type, []))
  if (!primitive) checks.push(checkObject)
  if (checks.length === 0) return undefined
  if (checks.length === 1) return checks[0]
  return (spot, walk) => {
    for (const check of checks) check(spot, walk)
  }
}

const targetCheck =
  (targets: Targets): Check =>
  (spot, walk) =>
    checkTargets(spot, targets, walk)

/** Whether the structural check has held the codes against the value set. */
const isJudged = ({ strength, valueSet }: Binding, { type }: Property): boolean =>
  strength === 'required' &&
  (type === 'code' || type === 'Coding' || type === 'CodeableConcept') &&
  valueSet !== undefined &&
  isListed(valueSet)
