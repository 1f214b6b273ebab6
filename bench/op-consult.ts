/** An NRCeS OPConsultation document with any number of entries, sound against the profiles in `profiles/abdm`: what validation is measured on. */

const PROFILE = 'https://nrces.in/ndhm/fhir/r4/StructureDefinition'
const SNOMED = 'http://snomed.info/sct'

// biome-ignore lint/suspicious/noExplicitAny: tests change single members
type Tree = any

const uuid = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const coded = (code: string, display: string, system = SNOMED): Tree => ({
  coding: [{ system, code, display }],
  text: display,
})
const text = (words: string): Tree => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${words}</p></div>`,
})
const profiled = (resourceType: string, id: string, profile: string, more: Tree): Tree => ({
  resourceType,
  id,
  meta: { versionId: '1', lastUpdated: '2026-11-21T10:00:00.000+05:30', profile: [`${PROFILE}/${profile}`] },
  text: text(`${resourceType} ${id}`),
  ...more,
})
const identifier = (system: string, value: string): Tree => ({
  type: {
    coding: [
      {
        system: 'http://terminology.hl7.org/CodeSystem/v2-0203',
        code: 'MR',
        display: 'Medical record number',
      },
    ],
  },
  system,
  value,
})

const SECTIONS = [
  ['Chief complaints', '422843007', 'Chief complaint section'],
  ['Allergies', '722446000', 'Allergy record'],
  ['Physical examination', '425044008', 'Physical exam section'],
  ['Medications', '721912009', 'Medication summary document'],
] as const

/** Returns the document as plain JSON; `entries` is 8 or more. */
export function opConsult(entries: number): Tree {
  const [composition, patient, practitioner, organization, encounter] = [1, 2, 3, 4, 5].map(uuid) as [
    string,
    string,
    string,
    string,
    string,
  ]
  const subject = { reference: patient, display: 'Meera Iyer' }
  const bySection: Tree[][] = [[], [], [], []]
  const clinical: Tree[] = []
  for (let n = 6; n <= entries; n++) {
    const kind = n % 4
    const reference = uuid(n)
    bySection[kind]!.push({ reference })
    clinical.push({ fullUrl: reference, resource: CLINICAL[kind]!(`r${n}`, subject, practitioner, n) })
  }
  const head = [
    profiled('Composition', 'composition', 'OPConsultRecord', {
      language: 'en-IN',
      identifier: { system: 'https://ndhm.in/phr', value: 'c-1' },
      status: 'final',
      type: coded('371530004', 'Clinical consultation report'),
      subject,
      encounter: { reference: encounter },
      date: '2026-11-21T10:00:00+05:30',
      author: [{ reference: practitioner, display: 'Dr Asha Rao' }],
      title: 'Consultation Report',
      custodian: { reference: organization },
      section: SECTIONS.flatMap(([title, code, display], kind) =>
        bySection[kind]!.length === 0
          ? []
          : [{ title, code: { coding: [{ system: SNOMED, code, display }] }, entry: bySection[kind] }],
      ),
    }),
    profiled('Patient', 'patient', 'Patient', {
      identifier: [identifier('https://healthid.ndhm.gov.in', '91-1234-5678-9012')],
      name: [{ text: 'Meera Iyer' }],
      telecom: [{ system: 'phone', value: '+919800000000', use: 'home' }],
      gender: 'female',
      birthDate: '1988-02-29',
    }),
    profiled('Practitioner', 'practitioner', 'Practitioner', {
      identifier: [
        {
          type: {
            coding: [
              {
                system: 'http://terminology.hl7.org/CodeSystem/v2-0203',
                code: 'MD',
                display: 'Medical License number',
              },
            ],
          },
          system: 'https://doctor.ndhm.gov.in',
          value: '21-1521-3828-3227',
        },
      ],
      name: [{ text: 'Dr Asha Rao' }],
    }),
    profiled('Organization', 'organization', 'Organization', {
      identifier: [
        {
          type: {
            coding: [
              {
                system: 'http://terminology.hl7.org/CodeSystem/v2-0203',
                code: 'PRN',
                display: 'Provider number',
              },
            ],
          },
          system: 'https://facility.ndhm.gov.in',
          value: '4567878',
        },
      ],
      name: 'Sunrise Clinic',
      telecom: [{ system: 'phone', value: '+919800000001', use: 'work' }],
    }),
    profiled('Encounter', 'encounter', 'Encounter', {
      identifier: [{ system: 'https://ndhm.in', value: 'S100' }],
      status: 'finished',
      class: {
        system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
        code: 'AMB',
        display: 'ambulatory',
      },
      subject,
      period: { start: '2026-11-21T10:00:00+05:30', end: '2026-11-21T10:20:00+05:30' },
    }),
  ]
  return {
    resourceType: 'Bundle',
    id: 'op-consult',
    meta: {
      versionId: '1',
      lastUpdated: '2026-11-21T10:00:00.000+05:30',
      profile: [`${PROFILE}/DocumentBundle`],
    },
    identifier: { system: 'http://hip.in', value: 'bc3c6c57-2053-4d0e-ac40-139ccccff645' },
    type: 'document',
    timestamp: '2026-11-21T10:30:00.000+05:30',
    entry: [
      ...head.map((resource, index) => ({
        fullUrl: [composition, patient, practitioner, organization, encounter][index],
        resource,
      })),
      ...clinical,
    ],
  }
}

type Clinical = (id: string, subject: Tree, practitioner: string, n: number) => Tree

const CLINICAL: readonly Clinical[] = [
  (id, subject) =>
    profiled('Condition', id, 'Condition', {
      clinicalStatus: coded('active', 'Active', 'http://terminology.hl7.org/CodeSystem/condition-clinical'),
      category: [coded('439401001', 'Diagnosis')],
      severity: coded('255604002', 'Mild'),
      code: coded('297142003', 'Foot has swelling'),
      subject,
      onsetPeriod: { start: '2026-11-10' },
    }),
  (id, subject, practitioner) =>
    profiled('AllergyIntolerance', id, 'AllergyIntolerance', {
      clinicalStatus: coded(
        'active',
        'Active',
        'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical',
      ),
      verificationStatus: coded(
        'confirmed',
        'Confirmed',
        'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
      ),
      code: coded('716186003', 'No known allergy'),
      patient: subject,
      recordedDate: '2026-11-21',
      recorder: { reference: practitioner },
    }),
  (id, subject, practitioner, n) =>
    profiled('Observation', id, 'Observation', {
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '8480-6', display: 'Systolic blood pressure' }] },
      subject,
      effectiveDateTime: '2026-11-21T10:05:00+05:30',
      performer: [{ reference: practitioner }],
      valueQuantity: {
        value: 110 + (n % 30),
        unit: 'mmHg',
        system: 'http://unitsofmeasure.org',
        code: 'mm[Hg]',
      },
    }),
  (id, subject, practitioner) =>
    profiled('MedicationRequest', id, 'MedicationRequest', {
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: coded('1145423002', 'Azithromycin 250 mg oral tablet'),
      subject,
      authoredOn: '2026-11-21',
      requester: { reference: practitioner },
      reasonCode: [coded('11840006', "Traveller's diarrhea")],
      dosageInstruction: [
        {
          text: 'One tablet at once',
          additionalInstruction: [coded('311504000', 'With or after food')],
          timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
          route: coded('26643006', 'Oral Route'),
        },
      ],
    }),
]
