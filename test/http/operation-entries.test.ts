/** Operations inside batch Bundles. https://hl7.org/fhir/R4/terminology-service.html#batch */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from './test-app.ts'

const GENDER = 'http://hl7.org/fhir/ValueSet/administrative-gender'
const SYSTEM = 'http://hl7.org/fhir/administrative-gender'

let app: TestApp
beforeAll(async () => {
  app = await testApp()
})
afterAll(() => app.close())

async function post(type: 'batch' | 'transaction', entries: object[]) {
  const response = await app.ask('POST', '/fhir', {
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Bundle', type, entry: entries }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: answers are read field by field
  return { status: response.status, body: (await response.json()) as any }
}

const get = (url: string) => ({ request: { method: 'GET', url } })
const ask = (url: string, resource: object) => ({ request: { method: 'POST', url }, resource })
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter })

describe('a batch', () => {
  it('answers operations by GET and by POST in the order of the entries, each with its own outcome', async () => {
    const { status, body } = await post('batch', [
      get(`ValueSet/$expand?url=${encodeURIComponent(GENDER)}&count=1`),
      ask(
        'ValueSet/$validate-code',
        parameters(
          { name: 'url', valueUri: GENDER },
          { name: 'coding', valueCoding: { system: SYSTEM, code: 'female' } },
        ),
      ),
      get(`CodeSystem/$lookup?system=${encodeURIComponent(SYSTEM)}&code=nobody`),
      get('CodeSystem/$nothing'),
    ])
    expect(status).toBe(200)
    const statuses = body.entry.map((one: { response: { status: string } }) =>
      one.response.status.slice(0, 3),
    )
    expect(statuses).toEqual(['200', '200', '404', '404'])
    expect(body.entry[0].resource.expansion.total).toBe(4)
    expect(body.entry[0].resource.expansion.contains).toHaveLength(1)
    expect(body.entry[1].resource.parameter[0]).toEqual({ name: 'result', valueBoolean: true })
    expect(body.entry[2].response.outcome.issue[0]).toMatchObject({
      code: 'not-found',
      expression: ['Bundle.entry[2].request.url'],
    })
  })

  it('takes the resource itself where the operation takes one alone', async () => {
    const { body } = await post('batch', [
      ask('ValueSet/$expand', {
        resourceType: 'ValueSet',
        status: 'active',
        compose: { include: [{ system: SYSTEM, concept: [{ code: 'male' }] }] },
      }),
    ])
    expect(body.entry[0].resource.expansion.contains).toEqual([
      { system: SYSTEM, code: 'male', display: 'Male' },
    ])
  })

  it('refuses operations that change something, by every method', async () => {
    const { body } = await post('batch', [
      ask('$reindex', parameters()),
      { request: { method: 'PUT', url: 'ValueSet/$expand' }, resource: { resourceType: 'ValueSet' } },
      { request: { method: 'DELETE', url: 'ValueSet/$expand' } },
    ])
    const codes = body.entry.map((one: { response: { outcome: { issue: { code: string }[] } } }) => [
      one.response.outcome.issue[0]?.code,
    ])
    expect(codes).toEqual([['not-supported'], ['not-supported'], ['not-supported']])
  })

  it('holds the parameters against the structure of R4', async () => {
    const { body } = await post('batch', [
      ask('ValueSet/$expand', { resourceType: 'Parameters', parameter: [{ nam: 'url' }] }),
    ])
    expect(body.entry[0].response.status).toMatch(/^400/)
  })
})

describe('a transaction', () => {
  it('has no operations', async () => {
    const { status, body } = await post('transaction', [get('ValueSet/$expand')])
    expect(status).toBe(400)
    expect(body.issue[0]).toMatchObject({
      code: 'not-supported',
      expression: ['Bundle.entry[0].request.url'],
    })
  })
})
