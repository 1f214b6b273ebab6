/**
 * References of the resources of a document: which of them bring their target along, and what becomes of the others.
 * https://hl7.org/fhir/R4/documents.html#content
 */
import type { Context } from '../context.ts'
import { isObject, type Json, type JsonObject } from '../fhir/json.ts'
import { parseReference } from '../fhir/reference.ts'
import { object, objects } from '../fhir/tree.ts'
import { type Key, keyOf, typeOf } from '../storage/port.ts'
import { keyIn, type Library, type Source } from './source.ts'

/** Resources that tell who, where and with what: they come along wherever they are named. */
const SUPPORTS: ReadonlySet<string> = new Set([
  'Binary',
  'ChargeItem',
  'Device',
  'Encounter',
  'ImagingStudy',
  'Location',
  'Media',
  'Medication',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'RelatedPerson',
  'Specimen',
  'Substance',
])

/** Where a clinical resource is a part of the one that names it, by the type of that and the way of names. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  Appointment: ['basedOn', 'reasonReference'],
  CarePlan: ['addresses', 'goal', 'activity.reference'],
  Condition: ['evidence.detail'],
  DiagnosticReport: ['basedOn', 'result'],
  DocumentReference: ['context.related'],
  Immunization: ['reasonReference', 'reaction.detail'],
  ImmunizationRecommendation: ['recommendation.supportingImmunization'],
  MedicationRequest: ['reasonReference'],
  MedicationStatement: ['reasonReference'],
  Observation: ['derivedFrom', 'hasMember'],
  Procedure: ['complicationDetail', 'reasonReference'],
  ServiceRequest: ['reasonReference'],
}

/** What an encounter names belongs to its own document alone. */
const ENCOUNTER_PARTS: readonly string[] = ['diagnosis.condition', 'reasonReference']

/** Whom a document is about; a Composition that is no record of NRCeS may be about a Group or a Device. */
export interface Subject {
  patient: Key
  encounter: Key | undefined
}

/** A reference as it stands: the object, and the way of names to it. */
interface Standing {
  reference: JsonObject
  way: string
}

/** Returns every Reference below a tree that names something, contained resources included. */
export function referencesIn(tree: JsonObject): Standing[] {
  const found: Standing[] = []
  const walk = (value: Json | undefined, way: string): void => {
    if (Array.isArray(value)) {
      for (const item of value) walk(item, way)
      return
    }
    if (!isObject(value)) return
    if (typeof value.reference === 'string') found.push({ reference: value, way })
    for (const name in value)
      if (typeof value[name] === 'object') walk(value[name], way === '' ? name : `${way}.${name}`)
  }
  walk(tree, '')
  return found
}

/** Returns the keys of what a source brings along. */
export function bringsAlong(ctx: Context, { key, type, tree }: Source, subject: Subject): Key[] {
  const parts = key === subject.encounter ? ENCOUNTER_PARTS : (PARTS[type] ?? [])
  return referencesIn(tree).flatMap(({ reference, way }) => {
    const target = keyIn(ctx, reference.reference)
    if (target === undefined) return []
    return target === subject.patient || SUPPORTS.has(typeOf(target)) || parts.includes(way) ? [target] : []
  })
}

/** What is about one of these is about nobody. */
const THINGS: ReadonlySet<string> = new Set(['Device', 'Location', 'Medication', 'Organization', 'Substance'])

/** Returns whether a resource is about somebody else, or about somebody of whom it is not known that it is the document's patient. */
export function isOfAnother(ctx: Context, { type, key, tree }: Source, subject: Subject): boolean {
  if (type === 'Patient') return key !== subject.patient
  const members = type === 'RelatedPerson' ? ['patient'] : ['subject', 'patient']
  return members
    .flatMap(name => objects(tree[name]))
    .some(({ reference }) => {
      const target = keyIn(ctx, reference)
      return target === undefined || (target !== subject.patient && !THINGS.has(typeOf(target)))
    })
}

/** Returns whether a file is for those alone who may see somebody else: what its security context says. */
export async function isFileOfAnother(
  ctx: Context,
  library: Library,
  { type, tree }: Source,
  subject: Subject,
): Promise<boolean> {
  const security = object(tree.securityContext)
  if (type !== 'Binary' || security === undefined) return false
  const key = keyIn(ctx, security.reference)
  if (key === undefined || key === subject.patient) return key === undefined
  const [context] = await library.take([key])
  return context === undefined || isOfAnother(ctx, context, subject)
}

const PERSONS: ReadonlySet<string> = new Set(['Group', 'Patient', 'Person', 'RelatedPerson'])

/** Returns whether a reference names people who are looked after: where they are not in the document, not even their name is. */
export function namesPerson(ctx: Context, reference: string): boolean {
  const parsed = parseReference(reference, ctx.settings.baseUrl)
  return (parsed.kind === 'local' || parsed.kind === 'foreign') && PERSONS.has(parsed.type)
}

export const subjectOf = (patient: string, encounter: string | undefined): Subject => ({
  patient: keyOf('Patient', patient),
  encounter: encounter === undefined ? undefined : keyOf('Encounter', encounter),
})
