/** Nothing of another patient comes into a document, whichever way it is named; and nothing that does not hold. */

import { beforeEach, describe, expect, it } from 'vitest'
import { buildDocument } from '../../src/documents/build.ts'
import type { DocumentRequest } from '../../src/documents/request.ts'
import type { Key } from '../../src/storage/port.ts'
import { refusal, type TestContext } from '../interactions/context.ts'
import { storeAll } from '../operations/context.ts'
import { changeStored, clinicContext, documentText } from './clinic.ts'

// biome-ignore lint/suspicious/noExplicitAny: resources are changed field by field
type Any = any

const VISIT: DocumentRequest = { hiType: 'OPConsultation', encounter: 'encounter-02' }

let ctx: TestContext
beforeEach(async () => {
  ctx = await clinicContext()
})
const built = (request: DocumentRequest) => documentText(ctx, request)
const change = (key: Key, by: (resource: Any) => void) => changeStored(ctx, key, by)
const observation = (id: string, words: string, more: object) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: words },
  valueString: words,
  ...more,
})

describe('another patient', () => {
  it.each([
    ['another patient of this server', { reference: 'Patient/meera-nair' }],
    ['a group', { reference: 'Group/family' }],
    ['a patient of another server', { reference: 'https://elsewhere.example.org/fhir/Patient/1' }],
    [
      'somebody told by an identifier',
      { identifier: { system: 'urn:x', value: '7' }, display: 'Meera Nair' },
    ],
    ['a contained patient', { reference: '#somebody' }],
    ['a practitioner', { reference: 'Practitioner/anjali-menon' }],
  ])('is not brought along by what names an observation of %s', async (_, subject) => {
    const contained = [{ resourceType: 'Patient', id: 'somebody', name: [{ text: 'Secret' }] }]
    await storeAll(ctx, [
      { resourceType: 'Group', id: 'family', type: 'person', actual: true, name: 'Secret' },
      observation('o1', 'Secret', {
        subject,
        ...('reference' in subject && subject.reference?.startsWith('#') && { contained }),
      }),
    ])
    await change('Condition/condition-02', one => {
      one.evidence = [{ detail: [{ reference: 'Observation/o1', display: 'Secret' }] }]
    })
    expect(await built(VISIT)).not.toContain('Secret')
  })

  it('is not named by an appointment for several, nor by an observation', async () => {
    await storeAll(ctx, [
      {
        resourceType: 'RelatedPerson',
        id: 'relative',
        patient: { reference: 'Patient/meera-nair' },
        name: [{ text: 'Secret relative' }],
      },
      { resourceType: 'Group', id: 'family', type: 'person', actual: true, name: 'Secret family' },
      {
        resourceType: 'Appointment',
        id: 'group',
        status: 'booked',
        description: 'Group exercise',
        created: '2026-11-16',
        start: '2026-12-20T10:00:00+05:30',
        end: '2026-12-20T11:00:00+05:30',
        participant: [
          { actor: { reference: 'Patient/abdul-rahman', display: 'Abdul Rahman' }, status: 'accepted' },
          { actor: { reference: 'Patient/meera-nair', display: 'Secret Meera' }, status: 'accepted' },
          { actor: { reference: 'RelatedPerson/relative' }, status: 'accepted' },
          {
            actor: { reference: 'https://elsewhere.example.org/Patient/1', display: 'Secret stranger' },
            status: 'accepted',
          },
        ],
      },
      observation('shared', 'Peak flow', {
        subject: { reference: 'Patient/abdul-rahman' },
        encounter: { reference: 'Encounter/encounter-02' },
        focus: [{ reference: 'Group/family' }],
        performer: [{ reference: 'RelatedPerson/relative', display: 'Secret relative' }],
        derivedFrom: [{ reference: 'Observation/theirs', display: 'Secret value' }],
      }),
      observation('theirs', 'Secret value', { subject: { reference: 'Patient/meera-nair' } }),
    ])
    const text = await built(VISIT)
    expect(text).toContain('Group exercise')
    expect(text).toContain('Peak flow')
    expect(text).not.toContain('Secret')
    expect(text).not.toContain('elsewhere.example.org')
    expect(text).not.toContain('Patient/meera-nair')
  })

  it.each([
    ['the patient', 'Patient/meera-nair'],
    ['a resource of the patient', 'Encounter/encounter-01'],
  ])('does not give a file whose security context is %s', async (_, securityContext) => {
    await storeAll(ctx, [
      {
        resourceType: 'Binary',
        id: 'theirs',
        contentType: 'application/pdf',
        securityContext: { reference: securityContext },
        data: 'JVBERi1TZWNyZXQ=',
      },
      {
        resourceType: 'DocumentReference',
        id: 'file',
        status: 'current',
        type: { text: 'File' },
        subject: { reference: 'Patient/abdul-rahman' },
        context: { encounter: [{ reference: 'Encounter/encounter-02' }] },
        content: [{ attachment: { contentType: 'application/pdf', url: 'Binary/theirs' } }],
      },
    ])
    const lacks = await refusal(buildDocument(ctx, VISIT))
    expect(lacks.status).toBe(422)
    expect(lacks.issues[0]!.diagnostics).toContain('DocumentReference/file')
    const named = { hiType: 'Prescription', encounter: 'encounter-02', resources: ['Binary/theirs'] } as const
    expect((await refusal(buildDocument(ctx, named))).message).toBe('Binary/theirs is about another patient.')
  })
})

describe('what does not hold', () => {
  it('is refused where it is named', async () => {
    await change('Condition/condition-02', one => {
      one.verificationStatus = {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
            code: 'entered-in-error',
          },
        ],
      }
      delete one.clinicalStatus
    })
    const error = await refusal(buildDocument(ctx, { ...VISIT, resources: ['Condition/condition-02'] }))
    expect([error.status, error.message]).toEqual([
      422,
      'Condition/condition-02 says of itself that it does not hold (entered-in-error): no document is made of it.',
    ])
  })

  it('does not come along as a part either', async () => {
    await storeAll(ctx, [
      observation('mistake', 'Mistaken value', {
        status: 'entered-in-error',
        subject: { reference: 'Patient/abdul-rahman' },
      }),
    ])
    await change('Condition/condition-02', one => {
      one.evidence = [{ detail: [{ reference: 'Observation/mistake', display: 'Mistaken value' }] }]
    })
    expect(await built(VISIT)).not.toContain('Mistaken value')
  })

  it.each(['entered-in-error', 'cancelled', 'planned'])(
    'makes no record of a visit that is %s',
    async status => {
      await change('Encounter/encounter-02', one => {
        one.status = status
      })
      const error = await refusal(buildDocument(ctx, VISIT))
      expect(error.status).toBe(422)
      expect(error.issues[0]).toMatchObject({ expression: 'Encounter.status' })
    },
  )

  it('is a draft of a prescription, and an order that was revoked', async () => {
    await change('MedicationRequest/prescription-02', one => {
      one.status = 'draft'
      one.medicationCodeableConcept = { text: 'Not signed' }
    })
    const orders = JSON.parse(await built(VISIT)).entry.filter(
      (one: Any) => one.resource.resourceType === 'ServiceRequest',
    )
    expect(orders.length).toBeGreaterThan(0)
    const { rows } = await (await import('../../src/interactions/search.ts')).search(ctx, 'ServiceRequest', [
      ['encounter', 'Encounter/encounter-02'],
    ])
    for (const { key } of rows)
      await change(key, one => {
        one.status = 'revoked'
      })
    const text = await built(VISIT)
    expect(text).not.toContain('Not signed')
    expect(text).not.toContain('"resourceType":"ServiceRequest"')
  })
})

describe('a named resource', () => {
  it('that the kind of record has no section for is refused, never left out in silence', async () => {
    const error = await refusal(
      buildDocument(ctx, {
        hiType: 'Prescription',
        encounter: 'encounter-02',
        resources: ['Condition/condition-02'],
      }),
    )
    expect([error.status, error.message]).toEqual([
      400,
      'Condition/condition-02 has no place in a document of the kind Prescription.',
    ])
  })
})
