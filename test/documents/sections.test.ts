/** $document-from-sections as a client calls it. */
import { describe, expect, it } from 'vitest'
import { hapi, hapiMessages, OFFICIAL } from '../profiles/hapi.ts'
import { WHY_NOT } from '../profiles/hapi-install.ts'
import { type Any, ask, ctx, freshClinic, params } from './clinic-app.ts'

freshClinic()

describe('Bundle/$document-from-sections', () => {
  const PATH = 'Bundle/$document-from-sections'
  const patientDetails = {
    firstName: 'Leela',
    lastName: 'Thampi',
    birthDate: '1970-02-03',
    gender: 'Female',
    mobileNumber: '+910000000999',
    address: '12 Canal Road, Alappuzha',
    pincode: '688001',
    state: 'Kerala',
    idNumber: '91-0000-0000-9918',
    idType: 'ABHA',
  }
  const doctorsDetails = [
    {
      firstName: 'Hari',
      lastName: 'Das',
      designation: 'Consultant',
      department: 'family medicine',
      registrationId: 'TCMC-0000',
    },
  ]
  const visit = {
    chiefComplaints: ['Headache for a week'],
    physicalExamination: 'Blood pressure, 150/94, mmHg\nPulse, 82, /min\nThroat, clear',
    medicalHistory: [{ condition: 'Migraine' }, { procedure: 'Caesarean section 1998' }],
    familyHistory: [{ relation: 'Mother', condition: 'Hypertension' }],
    condtions: ['Essential hypertension'],
    currentProcedures: [{ description: 'ECG', complications: 'none' }],
    currentMedications: ['Sumatriptan when needed'],
    prescribedMedications: ['Amlodipine 5 mg, once a day at night'],
    allergies: ['Ibuprofen'],
    immunizations: ['Tetanus toxoid, 2026-10-01, 1'],
    advisoryNotes: ['Less salt'],
    carePlan: ['Walk for half an hour'],
    followUp: ['2026-12-20'],
  }
  const report = {
    observations: ['Haemoglobin, 12.1, g/dL'],
    status: 'final',
    recordedDate: '2026-11-20T10:00:00+05:30',
    category: 'Haematology',
    conclusion: 'Normal',
  }
  const PDF = btoa('%PDF-1.4\n%%EOF\n')
  const CASES: readonly [caseType: string, payload: object, more?: object][] = [
    ['OPConsultation', visit],
    ['DischargeSummary', { ...visit, investigations: { ...report, conclusion: undefined } }],
    ['Prescription', { prescribedMedications: visit.prescribedMedications }, { documentReferences: [PDF] }],
    ['DiagnosticReport', { lab_reports: report }],
    ['Radiology Report', { lab_reports: { ...report, observations: [] } }, { documentReferences: [PDF] }],
    ['ImmunizationRecord', { immunizations: visit.immunizations }],
    ['Health Document Record', {}, { documentReferences: [`data:application/pdf;base64,${PDF}`] }],
    [
      'WellnessRecord',
      {
        vitalSigns: ['Pulse, 70, /min', 'BP, 120/80, mmHg'],
        bodyMeasurements: ['Weight, 60, kg'],
        physicalActivities: ['Steps, 8000'],
        womenHealth: ['Last period, 2026-11-01'],
        lifeStyle: ['Never smoked'],
        others: ['Mood, good'],
      },
    ],
  ]
  const sent = (caseType: string, payload: object, more: object = {}) =>
    params({
      sections: JSON.stringify({
        caseType,
        recordId: 'r1',
        date: '2026-11-21T10:00:00+05:30',
        patientDetails,
        doctorsDetails,
        dto: { payload },
        ...more,
      }),
      custodian: 'Organization/thanal',
      persist: true,
    })

  it.each(CASES)(
    'stores a %s with the resources it is made of, and the same again as the same',
    async (caseType, payload, more) => {
      const first = await ask('POST', PATH, sent(caseType, payload, more))
      expect(first.status, first.text).toBe(201)
      const { body: patients } = await ask('GET', 'Patient?identifier=91-0000-0000-9918')
      expect(patients.total).toBe(1)
      ctx.pass(60_000)
      const again = await ask('POST', PATH, sent(caseType, payload, more))
      expect([again.status, again.text]).toEqual([200, first.text])
      const { body: whole } = await ask('GET', `Patient/${patients.entry[0].resource.id}/_history`)
      expect(whole.entry).toHaveLength(1)
    },
  )

  it('puts every section where the record has it', async () => {
    const { body } = await ask('POST', PATH, sent('OPConsultation', visit))
    const by = new Map(body.entry.map((one: Any) => [one.fullUrl, one.resource]))
    const shown = body.entry[0].resource.section.map((one: Any) => [
      one.title,
      one.entry.map((entry: Any) => (by.get(entry.reference) as Any).resourceType),
    ])
    expect(shown).toEqual([
      ['Chief Complaints and Diagnoses', ['Condition', 'Condition']],
      ['Physical Examination', ['Observation', 'Observation', 'Observation']],
      ['Allergies', ['AllergyIntolerance']],
      ['Medical History', ['Condition', 'Procedure']],
      ['Family History', ['FamilyMemberHistory']],
      ['Medications', ['MedicationStatement', 'MedicationRequest']],
      ['Procedures', ['Procedure']],
      ['Immunizations', ['Immunization']],
      ['Care Plan', ['CarePlan']],
    ])
    const values = [...by.values()].filter((one: Any) => one.resourceType === 'Observation') as Any[]
    expect(values.map(one => one.code.coding?.[0]?.code)).toEqual(['85354-9', '8867-4', undefined])
    expect(values[2].valueString).toBe('clear')
  })

  it('gives the next version where the same record is sent changed', async () => {
    const first = await ask('POST', PATH, sent('Prescription', { prescribedMedications: ['A, once a day'] }))
    const second = await ask(
      'POST',
      PATH,
      sent('Prescription', { prescribedMedications: ['A, twice a day'] }),
    )
    expect([second.body.id, second.body.meta.versionId]).toEqual([first.body.id, '2'])
    const { body } = await ask('GET', 'MedicationRequest?patient.identifier=91-0000-0000-9918')
    expect(
      body.entry.map((one: Any) => [one.resource.meta.versionId, one.resource.dosageInstruction[0].text]),
    ).toEqual([['2', 'twice a day']])
  })

  it('takes the patient and the doctor that are stored', async () => {
    const { body } = await ask(
      'POST',
      PATH,
      params({
        sections: JSON.stringify({
          caseType: 'Prescription',
          prescribedMedications: ['A, once a day'],
          date: '2026-11-21',
        }),
        patient: 'Patient/meera-nair',
        practitioner: 'Practitioner/anjali-menon',
      }),
    )
    expect(body.entry[0].resource.subject.display).toBe('Meera Nair')
    expect(body.entry[0].resource.author[0].display).toBe('Dr Anjali Menon')
  })

  it('stores nothing at all where something is missing, and says all of it', async () => {
    const before = (await ask('GET', 'Patient?_summary=count')).body.total
    const { status, body } = await ask(
      'POST',
      PATH,
      params({
        sections: JSON.stringify({
          caseType: 'OPConsultation',
          chiefComplaints: ['x'],
          immunizations: ['Tetanus'],
          patientDetails: { firstName: 'A' },
        }),
        persist: true,
      }),
    )
    expect(status).toBe(422)
    expect(body.issue.map((one: Any) => one.expression[0])).toEqual([
      'sections.patientDetails.idNumber',
      'sections.doctorsDetails',
      'sections.date',
    ])
    expect((await ask('GET', 'Patient?_summary=count')).body.total).toBe(before)
    const dateless = await ask('POST', PATH, sent('ImmunizationRecord', { immunizations: ['Tetanus'] }))
    expect([dateless.status, dateless.body.issue[0].expression]).toEqual([422, ['sections.immunizations[0]']])
    expect((await ask('GET', 'Patient?_summary=count')).body.total).toBe(before)
  })

  it('keeps no more of an Aadhaar number than its last four digits', async () => {
    const details = { ...patientDetails, idNumber: '999941057058', idType: 'AADHAAR' }
    const answer = await ask(
      'POST',
      PATH,
      sent('Prescription', { prescribedMedications: ['A'] }, { patientDetails: details }),
    )
    expect(answer.status, answer.text).toBe(201)
    expect(answer.text).not.toContain('99994105')
    expect(answer.text).toContain('XXXXXXXX7058')
  })

  const FILE = 'http.sections.documentReferences[0]'
  const file = (data: string): string =>
    JSON.stringify({ caseType: 'Health Document Record', documentReferences: [data] })
  it.each([
    ['no JSON', '{', 400, undefined],
    ['a list', '[]', 422, 'http.sections'],
    [
      'a section that there is not',
      '{"caseType":"Prescription","diagnosis":["x"]}',
      422,
      'http.sections.diagnosis',
    ],
    [
      'a section of another record',
      '{"caseType":"Prescription","vitalSigns":["x"]}',
      422,
      'http.sections.vitalSigns',
    ],
    ['a case type that there is not', '{"caseType":"Diary"}', 422, 'http.caseType'],
    ['a case type of the prototype', '{"caseType":"constructor"}', 422, 'http.caseType'],
    ['no case type', '{}', 422, 'http.caseType'],
    ['a file that is no file', file('aGVsbG8='), 422, FILE],
    ['a file that is no base64', file('%%%'), 422, FILE],
    ['a web page as a PDF', file('data:application/pdf;base64,PGh0bWw+'), 422, FILE],
    ['a picture called a PDF', file('data:application/pdf;base64,iVBORw0KGgo='), 422, FILE],
    ['nesting without end', `{"caseType":${'['.repeat(5000)}${']'.repeat(5000)}}`, 400, 'caseType'],
    [
      'a name of the prototype',
      '{"caseType":"Prescription","__proto__":["x"]}',
      422,
      'http.sections.__proto__',
    ],
    ['a constructor', '{"caseType":"Prescription","constructor":["x"]}', 422, 'http.sections.constructor'],
  ])('refuses %s, and says where it stands', async (_, sections, status, place) => {
    const { status: said, body, text } = await ask('POST', PATH, params({ sections, persist: true }))
    expect([said, body.resourceType], text).toEqual([status, 'OperationOutcome'])
    if (place !== undefined) expect(body.issue[0].expression[0]).toContain(place)
  })

  it.each([
    ['patient', 'Practitioner/anjali-menon'],
    ['practitioner', 'Patient/meera-nair'],
    ['encounter', 'Patient/meera-nair'],
    // It is of another patient.
    ['encounter', 'Encounter/encounter-02'],
    ['custodian', 'Patient/meera-nair'],
  ])('refuses %s=%s', async (name, value) => {
    const body = params({
      sections: JSON.stringify({
        caseType: 'OPConsultation',
        chiefComplaints: ['x'],
        date: '2026-11-21',
        patientDetails,
        doctorsDetails,
      }),
      [name]: value,
      ...(name === 'encounter' && { patient: 'Patient/meera-nair' }),
      persist: true,
    })
    const answer = await ask('POST', PATH, body)
    expect([answer.status, answer.body.issue[0].expression]).toEqual([400, [`http.${name}`]])
    expect((await ask('GET', 'Bundle?_summary=count')).body.total).toBe(0)
  })

  it('refuses a number where a text is wanted', async () => {
    const answer = await ask('POST', PATH, sent('Prescription', { prescribedMedications: [1] }))
    expect([answer.status, answer.body.issue[0].expression]).toEqual([
      422,
      ['http.sections.prescribedMedications[0]'],
    ])
  })

  it('takes files as Binary resources, known by their first bytes', async () => {
    const file = { resourceType: 'Binary', contentType: 'application/pdf', data: PDF }
    const { status, body } = await ask(
      'POST',
      PATH,
      params({
        sections: JSON.stringify({
          caseType: 'Health Document Record',
          date: '2026-11-21',
          patientDetails,
          doctorsDetails,
        }),
        file: [file, { ...file, contentType: 'image/png', data: 'iVBORw0KGgo=' }],
      }),
    )
    expect(status).toBe(200)
    const files = body.entry.filter((one: Any) => one.resource.resourceType === 'DocumentReference')
    expect(files.map((one: Any) => one.resource.content[0].attachment.contentType)).toEqual([
      'application/pdf',
      'image/png',
    ])
    const wrong = await ask(
      'POST',
      PATH,
      params({
        sections: JSON.stringify({
          caseType: 'Health Document Record',
          date: '2026-11-21',
          patientDetails,
          doctorsDetails,
        }),
        file: [{ ...file, contentType: 'image/png' }],
      }),
    )
    expect(wrong.status).toBe(422)
  })

  it.runIf(hapi)(
    `HAPI's validator finds no error in what the sections make${hapi ? '' : ` (skipped: ${WHY_NOT})`}`,
    async () => {
      const texts: string[] = []
      for (const [caseType, payload, more] of CASES)
        texts.push((await ask('POST', PATH, sent(caseType, payload, more))).text)
      const found = await hapiMessages(texts, OFFICIAL)
      const errors = found.map((messages, index) => [
        CASES[index]![0],
        messages.filter(({ severity }) => severity === 'error' || severity === 'fatal'),
      ])
      expect(errors).toEqual(CASES.map(([caseType]) => [caseType, []]))
    },
    180_000,
  )
})
