/**
 * SearchParameter expressions to typed paths: the part of FHIRPath that search parameters use, those of R4 and those that people write.
 * https://hl7.org/fhir/R4/searchparameter-registry.html, https://hl7.org/fhir/R4/fhirpath.html
 */
import types from '../fhir/definitions/generated/types.json' with { type: 'json' }
import { type Lexeme, lexemes } from './lexemes.ts'

export type Step =
  /** The element of this JSON name; choice types are resolved, `value[x]` is `valueQuantity`. */
  | { is: 'get'; key: string }
  /** `where(system='email')` */
  | { is: 'equals'; key: string; value: string | boolean }
  /** `where(resolve() is Patient)` */
  | { is: 'resolves'; type: string }
  /** `[0]`, `first()`: of all that the steps before lead to. */
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
type ElementRow = [string, number, number, string[], (string[] | null)?, (string | null)?]
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
export function alternatives(expression: string): string[] {
  const bare = unquoted(expression)
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < bare.length; i++) {
    if (bare[i] === '(') depth++
    else if (bare[i] === ')') depth--
    else if (bare[i] === '|' && depth === 0) {
      parts.push(expression.slice(start, i))
      start = i + 1
    }
  }
  parts.push(expression.slice(start))
  return parts.map(part => strip(part.trim())).filter(part => part !== '')
}

/** Returns the text with blanks in the place of what stands in quotes. */
const unquoted = (text: string): string =>
  text.replace(/'[^']*'|"[^"]*"/g, quoted => ' '.repeat(quoted.length))

function strip(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text
  const bare = unquoted(text)
  let depth = 0
  for (let i = 0; i < text.length - 1; i++) {
    if (bare[i] === '(') depth++
    else if (bare[i] === ')') depth--
    if (depth === 0) return text
  }
  return strip(text.slice(1, -1).trim())
}

const TRUTH = /^(\S+)\.exists\(\) and (\S+) != false$/

/** Longer or wider ones are no one's search parameter. */
const MAX_LENGTH = 4000
const MAX_DEPTH = 16
const MAX_PLACES = 1000

/**
 * Returns the ways that one alternative of an expression takes through resources of `type`: one for each type that a choice may have.
 * `type` may be that of an element, `Observation.component`; the expression is then relative to it.
 * Undefined where it uses more of FHIRPath than this, or elements that the type does not have:
 * paths, `extension('url')`, `where()` of equalities joined by `and` or of `resolve() is T`, `ofType(T)`, `as(T)`, `as T`, `[0]`, `first()`,
 * unions in parentheses, and `X.exists() and X != false` as a whole.
 */
export function typedPaths(alternative: string, type: string): TypedPath[] | undefined {
  if (alternative.length > MAX_LENGTH) return undefined
  const truth = TRUTH.exec(alternative)
  if (truth !== null) {
    if (truth[1] !== truth[2]) return undefined
    const of = typedPaths(truth[1]!, type)
    return of && [{ steps: [], type: 'boolean', truth: of }]
  }
  const list = lexemes(alternative)
  if (list === undefined) return undefined
  const reading: Reading = { list, at: 0, type, depth: 0 }
  const places = union(reading)
  return reading.at === list.length ? places : undefined
}

/** Where an expression is read. */
interface Reading {
  readonly list: readonly Lexeme[]
  at: number
  /** What the expression starts from. */
  readonly type: string
  depth: number
}

/** The steps so far and the type reached, of each way; undefined where there is none or it is not understood. */
type Places = TypedPath[] | undefined

const next = ({ list, at }: Reading, sign: string): boolean =>
  list[at]?.is === 'sign' && list[at].text === sign

function take(reading: Reading, sign: string): boolean {
  const found = next(reading, sign)
  if (found) reading.at++
  return found
}

function taken(reading: Reading, is: Lexeme['is']): string | undefined {
  const lexeme = reading.list[reading.at]
  if (lexeme?.is !== is) return undefined
  reading.at++
  return lexeme.text
}

function takeWord(reading: Reading, word: string): boolean {
  const lexeme = reading.list[reading.at]
  const found = lexeme?.is === 'name' && lexeme.text === word
  if (found) reading.at++
  return found
}

function union(reading: Reading): Places {
  if (++reading.depth > MAX_DEPTH) return undefined
  let all = narrowed(reading)
  while (all !== undefined && take(reading, '|')) {
    const more = narrowed(reading)
    all = more && [...all, ...more]
  }
  reading.depth--
  return all
}

/** A path, with `as T` or without. */
function narrowed(reading: Reading): Places {
  const places = path(reading)
  if (places === undefined || !takeWord(reading, 'as')) return places
  const type = taken(reading, 'name')
  return type === undefined ? undefined : ofType(places, type)
}

function path(reading: Reading): Places {
  let places = start(reading)
  while (places !== undefined && places.length <= MAX_PLACES) {
    if (take(reading, '[')) {
      const index = taken(reading, 'number')
      if (index === undefined || !take(reading, ']')) return undefined
      places = filtered(places, { is: 'at', index: Number(index) })
    } else if (take(reading, '.')) places = invocation(places, reading)
    else return places
  }
  return undefined
}

function start(reading: Reading): Places {
  if (take(reading, '(')) {
    const places = union(reading)
    return take(reading, ')') ? places : undefined
  }
  const root: TypedPath = { steps: [], type: reading.type }
  const lexeme = reading.list[reading.at]
  if (lexeme?.is !== 'name') return undefined
  if (lexeme.text === reading.type || lexeme.text === 'Resource' || lexeme.text === 'DomainResource') {
    reading.at++
    return [root]
  }
  return invocation([root], reading)
}

/** What follows a dot: an element or a function. */
function invocation(places: TypedPath[], reading: Reading): Places {
  const name = taken(reading, 'name')
  if (name === undefined) return undefined
  if (!take(reading, '(')) return some(places.flatMap(place => child(place, name)))
  const found = called(name, places, reading)
  return take(reading, ')') ? found : undefined
}

function called(name: string, places: TypedPath[], reading: Reading): Places {
  switch (name) {
    case 'extension': {
      const url = taken(reading, 'text')
      if (url === undefined) return undefined
      const extensions = some(places.flatMap(place => child(place, 'extension')))
      return extensions && filtered(extensions, { is: 'equals', key: 'url', value: url })
    }
    case 'ofType':
    case 'as': {
      const type = taken(reading, 'name')
      return type === undefined ? undefined : ofType(places, type)
    }
    case 'first':
      return filtered(places, { is: 'at', index: 0 })
    case 'where':
      return where(places, reading)
    default:
      return undefined
  }
}

function where(places: TypedPath[], reading: Reading): Places {
  let found: Places = places
  do found = condition(found, reading)
  while (found !== undefined && takeWord(reading, 'and'))
  return found
}

function condition(places: TypedPath[], reading: Reading): Places {
  const key = taken(reading, 'name')
  if (key === undefined) return undefined
  if (key === 'resolve') {
    if (!take(reading, '(') || !take(reading, ')') || !takeWord(reading, 'is')) return undefined
    const type = taken(reading, 'name')
    return type === undefined ? undefined : filtered(places, { is: 'resolves', type })
  }
  if (!take(reading, '=')) return undefined
  const text = taken(reading, 'text')
  const value = text ?? (takeWord(reading, 'true') ? true : takeWord(reading, 'false') ? false : undefined)
  if (value === undefined) return undefined
  const having = some(places.filter(place => element(place.type, key)?.[0] === key))
  return having && filtered(having, { is: 'equals', key, value })
}

const some = (places: TypedPath[]): Places => (places.length === 0 ? undefined : places)

const filtered = (places: readonly TypedPath[], step: Step): TypedPath[] =>
  places.map(place => ({ ...place, steps: [...place.steps, step] }))

/** R4 itself writes `DateTime` once. */
const spelled = (type: string): string => `${type[0]!.toLowerCase()}${type.slice(1)}`

function ofType(places: readonly TypedPath[], type: string): Places {
  return some(
    places.flatMap(place => {
      if (place.type === type || place.type === spelled(type)) return place
      if (place.type !== 'Resource' || !RESOURCE_TYPES.includes(type)) return []
      const is: Step = { is: 'equals', key: 'resourceType', value: type }
      return { steps: [...place.steps, is], type }
    }),
  )
}

function child(place: TypedPath, name: string): TypedPath[] {
  const row = element(place.type, name)
  if (row === undefined) return chosen(place, name)
  const choice = row[0].endsWith('[x]')
  return row[3].map(type => to(place, choice ? `${name}${capital(type)}` : name, type, row))
}

/** `valueDateTime` as JSON has it, which FHIRPath has not, and people write. */
function chosen(place: TypedPath, name: string): TypedPath[] {
  const at = name.search(/[A-Z]/)
  for (let end = at; end > 0 && end < name.length; end++) {
    const row = element(place.type, name.slice(0, end))
    const type = row?.[0].endsWith('[x]') ? row[3].find(one => capital(one) === name.slice(end)) : undefined
    if (row !== undefined && type !== undefined) return [to(place, name, type, row)]
  }
  return []
}

const capital = (type: string): string => `${type[0]!.toUpperCase()}${type.slice(1)}`

function to(place: TypedPath, key: string, type: string, row: ElementRow): TypedPath {
  const reached: TypedPath = { steps: [...place.steps, { is: 'get', key }], type }
  const valueSet = row[5]
  if (typeof valueSet === 'string') reached.valueSet = valueSet
  return reached
}
