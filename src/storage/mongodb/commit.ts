/**
 * A commit: one insert where it only creates one resource, a transaction otherwise. Its id stands in every version that it made, so what a
 * lost acknowledgement left unknown is read back and never done twice.
 * https://www.mongodb.com/docs/manual/core/transactions-in-applications/
 */
import { type ClientSession, type MongoClient, MongoError, type TransactionOptions } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { Log } from '../../lib/log.ts'
import { type Commit, type Committed, type Key, typeOf } from '../port.ts'
import { type ChunkDoc, type Collections, type HistoryDoc, type ResourceDoc, versionId } from './document.ts'
import { isConflict, isDuplicate, isTimeout, isUnreachable, refusedIndex, spoken } from './failure.ts'
import { COMMIT_COMMAND, type Instances, type Ticket } from './instances.ts'
import { criteriaSlot, firstFailing, matching } from './require.ts'
import type { Views } from './schema.ts'
import type { InTurn } from './turns.ts'
import {
  OPTIONAL_FIELDS,
  type Prepared,
  prepareChanges,
  stampedVersion,
  toPending,
  type VersionFields,
} from './version.ts'

/** What a commit works on. */
export interface Committer {
  client: MongoClient
  collections: Collections
  instances: Instances
  views: Views
  log: Log
  clock(): number
  /** Returns the internal id of a new resource. */
  order(at: number): string
  inTurn: InTurn
}

/** Milliseconds after which a commit that keeps meeting others gives up. */
const PATIENCE = 20_000
const BACKOFF_MOST = 150

const TRANSACTION: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
  maxCommitTimeMS: COMMIT_COMMAND,
}

/** Another attempt is needed, with a stamp from here on. */
class Again extends Error {
  readonly from: number
  constructor(from: number) {
    super('the commit needs another stamp')
    this.from = from
  }
}

type Refusal = Extract<Committed, { ok: false }>

/** Ends a transaction that must not be committed. */
class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super('the commit is refused')
    this.refusal = refusal
  }
}

/** Commits as the port says. Throws FhirError `too-costly` for a body that is too large, `transient` where the store cannot be reached. */
export async function commitOnce(on: Committer, commit: Commit): Promise<Committed> {
  const prepared = prepareChanges(commit.changes, commit.id)
  const result = await on.inTurn(wantedBy(commit), async waited => {
    const late = waited ? await overtaken(on, commit) : undefined
    if (late !== undefined) return (await doneBefore(on, commit, performance.now() + PATIENCE)) ?? late
    return attempts(on, commit, prepared)
  })
  if (result.ok) for (const change of commit.changes) on.views.want(typeOf(change.key))
  return result
}

/** Names that two commits of one process should not fight over. */
function wantedBy(commit: Commit): string[] {
  const names = new Set<string>()
  for (const change of commit.changes) {
    if (change.version > 1) names.add(change.key)
    for (const claim of change.claims) names.add(`claim ${claim}`)
  }
  for (const one of commit.require) {
    if (one.is === 'matches') names.add(criteriaSlot(one.guard))
    else if (one.is === 'counter') names.add(`counter ${one.name}`)
  }
  return [...names]
}

/**
 * Returns the refusal of a commit that another of this process overtook while it waited, undefined where it may still succeed. A
 * transaction would say the same, with five commands for one.
 */
async function overtaken(on: Committer, commit: Commit): Promise<Refusal | undefined> {
  for (const [index, one] of commit.require.entries())
    if (one.is === 'matches' && !(await matching(on.collections, one, {})))
      return { ok: false, reason: 'require', index }
  const updates = commit.changes.filter(change => change.version > 1)
  if (updates.length === 0) return undefined
  const ids = updates.map(change => change.key as string)
  const docs = await on.collections.resources.find({ _id: { $in: ids } }, { projection: { v: 1 } }).toArray()
  const behind = updates.find(change => docs.some(doc => doc._id === change.key && doc.v >= change.version))
  return behind && { ok: false, reason: 'version', key: behind.key }
}

async function attempts(on: Committer, commit: Commit, prepared: readonly Prepared[]): Promise<Committed> {
  const until = performance.now() + PATIENCE
  const tickets: Ticket[] = []
  let known = true
  let from = commit.at
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        const ticket = await on.instances.begin(from, commit.epoch)
        tickets.push(ticket)
        const result = await attemptOnce(on, commit, prepared, ticket)
        known = true
        if (result.ok) return result
        return (await doneBefore(on, commit, until)) ?? result
      } catch (error) {
        if (error instanceof Again && performance.now() < until) {
          from = error.from
          continue
        }
        const unsettled = isUnreachable(error) || isTimeout(error)
        if (unsettled) known = false
        if (!(unsettled || isConflict(error)) || performance.now() > until)
          throw error instanceof Again
            ? fhirError('transient', 'The write met too many others.')
            : spoken(error)
        const most = Math.min(BACKOFF_MOST, 2 ** Math.min(attempt, 10))
        await new Promise(resolve => setTimeout(resolve, 1 + Math.random() * most))
      }
    }
  } finally {
    const end = (): void => {
      for (const ticket of tickets) ticket.end()
    }
    // What may still become visible keeps the floor down until its command has certainly ended.
    if (known) end()
    else setTimeout(end, COMMIT_COMMAND).unref()
  }
}

async function attemptOnce(
  on: Committer,
  commit: Commit,
  prepared: readonly Prepared[],
  ticket: Ticket,
): Promise<Committed> {
  if (commit.epoch < on.instances.epoch()) return { ok: false, reason: 'epoch' }
  const only = prepared[0]
  const plain =
    only !== undefined &&
    prepared.length === 1 &&
    commit.require.length === 0 &&
    only.change.version === 1 &&
    only.change.body !== null &&
    only.change.claims.length === 0 &&
    !only.large
  return plain ? insertOne(on, commit, only, ticket.at) : inTransaction(on, commit, prepared, ticket)
}

function newDocument(
  on: Committer,
  commit: Commit,
  fields: VersionFields,
  key: Key,
  jobs: boolean,
): ResourceDoc {
  const doc: ResourceDoc = { _id: key, ...fields, n: on.order(fields.lu) }
  if (jobs && commit.outbox.length > 0) doc.pending = toPending(commit.outbox)
  return doc
}

async function insertOne(on: Committer, commit: Commit, prepared: Prepared, at: number): Promise<Committed> {
  const { key } = prepared.change
  const doc = newDocument(on, commit, stampedVersion(prepared, at).fields, key, true)
  try {
    await on.collections.resources.insertOne(doc, { maxTimeMS: COMMIT_COMMAND })
    return { ok: true, at }
  } catch (error) {
    if (isDuplicate(error)) return { ok: false, reason: 'version', key }
    throw error
  }
}

async function inTransaction(
  on: Committer,
  commit: Commit,
  prepared: readonly Prepared[],
  ticket: Ticket,
): Promise<Committed> {
  const { at } = ticket
  const session = on.client.startSession()
  try {
    session.startTransaction(TRANSACTION)
    await write(on, commit, prepared, at, session)
    if (!(await ticket.renew())) throw new Again(commit.at)
    await committed(session)
    return { ok: true, at }
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction().catch(() => {})
    if (error instanceof Refused) return error.refusal
    throw error
  } finally {
    await session.endSession()
  }
}

/** Commits, and asks again while the outcome is not known: the server answers the same as the first time. */
async function committed(session: ClientSession): Promise<void> {
  const until = performance.now() + COMMIT_COMMAND
  for (;;) {
    try {
      await session.commitTransaction()
      return
    } catch (error) {
      const unknown = error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult')
      if (!unknown || performance.now() > until) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}

async function write(
  on: Committer,
  commit: Commit,
  prepared: readonly Prepared[],
  at: number,
  session: ClientSession,
): Promise<void> {
  const { collections } = on
  if (commit.require.length > 0) {
    const failing = await firstFailing(collections, commit, session, on.clock())
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
  const versions = prepared.map((one, i) => {
    const version = stampedVersion(one, at)
    for (const piece of version.chunks) chunks.push(piece)
    return { ...one, fields: version.fields, jobs: i === 0 }
  })
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
const BEFORE = { t: 1, v: 1, lu: 1, n: 1, m: 1, c: 1, text: 1, chunks: 1, cl: 1 } as const

/** Puts the new versions in the place of those before, and returns these. */
async function replaced(
  on: Committer,
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
  const { _id, t, v, lu, n, m, c, text, chunks } = doc
  const old: HistoryDoc = { _id: versionId(_id, v), k: _id, t: t.replace('-', ''), v, lu, n, m, c, until }
  if (text !== undefined) old.text = text
  if (chunks !== undefined) old.chunks = chunks
  return old
}

/** Takes the claims that a version adds, after those that others give up are free. */
async function exchangeClaims(
  on: Committer,
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

/**
 * Returns what the commit came to when it was done before, by this call or another with the same id; undefined when it was not.
 *
 * Reads what the primary has, and acknowledges only once a majority has it.
 */
async function doneBefore(on: Committer, commit: Commit, until: number): Promise<Committed | undefined> {
  const local = await stampOf(on, commit, 'local')
  if (local === undefined) return undefined
  for (;;) {
    const at = await stampOf(on, commit, 'majority')
    if (at !== undefined) return { ok: true, at }
    if (performance.now() > until)
      throw fhirError('transient', 'The write is not yet confirmed by a majority of the database servers.')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function stampOf(
  on: Committer,
  commit: Commit,
  level: 'local' | 'majority',
): Promise<number | undefined> {
  const { collections } = on
  const first = commit.changes[0]
  const options = { readConcern: { level } }
  if (first === undefined) return (await collections.commits.findOne({ _id: commit.id }, options))?.at
  const { key, version } = first
  const projection = { v: 1, c: 1, lu: 1 }
  const current = await collections.resources.findOne({ _id: key }, { ...options, projection })
  if (current === null || current.v < version) return undefined
  const made =
    current.v === version
      ? current
      : await collections.history.findOne(
          { _id: versionId(key, version), k: key },
          { ...options, projection },
        )
  return made?.c === commit.id ? made.lu : undefined
}
