/**
 * Conditional interactions whose criteria look at other resources: chains and `_has`.
 * https://hl7.org/fhir/R4/http.html#cond-update, https://hl7.org/fhir/R4/search.html#chaining
 */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type Api,
  bundle,
  byIdentifier,
  entry,
  observation,
  patient,
  places,
  refused,
  type Tree,
  word,
} from './client.ts'

export function linkedSuite(api: () => Api): void {
  const run = word()
  const chained = `subject:Patient.${byIdentifier(run)}`
  let subject: Tree
  beforeAll(async () => {
    const { id } = await api().made(patient(run))
    subject = { reference: `Patient/${id}` }
  })
  const category = (code: string): Tree => ({ category: [{ coding: [{ code }] }] })
  const count = async (query: string) => (await api().get(`${query}&_summary=count`)).body.total

  describe('criteria over a chain', () => {
    it('create once, however many ask at once', async () => {
      const body = observation({ subject, ...category(`${run}-create`) })
      const headers = { 'if-none-exist': `${chained}&category=${run}-create` }
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => api().post('Observation', body, headers)),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201])
      expect(await count(`Observation?category=${run}-create`)).toBe(1)
    })

    it('update and delete what they find', async () => {
      const url = `Observation?${chained}&category=${run}-update`
      const body = observation({ subject, ...category(`${run}-update`) })
      expect((await api().put(url, body)).status).toBe(201)
      expect((await api().put(url, { ...body, status: 'amended' })).status).toBe(200)
      expect(await count(`${url}&status=amended`)).toBe(1)
      expect((await api().delete(url)).status).toBe(204)
      expect(await count(url)).toBe(0)
    })

    it('find nothing once the resource that they lead over is gone', async () => {
      const other = word()
      const { id } = await api().made(patient(other))
      await api().made(observation({ subject: { reference: `Patient/${id}` } }))
      const url = `Observation?subject:Patient.${byIdentifier(other)}`
      expect(await count(url)).toBe(1)
      await api().delete(`Patient/${id}`)
      expect(await count(url)).toBe(0)
    })
  })

  it('criteria by _has find what is referred to', async () => {
    const other = word()
    const { id } = await api().made(patient(other))
    const made = await api().made(
      observation({ subject: { reference: `Patient/${id}` }, ...category(other) }),
    )
    const url = `Patient?_has:Observation:subject:category=${other}`
    expect((await api().put(url, patient(other, { id, active: true }))).status).toBe(200)
    await api().delete(`Observation/${made.id}`)
    expect(await count(url)).toBe(0)
  })

  it('a transaction refuses, in whatever order, criteria that depend on what it writes', async () => {
    const write = entry('PUT', `Observation?${chained}`, { resource: observation({ subject }) })
    const other = entry('PUT', subject.reference, {
      resource: patient(run, { id: subject.reference.slice('Patient/'.length) }),
    })
    for (const entries of [
      [write, other],
      [other, write],
    ]) {
      const outcome = refused(await api().post('', bundle('transaction', ...entries)), 400)
      expect(places(outcome)).toEqual([`Bundle.entry[${entries.indexOf(write)}].request.url`])
    }
  })
}
