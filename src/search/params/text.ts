/**
 * `_text` and `_content`: words of the narrative, and of the whole resource.
 * https://hl7.org/fhir/R4/search.html#content
 */
import { type Ask, allOf, anyOf, type Planner, refusal, unsupported } from '../ask.ts'
import { shown, unescapeValue } from '../parse.ts'
import type { Node } from '../plan-node.ts'
import { wordsOf } from '../words.ts'

export const isText = (code: string): boolean => code === '_text' || code === '_content'

/** Throws `not-supported` where no words are indexed. */
export function checkText({ criterion, context }: Pick<Ask, 'criterion' | 'context'>): void {
  if (context.fullText !== 'on')
    throw unsupported(
      criterion,
      `"${criterion.code}" needs an index of words, which this server does not keep: it is switched on by NADI_FULL_TEXT=on.`,
    )
}

const MAX_TERMS = 100
const MAX_DEPTH = 16

type Term =
  | { is: 'and' | 'or' | 'not' | '(' | ')' }
  | { is: 'words'; words: readonly string[]; prefix: boolean }

/** A parenthesis, a text in quotes, or anything else up to a blank. */
const TERM = /\s*(?:([()])|"([^"]*)"?|([^\s()"]+))/gy

/**
 * Words that must all be there; `and`, `or`, `not` in any case, parentheses; `word*` for its beginning; in quotes all the words of a phrase,
 * whose order does not count.
 */
export const planText: Planner = ask => {
  checkText(ask)
  const reading: Reading = { ask, terms: termsOf(ask), at: 0, depth: 0 }
  const node = any(reading)
  if (reading.at < reading.terms.length) throw malformed(ask, 'a parenthesis closes that none opens')
  if (node === undefined) throw refusal(ask.criterion, `"${ask.criterion.code}" takes words to search for.`)
  return node
}

const malformed = ({ criterion }: Ask, why: string) =>
  refusal(
    criterion,
    `The text of "${criterion.code}" is words with "and", "or", "not" and parentheses, as in (bone or liver) and metasta*: ${why}.`,
  )

function termsOf(ask: Ask): Term[] {
  const text = unescapeValue(ask.value)
  const terms: Term[] = []
  for (const [, sign, phrase, term] of text.matchAll(TERM)) {
    if (sign === '(' || sign === ')') terms.push({ is: sign })
    else if (phrase !== undefined) terms.push({ is: 'words', words: wordsOf(phrase), prefix: false })
    else if (term !== undefined) terms.push(termOf(term, ask))
    if (terms.length > MAX_TERMS)
      throw refusal(
        ask.criterion,
        `A text to search for has ${MAX_TERMS} words and signs at most.`,
        'too-costly',
      )
  }
  return terms
}

function termOf(text: string, ask: Ask): Term {
  const operator = text.toLowerCase()
  if (operator === 'and' || operator === 'or' || operator === 'not') return { is: operator }
  const words = wordsOf(text)
  const star = text.indexOf('*')
  if (star >= 0 && (star < text.length - 1 || words.length === 0))
    throw malformed(ask, `a star stands at the end of a word, not as in "${shown(text)}"`)
  return { is: 'words', words, prefix: star >= 0 }
}

interface Reading {
  ask: Ask
  terms: readonly Term[]
  at: number
  depth: number
}

/** A node, or nothing for what holds no words: a dash alone asks for nothing. */
type Found = Node | undefined

function any(reading: Reading): Found {
  const nodes = [all(reading)]
  while (reading.terms[reading.at]?.is === 'or') {
    reading.at++
    nodes.push(all(reading))
  }
  const found = nodes.filter(node => node !== undefined)
  return found.length === 0 ? undefined : anyOf(found)
}

function all(reading: Reading): Found {
  const nodes = [one(reading)]
  for (;;) {
    const is = reading.terms[reading.at]?.is
    if (is === undefined || is === 'or' || is === ')') break
    if (is === 'and') reading.at++
    nodes.push(one(reading))
  }
  const found = nodes.filter(node => node !== undefined)
  return found.length === 0 ? undefined : allOf(found)
}

function one(reading: Reading): Found {
  const { ask, terms } = reading
  const term = terms[reading.at]
  if (term === undefined) throw malformed(ask, 'it ends where a word is missing')
  reading.at++
  switch (term.is) {
    case 'words':
      return words(ask, term.words, term.prefix)
    case 'not': {
      const node = nested(reading, one)
      return node && { kind: 'not', node }
    }
    case '(': {
      const node = nested(reading, any)
      if (terms[reading.at]?.is !== ')') throw malformed(ask, 'a parenthesis is not closed')
      reading.at++
      return node
    }
    default:
      throw malformed(ask, `a word is missing before "${term.is}"`)
  }
}

function nested(reading: Reading, read: (reading: Reading) => Found): Found {
  if (++reading.depth > MAX_DEPTH)
    throw refusal(reading.ask.criterion, 'The text to search for is nested too deep.', 'too-costly')
  const node = read(reading)
  reading.depth--
  return node
}

function words({ param }: Ask, list: readonly string[], prefix: boolean): Found {
  if (list.length === 0) return undefined
  return allOf(
    list.map((word, i) =>
      anyOf(
        param.rows.map(
          (name): Node => ({
            kind: 'word',
            param: name,
            word,
            prefix: prefix && i === list.length - 1,
          }),
        ),
      ),
    ),
  )
}
