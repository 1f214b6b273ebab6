/** Which NRCeS profile a resource of a document is of. https://nrces.in/ndhm/fhir/r4/profiles.html */
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { profileUrl } from './hi-types.ts'
import type { WellnessKind } from './rules.ts'

/** Types whose profile has the type's own name. */
const NAMED: ReadonlySet<string> = new Set([
  'AllergyIntolerance',
  'Appointment',
  'Binary',
  'CarePlan',
  'ChargeItem',
  'Condition',
  'DocumentReference',
  'Encounter',
  'FamilyMemberHistory',
  'ImagingStudy',
  'Immunization',
  'ImmunizationRecommendation',
  'Invoice',
  'Media',
  'Medication',
  'MedicationRequest',
  'MedicationStatement',
  'Observation',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'ServiceRequest',
  'Specimen',
])

/** A report that has images and no results is one of imaging. */
export const isImaging = (report: Resource): boolean =>
  objects(report.result).length === 0 &&
  (objects(report.media).length > 0 || objects(report.imagingStudy).length > 0)

/** Returns the name of the profile; undefined for a type that NRCeS has none for. `part`: where an Observation stands in a wellness record. */
export function profileOf(resource: Resource, part?: WellnessKind): string | undefined {
  const { resourceType } = resource
  if (resourceType === 'DiagnosticReport')
    return isImaging(resource) ? 'DiagnosticReportImaging' : 'DiagnosticReportLab'
  if (resourceType === 'Observation' && part !== undefined && part !== 'OtherObservations')
    return `Observation${part}`
  return NAMED.has(resourceType) ? resourceType : undefined
}

export const profileUrlOf = (resource: Resource, part?: WellnessKind): string | undefined => {
  const name = profileOf(resource, part)
  return name === undefined ? undefined : profileUrl(name)
}
