/**
 * JSON whose numbers keep their text: `1.00`, `1e3` and 20 digits come out as they came in.
 * https://hl7.org/fhir/R4/json.html, https://www.rfc-editor.org/rfc/rfc8259
 */
import { FhirError, fhirError } from './error.ts'

/** A number as it was written. `text` is valid JSON number syntax. */
export class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Json = null | boolean | string | NumberText | Json[] | JsonObject
export interface JsonObject {
  [name: string]: Json | undefined
}

/** A FHIR resource as a tree; what it holds is checked by validation, not by this type. */
export type Resource = JsonObject & { resourceType: string }

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)

const MAX_DEPTH = 64

/** A fault in the text, with the way to it: names and array positions, outermost first. */
class Fault extends Error {
  readonly path: (string | number)[] = []
}

/**
 * Returns the tree of a JSON text.
 *
 * Throws `structure` for bad syntax, a duplicate key or nesting deeper than `depth`; the issue's expression is the FHIRPath of the place,
 * begun with the resourceType where that was read before the fault.
 */
export function parseJson(text: string, depth: number = MAX_DEPTH): Json {
  const lexer = new Lexer(text, depth)
  try {
    return lexer.document()
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    const expression = toExpression(lexer.rootType, fault.path)
    throw fhirError(
      'structure',
      `The JSON cannot be read: ${fault.message}.`,
      expression ? { expression } : {},
    )
  }
}

/**
 * Returns the tree of JSON in UTF-8.
 *
 * Throws `structure` as parseJson does, and for bytes that are not UTF-8, naming the place where they stand.
 */
export function parseJsonBytes(bytes: Uint8Array, depth: number = MAX_DEPTH): Json {
  return parseJson(decodeUtf8(bytes, depth), depth)
}

const STRICT = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(bytes: Uint8Array, depth: number): string {
  try {
    return STRICT.decode(bytes)
  } catch {
    const valid = validPrefix(bytes)
    const prefix = STRICT.decode(bytes.subarray(0, valid))
    let expression: string | undefined
    try {
      // The valid text ends inside the faulty value, so the lexer stops there and names the place.
      parseJson(prefix, depth)
    } catch (error) {
      if (error instanceof FhirError) expression = error.issues[0]?.expression
    }
    throw fhirError(
      'structure',
      `The body is not UTF-8: the byte at position ${valid} does not belong to any character.`,
      expression ? { expression } : {},
    )
  }
}

/** Returns how many leading bytes are whole UTF-8 characters. */
function validPrefix(bytes: Uint8Array): number {
  let low = 0
  let high = bytes.length
  while (low < high) {
    const middle = (low + high + 1) >> 1
    try {
      // In stream mode a character that is merely cut off at the end is no fault.
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true })
      low = middle
    } catch {
      high = middle - 1
    }
  }
  // What is cut off at the end belongs to the faulty character.
  while (low > 0 && !isWhole(bytes.subarray(0, low))) low--
  return low
}

function isWhole(bytes: Uint8Array): boolean {
  try {
    STRICT.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Longer names than any of FHIR are cut, so that an error is never as long as what it complains of. */
const LONGEST_NAME = 64

/** Returns `Patient.name[0].family` for type Patient and path ['name', 0, 'family']. */
export function toExpression(root: string | undefined, path: readonly (string | number)[]): string {
  let expression = root ?? ''
  for (const step of path) {
    if (typeof step === 'number') expression += `[${step}]`
    else expression += (expression === '' ? '' : '.') + step.slice(0, LONGEST_NAME)
  }
  return expression
}

const QUOTE = 34
const BACKSLASH = 92
const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y

class Lexer {
  rootType: string | undefined
  private at = 0
  private readonly text: string
  private readonly depth: number

  constructor(text: string, depth: number) {
    this.text = text
    this.depth = depth
  }

  document(): Json {
    const value = this.value(0)
    this.space()
    if (this.at < this.text.length) throw new Fault(`there is more text after the end, ${this.here()}`)
    return value
  }

  private value(level: number): Json {
    this.space()
    const char = this.text.charCodeAt(this.at)
    if (char === QUOTE) return this.string()
    if (char === 123) return this.object(level)
    if (char === 91) return this.array(level)
    if (char === 45 || (char >= 48 && char <= 57)) return this.number()
    if (this.text.startsWith('true', this.at)) return this.word(4, true)
    if (this.text.startsWith('false', this.at)) return this.word(5, false)
    if (this.text.startsWith('null', this.at)) return this.word(4, null)
    throw new Fault(`a value is expected ${this.here()}`)
  }

  private word<T>(length: number, value: T): T {
    this.at += length
    return value
  }

  private object(level: number): JsonObject {
    if (level >= this.depth) throw new Fault(`it is nested deeper than ${this.depth} levels`)
    const object: JsonObject = {}
    this.at++
    this.space()
    if (this.take(125)) return object
    for (;;) {
      this.space()
      if (this.text.charCodeAt(this.at) !== QUOTE)
        throw new Fault(`a property name is expected ${this.here()}`)
      const name = this.string()
      try {
        if (Object.hasOwn(object, name)) throw new Fault(`the property stands twice, ${this.here()}`)
        this.space()
        if (!this.take(58)) throw new Fault(`a colon is expected ${this.here()}`)
        const value = this.value(level + 1)
        if (name === '__proto__')
          Object.defineProperty(object, name, { value, enumerable: true, writable: true })
        else object[name] = value
        if (level === 0 && name === 'resourceType' && typeof value === 'string') this.rootType = value
      } catch (fault) {
        if (fault instanceof Fault) fault.path.unshift(name)
        throw fault
      }
      this.space()
      if (this.take(44)) continue
      if (this.take(125)) return object
      throw new Fault(`a comma or } is expected ${this.here()}`)
    }
  }

  private array(level: number): Json[] {
    if (level >= this.depth) throw new Fault(`it is nested deeper than ${this.depth} levels`)
    const array: Json[] = []
    this.at++
    this.space()
    if (this.take(93)) return array
    for (;;) {
      try {
        array.push(this.value(level + 1))
      } catch (fault) {
        if (fault instanceof Fault) fault.path.unshift(array.length)
        throw fault
      }
      this.space()
      if (this.take(44)) continue
      if (this.take(93)) return array
      throw new Fault(`a comma or ] is expected ${this.here()}`)
    }
  }

  private number(): NumberText {
    NUMBER.lastIndex = this.at
    const match = NUMBER.exec(this.text)
    if (match === null) throw new Fault(`a number is malformed ${this.here()}`)
    this.at += match[0].length
    // 01, 1.x, 1e and 0x1 stop in the middle of what was meant as one number.
    if (/[\w.+-]/.test(this.text[this.at] ?? '')) throw new Fault(`a number is malformed ${this.here()}`)
    return new NumberText(match[0])
  }

  private string(): string {
    const text = this.text
    const start = ++this.at
    for (let at = start; ; at++) {
      const char = text.charCodeAt(at)
      if (char === QUOTE) {
        this.at = at + 1
        return text.slice(start, at)
      }
      if (char === BACKSLASH) return this.escaped(start, at)
      if (char < 32 || at >= text.length) throw this.badString(at)
    }
  }

  private badString(at: number): Fault {
    this.at = at
    return at >= this.text.length
      ? new Fault('it ends inside a string')
      : new Fault(`a control character stands unescaped in a string, ${this.here()}`)
  }

  private escaped(start: number, first: number): string {
    const text = this.text
    let value = text.slice(start, first)
    let at = first
    for (;;) {
      const char = text.charCodeAt(at)
      if (char === QUOTE) {
        // Half of a surrogate pair is no character: UTF-8 and the stores cannot hold it.
        if (!value.isWellFormed()) throw this.badEscape(start)
        this.at = at + 1
        return value
      }
      if (char === BACKSLASH) {
        const letter = text[at + 1] ?? ''
        if (letter === 'u') {
          const hex = text.slice(at + 2, at + 6)
          if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.badEscape(at)
          value += String.fromCharCode(Number.parseInt(hex, 16))
          at += 6
          continue
        }
        const plain = ESCAPES[letter]
        if (plain === undefined) throw this.badEscape(at)
        value += plain
        at += 2
        continue
      }
      if (char < 32 || at >= text.length) throw this.badString(at)
      let end = at + 1
      for (;;) {
        const next = text.charCodeAt(end)
        if (next === QUOTE || next === BACKSLASH || next < 32 || end >= text.length) break
        end++
      }
      value += text.slice(at, end)
      at = end
    }
  }

  private badEscape(at: number): Fault {
    this.at = at
    return new Fault(`a string has a malformed escape ${this.here()}`)
  }

  private space(): void {
    for (;;) {
      const char = this.text.charCodeAt(this.at)
      if (char !== 32 && char !== 10 && char !== 13 && char !== 9) return
      this.at++
    }
  }

  private take(char: number): boolean {
    if (this.text.charCodeAt(this.at) !== char) return false
    this.at++
    return true
  }

  private here(): string {
    return this.at >= this.text.length ? 'at the end' : `at character ${this.at}`
  }
}

/** Returns the JSON text of a tree, compact, or indented by two spaces. */
export function writeJson(value: Json, pretty = false): string {
  return pretty ? indented(value, '\n') : compact(value)
}

function compact(value: Json | undefined): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (value instanceof NumberText) return value.text
  if (Array.isArray(value)) {
    let text = '['
    for (let i = 0; i < value.length; i++) text += i === 0 ? compact(value[i]) : `,${compact(value[i])}`
    return `${text}]`
  }
  let text = '{'
  for (const name in value) {
    const member = value[name]
    if (member === undefined) continue
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(name)}:${compact(member)}`
  }
  return `${text}}`
}

function indented(value: Json, newline: string): string {
  const inner = `${newline}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[${inner}${value.map(item => indented(item, inner)).join(`,${inner}`)}${newline}]`
  }
  if (isObject(value)) {
    const members = Object.keys(value)
      .filter(name => value[name] !== undefined)
      .map(name => `${JSON.stringify(name)}: ${indented(value[name]!, inner)}`)
    return members.length === 0 ? '{}' : `{${inner}${members.join(`,${inner}`)}${newline}}`
  }
  return compact(value)
}

/** Sets a member of any name: plain assignment to `__proto__` would change the prototype instead. */
export function setMember(object: JsonObject, name: string, value: Json): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  else object[name] = value
}

/** Returns a tree with its own copy of every object and array. */
export function copyJson<T extends Json>(value: T): T
export function copyJson(value: Json): Json {
  if (Array.isArray(value)) return value.map(item => copyJson(item))
  if (!isObject(value)) return value
  const copy: JsonObject = {}
  for (const name in value) if (value[name] !== undefined) setMember(copy, name, copyJson(value[name]))
  return copy
}
