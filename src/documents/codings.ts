/**
 * Which codings the NRCeS profiles allow at which elements. Wherever they name an element's coding, system, code and display are required;
 * at many the system is fixed, so that a coding of another system has no place.
 * https://nrces.in/ndhm/fhir/r4/profiles.html
 */
import { SNOMED } from './hi-types.ts'

const LOINC = 'http://loinc.org'
const ICD10 = 'http://hl7.org/fhir/sid/icd-10'

export interface CodingRule {
  /** The only systems; undefined allows any. */
  systems?: readonly string[]
  /** At least one coding is required, and no more than one. */
  one?: true
}

const ANY: CodingRule = {}
const SCT: CodingRule = { systems: [SNOMED] }
const ONE: CodingRule = { one: true }

/** By profile, by the way of element names from the resource to the CodeableConcept; choices go by their JSON name. */
export const CODINGS: Readonly<Record<string, Readonly<Record<string, CodingRule>>>> = {
  Practitioner: { 'qualification.code': ANY },
  PractitionerRole: { code: SCT, specialty: SCT },
  Organization: { type: { systems: ['http://terminology.hl7.org/CodeSystem/organization-type'] } },
  Encounter: {
    type: ANY,
    serviceType: ANY,
    priority: ANY,
    'participant.type': ANY,
    reasonCode: SCT,
    'diagnosis.use': SCT,
  },
  Condition: { code: { systems: [ICD10, SNOMED] } },
  Observation: { code: { systems: [LOINC, SNOMED] } },
  AllergyIntolerance: { code: SCT },
  MedicationRequest: {
    medicationCodeableConcept: SCT,
    reasonCode: SCT,
    'dosageInstruction.additionalInstruction': SCT,
    'dosageInstruction.route': SCT,
    'dosageInstruction.method': SCT,
  },
  MedicationStatement: {
    medicationCodeableConcept: SCT,
    reasonCode: SCT,
    'dosage.additionalInstruction': SCT,
    'dosage.site': SCT,
    'dosage.route': SCT,
    'dosage.method': SCT,
    'dosage.doseAndRate.type': SCT,
  },
  Medication: { code: ONE },
  Procedure: {
    statusReason: SCT,
    category: SCT,
    code: SCT,
    'performer.function': SCT,
    reasonCode: SCT,
    bodySite: SCT,
    outcome: SCT,
    usedCode: SCT,
  },
  ServiceRequest: { code: SCT },
  DiagnosticReportLab: { category: SCT, code: { systems: [LOINC] }, conclusionCode: SCT },
  DiagnosticReportImaging: { category: SCT, code: { systems: [LOINC] }, conclusionCode: SCT },
  Immunization: { vaccineCode: ANY, site: ANY, route: SCT, 'performer.function': ANY, reasonCode: SCT },
  ImmunizationRecommendation: {
    'recommendation.vaccineCode': ANY,
    'recommendation.targetDisease': ANY,
    'recommendation.contraindicatedVaccineCode': ANY,
    'recommendation.forecastStatus': ANY,
    'recommendation.forecastReason': ANY,
    'recommendation.dateCriterion.code': ANY,
  },
  CarePlan: { category: SCT },
  FamilyMemberHistory: { relationship: ANY, reasonCode: SCT, 'condition.code': SCT },
  Appointment: {
    serviceCategory: SCT,
    serviceType: SCT,
    specialty: SCT,
    appointmentType: SCT,
    reasonCode: SCT,
    'participant.type': ANY,
  },
  Invoice: { type: ONE, 'lineItem.priceComponent.code': ONE },
  ChargeItem: { code: ONE },
  ImagingStudy: { procedureCode: SCT, reasonCode: SCT },
  Media: { modality: ANY },
  Specimen: { type: SCT },
}
