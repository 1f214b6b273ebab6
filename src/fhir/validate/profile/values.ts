/**
 * Fixed and pattern values, least and greatest values, and lengths.
 * https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_
 */
import { isObject, type Json, type JsonObject, NumberText, writeJson } from '../../json.ts'

/** Returns whether two values are equal in every part; decimals are, where their text is. */
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

const sameNumber = (a: string, b: string): boolean => a === b || (Number(a) === Number(b) && a.length < 16)

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

/** Returns the text of a primitive value. */
export function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (value instanceof NumberText) return value.text
  return typeof value === 'boolean' ? String(value) : undefined
}

/**
 * Returns below 0, 0 or above 0 for two values of a type that has an order: numbers, dates and times, quantities of one unit. Undefined
 * where they cannot be compared, as `2020` and `2020-05`.
 */
export function compare(value: Json | undefined, limit: Json): number | undefined {
  if (value instanceof NumberText && limit instanceof NumberText)
    return Number(value.text) - Number(limit.text)
  if (isObject(value) && isObject(limit)) {
    if (unitOf(value) !== unitOf(limit)) return undefined
    return value.value === undefined || limit.value === undefined
      ? undefined
      : compare(value.value, limit.value)
  }
  if (typeof value !== 'string' || typeof limit !== 'string') return undefined
  const [a, b] = [momentOf(value), momentOf(limit)]
  if (a === undefined || b === undefined || a.precision !== b.precision) return undefined
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

const unitOf = (quantity: JsonObject): string =>
  `${textOf(quantity.system) ?? ''}|${textOf(quantity.code) ?? ''}`

function momentOf(text: string): { key: string; precision: number } | undefined {
  if (/^\d{2}:\d{2}:\d{2}/.test(text)) return { key: text, precision: 8 }
  const day = /^\d{4}(?:-\d{2}(?:-\d{2})?)?$/.exec(text)
  if (day !== null) return { key: text, precision: text.length }
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : { key: new Date(ms).toISOString(), precision: 24 }
}
