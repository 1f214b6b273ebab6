/** What the NRCeS profiles require beyond R4, element by element, and how it is mended. https://nrces.in/ndhm/fhir/r4/profiles.html */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import type { Missing } from './missing.ts'

/** Ways of names; each is required below every occurrence of what stands before its last dot. `a|b`: one of them. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  Patient: ['identifier'],
  Practitioner: ['identifier'],
  Organization: ['identifier', 'name'],
  Condition: ['code'],
  AllergyIntolerance: ['code'],
  Procedure: ['code'],
  MedicationRequest: ['medicationCodeableConcept', 'authoredOn', 'requester', 'dosageInstruction'],
  MedicationStatement: ['medicationCodeableConcept'],
  Medication: ['code'],
  ServiceRequest: ['requester'],
  DiagnosticReportLab: ['resultsInterpreter', 'result', 'conclusion'],
  DiagnosticReportImaging: ['resultsInterpreter', 'media', 'conclusion'],
  Immunization: ['occurrenceDateTime'],
  FamilyMemberHistory: ['condition'],
  Appointment: ['start'],
  Invoice: [
    'identifier',
    'identifier.value',
    'type',
    'subject',
    'date',
    'lineItem',
    'lineItem.priceComponent',
    'lineItem.priceComponent.code',
    'lineItem.priceComponent.amount',
    'totalNet',
    'totalGross',
  ],
  ChargeItem: ['code', 'quantity', 'productReference|productCodeableConcept'],
  Media: ['content.contentType', 'content.data'],
  Specimen: ['receivedTime', 'collection.collectedDateTime'],
  DocumentReference: ['content.attachment.contentType', 'content.attachment.data'],
  Binary: ['data'],
}

/** What to do, where "store it" does not say enough. */
const REMEDIES: Readonly<Record<string, string>> = {
  'Patient.identifier':
    'no identifier has a value and a type with system, code and display. Add the ABHA number or the record number with its type (v2-0203 MR)',
  'Practitioner.identifier':
    'no identifier has a value and a type with system, code and display. Add the HPR id (ndhm-identifier-type-code HPIN) or the registration number (v2-0203 MD)',
  'Organization.identifier':
    'no identifier has a system, a value and a type with system, code and display. Add the HFR id with the type v2-0203 PRN',
  'DiagnosticReportLab.resultsInterpreter': 'add who interpreted the results',
  'DiagnosticReportImaging.resultsInterpreter': 'add who interpreted the images',
  'DocumentReference.content.attachment.data':
    'the content is not here: store it in attachment.data, or as a Binary of this server that attachment.url names',
}

/** Says what a resource lacks. */
export function sayNeeds(resource: Resource, profile: string, of: string, missing: Missing): void {
  for (const way of NEEDS[profile] ?? [])
    for (const place of lacking(resource, way.split('.'), resource.resourceType)) {
      const remedy =
        REMEDIES[`${profile}.${way}`] ?? `${place.slice(place.indexOf('.') + 1)} is missing. Store it`
      missing.say(of, place, `${profile}.${way}`, remedy)
    }
}

/** Returns the places where the last name of the way is absent though what is before it is there; of an absent parent, none. */
function lacking(tree: JsonObject, way: readonly string[], place: string): string[] {
  const [name, ...rest] = way
  if (rest.length === 0)
    return name!.split('|').some(one => isThere(tree[one]))
      ? []
      : [
          `${place}.${name!.replace(/^(\w+?)(?:DateTime|CodeableConcept)$/, '$1').replace(/^(product)Reference.*/, '$1')}`,
        ]
  const value = tree[name!]
  const many = Array.isArray(value)
  return objects(value).flatMap((item, index) =>
    lacking(item, rest, many ? `${place}.${name}[${index}]` : `${place}.${name}`),
  )
}

const isThere = (value: unknown): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)
