/** The definitions that the tests of profiles read: ours, those of R4, and the official ones of NRCeS where they are at hand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const OURS = join(ROOT, 'profiles/abdm')
const R4 = join(ROOT, 'node_modules/hl7.fhir.r4.examples')
const OFFICIAL = join(ROOT, '../shared/abdm/nrces-6.0.0')

export const NRCES = 'https://nrces.in/ndhm/fhir/r4'
export const HL7 = 'http://hl7.org/fhir/StructureDefinition'

export interface ElementType {
  code: string
  profile?: string[]
  targetProfile?: string[]
}

/** An ElementDefinition, of which the tests name what they compare. */
export interface Element {
  id: string
  path: string
  sliceName?: string
  slicing?: { discriminator?: { type: string; path: string }[]; ordered?: boolean; rules: string }
  min?: number
  max?: string
  type?: ElementType[]
  contentReference?: string
  mustSupport?: boolean
  isModifier?: boolean
  binding?: { strength: string; valueSet?: string }
  constraint?: { key: string; severity: string; expression?: string }[]
  [other: string]: unknown
}

export interface Concept {
  code: string
  display?: string
  concept?: Concept[]
}

export interface Include {
  system?: string
  version?: string
  valueSet?: string[]
  concept?: Concept[]
  filter?: { property: string; op: string; value: string }[]
}

/** A StructureDefinition, a ValueSet or a CodeSystem. */
export interface Definition {
  resourceType: string
  id: string
  url: string
  version: string
  name: string
  title: string
  status: string
  fhirVersion?: string
  kind?: string
  abstract?: boolean
  context?: { type: string; expression: string }[]
  type?: string
  baseDefinition?: string
  derivation?: string
  differential?: { element: Element[] }
  snapshot?: { element: Element[] }
  compose?: { include: Include[]; exclude?: Include[] }
  caseSensitive?: boolean
  content?: string
  concept?: Concept[]
}

const read = (path: string): Definition => JSON.parse(readFileSync(path, 'utf8'))

/** File names of `profiles/abdm`. */
export const FILES: readonly string[] = readdirSync(OURS).sort()
export const text = (file: string): string => readFileSync(join(OURS, file), 'utf8')

/** Ours by canonical. */
export const ours: ReadonlyMap<string, Definition> = new Map(
  FILES.map(file => read(join(OURS, file))).map(one => [one.url, one]),
)

/** Returns ours by kind, in the order of their ids. */
export const oursOf = (resourceType: string): Definition[] =>
  [...ours.values()].filter(one => one.resourceType === resourceType)

const cache = new Map<string, Definition | undefined>()

/** Returns the definition of R4 with this canonical; undefined where there is none. */
export function r4(url: string): Definition | undefined {
  if (!cache.has(url)) cache.set(url, findR4(url))
  return cache.get(url)
}

function findR4(url: string): Definition | undefined {
  const parts = url.split('/')
  const [kind, id] = parts.slice(-2)
  if (kind === undefined || id === undefined) return undefined
  const likely = join(R4, `${kind}-${id}.json`)
  if (existsSync(likely) && read(likely).url === url) return read(likely)
  // A few have a file named otherwise than their canonical.
  return readdirSync(R4)
    .filter(file => file.startsWith(`${kind}-`))
    .map(file => read(join(R4, file)))
    .find(one => one.url === url)
}

export const official = existsSync(OFFICIAL)

const FOLDERS: Record<string, string> = {
  StructureDefinition: 'profiles',
  ValueSet: 'valuesets',
  CodeSystem: 'codesystems',
}

/** Returns the official definition of the same kind and id as ours, as text. */
export const officialText = ({ resourceType, id }: Definition): string =>
  readFileSync(join(OFFICIAL, FOLDERS[resourceType]!, `${resourceType}-${id}.json`), 'utf8')

export const officialOf = (own: Definition): Definition => JSON.parse(officialText(own))
