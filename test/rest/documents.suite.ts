/** Documents are built, stored and found on every home and storage. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Api, bundle, entry, type Tree, word } from './client.ts'

const TYPES = 'https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code'

export function documentsSuite(api: () => Api): void {
  const run = word()
  const id = (name: string) => `${run}-${name}`
  const ref = (type: string, name: string) => ({ reference: `${type}/${id(name)}` })
  const put = (type: string, name: string, more: Tree) =>
    entry('PUT', `${type}/${id(name)}`, { resource: { resourceType: type, id: id(name), ...more } })
  const identifier = (code: string, display: string) => [
    {
      type: { coding: [{ system: TYPES, code, display }] },
      system: 'https://thanal.example.org',
      value: run,
    },
  ]
  const params = (...parameter: Tree[]) => ({ resourceType: 'Parameters', parameter })
  const PERSIST = { name: 'persist', valueBoolean: true }
  const prescription = (...more: Tree[]) =>
    api().post(
      `Encounter/${id('visit')}/$document`,
      params({ name: 'hiType', valueCode: 'Prescription' }, ...more),
    )

  describe('$document', () => {
    beforeAll(async () => {
      const answer = await api().post(
        '',
        bundle(
          'transaction',
          put('Patient', 'meera', {
            identifier: identifier('HIN', 'Health ID issued by NDHM'),
            name: [{ family: 'Nair', given: ['Meera'] }],
          }),
          put('Practitioner', 'anjali', {
            identifier: identifier('HPIN', 'Health Practitioner ID issued by NDHM'),
            name: [{ text: 'Dr Anjali Menon' }],
          }),
          put('Encounter', 'visit', {
            status: 'finished',
            class: {
              system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
              code: 'AMB',
              display: 'ambulatory',
            },
            subject: ref('Patient', 'meera'),
            period: { start: '2026-11-16T09:00:00+05:30', end: '2026-11-16T09:20:00+05:30' },
          }),
          put('MedicationRequest', 'rx', {
            status: 'active',
            intent: 'order',
            medicationCodeableConcept: { text: 'Paracetamol 500 mg tablet' },
            subject: ref('Patient', 'meera'),
            encounter: ref('Encounter', 'visit'),
            authoredOn: '2026-11-16',
            requester: ref('Practitioner', 'anjali'),
            dosageInstruction: [{ text: 'One tablet when there is fever' }],
          }),
        ),
      )
      expect(answer.status, answer.text).toBe(200)
    })

    it('of an encounter is built the same twice, stored once, and found by its identifier', async () => {
      const first = await prescription(PERSIST)
      expect(first.status, first.text).toBe(201)
      const second = await prescription(PERSIST)
      expect([second.status, second.text]).toEqual([200, first.text])
      const system = encodeURIComponent(`urn:ietf:rfc:3986|${first.body.identifier.value}`)
      expect(await api().found(`Bundle?identifier=${system}`)).toEqual([first.body.id])
      const composition = first.body.entry[0].resource.id
      expect(await api().found(`Bundle?composition=Composition/${composition}`)).toEqual([first.body.id])
      expect((await api().get(`Bundle/${first.body.id}`)).text).toBe(first.text)
    })

    it('is encrypted for a public key', async () => {
      const pair = await crypto.subtle.generateKey(
        { name: 'RSA-OAEP', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
        true,
        ['encrypt', 'decrypt'],
      )
      const key = JSON.stringify(await crypto.subtle.exportKey('jwk', pair.publicKey))
      const { status, body, text } = await prescription({ name: 'publicKey', valueString: key })
      expect([status, body?.contentType], text).toEqual([200, 'application/jose'])
      expect(atob(body.data).split('.')).toHaveLength(5)
    })

    it('says what is missing, and stores nothing', async () => {
      const { status, body } = await api().post(
        `Encounter/${id('visit')}/$document`,
        params({ name: 'hiType', valueCode: 'Invoice' }, PERSIST),
      )
      expect(status).toBe(422)
      expect(body.issue.map((issue: Tree) => issue.expression?.[0])).toContain('Composition.section')
    })

    it('of sections stores what was made with the document', async () => {
      const sections = JSON.stringify({
        caseType: 'OPConsultation',
        recordId: run,
        date: '2026-11-21T10:00:00+05:30',
        chiefComplaints: ['Headache'],
        allergies: ['Ibuprofen'],
      })
      const ask = () =>
        api().post(
          'Bundle/$document-from-sections',
          params(
            { name: 'sections', valueString: sections },
            { name: 'patient', valueUri: `Patient/${id('meera')}` },
            { name: 'practitioner', valueUri: `Practitioner/${id('anjali')}` },
            PERSIST,
          ),
        )
      const first = await ask()
      expect(first.status, first.text).toBe(201)
      expect((await ask()).text).toBe(first.text)
      expect(await api().found(`AllergyIntolerance?patient=Patient/${id('meera')}`)).toHaveLength(1)
    })
  })
}
