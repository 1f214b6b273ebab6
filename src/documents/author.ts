/** Who wrote a document and who keeps it: named by the caller, or by the data. https://hl7.org/fhir/R4/composition-definitions.html#Composition.author */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Json } from '../fhir/json.ts'
import { at, hasCode, objects } from '../fhir/tree.ts'
import { type Key, typeOf } from '../storage/port.ts'
import type { HiType } from './hi-types.ts'
import type { Missing } from './missing.ts'
import { isOfAnother } from './references.ts'
import { type DocumentRequest, namedKey, one, type Read } from './request.ts'
import { keyIn, type Library, type Source } from './source.ts'

/** Where a record itself says who answers for it: the ways of names that are asked in turn. */
const WAYS: Partial<Record<HiType, readonly string[]>> = {
  Prescription: ['requester'],
  DiagnosticReport: ['resultsInterpreter', 'performer'],
  ImmunizationRecord: ['performer.actor'],
  HealthDocumentRecord: ['author', 'custodian'],
  WellnessRecord: ['performer'],
  Invoice: ['issuer', 'participant.actor'],
}

/** Types that a Composition takes for authors. */
export const AUTHORS: readonly string[] = [
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Patient',
  'RelatedPerson',
  'Device',
]

const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType'

/** Returns the authors, at least one; says what is missing where there is none. */
export async function authorsOf(
  ctx: Context,
  library: Library,
  request: DocumentRequest,
  { kind, encounter, patient }: Read,
  entries: readonly Source[],
  missing: Missing,
): Promise<Source[]> {
  if (request.authors !== undefined && request.authors.length > 0) {
    const named: Source[] = []
    for (const reference of request.authors)
      named.push(await one(ctx, library, namedKey(ctx, reference, 'author', AUTHORS)))
    const subject = { patient: patient.key, encounter: encounter?.key }
    if (named.some(source => isOfAnother(ctx, source, subject)))
      throw fhirError('invalid', 'An author is another patient, or of another patient.', {
        expression: 'http.author',
      })
    return named
  }
  const candidates: Key[] = []
  for (const way of WAYS[kind.hiType] ?? [])
    for (const { tree } of entries) candidates.push(...keysAt(ctx, at(tree, way)))
  const participants = objects(encounter?.tree.participant)
  const leading = participants.find(({ type }) => hasCode(type, PARTICIPATION, 'PPRF', 'ATND'))
  for (const participant of [leading, ...participants])
    candidates.push(...keysAt(ctx, objects(participant?.individual)))
  // Measurements that nobody answers for are the patient's own.
  if (kind.hiType === 'WellnessRecord') candidates.push(patient.key)
  const able = [...new Set(candidates)].filter(
    key => AUTHORS.includes(typeOf(key)) && (typeOf(key) !== 'Patient' || key === patient.key),
  )
  for (const key of able) {
    const found = await library.take([key])
    if (found.length > 0) return found
  }
  missing.say(
    encounter?.key ?? patient.key,
    'Composition.author',
    `${kind.profile}.author`,
    `nothing says who answers for the document${encounter === undefined ? '' : ' (Encounter.participant)'}. Name them with the parameter author`,
  )
  return []
}

/** Returns the organization that keeps the document; undefined where neither caller nor data names one. */
export async function custodianOf(
  ctx: Context,
  library: Library,
  { custodian }: DocumentRequest,
  { encounter, patient }: Read,
): Promise<Source | undefined> {
  if (custodian !== undefined)
    return one(ctx, library, namedKey(ctx, custodian, 'custodian', ['Organization']))
  const named = [encounter?.tree.serviceProvider, patient.tree.managingOrganization]
  const keys = keysAt(ctx, named.flatMap(objects)).filter(key => typeOf(key) === 'Organization')
  return (await library.take(keys))[0]
}

const keysAt = (ctx: Context, references: readonly Json[]): Key[] =>
  references.flatMap(objects).flatMap(({ reference }) => keyIn(ctx, reference) ?? [])
