/**
 * FHIRPath text as tokens.
 * http://hl7.org/fhirpath/N1/#lexical-elements
 */
import { PathSyntax } from './fault.ts'

export interface Token {
  kind: 'name' | 'quoted' | 'string' | 'number' | 'date' | 'time' | 'variable' | 'special' | 'sign' | 'end'
  text: string
  at: number
}

/** Longer texts and more tokens than any expression needs. */
const LONGEST = 16_384
const MOST_TOKENS = 4096

const SPACE = /(?:\s|\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)+/y
const TOKENS: readonly [Token['kind'], RegExp][] = [
  ['name', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['number', /[0-9]+(?:\.[0-9]+)?/y],
  ['special', /\$(?:this|index|total)\b/y],
  ['sign', /<=|>=|!=|!~|[.,()[\]{}+\-*/&|<>=~]/y],
  ['variable', /%[A-Za-z_][A-Za-z0-9_-]*/y],
  ['time', /@T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?![0-9:Z+])/y],
  [
    'date',
    /@[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?(?:T(?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?/y,
  ],
]

/** Returns the tokens of an expression, the last of kind `end`. Throws PathSyntax. */
export function tokens(source: string): Token[] {
  if (source.length > LONGEST) throw new PathSyntax(`it is longer than ${LONGEST} characters`, LONGEST)
  const found: Token[] = []
  let at = 0
  for (;;) {
    at += matched(SPACE, source, at).length
    if (source.startsWith('/*', at)) throw new PathSyntax('the comment does not end', at)
    if (at >= source.length) break
    if (found.length >= MOST_TOKENS) throw new PathSyntax(`it has more than ${MOST_TOKENS} parts`, at)
    const token = quotedToken(source, at) ?? plainToken(source, at)
    found.push(token.token)
    at = token.end
  }
  found.push({ kind: 'end', text: '', at })
  return found
}

function matched(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0] ?? ''
}

function plainToken(source: string, at: number): { token: Token; end: number } {
  for (const [kind, pattern] of TOKENS) {
    const text = matched(pattern, source, at)
    if (text !== '') return { token: { kind, text, at }, end: at + text.length }
  }
  throw new PathSyntax(`${JSON.stringify(source[at])} has no meaning here`, at)
}

const QUOTES: Readonly<Record<string, Token['kind']>> = { "'": 'string', '"': 'quoted', '`': 'quoted' }

function quotedToken(source: string, at: number): { token: Token; end: number } | undefined {
  const variable = source[at] === '%' ? 1 : 0
  const quote = source[at + variable]!
  const kind = QUOTES[quote]
  if (kind === undefined) return undefined
  let text = ''
  for (let end = at + variable + 1; end < source.length; end++) {
    const character = source[end]!
    if (character === quote) {
      const token: Token = variable === 1 ? { kind: 'variable', text: `%${text}`, at } : { kind, text, at }
      return { token, end: end + 1 }
    }
    if (character !== '\\') text += character
    else {
      const read = readEscape(source, end)
      text += read.text
      end += read.length - 1
    }
  }
  throw new PathSyntax('the quotation does not end', at)
}

const ESCAPES: Readonly<Record<string, string>> = { f: '\f', n: '\n', r: '\r', t: '\t' }

/** Of a backslash before any other character only the character stays: definitions of R4 write `\.` and mean a full stop. */
function readEscape(source: string, at: number): { text: string; length: number } {
  const letter = source[at + 1]
  if (letter === undefined) throw new PathSyntax('the quotation does not end', at)
  if (letter !== 'u') return { text: ESCAPES[letter] ?? letter, length: 2 }
  const hex = source.slice(at + 2, at + 6)
  if (!/^[0-9A-Fa-f]{4}$/.test(hex)) throw new PathSyntax('\\u needs four hexadecimal digits', at)
  return { text: String.fromCharCode(Number.parseInt(hex, 16)), length: 6 }
}
