/**
 * A document of plain JSON sections and of files: the resources are made first, then the document by the builder that all documents have.
 */
import type { Context } from '../../context.ts'
import { fhirError } from '../../fhir/error.ts'
import { copyJson, type JsonObject, type Resource } from '../../fhir/json.ts'
import { equalJson } from '../../interactions/json-equal.ts'
import { derivedId } from '../../lib/derived-id.ts'
import { idOf, type Key, keyOf, type Live, typeOf } from '../../storage/port.ts'
import type { Built } from '../assemble.ts'
import { buildDocument, type Making } from '../build.ts'
import { RECORD_KINDS, type SectionKind } from '../hi-types.ts'
import { missingList } from '../missing.ts'
import { type DocumentRequest, namedKey } from '../request.ts'
import { type Source, sourceOf } from '../source.ts'
import { type Draft, EXTRA, type Visit } from './draft.ts'
import { fileDrafts, linkFiles } from './file-drafts.ts'
import { type File, fileOf, MOST_FILES } from './files.ts'
import { type Input, readInput } from './input.ts'
import { MAKERS, TAKES } from './makers.ts'
import { doctorsOf, type Person, patientOf, roleOf } from './people.ts'

export interface SectionsRequest {
  /** JSON text. */
  sections: string
  caseType?: string
  /** References to what is stored already. */
  patient?: string
  practitioners?: readonly string[]
  encounter?: string
  custodian?: string
  date?: string
  title?: string
  files?: readonly File[]
}

export interface FromSections extends Built {
  /** What is to be stored with the document: what was made and is not stored as it is. */
  made: readonly Source[]
}

/** Resources made of one call. */
const MOST_DRAFTS = 1000

/**
 * Returns the document and what was made for it; nothing is stored. The same input makes the same resources under the same ids.
 *
 * Throws `business-rule` (422) with every thing that is missing; as `readInput` and `buildDocument` do.
 */
export async function documentFromSections(ctx: Context, request: SectionsRequest): Promise<FromSections> {
  const input = readInput(request.sections, request.caseType)
  checkTaken(input)
  const missing = missingList()
  const files = [
    ...(request.files ?? []),
    ...input.files.map((file, index) => fileOf(file, `sections.documentReferences[${index}]`)),
  ]
  if (files.length > MOST_FILES)
    throw fhirError('too-costly', `A record takes ${MOST_FILES} files at most.`, { status: 422 })
  const patient: Person | undefined =
    request.patient === undefined
      ? await patientOf(ctx, input.patient, missing)
      : { key: namedKey(ctx, request.patient, 'patient', ['Patient']) }
  const doctors = await doctorsFor(ctx, request, input, missing)
  const date = request.date ?? input.date ?? recordedDate(input)
  if (date === undefined)
    missing.say(
      'sections',
      'sections.date',
      'Composition.date',
      'nothing says when this was recorded. Send date in the sections, or the parameter date',
    )
  missing.check()

  const recordKey = await derivedId(
    ctx.settings.baseUrl,
    'record',
    input.hiType,
    patient!.key,
    input.recordId ?? (await derivedId(request.sections, ...files.map(({ data }) => data))),
  )
  const drafts: Draft[] = []
  const ids = new Map<Draft, string>()
  const kind = RECORD_KINDS[input.hiType]
  const own: Draft = { type: 'Encounter', place: 'encounter', body: {} }
  if (kind.encounter && request.encounter === undefined) drafts.push(own)
  const idFor = async (draft: Draft) => derivedId(recordKey, draft.type, draft.place)
  ids.set(own, await idFor(own))
  const encounter =
    request.encounter === undefined
      ? kind.encounter
        ? `Encounter/${ids.get(own)}`
        : undefined
      : namedKey(ctx, request.encounter, 'encounter', ['Encounter'])
  const visit: Visit = {
    patient: patient!.key,
    encounter,
    doctor: doctors.at(-1)?.author,
    date: date!,
    referenceTo: draft => `${draft.type}/${ids.get(draft) ?? ''}`,
  }
  await makeDrafts(input, visit, files, { drafts, ids, own, idFor }, missing)
  missing.check()

  const resources = [
    ...[patient!, ...doctors.flatMap(({ people }) => people)].flatMap(({ made }) => made ?? []),
    ...drafts.map(draft => ({ resourceType: draft.type, id: ids.get(draft)!, ...draft.body })),
  ]
  const sources = await versionsOf(ctx, resources)
  const sections = new Map<string, Key[]>()
  const order = [...kind.sections.map(({ name }) => name), ...Object.keys(EXTRA)]
  for (const name of order) {
    const keys = drafts
      .filter(({ section }) => section === name)
      .map(draft => keyOf(draft.type, ids.get(draft)!))
    if (keys.length > 0) sections.set(name, keys)
  }
  const extra: SectionKind[] = Object.values(EXTRA).filter(({ name }) => sections.has(name))
  const making: Making = { made: sources.map(({ source }) => source), sections, extra }
  const asked: DocumentRequest = {
    hiType: input.hiType,
    patient: idOf(patient!.key),
    ...(encounter !== undefined && { encounter: idOf(encounter as Key) }),
    date: date!,
    ...(request.title !== undefined && { title: request.title }),
    ...(request.custodian !== undefined && { custodian: request.custodian }),
    authors: doctors.map(({ author }) => author),
    series: recordKey,
  }
  const built = await buildDocument(ctx, asked, making)
  return { ...built, made: sources.flatMap(({ source, isNew }) => (isNew ? [source] : [])) }
}

/** Throws `invalid` (422) for a section that this kind of record does not have: what is sent is never left out in silence. */
function checkTaken({ hiType, sections }: Input): void {
  const taken = TAKES[hiType] ?? []
  for (const name of sections.keys())
    if (!taken.includes(name))
      throw fhirError(
        'invalid',
        `A ${hiType} has no section ${name}; it takes ${taken.length === 0 ? 'files' : taken.join(', ')}.`,
        { status: 422, expression: `http.sections.${name}` },
      )
}

/** Who may answer for a record; all of them may also request a medicine and interpret a report. */
const DOCTORS: readonly string[] = ['Practitioner', 'PractitionerRole', 'Organization']

interface Doctor {
  people: Person[]
  /** Who signs: the role, where designation or department is said. */
  author: string
}

async function doctorsFor(
  ctx: Context,
  request: SectionsRequest,
  input: Input,
  missing: ReturnType<typeof missingList>,
): Promise<Doctor[]> {
  const named = request.practitioners ?? []
  if (named.length > 0)
    return named.map(reference => {
      const key = namedKey(ctx, reference, 'practitioner', DOCTORS)
      return { people: [{ key }], author: key }
    })
  if (input.doctors.length === 0)
    missing.say(
      'sections',
      'sections.doctorsDetails',
      'Composition.author',
      'doctorsDetails is missing. Send it, or name the doctors with the parameter practitioner',
    )
  const people = await doctorsOf(ctx, input.doctors, missing)
  if (people.length < input.doctors.length) return []
  const doctors: Doctor[] = []
  for (const [index, person] of people.entries()) {
    const role = await roleOf(ctx, input.doctors[index]!, person.key)
    doctors.push({ people: role === undefined ? [person] : [person, role], author: role?.key ?? person.key })
  }
  return doctors
}

function recordedDate({ sections }: Input): string | undefined {
  for (const name of ['labReports', 'investigations']) {
    const rows = sections.get(name)
    const first = Array.isArray(rows) ? rows[0] : rows
    const date = (first as JsonObject | undefined)?.recordedDate
    if (typeof date === 'string') return date
  }
  return undefined
}

interface Bench {
  drafts: Draft[]
  ids: Map<Draft, string>
  own: Draft
  idFor(draft: Draft): Promise<string>
}

async function makeDrafts(
  input: Input,
  visit: Visit,
  files: readonly File[],
  { drafts, ids, own, idFor }: Bench,
  missing: ReturnType<typeof missingList>,
): Promise<void> {
  // References among the drafts are made of ids, and ids of places alone: one round to know the places, one to refer to them.
  const makers = MAKERS[input.hiType] ?? []
  const byPlace = new Map<string, string>()
  for (const draft of makers.flatMap(make => make(input, visit, missingList())))
    byPlace.set(`${draft.type} ${draft.place}`, await idFor(draft))
  const known: Visit = {
    ...visit,
    referenceTo: ({ type, place }) => `${type}/${byPlace.get(`${type} ${place}`) ?? ''}`,
  }
  const made = makers.flatMap(make => make(input, known, missing))
  const attached = fileDrafts(input, visit, files)
  if (made.length + attached.length > MOST_DRAFTS)
    throw fhirError('too-costly', `The sections make more than ${MOST_DRAFTS} resources.`, { status: 422 })
  for (const draft of [...made, ...attached]) {
    drafts.push(draft)
    ids.set(draft, await idFor(draft))
  }
  linkFiles(drafts, ids)
  if (drafts.includes(own)) own.body = encounterBody(input, visit, made, ids)
}

function encounterBody(
  { hiType }: Input,
  { patient, doctor, date }: Visit,
  drafts: readonly Draft[],
  ids: ReadonlyMap<Draft, string>,
): JsonObject {
  const inpatient = hiType === 'DischargeSummary'
  const diagnoses = drafts.filter(({ place }) => place.startsWith('conditions/'))
  return {
    status: 'finished',
    class: {
      system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
      code: inpatient ? 'IMP' : 'AMB',
      display: inpatient ? 'inpatient encounter' : 'ambulatory',
    },
    subject: { reference: patient },
    ...(doctor !== undefined && { participant: [{ individual: { reference: doctor } }] }),
    // Only its end is known: when the record was written.
    period: { end: date },
    ...(diagnoses.length > 0 && {
      diagnosis: diagnoses.map(draft => ({ condition: { reference: `Condition/${ids.get(draft)}` } })),
    }),
  }
}

/** Returns each resource in the version that it is stored in, or will be. */
async function versionsOf(
  ctx: Context,
  resources: readonly Resource[],
): Promise<{ source: Source; isNew: boolean }[]> {
  const keys = resources.map(one => keyOf(one.resourceType, one.id as string))
  const stored = await ctx.storage.readMany(keys)
  const now = ctx.clock()
  return resources.map((resource, index) => {
    const key = keys[index]!
    const current = stored.get(key)
    const before = current?.text === undefined ? undefined : sourceOf(current as Live)
    if (before !== undefined && isSame(before.tree, resource)) return { source: before, isNew: false }
    const version = (current?.version ?? 0) + 1
    const tree = copyJson(resource) as Resource
    return { source: { key, type: typeOf(key), id: idOf(key), version, at: now, tree }, isNew: true }
  })
}

const isSame = (stored: Resource, resource: Resource): boolean => {
  const { meta: _meta, ...rest } = stored
  return equalJson(rest as JsonObject, resource)
}
