/** Words of narratives and resources: candidates from the full-text index, decided by the words themselves. */
import type { Kind } from './leaf.ts'
import { nameId } from './names.ts'
import { raw, type Sql, sql } from './sql.ts'

/** The condition that a row of `wrd` holds the word: its words have a blank before and after each. */
const wordMeets = ({ word, prefix }: Kind<'word'>): Sql =>
  // A blank would make it two words, which no row has as one.
  /^\S+$/.test(word) ? sql`instr(wrd.words, ${prefix ? ` ${word}` : ` ${word} `}) > 0` : raw('(SELECT 0)')

/** The condition that the resource has the word. */
export const wordHolds = (node: Kind<'word'>, rid: Sql): Sql =>
  sql`EXISTS (SELECT 1 FROM wrd INDEXED BY wrd_rid WHERE wrd.rid = ${rid} AND wrd.p = ${nameId(node.param)} AND ${wordMeets(node)})`

/** What the tokenizer of the index takes for part of a word. */
const TOKENS = /[0-9A-Za-z\u{80}-\u{10ffff}]+/gu

/** Returns the select of the resources that have the word, and of those of `most` rows that the index does not hold yet. */
export function wordSelect(node: Kind<'word'>): Sql {
  const tokens = node.word.match(TOKENS) ?? []
  const where = sql`wrd.p = ${nameId(node.param)} AND ${wordMeets(node)}`
  if (tokens.length === 0) return sql`SELECT wrd.rid AS rid FROM wrd WHERE ${where}`
  const whole = !node.prefix || !node.word.endsWith(tokens.at(-1)!)
  const match = tokens.map((token, i) => `"${token}"${whole || i < tokens.length - 1 ? '' : ' *'}`)
  const candidates = sql`SELECT rowid AS wid FROM wrd_index WHERE wrd_index MATCH ${match.join(' AND ')}`
  const rest = raw(`SELECT wid FROM wrd WHERE wid > (SELECT value FROM meta WHERE name = 'words')`)
  return sql`SELECT wrd.rid AS rid FROM (${candidates} UNION ALL ${rest}) c CROSS JOIN wrd ON wrd.wid = c.wid WHERE ${where}`
}
