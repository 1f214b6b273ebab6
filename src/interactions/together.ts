/**
 * Work on many resources that only one may do at a time, such as giving numbers from one counter: of those who ask in this process one does
 * the work of all who wait. Between processes the commit itself decides.
 */
import type { Key, Storage } from '../storage/port.ts'

interface Gathering {
  waiting: Set<Key>
  /** What the one at work has taken; ms since 1970 when it began. */
  working: ReadonlySet<Key>
  since: number
}

const gatherings = new WeakMap<Storage, Gathering>()

/** One who has not come back by then was cut off with its request. */
const PATIENCE_MS = 10_000
const LOOK_MS = 4

/**
 * Returns when the work has been done for these keys, by this caller or by another. Who waits looks again and again, as on Workers no
 * request may wait for what another one does. `work` takes up to `most` keys and must bear keys whose work is done.
 *
 * Throws what `work` throws, to the caller who does it; the others then do it for themselves.
 */
export async function together(
  storage: Storage,
  keys: readonly Key[],
  most: number,
  work: (keys: readonly Key[]) => Promise<unknown>,
): Promise<void> {
  const all = gatherings.get(storage) ?? { waiting: new Set(), working: new Set(), since: 0 }
  gatherings.set(storage, all)
  const left = new Set(keys)
  for (const key of left) all.waiting.add(key)
  while (left.size > 0) {
    const isIdle = all.working.size === 0 || Date.now() - all.since > PATIENCE_MS
    if (isIdle) await lead(all, left, most, work)
    else await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    for (const key of left) if (!all.waiting.has(key) && !all.working.has(key)) left.delete(key)
  }
}

async function lead(
  all: Gathering,
  own: ReadonlySet<Key>,
  most: number,
  work: (keys: readonly Key[]) => Promise<unknown>,
): Promise<void> {
  const taken = new Set([...own, ...all.waiting].slice(0, most))
  for (const key of taken) all.waiting.delete(key)
  all.working = taken
  all.since = Date.now()
  try {
    await work([...taken])
  } catch (error) {
    for (const key of taken) if (!own.has(key)) all.waiting.add(key)
    for (const key of own) all.waiting.delete(key)
    throw error
  } finally {
    if (all.working === taken) all.working = new Set()
  }
}
