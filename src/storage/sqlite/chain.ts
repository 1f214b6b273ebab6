/** Chains and reverse chains: from references to the resources they lead to, and back. */
import type { Kind } from './leaf.ts'
import { nameId } from './names.ts'
import { join, raw, type Sql, sql } from './sql.ts'

/** The logical id in a key. */
const idIn = (alias: string): Sql => raw(`substr(${alias}.key, instr(${alias}.key, '/') + 1)`)

const paramIn = (column: string, params: readonly string[]): Sql =>
  params.length === 1
    ? sql`${raw(column)} = ${nameId(params[0]!)}`
    : sql`${raw(column)} IN (${join(
        params.map(param => sql`${nameId(param)}`),
        ', ',
      )})`

/** More types than this are looked up in a list. */
const FEW_TYPES = 4

/** The key that a row of `ref` leads to; NULL where that is of none of the types. */
function keyIn(ref: string, types: readonly string[] | undefined): Sql {
  if (types === undefined)
    return raw(
      `(SELECT substr(n.key, 1, instr(n.key, '/')) FROM res n INDEXED BY res_type WHERE n.type = ${ref}.type AND n.live = 1 LIMIT 1) || ${ref}.id`,
    )
  if (types.length > FEW_TYPES) {
    const names = JSON.stringify(Object.fromEntries(types.map(type => [nameId(type), `${type}/`])))
    return sql`(${names} ->> ('$."' || ${raw(ref)}.type || '"')) || ${raw(ref)}.id`
  }
  const arms = types.map(type => sql`WHEN ${nameId(type)} THEN ${`${type}/`}`)
  return sql`CASE ${raw(ref)}.type ${join(arms, ' ')} END || ${raw(ref)}.id`
}

const urlParams = (types: readonly string[]): string[] => types.map(type => `${type}.url`)

/** Returns names for the tables of a condition on `rid` that no table around it has. */
function aliases(rid: Sql): { res: string; ref: string } {
  const depth = Number(/^[cs](\d+)\.rid$/.exec(rid.text)?.[1] ?? 0) + 1
  return { res: `c${depth}`, ref: `s${depth}` }
}

/**
 * The condition that the select has a row. D1 allows expressions 100 deep, and what stands in an expression within an expression counts
 * again at each; what stands in FROM does not.
 */
const nested = (select: Sql): Sql => sql`EXISTS (SELECT 1 FROM (${select}))`

/** The condition that a reference leads from the resource to one for which `inner`, given its id, holds. */
export function chainHolds(node: Kind<'chain'>, rid: Sql, inner: (rid: Sql) => Sql): Sql {
  const { res, ref } = aliases(rid)
  const key = keyIn(ref, node.types)
  const target = node.canonical
    ? sql`${raw(res)}.rid IN (SELECT rid FROM res WHERE key = ${key} UNION ALL SELECT u.rid FROM uri u WHERE ${paramIn('u.p', urlParams(node.types))} AND u.value = ${raw(ref)}.id AND ${raw(ref)}.type = ${nameId('')})`
    : sql`${raw(res)}.key = ${key}`
  return nested(
    sql`SELECT 1 FROM ref ${raw(ref)} INDEXED BY ref_rid CROSS JOIN res ${raw(res)} ON ${target} WHERE ${raw(ref)}.rid = ${rid} AND ${paramIn(`${ref}.p`, node.params)} AND ${raw(res)}.live = 1 AND ${inner(raw(`${res}.rid`))}`,
  )
}

/** The select of the resources with a reference to one of `targets`, a select of rids. */
export function chainSelect(node: Kind<'chain'>, targets: Sql): Sql {
  const id = idIn('c')
  const select = sql`SELECT ref.rid AS rid FROM (${targets}) t CROSS JOIN res c ON c.rid = t.rid CROSS JOIN ref ON ${paramIn('ref.p', node.params)}`
  if (!node.canonical) return sql`${select} AND ref.id = ${id} AND ref.type = c.type`
  // The targets stand in it once: a chain of chains would have them again and again.
  const urls = sql`SELECT u.value FROM uri u INDEXED BY uri_rid WHERE u.rid = c.rid AND ${paramIn('u.p', urlParams(node.types))}`
  return sql`${select} AND ref.id IN (SELECT ${id} UNION ALL ${urls}) AND ((ref.type = c.type AND ref.id = ${id}) OR (ref.type = ${nameId('')} AND ref.id IN (${urls})))`
}

/** The condition that a resource for which `inner`, given its id, holds refers to this one. */
export function hasHolds(node: Kind<'has'>, rid: Sql, inner: (rid: Sql) => Sql): Sql {
  const { res, ref } = aliases(rid)
  return nested(
    sql`SELECT 1 FROM res ${raw(res)} CROSS JOIN ref ${raw(ref)} ON ${paramIn(`${ref}.p`, node.params)} AND ${raw(ref)}.id = ${idIn(res)} AND ${raw(ref)}.type = ${raw(res)}.type WHERE ${raw(res)}.rid = ${rid} AND ${inner(raw(`${ref}.rid`))}`,
  )
}

/** The select of the live resources of the types, or of any, that one of `sources`, a select of rids, refers to. */
export const hasSelect = (node: Kind<'has'>, types: readonly string[] | undefined, sources: Sql): Sql =>
  sql`SELECT c.rid AS rid FROM (${sources}) t CROSS JOIN ref INDEXED BY ref_rid ON ref.rid = t.rid AND ${paramIn('ref.p', node.params)} CROSS JOIN res c ON c.key = ${keyIn('ref', types)} WHERE c.live = 1`
