/**
 * The value sets of R4's required bindings, from the table that `prepare` writes.
 * https://hl7.org/fhir/R4/terminologies.html#required
 */
import content from './generated/value-sets.json' with { type: 'json' }

/** Codes by the canonical url of their code system. */
export type Codes = ReadonlyMap<string, ReadonlySet<string>>

const table = content as Record<string, Record<string, string[]> | null>
const cache = new Map<string, Codes>()

/** Returns the codes of a value set, or undefined where they cannot be listed (MIME types, currencies, UCUM). */
export function codesOf(valueSet: string): Codes | undefined {
  const known = cache.get(valueSet)
  if (known !== undefined) return known
  const systems = Object.hasOwn(table, valueSet) ? table[valueSet] : null
  if (!systems) return undefined
  const codes = new Map(Object.entries(systems).map(([system, list]) => [system, new Set(list)]))
  cache.set(valueSet, codes)
  return codes
}
