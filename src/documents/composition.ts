/** The Composition of a document, with its sections and narratives. https://hl7.org/fhir/R4/composition.html */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { object, objects, text } from '../fhir/tree.ts'
import { isDiagnosis } from './columns.ts'
import { profileUrl, type RecordKind, type SectionKind, SNOMED } from './hi-types.ts'
import { narrative, pairsTable, paragraph, resourcesTable } from './narrative.ts'
import type { Picked } from './pick.ts'
import type { Source } from './source.ts'
import { conceptWords, dateWords, nameWords, periodWords } from './words.ts'

export interface CompositionParts {
  kind: RecordKind
  /** Of all versions of this document: for Composition.identifier. */
  seriesId: string
  stamp: string
  /** FHIR dateTime. */
  date: string
  title: string
  status: 'final' | 'preliminary'
  patient: Source
  encounter: Source | undefined
  authors: readonly Source[]
  custodian: Source | undefined
  picked: Picked
  /** Sections after those of the kind. */
  extra: readonly SectionKind[]
  fullUrlOf(source: Source): string
  /** IANA zone of the times in narratives. */
  zone: string
}

/** Returns the Composition, without an id; the trees of the sources are in their final form already, but for their references. */
export function compositionOf(parts: CompositionParts): Resource {
  const { kind, seriesId, stamp, date, title, status, patient, encounter, authors, custodian, picked } = parts
  const reference = (source: Source, typed = false): JsonObject => {
    const display = displayOf(source)
    return {
      reference: parts.fullUrlOf(source),
      ...(typed && { type: source.type }),
      ...(display !== '' && { display }),
    }
  }
  const sections = [...kind.sections, ...parts.extra].flatMap(section => {
    const sources = picked.get(section.name)
    return sources === undefined
      ? []
      : [sectionOf(section, sources, one => reference(one, kind.typedEntries), parts.zone)]
  })
  return {
    resourceType: 'Composition',
    meta: { versionId: '1', lastUpdated: stamp, profile: [profileUrl(kind.profile)] },
    text: narrative(headWords(parts)),
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${seriesId}` },
    status,
    type: {
      ...(kind.type && { coding: [{ system: SNOMED, ...kind.type }] }),
      text: kind.text,
    },
    subject: reference(patient),
    ...(encounter && { encounter: reference(encounter) }),
    date,
    author: authors.map(one => reference(one)),
    title,
    ...(custodian && { custodian: reference(custodian) }),
    section: sections,
  }
}

function sectionOf(
  { title: plain, diagnosesTitle, code }: SectionKind,
  sources: readonly Source[],
  reference: (source: Source) => JsonObject,
  zone: string,
): JsonObject {
  const title = sources.some(one => isDiagnosis(one.tree)) ? (diagnosesTitle ?? plain) : plain
  const types = [...new Set(sources.map(one => one.type))]
  const tables = types.map(type =>
    resourcesTable(
      sources.flatMap(one => (one.type === type ? [one.tree] : [])),
      zone,
    ),
  )
  return {
    title,
    ...(code && { code: { coding: [{ system: SNOMED, ...code }], text: title } }),
    text: narrative(tables.join('')),
    entry: sources.map(reference),
  }
}

/** Returns what a Reference is shown as: a name for people and places, nothing for what has tables of its own. */
export function displayOf({ type, tree }: Source): string {
  if (type === 'PractitionerRole') return text(object(tree.practitioner)?.display) ?? ''
  if (type === 'Encounter') return text(object(tree.class)?.display) ?? ''
  if (type === 'Invoice') return text(objects(tree.identifier)[0]?.value) ?? ''
  const named = nameWords(tree)
  if (named !== '') return named
  for (const member of ['code', 'medicationCodeableConcept', 'vaccineCode', 'type'])
    if (tree[member] !== undefined) return conceptWords(tree[member])
  return text(tree.description) ?? ''
}

function headWords({ title, date, patient, encounter, authors, custodian, zone }: CompositionParts): string {
  const rows: [string, string][] = [
    ['Patient', nameWords(patient.tree)],
    ['Gender', text(patient.tree.gender) ?? ''],
    ['Born', dateWords(text(patient.tree.birthDate), zone)],
    ['Encounter', encounter === undefined ? '' : periodWords(encounter.tree.period, zone)],
    ['Reason', conceptWords(encounter?.tree.reasonCode)],
    ['Author', authors.map(displayOf).join(', ')],
    ['Organization', custodian === undefined ? '' : nameWords(custodian.tree)],
    ['Date', dateWords(date, zone)],
  ]
  return paragraph(title) + pairsTable(rows)
}
