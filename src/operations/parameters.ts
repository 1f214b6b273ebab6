/**
 * The parameters of an operation as they come in: in a URL, a form, or a Parameters resource.
 * https://hl7.org/fhir/R4/operations.html#request
 */
import { fhirError } from '../fhir/error.ts'
import { isObject, type Json, type JsonObject, NumberText } from '../fhir/json.ts'
import { CURSOR } from '../interactions/search.ts'
import type { Pairs } from '../interactions/written.ts'
import type { Call, ComplexType, InParameter, Operation, Parameters } from './operation.ts'

/** Parameters of one call; more mean nothing but work. */
const MOST = 1000

/** A parameter as it came in: a primitive value, an object, a resource, or parameters of its own. */
export interface Given {
  name: string
  value: string | JsonObject | { parts: readonly Given[] } | { resource: JsonObject }
  /** Where it stood: `Parameters.parameter[0]`, or `http.name`. */
  expression?: string
}

type Read = Pick<Call, 'texts' | 'trees' | 'parts' | 'pairs' | 'search' | 'cursor'>

/** Returns the parameters of a URL or a form. */
export const givenByPairs = (pairs: Pairs): Given[] =>
  pairs.flatMap(([name, value]) => (value === '' ? [] : [{ name, value }]))

/**
 * Returns the parameters of a Parameters resource, which is checked already where validation is on.
 *
 * Throws `structure` for a misshapen one.
 */
export const givenByResource = (resource: JsonObject): Given[] =>
  givenIn(resource.parameter, 'Parameters.parameter')

function givenIn(list: Json | undefined, place: string): Given[] {
  const parameters = list ?? []
  if (!Array.isArray(parameters) || !parameters.every(isObject))
    throw fhirError('structure', 'Parameters are a list of objects.', { expression: place })
  return parameters.map((one, index) => {
    const expression = `${place}[${index}]`
    const { name } = one
    if (typeof name !== 'string' || name === '')
      throw fhirError('required', 'A parameter has a name.', { expression: `${expression}.name` })
    const values = Object.keys(one).filter(member => /^(?:value[A-Z].*|resource|part)$/.test(member))
    const value = values.length === 1 ? valueIn(one, values[0]!, expression) : undefined
    if (value === undefined)
      throw fhirError('required', `The parameter ${name.slice(0, 64)} has one value[x], resource or part.`, {
        expression,
      })
    return { name, value, expression }
  })
}

function valueIn(one: JsonObject, member: string, expression: string): Given['value'] | undefined {
  if (member === 'part') return { parts: givenIn(one.part, `${expression}.part`) }
  if (member === 'resource') return isObject(one.resource) ? { resource: one.resource } : undefined
  return plain(one[member])
}

function plain(value: Json | undefined): string | JsonObject | undefined {
  if (typeof value === 'boolean') return String(value)
  if (value instanceof NumberText) return value.text
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? undefined : value
  // No parameter is of a type whose values have members of these names, by which Given tells its kinds apart.
  return isObject(value) && !('parts' in value) && !('resource' in value) ? value : undefined
}

/**
 * Returns the parameters by their kind.
 *
 * Throws `invalid` for a value of another type than the definition names, and for a parameter that stands too often; `required` for one that
 * is missing; `not-supported` for an unknown one, unless `lenient`.
 */
export function readParameters(operation: Operation, given: readonly Given[], lenient: boolean): Read {
  if (count(given) > MOST)
    throw fhirError('too-costly', `An operation takes ${MOST} parameters at most.`, { status: 400 })
  const pairs: [string, string][] = []
  const search: [string, string][] = []
  let cursor: string | undefined
  const known: Given[] = []
  for (const one of given) {
    const { name, value } = one
    if (operation.parameters.some(parameter => parameter.name === name)) {
      known.push(one)
      if (typeof value === 'string') pairs.push([name, value])
    } else if (name === CURSOR && operation.pages && typeof value === 'string') {
      if (cursor !== undefined) throw tooOften(one)
      cursor = value
    } else if (operation.searches && typeof value === 'string') {
      search.push([name, value])
      pairs.push([name, value])
    } else if (!lenient) throw unknown(`$${operation.name}`, operation.parameters, one)
  }
  return { ...byKind(`$${operation.name}`, operation.parameters, known, lenient), pairs, search, cursor }
}

const count = (given: readonly Given[]): number =>
  given.reduce((sum, { value }) => sum + 1 + (isParts(value) ? count(value.parts) : 0), 0)

/** `of` names what the parameters are of: `$expand`. */
function byKind(
  of: string,
  parameters: readonly InParameter[],
  given: readonly Given[],
  lenient: boolean,
): Parameters {
  const texts = new Map<string, string[]>()
  const trees = new Map<string, JsonObject[]>()
  const parts = new Map<string, Parameters[]>()
  for (const one of given) {
    const parameter = parameters.find(({ name }) => name === one.name)
    if (parameter === undefined) {
      if (lenient) continue
      throw unknown(of, parameters, one)
    }
    const { name, max } = parameter
    const already = texts.get(name) ?? trees.get(name) ?? parts.get(name)
    if (max === 1 && already !== undefined) throw tooOften(one)
    if (parameter.type === 'parts') {
      if (!isParts(one.value)) throw wrong(one, 'has parts, and no value')
      add(parts, name, byKind(`${of} ${name}`, parameter.parts ?? [], one.value.parts, lenient))
    } else {
      const value = checked(parameter, one)
      if (typeof value === 'string') add(texts, name, value)
      else add(trees, name, value)
    }
  }
  for (const { name, min } of parameters)
    if (min === 1 && !texts.has(name) && !trees.has(name) && !parts.has(name))
      throw fhirError('required', `${of} needs the parameter ${name}.`, { expression: `http.${name}` })
  return { texts, trees, parts }
}

function add<T>(map: Map<string, T[]>, name: string, value: T): void {
  const list = map.get(name)
  if (list === undefined) map.set(name, [value])
  else list.push(value)
}

const isParts = (value: Given['value']): value is { parts: readonly Given[] } =>
  typeof value === 'object' && Array.isArray((value as { parts?: unknown }).parts)

/** What the texts of some primitive types look like; others are taken as they are. */
const SYNTAX: Partial<Record<InParameter['type'], [RegExp, string]>> = {
  boolean: [/^(?:true|false)$/, 'is true or false'],
  integer: [/^(?:0|-?[1-9][0-9]{0,8})$/, 'is a whole number'],
  positiveInt: [/^[1-9][0-9]{0,8}$/, 'is a whole number of 1 or more'],
  uri: [/^\S+$/, 'is a URI, which has no spaces'],
  canonical: [/^\S+$/, 'is a canonical URL, which has no spaces'],
}

const COMPLEX: ReadonlySet<InParameter['type']> = new Set<ComplexType>([
  'CodeableConcept',
  'Coding',
  'Identifier',
  'Meta',
  'Period',
  'Reference',
  'Timing',
])

/** Returns the text or the tree of a value. Throws `invalid` for what is of another type. */
function checked({ type, resourceTypes, asText }: InParameter, given: Given): string | JsonObject {
  const { value } = given
  if (type === 'Resource') {
    if (typeof value === 'string' || isParts(value) || !('resource' in value))
      throw wrong(given, 'is a resource: `resource` of a Parameters resource')
    const { resource } = value as { resource: JsonObject }
    if (resourceTypes !== undefined && !resourceTypes.includes(String(resource.resourceType)))
      throw wrong(given, `is a ${resourceTypes.join(' or a ')}`)
    return resource
  }
  if (asText && typeof value === 'string') return { reference: value }
  if (COMPLEX.has(type)) {
    if (typeof value === 'string' || isParts(value) || 'resource' in value)
      throw wrong(given, `is a ${type}: value${type} of a Parameters resource`)
    return value as JsonObject
  }
  if (typeof value !== 'string') throw wrong(given, `is of the type ${type}`)
  const syntax = SYNTAX[type]
  if (syntax !== undefined && !syntax[0].test(value)) throw wrong(given, syntax[1])
  return value
}

const placeOf = ({ name, expression }: Given): string => expression ?? `http.${name}`

const wrong = (given: Given, why: string) =>
  fhirError('invalid', `${given.name} ${why}.`, { expression: placeOf(given) })

const tooOften = (given: Given) =>
  fhirError('invalid', `The parameter ${given.name} stands more than once.`, { expression: placeOf(given) })

function unknown(of: string, parameters: readonly InParameter[], { name, expression }: Given) {
  const known = parameters.map(one => one.name)
  const takes = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`
  return fhirError('not-supported', `${of} has no parameter ${name.slice(0, 64)}; ${takes}.`, {
    status: 400,
    expression: expression ?? 'http',
  })
}
