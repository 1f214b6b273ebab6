/** Names that live resources own, as statements: replaced with each version, judged when all of the commit is written. */
import type { Change, Key } from '../port.ts'
import { type Sql, sql } from './sql.ts'

const CLAIMING = 'json_each(?1) j CROSS JOIN res r ON r.key = j.value->>1'

export function claimStatements(changes: readonly Change[]): Sql[] {
  const updated = changes.filter(change => change.version > 1).map(change => change.key)
  const claimed = changes.flatMap((change, i) =>
    change.body === null ? [] : change.claims.map(name => [name, change.key, i] as const),
  )
  const statements: Sql[] = []
  const names = JSON.stringify(claimed)
  if (updated.length > 0)
    statements.push({
      text: `DELETE FROM claim WHERE rid IN (SELECT r.rid FROM json_each(?2) j CROSS JOIN res r ON r.key = j.value) AND (rid, name) NOT IN (SELECT r.rid, j.value->>0 FROM ${CLAIMING})`,
      params: [names, JSON.stringify(updated)],
    })
  if (claimed.length === 0) return statements
  const owners = new Map<string, Key>()
  for (const [name, key, i] of claimed) {
    const owner = owners.get(name)
    if (owner !== undefined && owner !== key) statements.push(sql`INSERT INTO abort VALUES (${`claim:${i}`})`)
    owners.set(name, key)
  }
  statements.push(
    {
      text: `INSERT INTO abort SELECT 'claim:' || (j.value->>2) FROM ${CLAIMING} CROSS JOIN claim ON claim.name = j.value->>0 WHERE claim.rid <> r.rid ORDER BY j.key LIMIT 1`,
      params: [names],
    },
    {
      text: `INSERT INTO claim (name, rid) SELECT j.value->>0, r.rid FROM ${CLAIMING} WHERE true ON CONFLICT DO NOTHING`,
      params: [names],
    },
  )
  return statements
}
