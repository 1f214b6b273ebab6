/**
 * The eight records of ABDM have the types and sections that gateways look for. The table is written out by hand.
 */
import { describe, expect, it } from 'vitest'
import { type Element, NRCES, ours } from './definitions.ts'

const SNOMED = 'http://snomed.info/sct'

interface Section {
  code?: string
  display?: string
  title?: string
  entries: string
}

interface Record {
  type: { code?: string; display?: string; text?: string }
  encounter: 0 | 1
  sections: { [slice: string]: Section }
}

const RECORDS: { [id: string]: Record } = {
  OPConsultRecord: {
    type: { code: '371530004', display: 'Clinical consultation report' },
    encounter: 1,
    sections: {
      ChiefComplaints: { code: '422843007', display: 'Chief complaint section', entries: 'Condition' },
      PhysicalExamination: { code: '425044008', display: 'Physical exam section', entries: 'Observation' },
      Allergies: { code: '722446000', display: 'Allergy record', entries: 'AllergyIntolerance' },
      MedicalHistory: {
        code: '371529009',
        display: 'History and physical report',
        entries: 'Condition Procedure',
      },
      FamilyHistory: { code: '422432008', display: 'Family history section', entries: 'FamilyMemberHistory' },
      InvestigationAdvice: { code: '721963009', display: 'Order document', entries: 'ServiceRequest' },
      Medications: {
        code: '721912009',
        display: 'Medication summary document',
        entries: 'MedicationRequest MedicationStatement',
      },
      FollowUp: { code: '390906007', display: 'Follow-up encounter', entries: 'Appointment' },
      Procedure: { code: '371525003', display: 'Clinical procedure report', entries: 'Procedure' },
      Referral: { code: '306206005', display: 'Referral to service', entries: 'ServiceRequest' },
      OtherObservations: { code: '404684003', display: 'Clinical finding', entries: 'Observation' },
      DocumentReference: {
        code: '371530004',
        display: 'Clinical consultation report',
        entries: 'DocumentReference',
      },
    },
  },
  DischargeSummaryRecord: {
    type: { code: '373942005', display: 'Discharge summary' },
    encounter: 1,
    sections: {
      ChiefComplaints: { code: '422843007', display: 'Chief complaint section', entries: 'Condition' },
      PhysicalExamination: { code: '425044008', display: 'Physical exam section', entries: 'Observation' },
      Allergies: { code: '722446000', display: 'Allergy record', entries: 'AllergyIntolerance' },
      MedicalHistory: {
        code: '1003642006',
        display: 'Past medical history section',
        entries: 'Condition Procedure',
      },
      FamilyHistory: { code: '422432008', display: 'Family history section', entries: 'FamilyMemberHistory' },
      Investigations: {
        code: '721981007',
        display: 'Diagnostic studies report',
        entries: 'DiagnosticReportImaging DiagnosticReportLab',
      },
      Medications: {
        code: '1003606003',
        display: 'Medication history section',
        entries: 'MedicationRequest',
      },
      Procedures: { code: '1003640003', display: 'History of past procedure section', entries: 'Procedure' },
      CarePlan: { code: '734163000', display: 'Care plan', entries: 'CarePlan' },
      DocumentReference: { code: '373942005', display: 'Discharge summary', entries: 'DocumentReference' },
    },
  },
  WellnessRecord: {
    type: { text: 'Wellness Record' },
    encounter: 0,
    sections: {
      VitalSigns: { title: 'Vital Signs', entries: 'ObservationVitalSigns' },
      BodyMeasurement: { title: 'Body Measurement', entries: 'ObservationBodyMeasurement' },
      PhysicalActivity: { title: 'Physical Activity', entries: 'ObservationPhysicalActivity' },
      GeneralAssessment: { title: 'General Assessment', entries: 'ObservationGeneralAssessment' },
      WomenHealth: { title: 'Women Health', entries: 'ObservationWomenHealth' },
      Lifestyle: { title: 'Lifestyle', entries: 'ObservationLifestyle' },
      OtherObservations: { title: 'Other Observations', entries: 'Condition Observation' },
      DocumentReference: { title: 'Document Reference', entries: 'DocumentReference' },
    },
  },
}

/** Records of one section: its code, and its entries by `reference.type` with how many there may be. */
const SINGLE: {
  [id: string]: {
    type: { code?: string; display?: string; text?: string }
    section: { code?: string; display?: string }
    entries: { [type: string]: [max: string, targets: string] }
  }
} = {
  PrescriptionRecord: {
    type: { code: '440545006', display: 'Prescription record' },
    section: { code: '440545006', display: 'Prescription record' },
    entries: { MedicationRequest: ['*', 'MedicationRequest'], Binary: ['1', 'Binary'] },
  },
  DiagnosticReportRecord: {
    type: {},
    section: {},
    entries: {
      DiagnosticReport: ['1', 'DiagnosticReportImaging DiagnosticReportLab'],
      DocumentReference: ['1', 'DocumentReference'],
    },
  },
  ImmunizationRecord: {
    type: { code: '41000179103', display: 'Immunization record' },
    section: { code: '41000179103', display: 'Immunization record' },
    entries: {
      Immunization: ['*', 'Immunization'],
      ImmunizationRecommendation: ['1', 'ImmunizationRecommendation'],
      DocumentReference: ['*', 'DocumentReference'],
    },
  },
  InvoiceRecord: { type: { text: 'Invoice Record' }, section: {}, entries: { Invoice: ['1', 'Invoice'] } },
}

const elementsOf = (id: string): Map<string, Element> =>
  new Map(ours.get(`${NRCES}/StructureDefinition/${id}`)!.differential!.element.map(one => [one.id, one]))

const targets = (element: Element | undefined): string =>
  (element?.type ?? [])
    .flatMap(one => one.targetProfile ?? [])
    .map(url => url.split('/').at(-1))
    .sort()
    .join(' ')

const codingAt = (elements: Map<string, Element>, path: string): { code?: string; display?: string } => ({
  ...(elements.has(`${path}.coding.code`) && {
    code: elements.get(`${path}.coding.code`)?.fixedCode as string,
    display: elements.get(`${path}.coding.display`)?.fixedString as string,
  }),
})

function typeOf(elements: Map<string, Element>) {
  const text = elements.get('Composition.type.text')?.fixedString
  return { ...codingAt(elements, 'Composition.type'), ...(text !== undefined && { text }) }
}

describe.each(Object.entries(RECORDS))('%s', (id, { type, encounter, sections }) => {
  const elements = elementsOf(id)

  it('has its type, and an encounter where it must', () => {
    expect(typeOf(elements)).toEqual(type)
    expect(elements.get('Composition.encounter')?.min ?? 0).toBe(encounter)
  })

  it('has its sections and no others, each once at most, with what may stand in them', () => {
    const found: { [slice: string]: Section } = {}
    for (const { sliceName, id: at, max } of elements.values()) {
      if (sliceName === undefined) continue
      expect(max, at).toBe('1')
      const title = elements.get(`${at}.title`)?.fixedString as string | undefined
      found[sliceName] = {
        ...(title === undefined ? codingAt(elements, `${at}.code`) : { title }),
        entries: targets(elements.get(`${at}.entry`)),
      }
    }
    expect(found).toEqual(sections)
  })

  it('tells its sections apart, and lets others follow them', () => {
    const [path, system] = id === 'WellnessRecord' ? ['title', undefined] : ['code.coding.code', SNOMED]
    expect(elements.get('Composition.section')).toMatchObject({
      min: 1,
      slicing: { discriminator: [{ type: 'value', path }], rules: 'openAtEnd' },
    })
    for (const slice of Object.keys(sections)) {
      const at = `Composition.section:${slice}`
      expect(elements.get(`${at}.code.coding.system`)?.fixedUri).toBe(system)
      expect(elements.get(`${at}.entry.reference`)?.min).toBe(1)
      for (const part of system ? ['system', 'code', 'display'] : [])
        expect(elements.get(`${at}.code.coding.${part}`)?.min, `${at} ${part}`).toBe(1)
    }
  })
})

describe.each(Object.entries(SINGLE))('%s', (id, { type, section, entries }) => {
  const elements = elementsOf(id)

  it('has its type and one section with its code', () => {
    expect(typeOf(elements)).toEqual(type)
    expect(elements.get('Composition.section')).toMatchObject({ min: 1, max: '1' })
    expect(codingAt(elements, 'Composition.section.code')).toEqual(section)
  })

  it('tells its entries apart by the type of the reference, which they must have', () => {
    expect(elements.get('Composition.section.entry')).toMatchObject({
      min: 1,
      slicing: { discriminator: [{ type: 'value', path: 'type' }], rules: 'closed' },
    })
    const found = [...elements.values()]
      .filter(one => one.sliceName)
      .map(({ sliceName, id: at, max = '*', ...one }) => {
        expect(elements.get(`${at}.type`)).toMatchObject({ min: 1, fixedUri: sliceName })
        expect(elements.get(`${at}.reference`)?.min).toBe(1)
        return [sliceName, [max, targets(one as Element)]]
      })
    expect(Object.fromEntries(found)).toEqual(entries)
  })
})

describe('HealthDocumentRecord', () => {
  const elements = elementsOf('HealthDocumentRecord')

  it('has its type and one section of documents with the same code', () => {
    const coding = { code: '419891008', display: 'Record artifact' }
    expect(typeOf(elements)).toEqual(coding)
    expect(codingAt(elements, 'Composition.section.code')).toEqual(coding)
    expect(elements.get('Composition.section')).toMatchObject({ min: 1, max: '1' })
    expect(targets(elements.get('Composition.section.entry'))).toBe('DocumentReference')
    expect(elements.get('Composition.section.entry')?.min).toBe(1)
  })
})

describe('every record', () => {
  it.each([...Object.keys(RECORDS), ...Object.keys(SINGLE), 'HealthDocumentRecord'])(
    '%s is about a patient whom it refers to',
    id => {
      const elements = elementsOf(id)
      expect(elements.get('Composition.subject')?.min).toBe(1)
      expect(elements.get('Composition.subject.reference')?.min).toBe(1)
      expect(targets(elements.get('Composition.subject'))).toBe('Patient')
    },
  )
})
