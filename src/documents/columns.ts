/** What a person is told of a resource: the columns of section tables and the rows of a resource's own narrative, by type. */
import type { JsonObject } from '../fhir/json.ts'
import { hasCode, object, objects, text } from '../fhir/tree.ts'
import { courseText, doseText, instructionText, timingText } from './render/dosage.ts'
import {
  choiceWords,
  conceptWords,
  dateWords,
  nameWords,
  periodWords,
  quantityWords,
  referenceWords,
  textAt,
  valueWords,
} from './words.ts'

/** Returns whether a Condition is what was found at a visit, and not what the patient complained of. */
export const isDiagnosis = (tree: JsonObject): boolean =>
  hasCode(tree.category, 'http://terminology.hl7.org/CodeSystem/condition-category', 'encounter-diagnosis')

export type Column = readonly [label: string, words: (tree: JsonObject, zone: string) => string]

const status: Column = ['Status', tree => text(tree.status) ?? '']
const code = (label: string, name = 'code'): Column => [label, tree => conceptWords(tree[name])]
const date = (label: string, ...names: readonly string[]): Column => [
  label,
  (tree, zone) =>
    dateWords(
      names.map(name => text(tree[name])).find(found => found !== undefined),
      zone,
    ),
]
const note: Column = ['Note', tree => textAt(tree, 'note.text')]
const identifiers: Column = [
  'Identifier',
  tree =>
    objects(tree.identifier)
      .map(one => `${conceptWords(one.type)} ${text(one.value) ?? ''}`.trim())
      .join(', '),
]
const dosage = (name: string): Column => [
  'Dosage',
  (tree, zone) =>
    objects(tree[name])
      .map(one => dosageWords(one, zone))
      .join('; '),
]

/** The text is what the doctor wrote; without one, everything that the codes say. */
const dosageWords = (one: JsonObject, zone: string): string =>
  text(one.text) ??
  [doseText(one), timingText(one, zone), courseText(one, zone), instructionText(one)?.replaceAll('\n', ', ')]
    .filter(words => words !== undefined)
    .join(', ')

const OBSERVATION: readonly Column[] = [
  code('Observation'),
  ['Value', valueWords],
  ['Interpretation', tree => conceptWords(tree.interpretation)],
  date('Date', 'effectiveDateTime', 'effectiveInstant', 'issued'),
]
const FILE: readonly Column[] = [
  [
    'Document',
    tree => text(tree.description) ?? (conceptWords(tree.type) || textAt(tree, 'content.attachment.title')),
  ],
  ['Format', tree => textAt(tree, 'content.attachment.contentType')],
  date('Date', 'date'),
]

export const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  AllergyIntolerance: [
    code('Allergy'),
    [
      'Reaction',
      tree =>
        objects(tree.reaction)
          .map(one => conceptWords(one.manifestation))
          .join(', '),
    ],
    ['Criticality', tree => text(tree.criticality) ?? ''],
    date('Recorded', 'recordedDate'),
    note,
  ],
  Appointment: [
    ['Appointment', tree => text(tree.description) ?? conceptWords(tree.serviceType)],
    date('Date', 'start'),
    [
      'With',
      tree =>
        objects(tree.participant)
          .map(one => referenceWords(one.actor))
          .filter(word => word !== '')
          .join(', '),
    ],
    status,
  ],
  CarePlan: [
    ['Plan', tree => text(tree.title) ?? ''],
    ['Description', tree => text(tree.description) ?? ''],
    [
      'Activities',
      tree =>
        objects(tree.activity)
          .map(one => text(object(one.detail)?.description) ?? conceptWords(object(one.detail)?.code))
          .filter(word => word !== '')
          .join('; '),
    ],
    note,
  ],
  ChargeItem: [
    code('Charge'),
    ['Quantity', tree => quantityWords(tree.quantity)],
    ['Price', tree => quantityWords(tree.priceOverride)],
  ],
  Condition: [
    code('Condition'),
    ['Kind', tree => (isDiagnosis(tree) ? 'Diagnosis' : '')],
    ['Clinical status', tree => conceptWords(tree.clinicalStatus)],
    ['Onset', (tree, zone) => choiceWords(tree, 'onset', zone)],
    date('Recorded', 'recordedDate'),
    note,
  ],
  DiagnosticReport: [
    code('Report'),
    status,
    date('Date', 'effectiveDateTime', 'issued'),
    ['Conclusion', tree => text(tree.conclusion) ?? ''],
  ],
  DocumentReference: FILE,
  Encounter: [
    ['Class', tree => text(object(tree.class)?.display) ?? text(object(tree.class)?.code) ?? ''],
    ['Reason', tree => conceptWords(tree.reasonCode)],
    ['Period', (tree, zone) => periodWords(tree.period, zone)],
    status,
  ],
  FamilyMemberHistory: [
    code('Relation', 'relationship'),
    [
      'Conditions',
      tree =>
        objects(tree.condition)
          .map(one => conceptWords(one.code))
          .join(', '),
    ],
    note,
  ],
  ImagingStudy: [
    ['Study', tree => text(tree.description) ?? conceptWords(tree.procedureCode)],
    ['Modality', tree => textAt(tree, 'modality.display')],
    date('Started', 'started'),
  ],
  Immunization: [
    code('Vaccine', 'vaccineCode'),
    date('Date', 'occurrenceDateTime'),
    [
      'Dose',
      (tree, zone) =>
        objects(tree.protocolApplied)
          .map(one => choiceWords(one, 'doseNumber', zone))
          .join(', '),
    ],
    ['Lot', tree => text(tree.lotNumber) ?? ''],
    ['Manufacturer', tree => referenceWords(tree.manufacturer)],
  ],
  ImmunizationRecommendation: [
    [
      'Recommended',
      tree =>
        objects(tree.recommendation)
          .map(one => conceptWords(one.vaccineCode) || conceptWords(one.targetDisease))
          .join(', '),
    ],
    [
      'Due',
      (tree, zone) =>
        objects(tree.recommendation)
          .flatMap(one => objects(one.dateCriterion))
          .map(one => dateWords(text(one.value), zone))
          .join(', '),
    ],
    [
      'Forecast',
      tree =>
        objects(tree.recommendation)
          .map(one => conceptWords(one.forecastStatus))
          .join(', '),
    ],
  ],
  Invoice: [
    identifiers,
    date('Date', 'date'),
    ['Net', tree => quantityWords(tree.totalNet)],
    ['Gross', tree => quantityWords(tree.totalGross)],
    status,
  ],
  Location: [
    ['Name', nameWords],
    ['Description', tree => text(tree.description) ?? ''],
  ],
  Media: [
    ['Media', tree => text(object(tree.content)?.title) ?? conceptWords(tree.modality)],
    ['Format', tree => text(object(tree.content)?.contentType) ?? ''],
    date('Date', 'createdDateTime'),
  ],
  Medication: [code('Medication')],
  MedicationRequest: [
    code('Medicine', 'medicationCodeableConcept'),
    dosage('dosageInstruction'),
    ['Quantity', tree => quantityWords(object(tree.dispenseRequest)?.quantity)],
    date('Prescribed', 'authoredOn'),
    note,
  ],
  MedicationStatement: [code('Medicine', 'medicationCodeableConcept'), dosage('dosage'), status, note],
  Observation: OBSERVATION,
  Organization: [['Name', nameWords], identifiers, ['Telephone', tree => textAt(tree, 'telecom.value')]],
  Patient: [
    ['Name', nameWords],
    identifiers,
    ['Gender', tree => text(tree.gender) ?? ''],
    date('Born', 'birthDate'),
    ['Telephone', tree => textAt(tree, 'telecom.value')],
  ],
  Practitioner: [
    ['Name', nameWords],
    identifiers,
    [
      'Qualification',
      tree =>
        objects(tree.qualification)
          .map(one => conceptWords(one.code))
          .join(', '),
    ],
  ],
  PractitionerRole: [
    ['Practitioner', tree => referenceWords(tree.practitioner)],
    code('Role'),
    code('Specialty', 'specialty'),
  ],
  Procedure: [
    code('Procedure'),
    status,
    ['Performed', (tree, zone) => choiceWords(tree, 'performed', zone)],
    code('Outcome', 'outcome'),
    note,
  ],
  ServiceRequest: [
    code('Request'),
    ['Reason', tree => conceptWords(tree.reasonCode)],
    date('Ordered', 'authoredOn'),
    note,
  ],
  Specimen: [code('Specimen', 'type'), date('Received', 'receivedTime')],
}
