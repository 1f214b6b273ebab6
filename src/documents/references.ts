/**
 * References of the resources of a document: which of them bring their target along, and what becomes of the others.
 * https://hl7.org/fhir/R4/documents.html#content
 */
import type { Context } from '../context.ts'
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import { type Key, keyOf, typeOf } from '../storage/port.ts'
import { keyIn, type Source } from './source.ts'
import { objects } from './tree.ts'

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

/** Returns whether a resource is about somebody else: its patient is another than the document's. */
export function isOfAnother(ctx: Context, { type, key, tree }: Source, subject: Subject): boolean {
  if (type === 'Patient') return key !== subject.patient
  const members = type === 'RelatedPerson' ? ['patient'] : ['subject', 'patient']
  return members
    .flatMap(name => objects(tree[name]))
    .some(({ reference }) => {
      const target = keyIn(ctx, reference)
      return target !== undefined && typeOf(target) === 'Patient' && target !== subject.patient
    })
}

/** What a rewriting asks: the fullUrl of a resource in the document, and the name of one that is not. */
export interface Addresses {
  fullUrlOf(key: Key): string | undefined
  nameOf(key: Key): string | undefined
}

/**
 * Rewrites the references of a tree. What is in the document goes by its `fullUrl`; what is not keeps its display and identifier, or gets
 * its name as display, the address of another server becoming an identifier; what then says nothing is left out with all that is empty
 * without it.
 */
export function rewrite(ctx: Context, tree: Resource, { fullUrlOf, nameOf }: Addresses): void {
  const mute = new Set<JsonObject>()
  for (const { reference } of referencesIn(tree)) {
    const text = reference.reference as string
    if (text.startsWith('#')) continue
    const key = keyIn(ctx, text)
    const inside = key === undefined ? undefined : fullUrlOf(key)
    if (inside !== undefined) {
      reference.reference = inside
      continue
    }
    delete reference.reference
    if (key !== undefined) reference.display ??= nameOf(key)
    else if (/^(?:https?:\/\/|urn:)/.test(text))
      reference.identifier ??= { system: 'urn:ietf:rfc:3986', value: text }
    if (reference.display === undefined && reference.identifier === undefined) mute.add(reference)
  }
  if (mute.size === 0) return
  prune(tree, mute)
  const [list, needed] = MEANINGLESS[tree.resourceType] ?? []
  if (list === undefined) return
  const kept = objects(tree[list]).filter(item => needed!.some(name => item[name] !== undefined))
  if (kept.length > 0) tree[list] = kept
  else delete tree[list]
}

/** Lists whose items say nothing without what they refer to. */
const MEANINGLESS: Readonly<Record<string, readonly [list: string, needed: readonly string[]]>> = {
  Appointment: ['participant', ['actor', 'type']],
  CarePlan: ['activity', ['reference', 'detail', 'outcomeReference', 'outcomeCodeableConcept', 'progress']],
  DiagnosticReport: ['media', ['link']],
  Encounter: ['diagnosis', ['condition']],
  Immunization: ['performer', ['actor']],
  Procedure: ['performer', ['actor']],
}

function prune(value: JsonObject, mute: ReadonlySet<JsonObject>): void {
  const isGone = (item: Json): boolean =>
    isObject(item) && (mute.has(item) || Object.values(item).every(member => member === undefined))
  for (const member in value) {
    const below = value[member]
    if (Array.isArray(below)) {
      for (const item of below) if (isObject(item)) prune(item, mute)
      const kept = below.filter(item => !isGone(item))
      if (kept.length > 0) value[member] = kept
      else if (below.length > 0) delete value[member]
    } else if (isObject(below)) {
      prune(below, mute)
      if (isGone(below)) delete value[member]
    }
  }
}

export const subjectOf = (patient: string, encounter: string | undefined): Subject => ({
  patient: keyOf('Patient', patient),
  encounter: encounter === undefined ? undefined : keyOf('Encounter', encounter),
})
