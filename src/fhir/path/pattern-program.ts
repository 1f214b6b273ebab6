/**
 * The text of a regular expression as a program for the automaton of pattern.ts.
 * http://hl7.org/fhirpath/N1/#matchesregex-string-boolean
 */
export type Instruction =
  | { op: 'char'; takes(point: number, character: string): boolean }
  | { op: 'jump'; to: number }
  | { op: 'split'; first: number; other: number }
  | { op: 'save'; slot: number }
  | { op: 'assert'; holds(text: string, at: number): boolean }
  | { op: 'match' }

export interface Program {
  code: Instruction[]
  names: ReadonlyMap<string, number>
}

/** Repetitions are written out, so that they count as what they repeat. */
const MOST_INSTRUCTIONS = 8192
const MOST_GROUPS = 32
const LONGEST = 4096
const DEEPEST = 64

type Node =
  | { op: 'char'; takes(point: number, character: string): boolean }
  | { op: 'assert'; holds(text: string, at: number): boolean }
  | { op: 'sequence' | 'choice'; of: Node[] }
  | { op: 'repeat'; of: Node; least: number; most: number; lazy: boolean }
  | { op: 'group'; of: Node; number: number }

class Fault extends Error {}

/** Returns the program; or why there is none. */
export function readPattern(source: string): Program | string {
  try {
    if (source.length > LONGEST) throw new Fault(`it is longer than ${LONGEST} characters`)
    const reading: Reading = { source, at: 0, groups: 0, depth: 0, names: new Map() }
    const node = choice(reading)
    if (reading.at < source.length) throw new Fault('a bracket closes nothing')
    const code: Instruction[] = []
    write(node, { code, nodes: 0 })
    code.push({ op: 'match' })
    return { code, names: reading.names }
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    return `the regular expression cannot be read: ${fault.message}`
  }
}

interface Reading {
  source: string
  at: number
  groups: number
  depth: number
  names: Map<string, number>
}

function choice(reading: Reading): Node {
  if (++reading.depth > DEEPEST) throw new Fault(`it is nested deeper than ${DEEPEST} levels`)
  const of: Node[] = [sequence(reading)]
  while (reading.source[reading.at] === '|') {
    reading.at++
    of.push(sequence(reading))
  }
  reading.depth--
  return of.length === 1 ? of[0]! : { op: 'choice', of }
}

function sequence(reading: Reading): Node {
  const of: Node[] = []
  for (;;) {
    const character = reading.source[reading.at]
    if (character === undefined || character === '|' || character === ')') break
    of.push(repeated(reading, atom(reading)))
  }
  return of.length === 1 ? of[0]! : { op: 'sequence', of }
}

const REPEAT = /(?:([*+?])|\{([0-9]{1,4})(,([0-9]{1,4})?)?\})([?+])?/y

function repeated(reading: Reading, of: Node): Node {
  REPEAT.lastIndex = reading.at
  const match = REPEAT.exec(reading.source)
  if (match === null) return of
  reading.at += match[0].length
  const [, sign, low, range, high, greed] = match
  if (greed === '+') throw new Fault('possessive repetition is not supported')
  if (of.op === 'assert') throw new Fault('a position cannot be repeated')
  const least = sign === undefined ? Number(low) : sign === '+' ? 1 : 0
  let most = sign === '?' ? 1 : Number.POSITIVE_INFINITY
  if (sign === undefined && (range === undefined || high !== undefined)) most = Number(high ?? low)
  if (most < least) throw new Fault('a repetition ends before it begins')
  if (of.op === 'sequence' && of.of.length === 0) return of
  REPEAT.lastIndex = reading.at
  if (REPEAT.test(reading.source)) throw new Fault('a repetition is repeated')
  return { op: 'repeat', of, least, most, lazy: greed === '?' }
}

function atom(reading: Reading): Node {
  const { source } = reading
  const point = source.codePointAt(reading.at)!
  const character = String.fromCodePoint(point)
  reading.at += character.length
  switch (character) {
    case '(':
      return group(reading)
    case '[':
      return set(reading)
    case '\\':
      return escaped(reading)
    case '.':
      // Single-line mode: the end of a line is a character like any other.
      return { op: 'char', takes: () => true }
    case '^':
      return { op: 'assert', holds: (_, at) => at === 0 }
    case '$':
      return { op: 'assert', holds: (text, at) => at === text.length }
    case '*':
    case '+':
    case '?':
      throw new Fault(`${character} repeats nothing`)
    default:
      return { op: 'char', takes: other => other === point }
  }
}

const GROUP = /\?(?::|(?:P?<|')([A-Za-z][A-Za-z0-9_]*)[>'])/y

function group(reading: Reading): Node {
  let number: number | undefined
  if (reading.source[reading.at] === '?') {
    GROUP.lastIndex = reading.at
    const match = GROUP.exec(reading.source)
    if (match === null) throw new Fault('lookaround and flags are not supported')
    reading.at += match[0].length
    if (match[1] !== undefined) {
      number = ++reading.groups
      reading.names.set(match[1], number)
    }
  } else number = ++reading.groups
  if (reading.groups > MOST_GROUPS) throw new Fault(`it has more than ${MOST_GROUPS} groups`)
  const of = choice(reading)
  if (reading.source[reading.at] !== ')') throw new Fault('a bracket does not close')
  reading.at++
  return number === undefined ? of : { op: 'group', of, number }
}

const isWord = (character: string | undefined): boolean => character !== undefined && /^\w$/.test(character)
const boundary = (text: string, at: number): boolean => isWord(text[at - 1]) !== isWord(text[at])

const ESCAPE = /[dDwWsSnrtfv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[pP]\{[A-Za-z_=]{1,40}\}|[^A-Za-z0-9]/uy

function escaped(reading: Reading): Node {
  const letter = reading.source[reading.at]
  if (letter === 'b' || letter === 'B') {
    reading.at++
    return { op: 'assert', holds: (text, at) => boundary(text, at) === (letter === 'b') }
  }
  ESCAPE.lastIndex = reading.at
  const text = ESCAPE.exec(reading.source)?.[0]
  if (text === undefined) throw new Fault(`\\${letter ?? ''} is not supported`)
  reading.at += text.length
  if (/[A-Za-z0-9]/.test(text)) return ofSet(`\\${text}`)
  const point = text.codePointAt(0)
  return { op: 'char', takes: other => other === point }
}

/** From the opening bracket to the one that closes; what is escaped does not count. */
const SET = /\^?\]?(?:\\[\s\S]|[^\]\\])*\]/y

function set(reading: Reading): Node {
  SET.lastIndex = reading.at
  const match = SET.exec(reading.source)?.[0]
  if (match === undefined) throw new Fault('a set does not close')
  reading.at += match.length
  const inside = match.slice(0, -1)
  const negative = inside.startsWith('^')
  // Other dialects escape what JavaScript does not; an opening bracket in a set is only a character here.
  const body = (negative ? inside.slice(1) : inside)
    .replace(/^\]/, '\\]')
    .replace(/\\([^A-Za-z0-9])|([[\]])/gu, (whole, sign: string | undefined, bracket: string | undefined) => {
      if (bracket !== undefined) return `\\${bracket}`
      return /[\^$\\.*+?()[\]{}|/-]/.test(sign!) ? whole : sign!
    })
  return ofSet(`${negative ? '^' : ''}${body}`)
}

/** One character against a set has nothing to turn back to, so that JavaScript's own may do it. */
function ofSet(body: string): Node {
  let native: RegExp
  try {
    native = new RegExp(`^[${body}]$`, 'u')
  } catch {
    throw new Fault('a set is malformed')
  }
  // ASCII is looked up.
  const table = Array.from({ length: 128 }, (_, point) => native.test(String.fromCharCode(point)))
  return { op: 'char', takes: (point, character) => (point < 128 ? table[point]! : native.test(character)) }
}

interface Writing {
  code: Instruction[]
  /** Nodes written so far. */
  nodes: number
}

function write(node: Node, writing: Writing): void {
  const { code } = writing
  // What is empty and repeated writes nothing, but takes time all the same.
  if (++writing.nodes > MOST_INSTRUCTIONS) throw new Fault('it is too large')
  switch (node.op) {
    case 'char':
    case 'assert':
      code.push(node)
      return
    case 'sequence':
      for (const one of node.of) write(one, writing)
      return
    case 'choice':
      writeChoice(node.of, writing)
      return
    case 'group':
      code.push({ op: 'save', slot: node.number * 2 })
      write(node.of, writing)
      code.push({ op: 'save', slot: node.number * 2 + 1 })
      return
    case 'repeat':
      writeRepeat(node, writing)
      return
  }
}

function writeChoice(of: readonly Node[], writing: Writing): void {
  const { code } = writing
  const ends: { op: 'jump'; to: number }[] = []
  for (const one of of.slice(0, -1)) {
    const fork = { op: 'split' as const, first: code.length + 1, other: 0 }
    code.push(fork)
    write(one, writing)
    const end = { op: 'jump' as const, to: 0 }
    ends.push(end)
    code.push(end)
    fork.other = code.length
  }
  write(of.at(-1)!, writing)
  for (const end of ends) end.to = code.length
}

function writeRepeat({ of, least, most, lazy }: Node & { op: 'repeat' }, writing: Writing): void {
  const { code } = writing
  for (let n = 0; n < least; n++) write(of, writing)
  if (most === Number.POSITIVE_INFINITY) {
    const start = code.length
    const leave = split(lazy, code)
    write(of, writing)
    code.push({ op: 'jump', to: start })
    leave(code.length)
    return
  }
  const leaves: ((to: number) => void)[] = []
  for (let n = least; n < most; n++) {
    leaves.push(split(lazy, code))
    write(of, writing)
  }
  for (const leave of leaves) leave(code.length)
}

/** Puts a split into what follows and away; the result is told where away is. */
function split(lazy: boolean, code: Instruction[]): (to: number) => void {
  const instruction = { op: 'split' as const, first: code.length + 1, other: code.length + 1 }
  code.push(instruction)
  return to => {
    if (lazy) instruction.first = to
    else instruction.other = to
  }
}
