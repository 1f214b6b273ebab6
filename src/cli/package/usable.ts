/** Whether the profiles of a package can be used: what they build on must be there, and fit. */
import { compareVersions } from '../../conformance/canonical.ts'
import { readStructure } from '../../fhir/definitions/read-structure.ts'
import { snapshotOf } from '../../fhir/definitions/snapshot.ts'
import type { Structure } from '../../fhir/definitions/structure.ts'
import { builtInStructure } from '../../fhir/definitions/structures.ts'
import { FhirError } from '../../fhir/error.ts'
import { parseJson, type Resource } from '../../fhir/json.ts'
import { type Found, found, plainly } from './installed.ts'

export interface Profile {
  file: string
  /** Or why it is none. */
  structure: Structure | FhirError
}

/** Longer canonicals name nothing, to the server either. */
const LONGEST_CANONICAL = 2000

/** Returns what a StructureDefinition says, which is far less than it is. */
export function profileOf(file: string, resource: Resource): Profile {
  try {
    return { file, structure: readStructure(resource) }
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    return { file, structure: error }
  }
}

/** Returns the profiles that no snapshot can be made of, and why. Throws NoServer where the server is asked and does not answer. */
export async function unusable(
  base: string,
  profiles: readonly Profile[],
): Promise<{ file: string; why: string }[]> {
  const own = new Map<string, Structure>()
  const failures: { file: string; why: string }[] = []
  for (const { structure } of profiles)
    if (!(structure instanceof FhirError)) own.set(structure.url, structure)
  const elsewhere = new Map<string, Structure | undefined>()
  const find = async (canonical: string): Promise<Structure | undefined> => {
    const url = canonical.split('|')[0]!
    const known = own.get(url) ?? builtInStructure(canonical)
    if (known !== undefined) return known
    if (!elsewhere.has(canonical)) elsewhere.set(canonical, await stored(base, canonical))
    return elsewhere.get(canonical)
  }
  for (const { file, structure } of profiles) {
    try {
      if (structure instanceof FhirError) throw structure
      await snapshotOf(structure, find)
    } catch (error) {
      if (!(error instanceof FhirError)) throw error
      failures.push({ file, why: error.message })
    }
  }
  return failures
}

/** Versions of one definition that are compared. */
const VERSIONS = 20

/** As the server chooses: what is active before what is not, then the higher version. */
function isAbove(a: Found, b: Found): boolean {
  const active = Number(a.status === 'active') - Number(b.status === 'active')
  return active > 0 || (active === 0 && compareVersions(a.version ?? '', b.version ?? '') > 0)
}

async function stored(base: string, canonical: string): Promise<Structure | undefined> {
  if (canonical.length > LONGEST_CANONICAL) return undefined
  const [url = '', version] = canonical.split('|')
  const value = (text: string): string => encodeURIComponent(plainly(text))
  const which = version === undefined ? '' : `&version=${value(version)}`
  const all = await found(base, `StructureDefinition?url=${value(url)}${which}&_count=${VERSIONS}`)
  const best = all.reduce<Found | undefined>((a, b) => (a === undefined || isAbove(b, a) ? b : a), undefined)
  return best === undefined ? undefined : readStructure(parseJson(JSON.stringify(best)) as Resource)
}
