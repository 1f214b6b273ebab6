/** The leaves of a search plan as conditions over the rows of one table. */
import { fhirError } from '../../fhir/error.ts'
import { fold } from '../../search/fold.ts'
import type { Bound, Node } from '../../search/plan-node.ts'
import { NO_TERM, type Terms, WIDE } from './index-tables.ts'
import { nameId } from './names.ts'
import { all, raw, type Sql, sql, TRUE } from './sql.ts'

export type Kind<K extends Node['kind']> = Extract<Node, { kind: K }>

/** The leaves whose rows stand in one table. */
export type Leaf = Kind<'token' | 'uri' | 'date' | 'quantity' | 'reference'>

/** Returns the id of a term, asked of the database where it is not known. */
export const termId = (text: string, terms: Terms): Sql => {
  if (text === '') return raw(String(NO_TERM))
  const id = terms.get(text)
  return id === undefined ? sql`(SELECT id FROM term WHERE text = ${text})` : sql`${id}`
}

/** The rows of a leaf. */
export interface Rows {
  table: string
  /** Over the columns of the table. */
  where: Sql
  /** Read by the index they come in the order of rid. */
  ordered: boolean
  unique: boolean
  /** Of two that find equally many the lower is taken. */
  rank: number
}

export function leaf(node: Leaf, terms: Terms): Rows {
  const p = sql`p = ${nameId(node.param)}`
  switch (node.kind) {
    case 'token': {
      const where = [p]
      if (node.code !== undefined) where.push(sql`code = ${node.code}`)
      if (node.system !== undefined) where.push(sql`sys = ${termId(node.system, terms)}`)
      const both = node.code !== undefined && node.system !== undefined
      const rank = node.code === undefined ? 7 : node.param.endsWith('.identifier') ? 1 : 5
      return { table: 'tok', where: all(where), ordered: node.code !== undefined, unique: both, rank }
    }
    case 'uri': {
      const ordered = node.match === 'equals'
      return { table: 'uri', where: all([p, uriMeets(node)]), ordered, unique: ordered, rank: 2 }
    }
    case 'date':
      return {
        table: 'dat',
        where: all([p, rangeBounds(implied(node.bounds))]),
        ordered: false,
        unique: false,
        rank: 4,
      }
    case 'quantity': {
      const unit = sql`unit = ${termId(node.unit, terms)}`
      const where = all([p, unit, rangeBounds(implied(node.bounds)), beginsAfter(node)])
      return { table: 'qty', where, ordered: false, unique: false, rank: 4 }
    }
    case 'reference': {
      const where = [p, sql`id = ${node.id}`]
      if (node.type !== undefined) where.push(sql`type = ${nameId(node.type)}`)
      if (node.version !== undefined) where.push(sql`version = ${node.version}`)
      return { table: 'ref', where: all(where), ordered: true, unique: false, rank: 2 }
    }
  }
}

/** Whether a resource has this mark under the parameter. */
export const isMarked = (param: string, mark: string): Sql =>
  sql`EXISTS (SELECT 1 FROM srt WHERE p = ${nameId(param)} AND key = ${mark})`

/** Quantities are found by their beginning; it is their end too, unless one is marked as a range. */
function beginsAfter({ param, bounds }: Kind<'quantity'>): Sql {
  if (bounds.some(({ end, op }) => end === 'lo' && op.startsWith('>'))) return TRUE
  const ends = bounds.find(({ end, op }) => end === 'hi' && op.startsWith('>'))
  if (ends === undefined) return TRUE
  return sql`lo >= CASE WHEN ${isMarked(param, WIDE)} THEN '' ELSE ${ends.value} END`
}

type End = { end: string; op: string; value: string | number }

/** A row's lo is never above its hi, so what bounds hi from above bounds lo too: the index begins with lo. */
function implied<V extends string | number>(given: readonly Bound<V>[]): End[] {
  const ends: End[] = [...given]
  const bounded = given.some(bound => bound.end === 'lo' && bound.op.startsWith('<'))
  if (!bounded)
    for (const bound of given)
      if (bound.end === 'hi' && bound.op.startsWith('<'))
        ends.push({ end: 'lo', op: '<=', value: bound.value })
  return ends
}

export const bounds = (ends: readonly End[]): Sql =>
  all(ends.map(({ end, op, value }) => sql`${raw(`${end} ${op} `)}${value}`))

/** As bounds; the index on ends is left alone where there is a bound on beginnings. */
function rangeBounds(ends: readonly End[]): Sql {
  const begins = ends.some(({ end }) => end === 'lo')
  return bounds(ends.map(one => (begins && one.end === 'hi' ? { ...one, end: '+hi' } : one)))
}

/** The condition over `sv` that a stored text meets the node. */
export function textMeets({ match, value }: Kind<'string'>): Sql {
  switch (match) {
    case 'equals':
      return sql`sv.folded = ${value}`
    case 'exact':
      // The index begins with the folded text.
      return sql`sv.folded = ${fold(value)} AND sv.exact = ${value}`
    case 'starts':
      return begins('sv.folded', value)
    case 'contains':
      return sql`instr(sv.folded, ${value}) > 0`
    case 'ends':
      return sql`substr(sv.folded, -length(${value})) = ${value}`
    default:
      return sql`sv.folded ${raw(match)} ${value}`
  }
}

/** Returns what the trigram index is asked for a needle; undefined for one that it does not help to find. */
function trigramsOf({ match, value }: Kind<'string'>): string | undefined {
  const characters = [...value]
  if ((match !== 'contains' && match !== 'ends') || characters.length < 3) return undefined
  const trigrams = new Set<string>()
  // The rarest trigrams are not known; a handful narrows well and the condition decides.
  for (let i = 0; i + 3 <= characters.length && trigrams.size < 12; i++) {
    const trigram = characters.slice(i, i + 3).join('')
    // The language of MATCH ends at a NUL.
    if (!trigram.includes('\0')) trigrams.add(`"${trigram.replaceAll('"', '""')}"`)
  }
  return trigrams.size === 0 ? undefined : [...trigrams].join(' AND ')
}

const matched = (trigrams: string): Sql =>
  sql`SELECT rowid AS sid FROM sv_trigram WHERE sv_trigram MATCH ${trigrams}`
/** Texts that are not yet in the trigram index. */
const NEW_TEXTS = raw(`SELECT sid FROM sv WHERE sid > (SELECT value FROM meta WHERE name = 'trigram')`)

/** The rows of `sv` that meet the node, by an index. */
export function textsFound(node: Kind<'string'>): { from: Sql; where: Sql } {
  const where = sql`sv.p = ${nameId(node.param)} AND ${textMeets(node)}`
  const trigrams = trigramsOf(node)
  if (trigrams === undefined) return { from: raw('sv'), where }
  return { from: sql`(${matched(trigrams)} UNION ALL ${NEW_TEXTS}) x CROSS JOIN sv ON sv.sid = x.sid`, where }
}

/** As textsFound, as a condition on `sv` alone. */
export function textFound(node: Kind<'string'>): Sql {
  const trigrams = trigramsOf(node)
  const where = sql`sv.p = ${nameId(node.param)} AND ${textMeets(node)}`
  return trigrams === undefined
    ? where
    : sql`sv.sid IN (${matched(trigrams)} UNION ALL ${NEW_TEXTS}) AND ${where}`
}

/** The condition that a column begins with a text, as a range: LIKE is limited to 50 bytes on D1 and folds ASCII. */
export function begins(column: string, prefix: string): Sql {
  const end = successor(prefix)
  const from = sql`${raw(column)} >= ${prefix}`
  return end === undefined ? from : sql`${from} AND ${raw(column)} < ${end}`
}

/** Returns the least text that is greater than all that begin with `prefix`, by code points; undefined where there is none. */
export function successor(prefix: string): string | undefined {
  const characters = [...prefix]
  while (characters.length > 0) {
    const code = characters.pop()!.codePointAt(0)!
    // Surrogates are no characters.
    if (code < 0x10ffff)
      return characters.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1)
  }
  return undefined
}

/** A uri of more slashes is no address of a definition, and each slash makes two values to compare with. */
const MOST_SLASHES = 64

function uriMeets({ match, value }: Kind<'uri'>): Sql {
  switch (match) {
    case 'equals':
      return sql`value = ${value}`
    case 'below':
      return sql`(value = ${value} OR (${begins('value', `${value}/`)}))`
    case 'versions':
      return sql`(value = ${value} OR (${begins('value', `${value}|`)}))`
    case 'above':
      return sql`value IN (SELECT a.value FROM json_each(${JSON.stringify(pathsAbove(value))}) a)`
  }
}

/** Returns the uri and everything that it lies under by path. Throws `value` for more than MOST_SLASHES of these. */
function pathsAbove(uri: string): string[] {
  const paths = new Set([uri])
  for (let at = uri.indexOf('/'); at >= 0; at = uri.indexOf('/', at + 1)) {
    if (paths.size > 2 * MOST_SLASHES)
      throw fhirError('value', `A uri for :above has at most ${MOST_SLASHES} slashes.`)
    paths.add(uri.slice(0, at))
    paths.add(uri.slice(0, at + 1))
  }
  return [...paths]
}
