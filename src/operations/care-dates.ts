/**
 * When the care that a resource tells of took place, for `start` and `end` of `$everything`.
 * https://hl7.org/fhir/R4/patient-operation-everything.html
 */
import type { TimeRange } from '../fhir/instant.ts'
import type { IndexRow } from '../search/index-row.ts'
import type { SearchRegistry } from '../search/registry.ts'

/** The search parameters that say it, by type. What is not here has no date of care, and is in every range. */
export const CARE_DATES: Readonly<Record<string, readonly string[]>> = {
  Account: ['period'],
  AdverseEvent: ['date'],
  AllergyIntolerance: ['onset', 'last-date', 'date'],
  Appointment: ['date'],
  AuditEvent: ['date'],
  CarePlan: ['date'],
  CareTeam: ['date'],
  ChargeItem: ['occurrence'],
  Claim: ['created'],
  ClaimResponse: ['created'],
  ClinicalImpression: ['date'],
  Communication: ['sent', 'received'],
  CommunicationRequest: ['occurrence', 'authored'],
  Composition: ['date', 'period'],
  Condition: ['onset-date', 'abatement-date', 'recorded-date'],
  CoverageEligibilityRequest: ['created'],
  CoverageEligibilityResponse: ['created'],
  DetectedIssue: ['identified'],
  DeviceRequest: ['event-date', 'authored-on'],
  DiagnosticReport: ['date'],
  DocumentManifest: ['created'],
  DocumentReference: ['period', 'date'],
  Encounter: ['date'],
  EpisodeOfCare: ['date'],
  ExplanationOfBenefit: ['created'],
  Flag: ['date'],
  Goal: ['start-date', 'target-date'],
  ImagingStudy: ['started'],
  Immunization: ['date'],
  ImmunizationEvaluation: ['date'],
  ImmunizationRecommendation: ['date'],
  Invoice: ['date'],
  List: ['date'],
  MeasureReport: ['period', 'date'],
  Media: ['created'],
  MedicationAdministration: ['effective-time'],
  MedicationDispense: ['whenhandedover', 'whenprepared'],
  MedicationRequest: ['date', 'authoredon'],
  MedicationStatement: ['effective'],
  NutritionOrder: ['datetime'],
  Observation: ['date'],
  Procedure: ['date'],
  Provenance: ['when', 'recorded'],
  QuestionnaireResponse: ['authored'],
  RequestGroup: ['authored'],
  ResearchSubject: ['date'],
  RiskAssessment: ['date'],
  Schedule: ['date'],
  ServiceRequest: ['occurrence', 'authored'],
  Specimen: ['collected'],
  SupplyRequest: ['date'],
  VisionPrescription: ['datewritten'],
}

/**
 * Returns whether the care that a resource tells of took place in the range, at least in part: from the start of its first date to the end
 * of its last one. What has no date is in every range.
 */
export function isInCareRange(
  registry: SearchRegistry,
  type: string,
  rows: readonly IndexRow[],
  range: TimeRange,
): boolean {
  const codes = CARE_DATES[type] ?? []
  const names = codes.flatMap(code => registry.param(type, code)?.rows ?? [])
  let lo = Number.POSITIVE_INFINITY
  let hi = Number.NEGATIVE_INFINITY
  for (const row of rows) {
    if (row.kind !== 'date' || !names.includes(row.param)) continue
    lo = Math.min(lo, row.lo)
    hi = Math.max(hi, row.hi)
  }
  return lo > hi || (lo < range.hi && hi > range.lo)
}
