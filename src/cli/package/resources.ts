/** What of a package goes into the store, and how it looks there. */
import { createHash } from 'node:crypto'
import { PACKAGE, PACKAGE_RECORD } from '../../conformance/package.ts'
import { isObject, type Json, type JsonObject, parseJson, type Resource, setMember } from '../../fhir/json.ts'
import { validateStructure } from '../../fhir/validate/structure.ts'
import type { Manifest } from './tarball.ts'

/** The types that define something; the rest of a package are examples and records of how it was made. */
const DEFINING: ReadonlySet<string> = new Set([
  'ActivityDefinition',
  'CapabilityStatement',
  'CodeSystem',
  'CompartmentDefinition',
  'ConceptMap',
  'GraphDefinition',
  'Library',
  'Measure',
  'MessageDefinition',
  'NamingSystem',
  'ObservationDefinition',
  'OperationDefinition',
  'PlanDefinition',
  'Questionnaire',
  'SearchParameter',
  'SpecimenDefinition',
  'StructureDefinition',
  'StructureMap',
  'ValueSet',
])

/** Whether a file of a package may hold what is wanted: examples and indexes do not. */
export const isWanted = (file: string): boolean =>
  !file.includes('/') && !file.startsWith('.') && file !== 'package.json' && file !== 'ig-r4.json'

export const tagOf = ({ name, version }: { name: string; version: string }): string => `${name}#${version}`

/**
 * Returns the id of a resource of a package. Two packages, and two versions of one, may have resources of one id; so a part of it is made of
 * both names.
 */
export function idIn(manifest: Manifest, id: string): string {
  const whole = `${hash(tagOf(manifest)).slice(0, 12)}-${id}`
  return whole.length <= 64 ? whole : hash(whole)
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What a file is: a resource for the store, the guide that the package is of, why it is left out, or nothing that defines anything. */
export type Taken =
  | { is: 'resource'; resource: Resource }
  | { is: 'guide'; guide: JsonObject }
  | { is: 'refused'; why: string }
  | { is: 'other' }

/**
 * Returns what becomes of a file. Narratives that were generated from the definition are left out: they say nothing else, and are more than
 * half of a package.
 */
export function take(manifest: Manifest, text: string): Taken {
  let tree: Json
  try {
    tree = parseJson(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    return { is: 'refused', why: (error as Error).message }
  }
  if (!isObject(tree) || typeof tree.resourceType !== 'string') return { is: 'other' }
  if (tree.resourceType === 'ImplementationGuide') return { is: 'guide', guide: tree }
  if (!DEFINING.has(tree.resourceType)) return { is: 'other' }
  const resource = tree as Resource
  const issues = validateStructure(resource, resource.resourceType)
  const first = issues[0]
  if (first !== undefined)
    return {
      is: 'refused',
      why: `${first.diagnostics} (${first.expression ?? resource.resourceType}${issues.length > 1 ? `, and ${issues.length - 1} more faults` : ''})`,
    }
  const { text: narrative } = resource
  if (isObject(narrative) && (narrative.status === 'generated' || narrative.status === 'extensions'))
    delete resource.text
  setMember(resource, 'id', idIn(manifest, String(resource.id ?? hash(text).slice(0, 12))))
  setMember(resource, 'meta', tagged(resource.meta, PACKAGE, tagOf(manifest)))
  return { is: 'resource', resource }
}

function tagged(meta: Json | undefined, system: string, code: string): JsonObject {
  const { versionId: _version, lastUpdated: _at, ...kept } = isObject(meta) ? meta : {}
  const others = Array.isArray(kept.tag) ? kept.tag : []
  return { ...kept, tag: [...others, { system, code }] }
}

/** Returns the resource that records the package: a draft while it is being loaded. */
export function recordOf(
  manifest: Manifest,
  guide: JsonObject | undefined,
  status: 'draft' | 'active',
  said: string,
): Resource {
  const own = (name: string, otherwise: string): string => {
    const value = guide?.[name]
    return typeof value === 'string' && value !== '' ? value : otherwise
  }
  const { name, version, title, canonical } = manifest
  return {
    resourceType: 'ImplementationGuide',
    id: idIn(manifest, 'package'),
    meta: { tag: [{ system: PACKAGE_RECORD, code: tagOf(manifest) }] },
    url: own('url', `${canonical ?? 'urn:nadi:package'}/ImplementationGuide/${name}`),
    version: own('version', version),
    name: own('name', name.replace(/[^A-Za-z0-9]+/g, '_')),
    ...(title !== undefined && { title }),
    status,
    description: said,
    packageId: name,
    fhirVersion: ['4.0.1'],
  }
}
