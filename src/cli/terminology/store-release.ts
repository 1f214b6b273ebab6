/** A release into the store: in batches, while others write too, and under a lease, so that two loads do not take each other's rows away. */
import { randomUUID } from 'node:crypto'
import type { Release } from '../../storage/concepts.ts'
import type { Storage } from '../../storage/port.ts'
import type { ThreadReader } from './reader-thread.ts'

const LEASE = 'terminology load'
const LEASE_MS = 15_000
const RENEW_MS = 4000

export interface StoreOptions {
  /** The release before stays, for who asks with its version. */
  keep: boolean
  /** Hears of the concepts stored. */
  onStored(concepts: number): void
  /** Hears that another load has the store, or had it when it was ended. */
  onWaiting(): void
}

/**
 * Returns what work under the lease returns; waits for another load that goes on, or was ended a moment ago.
 *
 * Throws in words for people where the other load goes on, or the lease is lost.
 */
export async function underLease<T>(
  storage: Storage,
  onWaiting: () => void,
  work: (check: () => void) => Promise<T>,
): Promise<T> {
  const owner = randomUUID()
  const take = async () => (await storage.lease(LEASE, owner, LEASE_MS)) !== undefined
  const start = performance.now()
  for (let first = true; !(await take()); first = false) {
    if (first) onWaiting()
    if (performance.now() - start > LEASE_MS + RENEW_MS)
      throw new Error('Another load of terminology goes on in this store. Wait for its end.')
    await new Promise(resolve => setTimeout(resolve, 250))
  }
  let lost: Error | undefined
  const timer = setInterval(() => {
    take().then(
      held => {
        if (!held) lost = new Error('Another load of terminology has taken over; this one is ended.')
      },
      // A store that cannot be reached fails the next batch too.
      () => {},
    )
  }, RENEW_MS)
  try {
    return await work(() => {
      if (lost !== undefined) throw lost
    })
  } finally {
    clearInterval(timer)
    await storage.lease(LEASE, owner, 0)
  }
}

/** Returns the release when it is whole and current. */
export async function storeRelease(
  storage: Storage,
  reader: ThreadReader,
  { keep, onStored, onWaiting }: StoreOptions,
): Promise<Release> {
  return underLease(storage, onWaiting, async check => {
    const { concepts } = storage
    const { id } = await concepts.begin(reader.release)
    let stored = 0
    // The next batch is read while this one is written.
    for await (const rows of reader.batches()) {
      check()
      await concepts.write(id, rows)
      stored += rows.length
      onStored(stored)
    }
    check()
    if (stored === 0) throw new Error('The release has no concepts; nothing is changed.')
    return concepts.finish(id, { keep, propertyTypes: reader.propertyTypes() })
  })
}
