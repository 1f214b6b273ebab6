/**
 * FHIRPath text as a tree of its operators and calls.
 * http://hl7.org/fhirpath/N1/#grammar
 */
import { NumberText } from '../json.ts'
import { PathSyntax } from './fault.ts'
import { type Token, tokens } from './lexer.ts'
import { CALENDAR } from './quantity.ts'
import { calendarFault } from './temporal.ts'
import { type PathValue, pathValue } from './value.ts'

export type Ast =
  | { op: 'literal'; value: PathValue }
  | { op: 'empty' }
  | { op: 'special'; name: '$this' | '$index' | '$total' }
  | { op: 'variable'; name: string; at: number }
  | { op: 'member'; input: Ast | undefined; name: string; at: number }
  | { op: 'call'; input: Ast | undefined; name: string; args: readonly Ast[]; at: number }
  | { op: 'item'; input: Ast; index: Ast }
  | { op: 'sign'; minus: boolean; of: Ast }
  | { op: 'binary'; operator: string; left: Ast; right: Ast }
  | { op: 'type'; test: 'is' | 'as'; of: Ast; type: string; at: number }

/** Binding strength, the weakest first; `is` and `as` take a type on their right. */
const STRENGTH = new Map(
  Object.entries({
    implies: 1,
    or: 2,
    xor: 2,
    and: 3,
    in: 4,
    contains: 4,
    '=': 5,
    '~': 5,
    '!=': 5,
    '!~': 5,
    '<': 6,
    '<=': 6,
    '>': 6,
    '>=': 6,
    '|': 7,
    is: 8,
    as: 8,
    '+': 9,
    '-': 9,
    '&': 9,
    '*': 10,
    '/': 10,
    div: 10,
    mod: 10,
  }),
)
/** Deeper trees than any expression needs: what evaluates them recurses. */
const DEEPEST = 500

interface Reading {
  tokens: readonly Token[]
  at: number
  /** Operators and calls that one path from the root to a leaf of the tree has at most. */
  depth: number
}

/** Returns the tree of an expression. Throws PathSyntax. */
export function parsePath(source: string): Ast {
  const reading: Reading = { tokens: tokens(source), at: 0, depth: 0 }
  const ast = expression(reading, 0)
  const rest = peek(reading)
  if (rest.kind !== 'end')
    throw new PathSyntax(`${JSON.stringify(rest.text.slice(0, 40))} is not expected`, rest.at)
  return ast
}

const peek = (reading: Reading): Token => reading.tokens[reading.at]!
const isSign = (token: Token, text: string): boolean => token.kind === 'sign' && token.text === text

function take(reading: Reading, text: string): boolean {
  if (!isSign(peek(reading), text)) return false
  reading.at++
  return true
}

function need(reading: Reading, text: string): void {
  if (!take(reading, text)) throw new PathSyntax(`"${text}" is expected`, peek(reading).at)
}

function deeper(reading: Reading): void {
  if (++reading.depth > DEEPEST)
    throw new PathSyntax(`it is nested deeper than ${DEEPEST} levels`, peek(reading).at)
}

function expression(reading: Reading, weakest: number): Ast {
  const before = reading.depth
  deeper(reading)
  let left = signed(reading)
  for (;;) {
    const token = peek(reading)
    const strength = token.kind === 'sign' || token.kind === 'name' ? (STRENGTH.get(token.text) ?? 0) : 0
    if (strength === 0 || strength <= weakest) break
    reading.at++
    deeper(reading)
    if (token.text === 'is' || token.text === 'as')
      left = { op: 'type', test: token.text, of: left, type: typeName(reading), at: token.at }
    else left = { op: 'binary', operator: token.text, left, right: expression(reading, strength) }
  }
  reading.depth = before
  return left
}

function signed(reading: Reading): Ast {
  const token = peek(reading)
  if (!isSign(token, '-') && !isSign(token, '+')) return invocations(reading)
  reading.at++
  deeper(reading)
  return { op: 'sign', minus: token.text === '-', of: signed(reading) }
}

function invocations(reading: Reading): Ast {
  let ast = term(reading)
  for (;;) {
    if (take(reading, '.')) {
      deeper(reading)
      ast = invocation(reading, ast)
    } else if (take(reading, '[')) {
      deeper(reading)
      ast = { op: 'item', input: ast, index: expression(reading, 0) }
      need(reading, ']')
    } else return ast
  }
}

function invocation(reading: Reading, input: Ast | undefined): Ast {
  const token = peek(reading)
  reading.at++
  if (token.kind === 'special') return special(token, input)
  if (token.kind !== 'name' && token.kind !== 'quoted') throw new PathSyntax('a name is expected', token.at)
  if (token.kind === 'name' && take(reading, '(')) {
    const args: Ast[] = []
    if (!take(reading, ')')) {
      do args.push(expression(reading, 0))
      while (take(reading, ','))
      need(reading, ')')
    }
    return { op: 'call', input, name: token.text, args, at: token.at }
  }
  return { op: 'member', input, name: token.text, at: token.at }
}

function special(token: Token, input: Ast | undefined): Ast {
  if (input !== undefined) throw new PathSyntax(`${token.text} cannot stand after a full stop`, token.at)
  return { op: 'special', name: token.text as '$this' }
}

function term(reading: Reading): Ast {
  const token = peek(reading)
  if (isSign(token, '(')) {
    reading.at++
    const inner = expression(reading, 0)
    need(reading, ')')
    return inner
  }
  if (isSign(token, '{')) {
    reading.at++
    need(reading, '}')
    return { op: 'empty' }
  }
  if (token.kind === 'variable') {
    reading.at++
    return { op: 'variable', name: token.text.slice(1), at: token.at }
  }
  return literal(reading, token) ?? invocation(reading, undefined)
}

const NAMED = new Map([
  ['true', true],
  ['false', false],
])

function literal(reading: Reading, token: Token): Ast | undefined {
  const { kind, text } = token
  const one = (value: PathValue): Ast => {
    reading.at++
    return { op: 'literal', value }
  }
  if (kind === 'string') return one(pathValue(text, 'System.String'))
  const named = kind === 'name' ? NAMED.get(text) : undefined
  if (named !== undefined) return one(pathValue(named, 'System.Boolean'))
  if (kind === 'date' || kind === 'time') {
    const value = text.slice(kind === 'time' ? 2 : 1)
    const type = kind === 'time' ? 'Time' : text.includes('T') ? 'DateTime' : 'Date'
    const fault = calendarFault(value, kind === 'time')
    if (fault !== undefined) throw new PathSyntax(fault, token.at)
    return one(pathValue(value.replace(/T$/, ''), `System.${type}`))
  }
  if (kind !== 'number') return undefined
  const number = new NumberText(text.replace(/^0+(?=[0-9])/, ''))
  const unit = reading.tokens[reading.at + 1]!
  if (unit.kind === 'string' || (unit.kind === 'name' && CALENDAR.has(unit.text))) {
    reading.at++
    const calendar = unit.kind === 'name' ? { calendar: true } : {}
    return one(pathValue({ value: number, unit: unit.text, ...calendar }, 'System.Quantity'))
  }
  return one(pathValue(number, text.includes('.') ? 'System.Decimal' : 'System.Integer'))
}

function typeName(reading: Reading): string {
  const names: string[] = []
  do {
    const token = peek(reading)
    if (token.kind !== 'name' && token.kind !== 'quoted')
      throw new PathSyntax('the name of a type is expected', token.at)
    names.push(token.text)
    reading.at++
  } while (take(reading, '.'))
  return names.join('.')
}
