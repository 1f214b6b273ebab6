/**
 * The definitions that come with the server: those of R4 and the profiles of `profiles/`, from the table that `prepare` writes.
 * https://hl7.org/fhir/R4/profilelist.html
 */
import content from './generated/structures.json' with { type: 'json' }
import { openStructure, type StructureTable } from './packed-structure.ts'
import type { Structure } from './structure.ts'

const table = content as StructureTable
const opened = new Map<string, Structure>()

/**
 * Returns a definition by its canonical, with or without version: the snapshot of a type of R4, the differential of what constrains one.
 * Always the same object for the same definition. Undefined where there is none, or none of that version.
 */
export function builtInStructure(canonical: string): Structure | undefined {
  const bar = canonical.indexOf('|')
  const url = bar < 0 ? canonical : canonical.slice(0, bar)
  const structure = opened.get(url) ?? open(url)
  return bar < 0 || structure?.version === canonical.slice(bar + 1) ? structure : undefined
}

function open(url: string): Structure | undefined {
  if (!Object.hasOwn(table.definitions, url)) return undefined
  const structure = openStructure(url, table.definitions[url]!, table)
  opened.set(url, structure)
  return structure
}

/** Returns the canonicals of the profiles in `profiles/` that constrain a resource type, sorted. */
export function builtInProfilesOf(type: string): readonly string[] {
  return Object.hasOwn(table.profiles, type) ? table.profiles[type]! : []
}
