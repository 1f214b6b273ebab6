/** Reading of JSON trees that may hold anything: what is not of the kind that was asked for is not there. */
import { isObject, type Json, type JsonObject, NumberText } from '../../fhir/json.ts'

/** Returns the text of a string or number; undefined for others and for blank ones. */
export function text(of: JsonObject | undefined, name: string): string | undefined {
  const value = of?.[name]
  const found = value instanceof NumberText ? value.text : value
  return typeof found === 'string' && found.trim() !== '' ? found : undefined
}

/** Returns the object, or the first of several. */
export const one = (of: JsonObject | undefined, name: string): JsonObject | undefined => all(of, name)[0]

/** Returns the objects. */
export function all(of: JsonObject | undefined, name: string): JsonObject[] {
  const value = of?.[name]
  return (Array.isArray(value) ? value : [value]).filter((each): each is JsonObject => isObject(each))
}

/** Returns the texts of an array of strings. */
export function texts(of: JsonObject | undefined, name: string): string[] {
  const value = of?.[name]
  return Array.isArray(value) ? value.filter(isText) : isText(value) ? [value] : []
}

const isText = (value: Json | undefined): value is string => typeof value === 'string' && value.trim() !== ''

export const isTrue = (of: JsonObject | undefined, name: string): boolean => of?.[name] === true

/** Returns name and value of a choice: `choice(o, 'onset')` is `onsetDateTime` or whichever there is. */
export function choice(of: JsonObject, name: string): [member: string, value: Json] | undefined {
  for (const member in of)
    if (member.startsWith(name) && /^[A-Z]/.test(member.slice(name.length)) && of[member] !== undefined)
      return [member, of[member]!]
  return undefined
}

/** Returns what a table has for a code; nothing of its prototype. */
export const known = <Value>(
  table: Readonly<Record<string, Value>>,
  code: string | undefined,
): Value | undefined => (code !== undefined && Object.hasOwn(table, code) ? table[code] : undefined)

/** Returns the texts joined, those that there are; undefined where there is none. */
export function joined(parts: readonly (string | undefined)[], separator = ', '): string | undefined {
  const there = parts.filter(part => part !== undefined && part !== '')
  return there.length === 0 ? undefined : there.join(separator)
}
