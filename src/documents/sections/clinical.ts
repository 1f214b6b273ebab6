/** The resources of clinical sections: what was sent, in its words, as FHIR. Codes stand only where the words leave no doubt. */
import type { Json, JsonObject } from '../../fhir/json.ts'
import type { HiType, SectionKind } from '../hi-types.ts'
import type { Missing } from '../missing.ts'
import { text } from '../tree.ts'
import { type Input, linesOf, rowsOf } from './input.ts'
import { measured } from './measurement.ts'

/** A resource to be made: its type, what makes it the same one when it is sent again, and its elements. */
export interface Draft {
  type: string
  /** `allergies/0`: the section that it was sent in, and its place there. */
  place: string
  body: JsonObject
  /** The section of the document that it stands in; undefined for what another resource refers to. */
  section?: string
}

/** What every resource is written with. References are `Type/id`. */
export interface Visit {
  patient: string
  encounter: string | undefined
  doctor: string | undefined
  date: string
  /** Returns the reference to the resource that a draft will be. */
  referenceTo(draft: Draft): string
}

/** Sections that NRCeS has no place for in a record: its profiles leave them open at the end. */
export const EXTRA: Readonly<Record<string, SectionKind>> = {
  CurrentMedications: { name: 'CurrentMedications', title: 'Current Medications', rules: [] },
  Immunizations: { name: 'Immunizations', title: 'Immunizations', rules: [] },
  InvestigationResults: { name: 'InvestigationResults', title: 'Investigation Results', rules: [] },
  Plan: { name: 'Plan', title: 'Care Plan', rules: [] },
}

type Maker = (input: Input, visit: Visit, missing: Missing) => Draft[]

const about = ({ patient, encounter }: Visit): JsonObject => ({
  subject: { reference: patient },
  ...(encounter !== undefined && { encounter: { reference: encounter } }),
})
const status = (system: string, code: string, display: string): JsonObject => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code, display }],
})
const ACTIVE = status('condition-clinical', 'active', 'Active')

/** Returns one draft for each line of a section. */
const each = (
  input: Input,
  name: string,
  draft: (line: string, place: string) => Omit<Draft, 'place'>,
): Draft[] =>
  linesOf(input.sections, name).map((line, index) => {
    const place = `${name}/${index}`
    return { ...draft(line, place), place }
  })

const complaints: Maker = (input, visit) =>
  each(input, 'chiefComplaints', line => ({
    type: 'Condition',
    section: 'ChiefComplaints',
    body: { clinicalStatus: ACTIVE, code: { text: line }, ...about(visit), recordedDate: visit.date },
  }))

const diagnoses: Maker = (input, visit) =>
  each(input, 'conditions', line => ({
    type: 'Condition',
    section: 'ChiefComplaints',
    body: {
      clinicalStatus: ACTIVE,
      category: [status('condition-category', 'encounter-diagnosis', 'Encounter Diagnosis')],
      code: { text: line },
      ...about(visit),
      recordedDate: visit.date,
    },
  }))

const observation = (line: string, visit: Visit, kind: string, concept = false): JsonObject => ({
  status: 'final',
  ...measured(line, kind, concept),
  ...about(visit),
  effectiveDateTime: visit.date,
})

const examination: Maker = (input, visit) =>
  each(input, 'physicalExamination', line => ({
    type: 'Observation',
    section: 'PhysicalExamination',
    body: observation(line, visit, 'exam'),
  }))

const history: Maker = (input, visit) =>
  rowsOf(input.sections, 'medicalHistory').flatMap((row, index) => {
    const [condition, procedure] = [text(row.condition), text(row.procedure)]
    const subject = { subject: { reference: visit.patient } }
    const drafts: Draft[] = []
    if (condition)
      drafts.push({
        type: 'Condition',
        place: `medicalHistory/${index}/condition`,
        section: 'MedicalHistory',
        body: {
          clinicalStatus: ACTIVE,
          category: [status('condition-category', 'problem-list-item', 'Problem List Item')],
          code: { text: condition },
          ...subject,
          recordedDate: visit.date,
        },
      })
    if (procedure)
      drafts.push({
        type: 'Procedure',
        place: `medicalHistory/${index}/procedure`,
        section: 'MedicalHistory',
        body: { status: 'completed', code: { text: procedure }, ...subject },
      })
    return drafts
  })

/** Relations by the words for them: code and display of v3-RoleCode. */
const RELATIONS: Readonly<Record<string, string>> = {
  father: 'FTH',
  mother: 'MTH',
  brother: 'BRO',
  sister: 'SIS',
  son: 'SONC',
  daughter: 'DAUC',
  grandfather: 'GRFTH',
  grandmother: 'GRMTH',
  uncle: 'UNCLE',
  aunt: 'AUNT',
}

const family: Maker = (input, visit, missing) =>
  rowsOf(input.sections, 'familyHistory').flatMap((row, index): Draft[] => {
    const [relation, condition] = [text(row.relation), text(row.condition)]
    if (!relation || !condition) {
      missing.say(
        'sections',
        `sections.familyHistory[${index}]`,
        'FamilyMemberHistory.condition',
        `relation and condition are both needed in familyHistory[${index}]. Send them`,
      )
      return []
    }
    const word = relation.trim().toLowerCase()
    const code = Object.hasOwn(RELATIONS, word) ? RELATIONS[word]! : undefined
    return [
      {
        type: 'FamilyMemberHistory',
        place: `familyHistory/${index}`,
        section: 'FamilyHistory',
        body: {
          status: 'completed',
          patient: { reference: visit.patient },
          date: visit.date,
          relationship: {
            ...(code && {
              coding: [
                {
                  system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode',
                  code,
                  display: code === 'SONC' ? 'son' : code === 'DAUC' ? 'daughter' : word,
                },
              ],
            }),
            text: relation,
          },
          condition: [{ code: { text: condition } }],
        },
      },
    ]
  })

const procedures: Maker = (input, visit, missing) =>
  rowsOf(input.sections, 'currentProcedures').flatMap((row, index): Draft[] => {
    const [description, complications] = [text(row.description), text(row.complications)]
    if (!description) {
      missing.say(
        'sections',
        `sections.currentProcedures[${index}].description`,
        'Procedure.code',
        `description is missing in currentProcedures[${index}]. Send it`,
      )
      return []
    }
    return [
      {
        type: 'Procedure',
        place: `currentProcedures/${index}`,
        section: input.hiType === 'OPConsultation' ? 'Procedure' : 'Procedures',
        body: {
          status: 'completed',
          code: { text: description },
          ...about(visit),
          performedDateTime: visit.date,
          ...(complications && { complication: [{ text: complications }] }),
        },
      },
    ]
  })

const taken: Maker = (input, visit) =>
  each(input, 'currentMedications', line => ({
    type: 'MedicationStatement',
    section: input.hiType === 'OPConsultation' ? 'Medications' : 'CurrentMedications',
    body: {
      status: 'active',
      medicationCodeableConcept: { text: line },
      subject: { reference: visit.patient },
      ...(visit.encounter && { context: { reference: visit.encounter } }),
      dateAsserted: visit.date,
    },
  }))

/** `name, how to take it`: where there is no comma, the words hold both. */
const prescribed: Maker = (input, visit) =>
  each(input, 'prescribedMedications', line => {
    const comma = line.indexOf(',')
    const name = comma < 0 ? line : line.slice(0, comma).trim()
    const dosage = comma < 0 ? line : line.slice(comma + 1).trim()
    return {
      type: 'MedicationRequest',
      section: input.hiType === 'Prescription' ? 'Prescription' : 'Medications',
      body: {
        status: 'active',
        intent: 'order',
        medicationCodeableConcept: { text: name },
        ...about(visit),
        authoredOn: visit.date,
        ...(visit.doctor && { requester: { reference: visit.doctor } }),
        dosageInstruction: [{ text: dosage === '' ? line : dosage }],
      },
    }
  })

const allergies: Maker = (input, visit) =>
  each(input, 'allergies', line => ({
    type: 'AllergyIntolerance',
    section: 'Allergies',
    body: {
      clinicalStatus: status('allergyintolerance-clinical', 'active', 'Active'),
      code: { text: line },
      patient: { reference: visit.patient },
      ...(visit.encounter && { encounter: { reference: visit.encounter } }),
      recordedDate: visit.date,
    },
  }))

const DATE = /^\d{4}-\d{2}-\d{2}(?:T[0-9:.]+(?:Z|[+-]\d{2}:\d{2}))?$/

/** `vaccine, date, dose`: a shot without its date is none that a record can hold. */
const immunizations: Maker = (input, visit, missing) =>
  linesOf(input.sections, 'immunizations').flatMap((line, index): Draft[] => {
    const parts = line.split(',').map(part => part.trim())
    const date = parts.find(part => DATE.test(part))
    const dose = parts.find(part => /^(?:dose )?[1-9]\d?$/i.test(part))
    if (date === undefined) {
      missing.say(
        'sections',
        `sections.immunizations[${index}]`,
        'Immunization.occurrenceDateTime',
        `immunizations[${index}] has no date. Send it as: vaccine, 2026-11-21, dose 1`,
      )
      return []
    }
    const name = parts.filter(part => part !== date && part !== dose).join(', ')
    return [
      {
        type: 'Immunization',
        place: `immunizations/${index}`,
        section: input.hiType === 'ImmunizationRecord' ? 'Immunization' : 'Immunizations',
        body: {
          status: 'completed',
          vaccineCode: { text: name },
          patient: { reference: visit.patient },
          ...(visit.encounter && { encounter: { reference: visit.encounter } }),
          occurrenceDateTime: date,
          ...(dose && { protocolApplied: [{ doseNumberString: dose.replace(/^dose /i, '') }] }),
        },
      },
    ]
  })

/**
 * Care plan, advice and what is to follow are one plan. A follow-up is no Appointment: that has a start and an end to the minute, which
 * nobody said.
 */
const plan: Maker = (input, visit) => {
  const advice = linesOf(input.sections, 'advisoryNotes')
  const activities = [
    ...linesOf(input.sections, 'carePlan').map(description => ({ status: 'scheduled', description })),
    ...linesOf(input.sections, 'followUp').map(line => ({
      status: 'scheduled',
      ...(DATE.test(line) && { scheduledPeriod: { start: line, end: line } }),
      description: `Follow-up: ${line}`,
    })),
  ]
  if (activities.length + advice.length === 0) return []
  return [
    {
      type: 'CarePlan',
      place: 'carePlan',
      section: input.hiType === 'DischargeSummary' ? 'CarePlan' : 'Plan',
      body: {
        status: 'active',
        intent: 'plan',
        ...about(visit),
        created: visit.date,
        ...(visit.doctor && { author: { reference: visit.doctor } }),
        ...(activities.length > 0 && { activity: activities.map(detail => ({ detail })) }),
        ...(advice.length > 0 && { note: advice.map(line => ({ text: line })) }),
      },
    },
  ]
}

const REPORT_STATUSES = new Set([
  'registered',
  'partial',
  'preliminary',
  'final',
  'amended',
  'corrected',
  'appended',
])

/** One object of results: an own report where it says its conclusion, single observations otherwise. */
const results: Maker = (input, visit, missing) =>
  ['investigations', 'labReports'].flatMap(name =>
    rowsOf(input.sections, name).flatMap((row, index): Draft[] => {
      const lines = linesOf(new Map<string, Json>(Object.entries(row) as [string, Json][]), 'observations')
      const date = text(row.recordedDate) ?? visit.date
      const observations = lines.map(
        (line, number): Draft => ({
          type: 'Observation',
          place: `${name}/${index}/${number}`,
          body: { ...observation(line, visit, 'laboratory'), effectiveDateTime: date },
        }),
      )
      const conclusion = text(row.conclusion)
      const stated = (text(row.status) ?? 'final').toLowerCase()
      if (name === 'investigations' && !conclusion)
        return observations.map(one => ({ ...one, section: 'InvestigationResults' }))
      if (!conclusion)
        missing.say(
          'sections',
          'sections.lab_reports.conclusion',
          'DiagnosticReport.conclusion',
          'conclusion is missing in lab_reports. Send it',
        )
      const title = text(row.category) ?? 'Investigations'
      const report: Draft = {
        type: 'DiagnosticReport',
        place: `${name}/${index}`,
        section: input.hiType === 'DischargeSummary' ? 'Investigations' : 'DiagnosticReport',
        body: {
          status: REPORT_STATUSES.has(stated) ? stated : stated === 'completed' ? 'final' : 'unknown',
          category: [{ text: title }],
          code: { text: title },
          ...about(visit),
          effectiveDateTime: date,
          issued: instantOf(date),
          ...(visit.doctor && { resultsInterpreter: [{ reference: visit.doctor }] }),
          ...(observations.length > 0 && {
            result: observations.map(one => ({ reference: visit.referenceTo(one) })),
          }),
          ...(conclusion && { conclusion }),
        },
      }
      return [...observations, report]
    }),
  )

const instantOf = (date: string): string | undefined =>
  /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(date) ? date : undefined

const MEASUREMENTS: readonly [name: string, section: string, kind: string, concept?: true][] = [
  ['vitalSigns', 'VitalSigns', 'vital-signs'],
  ['bodyMeasurements', 'BodyMeasurement', 'vital-signs'],
  ['physicalActivities', 'PhysicalActivity', 'activity'],
  ['womenHealth', 'WomenHealth', 'survey'],
  ['lifeStyle', 'Lifestyle', 'social-history', true],
  ['others', 'OtherObservations', 'survey'],
]

const measurements: Maker = (input, visit) =>
  MEASUREMENTS.flatMap(([name, section, kind, concept]) =>
    each(input, name, line => ({
      type: 'Observation',
      section,
      body: observation(line, visit, kind, concept),
    })),
  )

/** Which sections each kind of record has. */
const CONSULTATION: readonly Maker[] = [
  complaints,
  diagnoses,
  examination,
  history,
  family,
  procedures,
  taken,
  prescribed,
  allergies,
  immunizations,
  plan,
]

export const MAKERS: Partial<Record<HiType, readonly Maker[]>> = {
  OPConsultation: CONSULTATION,
  DischargeSummary: [...CONSULTATION, results],
  Prescription: [prescribed],
  DiagnosticReport: [results],
  ImmunizationRecord: [immunizations],
  WellnessRecord: [measurements],
}

const VISIT: readonly string[] = [
  'chiefComplaints',
  'conditions',
  'physicalExamination',
  'medicalHistory',
  'familyHistory',
  'currentProcedures',
  'currentMedications',
  'prescribedMedications',
  'allergies',
  'immunizations',
  'advisoryNotes',
  'carePlan',
  'followUp',
]

/** Names of sections that a kind of record takes, as they stand in `SECTIONS`. */
export const TAKES: Partial<Record<HiType, readonly string[]>> = {
  OPConsultation: VISIT,
  DischargeSummary: [...VISIT, 'investigations'],
  Prescription: ['prescribedMedications'],
  DiagnosticReport: ['labReports'],
  ImmunizationRecord: ['immunizations'],
  WellnessRecord: MEASUREMENTS.map(([name]) => name),
}
