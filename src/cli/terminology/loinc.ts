/**
 * LOINC from the files of its release: terms, parts with their hierarchy, answers and answer lists. In bounded memory, as `snomed.ts`.
 * https://loinc.org/kb/users-guide/, https://hl7.org/fhir/R4/loinc.html
 */
import type { ConceptRow, Designation, PropertyType } from '../../storage/concepts.ts'
import { type Format, type ReadOptions, type ReleaseReader, reading } from './format.ts'
import { createHierarchy } from './hierarchy.ts'
import { createPartitions } from './partitions.ts'
import { createProperties } from './properties.ts'
import type { Source } from './sources.ts'
import { type CsvRecord, eachCsv, type OnBytes } from './text.ts'

const SYSTEM = 'http://loinc.org'
const READING = 0.4

/** Files by their names, the columns that each must have, and what becomes of a record. */
const FILES = {
  terms: {
    name: /^Loinc\.csv$/i,
    columns: [
      'LOINC_NUM',
      'COMPONENT',
      'PROPERTY',
      'TIME_ASPCT',
      'SYSTEM',
      'SCALE_TYP',
      'METHOD_TYP',
      'STATUS',
      'LONG_COMMON_NAME',
    ],
  },
  parts: {
    name: /^Part\.csv$/i,
    columns: ['PartNumber', 'PartTypeName', 'PartName', 'PartDisplayName', 'Status'],
  },
  partLinks: {
    name: /^LoincPartLink(?:_Primary)?\.csv$/i,
    columns: ['LoincNumber', 'PartNumber', 'PartTypeName'],
  },
  answers: {
    name: /^AnswerList\.csv$/i,
    columns: ['AnswerListId', 'AnswerListName', 'AnswerStringId', 'DisplayText'],
  },
  answerLinks: { name: /^LoincAnswerListLink\.csv$/i, columns: ['LoincNumber', 'AnswerListId'] },
  hierarchy: {
    name: /^(?:ComponentHierarchyBySystem|MultiAxialHierarchy)\.csv$/i,
    columns: ['IMMEDIATE_PARENT', 'CODE', 'CODE_TEXT'],
  },
} as const

type Kind = keyof typeof FILES

export const loinc: Format = {
  name: 'loinc',
  wanted: 'LOINC: LoincTable/Loinc.csv and the AccessoryFiles beside it',
  holds: files => files.some(file => FILES.terms.name.test(file.name)),
  read,
}

/** Columns of Loinc.csv that are properties. https://hl7.org/fhir/R4/loinc.html#4.3.4.2 */
const PROPERTIES = [
  'STATUS',
  'COMPONENT',
  'PROPERTY',
  'TIME_ASPCT',
  'SYSTEM',
  'SCALE_TYP',
  'METHOD_TYP',
  'CLASS',
  'CLASSTYPE',
  'ORDER_OBS',
  'VersionLastChanged',
  'VersionFirstReleased',
  'EXAMPLE_UCUM_UNITS',
  'DefinitionDescription',
  'PanelType',
] as const

/** Columns of Loinc.csv that are names. */
const NAMES = ['LONG_COMMON_NAME', 'SHORTNAME', 'DisplayName', 'CONSUMER_NAME', 'RELATEDNAMES2'] as const
const AXES = ['COMPONENT', 'PROPERTY', 'TIME_ASPCT', 'SYSTEM', 'SCALE_TYP', 'METHOD_TYP'] as const

/** The properties that part types stand for, where the part's code is a value beside its name. */
const PART_PROPERTY: Record<string, string> = {
  COMPONENT: 'COMPONENT',
  PROPERTY: 'PROPERTY',
  TIME: 'TIME_ASPCT',
  SYSTEM: 'SYSTEM',
  SCALE: 'SCALE_TYP',
  METHOD: 'METHOD_TYP',
  CLASS: 'CLASS',
}

const TYPES: Record<string, PropertyType> = {
  'answer-list': 'code',
  'answers-for': 'code',
  CLASSTYPE: 'integer',
}

async function read(options: ReadOptions): Promise<ReleaseReader> {
  const files = new Map<Kind, Source>()
  for (const kind of Object.keys(FILES) as Kind[]) {
    const file = options.files.find(({ name }) => FILES[kind].name.test(name))
    if (file !== undefined) files.set(kind, file)
  }
  const named = options.files.flatMap(({ path }) => /loinc[\w-]*?[_-](\d+\.\d+)/i.exec(path)?.[1] ?? [])[0]
  const version = options.version ?? named
  if (version === undefined)
    throw new Error(
      'The version of LOINC is not in the names of its files. Give it with --version, for example 2.78.',
    )
  return {
    release: { system: SYSTEM, version, title: `LOINC ${version}` },
    rows: () => rowsOf(files, options),
    propertyTypes: () => TYPES,
  }
}

/** What one line of a file says of one code. */
interface Said {
  code: string
  display?: string
  active?: boolean
  properties?: Record<string, string[]>
  designations?: Designation[]
  sets?: string[]
  /** A name for want of a better. */
  text?: string
}

async function* rowsOf(
  files: ReadonlyMap<Kind, Source>,
  { scratch, onProgress }: ReadOptions,
): AsyncGenerator<ConceptRow> {
  const all = [...files.values()]
  const onBytes: OnBytes = reading(all, READING, onProgress)
  const byCode = createPartitions(
    scratch,
    'codes',
    all.reduce((sum, { size }) => sum + size, 0),
  )
  const hierarchy = createHierarchy()
  const say = (said: Said): void => byCode.add(said.code, JSON.stringify(said))
  const each = async (kind: Kind, take: (record: CsvRecord) => void): Promise<void> => {
    const file = files.get(kind)
    if (file !== undefined) await eachCsv(file, FILES[kind].columns, onBytes, take)
  }

  await each('terms', record => say(termOf(record)))
  await each('parts', record => {
    const display = record('PartDisplayName') || record('PartName')
    say({
      code: record('PartNumber'),
      display,
      active: record('Status') !== 'DEPRECATED',
      properties: some({ STATUS: [record('Status')], 'part-type': [record('PartTypeName')] }),
      designations: named([
        ['PartName', record('PartName')],
        ['PartDisplayName', display],
      ]),
    })
  })
  await each('partLinks', record => {
    // The primary links are the parts that the term's own name is made of.
    if (record('LinkTypeName') !== '' && record('LinkTypeName') !== 'Primary') return
    const property = PART_PROPERTY[record('PartTypeName')]
    if (property !== undefined)
      say({ code: record('LoincNumber'), properties: { [property]: [record('PartNumber')] } })
  })
  let list = ''
  await each('answers', record => {
    const [id, answer] = [record('AnswerListId'), record('AnswerStringId')]
    if (id !== list) say({ code: id, display: record('AnswerListName'), properties: {} })
    list = id
    if (answer !== '')
      say({ code: answer, display: record('DisplayText'), sets: [id], properties: { 'answers-for': [id] } })
  })
  await each('answerLinks', record => {
    say({ code: record('LoincNumber'), properties: { 'answer-list': [record('AnswerListId')] } })
  })
  await each('hierarchy', record => {
    const [code, parent] = [record('CODE'), record('IMMEDIATE_PARENT')]
    if (parent !== '') hierarchy.link(code, parent)
    say({ code, text: record('CODE_TEXT') })
  })

  let done = 0
  for (const records of byCode.read()) {
    const said = new Map<string, Said[]>()
    for (const record of records) {
      const one = JSON.parse(record) as Said
      const list = said.get(one.code)
      if (list === undefined) said.set(one.code, [one])
      else list.push(one)
    }
    for (const [code, parts] of said) {
      const display =
        parts.find(one => one.display !== undefined)?.display ?? parts.find(one => one.text)?.text
      // Only linked to: no code of this release.
      if (display === undefined) continue
      yield {
        code,
        display: display === '' ? code : display,
        active: parts.every(one => one.active !== false),
        parents: hierarchy.parents(code),
        ancestors: hierarchy.ancestors(code),
        properties: together(parts),
        designations: parts.flatMap(one => one.designations ?? []),
        sets: [...new Set(parts.flatMap(one => one.sets ?? []))].sort(),
      }
    }
    onProgress(READING + ((1 - READING) * ++done) / byCode.files)
  }
}

function termOf(record: CsvRecord): Said {
  const axes = AXES.map(record)
  // The method is left out of a full name where there is none.
  const full = (axes.at(-1) === '' ? axes.slice(0, -1) : axes).join(':')
  return {
    code: record('LOINC_NUM'),
    display: record('LONG_COMMON_NAME') || record('SHORTNAME') || full,
    active: record('STATUS') !== 'DEPRECATED',
    properties: some(Object.fromEntries(PROPERTIES.map(name => [name, [record(name)]]))),
    designations: named([...NAMES.map(name => [name, record(name)] as const), ['FullySpecifiedName', full]]),
  }
}

const some = (properties: Record<string, string[]>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(properties).filter(([, [value]]) => value !== ''))

const named = (names: readonly (readonly [use: string, value: string])[]): Designation[] =>
  names.filter(([, value]) => value !== '').map(([use, value]) => ({ language: 'en', use, value }))

function together(parts: readonly Said[]): Record<string, string[]> {
  const properties = createProperties()
  for (const one of parts)
    for (const [name, values] of Object.entries(one.properties ?? {}))
      for (const value of values) properties.add(name, value)
  return properties.all()
}
