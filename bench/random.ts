/** Seeded random numbers, so that every run makes the same data and asks the same questions. */

/** Returns a generator of numbers in [0, 1), the same sequence for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Returns a whole number in [0, n). */
export const below = (random: () => number, n: number): number => Math.floor(random() * n)

export const pick = <T>(random: () => number, of: readonly T[]): T => of[below(random, of.length)]!

/** Returns a version 4 UUID of the sequence. */
export function uuid(random: () => number): string {
  const hex = (digits: number) => {
    let text = ''
    for (let i = 0; i < digits; i++) text += below(random, 16).toString(16)
    return text
  }
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[below(random, 4)]}${hex(3)}-${hex(12)}`
}
