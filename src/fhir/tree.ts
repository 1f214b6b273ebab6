/** Reading of trees whose structure is only partly known: every access says what it takes, and takes nothing else. */
import { isObject, type Json, type JsonObject, NumberText } from './json.ts'

/** Returns the objects at a member: of a list all that are objects, of an object itself. */
export function objects(value: Json | undefined): JsonObject[] {
  if (Array.isArray(value)) return value.filter(isObject)
  return isObject(value) ? [value] : []
}

export const object = (value: Json | undefined): JsonObject | undefined => objects(value)[0]

/** Returns a text or number as text; undefined for all else. */
export function text(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (value instanceof NumberText) return value.text
  return typeof value === 'boolean' ? String(value) : undefined
}

/** Returns the texts of a list, or the one text. */
export function texts(value: Json | undefined): string[] {
  const all = Array.isArray(value) ? value : [value]
  return all.flatMap(one => text(one as Json | undefined) ?? [])
}

/** Returns the codings of a CodeableConcept, or of a list of them. */
export const codings = (value: Json | undefined): JsonObject[] =>
  objects(value).flatMap(concept => objects(concept.coding))

/** Returns whether one of the concepts has a coding of this system and one of these codes. */
export const hasCode = (value: Json | undefined, system: string, ...codes: readonly string[]): boolean =>
  codings(value).some(
    one => one.system === system && typeof one.code === 'string' && codes.includes(one.code),
  )

/** Returns what stands at a way of member names, through all lists: `at(patient, 'name.text')`. */
export function at(value: Json | undefined, way: string): Json[] {
  let found: Json[] = value === undefined ? [] : [value]
  for (const name of way.split('.'))
    found = found.flatMap(one =>
      (Array.isArray(one) ? one : [one]).flatMap(item => {
        const member = isObject(item) ? item[name] : undefined
        return member === undefined ? [] : [member]
      }),
    )
  return found.flatMap(one => (Array.isArray(one) ? one : [one]))
}

/** Returns the choice element of this name, with the type that its JSON name ends with. */
export function choice(parent: JsonObject, name: string): { type: string; value: Json } | undefined {
  for (const member in parent) {
    const value = parent[member]
    if (value !== undefined && member.startsWith(name) && /^[A-Z]/.test(member.slice(name.length)))
      return { type: member.slice(name.length), value }
  }
  return undefined
}
