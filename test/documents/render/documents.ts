/** Small documents made by hand for the tests of the renderings; nobody in them exists. */
import { parseJson, type Resource } from '../../../src/fhir/json.ts'

// biome-ignore lint/suspicious/noExplicitAny: trees of any shape, as they are sent
type Any = any

/** Returns a tree in which numbers keep their text, as from a body. */
export const resource = (value: object): Resource => parseJson(JSON.stringify(value)) as Resource

const PATIENT = {
  resourceType: 'Patient',
  id: 'meera',
  name: [{ use: 'official', text: 'Meera Krishnan' }, { text: 'മീര കൃഷ്ണൻ' }],
  gender: 'female',
  birthDate: '1991-08-20',
  identifier: [
    {
      type: {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/v2-0203',
            code: 'MR',
          },
        ],
      },
      system: 'https://healthid.abdm.gov.in',
      value: '91000000000001',
    },
    {
      type: { coding: [{ code: 'ABHA' }] },
      system: 'https://healthid.abdm.gov.in',
      value: 'meera@sbx',
    },
    {
      type: { coding: [{ code: 'MR' }] },
      system: 'https://thanal.example.org/uhid',
      value: 'TH-000123',
    },
  ],
  telecom: [{ system: 'phone', value: '+91 00000 00023' }],
  address: [
    {
      line: ['12 Temple Road'],
      city: 'Kochi',
      state: 'Kerala',
      postalCode: '682001',
    },
  ],
}

const ORGANIZATION = {
  resourceType: 'Organization',
  id: 'thanal',
  name: 'Thanal Family Clinic',
  alias: ['തണൽ ഫാമിലി ക്ലിനിക്'],
  identifier: [{ system: 'https://facility.abdm.gov.in', value: 'IN3200000001' }],
  telecom: [
    { system: 'phone', value: '+91 00000 00001' },
    { system: 'email', value: 'desk@thanal.example.org' },
  ],
  address: [
    {
      line: ['1 Banyan Lane, Fort Road'],
      city: 'Thrippunithura',
      district: 'Ernakulam',
      state: 'Kerala',
      postalCode: '682301',
    },
  ],
}

const PRACTITIONER = {
  resourceType: 'Practitioner',
  id: 'anjali',
  name: [{ text: 'Dr. Anjali Menon' }],
  identifier: [{ system: 'https://doctor.abdm.gov.in', value: '71-0000-0000-0001' }],
  qualification: [
    {
      code: { text: 'MBBS, MD (General Medicine)' },
      identifier: [{ type: { text: 'TCMC Reg. No.' }, value: '00001' }],
    },
  ],
}

const ENCOUNTER = {
  resourceType: 'Encounter',
  id: 'visit',
  status: 'finished',
  class: { code: 'AMB', display: 'Ambulatory' },
  identifier: [{ value: 'OP-2026-00042' }],
  period: { start: '2026-03-14T04:45:00Z', end: '2026-03-14T05:10:00Z' },
}

/** Members that R4 asks of these types, and that nothing here shows. */
const ABOUT: Record<string, object> = {
  AllergyIntolerance: { patient: { reference: 'Patient/meera' } },
  FamilyMemberHistory: { patient: { reference: 'Patient/meera' } },
  Condition: { subject: { reference: 'Patient/meera' } },
  MedicationRequest: { subject: { reference: 'Patient/meera' } },
  ServiceRequest: { subject: { reference: 'Patient/meera' } },
}

/** Returns a document with these sections; `entry` names resources of `more` by `Type/id`. */
export function documentOf(sections: Any[], more: Any[] = [], composition: object = {}): Resource {
  const first = {
    resourceType: 'Composition',
    id: 'doc',
    status: 'final',
    type: { text: 'Clinical consultation report' },
    title: 'OP Consultation Record',
    date: '2026-03-14T05:00:00Z',
    subject: { reference: 'Patient/meera' },
    encounter: { reference: 'Encounter/visit' },
    author: [{ reference: 'Practitioner/anjali' }],
    custodian: { reference: 'Organization/thanal' },
    section: sections.map(({ entry, ...section }) => ({
      ...section,
      ...(entry ? { entry: entry.map((reference: string) => ({ reference })) } : {}),
    })),
    ...composition,
  }
  return resource({
    resourceType: 'Bundle',
    id: 'doc-1',
    type: 'document',
    identifier: {
      system: 'urn:ietf:rfc:3986',
      value: 'urn:uuid:7b9a3c52-0001-4c00-8000-000000000001',
    },
    timestamp: '2026-03-14T05:12:00Z',
    entry: [first, PATIENT, ORGANIZATION, PRACTITIONER, ENCOUNTER, ...more].map(each => ({
      fullUrl: `https://thanal.example.org/fhir/${each.resourceType}/${each.id}`,
      resource: { ...each, ...ABOUT[each.resourceType] },
    })),
  })
}

const quantity = (value: number, unit: string) => ({ value, unit })
const concept = (text: string) => ({ text })

/** A consultation with every kind of section that one has, in English and Malayalam. */
export function consultation(): Resource {
  const more: Any[] = [
    {
      resourceType: 'Condition',
      id: 'c1',
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
      },
      code: concept('പനി (Fever)'),
      onsetDateTime: '2026-03-11',
      severity: concept('Moderate'),
    },
    {
      resourceType: 'Condition',
      id: 'c2',
      verificationStatus: {
        coding: [
          { system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'entered-in-error' },
        ],
      },
      code: concept('Dengue fever'),
    },
    {
      resourceType: 'AllergyIntolerance',
      id: 'a1',
      code: concept('Penicillin'),
      criticality: 'high',
      category: ['medication'],
      reaction: [{ manifestation: [concept('Urticaria')], severity: 'moderate' }],
    },
    {
      resourceType: 'Observation',
      id: 'o1',
      status: 'final',
      code: concept('Blood pressure'),
      effectiveDateTime: '2026-03-14T04:50:00Z',
      component: [
        {
          code: { coding: [{ code: '8480-6' }] },
          valueQuantity: quantity(118, 'mmHg'),
        },
        {
          code: { coding: [{ code: '8462-4' }] },
          valueQuantity: quantity(76, 'mmHg'),
        },
      ],
    },
    {
      resourceType: 'Observation',
      id: 'o2',
      status: 'final',
      code: concept('Body temperature'),
      effectiveDateTime: '2026-03-14T04:50:00Z',
      valueQuantity: quantity(38.6, '°C'),
      referenceRange: [{ low: quantity(36.1, '°C'), high: quantity(37.2, '°C') }],
    },
    {
      resourceType: 'MedicationRequest',
      id: 'm1',
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: concept('Tab. Paracetamol 500 mg'),
      reasonCode: [concept('പനി')],
      dosageInstruction: [
        {
          timing: {
            repeat: {
              frequency: 3,
              period: 1,
              periodUnit: 'd',
              when: ['PC'],
              boundsDuration: { value: 5, code: 'd' },
            },
          },
          doseAndRate: [{ doseQuantity: quantity(1, 'tablet') }],
          patientInstruction: 'ദിവസം 3 നേരം ഭക്ഷണത്തിനു ശേഷം',
        },
      ],
    },
    {
      resourceType: 'MedicationRequest',
      id: 'm2',
      status: 'stopped',
      intent: 'order',
      medicationCodeableConcept: concept('Cap. Amoxicillin 500 mg'),
      dosageInstruction: [{ text: '1-0-1 for 5 days' }],
    },
    {
      resourceType: 'ServiceRequest',
      id: 's1',
      status: 'active',
      intent: 'order',
      code: concept('Complete blood count'),
      priority: 'urgent',
    },
    {
      resourceType: 'Appointment',
      id: 'f1',
      status: 'booked',
      start: '2026-03-19T04:30:00Z',
      participant: [{ actor: { reference: 'Practitioner/anjali' }, status: 'accepted' }],
    },
    {
      resourceType: 'FamilyMemberHistory',
      id: 'h1',
      status: 'completed',
      relationship: concept('Father'),
      condition: [
        {
          code: concept('Type 2 diabetes mellitus'),
          onsetAge: { value: 48, code: 'a' },
        },
      ],
    },
  ]
  return documentOf(
    [
      { title: 'Chief complaints', entry: ['Condition/c1', 'Condition/c2'] },
      {
        title: 'Physical examination',
        entry: ['Observation/o1', 'Observation/o2'],
      },
      { title: 'Allergies', entry: ['AllergyIntolerance/a1'] },
      { title: 'Family history', entry: ['FamilyMemberHistory/h1'] },
      {
        title: 'Medications',
        entry: ['MedicationRequest/m1', 'MedicationRequest/m2'],
      },
      { title: 'Investigation advice', entry: ['ServiceRequest/s1'] },
      { title: 'Follow up', entry: ['Appointment/f1'] },
    ],
    more,
  )
}

/** An invoice with a discount and taxes: 110000 - 10000 + 2500 + 2500 = 105000, and 500 beside it. */
export function invoiced(): Resource {
  const part = (type: string, value: string, code: string) => ({
    type,
    code: concept(code),
    amount: { value: Number(value), currency: 'INR' },
  })
  return documentOf(
    [{ title: 'Invoice', entry: ['Invoice/i1'] }],
    [
      {
        resourceType: 'Invoice',
        id: 'i1',
        status: 'issued',
        identifier: [{ value: 'INV-0042' }],
        date: '2026-03-14T05:15:00Z',
        lineItem: [
          {
            chargeItemCodeableConcept: concept('Consultation'),
            priceComponent: [part('base', '500', 'Rate')],
          },
          {
            chargeItemCodeableConcept: concept('Knee replacement implant'),
            priceComponent: [
              part('base', '110000', 'Rate'),
              part('discount', '10000', 'Discount'),
              part('tax', '2500', 'CGST'),
              part('tax', '2500', 'SGST'),
            ],
          },
        ],
        totalNet: { value: 100500, currency: 'INR' },
        totalGross: { value: 105500, currency: 'INR' },
      },
    ],
    { title: 'Invoice', type: { text: 'Invoice Record' } },
  )
}
