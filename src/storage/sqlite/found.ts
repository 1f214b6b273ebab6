/** What a whole plan finds, for those who need no page of it. */
import type { SearchPlan } from '../../search/plan-node.ts'
import type { Key } from '../port.ts'
import { type Find, found, typeIn } from './compile.ts'
import type { Terms } from './index-tables.ts'
import { type Sql, sql, TRUE } from './sql.ts'

/** Returns the select of all live resources of the types. */
export const listed = (types: readonly string[] | undefined): Find => ({
  select: sql`SELECT rid FROM res WHERE live = 1 AND ${types === undefined ? TRUE : typeIn(types)}`,
  unique: true,
  rank: 9,
})

/** Returns the condition that the live matches of the plan are exactly these. */
export function matches(plan: SearchPlan, keys: readonly Key[], terms: Terms): Sql {
  const rids = found(plan, terms)
  if (keys.length === 0) return sql`NOT EXISTS (${rids})`
  const wanted = [...new Set(keys)]
  // One more than wanted is enough to know.
  return sql`(SELECT count(*) = ${wanted.length} AND total(r.key IN (SELECT value FROM json_each(${JSON.stringify(wanted)}))) = ${wanted.length} FROM (SELECT rid FROM (${rids}) LIMIT ${wanted.length + 1}) f CROSS JOIN res r ON r.rid = f.rid)`
}
