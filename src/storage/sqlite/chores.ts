/** Statements beside commits: leases, the outbox, and what is done now and then to keep the tables quick. */
import { raw, type Sql, sql } from './sql.ts'

/** Takes or renews a lease and returns its new fencing number; no row where it is another's. */
export const leaseStatement = (name: string, owner: string, now: number, ms: number): Sql =>
  sql`INSERT INTO lease (name, owner, fence, until) VALUES (${name}, ${owner}, 1, ${now + ms}) ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = fence + 1, until = excluded.until WHERE owner = excluded.owner OR until <= ${now} RETURNING fence`

/** Leases due jobs. The fence grows with each taker; who takes is not kept. */
export const outboxTake = (n: number, _owner: string, now: number, ms: number): Sql =>
  sql`UPDATE outbox SET fence = fence + 1, until = ${now + ms} WHERE id IN (SELECT id FROM outbox WHERE due <= ${now} AND until <= ${now} ORDER BY due LIMIT ${n}) RETURNING id, kind, due, body, fence`

export const outboxDone = (id: string, fence: number): Sql =>
  sql`DELETE FROM outbox WHERE id = ${id} AND fence = ${fence} RETURNING id`

/** Texts that the trigram index may lag behind: `:contains` reads them one by one. */
export const TRIGRAM_LAG = 512

/**
 * Takes a piece of what the trigram index lacks into it, when that is much; the last gives a row where it did. Within each commit it would
 * cost every write.
 */
export const trigramStatements: readonly Sql[] = [
  raw(
    `INSERT INTO sv_trigram (rowid, folded) SELECT sid, folded FROM sv WHERE sid > (SELECT value FROM meta WHERE name = 'trigram') AND (SELECT max(sid) FROM sv) >= (SELECT value FROM meta WHERE name = 'trigram') + ${TRIGRAM_LAG} ORDER BY sid LIMIT ${4 * TRIGRAM_LAG}`,
  ),
  raw(
    `UPDATE meta SET value = min((SELECT max(sid) FROM sv), value + ${4 * TRIGRAM_LAG}) WHERE name = 'trigram' AND (SELECT max(sid) FROM sv) >= value + ${TRIGRAM_LAG} RETURNING value`,
  ),
]

/** A commit repeated later than this is taken for a new one. */
export const REMEMBERED_MS = 24 * 60 * 60 * 1000

/** Forgets a piece of the commits that are a day older than the last. */
export const forgetStatement: Sql = raw(
  `DELETE FROM done WHERE n IN (SELECT n FROM done ORDER BY n LIMIT 5000) AND at < (SELECT at FROM done ORDER BY n DESC LIMIT 1) - ${REMEMBERED_MS}`,
)
