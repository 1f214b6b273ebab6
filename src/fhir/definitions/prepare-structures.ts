/**
 * StructureDefinitions to the table of definitions: of base types the snapshots, of what constrains them the differentials.
 * https://hl7.org/fhir/R4/structuredefinition.html
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson, type Resource } from '../json.ts'
import { Interned, packStructure, type StructureTable } from './packed-structure.ts'
import { readStructure } from './read-structure.ts'

/** Returns the table of all definitions of R4 that are no examples, and of those below `profiles`, which need not exist. */
export function structureTable(folder: string, profiles: string): StructureTable {
  const types = new Interned()
  const constraints = new Interned()
  const definitions: Record<string, string> = {}
  const ours: Record<string, string[]> = {}
  const add = (resource: Resource) => {
    const { snapshot, differential, ...head } = resource
    // Our generator makes the snapshot of what is constrained; tests compare it with the published one.
    const view = resource.derivation === 'constraint' ? { differential } : { snapshot }
    const structure = readStructure({ ...head, ...view } as Resource)
    definitions[structure.url] = packStructure(structure, types, constraints)
    return structure
  }
  for (const resource of read(folder, readdirSync(folder).sort())) {
    // Two examples of profiles say no version of FHIR.
    if (resource.fhirVersion === '4.0.1') add(resource)
  }
  if (existsSync(profiles)) {
    for (const resource of read(
      profiles,
      readdirSync(profiles, { recursive: true, encoding: 'utf8' }).sort(),
    )) {
      const { url, type, kind } = add(resource)
      if (kind === 'resource') ours[type] = [...(ours[type] ?? []), url].sort()
    }
  }
  return { types: types.texts, constraints: constraints.texts, definitions, profiles: ours }
}

function* read(folder: string, files: readonly string[]): Generator<Resource> {
  for (const file of files) {
    if (!file.endsWith('.json') || !/(^|[/\\])StructureDefinition-[^/\\]*$/.test(file)) continue
    const resource = parseJson(readFileSync(join(folder, file), 'utf8')) as Resource
    if (resource.resourceType === 'StructureDefinition') yield resource
  }
}
