/**
 * The storage port: what an adapter gives to the interactions. A write is a value, committed once with its preconditions; every race
 * is settled by what the commit itself checks. Proven by `test/storage/contract.ts` on every adapter.
 */
import type { IndexRow } from '../search/index-row.ts'
import type { Node, SearchPlan } from '../search/plan-node.ts'
import type { Concepts } from './concepts.ts'

/** Type and logical id: `Patient/1`. */
export type Key = `${string}/${string}`

export const keyOf = (type: string, id: string): Key => `${type}/${id}`
export const typeOf = (key: Key): string => key.slice(0, key.indexOf('/'))
export const idOf = (key: Key): string => key.slice(key.indexOf('/') + 1)

export type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** One version of a resource. */
export interface Stored {
  key: Key
  /** 1 for the first; meta.versionId is its decimal text. */
  version: number
  /** lastUpdated, ms since 1970 UTC. */
  at: number
  /** The interaction that made this version. */
  method: Method
  /** The JSON exactly as it is sent; undefined for a deletion. */
  text: string | undefined
}

/** A version that is no deletion. */
export type Live = Stored & { text: string }

/**
 * A body to be stored. `text` holds at `stampAt` the 24 characters of meta.lastUpdated (`2026-11-21T10:41:00.000Z`), which the adapter
 * overwrites when it has to move the stamp (see Commit.at); everything before `stampAt` is ASCII.
 */
export interface Body {
  text: string
  stampAt: number
}

export interface Change {
  key: Key
  /** The version that this change makes. It needs the current one to be `version - 1`: 0 is "never existed"; deletions count as versions. */
  version: number
  method: Method
  /** null deletes. */
  body: Body | null
  index: readonly IndexRow[]
  /** Unique names owned by the live resource: replaced with each version, gone on delete. A name owned by another resource refuses the commit. */
  claims: readonly string[]
}

export type Require =
  /** Judged on the state before the commit: the current version of `key` is `version` (0: never existed). */
  | { is: 'version'; key: Key; version: number }
  /**
   * Before the commit: the live matches of the plan are exactly these, and each, where `versions` names those of the keys in their order,
   * is still of this version. `guard` names the criteria; on MongoDB the promise holds among
   * commits that name the same guard, here or in `also`, on SQLite and D1 among all.
   */
  | {
      is: 'matches'
      plan: SearchPlan
      keys: readonly Key[]
      versions?: readonly number[]
      guard: string
      also?: readonly string[]
    }
  /** After the commit: `key` is live. */
  | { is: 'live'; key: Key }
  /** After the commit: no live resource but `key` itself has an ANY_REFERENCE row to `key`. */
  | { is: 'unreferenced'; key: Key }
  /** Before the commit: the counter stands at `seen` (0 when it was never set); the commit sets it to `next`; 0 takes it away. */
  | { is: 'counter'; name: string; seen: number; next: number }
  /** The lease is held with this fencing number and has not run out. */
  | { is: 'lease'; name: string; fence: number }

/** A piece of work that a commit leaves to be done after it, at least once. */
export interface Job {
  id: string
  kind: string
  /** Not before this time, ms since 1970. */
  due: number
  /** JSON text. */
  body: string
}

export interface Commit {
  /** Unique per intent. Committing the same id again changes nothing and returns what the first time returned. */
  id: string
  /** Milliseconds since 1970: not before this is lastUpdated. The adapter raises it above every changed resource's previous stamp, and on
   * SQLite and D1 to the latest stamp committed, so that stamps never run backwards in commit order. */
  at: number
  /** The index epoch that `index` rows were made under. */
  epoch: number
  changes: readonly Change[]
  require: readonly Require[]
  outbox: readonly Job[]
}

export type Committed =
  /** `at`: the lastUpdated that every change of the commit was stored with. */
  | { ok: true; at: number }
  /** Position in `require` of the first that does not hold. */
  | { ok: false; reason: 'require'; index: number }
  /** A changed resource is not at the version before, or a new id exists. */
  | { ok: false; reason: 'version'; key: Key }
  | { ok: false; reason: 'claim'; key: Key }
  /** The index epoch has moved on: reload the search parameters and try again. */
  | { ok: false; reason: 'epoch' }

/** Where a page ended: the backend's sort key values and internal id. Opaque to callers, sealed by `search/cursor.ts` before it leaves. */
export type Cursor = readonly (string | number | null)[]

export type Total = 'none' | 'accurate'

export interface SearchOptions {
  /** The page starts after this row; or ends before it. One of the two at most. */
  after?: Cursor
  before?: Cursor
  /** 0 counts only. */
  limit: number
  total: Total
  /** ms since 1970 by the adapter's clock after which the search ends with FhirError `too-costly`/503 where the backend can cancel. */
  deadline?: number
  /** Rows beyond this many bytes of text are left to the next page; the first is there always. */
  bytes?: number
  /** The caller knows that few match: they are gathered without a look at how many there are. */
  few?: boolean
  /** The page says how it was found. */
  explain?: boolean
  /**
   * As `explain`, for the log: only where the search took longer than so many milliseconds, without any value of the question, and
   * without making the search again.
   */
  explainAfter?: number
}

/** How a search was done, for people: none of it is part of the contract of searching. */
export interface Explained {
  /** The index that drove the search, and why that one: "tok (Observation.code), 61 rows counted". */
  driver: string
  /** The backend's own query plans, one for each statement or command, in its own words. */
  plans: readonly string[]
  /** Milliseconds in the backend. */
  ms: number
  /** Rows or documents that were examined, where the backend counts them truthfully. */
  examined?: number
  /** What would make it faster. */
  hint?: string
}

export interface Page {
  rows: Stored[]
  /** The cursors of the first and the last row, absent on an empty page. */
  first?: Cursor
  last?: Cursor
  /** There are rows beyond the last (or before the first, when `before` was asked). */
  more: boolean
  total?: number
  explained?: Explained
}

export interface HistoryScope {
  /** Neither: the system. */
  key?: Key
  type?: string
}

export interface HistoryOptions {
  after?: Cursor
  limit: number
  /** Versions stamped at or after; ms since 1970. */
  since?: number
  /** Versions that were current at some time in [lo, hi). */
  current?: { lo: number; hi: number }
  total: Total
  filter?: Node
}

export interface Reindexed {
  key: Key
  version: number
  index: readonly IndexRow[]
}

export interface Capabilities {
  name: 'sqlite' | 'd1' | 'mongodb'
  /** The largest body in UTF-8 bytes; a larger one is refused with FhirError `too-costly`. */
  maxBody: number
  /** Plan nodes that the backend compiles; a plan with another kind is refused with FhirError `not-supported`, never answered otherwise. */
  nodes: ReadonlySet<Node['kind']>
  /** A search can be ended at its deadline. */
  cancels: boolean
  /** Several server processes may use one store. */
  shared: boolean
}

export interface Storage {
  readonly caps: Capabilities
  /** Returns the current version, or the one asked for, deletions too; undefined where there is none or `filter` does not hold. */
  read(key: Key, options?: { version?: number; filter?: Node }): Promise<Stored | undefined>
  /** Returns the current versions, deletions too, of those that exist. */
  readMany(keys: readonly Key[], filter?: Node): Promise<Map<Key, Stored>>
  search(plan: SearchPlan, options: SearchOptions): Promise<Page>
  /**
   * Returns versions newest first. A page of the type or system history never shows a version while an older stamp may still become
   * visible, so that who polls with `since` loses nothing.
   */
  history(scope: HistoryScope, options: HistoryOptions): Promise<Page>
  /** Never partial. Throws FhirError `too-costly` for a body above caps.maxBody and `transient` where the store cannot be reached. */
  commit(commit: Commit): Promise<Committed>
  /** Returns the value kept under the name, storing `value` when there is none: the first writer wins, on every instance. */
  keep(name: string, value: string): Promise<string>
  /** Keeps a text under a name until a time, ms since 1970; what has run out goes away by itself. */
  remember(name: string, text: string, until: number): Promise<void>
  /** Returns the text kept under the name, undefined where there is none or its time has run out. */
  recall(name: string): Promise<string | undefined>
  /** Returns the value of a counter, 0 when it was never set. */
  counter(name: string): Promise<number>
  /** Walks the live resources by internal id for reindexing, `until` included. */
  scan(after: Cursor | undefined, limit: number, types?: readonly string[], until?: Cursor): Promise<Page>
  /** Returns where a walk ends that meets every resource there is now, so that it need not follow new ones; undefined for an empty store. */
  newest(): Promise<Cursor | undefined>
  /** Replaces index rows; returns the keys that were no longer at that version. */
  reindex(rows: readonly Reindexed[], epoch: number): Promise<Key[]>
  epoch(): Promise<number>
  /** Raises the epoch to `next`; false when it stands there or higher. When it returns, commits of a lower epoch are refused everywhere. */
  raiseEpoch(next: number): Promise<boolean>
  /** Returns a fencing number, higher than any given before, when the lease is free, run out or the owner's; undefined when it is another's. */
  lease(name: string, owner: string, ms: number): Promise<number | undefined>
  outbox: {
    /** Returns due jobs, leased to `owner` for `ms`, with the fencing number that `done` wants. */
    take(n: number, owner: string, ms: number): Promise<(Job & { fence: number })[]>
    /** Returns false when the lease was lost to another owner. */
    done(id: string, fence: number): Promise<boolean>
    /** Ends the lease and gives the job another body and time; false when the lease was lost to another owner. */
    putOff(id: string, fence: number, to: Pick<Job, 'due' | 'body'>): Promise<boolean>
  }
  /** Code systems that are too large for a resource. */
  concepts: Concepts
  /** Throws when the store does not answer. */
  ping(): Promise<void>
  /** Figures for /metrics: name -> value. */
  gauges(): Promise<Record<string, number>>
  close(): Promise<void>
}

/** Returns the text of a stamp: ISO 8601 in UTC with milliseconds, 24 characters. */
export const stampText = (at: number): string => new Date(at).toISOString()

/** Returns the body's text with the stamp `at`. */
export const stamped = (body: Body, at: number): string =>
  body.text.slice(0, body.stampAt) + stampText(at) + body.text.slice(body.stampAt + 24)
