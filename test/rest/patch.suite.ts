/**
 * JSON Patch and FHIRPath Patch.
 * https://hl7.org/fhir/R4/http.html#patch, https://hl7.org/fhir/R4/fhirpatch.html
 */
import { describe, expect, it } from 'vitest'
import { type Api, observation, patient, refused, type Tree, word } from './client.ts'

export function patchSuite(api: () => Api): void {
  const json = (id: string, operations: unknown, headers = {}) =>
    api().patch(`Patient/${id}`, operations, {
      'content-type': 'application/json-patch+json',
      prefer: 'return=representation',
      ...headers,
    })

  const parameters = (...operations: Record<string, Tree>[]) => ({
    resourceType: 'Parameters',
    parameter: operations.map(operation => ({
      name: 'operation',
      part: Object.entries(operation).map(([name, value]) =>
        typeof value === 'object'
          ? { name, ...value }
          : {
              name,
              [name === 'path' ? 'valueString' : name === 'type' ? 'valueCode' : 'valueString']: value,
            },
      ),
    })),
  })
  const fhirpath = (id: string, operations: Record<string, Tree>[], headers = {}) =>
    api().patch(`Patient/${id}`, parameters(...operations), { prefer: 'return=representation', ...headers })

  describe('JSON Patch', () => {
    it('applies add, replace, remove, move, copy and test, and makes one version', async () => {
      const stored = await api().made(patient(word(), { active: true, birthDate: '1988-04-12' }))
      const answer = await json(stored.id, [
        { op: 'test', path: '/birthDate', value: '1988-04-12' },
        { op: 'replace', path: '/birthDate', value: '1988-04-13' },
        { op: 'remove', path: '/active' },
        { op: 'add', path: '/name/-', value: { family: 'നായർ', given: ['മീര'] } },
        { op: 'copy', from: '/name/0/family', path: '/name/0/text' },
        { op: 'move', from: '/name/0', path: '/name/1' },
      ])
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.birthDate).toBe('1988-04-13')
      expect(answer.body.active).toBeUndefined()
      expect(answer.body.name).toEqual([
        { family: 'നായർ', given: ['മീര'] },
        { family: 'Nair', given: ['Meera'], text: 'Nair' },
      ])
      expect(answer.headers.get('etag')).toBe(`W/"${answer.body.meta.versionId}"`)
      expect((await api().get(`Patient/${stored.id}/_history`)).body.entry).toHaveLength(2)
      expect((await api().get(`Patient/${stored.id}`)).body).toEqual(answer.body)
    })

    it('leaves everything when one operation fails', async () => {
      const stored = await api().made(patient(word(), { birthDate: '1988-04-12' }))
      const faults = [
        { op: 'test', path: '/birthDate', value: '1999-01-01' },
        { op: 'remove', path: '/deceasedBoolean' },
        { op: 'replace', path: '/photo/0', value: {} },
        { op: 'add', path: '/name/7', value: { text: 'x' } },
        { op: 'move', from: '/name', path: '/name/0' },
      ]
      for (const fault of faults) {
        refused(await json(stored.id, [{ op: 'add', path: '/active', value: true }, fault]), 400, 409, 422)
      }
      expect((await api().get(`Patient/${stored.id}`)).body).toEqual(stored)
    })

    it('refuses what is no JSON Patch document', async () => {
      const stored = await api().made(patient(word()))
      const documents = [
        '{}',
        '[5]',
        '[{"op":"nope","path":"/a"}]',
        '[{"op":"add","path":"/active"}]',
        '[{"op":"add"}]',
        '[',
        '[{"op":"add","path":"active","value":true}]',
      ]
      for (const document of documents) refused(await json(stored.id, document), 400, 422)
    })

    it('refuses a result that is no valid resource, naming the place', async () => {
      const stored = await api().made(patient(word()))
      const answer = await json(stored.id, [{ op: 'add', path: '/birthDate', value: '2023-02-30' }])
      const outcome = refused(answer, 400, 422)
      expect(JSON.stringify(outcome)).toContain('Patient.birthDate')
      refused(await json(stored.id, [{ op: 'add', path: '/nonsense', value: 1 }]), 400, 422)
      expect((await api().get(`Patient/${stored.id}`)).body).toEqual(stored)
    })

    it('cannot change the id or the type', async () => {
      const stored = await api().made(patient(word()))
      refused(await json(stored.id, [{ op: 'replace', path: '/id', value: 'other' }]), 400, 422)
      refused(await json(stored.id, [{ op: 'replace', path: '/resourceType', value: 'Person' }]), 400, 422)
      expect((await api().get(`Patient/${stored.id}`)).body).toEqual(stored)
    })

    it('honours If-Match', async () => {
      const stored = await api().made(patient(word()))
      const operations = [{ op: 'add', path: '/active', value: true }]
      refused(await json(stored.id, operations, { 'if-match': 'W/"99"' }), 412)
      const done = await json(stored.id, operations, { 'if-match': `W/"${stored.meta.versionId}"` })
      expect(done.status).toBe(200)
    })

    it('answers 404 for what never was, and 404 or 410 for what is deleted', async () => {
      const operations = [{ op: 'add', path: '/active', value: true }]
      refused(await json(word(), operations), 404)
      const stored = await api().made(patient(word()))
      await api().delete(`Patient/${stored.id}`)
      refused(await json(stored.id, operations), 404, 410)
    })

    it('loses none of many patches at once that it acknowledged', async () => {
      const stored = await api().made(patient(word()))
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          json(stored.id, [{ op: 'add', path: '/name/-', value: { text: `n${n}` } }]),
        ),
      )
      for (const answer of answers) expect([200, 409, 412]).toContain(answer.status)
      const done = answers.filter(answer => answer.status === 200)
      expect(done.length).toBeGreaterThan(0)
      const names = (await api().get(`Patient/${stored.id}`)).body.name
      expect(names).toHaveLength(1 + done.length)
    })

    it('treats a member called __proto__ as an unknown element', async () => {
      const stored = await api().made(patient(word()))
      refused(await json(stored.id, '[{"op":"add","path":"/__proto__","value":{"active":true}}]'), 400, 422)
      refused(
        await json(stored.id, '[{"op":"add","path":"/constructor/prototype/x","value":true}]'),
        400,
        409,
        422,
      )
      expect((await api().get(`Patient/${stored.id}`)).body).toEqual(stored)
    })
  })

  describe('FHIRPath Patch', () => {
    it('adds, inserts, replaces, moves and deletes', async () => {
      const stored = await api().made(patient(word(), { active: true, gender: 'male' }))
      const answer = await fhirpath(stored.id, [
        {
          type: 'add',
          path: 'Patient',
          name: { valueString: 'birthDate' },
          value: { valueDate: '1988-04-12' },
        },
        { type: 'replace', path: 'Patient.gender', value: { valueCode: 'female' } },
        { type: 'delete', path: 'Patient.active' },
        {
          type: 'insert',
          path: 'Patient.name[0].given',
          value: { valueString: 'Dr' },
          index: { valueInteger: 0 },
        },
        {
          type: 'move',
          path: 'Patient.name[0].given',
          source: { valueInteger: 0 },
          destination: { valueInteger: 1 },
        },
      ])
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.birthDate).toBe('1988-04-12')
      expect(answer.body.gender).toBe('female')
      expect(answer.body.active).toBeUndefined()
      expect(answer.body.name[0].given).toEqual(['Meera', 'Dr'])
      expect((await api().get(`Patient/${stored.id}/_history`)).body.entry).toHaveLength(2)
    })

    it('takes complex values and where()', async () => {
      const stored = await api().made(
        patient(word(), {
          telecom: [
            { system: 'phone', value: '1', use: 'home' },
            { system: 'phone', value: '2', use: 'work' },
          ],
        }),
      )
      const answer = await fhirpath(stored.id, [
        {
          type: 'add',
          path: 'Patient',
          name: { valueString: 'name' },
          value: { valueHumanName: { text: 'മീര നായർ' } },
        },
        { type: 'replace', path: "Patient.telecom.where(use = 'work').value", value: { valueString: '3' } },
      ])
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.name.map((name: Tree) => name.text)).toContain('മീര നായർ')
      expect(answer.body.telecom.map((telecom: Tree) => telecom.value)).toEqual(['1', '3'])
    })

    it('refuses a path that finds nothing to replace or several, and leaves the resource', async () => {
      const stored = await api().made(patient(word(), { telecom: [{ value: '1' }, { value: '2' }] }))
      // "Only a single element can be replaced"; "Except for the delete operation, it is an error if no element matches"
      refused(
        await fhirpath(stored.id, [
          { type: 'replace', path: 'Patient.gender', value: { valueCode: 'female' } },
        ]),
        400,
        422,
      )
      refused(
        await fhirpath(stored.id, [
          { type: 'replace', path: 'Patient.telecom', value: { valueContactPoint: { value: '3' } } },
        ]),
        400,
        422,
      )
      refused(
        await fhirpath(stored.id, [
          { type: 'add', path: 'Patient.nonsense', name: { valueString: 'x' }, value: { valueString: 'y' } },
        ]),
        400,
        422,
      )
      refused(await fhirpath(stored.id, [{ type: 'nonsense', path: 'Patient' }]), 400, 422)
      refused(await fhirpath(stored.id, [{ type: 'delete', path: 'Patient.((' }]), 400, 422)
      expect((await api().get(`Patient/${stored.id}`)).body).toEqual(stored)
    })

    it('deletes nothing without complaint when the path finds nothing', async () => {
      // "Except for the delete operation, it is an error if no element matches the specified path."
      const stored = await api().made(patient(word()))
      const answer = await fhirpath(stored.id, [{ type: 'delete', path: 'Patient.gender' }])
      expect(answer.status, answer.text).toBe(200)
    })

    it('works on an Observation as well', async () => {
      const stored = await api().made(observation({ valueQuantity: { value: 1, unit: 'C' } }))
      const answer = await api().patch(
        `Observation/${stored.id}`,
        parameters({ type: 'replace', path: 'Observation.value.unit', value: { valueString: 'Cel' } }),
        { prefer: 'return=representation' },
      )
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.valueQuantity).toEqual({ value: 1, unit: 'Cel' })
    })
  })

  describe('other patches', () => {
    it('are refused with 415', async () => {
      const stored = await api().made(patient(word()))
      for (const type of ['application/xml-patch+xml', 'application/merge-patch+json', 'text/plain']) {
        refused(await api().patch(`Patient/${stored.id}`, '[]', { 'content-type': type }), 415)
      }
    })

    it('are refused when the FHIR body is no Parameters resource', async () => {
      const stored = await api().made(patient(word()))
      refused(await api().patch(`Patient/${stored.id}`, patient('x')), 400, 422)
    })
  })
}
