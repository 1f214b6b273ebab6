/**
 * Numbers keep their text, and JSON that is no JSON is refused with its place.
 * https://hl7.org/fhir/R4/json.html#decimal, https://hl7.org/fhir/R4/datatypes.html#decimal
 */
import { describe, expect, it } from 'vitest'
import {
  type Api,
  byIdentifier,
  located,
  patient,
  places,
  refused,
  SYSTEM,
  type Tree,
  urn,
  word,
} from './client.ts'

/** Decimals that a JavaScript number would change in text or in value. */
const NUMBERS = [
  '1.00',
  '1e3',
  '37.20',
  '0.0',
  '-0',
  '1E-5',
  '12345678901234567890',
  '0.12345678901234567890',
  '100',
  '1e400',
]

export function exactSuite(api: () => Api): void {
  /** The text of an Observation with every number as a component, and one more as its value. */
  const text = (value: string, number: string, more = '') =>
    `{"resourceType":"Observation","identifier":[{"system":"${SYSTEM}","value":"${value}"}],"status":"final",` +
    `"code":{"text":"exact"},"language":"en","valueQuantity":{"value":${number}},"component":[${NUMBERS.map(
      each => `{"code":{"text":"${each}"},"valueQuantity":{"value":${each}}}`,
    ).join(',')}]${more}}`
  /** The numbers of the components, as they stand in an answer. */
  const numbers = (answer: string) => [
    ...answer.matchAll(/"code":\{"text":"([^"]+)"\},"valueQuantity":\{"value":([^}]+)\}/g),
  ]
  const same = (answer: string, times = 1) => {
    const found = numbers(answer.replace(/\s/g, ''))
    expect(found).toHaveLength(NUMBERS.length * times)
    for (const [, name, number] of found) expect(number).toBe(name)
  }
  const create = async (value = word(), number = '1.00') => {
    const answer = await api().post('Observation', text(value, number), { prefer: 'return=representation' })
    expect(answer.status, answer.text).toBe(201)
    return { value, id: located(answer).id, answer }
  }

  describe('numbers keep their text', () => {
    it('through create, read and vread', async () => {
      const { id, answer } = await create()
      same(answer.text)
      same((await api().get(`Observation/${id}`)).text)
      same((await api().get(`Observation/${id}/_history/1`)).text)
      expect((await api().get(`Observation/${id}`)).text).toContain('"valueQuantity":{"value":1.00}')
    })

    it('through update', async () => {
      const { id, value } = await create()
      const body = text(value, '2.50').replace('{"resourceType"', `{"id":"${id}","resourceType"`)
      const answer = await api().put(`Observation/${id}`, body, { prefer: 'return=representation' })
      expect(answer.status, answer.text).toBe(200)
      same(answer.text)
      expect(answer.text).toContain('"value":2.50}')
    })

    it('through history and search, and through _pretty, _elements and _summary', async () => {
      const { id, value } = await create()
      same((await api().get(`Observation/${id}/_history`)).text)
      same((await api().get(`Observation?${byIdentifier(value)}`)).text)
      same((await api().get(`Observation/${id}?_pretty=true`)).text)
      same((await api().get(`Observation?${byIdentifier(value)}&_pretty=true`)).text)
      same((await api().get(`Observation?${byIdentifier(value)}&_elements=component`)).text)
      same((await api().get(`Observation?${byIdentifier(value)}&_summary=data`)).text)
    })

    it('through JSON Patch, both what it touches and what it leaves', async () => {
      const { id } = await create()
      const answer = await api().patch(
        `Observation/${id}`,
        '[{"op":"replace","path":"/valueQuantity/value","value":7.1230},{"op":"add","path":"/referenceRange","value":[{"low":{"value":1.50}}]}]',
        { 'content-type': 'application/json-patch+json', prefer: 'return=representation' },
      )
      expect(answer.status, answer.text).toBe(200)
      same(answer.text)
      expect(answer.text).toContain('"valueQuantity":{"value":7.1230}')
      expect(answer.text).toContain('"low":{"value":1.50}')
    })

    it('tests numbers in JSON Patch by value, as RFC 6902 says', async () => {
      const { id } = await create()
      const test = (number: string) =>
        api().patch(`Observation/${id}`, `[{"op":"test","path":"/valueQuantity/value","value":${number}}]`, {
          'content-type': 'application/json-patch+json',
        })
      expect((await test('1.0')).status).toBe(200)
      expect((await test('1')).status).toBe(200)
      refused(await test('1.01'), 400, 409, 422)
    })

    it('through FHIRPath Patch', async () => {
      const { id } = await create()
      const answer = await api().patch(
        `Observation/${id}`,
        '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Observation.value.value"},{"name":"value","valueDecimal":8.5000}]}]}',
        { prefer: 'return=representation' },
      )
      expect(answer.status, answer.text).toBe(200)
      same(answer.text)
      expect(answer.text).toContain('"valueQuantity":{"value":8.5000}')
    })

    it('through a transaction and a batch, and back out of them', async () => {
      for (const type of ['transaction', 'batch']) {
        const value = word()
        const answer = await api().post(
          '',
          `{"resourceType":"Bundle","type":"${type}","entry":[{"fullUrl":"${urn()}","resource":${text(value, '3.10')},"request":{"method":"POST","url":"Observation"}},{"request":{"method":"GET","url":"Observation?${byIdentifier(value)}"}}]}`,
          { prefer: 'return=representation' },
        )
        expect(answer.status, answer.text).toBe(200)
        // Once as the created resource, once in the search.
        same(answer.text, 2)
        expect(answer.text).toContain('"value":3.10}')
        same((await api().get(`Observation?${byIdentifier(value)}`)).text)
      }
    })

    it('also where rewriting a link touches the resource', async () => {
      const p = urn()
      const value = word()
      const body = text(value, '4.40', `,"subject":{"reference":"${p}"}`)
      const answer = await api().post(
        '',
        `{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"${p}","resource":{"resourceType":"Patient","extension":[{"url":"https://thanal.example.org/d","valueDecimal":5.50}]},"request":{"method":"POST","url":"Patient"}},{"resource":${body},"request":{"method":"POST","url":"Observation"}}]}`,
      )
      expect(answer.status, answer.text).toBe(200)
      const found = await api().get(`Observation?${byIdentifier(value)}`)
      same(found.text)
      expect(found.text).toMatch(/"reference":"Patient\//)
      const [entry] = answer.body.entry
      expect((await api().get(entry.response.location)).text).toContain('5.50')
    })

    it('through contained resources', async () => {
      const value = word()
      const contained = text(word(), '6.60').replace('{"resourceType"', '{"id":"c","resourceType"')
      const body = text(value, '1.00', `,"contained":[${contained}],"hasMember":[{"reference":"#c"}]`)
      const answer = await api().post('Observation', body, { prefer: 'return=representation' })
      expect(answer.status, answer.text).toBe(201)
      same(answer.text, 2)
      expect(answer.text).toContain('6.60')
    })
  })

  describe('what came in comes out', () => {
    it('primitive extensions, contained resources and extension-only primitives', async () => {
      const unknown = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason'
      const sent: Tree = {
        ...patient(word()),
        contained: [{ resourceType: 'Organization', id: 'o', name: 'തണൽ' }],
        _birthDate: { extension: [{ url: unknown, valueCode: 'unknown' }] },
        name: [
          {
            _family: { id: 'f', extension: [{ url: unknown, valueCode: 'masked' }] },
            given: ['Meera', null],
            _given: [null, { extension: [{ url: unknown, valueCode: 'unknown' }] }],
          },
        ],
        managingOrganization: { reference: '#o' },
        active: true,
        _active: { id: 'a' },
      }
      const stored = await api().made(sent)
      const { id, meta, ...rest } = (await api().get(`Patient/${stored.id}`)).body
      expect([id, meta.versionId]).toEqual([stored.id, '1'])
      expect(rest).toEqual(sent)
    })

    it('the order of members, and every character', async () => {
      const value = word()
      const family = 'മീര नायर 😀 \\" \\\\ \\u000a \\t é \u200d'
      const sent = `{"resourceType":"Patient","gender":"female","name":[{"given":["b"],"family":"${family}"}],"birthDate":"1988","identifier":[{"value":"${value}","system":"${SYSTEM}"}],"active":true}`
      const answer = await api().post('Patient', sent, { prefer: 'return=representation' })
      expect(answer.status, answer.text).toBe(201)
      const keys = Object.keys(answer.body).filter(key => key !== 'id' && key !== 'meta')
      expect(keys).toEqual(['resourceType', 'gender', 'name', 'birthDate', 'identifier', 'active'])
      expect(answer.body.name).toEqual(JSON.parse(sent).name)
    })

    it('full bodies exactly as they are read one by one', async () => {
      const value = word()
      await api().post(
        'Patient',
        `{"resourceType" : "Patient" ,\n "identifier":[ {"system":"${SYSTEM}","value":"${value}"}]}`,
      )
      const [id] = await api().found(`Patient?${byIdentifier(value)}`)
      const one = (await api().get(`Patient/${id}`)).text
      expect((await api().get(`Patient?${byIdentifier(value)}`)).text).toContain(one)
      expect((await api().get(`Patient/${id}/_history`)).text).toContain(one)
    })
  })

  describe('JSON that is refused, with its place', () => {
    const bad = async (body: string | Uint8Array, place: string, ...statuses: number[]) => {
      const answer = await api().post('Patient', body)
      const outcome = refused(answer, 400, ...statuses)
      expect(places(outcome).join(' '), answer.text).toContain(place)
    }

    it('duplicate keys', async () => {
      await bad('{"resourceType":"Patient","active":true,"active":false}', 'Patient.active')
      await bad(
        '{"resourceType":"Patient","name":[{"family":"a"},{"family":"a","text":"b","family":"c"}]}',
        'Patient.name[1].family',
      )
      await bad('{"resourceType":"Patient","active":true,"\\u0061ctive":true}', 'Patient.active')
    })

    it('bytes that are not UTF-8', async () => {
      const [head, tail] = ['{"resourceType":"Patient","name":[{"family":"', '"}]}'].map(part =>
        new TextEncoder().encode(part),
      )
      for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf5, 0x80, 0x80, 0x80]]) {
        await bad(
          new Uint8Array([...(head as Uint8Array), ...bytes, ...(tail as Uint8Array)]),
          'Patient.name[0].family',
        )
      }
    })

    it('nesting that is too deep', async () => {
      const deep = (levels: number) =>
        `{"resourceType":"Patient","extension":${'[{"url":"https://thanal.example.org/x","extension":'.repeat(levels)}[{"url":"https://thanal.example.org/x","valueBoolean":true}]${'}]'.repeat(levels)}}`
      await bad(deep(200), 'Patient.extension')
      expect((await api().post('Patient', deep(10))).status).toBe(201)
      refused(await api().post('Patient', '['.repeat(500_000)), 400, 413)
      refused(await api().post('Patient', `{"a":${'{"a":'.repeat(100_000)}`), 400, 413)
    })

    it('syntax errors of every kind', async () => {
      const broken = [
        '{"resourceType":"Patient"',
        '{"resourceType":"Patient",}',
        '{"resourceType":"Patient"} x',
        '{"resourceType":"Patient","active":tru}',
        "{'resourceType':'Patient'}",
        '{"resourceType":"Patient","x":01}',
        '{"resourceType":"Patient","x":1.}',
        '{"resourceType":"Patient","x":.5}',
        '{"resourceType":"Patient","x":+1}',
        '{"resourceType":"Patient","x":NaN}',
        '{"resourceType":"Patient","x":"a\nb"}',
        '{"resourceType":"Patient","x":"\\x"}',
        '{"resourceType":"Patient","x":"\\u12"}',
        '{"resourceType":"Patient" /* c */}',
        '{"resourceType":"Patient","a":1 "b":2}',
      ]
      for (const body of broken) refused(await api().post('Patient', body), 400)
    })

    it('characters that FHIR strings cannot hold', async () => {
      // "Strings SHALL NOT contain Unicode character points below 32, except for u0009, u000D and u000A"
      for (const control of ['\\u0000', '\\u0001', '\\u001f']) {
        await bad(
          `{"resourceType":"Patient","name":[{"family":"a${control}b"}]}`,
          'Patient.name[0].family',
          422,
        )
      }
    })

    it('half a surrogate pair, or it comes back as it was', async () => {
      const answer = await api().post(
        'Patient',
        '{"resourceType":"Patient","name":[{"family":"a\\ud800b"}]}',
        { prefer: 'return=representation' },
      )
      if (answer.status === 201) expect(answer.body.name[0].family).toBe('a\ud800b')
      else refused(answer, 400)
    })
  })
}
