/**
 * A commit as an ordered list of statements, the same on SQLite and D1. Its preconditions come first, each as an insert into `abort`
 * that finds nothing to insert when it holds; a trigger ends the batch otherwise.
 */
import { ANY_REFERENCE } from '../../search/index-row.ts'
import { type Change, type Commit, type Committed, type Key, type Require, typeOf } from '../port.ts'
import { claimStatements } from './claims.ts'
import type { Refused } from './driver.ts'
import { matches } from './found.ts'
import { indexStatements, type Terms } from './index-tables.ts'
import { nameId } from './names.ts'
import { raw, type Sql, sql } from './sql.ts'
import { versions } from './versions.ts'

export interface CommitBatch {
  statements: Sql[]
  newTerms: string[]
}

export interface CommitOptions {
  terms: Terms
  /** The restore that the terms are of; undefined where none is noticed. */
  restored: number | undefined
  /** ms since 1970: what leases are compared with. */
  now: number
  /** Bodies longer than this many UTF-16 units are stored in pieces of it. */
  pieceLength: number
  /** The engine writes index rows itself. */
  writesIndex: boolean
}

/** Returns the statements of a commit; the only row of the first is its stamp. */
export function commitBatch(commit: Commit, options: CommitOptions): CommitBatch {
  const { changes } = commit
  const statements: Sql[] = [begin(commit), currentIs({ ...options, epoch: commit.epoch })]
  if (changes.length > 0) statements.push(versionsAreNext(changes))
  statements.push(...requirements(commit, options))
  for (const require of commit.require)
    if (require.is === 'counter')
      statements.push(
        require.next === 0
          ? sql`DELETE FROM counter WHERE name = ${require.name}`
          : sql`INSERT INTO counter (name, n) VALUES (${require.name}, ${require.next}) ON CONFLICT (name) DO UPDATE SET n = excluded.n`,
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
    options.writesIndex,
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

/** Returns the answer that a commit gets after a restore where it was made from a version read before: that one is gone. */
export function readBefore({ changes, require }: Commit): Committed | undefined {
  const updated = changes.find(change => change.version > 1)
  if (updated !== undefined) return { ok: false, reason: 'version', key: updated.key }
  const index = require.findIndex(one => one.is === 'version' && one.version > 0)
  return index < 0 ? undefined : { ok: false, reason: 'require', index }
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

/** Returns the guard of what was made under an index epoch and with ids of terms: neither has changed since. */
export const currentIs = ({ epoch, restored }: { epoch: number; restored: number | undefined }): Sql =>
  restored === undefined
    ? sql`INSERT INTO abort SELECT 'epoch' WHERE (SELECT value FROM meta WHERE name = 'epoch') > ${epoch}`
    : sql`INSERT INTO abort SELECT CASE name WHEN 'epoch' THEN name ELSE 'restored' END FROM meta WHERE (name = 'epoch' AND value > ${epoch}) OR (name = 'restored' AND value <> ${restored}) ORDER BY name DESC LIMIT 1`

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
      return matches(require, options.terms)
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

function jobs(commit: Commit): Sql {
  const rows = JSON.stringify(commit.outbox.map(job => [job.id, job.kind, job.due, job.body]))
  return sql`INSERT INTO outbox (id, kind, due, body, fence, until) SELECT value->>0, value->>1, value->>2, value->>3, 0, 0 FROM json_each(${rows})`
}
