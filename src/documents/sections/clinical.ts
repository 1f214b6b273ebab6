/** The resources of clinical sections: what was sent, in its words, as FHIR. Codes stand only where the words leave no doubt. */
import { text } from '../../fhir/tree.ts'
import { about, type Draft, each, type Maker, status } from './draft.ts'
import { linesOf, rowsOf } from './input.ts'
import { observation } from './results.ts'

const ACTIVE = status('condition-clinical', 'active', 'Active')

export const complaints: Maker = (input, visit) =>
  each(input, 'chiefComplaints', line => ({
    type: 'Condition',
    section: 'ChiefComplaints',
    body: { clinicalStatus: ACTIVE, code: { text: line }, ...about(visit), recordedDate: visit.date },
  }))

export const diagnoses: Maker = (input, visit) =>
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

export const examination: Maker = (input, visit) =>
  each(input, 'physicalExamination', line => ({
    type: 'Observation',
    section: 'PhysicalExamination',
    body: observation(line, visit, 'exam'),
  }))

export const history: Maker = (input, visit) =>
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

export const family: Maker = (input, visit, missing) =>
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

export const procedures: Maker = (input, visit, missing) =>
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

export const taken: Maker = (input, visit) =>
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
export const prescribed: Maker = (input, visit) =>
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

export const allergies: Maker = (input, visit) =>
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
export const immunizations: Maker = (input, visit, missing) =>
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
export const plan: Maker = (input, visit) => {
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
