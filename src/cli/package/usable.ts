/** Whether the profiles of a package can be used: what they build on must be there, and fit. */
import { readStructure } from '../../fhir/definitions/read-structure.ts'
import { snapshotOf } from '../../fhir/definitions/snapshot.ts'
import type { Structure } from '../../fhir/definitions/structure.ts'
import { builtInStructure } from '../../fhir/definitions/structures.ts'
import { FhirError } from '../../fhir/error.ts'
import { parseJson, type Resource } from '../../fhir/json.ts'
import { found } from './installed.ts'

export interface Profile {
  file: string
  resource: Resource
}

/** Returns the profiles that no snapshot can be made of, and why. Throws NoServer where the server is asked and does not answer. */
export async function unusable(
  base: string,
  profiles: readonly Profile[],
): Promise<{ file: string; why: string }[]> {
  const own = new Map<string, Structure>()
  const failures: { file: string; why: string }[] = []
  const read: { file: string; structure: Structure }[] = []
  const refuse = (file: string, error: unknown): void => {
    if (!(error instanceof FhirError)) throw error
    failures.push({ file, why: error.message })
  }
  for (const { file, resource } of profiles) {
    try {
      const structure = readStructure(resource)
      own.set(structure.url, structure)
      read.push({ file, structure })
    } catch (error) {
      refuse(file, error)
    }
  }
  const elsewhere = new Map<string, Structure | undefined>()
  const find = async (canonical: string): Promise<Structure | undefined> => {
    const url = canonical.split('|')[0]!
    const known = own.get(url) ?? builtInStructure(canonical)
    if (known !== undefined) return known
    if (!elsewhere.has(canonical)) elsewhere.set(canonical, await stored(base, canonical))
    return elsewhere.get(canonical)
  }
  for (const { file, structure } of read) {
    try {
      await snapshotOf(structure, find)
    } catch (error) {
      refuse(file, error)
    }
  }
  return failures
}

async function stored(base: string, canonical: string): Promise<Structure | undefined> {
  const [url = '', version] = canonical.split('|')
  const which = version === undefined ? '' : `&version=${encodeURIComponent(version)}`
  const [first] = await found(base, `StructureDefinition?url=${encodeURIComponent(url)}${which}&_count=1`)
  return first === undefined ? undefined : readStructure(parseJson(JSON.stringify(first)) as Resource)
}
