/** Races are settled by what a commit checks; who loses one looks again and tries anew. */
import { fhirError } from '../fhir/error.ts'

/** Enough for fifty writers of one resource, where each round lets one of them through. */
const ATTEMPTS = 40
const LONGEST_WAIT_MS = 250

/** What an attempt returns when its commit was refused because another was faster. */
export const LOST: unique symbol = Symbol('lost')

/**
 * Returns what the first attempt returns that is not LOST. Attempts are numbered from 0; between them is a random, growing wait, so that
 * losers do not meet again.
 *
 * Throws `conflict` when all are lost, and what an attempt throws.
 */
export async function untilSettled<T>(attempt: (number: number) => Promise<T | typeof LOST>): Promise<T> {
  for (let number = 0; number < ATTEMPTS; number++) {
    if (number > 1) {
      const most = Math.min(2 ** number, LONGEST_WAIT_MS)
      await new Promise(resolve => setTimeout(resolve, Math.random() * most))
    }
    const result = await attempt(number)
    if (result !== LOST) return result
  }
  throw fhirError('conflict', 'Other writers kept changing the same resources. Try again.')
}
