/**
 * One page of a search. We choose the driving index, because SQLite here has no statistics of value frequencies: candidates are counted
 * up to a cap; the fewest win, the other conditions are checked per resource, and where nothing is selective the order's own index is walked.
 */
import type { Node, SearchPlan, SortKey } from '../../search/plan-node.ts'
import type { Cursor, SearchOptions } from '../port.ts'
import { conditions, type Find, find, foundBy, holds, implies, typeIn } from './compile.ts'
import type { Driver, Row } from './driver.ts'
import type { Terms } from './index-tables.ts'
import { nameId } from './names.ts'
import { beyond, type Ordering, orderBy, ordering, type Place } from './order.ts'
import { all, join, raw, type Sql, sql, TRUE } from './sql.ts'

/** Below this many the driver is taken without looking further. */
const FEW = 64
/** Up to this many resources are gathered and sorted; above it an index that has the order is walked. */
export const MANY = 4096

/** The columns of a found row; those of the keys follow. */
export const FOUND = 'r.key, v.ver, v.lu, v.method, v.body, v.chunks, v.vid, i.*'
export const FOUND_RID = 7

export interface SearchResult {
  /** FOUND, rid, then the sort keys. */
  rows: Row[]
  total: number | undefined
}

interface Query {
  plan: SearchPlan
  types: readonly string[] | undefined
  nodes: readonly Node[]
  terms: Terms
  place: Place
}

interface Choice {
  find: Find | undefined
  node: Node | undefined
  /** The find has fewer than MANY rows. */
  selective: boolean
}

/** Returns up to `limit` rows in the direction of the page, nearest to the cursor first, and the total when asked. */
export async function searchRows(
  driver: Driver,
  plan: SearchPlan,
  options: SearchOptions,
  terms: Terms,
): Promise<SearchResult> {
  const { types, nodes } = conditions(plan)
  const backward = options.before !== undefined
  const place = { cursor: options.before ?? options.after, backward }
  const query: Query = { plan, types, nodes, terms, place }
  if (types?.length === 0) return { rows: [], total: options.total === 'accurate' ? 0 : undefined }

  const choice = await choose(driver, query, options)
  const counting = options.total === 'accurate' ? [count(query, choice)] : []
  const parts = options.limit === 0 ? [] : pageParts(query, choice, options.limit)
  const filtered = nodes.length > (choice.node === undefined ? 0 : 1)
  const long = !choice.selective && (counting.length > 0 || filtered || plan.sort.length > 0)
  const read = long ? driver.readLong.bind(driver) : driver.read.bind(driver)

  const first = parts[0]
  const answers = await read([...(first ? [first(options.limit)] : []), ...counting], options.deadline)
  const rows = first ? answers[0]! : []
  // A walk by a key that not all resources have goes on among those that lack it.
  if (parts[1] && rows.length < options.limit)
    rows.push(...(await read([parts[1](options.limit - rows.length)], options.deadline))[0]!)
  const total = counting.length > 0 ? (answers.at(-1)![0]![0] as number) : undefined
  return { rows, total }
}

/** Returns the find to begin with; undefined where there is none better than the list of all. */
async function choose(
  driver: Driver,
  { plan, types, nodes, terms }: Query,
  options: SearchOptions,
): Promise<Choice> {
  const candidates: Choice[] = []
  for (const node of nodes) {
    const found = find(node, types ?? [], terms)
    if (found !== undefined) candidates.push({ find: found, node, selective: false })
  }
  if (candidates.length === 0) return { find: undefined, node: undefined, selective: false }
  candidates.sort((a, b) => a.find!.rank - b.find!.rank)
  const first = candidates[0]!
  // Nothing to choose: an index in the order of rid, read to the end of the page.
  if (candidates.length === 1 && plan.sort.length === 0 && first.find!.ordered && options.total === 'none')
    return first

  let best: Choice | undefined
  let fewest = MANY
  const groups = driver.local ? candidates.map(one => [one]) : [candidates.slice(0, 8)]
  for (const group of groups) {
    const counts = await probe(driver, group)
    for (let i = 0; i < group.length; i++)
      if (counts[i]! < fewest) {
        fewest = counts[i]!
        best = group[i]!
      }
    if (fewest <= FEW) break
  }
  if (best !== undefined) return { ...best, selective: true }
  const walkable = plan.sort.length === 0 ? candidates.find(one => one.find!.ordered) : undefined
  return walkable ?? first
}

/** How many each finds, up to MANY. */
async function probe(driver: Driver, candidates: readonly Choice[]): Promise<number[]> {
  const counts = candidates.map(
    one => sql`(SELECT count(*) FROM (SELECT 1 FROM (${one.find!.select}) LIMIT ${MANY}))`,
  )
  const [rows] = await driver.read([sql`SELECT ${join(counts, ', ')}`])
  return rows![0] as number[]
}

function count({ types, nodes, terms }: Query, { find, node }: Choice): Sql {
  return sql`SELECT count(*) FROM (${foundBy(find, node, types, nodes, terms)})`
}

type Part = (limit: number) => Sql

/** Returns the queries that make the page, one after the other until it is full. */
function pageParts(query: Query, choice: Choice, limit: number): Part[] {
  const { plan } = query
  if (plan.sort.length === 0) return [inOrderOfMaking(query, choice)]
  if (!choice.selective) {
    const walk = walkBySort(query)
    if (walk !== undefined) return walk
  }
  return [gathered(query, choice, limit)]
}

const page = (inner: Sql): Sql =>
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

function inOrderOfMaking(query: Query, choice: Choice): Part {
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

/** All that is found, with its keys, sorted. */
function gathered(query: Query, choice: Choice, _limit: number): Part {
  const { plan, place } = query
  const { find: found, node } = choice
  const rids = foundBy(found, node, query.types, query.nodes, query.terms)
  const columns = plan.sort.map((key, i) => sql`${ordering(key, raw('f.rid')).expr} AS k${raw(String(i))}`)
  const keys = plan.sort.map((key, i) => keyColumn(key, `k${i}`))
  const from = place.cursor === undefined ? TRUE : beyond(keys, 'g.rid', place.cursor, place.backward)
  const order = orderBy(keys, 'g.rid', place.backward)
  return limit =>
    page(
      sql`WITH g AS MATERIALIZED (SELECT f.rid AS rid, ${join(columns, ', ')} FROM (${rids}) f) SELECT * FROM g WHERE ${from} ORDER BY ${order} LIMIT ${limit}`,
    )
}

const keyColumn = (key: SortKey, column: string): Ordering => ({
  expr: raw(column),
  descending: key.descending,
  nullable: key.by === 'param',
})

/** Walks the index of the first sort key; undefined where no index has it in order. */
function walkBySort(query: Query): Part[] | undefined {
  const { plan, types, place } = query
  const first: SortKey = plan.sort[0]!
  const others = plan.sort.slice(1)
  const second = others.map(key => ordering(key, raw('f.rid')))
  const type = types?.length === 1 ? types[0]! : undefined
  if (first.by !== 'param') {
    if (type === undefined) return undefined
    if (first.by === 'id') return [walkById(query, type, first.descending, second)]
    const from = sql`res f INDEXED BY res_updated WHERE f.type = ${nameId(type)} AND f.live = 1`
    return [walk(query, from, 'f.lu', first.descending, second, rest(query, undefined, undefined, true))]
  }
  if (first.params.length !== 1) return undefined
  const param = first.params[0]!
  const p = nameId(param)
  const having = sql`srt f WHERE f.p = ${p} AND f.part <> ${raw(first.descending ? '1' : '2')}`
  const valued = walk(query, having, 'f.key', first.descending, second, rest(query, undefined, param, false))
  const lacking = withoutKey(query, p, second)
  const afterMissing = place.cursor !== undefined && place.cursor[0] === null
  if (place.backward)
    return afterMissing || place.cursor === undefined
      ? [lacking, valuedFromEnd(query, having, first, second, param)]
      : [valued]
  return afterMissing ? [lacking] : [valued, lacking]
}

/** The walk backwards over those with a value, when the page began among those without. */
function valuedFromEnd(
  query: Query,
  having: Sql,
  first: SortKey,
  second: readonly Ordering[],
  param: string,
): Part {
  const free: Query = { ...query, place: { cursor: undefined, backward: true } }
  return walk(free, having, 'f.key', first.descending, second, rest(query, undefined, param, false))
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
function withoutKey(query: Query, p: number, second: readonly Ordering[]): Part {
  const { place } = query
  const cursor = place.cursor?.[0] === null ? place.cursor.slice(1) : undefined
  const from = cursor === undefined ? TRUE : beyond(second, 'f.rid', cursor, place.backward)
  const order = orderBy(second, 'f.rid', place.backward)
  const columns = [raw('NULL AS k0'), ...second.map((key, i) => sql`${key.expr} AS k${raw(String(i + 1))}`)]
  const where = all([
    sql`NOT EXISTS (SELECT 1 FROM srt INDEXED BY srt_rid WHERE rid = f.rid AND p = ${p})`,
    from,
    rest(query, undefined, undefined, true),
  ])
  return limit =>
    page(
      sql`SELECT f.rid AS rid, ${join(columns, ', ')} FROM ${resources(query)} AND ${where} ORDER BY ${order} LIMIT ${limit}`,
    )
}
