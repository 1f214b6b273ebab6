/** The outbox: jobs ride in the document of the commit that made them, and are leased one by one. */
import type { Collection } from 'mongodb'
import type { Job } from '../port.ts'
import type { Collections, PendingJob } from './document.ts'

interface Carrier {
  _id: string
  pending?: PendingJob[]
}

const carriers = (collections: Collections): Collection<Carrier>[] => [
  collections.resources as unknown as Collection<Carrier>,
  collections.commits as unknown as Collection<Carrier>,
]

/** Returns up to `n` jobs that are due and not leased, leased to the caller until `now + ms`. */
export async function takeJobs(
  collections: Collections,
  now: number,
  n: number,
  ms: number,
): Promise<(Job & { fence: number })[]> {
  const taken: (Job & { fence: number })[] = []
  for (const carrier of carriers(collections)) {
    if (taken.length >= n) break
    const due = await carrier
      .find(
        {
          'pending.due': { $lte: now },
          pending: { $elemMatch: { due: { $lte: now }, until: { $lte: now } } },
        },
        { projection: { pending: 1 } },
      )
      .sort({ 'pending.due': 1 })
      .limit(n)
      .toArray()
    for (const doc of due)
      for (const job of doc.pending ?? []) {
        if (taken.length >= n) break
        if (job.due > now || job.until > now) continue
        const fence = await leased(carrier, doc._id, job, now, ms)
        if (fence !== undefined)
          taken.push({ id: job.id, kind: job.kind, due: job.due, body: job.body, fence })
      }
  }
  return taken
}

async function leased(
  carrier: Collection<Carrier>,
  _id: string,
  job: PendingJob,
  now: number,
  ms: number,
): Promise<number | undefined> {
  const fence = job.fence + 1
  const done = await carrier.updateOne(
    { _id, pending: { $elemMatch: { id: job.id, fence: job.fence } } },
    { $set: { 'pending.$.until': now + ms, 'pending.$.fence': fence } },
  )
  return done.modifiedCount === 1 ? fence : undefined
}

/** Removes a job; false when its lease was lost to another or it was done before. */
export async function jobDone(collections: Collections, id: string, fence: number): Promise<boolean> {
  for (const carrier of carriers(collections)) {
    const doc = await carrier.findOneAndUpdate(
      { 'pending.id': id, pending: { $elemMatch: { id, fence } } },
      { $pull: { pending: { id, fence } } },
      { returnDocument: 'after', projection: { pending: 1 } },
    )
    if (doc === null) continue
    if (carrier.collectionName === 'commits' && doc.pending?.length === 0)
      await collections.commits.updateOne(
        { _id: doc._id, pending: { $size: 0 } },
        { $set: { when: new Date() } },
      )
    return true
  }
  return false
}
