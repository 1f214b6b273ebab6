/** Large code systems in SQL tables. */
import { fhirError } from '../../fhir/error.ts'
import type { Concepts } from '../concepts.ts'

/** Returns the store of concepts; it holds none yet. */
export function noConcepts(): Concepts {
  const refuse = async (): Promise<never> => {
    throw fhirError('not-supported', 'Releases of code systems cannot be loaded into this storage yet.')
  }
  const none = async () => ({ concepts: [], more: false })
  return {
    releases: async () => [],
    current: async () => undefined,
    begin: refuse,
    write: refuse,
    finish: refuse,
    remove: async () => [],
    get: async () => [],
    ancestors: async () => [],
    children: none,
    find: none,
  }
}
