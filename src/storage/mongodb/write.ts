/** What a transaction writes: preconditions first, then versions, claims, history and chunks. */
import type { ClientSession } from 'mongodb'
import type { Commit, Committed, Key } from '../port.ts'
import type { ChunkDoc } from './chunks.ts'
import { type Collections, type HistoryDoc, type ResourceDoc, versionId } from './document.ts'
import { isDuplicate, refusedIndex } from './failure.ts'
import { firstFailing } from './require.ts'
import { OPTIONAL_FIELDS, type Prepared, stampedVersion, toPending, type VersionFields } from './version.ts'

/** What writing needs. */
export interface Writer {
  collections: Collections
  /** ms since 1970 UTC. */
  clock(): number
  /** Returns the internal id of a new resource. */
  order(at: number): string
  /** As in the options of `openMongo`. */
  linked?: number
}

/** Another attempt is needed, with a stamp from here on. */
export class Again extends Error {
  readonly from: number
  constructor(from: number) {
    super('the commit needs another stamp')
    this.from = from
  }
}

export type Refusal = Extract<Committed, { ok: false }>

/** Ends a transaction that must not be committed. */
export class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super('the commit is refused')
    this.refusal = refusal
  }
}

/** Returns the document of a new resource; `jobs`: it carries those of the commit. */
export function newDocument(
  on: Writer,
  commit: Commit,
  fields: VersionFields,
  key: Key,
  jobs: boolean,
): ResourceDoc {
  const doc: ResourceDoc = { _id: key, ...fields, n: on.order(fields.lu) }
  if (jobs && commit.outbox.length > 0) doc.pending = toPending(commit.outbox)
  return doc
}

/** Writes all of a commit in the session's transaction. Throws Refused and Again, and what the driver throws. */
export async function write(
  on: Writer,
  commit: Commit,
  prepared: readonly Prepared[],
  at: number,
  session: ClientSession,
): Promise<void> {
  const { collections } = on
  if (commit.require.length > 0) {
    const failing = await firstFailing(collections, commit, session, on.clock(), on.linked)
    if (failing !== undefined) throw new Refused({ ok: false, reason: 'require', index: failing })
  }
  if (prepared.length === 0) {
    const jobs = commit.outbox.length > 0 ? { pending: toPending(commit.outbox) } : { when: new Date() }
    await refusing(
      () => collections.commits.insertOne({ _id: commit.id, at, ...jobs }, { session }),
      () => ({
        ok: false,
        reason: 'require',
        index: 0,
      }),
    )
    return
  }
  const chunks: ChunkDoc[] = []
  const versions: Updated[] = []
  for (const one of prepared) {
    const version = await stampedVersion(one, at)
    chunks.push(...version.chunks)
    versions.push({ ...one, fields: version.fields, jobs: versions.length === 0 })
  }
  const updates = versions.filter(one => one.change.version > 1)
  const before = await replaced(on, commit, updates, at, session)
  await exchangeClaims(on, prepared, before, session)
  const created = versions.filter(one => one.change.version === 1)
  if (created.length > 0)
    await refusing(
      () =>
        collections.resources.insertMany(
          created.map(one => newDocument(on, commit, one.fields, one.change.key, one.jobs)),
          { session },
        ),
      index => ({ ok: false, reason: 'version', key: created[index]!.change.key }),
    )
  if (before.length > 0)
    await collections.history.insertMany(
      before.map(doc => superseded(doc, at)),
      { session },
    )
  if (chunks.length > 0) await collections.chunks.insertMany(chunks, { session })
}

type Updated = { change: Prepared['change']; fields: VersionFields; jobs: boolean }

/** The fields of the version before that history keeps and that claims need. */
const BEFORE = { t: 1, v: 1, lu: 1, n: 1, m: 1, c: 1, text: 1, chunks: 1, len: 1, cl: 1 } as const

/** Puts the new versions in the place of those before, and returns these. */
async function replaced(
  on: Writer,
  commit: Commit,
  updates: readonly Updated[],
  at: number,
  session: ClientSession,
): Promise<ResourceDoc[]> {
  const { resources } = on.collections
  if (updates.length === 0) return []
  const only = updates[0]!
  if (updates.length === 1) {
    const before = await resources.findOneAndUpdate(
      { _id: only.change.key, v: only.change.version - 1 },
      replacement(commit, only),
      { session, returnDocument: 'before', projection: BEFORE },
    )
    if (before === null) throw new Refused({ ok: false, reason: 'version', key: only.change.key })
    if (before.lu >= at) throw new Again(before.lu + 1)
    return [before]
  }
  const ids = updates.map(one => one.change.key as string)
  const found = new Map<string, ResourceDoc>()
  for await (const doc of resources.find({ _id: { $in: ids } }, { session, projection: BEFORE }))
    found.set(doc._id, doc)
  let latest = 0
  for (const { change } of updates) {
    const before = found.get(change.key)
    if (before?.v !== change.version - 1) throw new Refused({ ok: false, reason: 'version', key: change.key })
    latest = Math.max(latest, before.lu)
  }
  if (latest >= at) throw new Again(latest + 1)
  await resources.bulkWrite(
    updates.map(one => ({
      updateOne: {
        filter: { _id: one.change.key, v: one.change.version - 1 },
        update: replacement(commit, one),
      },
    })),
    { session },
  )
  return [...found.values()]
}

function replacement(commit: Commit, one: Updated): object {
  const fields: Partial<VersionFields> = one.fields
  const gone = OPTIONAL_FIELDS.filter(name => fields[name] === undefined)
  return {
    $set: one.fields,
    ...(gone.length > 0 ? { $unset: Object.fromEntries(gone.map(name => [name, ''])) } : {}),
    // Jobs of earlier versions stay until they are done.
    ...(one.jobs && commit.outbox.length > 0
      ? { $push: { pending: { $each: toPending(commit.outbox) } } }
      : {}),
  }
}

function superseded(doc: ResourceDoc, until: number): HistoryDoc {
  const { _id, t, v, lu, n, m, c, text, chunks, len } = doc
  const old: HistoryDoc = { _id: versionId(_id, v), k: _id, t: t.replace('-', ''), v, lu, n, m, c, until }
  if (text !== undefined) old.text = text
  if (chunks !== undefined) old.chunks = chunks
  if (len !== undefined) old.len = len
  return old
}

/** Takes the claims that a version adds, after those that others give up are free. */
async function exchangeClaims(
  on: Writer,
  prepared: readonly Prepared[],
  before: readonly ResourceDoc[],
  session: ClientSession,
): Promise<void> {
  const held = new Map(before.map(doc => [doc._id, new Set(doc.cl ?? [])]))
  const released: string[] = []
  const taken: { _id: string; k: Key }[] = []
  for (const { change, fields } of prepared) {
    const old = held.get(change.key) ?? new Set<string>()
    const kept = new Set(change.body === null ? [] : (fields.cl ?? []))
    for (const claim of old) if (!kept.has(claim)) released.push(claim)
    for (const claim of kept) if (!old.has(claim)) taken.push({ _id: claim, k: change.key })
  }
  const { claims } = on.collections
  if (released.length > 0) await claims.deleteMany({ _id: { $in: released } }, { session })
  if (taken.length > 0)
    await refusing(
      () => claims.insertMany(taken, { session }),
      index => ({ ok: false, reason: 'claim', key: taken[index]!.k }),
    )
}

/** Runs an insertion; one that stands there already refuses the commit. */
async function refusing(insert: () => Promise<unknown>, refusal: (index: number) => Refusal): Promise<void> {
  try {
    await insert()
  } catch (error) {
    if (isDuplicate(error)) throw new Refused(refusal(refusedIndex(error) ?? 0))
    throw error
  }
}
