/**
 * A type's elements compiled into closures, once, when the type is first met.
 * https://hl7.org/fhir/R4/json.html
 */
import { type ElementInfo, elementsOf, isPrimitive, jsonName } from '../definitions/types.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { conceptCheck } from './bindings.ts'
import { isFull, listed, prefix, quoted, type Run, report } from './issues.ts'
import { primitiveCheck, siblingCheck } from './primitive-elements.ts'
import { checkReference } from './references.ts'
import { closest } from './suggest.ts'

/** Checks the value of an element, which is no array; `owner` and `name` tell where it stands. */
export type Check = (value: Json, run: Run) => void

/** A property that a type may have. */
interface Slot {
  /** Checks the whole value of the property, arrays included. */
  check(value: Json, run: Run, owner: JsonObject): void
  /** The element's bit among those that the type requires or that are choices; 0 for others. */
  bit: number
  /** Of a choice, the element's name: `value[x]`. */
  choice: string | undefined
  /** The element's name in FHIRPath after a dot: `.value` for valueQuantity, `.birthDate` for _birthDate. */
  place: string
}

interface Compiled {
  slots: Map<string, Slot>
  required: number
  elements: readonly ElementInfo[]
  isResource: boolean
}

type ObjectCheck = (object: JsonObject, run: Run) => void

/** The checks of resources within resources. */
export interface ResourceChecks {
  /** Of one in `contained`. */
  contained: ObjectCheck
  /** Of one in another element of type Resource, such as that of a Bundle's entry. */
  nested: ObjectCheck
}

/** Returns the check of the objects of a complex type. */
export type TypeChecks = (type: string) => ObjectCheck

/** Returns the checks of all types; each type is compiled when first met. */
export function typeChecks(resources: ResourceChecks): TypeChecks {
  const checks = new Map<string, ObjectCheck>()
  const checkOf: TypeChecks = type => {
    let check = checks.get(type)
    if (check === undefined) {
      check = objectCheck(type, checkOf, resources)
      checks.set(type, check)
    }
    return check
  }
  return checkOf
}

function objectCheck(type: string, checkOf: TypeChecks, resources: ResourceChecks): ObjectCheck {
  let compiled: Compiled | undefined
  return (object, run) => {
    compiled ??= compile(type, checkOf, resources)
    const { slots, required, isResource } = compiled
    let seen = 0
    let count = 0
    for (const name in object) {
      const value = object[name]
      if (value === undefined) continue
      count++
      const slot = slots.get(name)
      if (slot === undefined) {
        if (isResource && name === 'resourceType') continue
        unknownElement(name, type, compiled, run)
        if (isFull(run)) return
        continue
      }
      if (slot.choice !== undefined && (seen & slot.bit) !== 0)
        secondChoice(name, slot, object, compiled, run)
      seen |= slot.bit
      const before = run.issues.length
      slot.check(value, run, object)
      if (run.issues.length === before) continue
      prefix(run, before, slot.place)
      if (isFull(run)) return
    }
    if ((seen & required) !== required) missing(seen, compiled, run)
    if (isResource) return
    // An Element here is the sibling of a primitive value, which may have an id and nothing else.
    if (count === 0 || (count === 1 && object.id !== undefined && type !== 'Element'))
      emptyElement(count, run)
    else if (type === 'Extension') extensionRule(object, run)
  }
}

function emptyElement(count: number, run: Run): void {
  if (count === 0)
    report(run, 'structure', '', 'The object is empty. Give it content or leave the element out.')
  else
    report(
      run,
      'invariant',
      '',
      'The element has an id and nothing else (ele-1). Give it content or leave it out.',
    )
}

/** ext-1: a value or extensions, not both. */
function extensionRule(extension: JsonObject, run: Run): void {
  let values = 0
  for (const name in extension) if (name.startsWith('value') || name.startsWith('_value')) values++
  const nested = extension.extension !== undefined
  if (nested && values > 0)
    report(
      run,
      'invariant',
      '',
      'The extension has both a value and extensions (ext-1). Keep one of the two.',
    )
  else if (!nested && values === 0)
    report(
      run,
      'invariant',
      '',
      'The extension has neither a value nor extensions (ext-1). Give it a value[x].',
    )
}

function compile(type: string, checkOf: TypeChecks, resources: ResourceChecks): Compiled {
  const elements = elementsOf(type)
  if (elements === undefined) throw new Error(`there is no type ${type}`)
  const slots = new Map<string, Slot>()
  let required = 0
  let next = 1
  for (const element of elements) {
    let bit = 0
    if (element.min > 0 || element.choice) {
      // 31 bits; the type with most such elements has 12.
      if (next <= 0) throw new Error(`${type} has too many required elements`)
      bit = next
      next <<= 1
    }
    if (element.min > 0) required |= bit
    const choice = element.choice ? element.name : undefined
    const place = fhirPathName(element)
    const many = element.max > 1
    for (const elementType of element.types) {
      const name = jsonName(element, elementType)
      if (!isPrimitive(elementType)) {
        const check = complexCheck(element, elementType, checkOf, resources)
        slots.set(name, { bit, choice, place, check: many ? manyObjects(check) : check })
        continue
      }
      slots.set(name, {
        bit,
        choice,
        place,
        check: primitiveCheck(elementType, name, many, element.valueSet),
      })
      // Ids and the url of an extension are plain values that cannot be extended.
      if (element.name !== 'id' && elementType !== 'xhtml' && !(type === 'Extension' && name === 'url'))
        slots.set(`_${name}`, { bit, choice, place, check: siblingCheck(name, many, checkOf('Element')) })
    }
  }
  return { slots, required, elements, isResource: elements.some(element => element.name === 'implicitRules') }
}

const fhirPathName = (element: ElementInfo): string =>
  `.${element.choice ? element.name.slice(0, -3) : element.name}`

function complexCheck(
  element: ElementInfo,
  type: string,
  checkOf: TypeChecks,
  resources: ResourceChecks,
): Check {
  if (type === 'Resource') {
    const check = element.name === 'contained' ? resources.contained : resources.nested
    return (value, run) => (isObject(value) ? check(value, run) : wrongKind(value, 'a resource', run))
  }
  const check = checkOf(type)
  const { targets, valueSet } = element
  const bound =
    valueSet !== undefined && (type === 'CodeableConcept' || type === 'Coding')
      ? conceptCheck(valueSet, type)
      : undefined
  return (value, run) => {
    if (!isObject(value)) return wrongKind(value, `an object (${type})`, run)
    const before = run.issues.length
    check(value, run)
    // What is malformed has been reported; what it points to or means cannot be judged.
    if (run.issues.length !== before) return
    if (type === 'Reference') checkReference(value, targets, run)
    else if (bound !== undefined) bound(value, run)
  }
}

function manyObjects(check: Check): Check {
  return (value, run) => {
    if (!Array.isArray(value)) {
      report(run, 'structure', '', 'This element may repeat, so that its value is an array. Put it into [ ].')
      return
    }
    if (value.length === 0) report(run, 'structure', '', 'The array is empty. Leave the element out instead.')
    for (let i = 0; i < value.length; i++) {
      const before = run.issues.length
      check(value[i]!, run)
      if (run.issues.length === before) continue
      prefix(run, before, `[${i}]`)
      if (isFull(run)) return
    }
  }
}

function wrongKind(value: Json, wanted: string, run: Run): void {
  if (Array.isArray(value))
    report(
      run,
      'structure',
      '',
      `This element does not repeat: its value is ${wanted}, not an array. Take it out of the [ ].`,
    )
  else report(run, 'structure', '', `The value must be ${wanted}.`)
}

function missing(seen: number, compiled: Compiled, run: Run): void {
  for (const element of compiled.elements) {
    if (element.min === 0) continue
    const names = element.types.map(type => jsonName(element, type))
    const bit = compiled.slots.get(names[0]!)!.bit
    if ((seen & bit) !== 0) continue
    report(
      run,
      'required',
      fhirPathName(element),
      `${element.name} is required and missing. Add ${listed(names)}.`,
    )
  }
}

function secondChoice(name: string, slot: Slot, owner: JsonObject, compiled: Compiled, run: Run): void {
  // A primitive and its sibling with the extensions are one value.
  const plain = (property: string): string => (property[0] === '_' ? property.slice(1) : property)
  const names = Object.keys(owner).filter(other => compiled.slots.get(other)?.choice === slot.choice)
  if (names.every(other => plain(other) === plain(name))) return
  report(run, 'structure', slot.place, `${slot.choice} has one value. Keep one of ${listed(names)}.`)
}

function unknownElement(name: string, type: string, compiled: Compiled, run: Run): void {
  const plain = name[0] === '_' ? name.slice(1) : name
  const choice = compiled.elements.find(element => element.choice && element.name === `${plain}[x]`)
  const near =
    choice === undefined
      ? closest(
          plain,
          [...compiled.slots.keys()].filter(known => known[0] !== '_'),
        )
      : undefined
  const advice =
    name[0] === '_' && compiled.slots.has(plain)
      ? `Write ${plain}, whose extensions stand in it`
      : choice !== undefined
        ? `Write ${listed(choice.types.map(of => jsonName(choice, of)))}`
        : near !== undefined
          ? `Did you mean ${near}?`
          : 'Leave it out, or use an extension'
  const place = /^[A-Za-z0-9_]{1,64}$/.test(name) ? `.${name}` : `.\`${name.slice(0, 64)}\``
  report(
    run,
    'structure',
    place,
    `${type} has no element ${quoted(name)}. ${advice}${advice.endsWith('?') ? '' : '.'}`,
  )
}
