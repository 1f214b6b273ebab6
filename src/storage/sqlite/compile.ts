/** The search plan's nodes as SQL conditions on one resource, and as selects that find resources by one value. */
import { fhirError } from '../../fhir/error.ts'
import type { Bound, Node, SearchPlan } from '../../search/plan-node.ts'
import type { Key } from '../port.ts'
import { NO_TERM, type Terms } from './index-tables.ts'
import { nameId } from './names.ts'
import { all, any, raw, type Sql, sql, TRUE, unionAll } from './sql.ts'

export const NODES: ReadonlySet<Node['kind']> = new Set([
  'and',
  'or',
  'not',
  'type',
  'id',
  'updated',
  'present',
  'token',
  'string',
  'uri',
  'date',
  'quantity',
  'reference',
])

type Kind<K extends Node['kind']> = Extract<Node, { kind: K }>
type Leaf = Kind<'token' | 'uri' | 'date' | 'quantity' | 'reference'>

/** A select of `rid` by one value, with what is known of its rows. */
export interface Find {
  select: Sql
  /** The rows come in the order of rid when nothing else is asked; `from` and `where` then stand for a table with a rid column. */
  ordered?: { from: Sql; where: Sql }
  /** No rid comes twice. */
  unique: boolean
  /** Of two that find equally many the lower is taken. */
  rank: number
  /** The parameter whose rows are read; its resource type is the type of all that are found. */
  param?: string
}

const json = (value: unknown): string => JSON.stringify(value)

/** Returns the id of a term, asked of the database where it is not known. */
const termId = (text: string, terms: Terms): Sql => {
  if (text === '') return raw(String(NO_TERM))
  const id = terms.get(text)
  return id === undefined ? sql`(SELECT id FROM term WHERE text = ${text})` : sql`${id}`
}

/**
 * Returns the condition that a resource meets the node; `rid` is an expression for its internal id.
 *
 * Throws `not-supported` for a node of another kind than NODES.
 */
export function holds(node: Node, rid: Sql, terms: Terms): Sql {
  switch (node.kind) {
    case 'and':
      return all(node.nodes.map(one => holds(one, rid, terms)))
    case 'or':
      return any(
        grouped(node.nodes).map(one =>
          one.kind === 'set' ? setHolds(one, rid, terms) : holds(one, rid, terms),
        ),
      )
    case 'not':
      return sql`NOT (${holds(node.node, rid, terms)})`
    case 'type':
      return sql`EXISTS (SELECT 1 FROM res WHERE rid = ${rid} AND ${typeIn(node.types)})`
    case 'id':
      return sql`EXISTS (SELECT 1 FROM res WHERE rid = ${rid} AND substr(key, instr(key, '/') + 1) IN (SELECT value FROM json_each(${json(node.ids)})))`
    case 'updated':
      return sql`EXISTS (SELECT 1 FROM res WHERE rid = ${rid} AND ${bounds(node.bounds.map(bound => ({ ...bound, end: 'lu' })))})`
    case 'present':
      return any(
        ['tok', 'str', 'uri', 'dat', 'qty', 'ref'].map(
          table =>
            sql`EXISTS (SELECT 1 FROM ${raw(table)} INDEXED BY ${raw(`${table}_rid`)} WHERE rid = ${rid} AND p = ${nameId(node.param)})`,
        ),
      )
    case 'string':
      return sql`EXISTS (SELECT 1 FROM str INDEXED BY str_rid CROSS JOIN sv ON sv.sid = str.sid WHERE str.rid = ${rid} AND str.p = ${nameId(node.param)} AND ${textMeets(node)})`
    case 'token':
    case 'uri':
    case 'date':
    case 'quantity':
    case 'reference': {
      const { table, where } = leaf(node, terms)
      return rowExists(table, where, rid)
    }
    default:
      throw unknownNode(node)
  }
}

const rowExists = (table: string, where: Sql, rid: Sql): Sql =>
  sql`EXISTS (SELECT 1 FROM ${raw(table)} INDEXED BY ${raw(`${table}_rid`)} WHERE rid = ${rid} AND ${where})`

const unknownNode = (node: never): Error =>
  fhirError('not-supported', `This backend has no search for the plan node ${String((node as Node).kind)}.`)

/**
 * Returns the select that finds the resources of a node by its index, undefined where it has none to begin with.
 *
 * Throws `not-supported` for a node of another kind than NODES.
 */
export function find(node: Node, types: readonly string[], terms: Terms): Find | undefined {
  switch (node.kind) {
    case 'and':
    case 'not':
    case 'type':
      return undefined
    case 'or': {
      if (node.nodes.length === 0) return undefined
      const finds = grouped(node.nodes).map(one =>
        one.kind === 'set' ? setFind(one, terms) : find(one, types, terms),
      )
      if (finds.some(one => one === undefined)) return undefined
      const found = finds as Find[]
      if (found.length === 1) return found[0]
      const params = new Set(found.map(one => one.param))
      return {
        select: unionAll(found.map(one => sql`SELECT rid FROM (${one.select})`)),
        unique: false,
        rank: Math.max(...found.map(one => one.rank)),
        ...(params.size === 1 && found[0]!.param !== undefined ? { param: found[0]!.param } : {}),
      }
    }
    case 'id': {
      if (types.length === 0 || types.length * node.ids.length > 10_000) return undefined
      const keys = types.flatMap(type => node.ids.map(id => `${type}/${id}`))
      return {
        select: sql`SELECT rid FROM res WHERE live = 1 AND key IN (SELECT value FROM json_each(${json(keys)}))`,
        unique: true,
        rank: 0,
      }
    }
    case 'updated': {
      const where = bounds(node.bounds.map(bound => ({ ...bound, end: 'lu' })))
      const select =
        types.length === 1
          ? sql`SELECT rid FROM res INDEXED BY res_updated WHERE type = ${nameId(types[0]!)} AND live = 1 AND ${where}`
          : sql`SELECT rid FROM res INDEXED BY res_updated_all WHERE live = 1 AND ${where}`
      return { select, unique: true, rank: 4 }
    }
    case 'present': {
      const p = nameId(node.param)
      const selects = ['tok', 'uri', 'dat', 'qty', 'ref'].map(
        table => sql`SELECT rid FROM ${raw(table)} WHERE p = ${p}`,
      )
      selects.push(sql`SELECT str.rid AS rid FROM sv CROSS JOIN str ON str.sid = sv.sid WHERE sv.p = ${p}`)
      return { select: unionAll(selects), unique: false, rank: 7, param: node.param }
    }
    case 'string':
      return {
        select: sql`SELECT str.rid AS rid FROM sv CROSS JOIN str ON str.sid = sv.sid WHERE sv.p = ${nameId(node.param)} AND ${textFound(node)}`,
        unique: false,
        rank: 3,
        param: node.param,
      }
    case 'token':
    case 'uri':
    case 'date':
    case 'quantity':
    case 'reference':
      return leafFind(node, terms)
    default:
      throw unknownNode(node)
  }
}

function leafFind(node: Leaf, terms: Terms): Find {
  const { table, where, ordered, unique, rank } = leaf(node, terms)
  const from = raw(table)
  return {
    select: sql`SELECT rid FROM ${from} WHERE ${where}`,
    ...(ordered ? { ordered: { from, where } } : {}),
    unique,
    rank,
    param: node.param,
  }
}

interface Rows {
  table: string
  /** Over the columns of the table. */
  where: Sql
  ordered: boolean
  unique: boolean
  rank: number
}

function leaf(node: Leaf, terms: Terms): Rows {
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
        where: all([p, bounds(implied(node.bounds))]),
        ordered: false,
        unique: false,
        rank: 4,
      }
    case 'quantity': {
      const unit = sql`unit = ${termId(node.unit, terms)}`
      const where = all([p, unit, bounds(implied(node.bounds))])
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

const bounds = (ends: readonly End[]): Sql =>
  all(ends.map(({ end, op, value }) => sql`${raw(`${end} ${op} `)}${value}`))

export const typeIn = (types: readonly string[]): Sql =>
  types.length === 1
    ? sql`type = ${nameId(types[0]!)}`
    : sql`type IN (SELECT value FROM json_each(${json(types.map(nameId))}))`

/** The condition over `sv` that a stored text meets the node. */
function textMeets({ match, value }: Kind<'string'>): Sql {
  switch (match) {
    case 'equals':
      return sql`sv.folded = ${value}`
    case 'exact':
      return sql`sv.exact = ${value}`
    case 'starts':
      return begins('sv.folded', value)
    case 'contains':
      return sql`instr(sv.folded, ${value}) > 0`
  }
}

/** As textMeets, found by an index: texts with the trigrams of a longer needle, and those not yet in the trigram index. */
function textFound(node: Kind<'string'>): Sql {
  const characters = [...node.value]
  if (node.match !== 'contains' || characters.length < 3) return textMeets(node)
  const trigrams = new Set<string>()
  // The rarest trigrams are not known; a handful narrows well and instr decides.
  for (let i = 0; i + 3 <= characters.length && trigrams.size < 12; i++)
    trigrams.add(
      `"${characters
        .slice(i, i + 3)
        .join('')
        .replaceAll('"', '""')}"`,
    )
  const candidates = sql`SELECT rowid FROM sv_trigram WHERE sv_trigram MATCH ${[...trigrams].join(' AND ')}`
  const rest = raw(`SELECT sid FROM sv WHERE sid > (SELECT value FROM meta WHERE name = 'trigram')`)
  return sql`sv.sid IN (${candidates} UNION ALL ${rest}) AND ${textMeets(node)}`
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

function uriMeets({ match, value }: Kind<'uri'>): Sql {
  switch (match) {
    case 'equals':
      return sql`value = ${value}`
    case 'below': {
      const folder = value.endsWith('/') ? value : `${value}/`
      return sql`(value = ${value} OR (${begins('value', folder)}))`
    }
    case 'above':
      return sql`value IN (SELECT j.value FROM json_each(${json(pathsAbove(value))}) j)`
  }
}

/** Returns the uri and everything that it lies under by path. */
function pathsAbove(uri: string): string[] {
  const paths = new Set([uri])
  for (let at = uri.indexOf('/'); at >= 0; at = uri.indexOf('/', at + 1)) {
    paths.add(uri.slice(0, at))
    paths.add(uri.slice(0, at + 1))
  }
  return [...paths]
}

/** Alternatives of one parameter that differ only in their values: one list instead of many terms. */
interface ValueSet {
  kind: 'set'
  param: string
  of: 'code' | 'coded' | 'reference' | 'uri'
  nodes: Leaf[]
}

function setOf(node: Node): ValueSet['of'] | undefined {
  if (node.kind === 'token' && node.code !== undefined) return node.system === undefined ? 'code' : 'coded'
  if (node.kind === 'reference' && node.type !== undefined && node.version === undefined) return 'reference'
  if (node.kind === 'uri' && node.match === 'equals') return 'uri'
  return undefined
}

function grouped(nodes: readonly Node[]): (Exclude<Node, never> | ValueSet)[] {
  if (nodes.length < 3) return [...nodes]
  const sets = new Map<string, ValueSet>()
  const rest: Node[] = []
  for (const node of nodes) {
    const of = setOf(node)
    if (of === undefined) {
      rest.push(node)
      continue
    }
    const { param } = node as Leaf
    const name = `${of} ${param}`
    const set = sets.get(name)
    if (set === undefined) sets.set(name, { kind: 'set', param, of, nodes: [node as Leaf] })
    else set.nodes.push(node as Leaf)
  }
  return [...rest, ...sets.values()]
}

function setWhere(set: ValueSet, terms: Terms): { table: string; where: Sql } {
  const p = sql`p = ${nameId(set.param)}`
  switch (set.of) {
    case 'code': {
      const codes = set.nodes.map(node => (node as Kind<'token'>).code)
      return { table: 'tok', where: sql`${p} AND code IN (SELECT j.value FROM json_each(${json(codes)}) j)` }
    }
    case 'coded': {
      const pairs = set.nodes.map(node => {
        const { code, system } = node as Kind<'token'>
        return [code, system === '' ? NO_TERM : (terms.get(system!) ?? system)]
      })
      const list = sql`SELECT j.value->>0, CASE typeof(j.value->>1) WHEN 'integer' THEN j.value->>1 ELSE (SELECT id FROM term WHERE text = j.value->>1) END FROM json_each(${json(pairs)}) j`
      return { table: 'tok', where: sql`${p} AND (code, sys) IN (${list})` }
    }
    case 'reference': {
      const pairs = set.nodes.map(node => [
        (node as Kind<'reference'>).id,
        nameId((node as Kind<'reference'>).type!),
      ])
      const list = sql`SELECT j.value->>0, j.value->>1 FROM json_each(${json(pairs)}) j`
      return { table: 'ref', where: sql`${p} AND (id, type) IN (${list})` }
    }
    case 'uri': {
      const values = set.nodes.map(node => (node as Kind<'uri'>).value)
      return {
        table: 'uri',
        where: sql`${p} AND value IN (SELECT j.value FROM json_each(${json(values)}) j)`,
      }
    }
  }
}

const setHolds = (set: ValueSet, rid: Sql, terms: Terms): Sql => {
  const { table, where } = setWhere(set, terms)
  return rowExists(table, where, rid)
}

function setFind(set: ValueSet, terms: Terms): Find {
  const { table, where } = setWhere(set, terms)
  return {
    select: sql`SELECT rid FROM ${raw(table)} WHERE ${where}`,
    unique: false,
    rank: 5,
    param: set.param,
  }
}

/** The parts of a plan that must all hold, in one list, and the types that they leave. */
export interface Conditions {
  /** undefined: all types. */
  types: readonly string[] | undefined
  nodes: readonly Node[]
}

/** Returns the conditions of a plan without `and` in `and` and without `type` nodes. */
export function conditions(plan: Pick<SearchPlan, 'types' | 'where'>): Conditions {
  let types: readonly string[] | undefined = plan.types.length === 0 ? undefined : plan.types
  const nodes: Node[] = []
  const visit = (node: Node): void => {
    if (node.kind === 'and') node.nodes.forEach(visit)
    else if (node.kind === 'type') types = types?.filter(type => node.types.includes(type)) ?? node.types
    else nodes.push(node)
  }
  visit(plan.where)
  return { types, nodes }
}

/** True where every resource that has a row of the parameter is of one of the types. */
export function implies(param: string | undefined, types: readonly string[] | undefined): boolean {
  if (types === undefined) return true
  const dot = param?.indexOf('.') ?? -1
  return dot > 0 && types.includes(param!.slice(0, dot))
}

/** Returns the select of the rids that a plan finds, each once, in no order. */
export function found(plan: Pick<SearchPlan, 'types' | 'where'>, terms: Terms): Sql {
  const { types, nodes } = conditions(plan)
  const finds = nodes
    .map(node => ({ node, find: find(node, types ?? [], terms) }))
    .filter(one => one.find !== undefined)
    .sort((a, b) => a.find!.rank - b.find!.rank)
  return foundBy(finds[0]?.find, finds[0]?.node, types, nodes, terms)
}

/** Returns the select of all live resources of the types. */
export const listed = (types: readonly string[] | undefined): Find => ({
  select: sql`SELECT rid FROM res WHERE live = 1 AND ${types === undefined ? TRUE : typeIn(types)}`,
  unique: true,
  rank: 9,
})

/** As `found`, beginning with the find given, or with the list of all resources of the types. */
export function foundBy(
  first: Find | undefined,
  firstNode: Node | undefined,
  types: readonly string[] | undefined,
  nodes: readonly Node[],
  terms: Terms,
): Sql {
  if (types?.length === 0) return raw('SELECT rid FROM res WHERE 0')
  const filters = nodes.filter(node => node !== firstNode)
  if (first === undefined) {
    const where = all([
      types === undefined ? TRUE : typeIn(types),
      // Not by the table's own name: conditions of a resource's columns read `res` themselves.
      ...filters.map(node => holds(node, raw('l.rid'), terms)),
    ])
    return sql`SELECT l.rid AS rid FROM res l WHERE l.live = 1 AND ${where}`
  }
  const where = all([
    implies(first.param, types) ? TRUE : holds({ kind: 'type', types: types! }, raw('f.rid'), terms),
    ...filters.map(node => holds(node, raw('f.rid'), terms)),
  ])
  const distinct = first.unique ? raw('') : raw('DISTINCT ')
  return sql`SELECT ${distinct}f.rid AS rid FROM (${first.select}) f WHERE ${where}`
}

/** Returns the condition that the live matches of the plan are exactly these. */
export function matches(plan: SearchPlan, keys: readonly Key[], terms: Terms): Sql {
  const rids = found(plan, terms)
  if (keys.length === 0) return sql`NOT EXISTS (${rids})`
  const wanted = [...new Set(keys)]
  // One more than wanted is enough to know.
  return sql`(SELECT count(*) = ${wanted.length} AND total(r.key IN (SELECT value FROM json_each(${json(wanted)}))) = ${wanted.length} FROM (SELECT rid FROM (${rids}) LIMIT ${wanted.length + 1}) f CROSS JOIN res r ON r.rid = f.rid)`
}
