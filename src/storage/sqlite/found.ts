/** What a whole plan finds, for those who need no page of it. */
import type { Require } from '../port.ts'
import { type Find, found, typeIn } from './compile.ts'
import type { Terms } from './index-tables.ts'
import { type Sql, sql, TRUE } from './sql.ts'

type Matches = Extract<Require, { is: 'matches' }>

/** Returns the select of all live resources of the types. */
export const listed = (types: readonly string[] | undefined): Find => ({
  select: sql`SELECT rid FROM res WHERE live = 1 AND ${types === undefined ? TRUE : typeIn(types)}`,
  unique: true,
  rank: 9,
})

/** Returns the condition that the live matches of the plan are exactly these, of these versions where some are named. */
export function matches({ plan, keys, versions }: Matches, terms: Terms): Sql {
  const rids = found(plan, terms)
  if (keys.length === 0) return sql`NOT EXISTS (${rids})`
  const wanted = new Map(keys.map((key, i) => [key, versions?.[i]]))
  const isWanted =
    versions === undefined
      ? sql`r.key IN (SELECT value FROM json_each(${JSON.stringify([...wanted.keys()])}))`
      : sql`(r.key, r.ver) IN (SELECT value->>0, value->>1 FROM json_each(${JSON.stringify([...wanted])}))`
  // One more than wanted is enough to know.
  return sql`(SELECT count(*) = ${wanted.size} AND total(${isWanted}) = ${wanted.size} FROM (SELECT rid FROM (${rids}) LIMIT ${wanted.size + 1}) f CROSS JOIN res r ON r.rid = f.rid)`
}
