/** Elements of a resource as places that can be changed, and the walk along a patch path. */
import { type ElementInfo, elementsOf, isPrimitive, jsonName } from '../fhir/definitions/types.ts'
import { isObject, type Json, type JsonObject, NumberText } from '../fhir/json.ts'
import { equalJson } from './json-equal.ts'
import type { Literal, Step, Test } from './patch-path.ts'
import { type PatchWork, spend } from './patch-work.ts'

/** One element: the member `name` of `holder`, or the item `index` of the list there. The resource itself has no holder. */
export interface Slot {
  holder: JsonObject | undefined
  name: string
  index: number | undefined
  type: string
  element: ElementInfo | undefined
  /** undefined where a primitive has extensions alone. */
  value: Json | undefined
}

/** Returns the element of a type that a FHIRPath name means: `value` is `value[x]`, and `valueQuantity` is understood too. */
export function elementNamed(type: string, name: string): ElementInfo | undefined {
  return elementsOf(type)?.find(
    element =>
      element.name === name ||
      (element.choice &&
        (element.name.slice(0, -3) === name || element.types.some(of => jsonName(element, of) === name))),
  )
}

/**
 * Returns the elements that a path leads to. `fail` makes the error for a name that the type does not have, and for more elements on the
 * way than there is `work` left for.
 */
export function walk(
  start: readonly Slot[],
  steps: readonly Step[],
  fail: (why: string) => Error,
  work: PatchWork,
): Slot[] {
  let slots = [...start]
  for (const step of steps) {
    switch (step.is) {
      case 'name':
        slots = slots.flatMap(slot => children(slot, step.name, fail, work))
        break
      case 'at':
        slots = slots.slice(step.index, step.index + 1)
        break
      case 'first':
        slots = slots.slice(0, 1)
        break
      case 'last':
        slots = slots.slice(-1)
        break
      case 'ofType':
        slots = slots.filter(slot => slot.type === step.type)
        break
      case 'extension':
        slots = slots
          .flatMap(slot => children(slot, 'extension', fail, work))
          .filter(slot => isObject(slot.value) && slot.value.url === step.url)
        break
      case 'where':
        slots = slots.filter(slot => step.all.every(test => holds(slot, test, fail, work)))
        break
    }
  }
  return slots
}

function holds(slot: Slot, test: Test, fail: (why: string) => Error, work: PatchWork): boolean {
  const found = walk([slot], test.path, fail, work)
  return test.equals === undefined
    ? found.length > 0
    : found.length === 1 && isLiteral(found[0]!.value, test.equals)
}

function isLiteral(value: Json | undefined, literal: Literal): boolean {
  if (typeof literal !== 'object') return value === literal
  if ('time' in literal) return value === literal.time
  return value instanceof NumberText && equalJson(value, new NumberText(literal.number))
}

/** Returns the object that holds an element's children: for a primitive the one beside it, undefined where there is none. */
export function holderOf(slot: Slot): JsonObject | undefined {
  if (!isPrimitive(slot.type)) return isObject(slot.value) ? slot.value : undefined
  const beside = slot.holder?.[`_${slot.name}`]
  const own = slot.index === undefined ? beside : Array.isArray(beside) ? beside[slot.index] : undefined
  return isObject(own) ? own : undefined
}

function children(slot: Slot, name: string, fail: (why: string) => Error, work: PatchWork): Slot[] {
  const type = isPrimitive(slot.type) ? 'Element' : slot.type
  const element = elementNamed(type, name)
  if (element === undefined) throw fail(`${type} has no element ${name}`)
  const holder = holderOf(slot)
  const found = holder === undefined ? [] : element.types.flatMap(of => members(holder, element, of, name))
  spend(work, element.types.length + found.length, fail)
  return found
}

function members(holder: JsonObject, element: ElementInfo, type: string, asked: string): Slot[] {
  const name = jsonName(element, type)
  if (element.choice && asked !== name && asked !== element.name.slice(0, -3)) return []
  const value = holder[name]
  const beside = isPrimitive(type) ? holder[`_${name}`] : undefined
  const slot = (one: Json | undefined, index: number | undefined): Slot => ({
    holder,
    name,
    index,
    type:
      type === 'Resource' && isObject(one) && typeof one.resourceType === 'string' ? one.resourceType : type,
    element,
    value: one === null ? undefined : one,
  })
  if (!Array.isArray(value) && !Array.isArray(beside))
    return value === undefined && beside === undefined ? [] : [slot(value, undefined)]
  const values = Array.isArray(value) ? value : []
  const length = Math.max(values.length, Array.isArray(beside) ? beside.length : 0)
  return Array.from({ length }, (_, index) => slot(values[index], index))
}
