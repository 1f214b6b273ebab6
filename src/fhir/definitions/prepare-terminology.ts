/**
 * Packs code systems, value sets and concept maps for the server: what people read in them is left out, the rest is compressed.
 * https://hl7.org/fhir/R4/terminologies-systems.html
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'

/** Definitions by the line: `names` has `Type|url|version` for each, `packed` their JSON texts as lines, deflated, in base64. */
export interface Pack {
  names: string[]
  packed: string
}

export const TERMINOLOGY_TYPES = ['CodeSystem', 'ValueSet', 'ConceptMap'] as const

type Definition = Record<string, unknown> & { resourceType: string; url?: string; version?: string }

/** Members that terminology makes no use of, at the top; the longest of them are narratives and contacts. */
const LEFT_OUT = new Set([
  'id',
  'text',
  'meta',
  'language',
  'extension',
  'contained',
  'identifier',
  'date',
  'publisher',
  'contact',
  'description',
  '_description',
  'useContext',
  'jurisdiction',
  'purpose',
  'copyright',
  'immutable',
  'experimental',
])

/** Characters of JSON in one pack: larger ones are smaller together, smaller ones are faster to open. */
const PACK = 100_000

const FOLDER_DEPTH = 4

/** Returns the packs of every definition in the folder of R4, and in the folder of profiles, which may not be there. */
export function terminologyPacks(folder: string, profiles: string): Pack[] {
  const isOne = (file: string) => TERMINOLOGY_TYPES.some(type => file.startsWith(`${type}-`))
  const files = readdirSync(folder)
    .filter(isOne)
    .map(file => join(folder, file))
  const definitions = [...files, ...jsonFiles(profiles, FOLDER_DEPTH)].flatMap(file => read(file))
  const order = (one: Definition) => `${one.resourceType} ${familyOf(one.url!)} ${one.url}`
  definitions.sort((a, b) => (order(a) < order(b) ? -1 : 1))

  const packs: Pack[] = []
  let names: string[] = []
  let lines: string[] = []
  let size = 0
  const close = (): void => {
    if (names.length > 0)
      packs.push({ names, packed: deflateRawSync(lines.join('\n'), { level: 9 }).toString('base64') })
    names = []
    lines = []
    size = 0
  }
  for (const one of definitions) {
    const line = JSON.stringify(compact(one))
    if (size > 0 && size + line.length > PACK) close()
    names.push(`${one.resourceType}|${one.url}|${one.version ?? ''}`)
    lines.push(line)
    size += line.length
  }
  close()
  return packs
}

function jsonFiles(folder: string, depth: number): string[] {
  if (depth === 0 || !existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return jsonFiles(path, depth - 1)
    return entry.name.endsWith('.json') ? [path] : []
  })
}

function read(file: string): Definition[] {
  const one = JSON.parse(readFileSync(file, 'utf8')) as Definition
  const fits =
    (TERMINOLOGY_TYPES as readonly string[]).includes(one.resourceType) && typeof one.url === 'string'
  // A code system without its concepts, such as SNOMED CT, says nothing but that there is one.
  return fits && one.content !== 'not-present' ? [one] : []
}

/** Texts of one family are alike, and so are compressed best side by side. */
const familyOf = (url: string): string => /\/(v[23])-/.exec(url)?.[1] ?? ''

function compact(one: Definition): object {
  const kept = Object.entries(one).filter(
    // R4 has no more than four expansions, all beside a compose that says the same.
    ([name]) => !LEFT_OUT.has(name) && !(name === 'expansion' && one.compose !== undefined),
  )
  return slim(Object.fromEntries(kept), WITHOUT_DEFINITIONS.has(one.url!)) as object
}

/** Definitions of concepts that nobody binds to here, and that are a tenth of all. */
const WITHOUT_DEFINITIONS = new Set(['http://dicom.nema.org/resources/ontology/DCM'])

/** Comments and translations of comments stand in extensions; of the others none is of use but `subsumes` and the kinds of supplements. */
const EXTENSIONS =
  /\/(?:codesystem-(?:subsumes|alternate|label|conceptOrder)|valueset-(?:concept-definition|conceptOrder|supplement))$/

function slim(value: unknown, bare: boolean): unknown {
  if (Array.isArray(value)) return value.map(one => slim(one, bare))
  if (typeof value !== 'object' || value === null) return value
  const entries: [string, unknown][] = []
  for (const [name, member] of Object.entries(value)) {
    if (name === 'extension' || name === 'modifierExtension') {
      const kept = (member as { url: string }[]).filter(({ url }) => EXTENSIONS.test(url))
      if (kept.length > 0) entries.push([name, kept])
    } else if (!name.startsWith('_') && !(bare && name === 'definition'))
      entries.push([name, slim(member, bare)])
  }
  return Object.fromEntries(entries)
}
