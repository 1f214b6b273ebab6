/**
 * FHIRPath Patch: add, insert, delete, replace and move, as a Parameters resource says them.
 * https://hl7.org/fhir/R4/fhirpatch.html
 */
import { type ElementInfo, isPrimitive, jsonName } from '../fhir/definitions/types.ts'
import { fhirError } from '../fhir/error.ts'
import { copyJson, isObject, type Json, type JsonObject, NumberText, type Resource } from '../fhir/json.ts'
import { parsePatchPath, type Step } from './patch-path.ts'
import { elementNamed, holderOf, type Slot, walk } from './patch-slot.ts'
import { type PatchWork, patchWork, spendMoves } from './patch-work.ts'

type Fail = (why: string) => Error

/** A value, what stands beside it where it is a primitive with extensions, and its type in the spelling of `value[x]`. */
interface Given {
  value: Json | undefined
  beside: Json | undefined
  suffix: string | undefined
}

interface Operation {
  type: 'add' | 'insert' | 'delete' | 'replace' | 'move'
  path: string
  name: string | undefined
  value: JsonObject | undefined
  index: number | undefined
  source: number | undefined
  destination: number | undefined
  expression: string
}

/**
 * Changes `resource` as the patch says, and returns it; it is half changed where it throws.
 *
 * Throws `invalid` (400) for a Parameters resource that is no patch and for paths that are not understood, `processing` (422) where an
 * operation cannot be done; the expression names the operation.
 */
export function applyFhirPathPatch(resource: Resource, patch: Json): Resource {
  const work = patchWork()
  for (const operation of readOperations(patch)) {
    const { type, expression } = operation
    const fail: Fail = why =>
      fhirError('processing', `The operation (${type}) cannot be done: ${why}.`, { expression, status: 422 })
    const steps = parsePatchPath(operation.path, resource.resourceType, expression)
    const root: Slot = {
      holder: undefined,
      name: '',
      index: undefined,
      type: resource.resourceType,
      element: undefined,
      value: resource,
    }
    if (type === 'insert' || type === 'move') changeList(root, steps, operation, fail, work)
    else if (type === 'add') add(one(root, steps, fail, work), operation, fail)
    else if (steps.length === 0) throw fail('it would change the whole resource')
    else if (type === 'replace') replace(one(root, steps, fail, work), operation, fail)
    else {
      const slots = walk([root], steps, fail, work)
      if (slots.length > 1) throw fail('the path leads to several elements')
      // R4 asks to delete the element "if found".
      if (slots.length === 1) remove(slots[0]!)
    }
  }
  return resource
}

function one(root: Slot, steps: readonly Step[], fail: Fail, work: PatchWork): Slot {
  const slots = walk([root], steps, fail, work)
  if (slots.length === 0) throw fail('the path leads to no element')
  if (slots.length > 1) throw fail('the path leads to several elements')
  return slots[0]!
}

function add(slot: Slot, operation: Operation, fail: Fail): void {
  const element = elementNamed(isPrimitive(slot.type) ? 'Element' : slot.type, operation.name!)
  if (element === undefined) throw fail(`${slot.type} has no element ${operation.name}`)
  const holder = holderOf(slot) ?? makeBeside(slot, fail)
  put(holder, element, operation.name!, operation.value!, fail)
}

/** Returns the object beside a primitive, where its id and extensions go. */
function makeBeside(slot: Slot, fail: Fail): JsonObject {
  if (!isPrimitive(slot.type) || slot.holder === undefined) throw fail(`${slot.type} holds no elements`)
  const beside: JsonObject = {}
  const name = `_${slot.name}`
  if (slot.index === undefined) slot.holder[name] = beside
  else aligned(slot.holder, slot.name)[slot.index] = beside
  return beside
}

/** Returns the list beside a list of primitives, as long as that. */
function aligned(holder: JsonObject, name: string): Json[] {
  const values = holder[name]
  const known = holder[`_${name}`]
  const beside = Array.isArray(known) ? known : []
  holder[`_${name}`] = beside
  while (Array.isArray(values) && beside.length < values.length) beside.push(null)
  return beside
}

/** Puts a value where an element was not, or at the end of its list. */
function put(holder: JsonObject, element: ElementInfo, asked: string, part: JsonObject, fail: Fail): void {
  const given = givenBy(part, element, fail)
  const name = memberName(element, asked, given, fail)
  if (element.max > 1) {
    const list = holder[name]
    insertAt(holder, name, Array.isArray(list) ? list.length : 0, given)
    return
  }
  const taken = element.types.map(type => jsonName(element, type))
  if (taken.some(other => holder[other] !== undefined || holder[`_${other}`] !== undefined))
    throw fail(`${element.name} is there already and does not repeat`)
  set(holder, name, given)
}

function replace(slot: Slot, operation: Operation, fail: Fail): void {
  const { holder, name, index, element } = slot as Slot & { holder: JsonObject; element: ElementInfo }
  const given = givenBy(operation.value!, element, fail)
  const to = memberName(element, name, given, fail, true)
  if (index === undefined) {
    if (to !== name) {
      delete holder[name]
      delete holder[`_${name}`]
    }
    set(holder, to, given)
    return
  }
  ;(holder[name] as Json[])[index] = given.value ?? null
  if (given.beside !== undefined || holder[`_${name}`] !== undefined)
    aligned(holder, name)[index] = given.beside ?? null
  tidy(holder, name)
}

function remove(slot: Slot): void {
  const { holder, name, index } = slot as Slot & { holder: JsonObject }
  if (index === undefined) {
    delete holder[name]
    delete holder[`_${name}`]
    return
  }
  for (const member of [name, `_${name}`]) {
    const list = holder[member]
    if (Array.isArray(list)) list.splice(index, 1)
  }
  tidy(holder, name)
}

/** Takes away lists that have become empty, and the list beside one where nothing is left in it. */
function tidy(holder: JsonObject, name: string): void {
  const beside = holder[`_${name}`]
  if (Array.isArray(beside) && beside.every(item => item === null)) delete holder[`_${name}`]
  const list = holder[name]
  if (Array.isArray(list) && list.every(item => item === null)) delete holder[name]
}

function changeList(
  root: Slot,
  steps: readonly Step[],
  operation: Operation,
  fail: Fail,
  work: PatchWork,
): void {
  const last = steps.at(-1)
  if (last?.is !== 'name') throw fail('the path must end with the name of a list')
  const parent = one(root, steps.slice(0, -1), fail, work)
  const element = elementNamed(isPrimitive(parent.type) ? 'Element' : parent.type, last.name)
  if (element === undefined) throw fail(`${parent.type} has no element ${last.name}`)
  if (element.max <= 1) throw fail(`${element.name} does not repeat`)
  const holder = holderOf(parent) ?? makeBeside(parent, fail)
  const { name } = element
  const known = holder[name]
  const list = Array.isArray(known) ? known : []
  spendMoves(work, 2 * list.length, fail)
  if (operation.type === 'insert') {
    const index = operation.index!
    if (index > list.length) throw fail(`the list has ${list.length} items`)
    insertAt(holder, name, index, givenBy(operation.value!, element, fail))
    return
  }
  const [source, destination] = [operation.source!, operation.destination!]
  if (source >= list.length || destination >= list.length) throw fail(`the list has ${list.length} items`)
  for (const one of holder[`_${name}`] === undefined ? [list] : [list, aligned(holder, name)])
    one.splice(destination, 0, ...one.splice(source, 1))
}

function insertAt(holder: JsonObject, name: string, index: number, given: Given): void {
  const known = holder[name]
  const list = Array.isArray(known) ? known : []
  holder[name] = list
  const hasBeside = given.beside !== undefined || holder[`_${name}`] !== undefined
  if (hasBeside) aligned(holder, name).splice(index, 0, given.beside ?? null)
  list.splice(index, 0, given.value ?? null)
}

function set(holder: JsonObject, name: string, given: Given): void {
  if (given.value === undefined) delete holder[name]
  else holder[name] = given.value
  if (given.beside === undefined) delete holder[`_${name}`]
  else holder[`_${name}`] = given.beside
}

/** Returns the JSON name that a value takes: for a choice that of the value's type. `replacing`: the type may become another one. */
function memberName(
  element: ElementInfo,
  asked: string,
  given: Given,
  fail: Fail,
  replacing = false,
): string {
  if (!element.choice) return element.name
  const base = element.name.slice(0, -3)
  const exact = element.types.map(type => jsonName(element, type))
  if (asked !== base && !replacing && given.suffix !== undefined && asked !== base + given.suffix)
    throw fail(`a value of another type was given for ${asked}`)
  const name = given.suffix === undefined ? asked : base + given.suffix
  if (!exact.includes(name)) throw fail(`${element.name} takes no value of this type`)
  return name
}

/** Returns the value that a part holds: value[x], a resource, or an object built of parts. */
function givenBy(part: JsonObject, element: ElementInfo, fail: Fail): Given {
  const names = Object.keys(part).filter(name => /^_?value[A-Z]/.test(name))
  const plain = names.find(name => name[0] === 'v')
  const beside = names.find(name => name[0] === '_')
  if (plain !== undefined || beside !== undefined)
    return {
      value: plain === undefined ? undefined : copyJson(part[plain]!),
      beside: beside === undefined ? undefined : copyJson(part[beside]!),
      suffix: plain?.slice(5) ?? beside?.slice(6),
    }
  if (part.resource !== undefined)
    return { value: copyJson(part.resource), beside: undefined, suffix: undefined }
  if (!Array.isArray(part.part)) throw fail('there is no value')
  const type = element.types[0]!
  if (element.choice || isPrimitive(type)) throw fail(`${element.name} is not built of parts`)
  const object: JsonObject = {}
  for (const below of part.part) {
    const name = isObject(below) ? below.name : undefined
    const member = typeof name === 'string' ? elementNamed(type, name) : undefined
    if (member === undefined) throw fail(`${type} has no such element as a part names`)
    put(object, member, name as string, below as JsonObject, fail)
  }
  return { value: object, beside: undefined, suffix: undefined }
}

const TYPES = ['add', 'insert', 'delete', 'replace', 'move'] as const
const NEEDS: Record<Operation['type'], readonly (keyof Operation)[]> = {
  add: ['name', 'value'],
  insert: ['value', 'index'],
  delete: [],
  replace: ['value'],
  move: ['source', 'destination'],
}

function readOperations(patch: Json): Operation[] {
  if (!isObject(patch) || patch.resourceType !== 'Parameters')
    throw fhirError('invalid', 'A FHIRPath Patch is a Parameters resource.')
  const parameters = patch.parameter ?? []
  if (!Array.isArray(parameters))
    throw fhirError('invalid', 'parameter must be a list.', { expression: 'Parameters' })
  return parameters.map((parameter, at) => readOperation(parameter, `Parameters.parameter[${at}]`))
}

function readOperation(parameter: Json, expression: string): Operation {
  const malformed = (why: string) =>
    fhirError('invalid', `The operation is malformed: ${why}.`, { expression })
  if (!isObject(parameter) || parameter.name !== 'operation') throw malformed('its name must be operation')
  const parts = new Map<string, JsonObject>()
  for (const part of Array.isArray(parameter.part) ? parameter.part : []) {
    const name = isObject(part) ? part.name : undefined
    if (!isObject(part) || typeof name !== 'string') throw malformed('a part has no name')
    if (!['type', 'path', 'name', 'value', 'index', 'source', 'destination'].includes(name))
      throw malformed(`there is no part ${name.slice(0, 40)}`)
    if (parts.has(name)) throw malformed(`the part ${name} stands twice`)
    parts.set(name, part)
  }
  const text = (name: string): string | undefined => {
    const part = parts.get(name)
    if (part === undefined) return undefined
    const value = part.valueString ?? part.valueCode
    if (typeof value !== 'string') throw malformed(`${name} must be a valueString`)
    return value
  }
  const whole = (name: string): number | undefined => {
    const part = parts.get(name)
    if (part === undefined) return undefined
    const value = part.valueInteger ?? part.valueUnsignedInt ?? part.valuePositiveInt
    if (!(value instanceof NumberText) || !/^[0-9]{1,9}$/.test(value.text))
      throw malformed(`${name} must be a valueInteger of 0 or more`)
    return Number(value.text)
  }
  const type = TYPES.find(one => one === text('type'))
  const path = text('path')
  if (type === undefined) throw malformed('type must be add, insert, delete, replace or move')
  if (path === undefined) throw malformed('path is missing')
  const operation: Operation = {
    type,
    path,
    name: text('name'),
    value: parts.get('value'),
    index: whole('index'),
    source: whole('source'),
    destination: whole('destination'),
    expression,
  }
  const missing = NEEDS[type].find(part => operation[part] === undefined)
  if (missing !== undefined) throw malformed(`${missing} is missing`)
  return operation
}
