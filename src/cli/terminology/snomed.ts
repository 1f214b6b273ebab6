/**
 * SNOMED CT from the snapshot files of one release or several (the International Edition and national extensions), in bounded memory:
 * the lines are spread over files on the disk by description and by concept (`partitions.ts`), and put together file by file.
 */
import type { ConceptRow, PropertyType } from '../../storage/concepts.ts'
import { type Format, type ReadOptions, type ReleaseReader, reading } from './format.ts'
import { createHierarchy, type Hierarchy } from './hierarchy.ts'
import { createPartitions, type Partitions } from './partitions.ts'
import { createProperties } from './properties.ts'
import { COLUMNS, ID, releaseDate, type SnomedFiles, snomedFiles } from './snomed-files.ts'
import { type Description, designationsOf, displayOf } from './snomed-names.ts'
import type { Source } from './sources.ts'
import { eachTabbed, FileFault } from './text.ts'

const SYSTEM = 'http://snomed.info/sct'

/** How much of the time the reading of the files takes, about. */
const READING = 0.25

export const snomed: Format = {
  name: 'snomed',
  wanted: 'SNOMED CT in Release Format 2: sct2_Concept_Snapshot_*.txt and the files beside it',
  holds: files => snomedFiles(files).concepts.length > 0,
  read,
}

async function read(options: ReadOptions): Promise<ReleaseReader> {
  const files = snomedFiles(options.files)
  for (const kind of ['concepts', 'descriptions', 'relationships'] as const)
    if (files[kind].length === 0)
      throw new Error(
        `The release has no file of ${kind} (${COLUMNS[kind].join(', ')}): its Snapshot folder is needed as a whole.`,
      )
  const version = options.version ?? (await versionOf(files))
  const types: Record<string, PropertyType> = {
    inactive: 'boolean',
    sufficientlyDefined: 'boolean',
    moduleId: 'code',
  }
  return {
    release: { system: SYSTEM, version, title: titleOf(version) },
    rows: () => rowsOf(files, options, types),
    propertyTypes: () => types,
  }
}

/**
 * Returns the version's URI: edition module and date. Of the International Edition's files (`_INT_` in their names) the module is the core;
 * of an extension's, the one that no other of its modules depends on.
 * https://docs.snomed.org/snomed-ct-specifications/snomed-ct-uri-standard
 */
async function versionOf(files: SnomedFiles): Promise<string> {
  const extension = files.concepts.filter(({ name }) => !/_INT_/i.test(name))
  const date = releaseDate(extension.length > 0 ? extension : files.concepts)
  const modules = extension.length > 0 ? await extensionModules(extension, files.dependencies) : [ID.core]
  if (date === undefined || modules.length !== 1)
    throw new Error(
      `The version of the release cannot be told from its files (${date === undefined ? 'no date in their names' : `modules ${modules.join(', ')}`}). Give it with --version, for example ${SYSTEM}/${ID.core}/version/20260101.`,
    )
  return `${SYSTEM}/${modules[0]}/version/${date}`
}

async function extensionModules(
  concepts: readonly Source[],
  dependencies: readonly Source[],
): Promise<string[]> {
  const modules = new Set<string>()
  for (const file of concepts)
    await eachTabbed(
      file,
      COLUMNS.concepts,
      () => {},
      ([, , , module]) => void modules.add(module!),
    )
  modules.delete(ID.core)
  modules.delete(ID.model)
  const needed = new Set<string>()
  for (const file of dependencies)
    await eachTabbed(
      file,
      COLUMNS.dependencies,
      () => {},
      ([, , active, module, , target]) => {
        if (active === '1' && modules.has(module!)) needed.add(target!)
      },
    )
  return [...modules].filter(one => !needed.has(one)).sort()
}

function titleOf(version: string): string {
  const [, module, date] = /\/sct\/(\d+)\/version\/(\d{8})$/.exec(version) ?? []
  if (module === undefined) return `SNOMED CT ${version}`
  const edition = module === ID.core ? 'International Edition' : `edition ${module}`
  return `SNOMED CT, ${edition}, ${date!.replace(/(....)(..)(..)/, '$1-$2-$3')}`
}

/** The kind of a record is its first character, the rest is the line as it stands in its file. */
const [CONCEPT, DESCRIPTION, LANGUAGE, RELATIONSHIP, VALUE, MEMBER] = ['c', 'd', 'l', 'r', 'v', 'm']

async function* rowsOf(
  files: SnomedFiles,
  { scratch, language, onProgress }: ReadOptions,
  types: Record<string, PropertyType>,
): AsyncGenerator<ConceptRow> {
  const all = Object.values(files).flat()
  const onBytes = reading(all, READING, onProgress)
  const bytes = (sources: readonly Source[]) => sources.reduce((sum, { size }) => sum + size, 0)
  const byDescription = createPartitions(
    scratch,
    'descriptions',
    bytes(files.descriptions) + bytes(files.languages),
  )
  const byConcept = createPartitions(scratch, 'concepts', bytes(all) - bytes(files.languages))
  const isA = createPartitions(scratch, 'hierarchy', bytes(files.relationships) / 2)

  const spread = async (
    kind: keyof SnomedFiles,
    mark: string,
    key: number,
    into: (fields: readonly string[]) => Partitions,
  ): Promise<void> => {
    for (const file of files[kind])
      await eachTabbed(file, COLUMNS[kind], onBytes, (fields, line, number) => {
        if (!IDENTIFIER.test(fields[key]!))
          throw new FileFault(
            file,
            number,
            `${COLUMNS[kind][key]} is no identifier: "${fields[key]!.slice(0, 40)}".`,
          )
        into(fields).add(fields[key]!, mark + line)
      })
  }
  await spread('concepts', CONCEPT, 0, () => byConcept)
  await spread('descriptions', DESCRIPTION, 0, () => byDescription)
  await spread('languages', LANGUAGE, 5, () => byDescription)
  await spread('relationships', RELATIONSHIP, 4, fields => (fields[7] === ID.isA ? isA : byConcept))
  await spread('values', VALUE, 4, () => byConcept)
  await spread('sets', MEMBER, 5, () => byConcept)

  joinLanguages(byDescription, byConcept)
  const hierarchy = readHierarchy(isA)
  let done = 0
  for (const records of byConcept.read()) {
    for (const row of conceptRows(records, hierarchy, language, types)) yield row
    onProgress(READING + ((1 - READING) * ++done) / byConcept.files)
  }
}

/** Identifiers have 6 to 18 digits. */
const IDENTIFIER = /^[0-9]{6,18}$/

/** Adds a record where it is the first of its id, or later than that: extensions carry later versions of what they extend. */
function keepLatest(kept: Map<string, string[]>, key: string, fields: string[]): void {
  const known = kept.get(key)
  if (known === undefined || fields[1]! > known[1]!) kept.set(key, fields)
}

/** Gives each active description to its concept, with the reference sets that prefer or accept it. */
function joinLanguages(byDescription: Partitions, byConcept: Partitions): void {
  for (const records of byDescription.read()) {
    const descriptions = new Map<string, string[]>()
    const entries = new Map<string, string[]>()
    for (const record of records) {
      const fields = record.slice(1).split('\t')
      if (record[0] === DESCRIPTION) keepLatest(descriptions, fields[0]!, fields)
      else keepLatest(entries, `${fields[4]} ${fields[5]}`, fields)
    }
    const preferred = new Map<string, string[]>()
    const acceptable = new Map<string, string[]>()
    for (const [, , active, , set, description, acceptability] of entries.values())
      if (active === '1') add(acceptability === ID.preferred ? preferred : acceptable, description!, set!)
    for (const [id, , active, , concept, languageCode, type, term] of descriptions.values()) {
      if (active !== '1') continue
      const sets = [preferred, acceptable].map(one => (one.get(id!) ?? []).sort().join(' '))
      byConcept.add(concept!, `${DESCRIPTION}${[concept, languageCode, type, term, ...sets].join('\t')}`)
    }
  }
}

function add(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

function readHierarchy(isA: Partitions): Hierarchy {
  const hierarchy = createHierarchy()
  for (const records of isA.read()) {
    const latest = new Map<string, string[]>()
    for (const record of records) {
      const fields = record.slice(1).split('\t')
      keepLatest(latest, fields[0]!, fields)
    }
    for (const [, , active, , source, destination, , , kind] of latest.values())
      if (active === '1' && kind === ID.inferred) hierarchy.link(source!, destination!)
  }
  return hierarchy
}

interface Gathered {
  concept: string[] | undefined
  descriptions: Description[]
  relationships: Map<string, string[]>
  members: Map<string, string[]>
}

function* conceptRows(
  records: readonly string[],
  hierarchy: Hierarchy,
  language: string,
  types: Record<string, PropertyType>,
): Generator<ConceptRow> {
  const gathered = new Map<string, Gathered>()
  const of = (code: string): Gathered => {
    const known = gathered.get(code)
    if (known !== undefined) return known
    const one = { concept: undefined, descriptions: [], relationships: new Map(), members: new Map() }
    gathered.set(code, one)
    return one
  }
  for (const record of records) {
    const fields = record.slice(1).split('\t')
    const kind = record[0]
    if (kind === CONCEPT) {
      const one = of(fields[0]!)
      if (one.concept === undefined || fields[1]! > one.concept[1]!) one.concept = fields
    } else if (kind === DESCRIPTION) {
      const [concept, own, type, term, preferred, acceptable] = fields as [
        string,
        string,
        string,
        string,
        string,
        string,
      ]
      of(concept).descriptions.push({
        language: own,
        type,
        term,
        preferred: preferred === '' ? [] : preferred.split(' '),
        acceptable: acceptable === '' ? [] : acceptable.split(' '),
      })
    } else if (kind === MEMBER) keepLatest(of(fields[5]!).members, fields[4]!, fields)
    else keepLatest(of(fields[4]!).relationships, kind + fields[0]!, fields)
  }
  for (const [code, { concept, descriptions, relationships, members }] of gathered) {
    // Of a concept of another release, which is not among the files.
    if (concept === undefined) continue
    const active = concept[2] === '1'
    const properties = createProperties()
    properties.add('inactive', String(!active))
    properties.add('sufficientlyDefined', String(concept[4] === ID.sufficientlyDefined))
    properties.add('moduleId', concept[3]!)
    for (const [key, fields] of relationships) {
      const [, , isActive, , , target, , type, kind] = fields
      if (isActive !== '1' || kind !== ID.inferred) continue
      const concrete = key[0] === VALUE
      // A number begins with #, a text stands in quotes.
      const value = concrete ? target!.replace(/^#|^"|"$/g, '') : target!
      properties.add(type!, value)
      types[type!] ??= concrete ? (target!.startsWith('#') ? 'decimal' : 'string') : 'code'
    }
    yield {
      code,
      display: displayOf(descriptions, language) ?? code,
      active,
      parents: hierarchy.parents(code),
      ancestors: hierarchy.ancestors(code),
      properties: properties.all(),
      designations: designationsOf(descriptions),
      sets: [...members.values()]
        .filter(fields => fields[2] === '1')
        .map(fields => fields[4]!)
        .sort(),
    }
  }
}
