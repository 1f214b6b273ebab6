/** A patient's record as Synthea would bundle it, made by us: for where Synthea's bundles are not at hand. */
import { makeDataSet, observationResource } from './dataset.ts'
import { below, pick, uuid } from './random.ts'

const CONDITIONS = [
  ['44054006', 'Diabetes'],
  ['38341003', 'Hypertension'],
  ['10509002', 'Acute bronchitis (disorder)'],
  ['195662009', 'Acute viral pharyngitis (disorder)'],
] as const
const MEDICATIONS = [
  ['860975', 'Metformin hydrochloride 500 MG Oral Tablet'],
  ['313782', 'Acetaminophen 325 MG Oral Tablet'],
  ['314076', 'Lisinopril 10 MG Oral Tablet'],
] as const
const SNOMED = 'http://snomed.info/sct'

const coded = (system: string, [code, display]: readonly [string, string]) => ({
  coding: [{ system, code, display }],
  text: display,
})
const tag = { tag: [{ system: 'https://nadi.example/bench', code: 'record' }] }

/**
 * Returns a transaction Bundle of about 200 entries of some 2 KB: an Organization, a Practitioner, a Patient, and 18 Encounters, each
 * with five Observations, a Condition or Procedure, a MedicationRequest, an Immunization, a DiagnosticReport and a Claim.
 */
export function recordBundle(random: () => number): object {
  const entry: object[] = []
  const add = (type: string, resource: object): string => {
    const id = uuid(random)
    entry.push({
      fullUrl: `urn:uuid:${id}`,
      resource: { resourceType: type, id, ...resource, meta: tag },
      request: { method: 'POST', url: type },
    })
    return `urn:uuid:${id}`
  }
  const person = makeDataSet({ seed: below(random, 1e9), patients: 2 }).persons[0]!
  const organization = add('Organization', {
    identifier: [{ system: 'https://nadi.example/bench/organization', value: uuid(random) }],
    active: true,
    type: [coded('http://terminology.hl7.org/CodeSystem/organization-type', ['prov', 'Healthcare Provider'])],
    name: `${person.family} Hospital`,
    telecom: [{ system: 'phone', value: '+91 484 2345678' }],
    address: [
      { line: ['60 Hospital Road'], city: 'Kochi', state: 'Kerala', postalCode: '682011', country: 'IN' },
    ],
  })
  const practitioner = add('Practitioner', {
    identifier: [{ system: 'https://nadi.example/bench/practitioner', value: uuid(random) }],
    active: true,
    name: [{ family: 'Nair', given: ['Asha'], prefix: ['Dr.'] }],
    gender: 'female',
  })
  const patient = add('Patient', {
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml">${'A record of the benchmark, invented. '.repeat(12)}</div>`,
    },
    identifier: [{ system: 'https://nadi.example/bench/record', value: uuid(random) }],
    name: [{ use: 'official', family: person.family, given: [person.given], prefix: ['Ms.'] }],
    telecom: [{ system: 'phone', value: '+91 9847012345', use: 'home' }],
    gender: person.gender,
    birthDate: person.birthDate,
    address: [
      { line: ['7 Temple Road'], city: 'Thrissur', state: 'Kerala', postalCode: '680001', country: 'IN' },
    ],
    maritalStatus: coded('http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', ['M', 'Married']),
  })
  for (let visit = 0; visit < 18; visit++) {
    const day = new Date(Date.UTC(2008, 0, 1) + below(random, 6000) * 86_400_000).toISOString().slice(0, 10)
    const start = `${day}T09:30:00+05:30`
    const encounter = add('Encounter', {
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      type: [coded(SNOMED, ['185349003', 'Encounter for check up (procedure)'])],
      subject: { reference: patient, display: `${person.given} ${person.family}` },
      participant: [{ individual: { reference: practitioner } }],
      period: { start, end: `${day}T10:15:00+05:30` },
      serviceProvider: { reference: organization },
    })
    const subject = { subject: { reference: patient }, encounter: { reference: encounter } }
    const results: string[] = []
    for (let nth = 0; nth < 5; nth++) {
      const { resourceType: _, ...observation } = observationResource(person, nth, patient) as Record<
        string,
        unknown
      >
      results.push(
        add('Observation', {
          ...observation,
          encounter: { reference: encounter },
          effectiveDateTime: start,
          issued: start,
        }),
      )
    }
    const reason = coded(SNOMED, pick(random, CONDITIONS))
    if (visit % 2)
      add('Condition', {
        clinicalStatus: coded('http://terminology.hl7.org/CodeSystem/condition-clinical', [
          'active',
          'Active',
        ]),
        verificationStatus: coded('http://terminology.hl7.org/CodeSystem/condition-ver-status', [
          'confirmed',
          'Confirmed',
        ]),
        code: reason,
        ...subject,
        onsetDateTime: start,
        recordedDate: start,
      })
    else
      add('Procedure', {
        status: 'completed',
        code: coded(SNOMED, ['430193006', 'Medication Reconciliation (procedure)']),
        ...subject,
        performedPeriod: { start, end: `${day}T09:45:00+05:30` },
      })
    const prescription = add('MedicationRequest', {
      status: 'stopped',
      intent: 'order',
      medicationCodeableConcept: coded(
        'http://www.nlm.nih.gov/research/umls/rxnorm',
        pick(random, MEDICATIONS),
      ),
      ...subject,
      authoredOn: start,
      requester: { reference: practitioner },
      dosageInstruction: [
        {
          sequence: 1,
          text: 'One tablet twice a day',
          timing: { repeat: { frequency: 2, period: 1, periodUnit: 'd' } },
        },
      ],
    })
    add('Immunization', {
      status: 'completed',
      vaccineCode: coded('http://hl7.org/fhir/sid/cvx', [
        '140',
        'Influenza, seasonal, injectable, preservative free',
      ]),
      patient: { reference: patient },
      encounter: { reference: encounter },
      occurrenceDateTime: start,
      primarySource: true,
    })
    add('DiagnosticReport', {
      status: 'final',
      category: [coded('http://terminology.hl7.org/CodeSystem/v2-0074', ['LAB', 'Laboratory'])],
      code: coded('http://loinc.org', ['51990-0', 'Basic Metabolic Panel']),
      ...subject,
      effectiveDateTime: start,
      issued: start,
      result: results.map(reference => ({ reference, display: 'Measured at the visit' })),
    })
    const coverage = { focal: true, sequence: 1, coverage: { display: 'Karunya Arogya Suraksha Padhathi' } }
    add('Claim', {
      status: 'active',
      type: coded('http://terminology.hl7.org/CodeSystem/claim-type', ['professional', 'Professional']),
      use: 'claim',
      patient: { reference: patient, display: `${person.given} ${person.family}` },
      billablePeriod: { start, end: `${day}T10:15:00+05:30` },
      created: start,
      provider: { reference: organization },
      priority: coded('http://terminology.hl7.org/CodeSystem/processpriority', ['normal', 'Normal']),
      prescription: { reference: prescription },
      insurance: [coverage],
      item: [1, 2, 3].map(sequence => ({
        sequence,
        productOrService: reason,
        ...(sequence === 1 ? { encounter: [{ reference: encounter }] } : {}),
        net: { value: 150 * sequence, currency: 'INR' },
      })),
      total: { value: 900, currency: 'INR' },
    })
  }
  return { resourceType: 'Bundle', type: 'transaction', entry }
}
