/** The search plan's nodes as SQL conditions on one resource, and as selects that find resources by one value. */
import { fhirError } from '../../fhir/error.ts'
import type { Node, SearchPlan } from '../../search/plan-node.ts'
import { chainHolds, chainSelect, hasHolds, hasSelect } from './chain.ts'
import { judged } from './cost.ts'
import { differsHolds, differsSelect } from './differs.ts'
import type { Terms } from './index-tables.ts'
import { bounds, type Kind, type Leaf, leaf, textMeets, textsFound } from './leaf.ts'
import { nameId } from './names.ts'
import { nearHolds, nearSelect } from './near.ts'
import { all, any, inTurn, raw, type Sql, sql, TRUE, unionAll } from './sql.ts'
import { alike, grouped, setHolds, setSelect, type ValueSet } from './value-sets.ts'
import { wordHolds, wordSelect } from './words.ts'

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
  'differs',
  'date',
  'quantity',
  'reference',
  'word',
  'near',
  'chain',
  'has',
])

/** A select of `rid` by one value, with what is known of its rows. */
export interface Find {
  select: Sql
  /** The rows come in the order of rid when nothing else is asked; `from` and `where` then stand for a table with a rid column. */
  ordered?: { from: Sql; where: Sql }
  /** No rid comes twice. */
  unique: boolean
  /** Of two that find equally many the lower is taken. */
  rank: number
  /** As many as are read on the way to the rows, counted up to a cap: where they are more, the rows are not worth counting. */
  within?: Sql
  /** The parameter whose rows are read; its resource type is the type of all that are found. */
  param?: string
}

/** Characters of SQL in the find of alternatives. */
const MOST_TEXT = 8_000

const json = (value: unknown): string => JSON.stringify(value)

/**
 * Returns the condition that a resource meets the node; `rid` is an expression for its internal id.
 *
 * Throws `not-supported` for a node of another kind than NODES.
 */
export function holds(node: Node, rid: Sql, terms: Terms): Sql {
  switch (node.kind) {
    case 'and':
      return all(node.nodes.map(one => holds(one, rid, terms)))
    case 'or': {
      const parts = grouped(node.nodes, terms)
      return any(
        alike(parts.map(one => (one.kind === 'set' ? setHolds(one, rid, terms) : holds(one, rid, terms)))),
      )
    }
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
        ['tok', 'str', 'uri', 'dat', 'qty', 'ref', 'wrd', 'pos'].map(
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
    case 'differs':
      return differsHolds(node, rid, terms)
    case 'word':
      return wordHolds(node, rid)
    case 'near':
      return nearHolds(node, rid)
    case 'chain':
      return chainHolds(node, rid, target => holds(node.node, target, terms))
    case 'has':
      return hasHolds(node, rid, source =>
        all([
          implied(node) ? TRUE : holds({ kind: 'type', types: [node.type] }, source, terms),
          holds(node.node, source, terms),
        ]),
      )
    default:
      throw unknownNode(node)
  }
}

const rowExists = (table: string, where: Sql, rid: Sql): Sql =>
  sql`EXISTS (SELECT 1 FROM ${raw(table)} INDEXED BY ${raw(`${table}_rid`)} WHERE rid = ${rid} AND ${where})`

const implied = ({ type, params }: Kind<'has'>): boolean => params.every(param => implies(param, [type]))

const unknownNode = (node: Node): Error =>
  fhirError('not-supported', `This backend has no search for the plan node ${node.kind}.`)

/**
 * Returns the select that finds the resources of a node by its index, undefined where it has none to begin with.
 *
 * Throws `not-supported` for a node of another kind than NODES.
 */
export function find(node: Node, types: readonly string[], terms: Terms): Find | undefined {
  switch (node.kind) {
    case 'not':
    case 'type':
      return undefined
    case 'and': {
      const first = firstFind(node.nodes, types, terms)
      if (first === undefined) return undefined
      const { select, within, ordered: _, ...rest } = first.find
      const others = node.nodes.filter(one => one !== first.node).map(one => holds(one, raw('a.rid'), terms))
      return {
        ...rest,
        select: sql`SELECT a.rid AS rid FROM (${select}) a WHERE ${all(others)}`,
        within: within ?? select,
      }
    }
    case 'or': {
      const finds = grouped(node.nodes, terms).map(one =>
        one.kind === 'set' ? setFind(one, terms) : find(one, types, terms),
      )
      if (finds.length === 0 || finds.some(one => one === undefined)) return undefined
      const found = finds as Find[]
      // A statement of D1 has 100 KB, and a find stands in it several times.
      if (found.reduce((sum, one) => sum + one.select.text.length, 0) > MOST_TEXT) return undefined
      if (found.length === 1) return found[0]
      const params = new Set(found.map(one => one.param))
      return {
        select: unionAll(found.map(one => sql`SELECT rid FROM (${one.select})`)),
        unique: false,
        rank: Math.max(...found.map(one => one.rank)),
        ...(found.some(one => one.within !== undefined)
          ? { within: unionAll(found.map(one => sql`SELECT rid FROM (${one.within ?? one.select})`)) }
          : {}),
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
      const selects = ['tok', 'uri', 'dat', 'qty', 'ref', 'wrd', 'pos'].map(
        table => sql`SELECT rid FROM ${raw(table)} WHERE p = ${p}`,
      )
      selects.push(sql`SELECT str.rid AS rid FROM sv CROSS JOIN str ON str.sid = sv.sid WHERE sv.p = ${p}`)
      return { select: unionAll(selects), unique: false, rank: 7, param: node.param }
    }
    case 'string': {
      const { from, where } = textsFound(node)
      const select = sql`SELECT str.rid AS rid FROM ${from} CROSS JOIN str ON str.sid = sv.sid WHERE ${where}`
      return { select, unique: false, rank: 3, param: node.param }
    }
    case 'token':
    case 'uri':
    case 'date':
    case 'quantity':
    case 'reference':
      return leafFind(node, terms)
    case 'differs':
      return { select: differsSelect(node, terms), unique: false, rank: 7, param: node.param }
    case 'word':
      return { select: wordSelect(node), unique: true, rank: 4 }
    case 'near':
      return { select: nearSelect(node), unique: false, rank: 4, param: node.param }
    case 'chain': {
      const targets = found({ types: node.types, where: node.node }, terms)
      return { select: chainSelect(node, targets), unique: false, rank: 6, within: targets }
    }
    case 'has': {
      const sources = found({ types: [node.type], where: node.node }, terms)
      const select = hasSelect(node, types.length === 0 ? undefined : types, sources)
      return { select, unique: false, rank: 6, within: sources }
    }
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

export const typeIn = (types: readonly string[]): Sql =>
  types.length === 1
    ? sql`type = ${nameId(types[0]!)}`
    : sql`type IN (SELECT value FROM json_each(${json(types.map(nameId))}))`

function setFind(set: ValueSet, terms: Terms): Find {
  const [param] = set.params
  const of = set.params.length === 1 && param !== undefined ? { param } : {}
  return { select: setSelect(set, terms), unique: false, rank: set.of === 'references' ? 2 : 5, ...of }
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
  const first = firstFind(nodes, types ?? [], terms)
  return foundBy(first?.find, first?.node, types, nodes, terms)
}

/** Returns the find that is likely to be the smallest. */
function firstFind(
  nodes: readonly Node[],
  types: readonly string[],
  terms: Terms,
): { node: Node; find: Find } | undefined {
  let first: { node: Node; find: Find } | undefined
  for (const node of nodes) {
    const one = find(node, types, terms)
    if (one !== undefined && (first === undefined || one.rank < first.find.rank)) first = { node, find: one }
  }
  return first
}

/** As `found`, beginning with the find given, or with the list of all resources of the types. */
export function foundBy(
  first: Find | undefined,
  firstNode: Node | undefined,
  types: readonly string[] | undefined,
  nodes: readonly Node[],
  terms: Terms,
): Sql {
  if (types?.length === 0) return raw('SELECT rid FROM res WHERE 0')
  const filters = judged(nodes.filter(node => node !== firstNode))
  if (first === undefined) {
    const where = inTurn([
      types === undefined ? TRUE : typeIn(types),
      // Not by the table's own name: conditions of a resource's columns read `res` themselves.
      ...filters.map(node => holds(node, raw('l.rid'), terms)),
    ])
    return sql`SELECT l.rid AS rid FROM res l WHERE l.live = 1 AND ${where}`
  }
  const where = inTurn([
    implies(first.param, types) ? TRUE : holds({ kind: 'type', types: types! }, raw('f.rid'), terms),
    ...filters.map(node => holds(node, raw('f.rid'), terms)),
  ])
  const distinct = first.unique ? raw('') : raw('DISTINCT ')
  return sql`SELECT ${distinct}f.rid AS rid FROM (${first.select}) f WHERE ${where}`
}
