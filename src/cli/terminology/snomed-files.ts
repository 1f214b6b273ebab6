/** The files of a SNOMED CT release in Release Format 2. https://docs.snomed.org/snomed-ct-specifications/snomed-ct-release-file-specification */
import type { Source } from './sources.ts'

/** Identifiers of SNOMED CT's own metadata that its files are read by. */
export const ID = {
  isA: '116680003',
  fullName: '900000000000003001',
  synonym: '900000000000013009',
  definition: '900000000000550004',
  preferred: '900000000000548007',
  sufficientlyDefined: '900000000000073002',
  inferred: '900000000000011006',
  core: '900000000000207008',
  model: '900000000000012004',
  british: '900000000000508004',
  american: '900000000000509007',
} as const

export interface SnomedFiles {
  concepts: Source[]
  descriptions: Source[]
  relationships: Source[]
  values: Source[]
  languages: Source[]
  sets: Source[]
  dependencies: Source[]
}

/** Names begin with x in previews of releases. Of reference sets those that have no columns of their own are lists of members. */
const KINDS: Record<keyof SnomedFiles, RegExp> = {
  concepts: /^x?sct2_Concept_Snapshot/i,
  descriptions: /^x?sct2_(?:Description|TextDefinition)_Snapshot/i,
  relationships: /^x?sct2_Relationship_Snapshot/i,
  values: /^x?sct2_RelationshipConcreteValues_Snapshot/i,
  languages: /^x?der2_cRefset_\w*Language\w*Snapshot/i,
  sets: /^x?der2_Refset_\w*Snapshot/i,
  dependencies: /^x?der2_ssRefset_ModuleDependency\w*Snapshot/i,
}

/** Returns the files of a release by what they hold; each list may be empty. */
export function snomedFiles(files: readonly Source[]): SnomedFiles {
  const texts = files.filter(file => /\.txt$/i.test(file.name))
  const kinds = Object.entries(KINDS).map(([kind, name]) => [
    kind,
    texts.filter(file => name.test(file.name)),
  ])
  return Object.fromEntries(kinds) as SnomedFiles
}

/** Returns the latest date in the files' names, YYYYMMDD. */
export function releaseDate(files: readonly Source[]): string | undefined {
  return files
    .flatMap(({ name }) => /_(\d{8})\.txt$/i.exec(name)?.[1] ?? [])
    .sort()
    .at(-1)
}

const COMMON = ['id', 'effectiveTime', 'active', 'moduleId'] as const

export const COLUMNS = {
  concepts: [...COMMON, 'definitionStatusId'],
  descriptions: [...COMMON, 'conceptId', 'languageCode', 'typeId', 'term', 'caseSignificanceId'],
  relationships: [
    ...COMMON,
    'sourceId',
    'destinationId',
    'relationshipGroup',
    'typeId',
    'characteristicTypeId',
    'modifierId',
  ],
  values: [
    ...COMMON,
    'sourceId',
    'value',
    'relationshipGroup',
    'typeId',
    'characteristicTypeId',
    'modifierId',
  ],
  languages: [...COMMON, 'refsetId', 'referencedComponentId', 'acceptabilityId'],
  sets: [...COMMON, 'refsetId', 'referencedComponentId'],
  dependencies: [
    ...COMMON,
    'refsetId',
    'referencedComponentId',
    'sourceEffectiveTime',
    'targetEffectiveTime',
  ],
} as const satisfies Record<keyof SnomedFiles, readonly string[]>
