/**
 * The eight kinds of health record of ABDM: profile, type and sections of their Compositions, and what each section is filled with.
 * https://nrces.in/ndhm/fhir/r4/profiles.html, https://hl7.org/fhir/R4/documents.html
 */
import type { Rule } from './rules.ts'

/** Where the profiles and code systems of NRCeS have their canonicals. */
export const NRCES = 'https://nrces.in/ndhm/fhir/r4'
export const SNOMED = 'http://snomed.info/sct'

export const profileUrl = (name: string): string => `${NRCES}/StructureDefinition/${name}`

export const HI_TYPES = [
  'OPConsultation',
  'DischargeSummary',
  'Prescription',
  'DiagnosticReport',
  'ImmunizationRecord',
  'HealthDocumentRecord',
  'WellnessRecord',
  'Invoice',
] as const

export type HiType = (typeof HI_TYPES)[number]

/** SNOMED CT code and the display that the profile fixes. */
export interface Fixed {
  code: string
  display: string
}

export interface SectionKind {
  /** The name of the slice, or of the only section. */
  name: string
  title: string
  /** The title where diagnoses stand in it: the profiles have no section of their own for them. */
  diagnosesTitle?: string
  /** Absent where the profile tells sections apart by their title. */
  code?: Fixed
  rules: readonly Rule[]
}

export interface RecordKind {
  hiType: HiType
  /** The name of the profile of the Composition. */
  profile: string
  title: string
  /** Absent where the profile fixes a text alone. */
  type?: Fixed
  text: string
  /** The profile wants an Encounter. */
  encounter: boolean
  /** Section entries say `type`: the profile slices them by it. */
  typedEntries: boolean
  /** There is exactly one section; otherwise at least one, and empty ones are left out. */
  single: boolean
  sections: readonly SectionKind[]
}

const CHIEF: SectionKind = {
  name: 'ChiefComplaints',
  title: 'Chief Complaints',
  diagnosesTitle: 'Chief Complaints and Diagnoses',
  code: { code: '422843007', display: 'Chief complaint section' },
  rules: [{ type: 'Condition', from: 'encounter', only: 'current' }],
}
const EXAM: SectionKind = {
  name: 'PhysicalExamination',
  title: 'Physical Examination',
  code: { code: '425044008', display: 'Physical exam section' },
  rules: [{ type: 'Observation', from: 'encounter', only: 'examination' }],
}
const ALLERGIES: SectionKind = {
  name: 'Allergies',
  title: 'Allergies',
  code: { code: '722446000', display: 'Allergy record' },
  rules: [{ type: 'AllergyIntolerance', from: 'patient' }],
}
const FAMILY: SectionKind = {
  name: 'FamilyHistory',
  title: 'Family History',
  code: { code: '422432008', display: 'Family history section' },
  rules: [{ type: 'FamilyMemberHistory', from: 'patient' }],
}
const files = (code?: Fixed, title = 'Document Reference'): SectionKind => ({
  name: 'DocumentReference',
  title,
  ...(code && { code }),
  rules: [{ type: 'DocumentReference', from: 'encounter' }],
})

const CONSULTATION: Fixed = { code: '371530004', display: 'Clinical consultation report' }
const DISCHARGE: Fixed = { code: '373942005', display: 'Discharge summary' }
const PRESCRIPTION: Fixed = { code: '440545006', display: 'Prescription record' }
const STUDIES: Fixed = { code: '721981007', display: 'Diagnostic studies report' }
const ARTIFACT: Fixed = { code: '419891008', display: 'Record artifact' }
const IMMUNIZATION: Fixed = { code: '41000179103', display: 'Immunization record' }

export const RECORD_KINDS: Readonly<Record<HiType, RecordKind>> = {
  OPConsultation: {
    hiType: 'OPConsultation',
    profile: 'OPConsultRecord',
    title: 'Consultation Report',
    type: CONSULTATION,
    text: CONSULTATION.display,
    encounter: true,
    typedEntries: false,
    single: false,
    sections: [
      CHIEF,
      EXAM,
      ALLERGIES,
      {
        name: 'MedicalHistory',
        title: 'Medical History',
        code: { code: '371529009', display: 'History and physical report' },
        rules: [
          { type: 'Condition', from: 'patient', only: 'history' },
          { type: 'Procedure', from: 'patient', only: 'history' },
        ],
      },
      FAMILY,
      {
        name: 'InvestigationAdvice',
        title: 'Investigation Advice',
        code: { code: '721963009', display: 'Order document' },
        rules: [{ type: 'ServiceRequest', from: 'encounter', only: 'investigation' }],
      },
      {
        name: 'Medications',
        title: 'Medications',
        code: { code: '721912009', display: 'Medication summary document' },
        rules: [
          { type: 'MedicationStatement', from: 'encounter' },
          { type: 'MedicationRequest', from: 'encounter' },
        ],
      },
      {
        name: 'FollowUp',
        title: 'Follow Up',
        code: { code: '390906007', display: 'Follow-up encounter' },
        rules: [{ type: 'Appointment', from: 'patient', only: 'followUp' }],
      },
      {
        name: 'Procedure',
        title: 'Procedures',
        code: { code: '371525003', display: 'Clinical procedure report' },
        rules: [{ type: 'Procedure', from: 'encounter' }],
      },
      {
        name: 'Referral',
        title: 'Referral',
        code: { code: '306206005', display: 'Referral to service' },
        rules: [{ type: 'ServiceRequest', from: 'encounter', only: 'referral' }],
      },
      {
        name: 'OtherObservations',
        title: 'Other Observations',
        code: { code: '404684003', display: 'Clinical finding' },
        rules: [{ type: 'Observation', from: 'encounter', only: 'otherFinding' }],
      },
      files(CONSULTATION),
    ],
  },
  DischargeSummary: {
    hiType: 'DischargeSummary',
    profile: 'DischargeSummaryRecord',
    title: 'Discharge Summary',
    type: DISCHARGE,
    text: DISCHARGE.display,
    encounter: true,
    typedEntries: false,
    single: false,
    sections: [
      CHIEF,
      EXAM,
      ALLERGIES,
      {
        name: 'MedicalHistory',
        title: 'Medical History',
        code: { code: '1003642006', display: 'Past medical history section' },
        rules: [
          { type: 'Condition', from: 'patient', only: 'history' },
          { type: 'Procedure', from: 'patient', only: 'history' },
        ],
      },
      FAMILY,
      {
        name: 'Investigations',
        title: 'Investigations',
        code: STUDIES,
        rules: [{ type: 'DiagnosticReport', from: 'encounter' }],
      },
      {
        name: 'Medications',
        title: 'Medications',
        code: { code: '1003606003', display: 'Medication history section' },
        rules: [{ type: 'MedicationRequest', from: 'encounter' }],
      },
      {
        name: 'Procedures',
        title: 'Procedures',
        code: { code: '1003640003', display: 'History of past procedure section' },
        rules: [{ type: 'Procedure', from: 'encounter' }],
      },
      {
        name: 'CarePlan',
        title: 'Care Plan',
        code: { code: '734163000', display: 'Care plan' },
        rules: [{ type: 'CarePlan', from: 'encounter' }],
      },
      files(DISCHARGE),
    ],
  },
  Prescription: {
    hiType: 'Prescription',
    profile: 'PrescriptionRecord',
    title: 'Prescription',
    type: PRESCRIPTION,
    text: PRESCRIPTION.display,
    encounter: false,
    typedEntries: true,
    single: true,
    sections: [
      {
        name: 'Prescription',
        title: 'Prescription',
        code: PRESCRIPTION,
        rules: [
          { type: 'MedicationRequest', from: 'scope' },
          { type: 'Binary', from: 'given', most: 1 },
        ],
      },
    ],
  },
  DiagnosticReport: {
    hiType: 'DiagnosticReport',
    profile: 'DiagnosticReportRecord',
    title: 'Diagnostic Report',
    type: STUDIES,
    text: STUDIES.display,
    encounter: false,
    typedEntries: true,
    single: true,
    sections: [
      {
        name: 'DiagnosticReport',
        title: 'Diagnostic Report',
        code: STUDIES,
        rules: [
          { type: 'DiagnosticReport', from: 'scope', most: 1 },
          { type: 'DocumentReference', from: 'given', most: 1 },
        ],
      },
    ],
  },
  ImmunizationRecord: {
    hiType: 'ImmunizationRecord',
    profile: 'ImmunizationRecord',
    title: 'Immunization Record',
    type: IMMUNIZATION,
    text: IMMUNIZATION.display,
    encounter: false,
    typedEntries: true,
    single: true,
    sections: [
      {
        name: 'Immunization',
        title: 'Immunizations',
        code: IMMUNIZATION,
        rules: [
          { type: 'Immunization', from: 'scope' },
          { type: 'ImmunizationRecommendation', from: 'patient', newest: true },
          { type: 'DocumentReference', from: 'given' },
        ],
      },
    ],
  },
  HealthDocumentRecord: {
    hiType: 'HealthDocumentRecord',
    profile: 'HealthDocumentRecord',
    title: 'Health Document',
    type: ARTIFACT,
    text: ARTIFACT.display,
    encounter: false,
    typedEntries: false,
    single: true,
    sections: [
      {
        name: 'HealthDocument',
        title: 'Health Documents',
        code: ARTIFACT,
        rules: [{ type: 'DocumentReference', from: 'scope' }],
      },
    ],
  },
  WellnessRecord: {
    hiType: 'WellnessRecord',
    profile: 'WellnessRecord',
    title: 'Wellness Record',
    text: 'Wellness Record',
    encounter: false,
    typedEntries: false,
    single: false,
    sections: [
      ...(
        [
          ['VitalSigns', 'Vital Signs'],
          ['BodyMeasurement', 'Body Measurement'],
          ['PhysicalActivity', 'Physical Activity'],
          ['GeneralAssessment', 'General Assessment'],
          ['WomenHealth', 'Women Health'],
          ['Lifestyle', 'Lifestyle'],
        ] as const
      ).map(
        ([name, title]): SectionKind => ({
          name,
          title,
          rules: [{ type: 'Observation', from: 'scope', wellness: name }],
        }),
      ),
      {
        name: 'OtherObservations',
        title: 'Other Observations',
        rules: [{ type: 'Observation', from: 'scope', wellness: 'OtherObservations' }],
      },
      { ...files(), rules: [{ type: 'DocumentReference', from: 'given' }] },
    ],
  },
  Invoice: {
    hiType: 'Invoice',
    profile: 'InvoiceRecord',
    title: 'Invoice',
    text: 'Invoice Record',
    encounter: false,
    typedEntries: true,
    single: true,
    sections: [
      {
        name: 'Invoice',
        title: 'Invoice',
        rules: [{ type: 'Invoice', from: 'scope', most: 1 }],
      },
    ],
  },
}
