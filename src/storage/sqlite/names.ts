/** Integers that stand for resource types and search parameters in the tables. */

import { fnv1a } from '../../lib/fnv.ts'

const ids = new Map<string, number>()
const names = new Map<number, string>()
/** Only names that the code and the search parameters make come here; the cap is against a mistake, not against growth. */
const MOST = 100_000

/**
 * Returns the 32-bit FNV-1a hash of a name, signed: the same on every instance without asking the database. Names with a # have wider ones.
 *
 * Throws when two names share a hash: a test shows that none of R4 do, and custom search parameters get names that do not.
 */
export function nameId(name: string): number {
  if (name.includes('#')) return wideId(name)
  const known = ids.get(name)
  if (known !== undefined) return known
  const hash = fnv1a(name)
  const other = names.get(hash)
  if (other !== undefined && other !== name)
    throw new Error(`The names ${name} and ${other} have one number in the index: one must be renamed.`)
  if (ids.size < MOST) {
    ids.set(name, hash)
    names.set(hash, name)
  }
  return hash
}

/**
 * Returns a number beyond 32 bits, of 52: names of what is contained are a reference and a parameter each, and so very many that 32 bits
 * would be too few for them.
 */
const wideId = (name: string): number =>
  (1 + (fnv1a(`contained ${name}`) & 0xfffff)) * 2 ** 32 + (fnv1a(name) >>> 0)
