/**
 * `=` and `~` of values and of collections, and keys that equal values have in common.
 * http://hl7.org/fhirpath/N1/#equality
 */
import { decimalKey } from '../../lib/decimal.ts'
import { isObject, type Json, NumberText } from '../json.ts'
import { type Environment, spend, spendOn } from './environment.ts'
import { compareNumbers, decimalsOf, roundTo } from './number.ts'
import { compareQuantities, equivalentQuantities, quantityKey, quantityOf } from './quantity.ts'
import { compareTemporals, readTemporal, temporalKey } from './temporal.ts'
import { type Kind, kindOf, type PathValue, type Values } from './value.ts'

const isNumber = (kind: Kind): boolean => kind === 'Integer' || kind === 'Decimal'
const isDate = (kind: Kind): boolean => kind === 'Date' || kind === 'DateTime'

/** Returns whether two values are equal; undefined where the precision of a date, or a unit, does not tell. */
export function equalValues(a: PathValue, b: PathValue, env: Environment): boolean | undefined {
  const [x, y] = [a.value, b.value]
  if (typeof x === 'boolean' || typeof y === 'boolean') return x === y
  spendOn(a, env)
  const [left, right] = [kindOf(a), kindOf(b)]
  if (left === 'String' && right === 'String') return x === y
  if (isNumber(left) && isNumber(right))
    return compareNumbers((x as NumberText).text, (y as NumberText).text) === 0
  if (left === undefined || right === undefined)
    return left === right && (x === y || keyOf(a, env) === keyOf(b, env))
  if ((isDate(left) && isDate(right)) || (left === 'Time' && right === 'Time')) {
    const compared = compareDates(a, b, left === 'Time')
    return compared === undefined ? undefined : compared === 0
  }
  if (left === 'Quantity' || right === 'Quantity') return equalQuantities(a, b, env)
  // A date against a string that is none: they are equal where their texts are.
  return typeof x === 'string' && typeof y === 'string' ? x === y : false
}

function equalQuantities(a: PathValue, b: PathValue, env: Environment): boolean | undefined {
  const [left, right] = [quantityOf(a), quantityOf(b)]
  if (left === undefined || right === undefined)
    return isObject(a.value) && isObject(b.value) && keyOf(a, env) === keyOf(b, env)
  const compared = compareQuantities(left, right)
  return compared === undefined ? undefined : compared === 0
}

/** Returns the order of two dates or two times; undefined where their precision does not tell, or the text is none. */
export function compareDates(a: PathValue, b: PathValue, isTime: boolean): number | undefined {
  const [left, right] = [readTemporal(a.value as string, isTime), readTemporal(b.value as string, isTime)]
  return left === undefined || right === undefined ? undefined : compareTemporals(left, right)
}

/** Returns a text that a value has in common with those that it equals. */
export function keyOf(value: PathValue, env: Environment): string {
  spend(env, 1)
  spendOn(value, env)
  const kind = kindOf(value)
  const json = value.value
  switch (kind) {
    case 'Boolean':
      return json === true ? 'b1' : 'b0'
    case 'String':
      return `s${json as string}`
    case 'Integer':
    case 'Decimal':
      return `n${decimalKey((json as NumberText).text)}`
    case 'Date':
    case 'DateTime':
    case 'Time': {
      const temporal = readTemporal(json as string, kind === 'Time')
      return temporal === undefined
        ? `s${json as string}`
        : `${kind === 'Time' ? 't' : 'd'}${temporalKey(temporal)}`
    }
    case 'Quantity': {
      const quantity = quantityOf(value)
      if (quantity !== undefined) return `q${quantityKey(quantity)}`
      break
    }
  }
  return json === null ? `x${treeKey(value.sibling ?? null, env, false)}` : treeKey(json, env, false)
}

/** The same text for trees that differ in the order of properties and in zeros of numbers only; `loose`: in case and the order of lists too. */
function treeKey(json: Json, env: Environment, loose: boolean): string {
  spend(env, 1)
  if (typeof json === 'string') {
    spend(env, json.length >> 6)
    return JSON.stringify(loose ? normal(json) : json)
  }
  if (json instanceof NumberText) return decimalKey(json.text)
  if (Array.isArray(json)) {
    const keys = json.map(item => treeKey(item, env, loose))
    return `[${(loose ? keys.sort() : keys).join()}]`
  }
  if (!isObject(json)) return String(json)
  const names = Object.keys(json).filter(name => json[name] !== undefined && !(loose && name === 'id'))
  return `{${names
    .sort()
    .map(name => `${JSON.stringify(name)}:${treeKey(json[name]!, env, loose)}`)
    .join()}}`
}

/** Returns whether two collections are equal, item by item; undefined where one is empty. */
export function equalCollections(a: Values, b: Values, env: Environment): boolean | undefined {
  if (a.length === 0 || b.length === 0) return undefined
  if (a.length !== b.length) return false
  let result: boolean | undefined = true
  for (let i = 0; i < a.length; i++) {
    spend(env, 1)
    const equal = equalValues(a[i]!, b[i]!, env)
    if (equal === false) return false
    if (equal === undefined) result = undefined
  }
  return result
}

const normal = (text: string): string => text.trim().replace(/\s+/g, ' ').toLowerCase()

function equivalentValues(a: PathValue, b: PathValue, env: Environment): boolean {
  spendOn(a, env)
  spendOn(b, env)
  const [left, right] = [kindOf(a), kindOf(b)]
  const [x, y] = [a.value, b.value]
  if (left === 'String' && right === 'String') return normal(x as string) === normal(y as string)
  if (isNumber(left) && isNumber(right))
    return equivalentNumbers((x as NumberText).text, (y as NumberText).text)
  if (left === 'Quantity' && right === 'Quantity') {
    const [m, n] = [quantityOf(a), quantityOf(b)]
    if (m !== undefined && n !== undefined) return equivalentQuantities(m, n)
  }
  if (left === undefined && right === undefined && x !== null && y !== null)
    return treeKey(x, env, true) === treeKey(y, env, true)
  return equalValues(a, b, env) === true
}

function equivalentNumbers(a: string, b: string): boolean {
  const places = Math.min(decimalsOf(a), decimalsOf(b))
  const [left, right] = [roundTo(a, places, 'nearest'), roundTo(b, places, 'nearest')]
  return left !== undefined && right !== undefined && compareNumbers(left, right) === 0
}

/** Returns whether two collections are equivalent, whatever their order. */
export function equivalentCollections(a: Values, b: Values, env: Environment): boolean {
  if (a.length !== b.length) return false
  if (a.length === 1) return equivalentValues(a[0]!, b[0]!, env)
  const left = [...b]
  for (const value of a) {
    spend(env, left.length)
    const at = left.findIndex(other => equivalentValues(value, other, env))
    if (at < 0) return false
    left.splice(at, 1)
  }
  return true
}

/** Returns the values without those that equal an earlier one. */
export function distinct(values: Values, env: Environment): Values {
  if (values.length < 2) return values
  const seen = new Set<string>()
  return values.filter(value => {
    const key = keyOf(value, env)
    return seen.has(key) ? false : seen.add(key)
  })
}
