/** The documents of each collection: what their short names mean. docs/storage.md shows them to people. */
import type { Collection, Document } from 'mongodb'
import type { Designation, NewRelease, PropertyType, Release } from '../concepts.ts'
import type { Key, Method, Stored } from '../port.ts'
import { type ChunkDoc, readChunks } from './chunks.ts'

/** A job of the outbox, riding inside the document that its commit wrote. */
export interface PendingJob {
  id: string
  kind: string
  /** ms since 1970. */
  due: number
  body: string
  /** Leased until, ms since 1970; 0 when it never was. */
  until: number
  fence: number
  /** The taking that holds the lease. */
  by?: string
}

/** A range of dates (ms since 1970) or of decimal keys; `p` is the parameter, for quantities with the unit. */
export interface Span {
  p: string
  lo: number | string
  hi: number | string
}

/** A string or uri that is too long for a term, whole. */
export interface LongValue {
  p: string
  v: string
}

/** A place, degrees of WGS84. */
export interface Place {
  p: string
  lat: number
  lon: number
}

/** What search knows of a resource (`terms.ts`). */
export interface IndexFields {
  /** Equality and prefix terms, and the bounds of ranges in order-preserving form. */
  ix?: string[]
  d?: Span[]
  w?: LongValue[]
  g?: Place[]
  /** The smallest sort key by parameter code, inverted, so that a descending walk ascends and leaves the missing for last. */
  s?: Record<string, string>
  /** The largest sort key by parameter code. */
  sx?: Record<string, string>
}

interface Version {
  /** The version's number. */
  v: number
  /** lastUpdated, ms since 1970. */
  lu: number
  /** The internal id: the order of making. */
  n: string
  m: Method
  /** The commit that made it. */
  c: string
  /** The exact JSON; absent for a deletion and where it stands in chunks. */
  text?: string
  /** How many pieces in `chunks` the text has. */
  chunks?: number
  /** How many UTF-8 bytes a text in chunks has. */
  len?: number
}

/** The current version of `_id` 'Patient/1'. */
export interface ResourceDoc extends Version, IndexFields {
  _id: string
  /** The type; '-Patient' once it is deleted, so that searches by type pass deletions by and history finds them. */
  t: string
  /** The same in native form, for people and pipelines, never the source of an answer. */
  resource?: Document
  /** Claims. */
  cl?: string[]
  pending?: PendingJob[]
}

/** A superseded version: `_id` 'Patient/1/2'. */
export interface HistoryDoc extends Version {
  _id: string
  k: string
  t: string
  /** lastUpdated of the next version. */
  until: number
}

/** A commit that changes no resource, so that its id and its jobs have a place. */
export interface CommitDoc {
  _id: string
  at: number
  /** When nothing of it was left to do; such documents are removed a day later. */
  when?: Date
  pending?: PendingJob[]
}

export interface NumberDoc {
  _id: string
  n: number
}

export interface ClaimDoc {
  _id: string
  k: string
}

export interface LeaseDoc {
  _id: string
  owner: string
  until: number
  fence: number
}

/** What a name stands for until a time; removed some time after it. */
export interface RememberedDoc {
  _id: string
  text: string
  until: Date
}

export interface KeptDoc {
  _id: string
  value: string
}

/** A release of a code system. */
export interface ReleaseDoc extends NewRelease {
  _id: number
  state: Release['state']
  /** ms since 1970. */
  at: number
  /** Rows written so far, those that were replaced too. */
  written: number
  types: Record<string, PropertyType>
  /** Counted when it was finished. */
  concepts: number
  designations: number
  /** The system while this is its current release, so that it has but one. */
  only?: string
}

/** A concept of a release. */
export interface ConceptDoc {
  /** '7|73211009': release and code. */
  _id: string
  /** The release. */
  r: number
  /** The order of finding: length of the display, then place in the load. */
  o: number
  code: string
  display: string
  active: boolean
  parents: readonly string[]
  properties: [string, readonly string[]][]
  designations: readonly Designation[]
  sets: readonly string[]
  /** Words of the names, and marks of what is above and said of it (`storage/concept-terms.ts`). */
  w: string[]
}

export interface Collections {
  resources: Collection<ResourceDoc>
  history: Collection<HistoryDoc>
  chunks: Collection<ChunkDoc>
  commits: Collection<CommitDoc>
  counters: Collection<NumberDoc>
  guards: Collection<NumberDoc>
  claims: Collection<ClaimDoc>
  leases: Collection<LeaseDoc>
  kept: Collection<KeptDoc>
  remembered: Collection<RememberedDoc>
  releases: Collection<ReleaseDoc>
  concepts: Collection<ConceptDoc>
  instances: Collection<Document & { _id: string }>
}

/** What a Stored is made of. */
export const BODY_FIELDS = { v: 1, lu: 1, n: 1, m: 1, text: 1, chunks: 1, len: 1 } as const

export type BodyDoc = Pick<ResourceDoc, '_id' | 'v' | 'lu' | 'n' | 'm' | 'text' | 'chunks' | 'len'> & {
  k?: string
}

export const versionId = (key: string, version: number): string => `${key}/${version}`

/**
 * Returns the stored versions in the order of the documents, those kept in chunks put together with one more query.
 *
 * Throws where a chunk is missing, which no commit leaves.
 */
export async function toStored(docs: readonly BodyDoc[], chunks: Collection<ChunkDoc>): Promise<Stored[]> {
  const counts = new Map<string, number>()
  for (const doc of docs) if (doc.chunks !== undefined) counts.set(idOfVersion(doc), doc.chunks)
  const texts = await readChunks(counts, chunks)
  return docs.map(doc => ({
    key: (doc.k ?? doc._id) as Key,
    version: doc.v,
    at: doc.lu,
    method: doc.m,
    text: doc.chunks === undefined ? doc.text : texts.get(idOfVersion(doc)),
  }))
}

const idOfVersion = (doc: BodyDoc): string => versionId(doc.k ?? doc._id, doc.v)
