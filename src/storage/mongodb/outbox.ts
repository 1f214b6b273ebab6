/** The outbox: jobs ride in the document of the commit that made them, and are leased one by one. */
import { randomUUID } from 'node:crypto'
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
        { projection: { _id: 1 } },
      )
      .sort({ 'pending.due': 1 })
      .limit(n)
      .toArray()
    for (const { _id } of due) taken.push(...(await leased(carrier, _id, now, ms, n - taken.length)))
  }
  return taken
}

/** Leases what is still due of one document in one step, up to `most` jobs. */
async function leased(
  carrier: Collection<Carrier>,
  _id: string,
  now: number,
  ms: number,
  most: number,
): Promise<(Job & { fence: number })[]> {
  if (most <= 0) return []
  const doc = await carrier.findOne({ _id }, { projection: { pending: 1 } })
  const free = (doc?.pending ?? []).filter(job => job.due <= now && job.until <= now).slice(0, most)
  if (free.length === 0) return []
  // Another taker may have some of them by now; those that are ours bear this mark.
  const by = randomUUID()
  const after = await carrier.findOneAndUpdate(
    { _id },
    {
      $set: { 'pending.$[job].until': now + ms, 'pending.$[job].by': by },
      $inc: { 'pending.$[job].fence': 1 },
    },
    {
      arrayFilters: [{ 'job.id': { $in: free.map(job => job.id) }, 'job.until': { $lte: now } }],
      returnDocument: 'after',
      projection: { pending: 1 },
    },
  )
  return (after?.pending ?? []).flatMap(({ id, kind, due, body, fence, by: owner }) =>
    owner === by ? [{ id, kind, due, body, fence }] : [],
  )
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

/** Ends the lease of a job with another body and time; false when its lease was lost to another. */
export async function putOffJob(
  collections: Collections,
  id: string,
  fence: number,
  { due, body }: Pick<Job, 'due' | 'body'>,
): Promise<boolean> {
  for (const carrier of carriers(collections)) {
    const { matchedCount } = await carrier.updateOne(
      { 'pending.id': id, pending: { $elemMatch: { id, fence } } },
      { $set: { 'pending.$[job].due': due, 'pending.$[job].body': body, 'pending.$[job].until': 0 } },
      { arrayFilters: [{ 'job.id': id, 'job.fence': fence }] },
    )
    if (matchedCount > 0) return true
  }
  return false
}
