/**
 * Referential integrity where the setting asks for it, races included.
 * https://hl7.org/fhir/R4/http.html#delete
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type Api,
  api,
  bundle,
  entry,
  observation,
  patient,
  refused,
  type Server,
  urn,
  word,
} from './client.ts'

export function integritySuite(start: () => Promise<Server>): void {
  let server: Server
  let client: Api
  beforeAll(async () => {
    server = await start()
    client = api(server.base)
  }, 60_000)
  afterAll(async () => {
    await server?.stop()
  })
  const about = (reference: string) => observation({ subject: { reference } })

  it('refuses a reference to what is not there or is deleted, naming the place', async () => {
    const outcome = refused(await client.post('Observation', about(`Patient/${word()}`)), 400, 409, 422)
    expect(JSON.stringify(outcome)).toContain('Observation.subject')
    const gone = await client.made(patient(word()))
    await client.delete(`Patient/${gone.id}`)
    refused(await client.post('Observation', about(`Patient/${gone.id}`)), 400, 409, 422)
    refused(await client.post('Observation', about(`${client.base}/Patient/${word()}`)), 400, 409, 422)
  })

  it('takes references to what is there, to contained resources, to other servers and without an address', async () => {
    const target = await client.made(patient(word()))
    await client.made(about(`Patient/${target.id}`))
    await client.made(about(`${client.base}/Patient/${target.id}`))
    await client.made(about('https://other.example.org/fhir/Patient/1'))
    await client.made({ ...about('#p'), contained: [{ resourceType: 'Patient', id: 'p' }] })
    await client.made(observation({ subject: { display: 'somebody' } }))
  })

  it('refuses to delete what is referred to, until nothing refers to it', async () => {
    // "409 Conflict: the resource cannot be deleted because of referential integrity"
    const target = await client.made(patient(word()))
    const holder = await client.made(about(`Patient/${target.id}`))
    refused(await client.delete(`Patient/${target.id}`), 409)
    expect((await client.get(`Patient/${target.id}`)).status).toBe(200)
    await client.delete(`Observation/${holder.id}`)
    expect([200, 204]).toContain((await client.delete(`Patient/${target.id}`)).status)
  })

  it('judges a transaction by its end: created and deleted together', async () => {
    const p = urn()
    const answer = await client.post(
      '',
      bundle(
        'transaction',
        entry('POST', 'Observation', { resource: about(p) }),
        entry('POST', 'Patient', { fullUrl: p, resource: patient(word()) }),
      ),
    )
    expect(answer.status, answer.text).toBe(200)
    const target = answer.body.entry[1].response.location
      .replace(/\/_history.*/, '')
      .replace(/.*(Patient\/)/, '$1')
    const holder = answer.body.entry[0].response.location
      .replace(/\/_history.*/, '')
      .replace(/.*(Observation\/)/, '$1')
    const both = await client.post(
      '',
      bundle('transaction', entry('DELETE', target), entry('DELETE', holder)),
    )
    expect(both.status, both.text).toBe(200)
  })

  it('never leaves a reference to nothing, whoever wins the race', async () => {
    for (let round = 0; round < 10; round++) {
      const target = await client.made(patient(word()))
      const [made, deleted] = await Promise.all([
        client.post('Observation', about(`Patient/${target.id}`)),
        client.delete(`Patient/${target.id}`),
      ])
      expect([201, 400, 409, 422]).toContain(made.status)
      expect([200, 204, 409]).toContain(deleted.status)
      const alive = (await client.get(`Patient/${target.id}`)).status === 200
      const referring = await client.found(`Observation?subject=Patient/${target.id}`)
      expect(alive || referring.length === 0, `${made.status} ${deleted.status}`).toBe(true)
    }
  })
}
