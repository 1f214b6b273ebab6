/**
 * Finished documents of bundles/documents, each broken in one way (`test/cases/documents/`): what is changed, the rule that this breaks by
 * R4 or NRCeS's profiles, and the place where that is to be told.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type JsonObject, parseJson, type Resource } from '../../src/fhir/json.ts'
import { applyJsonPatch } from '../../src/interactions/json-patch.ts'
import { BUNDLES } from './clinic.ts'

const DOCUMENTS = join(BUNDLES, 'documents')
const CASES = join(import.meta.dirname, '../cases/documents')

export interface Mutation {
  /** The document, the rule, the place, and why. */
  label: string
  document: string
  rule: string
  severity: 'error' | 'warning'
  /** FHIRPath of the place. */
  at: string
  bundle: Resource
  /** Why HAPI's validator does not say so, where it does not. */
  hapi?: string
}

type Entry = { fullUrl: string; resource: JsonObject & { section?: { title: string }[] } }

export const documents: ReadonlyMap<string, string> = new Map(
  readdirSync(DOCUMENTS)
    .sort()
    .map(file => [file.replace('.json', ''), readFileSync(join(DOCUMENTS, file), 'utf8')]),
)

export const read = (document: string): Resource => parseJson(documents.get(document)!) as Resource

/** Which entry or section has a place is found in the document: cases name `{Condition 2}`, the second Condition, and sections by title. */
function named(text: string, entries: readonly Entry[]): string {
  return text.replace(/(entry[/[]|section[/[])?\{([^{}"]+)\}/g, (whole, before: string | undefined, name) => {
    if (before?.startsWith('section')) {
      const index = entries[0]!.resource.section!.findIndex(({ title }) => title === name)
      if (index < 0) throw new Error(`no section ${name}`)
      return `${before}${index}`
    }
    const [, type, nth] = /^([A-Z][A-Za-z]+)(?: (\d+))?$/.exec(name) ?? []
    if (type === undefined) return whole
    const entry = entries.filter(({ resource }) => resource.resourceType === type)[Number(nth ?? 1) - 1]
    if (entry === undefined) throw new Error(`no ${name}`)
    return before === undefined ? entry.fullUrl : `${before}${entries.indexOf(entry)}`
  })
}

export const mutations: readonly Mutation[] = readdirSync(CASES)
  .sort()
  .flatMap(file => {
    const document = file.replace('.json', '')
    const { entry } = JSON.parse(documents.get(document)!) as { entry: Entry[] }
    const rows = parseJson(named(readFileSync(join(CASES, file), 'utf8'), entry)) as JsonObject[]
    return rows.map(({ rule, severity, at, why, patch, hapi }) => ({
      ...({ document, rule, at, severity: severity ?? 'error' } as Mutation),
      label: `${document}: ${rule} at ${at}, ${why}`,
      bundle: applyJsonPatch(read(document), patch!) as Resource,
      ...(hapi !== undefined && { hapi: hapi as string }),
    }))
  })
