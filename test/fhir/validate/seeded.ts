/** Random numbers that a seed repeats: NADI_TEST_SEED, else the clock. A failing test prints the seed in its name. */

export const SEED = Number(process.env.NADI_TEST_SEED ?? Date.now() % 1_000_000_000)

export interface Random {
  /** A whole number from 0 to `below` - 1. */
  number(below: number): number
  pick<T>(from: readonly T[]): T
}

/** Returns a generator (mulberry32). */
export function random(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const number = (below: number): number => Math.floor(next() * below)
  return { number, pick: from => from[number(from.length)]! }
}
