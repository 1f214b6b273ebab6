/** Terms of concepts as the tokens of a full-text index. https://sqlite.org/fts5.html#ascii_tokenizer */
import { type ConceptQuestion, conceptTerms } from '../concept-terms.ts'
import type { ConceptRow } from '../concepts.ts'

/** The tokenizer splits at these and takes capitals for small letters; codes are to be whole, and as they are. */
const APART = /[\0-/:-`{-\x7f]/g
/** Private use: of no word, and part of a token. */
const PRIVATE = 0xe000

const tokenOf = (term: string): string =>
  term.replace(APART, one => String.fromCharCode(PRIVATE + one.charCodeAt(0)))

export const indexText = (row: ConceptRow): string => conceptTerms(row).map(tokenOf).join(' ')

/** Returns the full-text query; undefined where words and terms are none. */
export function matchOf({ words, terms }: ConceptQuestion): string | undefined {
  const groups = terms.map(group => `(${group.map(term => `"${tokenOf(term)}"`).join(' OR ')})`)
  // Short words begin many others, so that what is exact comes first.
  const parts = [...groups, ...words.map(word => `"${tokenOf(word)}" *`)]
  return parts.length === 0 ? undefined : parts.join(' AND ')
}
