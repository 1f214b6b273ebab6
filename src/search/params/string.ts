/**
 * String parameters: names, addresses and plain text.
 * https://hl7.org/fhir/R4/search.html#string
 */
import { isObject, type Json, type JsonObject } from '../../fhir/json.ts'
import { type Ask, anyOf, type Planner, refusal } from '../ask.ts'
import { cut, fold, sortKey, wellFormed } from '../fold.ts'
import { unescapeValue } from '../parse.ts'
import type { Node } from '../plan-node.ts'
import type { SearchParam } from '../registry.ts'
import { addRow, type Names, order, type Sink } from '../sink.ts'
import type { Writer } from './token.ts'

/** Longer texts are compared by their first part only, UTF-16 units. */
const MAX_EXACT = 2048

/** Returns a text as `:exact` compares it. */
export const exactText = (text: string): string => cut(wellFormed(text), MAX_EXACT)

/** Adds the row of a text and returns how it folds; '' for what is no text. */
function add(value: Json | undefined, names: Names, sink: Sink): string {
  if (typeof value !== 'string' || value === '') return ''
  const folded = fold(value)
  addRow(sink, { kind: 'string', param: names.name, folded, exact: exactText(value) })
  return folded
}

/** Adds the rows of a list of texts and returns them folded, blank between. */
function addAll(value: Json | undefined, names: Names, sink: Sink): string {
  if (!Array.isArray(value)) return add(value, names, sink)
  let all = ''
  for (const one of value) {
    const folded = add(one, names, sink)
    if (folded !== '') all = all === '' ? folded : `${all} ${folded}`
  }
  return all
}

const MAX_WORDS = 8

/** Adds a row for each further word of a folded name, which `:exact` does not find: `Quinones` finds `Carreno Quinones`. */
function addWords(folded: string, names: Names, sink: Sink): void {
  if (!folded.includes(' ')) return
  const words = folded.split(' ', MAX_WORDS)
  for (let i = 1; i < words.length; i++)
    if (!hasFolded(sink, words[i]!))
      addRow(sink, { kind: 'string', param: names.name, folded: words[i]!, exact: '' })
}

/** Returns the words of a folded value of the parameter that have rows of their own. */
export function furtherWords({ paths }: SearchParam, folded: string): string[] {
  const named = paths.some(({ type, steps }) => {
    const last = steps.at(-1)
    return type === 'HumanName' || (last?.is === 'get' && last.key === 'family')
  })
  return named ? folded.split(' ', MAX_WORDS).slice(1) : []
}

function hasFolded(sink: Sink, folded: string): boolean {
  for (let i = sink.start; i < sink.rows.length; i++) {
    const row = sink.rows[i]!
    if (row.kind === 'string' && row.folded === folded) return true
  }
  return false
}

function humanName(value: JsonObject, names: Names, sink: Sink): void {
  const family = add(value.family, names, sink)
  const given = addAll(value.given, names, sink)
  addAll(value.prefix, names, sink)
  addAll(value.suffix, names, sink)
  const text = add(value.text, names, sink)
  addWords(family, names, sink)
  addWords(text, names, sink)
  // As an index of persons is ordered: by family, then given name.
  const key = family === '' ? given || text : `${family} ${given}`
  if (key !== '') order(sink, sortKey(key))
}

function address(value: JsonObject, names: Names, sink: Sink): void {
  const text = add(value.text, names, sink)
  let all = addAll(value.line, names, sink)
  for (const part of [value.city, value.district, value.state, value.postalCode, value.country]) {
    const folded = add(part, names, sink)
    if (folded !== '') all = all === '' ? folded : `${all} ${folded}`
  }
  const key = all || text
  if (key !== '') order(sink, sortKey(key))
}

const plain: Writer = (value, names, sink) => {
  const folded = add(value, names, sink)
  if (folded !== '') order(sink, sortKey(folded))
}

/** The same for an element that holds a family name: its words count on their own. */
export const writeFamily: Writer = (value, names, sink) => {
  const folded = add(value, names, sink)
  if (folded === '') return
  order(sink, sortKey(folded))
  addWords(folded, names, sink)
}

/** What writes string rows for values of a FHIR type. */
export const STRING_WRITERS: Readonly<Record<string, Writer>> = {
  string: plain,
  markdown: plain,
  HumanName: (value, names, sink) => {
    if (isObject(value)) humanName(value, names, sink)
  },
  Address: (value, names, sink) => {
    if (isObject(value)) address(value, names, sink)
  },
}

const planned = (match: 'starts' | 'contains' | 'exact', { param, criterion, value }: Ask): Node => {
  const text = unescapeValue(value)
  const wanted = match === 'exact' ? exactText(text) : fold(text)
  if (wanted === '') throw refusal(criterion, `"${criterion.name}" takes a text to search for.`)
  return anyOf(param.rows.map(name => ({ kind: 'string', param: name, match, value: wanted })))
}

/** Starts with the text, case and accents aside. */
export const planString: Planner = ask => planned('starts', ask)
/** `:contains`: has the text anywhere, case and accents aside. */
export const planContains: Planner = ask => planned('contains', ask)
/** `:exact`: is the text to the letter. */
export const planExact: Planner = ask => planned('exact', ask)
