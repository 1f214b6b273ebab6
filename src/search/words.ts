/**
 * Words of texts, as `_text` and `_content` search them.
 * https://hl7.org/fhir/R4/search.html#content
 */
import { isObject, type Json, type Resource } from '../fhir/json.ts'
import { cut, fold } from './fold.ts'
import type { IndexRow } from './index-row.ts'
import { narrativeText } from './narrative.ts'

/** Words of one resource under one parameter; what comes after is not found. */
export const MAX_WORDS = 10_000
/** Longer words are compared by their first part only, UTF-16 units. */
export const MAX_WORD = 64

const ASCII_WORD = /[A-Za-z0-9]+/g
const ASCII = /^[\0-\x7f]*$/
/** The joiners belong to the words of Indic scripts; folding takes them away, and the soft hyphen. */
const WORD = /(?:[\p{L}\p{M}\p{N}]|\u200c|\u200d|\u00ad)+/gu
/** What the folding of one character may leave beside letters: ½ is `1⁄2`. */
const REST = /[^\p{L}\p{M}\p{N}]+/u

/** Adds the words of a text, folded: maximal runs of letters, marks and digits. */
export function addWords(text: string, words: Set<string>): void {
  if (ASCII.test(text)) {
    for (const word of text.match(ASCII_WORD) ?? [])
      words.add((word.length > MAX_WORD ? word.slice(0, MAX_WORD) : word).toLowerCase())
    return
  }
  for (const run of text.match(WORD) ?? [])
    for (const word of fold(run).split(REST)) if (word !== '') words.add(cut(word, MAX_WORD))
}

/** Returns the words of a text, folded, in their order and each once. */
export function wordsOf(text: string): string[] {
  const words = new Set<string>()
  addWords(text, words)
  return [...words]
}

/** Strings that hold no words for people: addresses, keys and encoded data. Codes, identifiers' values and displays are searched. */
const SILENT: ReadonlySet<string> = new Set([
  'resourceType',
  'id',
  'reference',
  'system',
  'url',
  'fullUrl',
  'implicitRules',
  'data',
  'hash',
  'valueBase64Binary',
  'contentType',
  'language',
])

/** Dates and addresses are what other parameters search. */
const NO_TEXT =
  /^(?:[0-9]{4}-[0-9]{2}(?:-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?)?|[a-z][a-z0-9+.-]*:\/\/\S*|urn:\S*)$/i

/** Adds the rows of `_text` and `_content`, where there are words. */
export function writeWords(resource: Resource, rows: IndexRow[]): void {
  const narrative = new Set<string>()
  const { text } = resource
  if (isObject(text) && typeof text.div === 'string') addWords(narrativeText(text.div), narrative)
  if (narrative.size > 0) rows.push(rowOf('_text', narrative))
  const content = new Set(narrative)
  for (const key in resource) if (key !== 'text' && key !== 'meta') gatherMember(key, resource[key]!, content)
  if (content.size > 0) rows.push(rowOf('_content', content))
}

function rowOf(param: string, words: ReadonlySet<string>): IndexRow {
  let list = [...words]
  if (list.length > MAX_WORDS) list = list.slice(0, MAX_WORDS)
  return { kind: 'words', param, words: list.sort() }
}

function gather(value: Json, words: Set<string>): void {
  if (words.size > MAX_WORDS) return
  if (typeof value === 'string') {
    if (!isSilent(value)) addWords(value, words)
  } else if (Array.isArray(value)) for (const one of value) gather(one, words)
  else if (isObject(value)) for (const key in value) gatherMember(key, value[key]!, words)
}

/** Names such as `language` and `data` are those of concepts and backbone elements too. */
function gatherMember(key: string, value: Json, words: Set<string>): void {
  if (typeof value === 'string') {
    if (key === 'div') addWords(narrativeText(value), words)
    else if (!SILENT.has(key)) gather(value, words)
  } else if (typeof value === 'object' && value !== null) gather(value, words)
}

const isSilent = (text: string): boolean => text.length > 6 && text.length < 2048 && NO_TEXT.test(text)
