/**
 * The part of FHIRPath that says where a patch applies: names, positions, where(), first(), last(), ofType() and extension(). All else is
 * refused by name, so that no patch lands elsewhere than was meant.
 * https://hl7.org/fhir/R4/fhirpath.html
 */
import { fhirError } from '../fhir/error.ts'

export type Literal = string | boolean | { number: string } | { time: string }

export type Step =
  | { is: 'name'; name: string }
  | { is: 'at'; index: number }
  | { is: 'first' | 'last' }
  | { is: 'ofType'; type: string }
  | { is: 'extension'; url: string }
  | { is: 'where'; all: readonly Test[] }

/** `path = literal`, `path.exists()`; several are joined by `and`. */
export interface Test {
  path: readonly Step[]
  /** undefined asks only that there be something. */
  equals: Literal | undefined
}

const MOST_CHARACTERS = 2000
const TOKEN =
  /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|`([^`\\]+)`|'((?:[^'\\]|\\(?:['"`\\/rnft]|u[0-9a-fA-F]{4}))*)'|@([0-9T:.+\-Z]+)|(-?[0-9]+(?:\.[0-9]+)?)|(!=|[.()[\]=]))/y

interface Token {
  kind: 'name' | 'string' | 'time' | 'number' | 'sign' | 'end'
  text: string
}

/**
 * Returns the steps of a path; those of its leading resource type are left out.
 *
 * Throws `invalid` for what is no such path, naming what is not understood.
 */
export function parsePatchPath(text: string, resourceType: string, expression: string): Step[] {
  const bad = (why: string) => fhirError('invalid', `The path cannot be used: ${why}.`, { expression })
  if (text.length > MOST_CHARACTERS) throw bad(`it is longer than ${MOST_CHARACTERS} characters`)
  const tokens = tokensOf(text, bad)
  let at = 0
  const next = (): Token => tokens[at]!
  const takes = (sign: string): boolean => next().kind === 'sign' && next().text === sign && ++at > 0
  const needs = (sign: string): void => {
    if (!takes(sign))
      throw bad(`${sign} is expected ${next().kind === 'end' ? 'at the end' : `before ${next().text}`}`)
  }
  const needsString = (): string => {
    if (next().kind !== 'string') throw bad('a string in single quotes is expected')
    return tokens[at++]!.text
  }

  const invocation = (): Step => {
    const name = next()
    if (name.kind !== 'name')
      throw bad(`a name is expected ${name.kind === 'end' ? 'at the end' : `at ${name.text}`}`)
    at++
    if (!takes('(')) return { is: 'name', name: name.text }
    const step = call(name.text)
    needs(')')
    return step
  }

  const call = (name: string): Step => {
    switch (name) {
      case 'first':
      case 'last':
        return { is: name }
      case 'ofType':
      case 'as': {
        if (next().kind !== 'name') throw bad(`${name}() needs the name of a type`)
        return { is: 'ofType', type: tokens[at++]!.text }
      }
      case 'extension':
        return { is: 'extension', url: needsString() }
      case 'where':
        return { is: 'where', all: tests() }
      default:
        throw bad(`${name}() is not supported; where, first, last, ofType and extension are`)
    }
  }

  const tests = (): Test[] => {
    const all = [test()]
    while (next().kind === 'name' && next().text === 'and') {
      at++
      all.push(test())
    }
    return all
  }

  const test = (): Test => {
    const path = steps(true)
    if (!takes('=')) {
      if (next().kind === 'sign' && next().text !== ')')
        throw bad(`${next().text} is not supported in where()`)
      return { path, equals: undefined }
    }
    const literal = tokens[at++]!
    if (literal.kind === 'string') return { path, equals: literal.text }
    if (literal.kind === 'number') return { path, equals: { number: literal.text } }
    if (literal.kind === 'time') return { path, equals: { time: literal.text } }
    if (literal.kind === 'name' && (literal.text === 'true' || literal.text === 'false'))
      return { path, equals: literal.text === 'true' }
    throw bad('where() compares with a string, a number, a date, true or false')
  }

  /** `inWhere`: a closing `.exists()` is understood, and stands for no step. */
  const steps = (inWhere: boolean): Step[] => {
    const found: Step[] = []
    for (;;) {
      const [name, open, close] = [tokens[at]!, tokens[at + 1], tokens[at + 2]]
      if (
        inWhere &&
        found.length > 0 &&
        name.text === 'exists' &&
        open?.text === '(' &&
        close?.text === ')'
      ) {
        at += 3
        return found
      }
      found.push(invocation())
      while (takes('[')) {
        const index = tokens[at++]!
        if (index.kind !== 'number' || !/^[0-9]{1,9}$/.test(index.text))
          throw bad('a position is a whole number')
        found.push({ is: 'at', index: Number(index.text) })
        needs(']')
      }
      if (!takes('.')) return found
    }
  }

  const all = steps(false)
  if (next().kind !== 'end') throw bad(`${next().text} is not supported`)
  const [first] = all
  return first?.is === 'name' && first.name === resourceType ? all.slice(1) : all
}

const ESCAPES: Record<string, string> = { r: '\r', n: '\n', f: '\f', t: '\t' }

function tokensOf(text: string, bad: (why: string) => Error): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  let at = 0
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at
    const found = TOKEN.exec(text)
    if (found === null) throw bad(`${JSON.stringify(text.slice(at).trim()[0])} is not supported`)
    const [, name, quoted, string, time, number, sign] = found
    if (name !== undefined || quoted !== undefined) tokens.push({ kind: 'name', text: (name ?? quoted)! })
    else if (string !== undefined)
      tokens.push({
        kind: 'string',
        text: string.replace(/\\(u([0-9a-fA-F]{4})|.)/g, (_, escaped: string, hex?: string) =>
          hex === undefined ? (ESCAPES[escaped] ?? escaped) : String.fromCharCode(Number.parseInt(hex, 16)),
        ),
      })
    else if (time !== undefined) tokens.push({ kind: 'time', text: time })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else tokens.push({ kind: 'sign', text: sign! })
    at = TOKEN.lastIndex
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}
