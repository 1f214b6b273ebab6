/**
 * Prefer, formats, HEAD, OPTIONS, Binary and the CapabilityStatement.
 * https://hl7.org/fhir/R4/http.html#general
 */
import { describe, expect, it } from 'vitest'
import { type Api, located, matches, patient, refused, word } from './client.ts'

export function negotiateSuite(api: () => Api): void {
  describe('Prefer', () => {
    it('return=minimal sends no body, and all headers', async () => {
      const created = await api().post('Patient', patient(word()), { prefer: 'return=minimal' })
      expect([created.status, created.text]).toEqual([201, ''])
      expect(created.headers.get('etag')).toBe('W/"1"')
      expect(created.headers.get('last-modified')).not.toBeNull()
      const { id } = located(created)
      const updated = await api().put(`Patient/${id}`, patient(word(), { id }), { prefer: 'return=minimal' })
      expect([updated.status, updated.text]).toEqual([200, ''])
    })

    it('return=representation sends the resource as it is stored', async () => {
      const created = await api().post('Patient', patient(word()), { prefer: 'return=representation' })
      const read = await api().get(`Patient/${located(created).id}`)
      expect(created.text).toBe(read.text)
    })

    it('return=OperationOutcome sends an OperationOutcome', async () => {
      const created = await api().post('Patient', patient(word()), { prefer: 'return=OperationOutcome' })
      expect(created.status).toBe(201)
      expect(created.body.resourceType).toBe('OperationOutcome')
      expect(created.body.issue.length).toBeGreaterThan(0)
      expect(created.body.issue.every((issue: { severity: string }) => issue.severity !== 'error')).toBe(true)
    })

    it('may name several preferences', async () => {
      const both = await api().get('Patient?nonsense=1&_count=1', {
        prefer: 'return=minimal, handling=lenient',
      })
      expect(both.status).toBe(200)
      const semicolons = await api().post('Patient', patient(word()), {
        prefer: 'handling=strict; return=minimal',
      })
      expect(semicolons.text).toBe('')
    })
  })

  describe('formats', () => {
    it('gives FHIR JSON for every way of asking for it', async () => {
      const stored = await api().made(patient(word()))
      for (const accept of [
        'application/fhir+json',
        'application/json',
        'application/fhir+json; fhirVersion=4.0',
        '*/*',
        'application/*',
        'application/fhir+xml, application/fhir+json;q=0.5',
        'text/html, application/xhtml+xml, */*;q=0.8',
      ]) {
        const answer = await api().get(`Patient/${stored.id}`, { accept })
        expect(answer.status, accept).toBe(200)
        expect(answer.headers.get('content-type'), accept).toMatch(/^application\/(fhir\+)?json/)
        expect(answer.body, accept).toEqual(stored)
      }
    })

    it('answers 406 to what it cannot write', async () => {
      const stored = await api().made(patient(word()))
      for (const accept of [
        'application/fhir+xml',
        'text/turtle',
        'application/fhir+json;q=0, application/fhir+xml',
      ]) {
        refused(await api().get(`Patient/${stored.id}`, { accept }), 406)
      }
      refused(await api().get('Patient?_count=1', { accept: 'application/fhir+xml' }), 406)
    })

    it('lets _format win over Accept', async () => {
      const stored = await api().made(patient(word()))
      for (const format of ['json', 'application/json', 'application/fhir%2Bjson', 'application/fhir+json']) {
        const answer = await api().get(`Patient/${stored.id}?_format=${format}`, {
          accept: 'application/fhir+xml',
        })
        expect(answer.status, format).toBe(200)
        expect(answer.body).toEqual(stored)
      }
      for (const format of ['xml', 'ttl', 'application/fhir%2Bxml', 'nonsense']) {
        refused(await api().get(`Patient/${stored.id}?_format=${format}`), 406)
      }
      expect((await api().get(`Patient?_id=${stored.id}&_format=json`)).body.total ?? 1).toBe(1)
    })

    it('answers 415 to a body that it cannot read', async () => {
      for (const type of [
        'application/fhir+xml',
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
      ]) {
        refused(await api().post('Patient', '<Patient/>', { 'content-type': type }), 415)
        refused(await api().put(`Patient/${word()}`, '<Patient/>', { 'content-type': type }), 415)
        refused(await api().post('', '<Bundle/>', { 'content-type': type }), 415)
      }
    })

    it('reads application/json and a charset of UTF-8 too', async () => {
      for (const type of [
        'application/json',
        'application/json; charset=utf-8',
        'application/fhir+json;charset=UTF-8',
        'application/fhir+json; fhirVersion=4.0',
      ]) {
        const answer = await api().post('Patient', patient(word()), { 'content-type': type })
        expect(answer.status, type).toBe(201)
      }
    })

    it('indents with _pretty=true and says the same', async () => {
      const stored = await api().made(patient(word()))
      const plain = await api().get(`Patient/${stored.id}?_pretty=false`)
      const pretty = await api().get(`Patient/${stored.id}?_pretty=true`)
      expect(plain.text).not.toContain('\n')
      expect(pretty.text).toMatch(/\n +"/)
      expect(pretty.body).toEqual(stored)
      const search = await api().get(`Patient?_id=${stored.id}&_pretty=true`)
      expect(search.text).toMatch(/\n +"/)
      expect(matches(search.body)).toEqual([stored])
    })
  })

  describe('HEAD', () => {
    it('gives the status and headers of GET without its body', async () => {
      const stored = await api().made(patient(word()))
      const get = await api().get(`Patient/${stored.id}`)
      const head = await api().ask('HEAD', `Patient/${stored.id}`)
      expect([head.status, head.text]).toEqual([200, ''])
      for (const name of ['etag', 'last-modified', 'content-type']) {
        expect(head.headers.get(name), name).toBe(get.headers.get(name))
      }
      expect((await api().ask('HEAD', `Patient/${word()}`)).status).toBe(404)
      expect((await api().ask('HEAD', 'Patient?_count=1')).status).toBe(200)
      expect((await api().ask('HEAD', 'metadata')).status).toBe(200)
      await api().delete(`Patient/${stored.id}`)
      expect((await api().ask('HEAD', `Patient/${stored.id}`)).status).toBe(410)
    })
  })

  describe('OPTIONS', () => {
    it('names the methods of a resource and of a type', async () => {
      const one = await api().ask('OPTIONS', 'Patient/1')
      expect([200, 204]).toContain(one.status)
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'])
        expect(one.headers.get('allow')).toContain(method)
      const type = await api().ask('OPTIONS', 'Patient')
      for (const method of ['GET', 'POST']) expect(type.headers.get('allow')).toContain(method)
    })
  })

  describe('Binary', () => {
    const bytes = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe, 13, 10])
    const base64 = Buffer.from(bytes).toString('base64')
    const raw = async (path: string, accept?: string) => {
      const response = await fetch(`${api().base}/${path}`, accept ? { headers: { accept } } : {})
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        bytes: new Uint8Array(await response.arrayBuffer()),
        headers: response.headers,
      }
    }

    it('is created raw and read raw, byte for byte', async () => {
      const created = await api().post('Binary', bytes, { 'content-type': 'image/png' })
      expect(created.status, created.text).toBe(201)
      const { id } = located(created)
      // "When a read request is made for the binary resource that doesn't explicitly specify the FHIR content types ...
      // then the content should be returned using the content type stored in the resource."
      for (const accept of ['image/png', '*/*', 'image/*', undefined]) {
        const answer = await raw(`Binary/${id}`, accept)
        expect(answer.status).toBe(200)
        expect(answer.type).toBe('image/png')
        expect(answer.bytes).toEqual(bytes)
      }
      const tree = await api().get(`Binary/${id}`)
      expect(tree.body).toMatchObject({ resourceType: 'Binary', id, contentType: 'image/png', data: base64 })
    })

    it('is created as a resource and read raw', async () => {
      const stored = await api().made({ resourceType: 'Binary', contentType: 'image/png', data: base64 })
      const answer = await raw(`Binary/${stored.id}`, 'image/png')
      expect(answer.bytes).toEqual(bytes)
      expect(answer.headers.get('etag')).toBe(`W/"${stored.meta.versionId}"`)
    })

    it('is updated raw, and gives the raw content of old versions', async () => {
      const { id } = located(await api().post('Binary', bytes, { 'content-type': 'image/png' }))
      const updated = await api().put(`Binary/${id}`, 'നാഡി', { 'content-type': 'text/plain; charset=utf-8' })
      expect(updated.status, updated.text).toBe(200)
      const now = await raw(`Binary/${id}`, 'text/plain')
      expect(Buffer.from(now.bytes).toString('utf8')).toBe('നാഡി')
      expect(now.type).toMatch(/^text\/plain/)
      expect((await raw(`Binary/${id}/_history/1`, 'image/png')).bytes).toEqual(bytes)
    })

    it('takes the security context from X-Security-Context', async () => {
      const created = await api().post('Binary', bytes, {
        'content-type': 'image/png',
        'x-security-context': 'Patient/abc',
      })
      const stored = await api().get(`Binary/${located(created).id}`)
      expect(stored.body.securityContext).toEqual({ reference: 'Patient/abc' })
    })

    it('cannot run as a page of the server', async () => {
      const { id } = located(
        await api().post('Binary', '<script>alert(1)</script>', { 'content-type': 'text/html' }),
      )
      const answer = await raw(`Binary/${id}`, 'text/html')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(
        `${answer.headers.get('content-security-policy')} ${answer.headers.get('content-disposition')}`,
      ).toMatch(/sandbox|attachment/)
    })

    it('treats a FHIR body as the resource', async () => {
      refused(await api().post('Binary', '{"resourceType":"Binary"}'), 400, 422)
    })
  })

  describe('metadata', () => {
    it('is a CapabilityStatement of a FHIR R4 server', async () => {
      const answer = await api().get('metadata')
      expect(answer.status).toBe(200)
      expect(answer.body).toMatchObject({
        resourceType: 'CapabilityStatement',
        kind: 'instance',
        fhirVersion: '4.0.1',
      })
      expect(answer.body.status).toMatch(/^(active|draft)$/)
      expect(answer.body.date).toMatch(/^\d{4}/)
      expect(answer.body.format).toContain('application/fhir+json')
      expect(answer.body.patchFormat).toEqual(
        expect.arrayContaining(['application/json-patch+json', 'application/fhir+json']),
      )
      expect(answer.body.software.name).toBe('Nadi')
      const [rest] = answer.body.rest
      expect(rest.mode).toBe('server')
      const codes = rest.interaction.map((each: { code: string }) => each.code)
      for (const code of ['transaction', 'batch', 'search-system', 'history-system'])
        expect(codes).toContain(code)
      expect(new Set(rest.resource.map((each: { type: string }) => each.type)).size).toBe(
        rest.resource.length,
      )
      expect(rest.resource.length).toBeGreaterThan(140)
      const type = rest.resource.find((each: { type: string }) => each.type === 'Patient')
      expect(type.interaction.map((each: { code: string }) => each.code).sort()).toEqual([
        'create',
        'delete',
        'history-instance',
        'history-type',
        'patch',
        'read',
        'search-type',
        'update',
        'vread',
      ])
      expect(type).toMatchObject({
        versioning: 'versioned-update',
        readHistory: true,
        updateCreate: true,
        conditionalCreate: true,
        conditionalRead: 'full-support',
        conditionalUpdate: true,
        conditionalDelete: 'multiple',
      })
      expect(type.searchParam).toContainEqual(expect.objectContaining({ name: 'birthdate', type: 'date' }))
    })

    it('names every search parameter once, with a type of R4', async () => {
      const [rest] = (await api().get('metadata')).body.rest
      for (const resource of rest.resource) {
        const names = resource.searchParam.map((each: { name: string }) => each.name)
        expect(new Set(names).size, resource.type).toBe(names.length)
        for (const each of resource.searchParam) {
          expect([
            'number',
            'date',
            'string',
            'token',
            'reference',
            'composite',
            'quantity',
            'uri',
            'special',
          ]).toContain(each.type)
        }
      }
    })
  })
}
