/**
 * Preconditions, judged inside the transaction. What a precondition only reads is also touched, since MongoDB's transactions see one
 * state but let two that read each other's ground both commit; of two that touch the same document one is refused and tries again.
 */
import { createHash } from 'node:crypto'
import type { ClientSession } from 'mongodb'
import { ANY_REFERENCE } from '../../search/index-row.ts'
import { type Change, type Commit, idOf, type Key, type Require, typeOf } from '../port.ts'
import { ask } from './ask.ts'
import type { Collections } from './document.ts'
import { isDuplicate } from './failure.ts'
import { searchOf } from './links.ts'
import { referenceTerm } from './terms.ts'

/** Guards of criteria are slots by hash, so that their number is bounded; two criteria in one slot only wait for each other. */
const CRITERIA_SLOTS = 65_536
/** Targets of references have slots by hash, and each of them sixteen: a writer touches one, a deletion all. */
const TARGET_SLOTS = 4096
const PARTS = 16

function slot(text: string, slots: number): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) % slots
}

export const criteriaSlot = (guard: string): string => `c${slot(guard, CRITERIA_SLOTS)}`
const targetSlot = (key: Key, part: number): string => `t${slot(key, TARGET_SLOTS)}.${part}`

/** Returns the guard documents that the commit touches. */
function guardsOf(commit: Commit, changes: ReadonlyMap<Key, Change>): string[] {
  const names = new Set<string>()
  for (const one of commit.require) {
    if (one.is === 'matches')
      for (const guard of [one.guard, ...(one.also ?? [])]) names.add(criteriaSlot(guard))
    else if (one.is === 'live' && !changes.has(one.key))
      names.add(targetSlot(one.key, Math.floor(Math.random() * PARTS)))
    else if (one.is === 'unreferenced')
      for (let part = 0; part < PARTS; part++) names.add(targetSlot(one.key, part))
  }
  return [...names].sort()
}

/** Returns the position of the first precondition that does not hold, undefined when all do. */
export async function firstFailing(
  collections: Collections,
  commit: Commit,
  session: ClientSession,
  now: number,
  most?: number,
): Promise<number | undefined> {
  const changes = new Map(commit.changes.map(change => [change.key, change]))
  const guards = guardsOf(commit, changes)
  if (guards.length > 0)
    await collections.guards.bulkWrite(
      guards.map(_id => ({ updateOne: { filter: { _id }, update: { $inc: { n: 1 } }, upsert: true } })),
      { session },
    )
  const live = await liveTargets(collections, commit, changes, session)
  for (const [index, one] of commit.require.entries()) {
    const holds =
      one.is === 'live' ? live.has(one.key) : await judge(collections, one, changes, session, now, most)
    if (!holds) return index
  }
  return undefined
}

/** Returns the targets that are live after the commit; one query for all that the commit does not change itself. */
async function liveTargets(
  collections: Collections,
  commit: Commit,
  changes: ReadonlyMap<Key, Change>,
  session: ClientSession,
): Promise<Set<string>> {
  const targets = new Set(commit.require.flatMap(one => (one.is === 'live' ? [one.key] : [])))
  const live = new Set<string>()
  const asked: string[] = []
  for (const key of targets) {
    const change = changes.get(key)
    if (change === undefined) asked.push(key)
    else if (change.body !== null) live.add(key)
  }
  if (asked.length === 0) return live
  const found = collections.resources.find(
    { _id: { $in: asked }, t: { $gte: 'A' } },
    { session, projection: { _id: 1 }, batchSize: asked.length + 1 },
  )
  for await (const doc of found) live.add(doc._id)
  return live
}

async function judge(
  collections: Collections,
  one: Exclude<Require, { is: 'live' }>,
  changes: ReadonlyMap<Key, Change>,
  session: ClientSession,
  now: number,
  most?: number,
): Promise<boolean> {
  switch (one.is) {
    case 'version':
      return atVersion(collections, one.key, one.version, changes.has(one.key), session)
    case 'matches':
      return matching(collections, one, { session, ...(most === undefined ? {} : { most }) })
    case 'unreferenced': {
      const { key } = one
      const points = [...changes.values()].some(
        change =>
          change.key !== key &&
          change.body !== null &&
          change.index.some(
            row =>
              row.kind === 'reference' &&
              row.param === ANY_REFERENCE &&
              row.type === typeOf(key) &&
              row.id === idOf(key),
          ),
      )
      if (points) return false
      const from = await collections.resources.findOne(
        { ix: referenceTerm(ANY_REFERENCE, typeOf(key), idOf(key)), _id: { $nin: [key, ...changes.keys()] } },
        { session, projection: { _id: 1 } },
      )
      return from === null
    }
    case 'counter':
      return onlyOnce(async () => {
        if (one.next === 0 && one.seen !== 0) {
          const gone = await collections.counters.deleteOne({ _id: one.name, n: one.seen }, { session })
          return gone.deletedCount === 1
        }
        const set = { $set: { n: one.next } }
        const options = { session, upsert: one.seen === 0 }
        const done = await collections.counters.updateOne({ _id: one.name, n: one.seen }, set, options)
        return done.matchedCount + done.upsertedCount === 1
      })
    case 'lease': {
      // Written though nothing changes in it, so that a taker-over at the same moment is refused.
      const held = { _id: one.name, fence: one.fence, until: { $gt: now } }
      const done = await collections.leases.updateOne(held, { $inc: { uses: 1 } } as object, { session })
      return done.matchedCount === 1
    }
  }
}

/** Returns whether the live matches are those that the precondition names, and of the versions that it names. */
export async function matching(
  collections: Collections,
  one: Extract<Require, { is: 'matches' }>,
  options: { session?: ClientSession; most?: number },
): Promise<boolean> {
  const wanted = new Map<string, number | undefined>(one.keys.map((key, i) => [key, one.versions?.[i]]))
  const limit = wanted.size + 1
  const on = { resources: collections.resources, ...options }
  const question = await searchOf(on, one.plan.types, one.plan.where)
  const shape = { projection: { _id: 1, v: 1 }, limit, batchSize: limit + 1 }
  const found = await ask<{ _id: string; v: number }>(on, 'matches', question, shape).toArray()
  const isWanted = ({ _id, v }: { _id: string; v: number }): boolean =>
    wanted.has(_id) && (wanted.get(_id) ?? v) === v
  return found.length === wanted.size && found.every(isWanted)
}

async function atVersion(
  collections: Collections,
  key: Key,
  version: number,
  changed: boolean,
  session: ClientSession,
): Promise<boolean> {
  if (changed) {
    // The change itself is refused when the version moves before the commit.
    const doc = await collections.resources.findOne({ _id: key }, { session, projection: { v: 1 } })
    return (doc?.v ?? 0) === version
  }
  if (version > 0) {
    const done = await collections.resources.updateOne(
      { _id: key, v: version },
      { $inc: { touched: 1 } } as object,
      {
        session,
      },
    )
    return done.matchedCount === 1
  }
  // Nothing there to touch: a document that comes and goes within the transaction refuses a creator at the same moment.
  const free = await onlyOnce(async () => {
    await collections.resources.insertOne({ _id: key } as never, { session })
    return true
  })
  if (free) await collections.resources.deleteOne({ _id: key }, { session })
  return free
}

/** Returns false where a document with the same id stands there. */
async function onlyOnce(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work()
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}
