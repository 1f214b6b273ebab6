/**
 * Fixed and pattern values, least and greatest values, and lengths.
 * https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_
 */
import { isObject, type Json, type JsonObject, NumberText, writeJson } from '../../json.ts'
import { compareNumbers, decimalsOf } from '../../path/number.ts'
import { compareQuantities, type Quantity } from '../../path/quantity.ts'
import { compareTemporals, readTemporal } from '../../path/temporal.ts'

/** Returns whether two values are equal in every part; decimals have a precision, so that 1.0 is not 1.00. */
export function equals(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (a instanceof NumberText || b instanceof NumberText)
    return a instanceof NumberText && b instanceof NumberText && sameNumber(a.text, b.text)
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => equals(one, b[i]))
    )
  if (!isObject(a) || !isObject(b)) return false
  const names = Object.keys(a).filter(name => a[name] !== undefined)
  if (names.length !== Object.keys(b).filter(name => b[name] !== undefined).length) return false
  return names.every(name => Object.hasOwn(b, name) && equals(a[name], b[name]))
}

const sameNumber = (a: string, b: string): boolean =>
  a === b || (compareNumbers(a, b) === 0 && decimalsOf(a) === decimalsOf(b))

/** Returns whether a value holds at least what the pattern holds; of a list, each part of the pattern's list somewhere. */
export function matches(value: Json | undefined, pattern: Json): boolean {
  if (Array.isArray(pattern))
    return Array.isArray(value) && pattern.every(part => value.some(one => matches(one, part)))
  if (isObject(pattern)) {
    if (!isObject(value)) return false
    for (const name in pattern) {
      const part = pattern[name]
      if (part !== undefined && !(Object.hasOwn(value, name) && matches(value[name], part))) return false
    }
    return true
  }
  return equals(value, pattern)
}

/** Returns the first way below the value where it lacks what the pattern holds, with what is wanted there. */
export function firstDifference(
  value: Json | undefined,
  wanted: Json,
  exact: boolean,
): { below: string; wanted: Json | undefined } {
  if (isObject(wanted) && isObject(value)) {
    for (const name in wanted) {
      const part = wanted[name]
      if (part === undefined || (exact ? equals(value[name], part) : matches(value[name], part))) continue
      const deeper = firstDifference(value[name], part, exact)
      return { below: `.${name}${deeper.below}`, wanted: deeper.wanted }
    }
    if (exact)
      for (const name in value)
        if (value[name] !== undefined && wanted[name] === undefined)
          return { below: `.${name}`, wanted: undefined }
  }
  if (Array.isArray(wanted) && Array.isArray(value) && value.length === 1 && wanted.length === 1) {
    const deeper = firstDifference(value[0], wanted[0]!, exact)
    return { below: `[0]${deeper.below}`, wanted: deeper.wanted }
  }
  return { below: '', wanted }
}

/** Returns a value for a sentence, cut where it is long. */
export function shown(value: Json | undefined): string {
  const text = value === undefined ? 'nothing' : writeJson(value)
  return text.length > 160 ? `${text.slice(0, 160)}...` : text
}

/**
 * Returns below 0, 0 or above 0 for two values of a type that has an order: numbers, dates and times, quantities whose units measure the
 * same. Undefined where they cannot be compared, as `2020` and `2020-05`.
 */
export function compare(value: Json | undefined, limit: Json): number | undefined {
  if (value instanceof NumberText && limit instanceof NumberText)
    return compareNumbers(value.text, limit.text)
  if (isObject(value) && isObject(limit)) return compareMeasured(value, limit)
  if (typeof value !== 'string' || typeof limit !== 'string') return undefined
  const isTime = limit.charAt(2) === ':'
  const [a, b] = [readTemporal(value, isTime), readTemporal(limit, isTime)]
  return a === undefined || b === undefined ? undefined : compareTemporals(a, b)
}

const UCUM = 'http://unitsofmeasure.org'

function compareMeasured(a: JsonObject, b: JsonObject): number | undefined {
  if (!(a.value instanceof NumberText && b.value instanceof NumberText)) return undefined
  if (a.system !== b.system || (a.system !== UCUM && a.code !== b.code)) return undefined
  if (typeof a.code !== 'string' || typeof b.code !== 'string' || a.code === b.code)
    return a.code === b.code ? compareNumbers(a.value.text, b.value.text) : undefined
  const [left, right] = [a, b].map(({ value, code }) => ({
    value: (value as NumberText).text,
    unit: code as string,
    calendar: undefined,
  })) as [Quantity, Quantity]
  return compareQuantities(left, right)
}
