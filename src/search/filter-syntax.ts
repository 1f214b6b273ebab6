/**
 * The text of a `_filter` to a tree of comparisons, without any meaning yet.
 * https://hl7.org/fhir/R4/search_filter.html
 */
import { wellFormed } from './fold.ts'

export type Filter =
  | { is: 'and' | 'or'; parts: readonly Filter[] }
  | { is: 'not'; of: Filter }
  | {
      is: 'compare'
      /** `subject.name` */
      path: string
      operator: Operator
      /** The escapes of a JSON string undone; never empty. */
      value: string
    }

export const OPERATORS = [
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'lt',
  'ge',
  'le',
  'ap',
  'sa',
  'eb',
  'pr',
  'po',
  'ss',
  'sb',
  'in',
  'ni',
  're',
] as const
export type Operator = (typeof OPERATORS)[number]

/** Why a text is no filter: a sentence. */
export class FilterFault extends Error {
  /** It is a filter, and asks too much. */
  readonly costly: boolean
  constructor(sentence: string, costly = false) {
    super(sentence)
    this.costly = costly
  }
}

/** Parentheses within each other, and changes between `and` and `or` from left to right. */
export const MAX_DEPTH = 20

/** A part of a filter, and how deep the tree under it is. */
interface Parsed {
  filter: Filter
  depth: number
}

const BLANK = /\s*/y
const JOIN = /(and|or)(?=[\s(])/y
const NOT = /not\s*(?=\()/y
const PATH = /[A-Za-z_][A-Za-z0-9_:.-]*/y
const OPERATOR = /\s+([A-Za-z]{2})(?=\s)/y
const STRING = /"(?:[^"\\]|\\.)*"/sy
const TOKEN = /[^\s)\]"][^\s)\]]*/y

/**
 * Returns the tree of a filter; `and` and `or` have no precedence: they apply from left to right.
 *
 * Throws FilterFault for what is no filter, and for more comparisons than `most` or a tree deeper than MAX_DEPTH.
 */
export function parseFilter(text: string, most: number): Filter {
  let at = 0
  let comparisons = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found !== null) at = pattern.lastIndex
    return found
  }
  const expected = (what: string): FilterFault =>
    new FilterFault(`The filter is not understood at character ${at + 1}: ${what} is expected there.`)
  const checkDepth = (depth: number): number => {
    if (depth > MAX_DEPTH)
      throw new FilterFault(
        `A filter is ${MAX_DEPTH} levels deep at most, in parentheses and in changes between "and" and "or".`,
        true,
      )
    return depth
  }

  const expression = (level: number): Parsed => {
    let left = term(level)
    for (;;) {
      take(BLANK)
      const is = take(JOIN)?.[1] as 'and' | 'or' | undefined
      if (is === undefined) return left
      const right = term(level)
      const same = left.filter.is === is ? left.filter.parts : undefined
      const depth = checkDepth(Math.max(same === undefined ? left.depth + 1 : left.depth, right.depth + 1))
      left = { filter: { is, parts: [...(same ?? [left.filter]), right.filter] }, depth }
    }
  }

  const term = (level: number): Parsed => {
    take(BLANK)
    const negated = take(NOT) !== null
    if (!negated && text[at] !== '(') return { filter: comparison(), depth: 0 }
    at++
    const inner = expression(checkDepth(level + 1))
    take(BLANK)
    if (text[at] !== ')') throw expected('"and", "or" or a closing parenthesis')
    at++
    if (!negated) return inner
    return { filter: { is: 'not', of: inner.filter }, depth: checkDepth(inner.depth + 1) }
  }

  const comparison = (): Filter => {
    const path = take(PATH)?.[0]
    if (path === undefined) throw expected('a parameter, "not" or an opening parenthesis')
    if (text[at] === '[')
      throw new FilterFault(
        'Filters in brackets behind a parameter are not supported: join comparisons with "and".',
      )
    const from = at
    const operator = take(OPERATOR)?.[1]
    if (operator === undefined || !isOperator(operator)) {
      at = from
      take(BLANK)
      throw expected(`one of the operators ${OPERATORS.join(', ')} between blanks`)
    }
    take(BLANK)
    comparisons++
    if (comparisons > most) throw new FilterFault(`A filter has ${most} comparisons at most.`, true)
    return { is: 'compare', path, operator, value: value() }
  }

  const value = (): string => {
    const from = at
    const quoted = take(STRING)?.[0]
    const found = quoted === undefined ? take(TOKEN)?.[0] : unquoted(quoted)
    if (found === undefined || found === '') {
      at = from
      throw expected('a value: a JSON string in double quotes, a date, a number or a token')
    }
    return found
  }

  const { filter } = expression(0)
  take(BLANK)
  if (at < text.length) throw expected('"and", "or" or the end')
  return filter
}

const isOperator = (text: string): text is Operator => (OPERATORS as readonly string[]).includes(text)

function unquoted(text: string): string | undefined {
  try {
    return wellFormed(JSON.parse(text) as string)
  } catch {
    return undefined
  }
}
