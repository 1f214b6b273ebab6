/** The operations of terminology over HTTP. https://hl7.org/fhir/R4/terminology-service.html */
import { describe, expect, it } from 'vitest'
import { type Api, bundle, entry, type Tree, word } from './client.ts'

const GENDER = 'http://hl7.org/fhir/ValueSet/administrative-gender'
const SYSTEM = 'http://hl7.org/fhir/administrative-gender'

export function terminologySuite(api: () => Api): void {
  const run = word()
  const system = `https://thanal.example.org/${run}/cs`
  const url = `https://thanal.example.org/${run}/vs`
  const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString()
  const codes = (body: Tree): string[] => (body.expansion.contains ?? []).map((one: Tree) => one.code)
  const value = (body: Tree, name: string) => {
    const found = body.parameter.find((one: Tree) => one.name === name)
    return found && Object.entries(found).find(([member]) => member.startsWith('value'))?.[1]
  }

  describe('terminology', () => {
    it('the value sets, code systems and concept maps of R4 are there at start', async () => {
      const { status, body } = await api().get(`ValueSet/$expand?${query({ url: GENDER })}`)
      expect(status).toBe(200)
      expect(codes(body)).toEqual(['male', 'female', 'other', 'unknown'])
      const found = await api().get(`CodeSystem/$lookup?${query({ system: SYSTEM, code: 'male' })}`)
      expect(value(found.body, 'display')).toBe('Male')
      const to = await api().get(`ConceptMap/$translate?${query({ system: SYSTEM, code: 'male' })}`)
      expect(value(to.body, 'result')).toBe(true)
    })

    it('what is stored is there at once, for operations and searches', async () => {
      const codeSystem = {
        resourceType: 'CodeSystem',
        id: `${run}-cs`,
        url: system,
        status: 'active',
        content: 'complete',
        concept: [{ code: 'a', display: 'Apple', concept: [{ code: 'b', display: 'Berry' }] }],
      }
      const set = {
        resourceType: 'ValueSet',
        id: `${run}-vs`,
        url,
        status: 'active',
        compose: { include: [{ system, filter: [{ property: 'concept', op: 'is-a', value: 'a' }] }] },
      }
      const stored = await api().post(
        '',
        bundle(
          'transaction',
          entry('PUT', `CodeSystem/${run}-cs`, { resource: codeSystem }),
          entry('PUT', `ValueSet/${run}-vs`, { resource: set }),
        ),
      )
      expect(stored.status, stored.text).toBe(200)
      expect(codes((await api().get(`ValueSet/${run}-vs/$expand`)).body)).toEqual(['a', 'b'])
      expect(codes((await api().get(`ValueSet/$expand?${query({ url, filter: 'ber' })}`)).body)).toEqual([
        'b',
      ])
      const subsumes = await api().get(`CodeSystem/${run}-cs/$subsumes?${query({ codeA: 'a', codeB: 'b' })}`)
      expect(value(subsumes.body, 'outcome')).toBe('subsumes')
      const valid = await api().get(
        `ValueSet/$validate-code?${query({ url, system, code: 'b', display: 'berry' })}`,
      )
      expect(value(valid.body, 'result')).toBe(true)
    })

    it('a Parameters resource, and a value set by itself, are taken by POST', async () => {
      const parameters = {
        resourceType: 'Parameters',
        parameter: [
          { name: 'url', valueUri: GENDER },
          { name: 'coding', valueCoding: { system: SYSTEM, code: 'femal' } },
        ],
      }
      const checked = await api().post('ValueSet/$validate-code', parameters)
      expect(checked.status).toBe(200)
      expect(value(checked.body, 'result')).toBe(false)
      const set = { resourceType: 'ValueSet', status: 'active', compose: { include: [{ system: SYSTEM }] } }
      expect(codes((await api().post('ValueSet/$expand', set)).body)).toHaveLength(4)
    })

    it('what is unknown is 404, and what is too much 422', async () => {
      const unknown = await api().get('ValueSet/$expand?url=urn:nobody')
      expect([unknown.status, unknown.body.issue[0].code]).toEqual([404, 'not-found'])
      const units = await api().get(
        `ValueSet/$expand?${query({ url: 'http://hl7.org/fhir/ValueSet/ucum-units' })}`,
      )
      expect([units.status, units.body.issue[0].code]).toEqual([422, 'not-supported'])
    })

    it('a batch has operations among its entries', async () => {
      const { status, body } = await api().post(
        '',
        bundle(
          'batch',
          entry('GET', `ValueSet/$expand?${query({ url: GENDER })}`),
          entry('GET', 'Patient?_count=0'),
        ),
      )
      expect(status).toBe(200)
      expect(body.entry.map((one: Tree) => one.response.status.slice(0, 3))).toEqual(['200', '200'])
      expect(codes(body.entry[0].resource)).toHaveLength(4)
    })

    it('the TerminologyCapabilities is valid, and names the code systems that are there', async () => {
      const { status, body } = await api().get('metadata?mode=terminology')
      expect(status).toBe(200)
      const valid = await api().post('TerminologyCapabilities/$validate', body)
      expect(valid.body.issue.filter((one: Tree) => one.severity === 'error')).toEqual([])
      expect(body.codeSystem).toContainEqual({
        uri: SYSTEM,
        version: [{ code: '4.0.1' }],
        subsumption: true,
      })
      expect(body.codeSystem.some((one: Tree) => one.uri === 'http://unitsofmeasure.org')).toBe(true)
    })

    it('the CapabilityStatement names the operations at their types', async () => {
      const { body } = await api().get('metadata')
      const named = (type: string) =>
        body.rest[0].resource.find((one: Tree) => one.type === type).operation.map((one: Tree) => one.name)
      expect(named('CodeSystem')).toEqual(expect.arrayContaining(['lookup', 'validate-code', 'subsumes']))
      expect(named('ValueSet')).toEqual(expect.arrayContaining(['expand', 'validate-code']))
      expect(named('ConceptMap')).toEqual(expect.arrayContaining(['translate']))
    })
  })
}
