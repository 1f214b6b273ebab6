/** Statements beside commits: leases, the outbox, and what is done now and then to keep the tables quick. */
import { raw, type Sql, sql } from './sql.ts'

/** Takes or renews a lease and returns its new fencing number; no row where it is another's. */
export const leaseStatement = (name: string, owner: string, now: number, ms: number): Sql =>
  sql`INSERT INTO lease (name, owner, fence, until) VALUES (${name}, ${owner}, 1, ${now + ms}) ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = fence + 1, until = excluded.until WHERE owner = excluded.owner OR until <= ${now} RETURNING fence`

/** Leases due jobs. The fence grows with each taker; who takes is not kept. */
export const outboxTake = (n: number, _owner: string, now: number, ms: number): Sql =>
  sql`UPDATE outbox SET fence = fence + 1, until = ${now + ms} WHERE id IN (SELECT id FROM outbox WHERE due <= ${now} AND until <= ${now} ORDER BY due LIMIT ${n}) RETURNING id, kind, due, body, fence`

/** Keeps a text until a time, and drops some of what has run out. */
export const rememberStatements = (name: string, text: string, until: number, now: number): Sql[] => [
  sql`DELETE FROM remembered WHERE name IN (SELECT name FROM remembered WHERE until <= ${now} ORDER BY until LIMIT 100)`,
  sql`INSERT INTO remembered (name, text, until) VALUES (${name}, ${text}, ${until}) ON CONFLICT (name) DO UPDATE SET text = excluded.text, until = excluded.until`,
]

export const outboxDone = (id: string, fence: number): Sql =>
  sql`DELETE FROM outbox WHERE id = ${id} AND fence = ${fence} RETURNING id`

export const outboxPutOff = (id: string, fence: number, due: number, body: string): Sql =>
  sql`UPDATE outbox SET due = ${due}, body = ${body}, until = 0 WHERE id = ${id} AND fence = ${fence} RETURNING id`

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

/** Rows of words that their index may lag behind: a search by words reads them one by one. */
export const WORDS_LAG = 256

/**
 * Takes a piece of what the index of words lacks into it, when that is much, and a piece of what is gone out of it; the last gives a row
 * where there was much.
 */
export const wordStatements: readonly Sql[] = [
  raw(
    `INSERT INTO wrd_index (rowid, words) SELECT wid, words FROM wrd WHERE wid > (SELECT value FROM meta WHERE name = 'words') AND (SELECT max(wid) FROM wrd) >= (SELECT value FROM meta WHERE name = 'words') + ${WORDS_LAG} ORDER BY wid LIMIT ${4 * WORDS_LAG}`,
  ),
  // Ids that are gone before they were taken leave gaps, so the last id of the piece is asked for.
  raw(
    `UPDATE meta SET value = (SELECT max(wid) FROM (SELECT wid FROM wrd WHERE wid > value ORDER BY wid LIMIT ${4 * WORDS_LAG})) WHERE name = 'words' AND (SELECT max(wid) FROM wrd) >= value + ${WORDS_LAG} RETURNING value`,
  ),
  raw(
    `DELETE FROM wrd_index WHERE rowid IN (SELECT wid FROM wrd_gone WHERE wid <= (SELECT value FROM meta WHERE name = 'words') ORDER BY wid LIMIT ${WORDS_LAG})`,
  ),
  raw(
    `DELETE FROM wrd_gone WHERE wid IN (SELECT wid FROM wrd_gone WHERE wid <= (SELECT value FROM meta WHERE name = 'words') ORDER BY wid LIMIT ${WORDS_LAG})`,
  ),
]

/** A commit repeated later than this is taken for a new one. */
export const REMEMBERED_MS = 24 * 60 * 60 * 1000

/** Forgets a piece of the commits that are a day older than the last. */
export const forgetStatement: Sql = raw(
  `DELETE FROM done WHERE n IN (SELECT n FROM done ORDER BY n LIMIT 5000) AND at < (SELECT at FROM done ORDER BY n DESC LIMIT 1) - ${REMEMBERED_MS}`,
)
