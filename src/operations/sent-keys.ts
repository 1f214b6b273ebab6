/**
 * What a walk has sent already, short enough to travel in its cursor: 48 bits of each key.
 */
import type { Key } from '../storage/port.ts'

/** Eight characters each; with the seal a `next` link stays below four thousand. The oldest are forgotten first. */
const MOST = 250
const WIDTH = 8
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Keys in the order in which they were sent; for one that was not sent the chance to count as sent is one in 10^12. */
export interface SentKeys {
  has(key: Key): boolean
  add(key: Key): void
  /** For a cursor. */
  text(): string
}

/** Returns the keys of a cursor's text, '' for none. */
export function sentKeys(text: string): SentKeys {
  const marks = new Set<string>()
  for (let at = 0; at + WIDTH <= text.length; at += WIDTH) marks.add(text.slice(at, at + WIDTH))
  return {
    has: key => marks.has(markOf(key)),
    add: key => {
      marks.add(markOf(key))
    },
    text: () => [...marks].slice(-MOST).join(''),
  }
}

/** Two rounds of FNV-1a with different beginnings, 24 bits of each. */
function markOf(key: Key): string {
  let mark = ''
  for (const seed of [0x811c9dc5, 0x5bd1e995]) {
    let hash = seed
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
    hash ^= hash >>> 15
    hash = Math.imul(hash, 0x2c1b3c6d)
    hash ^= hash >>> 12
    for (let shift = 0; shift < 24; shift += 6) mark += LETTERS[(hash >>> shift) & 63]
  }
  return mark
}
