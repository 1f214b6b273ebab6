/** Definitions of tests, written as short as they are meant. */
import { readStructure } from '../../../src/fhir/definitions/read-structure.ts'
import { snapshotOf } from '../../../src/fhir/definitions/snapshot.ts'
import type { ElementRule, Structure } from '../../../src/fhir/definitions/structure.ts'
import { builtInStructure } from '../../../src/fhir/definitions/structures.ts'
import { parseJson, type Resource } from '../../../src/fhir/json.ts'

export const CORE = 'http://hl7.org/fhir/StructureDefinition'
export const OWN = 'http://example.org/StructureDefinition'

export type Row = Record<string, unknown> & { path: string }

/** Returns a StructureDefinition as it would be parsed. `more` replaces members; undefined leaves one out. */
export function definition(
  name: string,
  type: string,
  rows: readonly Row[],
  more: Record<string, unknown> = {},
) {
  const head = {
    resourceType: 'StructureDefinition',
    url: `${OWN}/${name}`,
    kind: 'resource',
    abstract: false,
    type,
    baseDefinition: `${CORE}/${type}`,
    derivation: 'constraint',
    differential: { element: rows },
  }
  return parseJson(JSON.stringify({ ...head, ...more })) as Resource
}

export const structure = (...parts: Parameters<typeof definition>): Structure =>
  readStructure(definition(...parts))

/** Returns the snapshot of the first, the others and those built in being known. */
export function snapshot(...structures: readonly Structure[]): Promise<Structure> {
  const known = new Map(structures.map(one => [one.url, one]))
  return snapshotOf(structures[0]!, async canonical => known.get(canonical) ?? builtInStructure(canonical))
}

export const ids = ({ elements }: Structure, under: string): string[] =>
  elements.map(({ id }) => id).filter(id => id.startsWith(under))

export function element({ elements }: Structure, id: string): ElementRule {
  const found = elements.find(one => one.id === id)
  if (found === undefined) throw new Error(`${id} is not there`)
  return found
}
