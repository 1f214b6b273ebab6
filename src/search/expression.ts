/**
 * SearchParameter expressions to typed paths: the small part of FHIRPath that R4's search parameters use.
 * https://hl7.org/fhir/R4/searchparameter-registry.html, https://hl7.org/fhir/R4/fhirpath.html
 */
import types from '../fhir/definitions/generated/types.json' with { type: 'json' }

export type Step =
  /** The element of this JSON name; choice types are resolved, `value[x]` is `valueQuantity`. */
  | { is: 'get'; key: string }
  /** `where(system='email')` */
  | { is: 'equals'; key: string; value: string }
  /** `where(resolve() is Patient)` */
  | { is: 'resolves'; type: string }
  /** `[0]` */
  | { is: 'at'; index: number }

/** One way from a resource to values of one FHIR type. */
export interface TypedPath {
  steps: readonly Step[]
  /** The FHIR type of the values; `boolean` for a truth. */
  type: string
  /** The value set that a code is bound to with strength required. */
  valueSet?: string
  /** `X.exists() and X != false`: the value is whether one of these ways leads to anything but false. */
  truth?: readonly TypedPath[]
}

/** As `prepare-types.ts` writes them: name, minimum, maximum, types, reference targets, required value set. */
type ElementRow = [string, number, number, string[], (string[] | null)?, string?]
const schema = types as { resources: string[]; types: Record<string, [string, ElementRow[]]> }

/** All concrete R4 resource types, sorted. */
export const RESOURCE_TYPES: readonly string[] = schema.resources

function element(type: string, name: string): ElementRow | undefined {
  for (let at = type; at !== ''; ) {
    if (!Object.hasOwn(schema.types, at)) return undefined
    const row = schema.types[at]!
    const found = row[1].find(candidate => candidate[0] === name || candidate[0] === `${name}[x]`)
    if (found !== undefined) return found
    at = row[0]
  }
  return undefined
}

/** Returns the alternatives of a union, as they stand, without outer parentheses. */
export const alternatives = (expression: string): string[] =>
  expression
    .split('|')
    .map(part => strip(part.trim()))
    .filter(part => part !== '')

function strip(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text
  let depth = 0
  for (let i = 0; i < text.length - 1; i++) {
    if (text[i] === '(') depth++
    else if (text[i] === ')') depth--
    if (depth === 0) return text
  }
  return strip(text.slice(1, -1).trim())
}

const TRUTH = /^(\S+)\.exists\(\) and (\S+) != false$/
const TOKEN =
  /\.?(?:ofType\((?<of>\w+)\)|where\(resolve\(\) is (?<resolves>\w+)\)|where\((?<key>\w+)='(?<value>[^']*)'\)|\[(?<index>\d+)\]|(?<name>\w+))/y

/** A place on the way: the steps so far and the type reached. */
type Place = TypedPath

/**
 * Returns the ways that one alternative of an expression takes through resources of `type`: one for each type that a choice may have.
 * Undefined where it uses more of FHIRPath than this, or elements that the type does not have.
 */
export function typedPaths(alternative: string, type: string): TypedPath[] | undefined {
  const truth = TRUTH.exec(alternative)
  if (truth !== null) {
    if (truth[1] !== truth[2]) return undefined
    const of = typedPaths(truth[1]!, type)
    return of && [{ steps: [], type: 'boolean', truth: of }]
  }
  const start = /^(\w+)(?=[.[])/.exec(alternative)?.[1]
  const rooted = start === type || start === 'Resource' || start === 'DomainResource'
  let rest = rooted ? alternative.slice(start!.length) : alternative
  let places: Place[] = [{ steps: [], type }]
  let pending: string | undefined
  while (rest !== '') {
    TOKEN.lastIndex = 0
    const groups = TOKEN.exec(rest)?.groups
    if (groups === undefined) return undefined
    rest = rest.slice(TOKEN.lastIndex)
    const { of, name } = groups
    if (of !== undefined) {
      if (pending === undefined) return undefined
      places = places.flatMap(place => child(place, pending!, of))
      pending = undefined
      if (places.length === 0) return undefined
      continue
    }
    if (pending !== undefined) {
      places = places.flatMap(place => child(place, pending!))
      pending = undefined
      if (places.length === 0) return undefined
    }
    if (name !== undefined) pending = name
    else places = places.map(place => ({ steps: [...place.steps, filter(groups)], type: place.type }))
  }
  if (pending !== undefined) places = places.flatMap(place => child(place, pending!))
  return places.length === 0 ? undefined : places
}

function filter(groups: Record<string, string | undefined>): Step {
  if (groups.resolves !== undefined) return { is: 'resolves', type: groups.resolves }
  if (groups.index !== undefined) return { is: 'at', index: Number(groups.index) }
  return { is: 'equals', key: groups.key!, value: groups.value! }
}

function child(place: Place, name: string, only?: string): Place[] {
  const row = element(place.type, name)
  if (row === undefined) return []
  const [declared, , , elementTypes, , valueSet] = row
  const choice = declared.endsWith('[x]')
  return elementTypes
    .filter(type => only === undefined || type === only)
    .map(type => {
      const key = choice ? `${name}${type[0]!.toUpperCase()}${type.slice(1)}` : name
      const path: Place = { steps: [...place.steps, { is: 'get', key }], type }
      if (valueSet !== undefined) path.valueSet = valueSet
      return path
    })
}
