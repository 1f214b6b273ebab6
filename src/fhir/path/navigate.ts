/**
 * From a value to its children: by name, all of them, and all below.
 * https://hl7.org/fhir/R4/fhirpath.html#polymorphism, https://hl7.org/fhir/R4/json.html#primitive
 */
import { isObject, type Json, type JsonObject, NumberText } from '../json.ts'
import { type Environment, spend } from './environment.ts'
import { pathFault } from './fault.ts'
import { type Member, memberAt, membersOf } from './types.ts'
import { kindOf, type PathValue } from './value.ts'

/** Puts the children under one name into `out`. */
export type Step = (from: PathValue, out: PathValue[], env: Environment) => void

const EXTENSION: Member = { name: 'extension', key: 'extension', sibling: undefined, type: 'Extension' }
const ID: Member = { name: 'id', key: 'id', sibling: undefined, type: 'string' }

/** Properties that are looked at in one step. */
const MANY = 64

/** Returns the step to a name. It remembers the last type that it was on, since most expressions stay on one. */
export function stepTo(name: string): Step {
  let type: string | undefined
  let members: readonly Member[] | null | undefined
  return (from, out, env) => {
    const { value } = from
    if (typeof value !== 'object' || value === null || value instanceof NumberText)
      return primitiveStep(from, name, out, env)
    if (Array.isArray(value)) return
    if (from.type !== type) {
      type = from.type
      members = membersOf(type, name)
    }
    if (members === undefined) return unknownStep(value, from.type, name, out)
    if (members === null) {
      if (env.strict === true) throw pathFault(`${type} has no element ${name}`)
      return
    }
    if (members.length === 1) return put(value, members[0]!, out)
    let looked = 0
    for (const key in value) {
      looked++
      const member = memberAt(from.type, key.charCodeAt(0) === 95 ? key.slice(1) : key)
      // A choice without value but with extensions stands under its `_` name alone.
      if (member?.name === name && (member.key === key || value[member.key] === undefined))
        put(value, member, out)
    }
    if (looked > MANY) spend(env, looked)
  }
}

/** Puts what an object holds of an element. */
function put(object: JsonObject, { key, sibling, type }: Member, out: PathValue[]): void {
  const value = object[key]
  const beside = sibling === undefined ? undefined : object[sibling]
  if (value === undefined && beside === undefined) return
  if (Array.isArray(value) || Array.isArray(beside)) {
    const values = Array.isArray(value) ? value : []
    const sides = Array.isArray(beside) ? beside : []
    const length = Math.max(values.length, sides.length)
    for (let i = 0; i < length; i++) {
      const side = sides[i]
      putOne(values[i] ?? null, type, isObject(side) ? side : undefined, out)
    }
  } else putOne(value ?? null, type, isObject(beside) ? beside : undefined, out)
}

function putOne(value: Json, type: string, sibling: JsonObject | undefined, out: PathValue[]): void {
  if (value === null && sibling === undefined) return
  out.push({ value, type: type === 'Resource' ? resourceType(value) : type, sibling })
}

/** A resource's type is what it says, be it known or not. */
function resourceType(value: Json): string {
  return isObject(value) && typeof value.resourceType === 'string' ? value.resourceType : 'Resource'
}

function primitiveStep(from: PathValue, name: string, out: PathValue[], env: Environment): void {
  const { value, sibling } = from
  if (name === 'value') {
    const kind = value === null ? undefined : kindOf(from)
    if (kind !== undefined) out.push({ value, type: `System.${kind}`, sibling: undefined })
  } else if (name === 'extension' || name === 'id') {
    if (sibling !== undefined) put(sibling, name === 'id' ? ID : EXTENSION, out)
  } else if (env.strict === true && from.type !== '') throw pathFault(`${from.type} has no element ${name}`)
}

/** Of a value whose type nobody defines here: properties by their names. */
function unknownStep(value: JsonObject, type: string, name: string, out: PathValue[]): void {
  const system = type === 'System.Quantity' || type === 'System.TypeInfo'
  if (!Object.hasOwn(value, name) && !Object.hasOwn(value, `_${name}`)) return
  put(value, unknownMember(name, system), out)
}

const unknownMember = (key: string, system: boolean): Member => {
  if (system)
    return { name: key, key, sibling: undefined, type: key === 'value' ? 'System.Decimal' : 'System.String' }
  if (key === 'extension' || key === 'modifierExtension') return { ...EXTENSION, key }
  return {
    name: key,
    key,
    sibling: `_${key}`,
    type: key === 'resource' || key === 'contained' ? 'Resource' : '',
  }
}

/** Puts all children of a value, in the order of its text. */
export function putChildren(from: PathValue, out: PathValue[]): void {
  const { value, type, sibling } = from
  if (!isObject(value)) {
    if (sibling === undefined || Array.isArray(value)) return
    put(sibling, ID, out)
    put(sibling, EXTENSION, out)
    return
  }
  for (const key in value) {
    if (key === 'resourceType') continue
    const plain = key.charCodeAt(0) === 95 ? key.slice(1) : key
    if (plain !== key && value[plain] !== undefined) continue
    put(value, memberAt(type, plain) ?? unknownMember(plain, type.startsWith('System.')), out)
  }
}

/** Puts all that is below a value, level by level within each child. */
export function putDescendants(from: PathValue, out: PathValue[], env: Environment): void {
  const start = out.length
  putChildren(from, out)
  const end = out.length
  spend(env, 1 + end - start)
  for (let i = start; i < end; i++) putDescendants(out[i]!, out, env)
}

/** Returns how many children a value has. */
export function countChildren({ value, sibling }: PathValue): number {
  const object = isObject(value) ? value : Array.isArray(value) ? undefined : sibling
  if (object === undefined) return 0
  let count = 0
  for (const key in object) {
    if (key === 'resourceType') continue
    const child = object[key]
    if (key.charCodeAt(0) === 95) {
      if (object[key.slice(1)] === undefined) count += Array.isArray(child) ? child.length : 1
    } else count += Array.isArray(child) ? child.length : 1
  }
  return count
}
