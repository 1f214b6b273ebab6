/** NADI_VALIDATE=profile and $validate, whatever the home and the storage. https://hl7.org/fhir/R4/validation.html */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { opConsult } from '../../bench/op-consult.ts'
import { type Api, api, refused, type Server, type Tree } from './client.ts'

/** The settings of the server that `start` gives. */
export const PROFILE_SETTINGS = { NADI_VALIDATE: 'profile', NADI_PROFILES: 'http://example.org/p' }

export function profileSuite(start: () => Promise<Server>): void {
  let server: Server
  let client: Api
  beforeAll(async () => {
    server = await start()
    client = api(server.base)
    await client.made({
      resourceType: 'StructureDefinition',
      url: 'http://example.org/p',
      name: 'P',
      status: 'active',
      kind: 'resource',
      abstract: false,
      type: 'Basic',
      baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Basic',
      derivation: 'constraint',
      differential: { element: [{ id: 'Basic.author', path: 'Basic.author', min: 1 }] },
    })
  }, 60_000)
  afterAll(() => server?.stop())

  const rules = (outcome: Tree): string[] =>
    outcome.issue.map((one: Tree) => `${one.severity} ${one.details?.coding[0].code ?? ''}`.trim())

  it('a document that is sound is stored, and one that is not is refused with its faults', async () => {
    const document = opConsult(12)
    expect((await client.post('Bundle', document)).status).toBe(201)
    document.entry[0].resource.section[0].code.coding[0].display = 'Complaints'
    const outcome = refused(await client.post('Bundle', document), 400)
    const fault = outcome.issue.find((one: Tree) => one.severity === 'error')
    expect(fault.expression).toEqual(['Bundle.entry[0].resource.section[0].code.coding[0].display'])
    expect(fault.details.coding).toEqual([{ system: 'urn:nadi:validation-rule', code: 'fixed' }])
    expect(fault.diagnostics).toContain('"Chief complaint section"')
  })

  it('a profile of the settings holds for every resource of its type, in transactions too', async () => {
    const basic = { resourceType: 'Basic', code: { text: 'x' } }
    refused(await client.post('Basic', basic), 400)
    expect((await client.post('Basic', { ...basic, author: { display: 'x' } })).status).toBe(201)
    const transaction = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: basic, request: { method: 'POST', url: 'Basic' } }],
    }
    refused(await client.post('', transaction), 400)
  })

  it('invariants of R4 are refused', async () => {
    const contact = [{ relationship: [{ text: 'x' }] }]
    const outcome = refused(await client.post('Patient', { resourceType: 'Patient', contact }), 400)
    expect(rules(outcome)).toContain('error pat-1')
  })

  it('$validate answers 200 whatever it finds', async () => {
    const sent = await client.post('Patient/$validate', { resourceType: 'Patient', gender: 'x' })
    expect(sent.status).toBe(200)
    expect(rules(sent.body)).toContain('error binding-required')
    const well = await client.post('Patient/$validate?mode=create', {
      resourceType: 'Patient',
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
    })
    expect(well.body.issue).toEqual([
      { severity: 'information', code: 'informational', diagnostics: expect.any(String) },
    ])
  })

  it('$validate takes Parameters with the resource, the mode and the profile, and what is stored', async () => {
    const parameter = [
      { name: 'resource', resource: { resourceType: 'Basic', code: { text: 'x' } } },
      { name: 'mode', valueCode: 'create' },
      { name: 'profile', valueCanonical: 'http://example.org/none' },
    ]
    const sent = await client.post('Basic/$validate', { resourceType: 'Parameters', parameter })
    expect(sent.status).toBe(200)
    expect(rules(sent.body)).toContain('error profile-unknown')
    expect(rules(sent.body)).toContain('error cardinality-min')
    const patient = await client.made({ resourceType: 'Patient' })
    const stored = await client.get(
      `Patient/${patient.id}/$validate?profile=https://nrces.in/ndhm/fhir/r4/StructureDefinition/Patient`,
    )
    expect(stored.status).toBe(200)
    expect(stored.body.issue.map((one: Tree) => one.expression?.[0])).toContain('Patient.identifier')
  })

  it('the CapabilityStatement declares the profile that every resource of the type must conform to', async () => {
    const { body } = await client.get('metadata')
    const of = (type: string) => body.rest[0].resource.find((one: Tree) => one.type === type)
    expect(of('Basic').profile).toBe('http://example.org/p')
    expect(of('Patient').profile).toBe('http://hl7.org/fhir/StructureDefinition/Patient')
    expect(of('Patient').supportedProfile).toContain(
      'https://nrces.in/ndhm/fhir/r4/StructureDefinition/Patient',
    )
  })

  it('$validate is in the CapabilityStatement', async () => {
    const { body } = await client.get('metadata')
    const patient = body.rest[0].resource.find((one: Tree) => one.type === 'Patient')
    expect(patient.operation).toContainEqual({
      name: 'validate',
      definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate',
    })
  })
}
