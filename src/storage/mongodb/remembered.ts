/**
 * Texts that are kept until a time. A TTL index takes them away some time after it; the time is checked on reading.
 * https://www.mongodb.com/docs/manual/core/index-ttl/
 */
import type { Collection } from 'mongodb'
import type { RememberedDoc } from './document.ts'
import { isDuplicate } from './failure.ts'

/** Keeps the text under the name until a time, ms since 1970. */
export async function remember(
  remembered: Collection<RememberedDoc>,
  name: string,
  text: string,
  until: number,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const set = { $set: { text, until: new Date(until) } }
      await remembered.updateOne({ _id: name }, set, { upsert: true })
      return
    } catch (error) {
      // Two that are the first at the same moment: the loser finds the winner's.
      if (!isDuplicate(error) || attempt > 20) throw error
    }
  }
}

/** Returns the text kept under the name, undefined where there is none or its time has run out by `now`. */
export async function recall(
  remembered: Collection<RememberedDoc>,
  name: string,
  now: number,
): Promise<string | undefined> {
  const found = await remembered.findOne({ _id: name, until: { $gt: new Date(now) } })
  return found?.text
}
