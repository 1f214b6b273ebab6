/** Results of expressions as plain values, for tests to write down. */
import { isObject, type Json, type JsonObject, NumberText, parseJson } from '../../../src/fhir/json.ts'
import { type Environment, type EnvironmentOptions, environment } from '../../../src/fhir/path/environment.ts'
import { compilePath } from '../../../src/fhir/path/path.ts'
import { type PathValue, pathValue } from '../../../src/fhir/path/value.ts'

export type Plain = string | number | boolean | null | Plain[] | { [name: string]: Plain }

const plain = (json: Json | undefined): Plain => {
  if (json instanceof NumberText) return Number(json.text)
  if (Array.isArray(json)) return json.map(plain)
  if (isObject(json))
    return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, plain(value)]))
  return json ?? null
}

/** Returns a focus from JSON; its type is its resourceType where none is given. */
export function focusOf(json: unknown, type?: string): PathValue {
  const tree = parseJson(JSON.stringify(json))
  return pathValue(tree, type ?? String((tree as JsonObject).resourceType))
}

/** Returns the environment of a focus that is a resource. */
export const around = (focus: PathValue, options: EnvironmentOptions = {}): Environment =>
  environment({ resource: focus, rootResource: focus, now: '2026-11-21T10:00:00.000+05:30', ...options })

/** Returns what an expression gives, numbers as numbers. */
export function evaluated(expression: string, focus?: PathValue, options: EnvironmentOptions = {}): Plain[] {
  const env =
    focus === undefined
      ? environment({ now: '2026-11-21T10:00:00.000+05:30', ...options })
      : around(focus, options)
  return compilePath(expression)
    .evaluate(focus, env)
    .map(({ value }) => plain(value))
}

/** Returns the names of the types of what an expression gives. */
export const typesOf = (expression: string, focus: PathValue): string[] =>
  compilePath(expression)
    .evaluate(focus, around(focus))
    .map(({ type }) => type)
