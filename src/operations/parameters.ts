/**
 * The parameters of an operation as they come in: in a URL, a form, or a Parameters resource.
 * https://hl7.org/fhir/R4/operations.html#request
 */
import { fhirError } from '../fhir/error.ts'
import { isObject, type Json, type JsonObject, NumberText } from '../fhir/json.ts'
import { CURSOR } from '../interactions/search.ts'
import type { Pairs } from '../interactions/written.ts'
import type { Call, InParameter, Operation } from './operation.ts'

/** Parameters of one call; more mean nothing but work. */
const MOST = 1000

/** A parameter as it came in. */
export interface Given {
  name: string
  value: string | JsonObject
}

type Read = Pick<Call, 'texts' | 'trees' | 'pairs' | 'search' | 'cursor'>

/** Returns the parameters of a URL or a form. */
export const givenByPairs = (pairs: Pairs): Given[] =>
  pairs.flatMap(([name, value]) => (value === '' ? [] : [{ name, value }]))

/**
 * Returns the parameters of a Parameters resource, which is checked already where validation is on.
 *
 * Throws `structure` for a misshapen one, `not-supported` for parameters that are resources or have parts: no operation here takes any.
 */
export function givenByResource(resource: JsonObject): Given[] {
  const { parameter = [] } = resource
  if (!Array.isArray(parameter) || !parameter.every(isObject))
    throw fhirError('structure', 'parameter is a list of objects.', { expression: 'Parameters.parameter' })
  return parameter.map((one, index) => {
    const expression = `Parameters.parameter[${index}]`
    const { name } = one
    if (typeof name !== 'string' || name === '')
      throw fhirError('required', 'A parameter has a name.', { expression: `${expression}.name` })
    if (one.resource !== undefined || one.part !== undefined)
      throw fhirError('not-supported', 'No parameter here is a resource or has parts.', { expression })
    const values = Object.keys(one).filter(member => /^value[A-Z]/.test(member))
    const value = values.length === 1 ? plain(one[values[0]!]) : undefined
    if (value === undefined)
      throw fhirError('required', `The parameter ${name.slice(0, 64)} has one value[x].`, { expression })
    return { name, value }
  })
}

function plain(value: Json | undefined): string | JsonObject | undefined {
  if (typeof value === 'boolean') return String(value)
  if (value instanceof NumberText) return value.text
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? undefined : value
  return isObject(value) ? value : undefined
}

/**
 * Returns the parameters by their kind.
 *
 * Throws `invalid` for a value of another type than the definition names, and for a parameter that stands too often; `required` for one that
 * is missing; `not-supported` for an unknown one, unless `lenient`.
 */
export function readParameters(operation: Operation, given: readonly Given[], lenient: boolean): Read {
  if (given.length > MOST)
    throw fhirError('too-costly', `An operation takes ${MOST} parameters at most.`, { status: 400 })
  const texts = new Map<string, string[]>()
  const trees = new Map<string, JsonObject[]>()
  const pairs: [string, string][] = []
  const search: [string, string][] = []
  let cursor: string | undefined
  for (const { name, value } of given) {
    const parameter = operation.parameters.find(one => one.name === name)
    if (parameter === undefined) {
      const text = typeof value === 'string' ? value : undefined
      if (name === CURSOR && operation.pages && text !== undefined) {
        if (cursor !== undefined) throw tooOften(name)
        cursor = text
      } else if (operation.searches && text !== undefined) {
        search.push([name, text])
        pairs.push([name, text])
      } else if (!lenient) throw unknown(operation, name)
      continue
    }
    const known = texts.get(name)?.length ?? trees.get(name)?.length ?? 0
    if (parameter.max === 1 && known > 0) throw tooOften(name)
    const text = checked(parameter, value)
    if (text === undefined) trees.set(name, [...(trees.get(name) ?? []), value as JsonObject])
    else {
      texts.set(name, [...(texts.get(name) ?? []), text])
      pairs.push([name, text])
    }
  }
  for (const { name, min } of operation.parameters)
    if (min === 1 && !texts.has(name) && !trees.has(name))
      throw fhirError('required', `$${operation.name} needs the parameter ${name}.`, {
        expression: `http.${name}`,
      })
  return { texts, trees, pairs, search, cursor }
}

/** Returns the text of a primitive value, undefined for an object where one is wanted. Throws `invalid` for what is of another type. */
function checked({ name, type }: InParameter, value: string | JsonObject): string | undefined {
  const wrong = (why: string) => fhirError('invalid', `${name} ${why}.`, { expression: `http.${name}` })
  if (type === 'Meta') {
    if (typeof value === 'string') throw wrong('is a Meta: valueMeta of a Parameters resource')
    return undefined
  }
  if (typeof value !== 'string') throw wrong(`is of the type ${type}`)
  if (type === 'positiveInt' && !/^[1-9][0-9]{0,8}$/.test(value))
    throw wrong('is a whole number of 1 or more')
  if (type === 'integer' && !/^(?:0|-?[1-9][0-9]{0,8})$/.test(value)) throw wrong('is a whole number')
  return value
}

const tooOften = (name: string) =>
  fhirError('invalid', `The parameter ${name} stands more than once.`, { expression: `http.${name}` })

function unknown(operation: Operation, name: string) {
  const known = operation.parameters.map(one => one.name)
  const takes = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`
  return fhirError('not-supported', `$${operation.name} has no parameter ${name.slice(0, 64)}; ${takes}.`, {
    status: 400,
    expression: 'http',
  })
}
