/** Random numbers that a seed repeats: NADI_TEST_SEED, else the clock. A failing test prints the seed in its name. */

import { below, seeded } from '../../../bench/random.ts'

export const SEED = Number(process.env.NADI_TEST_SEED ?? Date.now() % 1_000_000_000)

export interface Random {
  /** A whole number from 0 to `below` - 1. */
  number(below: number): number
  pick<T>(from: readonly T[]): T
}

/** Returns a generator. */
export function random(seed: number): Random {
  const next = seeded(seed)
  const number = (n: number): number => below(next, n)
  return { number, pick: from => from[number(from.length)]! }
}
