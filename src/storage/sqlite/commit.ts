/**
 * A commit as an ordered list of statements, the same on SQLite and D1. Its preconditions come first, each as an insert into `abort`
 * that finds nothing to insert when it holds; a trigger ends the batch otherwise.
 */
import { ANY_REFERENCE } from '../../search/index-row.ts'
import { type Change, type Commit, type Committed, type Key, type Require, stamped, typeOf } from '../port.ts'
import { matches } from './compile.ts'
import type { Refused } from './driver.ts'
import { indexStatements, type Terms } from './index-tables.ts'
import { nameId } from './names.ts'
import { raw, type Sql, sql } from './sql.ts'

export interface CommitBatch {
  statements: Sql[]
  newTerms: string[]
}

export interface CommitOptions {
  terms: Terms
  /** ms since 1970: what leases are compared with. */
  now: number
  /** Bodies longer than this many UTF-16 units are stored in pieces of it. */
  pieceLength: number
}

/** Returns the statements of a commit; the only row of the first is its stamp. */
export function commitBatch(commit: Commit, options: CommitOptions): CommitBatch {
  const { changes } = commit
  const statements: Sql[] = [begin(commit), epochIs(commit.epoch)]
  if (changes.length > 0) statements.push(versionsAreNext(changes))
  statements.push(...requirements(commit, options))
  for (const require of commit.require)
    if (require.is === 'counter')
      statements.push(
        sql`INSERT INTO counter (name, n) VALUES (${require.name}, ${require.next}) ON CONFLICT (name) DO UPDATE SET n = excluded.n`,
      )
  if (changes.length > 0) statements.push(resources(commit))
  statements.push(...versions(commit, options.pieceLength))
  statements.push(...claimStatements(changes))
  const index = indexStatements(
    changes.map(change => ({
      key: change.key,
      version: change.version,
      index: change.body === null ? [] : change.index,
      fresh: change.version === 1,
    })),
    options.terms,
  )
  statements.push(...index.statements)
  if (commit.outbox.length > 0) statements.push(jobs(commit))
  return { statements, newTerms: index.newTerms }
}

/** Returns the answer that a refused batch stands for. */
export function refusedCommit(refused: Refused, commit: Commit): Committed {
  const [what, place] = refused.what.split(':') as [string, string | undefined]
  const index = Number(place)
  if (what === 'epoch') return { ok: false, reason: 'epoch' }
  if (what === 'require') return { ok: false, reason: 'require', index }
  const key = commit.changes[index]?.key
  if (key !== undefined && (what === 'version' || what === 'claim')) return { ok: false, reason: what, key }
  throw refused
}

/** Numbers the commit and decides its stamp; a repeated id fails on the unique index. */
function begin(commit: Commit): Sql {
  const updated = commit.changes.filter(change => change.version > 1).map(change => change.key)
  const latest = raw('COALESCE((SELECT lu FROM ver ORDER BY vid DESC LIMIT 1), 0)')
  const previous =
    updated.length === 0
      ? raw('0')
      : sql`COALESCE((SELECT max(r.lu) + 1 FROM json_each(${JSON.stringify(updated)}) j CROSS JOIN res r ON r.key = j.value), 0)`
  return sql`INSERT INTO done (id, base, at) VALUES (${commit.id}, COALESCE((SELECT max(vid) FROM ver), 0), max(${commit.at}, ${latest}, ${previous})) RETURNING at`
}

const epochIs = (epoch: number): Sql =>
  sql`INSERT INTO abort SELECT 'epoch' WHERE (SELECT value FROM meta WHERE name = 'epoch') > ${epoch}`

function versionsAreNext(changes: readonly Change[]): Sql {
  const expected = JSON.stringify(changes.map(change => [change.key, change.version - 1]))
  return sql`INSERT INTO abort SELECT 'version:' || j.key FROM json_each(${expected}) j LEFT JOIN res r ON r.key = j.value->>0 WHERE COALESCE(r.ver, 0) <> j.value->>1 ORDER BY j.key LIMIT 1`
}

/** Each precondition in its order, so that the first that does not hold is the one named; what they say of "after" is known before. */
function requirements(commit: Commit, options: CommitOptions): Sql[] {
  const changed = new Map(commit.changes.map(change => [change.key, change]))
  const statements: Sql[] = []
  for (let i = 0; i < commit.require.length; i++) {
    const require = commit.require[i]!
    if (require.is === 'live' && !changed.has(require.key)) {
      // A transaction may have hundreds of these in a row.
      const keys: [Key, number][] = [[require.key, i]]
      for (;;) {
        const next = commit.require[i + 1]
        if (next?.is !== 'live' || changed.has(next.key)) break
        keys.push([next.key, ++i])
      }
      statements.push(
        sql`INSERT INTO abort SELECT 'require:' || (j.value->>1) FROM json_each(${JSON.stringify(keys)}) j WHERE NOT EXISTS (SELECT 1 FROM res WHERE key = j.value->>0 AND live = 1) ORDER BY j.key LIMIT 1`,
      )
      continue
    }
    const holds = condition(require, commit, changed, options)
    if (holds !== true) statements.push(sql`INSERT INTO abort SELECT ${`require:${i}`} WHERE NOT (${holds})`)
  }
  return statements
}

function condition(
  require: Require,
  commit: Commit,
  changed: ReadonlyMap<Key, Change>,
  options: CommitOptions,
): Sql | true {
  switch (require.is) {
    case 'version':
      return sql`COALESCE((SELECT ver FROM res WHERE key = ${require.key}), 0) = ${require.version}`
    case 'matches':
      return matches(require.plan, require.keys, options.terms)
    case 'live':
      // Only those that the commit itself changes come here.
      return changed.get(require.key)!.body !== null ? true : raw('0')
    case 'unreferenced':
      return unreferenced(require.key, commit)
    case 'counter':
      return sql`COALESCE((SELECT n FROM counter WHERE name = ${require.name}), 0) = ${require.seen}`
    case 'lease':
      return sql`EXISTS (SELECT 1 FROM lease WHERE name = ${require.name} AND fence = ${require.fence} AND until > ${options.now})`
  }
}

function unreferenced(key: Key, commit: Commit): Sql {
  const slash = key.indexOf('/')
  const type = key.slice(0, slash)
  const id = key.slice(slash + 1)
  const added = commit.changes.some(
    change =>
      change.key !== key &&
      change.body !== null &&
      change.index.some(
        row => row.kind === 'reference' && row.param === ANY_REFERENCE && row.type === type && row.id === id,
      ),
  )
  if (added) return raw('0')
  const own = JSON.stringify([key, ...commit.changes.map(change => change.key)])
  return sql`NOT EXISTS (SELECT 1 FROM ref CROSS JOIN res r ON r.rid = ref.rid WHERE ref.p = ${nameId(ANY_REFERENCE)} AND ref.id = ${id} AND ref.type = ${nameId(type)} AND r.key NOT IN (SELECT value FROM json_each(${own})))`
}

function resources(commit: Commit): Sql {
  const rows = JSON.stringify(
    commit.changes.map(change => [
      change.key,
      nameId(typeOf(change.key)),
      change.version,
      change.body === null ? 0 : 1,
    ]),
  )
  return sql`INSERT INTO res (key, type, ver, live, lu, vid) SELECT j.value->>0, j.value->>1, j.value->>2, j.value->>3, d.at, d.base + 1 + j.key FROM done d CROSS JOIN json_each(${rows}) j WHERE d.id = ${commit.id} ON CONFLICT (key) DO UPDATE SET ver = excluded.ver, live = excluded.live, lu = excluded.lu, vid = excluded.vid`
}

const STAMP = `strftime('%Y-%m-%dT%H:%M:%S', d.at / 1000, 'unixepoch') || printf('.%03dZ', d.at % 1000)`

/** Parameters: body, the stamp that it holds, where it stands (from 0), method, further pieces, commit id, key. */
const ONE_VERSION =
  'INSERT INTO ver (body, vid, rid, type, ver, lu, method, chunks) ' +
  `SELECT CASE WHEN ?1 IS NULL OR d.at = ?2 THEN ?1 ELSE substr(?1, 1, ?3) || ${STAMP} || substr(?1, ?3 + 25) END, ` +
  'd.base + 1, r.rid, r.type, r.ver, d.at, ?4, ?5 FROM done d CROSS JOIN res r WHERE d.id = ?6 AND r.key = ?7'

/**
 * Parameters: the bodies, their keys, methods, stamps' places (from 0) and numbers of further pieces, each a JSON array; the place of the
 * first in the commit, the stamp that they hold, the commit id.
 */
const VERSIONS =
  'INSERT INTO ver (body, vid, rid, type, ver, lu, method, chunks) SELECT ' +
  `CASE WHEN j.value IS NULL OR d.at = ?7 THEN j.value ELSE substr(j.value, 1, ?4->>j.key) || ${STAMP} || substr(j.value, (?4->>j.key) + 25) END, ` +
  'd.base + ?6 + j.key, r.rid, r.type, r.ver, d.at, ?3->>j.key, ?5->>j.key ' +
  'FROM done d CROSS JOIN json_each(?1) j CROSS JOIN res r ON r.key = ?2->>j.key WHERE d.id = ?8'

/** JSON of bodies in one parameter, in UTF-16 units: well below D1's 2 MB even in the longest UTF-8. */
const BODIES = 300_000

function versions(commit: Commit, pieceLength: number): Sql[] {
  const statements: Sql[] = []
  const { changes } = commit
  const texts: (string | null)[] = []
  const pieces: number[] = []
  let length = 0
  let first = 0
  const flush = (): void => {
    if (texts.length === 0) return
    if (changes.length === 1) {
      const [{ key, method, body }] = changes as [Change]
      const params = [texts[0]!, commit.at, body?.stampAt ?? 0, method, pieces[0]!, commit.id, key]
      statements.push({ text: ONE_VERSION, params })
      return
    }
    const these = changes.slice(first, first + texts.length)
    const params = [
      JSON.stringify(texts),
      JSON.stringify(these.map(change => change.key)),
      JSON.stringify(these.map(change => change.method)),
      JSON.stringify(these.map(change => change.body?.stampAt ?? 0)),
      JSON.stringify(pieces),
      first + 1,
      commit.at,
      commit.id,
    ]
    statements.push({ text: VERSIONS, params })
    first += texts.length
    texts.length = 0
    pieces.length = 0
    length = 0
  }
  for (const [i, { body }] of changes.entries()) {
    const cut = body === null ? [null] : piecesOf(stamped(body, commit.at), pieceLength)
    if (length > 0 && length + (cut[0]?.length ?? 0) > BODIES) flush()
    texts.push(cut[0]!)
    pieces.push(cut.length - 1)
    length += cut[0]?.length ?? 0
    for (let n = 1; n < cut.length; n++)
      statements.push(
        sql`INSERT INTO chunk (vid, n, body) SELECT base + ${i + 1}, ${n}, ${cut[n]!} FROM done WHERE id = ${commit.id}`,
      )
  }
  flush()
  return statements
}

/** Cuts a text into pieces of about `length` UTF-16 units, never inside a character. */
function piecesOf(text: string, length: number): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + length)
    const last = text.charCodeAt(end - 1)
    if (end < text.length && last >= 0xd800 && last < 0xdc00) end--
    pieces.push(at === 0 && end === text.length ? text : text.slice(at, end))
    at = end
  }
  return pieces
}

const CLAIMING = 'json_each(?1) j CROSS JOIN res r ON r.key = j.value->>1'

function claimStatements(changes: readonly Change[]): Sql[] {
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

function jobs(commit: Commit): Sql {
  const rows = JSON.stringify(commit.outbox.map(job => [job.id, job.kind, job.due, job.body]))
  return sql`INSERT INTO outbox (id, kind, due, body, fence, until) SELECT value->>0, value->>1, value->>2, value->>3, 0, 0 FROM json_each(${rows})`
}
