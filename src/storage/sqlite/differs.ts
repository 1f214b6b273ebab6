/** A value of a parameter other than those given, in the rows of one table. */
import type { Valued } from '../../search/plan-node.ts'
import type { Terms } from './index-tables.ts'
import { type Kind, leaf, textMeets } from './leaf.ts'
import { nameId } from './names.ts'
import { any, raw, type Sql, sql } from './sql.ts'

type Differs = Kind<'differs'>

/** A term that is not stored makes a comparison NULL, which is as much as false. */
const none = (from: readonly Valued[], terms: Terms): Sql =>
  sql`(${any(from.map(one => (one.kind === 'string' ? textMeets(one) : leaf(one, terms).where)))}) IS NOT TRUE`

const tableOf = ({ from }: Differs): Sql => raw(from[0]!.kind === 'uri' ? 'uri' : 'tok')

/** Returns the condition that the resource has such a value. */
export function differsHolds(node: Differs, rid: Sql, terms: Terms): Sql {
  const p = nameId(node.param)
  const met = none(node.from, terms)
  if (node.from[0]!.kind === 'string')
    return sql`EXISTS (SELECT 1 FROM str INDEXED BY str_rid CROSS JOIN sv ON sv.sid = str.sid WHERE str.rid = ${rid} AND str.p = ${p} AND ${met})`
  const table = tableOf(node)
  return sql`EXISTS (SELECT 1 FROM ${table} INDEXED BY ${table}_rid WHERE rid = ${rid} AND p = ${p} AND ${met})`
}

/** Returns the select of the resources that have such a value. */
export function differsSelect(node: Differs, terms: Terms): Sql {
  const p = nameId(node.param)
  const met = none(node.from, terms)
  if (node.from[0]!.kind === 'string')
    return sql`SELECT str.rid AS rid FROM sv CROSS JOIN str ON str.sid = sv.sid WHERE sv.p = ${p} AND ${met}`
  return sql`SELECT rid FROM ${tableOf(node)} WHERE p = ${p} AND ${met}`
}
