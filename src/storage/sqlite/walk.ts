/** Pages read off an index that has the order already: of a sort key, of lastUpdated, of ids or of the internal id. */
import type { Node, SearchPlan, SortKey } from '../../search/plan-node.ts'
import type { Cursor } from '../port.ts'
import { type Find, foundBy, holds, implies, typeIn } from './compile.ts'
import type { Terms } from './index-tables.ts'
import { nameId } from './names.ts'
import { beyond, expectKeys, isCoded, type Ordering, orderBy, ordering, type Place, partOf } from './order.ts'
import { all, join, type Param, raw, type Sql, sql, TRUE } from './sql.ts'

/** The columns of a found row; those of the keys follow. */
export const FOUND = 'r.key, v.ver, v.lu, v.method, v.body, v.chunks, v.vid, i.*'
export const FOUND_RID = 7

export interface Query {
  plan: SearchPlan
  types: readonly string[] | undefined
  nodes: readonly Node[]
  terms: Terms
  place: Place
}

export interface Choice {
  find: Find | undefined
  node: Node | undefined
  /** The find has few rows: gathering them costs less than walking an index. */
  selective: boolean
  /** Rows of the find, as far as they were counted. */
  count: number
}

/** A query of the page, given how many rows are still wanted. */
export type Part = (limit: number) => Sql

export const page = (inner: Sql): Sql =>
  sql`SELECT ${raw(FOUND)} FROM (${inner}) i CROSS JOIN res r ON r.rid = i.rid CROSS JOIN ver v ON v.vid = r.vid`

/** Everything that must hold beside what the table walked says already. `f.rid` is the row's resource. */
function rest(query: Query, without: Node | undefined, param: string | undefined, typed: boolean): Sql {
  const { types, nodes, terms } = query
  const rid = raw('f.rid')
  return all([
    typed || (param !== undefined && implies(param, types)) || types === undefined
      ? TRUE
      : holds({ kind: 'type', types }, rid, terms),
    ...nodes.filter(node => node !== without).map(node => holds(node, rid, terms)),
  ])
}

/** The page by the internal id. */
export function inOrderOfMaking(query: Query, choice: Choice): Part {
  const { place } = query
  const from = place.cursor === undefined ? TRUE : beyond([], 'f.rid', place.cursor, place.backward)
  const order = orderBy([], 'f.rid', place.backward)
  const { find: found, node } = choice
  const end = (limit: number): Sql => sql`ORDER BY ${order} LIMIT ${limit}`
  if (found?.ordered) {
    const distinct = raw(found.unique ? '' : 'DISTINCT ')
    const where = all([found.ordered.where, from, rest(query, node, found.param, false)])
    return limit =>
      page(sql`SELECT ${distinct}f.rid AS rid FROM ${found.ordered!.from} f WHERE ${where} ${end(limit)}`)
  }
  if (found && choice.selective) {
    const rids = foundBy(found, node, query.types, query.nodes, query.terms)
    return limit => page(sql`SELECT f.rid AS rid FROM (${rids}) f WHERE ${from} ${end(limit)}`)
  }
  return limit =>
    page(
      sql`SELECT f.rid AS rid FROM ${resources(query)} AND ${all([from, rest(query, undefined, undefined, true)])} ${end(limit)}`,
    )
}

/** The live resources of the types asked, in the order of rid. */
const resources = ({ types }: Query): Sql => {
  if (types === undefined) return raw('res f NOT INDEXED WHERE f.live = 1')
  if (types.length === 1)
    return sql`res f INDEXED BY res_type WHERE f.type = ${nameId(types[0]!)} AND f.live = 1`
  return sql`res f NOT INDEXED WHERE f.live = 1 AND ${typeIn(types)}`
}

/** Walks the index of the first sort key; undefined where no index has it in order. */
export function walkBySort(query: Query): Part[] | undefined {
  const { plan, types, place } = query
  const first: SortKey = plan.sort[0]!
  const others = plan.sort.slice(1)
  const second = others.map(key => ordering(key, raw('f.rid')))
  const type = types?.length === 1 ? types[0]! : undefined
  if (first.by === 'distance') return undefined
  if (first.by !== 'param') {
    if (first.by === 'id')
      return type === undefined ? undefined : [walkById(query, type, first.descending, second)]
    const from =
      type === undefined
        ? sql`res f INDEXED BY res_updated_all WHERE f.live = 1 AND ${types === undefined ? TRUE : typeIn(types)}`
        : sql`res f INDEXED BY res_updated WHERE f.type = ${nameId(type)} AND f.live = 1`
    return [walk(query, from, 'f.lu', first.descending, second, rest(query, undefined, undefined, true))]
  }
  if (first.params.length !== 1) return undefined
  const param = first.params[0]!
  const lacking = withoutKey(query, first, param, second)
  const afterMissing = place.cursor !== undefined && place.cursor[0] === null
  if (place.backward)
    return afterMissing || place.cursor === undefined
      ? // Backwards over those with a value, when the page began among those without.
        [lacking, valued({ ...query, place: { cursor: undefined, backward: true } }, first, param, second)]
      : [valued(query, first, param, second)]
  return afterMissing ? [lacking] : [valued(query, first, param, second), lacking]
}

/** Those that have a value for the first key, each by its first in the direction asked. */
function valued(query: Query, first: SortKey, param: string, second: readonly Ordering[]): Part {
  const { descending } = first
  const p = nameId(param)
  const where = rest(query, undefined, param, false)
  const rows = isCoded(first, param) ? codes(p, descending) : keys(p, descending)
  if (descending && second.length === 0 && !query.place.backward) return walkDown(query, rows, where)
  const { cursor, backward } = query.place
  // Stated only where the cursor is no lower bound itself: SQLite enters the index by one of them.
  const filled = cursor !== undefined && descending === backward ? TRUE : rows.filled
  const from = sql`${raw(rows.table)} f WHERE f.p = ${p} AND ${filled} AND ${rows.first}`
  return walk(query, from, `f.${rows.column}`, descending, second, where)
}

/** The rows that hold one parameter's keys. */
interface KeyRows {
  p: number
  table: string
  column: string
  /** The row `f` holds a key. */
  filled: Sql
  /** The row `f` is the one of its resource that counts in the direction asked. */
  first: Sql
}

const keys = (p: number, descending: boolean): KeyRows => ({
  p,
  table: 'srt',
  column: 'key',
  filled: TRUE,
  first: partOf('f.part', descending),
})

const codes = (p: number, descending: boolean): KeyRows => ({
  p,
  table: 'tok',
  column: 'code',
  filled: raw("f.code > ''"),
  first: sql`NOT EXISTS (SELECT 1 FROM tok e INDEXED BY tok_rid WHERE e.rid = f.rid AND e.p = ${p} AND e.code > '' AND (e.code, e.sys) ${raw(descending ? '>' : '<')} (f.code, f.sys))`,
})

/**
 * The walk forwards over a descending key alone. The index read backwards has ties in the wrong order, and half of all resources may be
 * ties; so it is read key by key, forwards within each. The order is that of the loops: with an ORDER BY all would be read first.
 */
function walkDown({ place }: Query, { p, table, column, filled, first }: KeyRows, where: Sql): Part {
  const greatest = (beyond: Sql): Sql =>
    sql`(SELECT max(f.${raw(column)}) FROM ${raw(table)} f WHERE f.p = ${p} AND ${filled}${beyond})`
  if (place.cursor !== undefined) expectKeys(place.cursor, 1)
  const start =
    place.cursor === undefined
      ? sql`SELECT ${greatest(raw(''))}, 0`
      : sql`SELECT ${place.cursor[0] as Param}, ${place.cursor[1] as Param}`
  const next = greatest(raw(` AND f.${column} < d.k`))
  const down = sql`WITH RECURSIVE d(k, after) AS (${start} UNION ALL SELECT ${next}, 0 FROM d WHERE d.k IS NOT NULL)`
  const row = sql`f.p = ${p} AND f.${raw(column)} = d.k AND f.rid > d.after`
  return limit =>
    page(
      sql`${down} SELECT f.rid AS rid, d.k AS k0 FROM d CROSS JOIN ${raw(table)} f WHERE ${all([row, first, where])} LIMIT ${limit}`,
    )
}

function walk(
  { place }: Query,
  from: Sql,
  column: string,
  descending: boolean,
  second: readonly Ordering[],
  where: Sql,
): Part {
  const keys: Ordering[] = [{ expr: raw(column), descending, nullable: false }, ...second]
  const start = place.cursor === undefined ? TRUE : startOf(keys, column, place.cursor, place.backward)
  const order = orderBy(keys, 'f.rid', place.backward)
  const columns = keys.map((key, i) => sql`${key.expr} AS k${raw(String(i))}`)
  return limit =>
    page(
      sql`SELECT f.rid AS rid, ${join(columns, ', ')} FROM ${from} AND ${all([start, where])} ORDER BY ${order} LIMIT ${limit}`,
    )
}

/** The keyset condition with the range on the first key stated alone, so that the index is entered there. */
function startOf(keys: readonly Ordering[], column: string, cursor: Cursor, backward: boolean): Sql {
  const ahead = keys[0]!.descending !== backward ? '<=' : '>='
  return sql`${raw(`${column} ${ahead}`)} ${cursor[0] ?? null} AND ${beyond(keys, 'f.rid', cursor, backward)}`
}

/** Within one type the order of keys is the order of ids. */
function walkById(query: Query, type: string, descending: boolean, second: readonly Ordering[]): Part {
  const from = sql`res f INDEXED BY res_key WHERE f.key >= ${`${type}/`} AND f.key < ${`${type}0`} AND f.live = 1`
  const { cursor, backward } = query.place
  const keyed = cursor === undefined ? undefined : [`${type}/${cursor[0]}`, ...cursor.slice(1)]
  const part = walk(
    { ...query, place: { cursor: keyed, backward } },
    from,
    'f.key',
    descending,
    second,
    rest(query, undefined, undefined, true),
  )
  return limit => {
    const { text, params } = part(limit)
    return { text: text.replace('f.key AS k0', "substr(f.key, instr(f.key, '/') + 1) AS k0"), params }
  }
}

/** Those that have no value for the first key, by the keys after it. */
function withoutKey(query: Query, first: SortKey, param: string, second: readonly Ordering[]): Part {
  const { place } = query
  const p = nameId(param)
  const cursor = place.cursor?.[0] === null ? place.cursor.slice(1) : undefined
  const from = cursor === undefined ? TRUE : beyond(second, 'f.rid', cursor, place.backward)
  const order = orderBy(second, 'f.rid', place.backward)
  const columns = [raw('NULL AS k0'), ...second.map((key, i) => sql`${key.expr} AS k${raw(String(i + 1))}`)]
  const where = all([
    isCoded(first, param)
      ? sql`NOT EXISTS (SELECT 1 FROM tok INDEXED BY tok_rid WHERE rid = f.rid AND p = ${p} AND code > '')`
      : sql`NOT EXISTS (SELECT 1 FROM srt INDEXED BY srt_rid WHERE rid = f.rid AND p = ${p})`,
    from,
    rest(query, undefined, undefined, true),
  ])
  return limit =>
    page(
      sql`SELECT f.rid AS rid, ${join(columns, ', ')} FROM ${resources(query)} AND ${where} ORDER BY ${order} LIMIT ${limit}`,
    )
}
