/**
 * Regular expressions as an automaton: what a match costs grows with the text times the pattern and never faster.
 * http://hl7.org/fhirpath/N1/#matchesregex-string-boolean, https://swtch.com/~rsc/regexp/regexp2.html
 */
import { type Instruction, type Program, readPattern } from './pattern-program.ts'

/** Tells the steps that a search has taken. */
export type Spend = (steps: number) => void

export interface Pattern {
  readonly source: string
  /** Instructions of the automaton. */
  readonly size: number
  /** Numbers of the groups that have names. */
  readonly groups: ReadonlyMap<string, number>
  /** Returns whether the text, or where not `whole` any part of it, matches. */
  test(text: string, whole: boolean, spend: Spend): boolean
  /** Returns where the first match from a position on begins and ends, then where each group does; undefined for none. */
  find(text: string, from: number, spend: Spend): readonly (number | undefined)[] | undefined
}

/** Returns a pattern; or why it is none, as a sentence without its stop: lookaround and backreferences have no automaton. */
export function compilePattern(source: string): Pattern | string {
  const program = readPattern(source)
  if (typeof program === 'string') return program
  return {
    source,
    size: program.code.length,
    groups: program.names,
    test: (text, whole, spend) => run(program, text, 0, { whole, slots: false }, spend) !== undefined,
    find: (text, from, spend) => run(program, text, from, { whole: false, slots: true }, spend),
  }
}

interface Thread {
  at: number
  slots: readonly (number | undefined)[]
}

const NONE: readonly (number | undefined)[] = []

/** Threads in the order of preference, none twice at one place. */
class Threads {
  list: Thread[] = []
  private readonly marks: Uint32Array
  private mark = 0
  constructor(size: number) {
    this.marks = new Uint32Array(size)
  }
  clear(): void {
    this.list = []
    this.mark++
  }
  /** Returns whether the place was free. */
  enter(at: number): boolean {
    if (this.marks[at] === this.mark) return false
    this.marks[at] = this.mark
    return true
  }
}

function run(
  { code }: Program,
  text: string,
  from: number,
  mode: { whole: boolean; slots: boolean },
  spend: Spend,
): readonly (number | undefined)[] | undefined {
  spend(1 + (code.length >> 4))
  let here = new Threads(code.length)
  let next = new Threads(code.length)
  here.clear()
  next.clear()
  let found: readonly (number | undefined)[] | undefined
  let at = from
  for (;;) {
    // A later beginning is tried only until one has led to a match, and never where the whole has to match.
    if (found === undefined && (at === from || !mode.whole))
      follow(here, code, 0, mode.slots ? [at] : NONE, text, at)
    if (here.list.length === 0 && (found !== undefined || mode.whole)) break
    spend(here.list.length + 1)
    const point = text.codePointAt(at)
    const character = point === undefined ? '' : String.fromCodePoint(point)
    next.clear()
    for (const thread of here.list) {
      const instruction = code[thread.at]!
      if (instruction.op === 'match') {
        if (mode.whole && point !== undefined) continue
        found = mode.slots ? [thread.slots[0], at, ...thread.slots.slice(2)] : NONE
        if (!mode.slots) return found
        break
      }
      if (instruction.op === 'char' && point !== undefined && instruction.takes(point, character))
        follow(next, code, thread.at + 1, thread.slots, text, at + character.length)
    }
    if (point === undefined) break
    at += character.length
    ;[here, next] = [next, here]
  }
  return found
}

/** Puts all places that are reached without a character. */
function follow(
  threads: Threads,
  code: readonly Instruction[],
  start: number,
  slots: readonly (number | undefined)[],
  text: string,
  position: number,
): void {
  const stack: Thread[] = [{ at: start, slots }]
  for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
    if (!threads.enter(thread.at)) continue
    const instruction = code[thread.at]!
    switch (instruction.op) {
      case 'jump':
        stack.push({ at: instruction.to, slots: thread.slots })
        break
      case 'split':
        stack.push(
          { at: instruction.other, slots: thread.slots },
          { at: instruction.first, slots: thread.slots },
        )
        break
      case 'save': {
        let kept = thread.slots
        if (kept.length > 0) {
          const copy = [...kept]
          copy[instruction.slot] = position
          kept = copy
        }
        stack.push({ at: thread.at + 1, slots: kept })
        break
      }
      case 'assert':
        if (instruction.holds(text, position)) stack.push({ at: thread.at + 1, slots: thread.slots })
        break
      default:
        threads.list.push(thread)
    }
  }
}
