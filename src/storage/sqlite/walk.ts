/** Pages read off an index that has the order already: of a sort key, of lastUpdated, of ids or of the internal id. */

import { dateKey } from '../../search/params/date.ts'
import type { Node, SearchPlan, SortKey } from '../../search/plan-node.ts'
import type { Cursor } from '../port.ts'
import { type Find, holds, implies, typeIn } from './compile.ts'
import { judged } from './cost.ts'
import type { Terms } from './index-tables.ts'
import { nameId } from './names.ts'
import { beyond, expectKeys, isCoded, type Ordering, orderBy, ordering, type Place, partOf } from './order.ts'
import { all, inTurn, join, type Param, raw, type Sql, sql, TRUE } from './sql.ts'
import { type KeyBounds, keyBounds, type Window, windows } from './windows.ts'

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

/** What finds the rows of a page in their order: `rid`, then the sort keys as k0, k1, ... */
export interface Part {
  rows(limit: number): Sql
  /** Of an order that one index has: looks at `steps` places of it only, however many of the rows wanted are among them. */
  within?: (limit: number, steps: number) => Sql
  /** As many rows as there are places, `steps` at most. */
  places?: (steps: number) => Sql
  /** The index that is walked. */
  along: string
  /** What is asked of each row beside its place. */
  filters: readonly Node[]
  /** The places are in the order of rid. */
  ordered: boolean
}

/** What must hold beside what the table walked says already. */
function others(query: Query, without: Node | undefined, param: string | undefined, typed: boolean): Node[] {
  const { types, nodes } = query
  const rest = nodes.filter(node => node !== without)
  if (typed || types === undefined || (param !== undefined && implies(param, types))) return rest
  return [{ kind: 'type', types }, ...rest]
}

interface Walk {
  /** Before the SELECT. */
  prefix?: Sql
  distinct?: boolean
  /** Beside `f.rid AS rid`. */
  columns: readonly Sql[]
  /** With the table walked under the name f. */
  from: Sql
  /** What the index itself is read by. */
  where: Sql
  /** Undefined where the loops have the order. */
  order: Sql | undefined
  filters: readonly Node[]
  along: string
  /** There is no order but that of the index. */
  steps: boolean
  /** It is the order of rid. */
  ordered?: boolean
}

function part({ terms }: Query, walk: Walk): Part {
  const { prefix = raw(''), from, where, along, ordered = false } = walk
  const filters = judged(walk.filters)
  const columns = join([raw(walk.distinct ? 'DISTINCT f.rid AS rid' : 'f.rid AS rid'), ...walk.columns], ', ')
  const order = walk.order === undefined ? raw('') : sql` ORDER BY ${walk.order}`
  const met = inTurn(filters.map(node => holds(node, raw('f.rid'), terms)))
  const rows = (limit: number): Sql =>
    sql`${prefix}SELECT ${columns} FROM ${from} WHERE ${all([where, met])}${order} LIMIT ${limit}`
  if (!walk.steps || filters.length === 0) return { rows, along, filters, ordered }
  const steps = (most: number): Sql =>
    sql`${prefix}SELECT ${columns} FROM ${from} WHERE ${where}${order} LIMIT ${most}`
  return {
    rows,
    within: (limit, most) => sql`SELECT f.* FROM (${steps(most)}) f WHERE ${met} LIMIT ${limit}`,
    places: most => sql`SELECT count(*) FROM (${steps(most)})`,
    along,
    filters,
    ordered,
  }
}

/** The page by the internal id. */
export function inOrderOfMaking(query: Query, choice: Choice): Part {
  const { place } = query
  const start = place.cursor === undefined ? TRUE : beyond([], 'f.rid', place.cursor, place.backward)
  const order = orderBy([], 'f.rid', place.backward)
  const { find: found, node } = choice
  if (found?.ordered)
    return part(query, {
      distinct: !found.unique,
      columns: [],
      from: sql`${found.ordered.from} f`,
      where: all([found.ordered.where, start]),
      order,
      filters: others(query, node, found.param, false),
      along: found.ordered.from.text,
      steps: true,
      ordered: true,
    })
  return part(query, {
    columns: [],
    ...resources(query, start),
    order,
    filters: others(query, undefined, undefined, true),
    steps: true,
    ordered: true,
  })
}

/** The live resources of the types asked, in the order of rid. */
const resources = ({ types }: Query, start: Sql): Pick<Walk, 'from' | 'where' | 'along'> => {
  if (types?.length === 1)
    return {
      from: raw('res f INDEXED BY res_type'),
      where: all([sql`f.type = ${nameId(types[0]!)} AND f.live = 1`, start]),
      along: 'res_type',
    }
  const typed = types === undefined ? TRUE : typeIn(types)
  return { from: raw('res f NOT INDEXED'), where: all([raw('f.live = 1'), typed, start]), along: 'res' }
}

/** Walks the index of the first sort key; undefined where no index has it in order. */
export function walkBySort(query: Query): Part[] | undefined {
  const { plan, types, place } = query
  const first: SortKey = plan.sort[0]!
  const second = plan.sort.slice(1).map(key => ordering(key, raw('f.rid')))
  const type = types?.length === 1 ? types[0]! : undefined
  if (first.by === 'distance') return undefined
  if (first.by === 'id')
    return type === undefined ? undefined : [walkById(query, type, first.descending, second)]
  if (first.by !== 'param') {
    const from = raw(`res f INDEXED BY ${type === undefined ? 'res_updated_all' : 'res_updated'}`)
    const typed =
      type === undefined ? (types === undefined ? TRUE : typeIn(types)) : sql`f.type = ${nameId(type)}`
    const where = all([typed, raw('f.live = 1')])
    return [
      walk(query, {
        from,
        where,
        key: 'f.lu',
        descending: first.descending,
        second,
        filters: others(query, undefined, undefined, true),
        along: 'lastUpdated',
      }),
    ]
  }
  if (first.params.length !== 1) return undefined
  const param = first.params[0]!
  // Who meets a condition on the dates that are sorted by has a key.
  const window = windows(query.nodes).find(one => one.kind === 'date' && one.param === param)
  const afterMissing = place.cursor !== undefined && place.cursor[0] === null
  const filled = (at: Place): Part => valued({ ...query, place: at }, first, param, second, window)
  if (window !== undefined && !afterMissing) return [filled(place)]
  const lacking = withoutKey(query, first, param, second)
  if (place.backward)
    return afterMissing || place.cursor === undefined
      ? // Backwards over those with a value, when the page began among those without.
        [lacking, filled({ cursor: undefined, backward: true })]
      : [filled(place)]
  return afterMissing ? [lacking] : [filled(place), lacking]
}

/** Those that have a value for the first key, each by its first in the direction asked. */
function valued(
  query: Query,
  first: SortKey,
  param: string,
  second: readonly Ordering[],
  window: Window | undefined,
): Part {
  const { descending } = first
  const p = nameId(param)
  const coded = isCoded(first, param)
  const rows = coded ? codes(p, descending) : keys(p, descending)
  const bounds = window === undefined || coded ? {} : keyBounds(window, descending, dateKey)
  const filters = others(query, undefined, param, false)
  const along = `${rows.table} (${param})`
  if (descending && second.length === 0 && !query.place.backward)
    return walkDown(query, rows, bounds, filters, along)
  const { cursor, backward } = query.place
  const down = descending !== backward
  // The end that the index is entered by is stated once: SQLite would take only one of two.
  const entered = cursor !== undefined
  const lowest = bounds.lowest !== undefined && (down || !entered) ? sql`f.key >= ${bounds.lowest}` : TRUE
  const greatest =
    bounds.greatest !== undefined && (!down || !entered) ? sql`f.key <= ${bounds.greatest}` : TRUE
  // Stated only where nothing else is a lower bound.
  const filled = (entered && !down) || lowest !== TRUE ? TRUE : rows.filled
  const where = all([sql`f.p = ${p}`, filled, rows.first, lowest, greatest])
  return walk(query, {
    from: raw(`${rows.table} f`),
    where,
    key: `f.${rows.column}`,
    descending,
    second,
    filters,
    along,
  })
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
function walkDown(
  query: Query,
  { p, table, column, filled, first }: KeyRows,
  { lowest, greatest }: KeyBounds,
  filters: readonly Node[],
  along: string,
): Part {
  const { place } = query
  const highest = (below: Sql): Sql =>
    sql`(SELECT max(f.${raw(column)}) FROM ${raw(table)} f WHERE f.p = ${p} AND ${filled}${below})`
  if (place.cursor !== undefined) expectKeys(place.cursor, 1)
  const start =
    place.cursor === undefined
      ? sql`SELECT ${highest(greatest === undefined ? raw('') : sql` AND f.${raw(column)} <= ${greatest}`)}, 0`
      : sql`SELECT ${place.cursor[0] as Param}, ${place.cursor[1] as Param}`
  const next = highest(raw(` AND f.${column} < d.k`))
  const within = lowest === undefined ? raw('d.k IS NOT NULL') : sql`d.k > ${lowest}`
  const down = sql`WITH RECURSIVE d(k, after) AS (${start} UNION ALL SELECT ${next}, 0 FROM d WHERE ${within}) `
  return part(query, {
    prefix: down,
    columns: [raw('d.k AS k0')],
    from: sql`d CROSS JOIN ${raw(table)} f`,
    where: all([sql`f.p = ${p} AND f.${raw(column)} = d.k AND f.rid > d.after`, first]),
    order: undefined,
    filters,
    along,
    steps: true,
  })
}

interface KeyWalk {
  from: Sql
  where: Sql
  /** The column of the first key. */
  key: string
  /** The first key as it is answered, where that is not the column. */
  shown?: Sql
  descending: boolean
  second: readonly Ordering[]
  filters: readonly Node[]
  along: string
}

function walk(query: Query, { from, where, key, shown, descending, second, filters, along }: KeyWalk): Part {
  const { cursor, backward } = query.place
  const keys: Ordering[] = [{ expr: raw(key), descending, nullable: false }, ...second]
  const start = cursor === undefined ? TRUE : startOf(keys, key, cursor, backward)
  return part(query, {
    columns: keys.map(
      ({ expr }, i) => sql`${i === 0 && shown !== undefined ? shown : expr} AS k${raw(String(i))}`,
    ),
    from,
    where: all([where, start]),
    order: orderBy(keys, 'f.rid', backward),
    filters,
    along,
    steps: second.length === 0,
  })
}

/** The keyset condition with the range on the first key stated alone, so that the index is entered there. */
function startOf(keys: readonly Ordering[], column: string, cursor: Cursor, backward: boolean): Sql {
  const ahead = keys[0]!.descending !== backward ? '<=' : '>='
  return sql`${raw(`${column} ${ahead}`)} ${cursor[0] ?? null} AND ${beyond(keys, 'f.rid', cursor, backward)}`
}

/** Within one type the order of keys is the order of ids. */
function walkById(query: Query, type: string, descending: boolean, second: readonly Ordering[]): Part {
  const { cursor, backward } = query.place
  const keyed = cursor === undefined ? undefined : [`${type}/${cursor[0]}`, ...cursor.slice(1)]
  return walk(
    { ...query, place: { cursor: keyed, backward } },
    {
      from: raw('res f INDEXED BY res_key'),
      where: sql`f.key >= ${`${type}/`} AND f.key < ${`${type}0`} AND f.live = 1`,
      key: 'f.key',
      shown: raw("substr(f.key, instr(f.key, '/') + 1)"),
      descending,
      second,
      filters: others(query, undefined, undefined, true),
      along: 'res_key',
    },
  )
}

/** Those that have no value for the first key, by the keys after it. */
function withoutKey(query: Query, first: SortKey, param: string, second: readonly Ordering[]): Part {
  const { place } = query
  const p = nameId(param)
  const cursor = place.cursor?.[0] === null ? place.cursor.slice(1) : undefined
  const start = cursor === undefined ? TRUE : beyond(second, 'f.rid', cursor, place.backward)
  const none = isCoded(first, param)
    ? sql`NOT EXISTS (SELECT 1 FROM tok INDEXED BY tok_rid WHERE rid = f.rid AND p = ${p} AND code > '')`
    : sql`NOT EXISTS (SELECT 1 FROM srt INDEXED BY srt_rid WHERE rid = f.rid AND p = ${p})`
  const all_ = resources(query, all([start, none]))
  return part(query, {
    columns: [raw('NULL AS k0'), ...second.map((key, i) => sql`${key.expr} AS k${raw(String(i + 1))}`)],
    ...all_,
    along: `${all_.along} (without ${param})`,
    order: orderBy(second, 'f.rid', place.backward),
    filters: others(query, undefined, undefined, true),
    steps: second.length === 0,
    ordered: true,
  })
}
