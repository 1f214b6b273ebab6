/** MongoDB as storage: `openMongo` puts the parts of this folder together to the port. docs/storage.md describes the layout. */
import { randomBytes } from 'node:crypto'
import type { CommandStartedEvent } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { Log } from '../../lib/log.ts'
import { createTurns } from '../../lib/turns.ts'
import type { Node } from '../../search/plan-node.ts'
import { type Capabilities, type Key, type Reindexed, type Storage, type Stored, typeOf } from '../port.ts'
import { ask } from './ask.ts'
import { type Committer, commitOnce } from './commit.ts'
import { merge, NODES } from './compile.ts'
import { mongoConcepts } from './concepts.ts'
import { connect } from './connect.ts'
import {
  BODY_FIELDS,
  type Collections,
  type LeaseDoc,
  type ResourceDoc,
  toStored,
  versionId,
} from './document.ts'
import { isDuplicate, speaking } from './failure.ts'
import { history } from './history.ts'
import { indexFields } from './index-fields.ts'
import { COMMIT_COMMAND, joinInstances, type Timing } from './instances.ts'
import { questionOf } from './links.ts'
import { jobDone, putOffJob, takeJobs } from './outbox.ts'
import { recall, remember } from './remembered.ts'
import { collectionsOf, prepare, typeViews } from './schema.ts'
import { search } from './search.ts'
import { createOrder, MAX_BODY } from './version.ts'

export interface MongoOptions {
  /** ms since 1970 UTC. */
  clock(): number
  log: Log
  /** A name for this server process in the collection `instances`. */
  instance?: string
  /** Hears of each command before it is sent. */
  onCommand?: (command: CommandStartedEvent) => void
  /** Other intervals than the usual, for tests. */
  timing?: Timing
  /** More resources at the far end of a chain than this are looked up one by one; 10,000 unless told, for tests. */
  linked?: number
}

export const CAPABILITIES: Capabilities = {
  name: 'mongodb',
  maxBody: MAX_BODY,
  nodes: NODES,
  cancels: true,
  shared: true,
}

/**
 * Returns the storage in the database that the URI names, its collections and indexes made.
 *
 * Throws FhirError `transient` where no server answers, and `not-supported` where the server has no transactions.
 */
export async function openMongo(uri: string, options: MongoOptions): Promise<Storage> {
  const { client, db } = await connect(uri, options.onCommand)
  try {
    const collections = collectionsOf(db)
    await prepare(db, collections)
    const { clock, log } = options
    const instances = await joinInstances(collections, log, options.instance, options.timing)
    const views = await typeViews(db, collections, log)
    const on: Committer = {
      client,
      collections,
      instances,
      views,
      clock,
      order: createOrder(randomBytes(4).readUInt32BE().toString(36).padStart(6, '0')),
      inTurn: createTurns(),
      ...(options.linked === undefined ? {} : { linked: options.linked }),
    }
    return {
      caps: CAPABILITIES,
      read: (key, o) => speaking(() => read(collections, key, o)),
      readMany: (keys, filter) => speaking(() => readMany(collections, keys, filter)),
      search: (plan, o) => speaking(() => search(collections, clock, plan, o, options.linked)),
      history: (scope, o) => speaking(() => history(collections, instances, scope, o)),
      commit: commit => speaking(() => commitOnce(on, commit)),
      keep: (name, value) => speaking(() => keep(collections, name, value)),
      remember: (name, text, until) => speaking(() => remember(collections.remembered, name, text, until)),
      recall: name => speaking(() => recall(collections.remembered, name, clock())),
      counter: name => speaking(async () => (await collections.counters.findOne({ _id: name }))?.n ?? 0),
      scan: (after, limit, types, until) => speaking(() => scan(collections, after, limit, types, until)),
      newest: () =>
        speaking(async () => {
          const last = await collections.resources.findOne({}, { projection: { n: 1 }, sort: { n: -1 } })
          return last === null ? undefined : [last.n]
        }),
      reindex: (rows, epoch) =>
        speaking(async () => {
          const release = await instances.hold(epoch)
          try {
            return epoch < instances.epoch() ? rows.map(row => row.key) : await reindex(collections, rows)
          } finally {
            release()
          }
        }),
      epoch: () => speaking(async () => (await collections.instances.findOne({ _id: 'clock' }))?.epoch ?? 0),
      raiseEpoch: next => speaking(() => instances.raiseEpoch(next)),
      lease: (name, owner, ms) => speaking(() => lease(collections, clock(), name, owner, ms)),
      outbox: {
        take: (n, _owner, ms) => speaking(() => takeJobs(collections, clock(), n, ms)),
        done: (id, fence) => speaking(() => jobDone(collections, id, fence)),
        putOff: (id, fence, to) => speaking(() => putOffJob(collections, id, fence, to)),
      },
      concepts: mongoConcepts(client, collections, clock),
      ping: () => speaking(async () => void (await db.command({ ping: 1 }))),
      gauges: async () => instances.gauges(),
      close: async () => {
        await instances.close()
        await Promise.race([views.settled(), new Promise(resolve => setTimeout(resolve, 1000))])
        await client.close()
      },
    }
  } catch (error) {
    await client.close()
    throw error
  }
}

async function read(
  collections: Collections,
  key: Key,
  options: Parameters<Storage['read']>[1] = {},
): Promise<Stored | undefined> {
  const { version, filter } = options
  const [current] = await byKeys(collections, [key], filter)
  if (current === undefined) return undefined
  if (version === undefined || version === current.v)
    return (await toStored([current], collections.chunks))[0]
  if (version > current.v) return undefined
  const past = await collections.history.findOne(
    // The key decides the shard.
    { _id: versionId(key, version), k: key },
    { projection: { ...BODY_FIELDS, k: 1 } },
  )
  return past === null ? undefined : (await toStored([past], collections.chunks))[0]
}

async function readMany(
  collections: Collections,
  keys: readonly Key[],
  filter: Parameters<Storage['readMany']>[1],
): Promise<Map<Key, Stored>> {
  if (keys.length === 0) return new Map()
  const docs = await byKeys(collections, keys, filter)
  const stored = await toStored(docs, collections.chunks)
  return new Map(stored.map(one => [one.key, one]))
}

/** Returns the current versions for which the filter holds; one command, chains in the filter too. */
async function byKeys(
  collections: Collections,
  keys: readonly Key[],
  filter: Node | undefined,
): Promise<ResourceDoc[]> {
  const on = { resources: collections.resources, singly: true }
  const types = [...new Set(keys.map(typeOf))]
  const asked = { _id: keys.length === 1 ? keys[0] : { $in: [...keys] } }
  const question = await questionOf(on, types, filter ?? { kind: 'and', nodes: [] })
  const shape = { projection: BODY_FIELDS, batchSize: keys.length + 1 }
  return ask<ResourceDoc>(on, 'read', { ...question, match: merge([asked, question.match]) }, shape).toArray()
}

async function keep(collections: Collections, name: string, value: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      const kept = await collections.kept.findOneAndUpdate(
        { _id: `value ${name}` },
        { $setOnInsert: { value } },
        { upsert: true, returnDocument: 'after' },
      )
      if (kept !== null) return kept.value
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
    // Two that are the first at the same moment: the loser finds the winner's value.
    if (attempt > 20)
      throw fhirError('transient', 'A value that is kept for all servers could not be stored.')
    await new Promise(resolve => setTimeout(resolve, attempt))
  }
}

async function scan(
  collections: Collections,
  after: Parameters<Storage['scan']>[0],
  limit: number,
  types: readonly string[] = [],
  until: Parameters<Storage['scan']>[3] = undefined,
): ReturnType<Storage['scan']> {
  const t = types.length === 0 ? { $gte: 'A' } : { $in: [...types] }
  const n = {
    ...(after === undefined ? {} : { $gt: after[0] as string }),
    ...(until === undefined ? {} : { $lte: until[0] as string }),
  }
  const from = after === undefined && until === undefined ? {} : { n }
  const docs = await collections.resources
    .find({ t, ...from }, { projection: BODY_FIELDS, batchSize: limit + 2 })
    .sort({ n: 1 })
    .limit(limit + 1)
    .toArray()
  const more = docs.length > limit
  if (more) docs.pop()
  const rows = await toStored(docs, collections.chunks)
  return docs.length === 0 ? { rows, more } : { rows, more, first: [docs[0]!.n], last: [docs.at(-1)!.n] }
}

async function reindex(collections: Collections, rows: readonly Reindexed[]): Promise<Key[]> {
  if (rows.length === 0) return []
  const updates = rows.map(({ key, version, index }) => {
    const fields = indexFields(key, index)
    const gone = (['d', 'w', 'g', 's', 'sx'] as const).filter(name => fields[name] === undefined)
    const unset = gone.length > 0 ? { $unset: Object.fromEntries(gone.map(name => [name, ''])) } : {}
    // A deletion keeps no rows.
    const filter = { _id: key as string, v: version, t: typeOf(key) }
    return { updateOne: { filter, update: { $set: fields, ...unset } as object } }
  })
  const done = await collections.resources.bulkWrite(updates, { ordered: false, maxTimeMS: COMMIT_COMMAND })
  if (done.matchedCount === rows.length) return []
  const docs = await collections.resources
    .find({ _id: { $in: rows.map(row => row.key as string) } }, { projection: { v: 1, t: 1 } })
    .toArray()
  const current = new Map(docs.map(doc => [doc._id, doc]))
  return rows.flatMap(({ key, version }) => {
    const doc = current.get(key)
    return doc?.v === version && doc.t === typeOf(key) ? [] : [key]
  })
}

async function lease(
  collections: Collections,
  now: number,
  name: string,
  owner: string,
  ms: number,
): Promise<number | undefined> {
  try {
    const held: LeaseDoc | null = await collections.leases.findOneAndUpdate(
      { _id: name, $or: [{ owner }, { until: { $lte: now } }] },
      { $set: { owner, until: now + ms }, $inc: { fence: 1 } },
      { upsert: true, returnDocument: 'after' },
    )
    return held?.fence
  } catch (error) {
    // It is there and another's, so the upsert would make it twice.
    if (isDuplicate(error)) return undefined
    throw error
  }
}
