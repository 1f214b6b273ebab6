/** The search plan's nodes as SQL conditions on one resource, and as selects that find resources by one value. */
import { fhirError } from '../../fhir/error.ts'
import type { Node } from '../../search/plan-node.ts'
import type { Terms } from './index-tables.ts'
import { bounds, type Leaf, leaf, textFound, textMeets } from './leaf.ts'
import { nameId } from './names.ts'
import { all, any, raw, type Sql, sql, unionAll } from './sql.ts'
import { alike, grouped, setHolds, setSelect, type ValueSet } from './value-sets.ts'

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

const unknownNode = (node: Node): Error =>
  fhirError('not-supported', `This backend has no search for the plan node ${node.kind}.`)

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
      const finds = grouped(node.nodes, terms).map(one =>
        one.kind === 'set' ? setFind(one, terms) : find(one, types, terms),
      )
      if (finds.length === 0 || finds.some(one => one === undefined)) return undefined
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

export const typeIn = (types: readonly string[]): Sql =>
  types.length === 1
    ? sql`type = ${nameId(types[0]!)}`
    : sql`type IN (SELECT value FROM json_each(${json(types.map(nameId))}))`

function setFind(set: ValueSet, terms: Terms): Find {
  return { select: setSelect(set, terms), unique: false, rank: 5, param: set.param }
}
