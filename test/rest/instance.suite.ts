/**
 * Read, vread, create, update and delete as a client sees them.
 * https://hl7.org/fhir/R4/http.html#read
 */
import { describe, expect, it } from 'vitest'
import { type Api, located, patient, refused, word } from './client.ts'

export function instanceSuite(api: () => Api): void {
  describe('create', () => {
    it('answers 201 with Location, ETag and Last-Modified, and stamps meta', async () => {
      const answer = await api().post('Patient', patient(word()), { prefer: 'return=representation' })
      expect(answer.status).toBe(201)
      const { type, id, version } = located(answer)
      expect(type).toBe('Patient')
      expect(answer.headers.get('location')).toBe(`${api().base}/Patient/${id}/_history/${version}`)
      expect(answer.headers.get('etag')).toBe(`W/"${version}"`)
      expect(answer.body.id).toBe(id)
      expect(answer.body.meta.versionId).toBe(version)
      expect(answer.body.meta.lastUpdated).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
      )
      const modified = Date.parse(answer.headers.get('last-modified') ?? '')
      expect(modified).toBe(Math.floor(Date.parse(answer.body.meta.lastUpdated) / 1000) * 1000)
      expect(answer.headers.get('content-type')).toMatch(/^application\/fhir\+json/)
    })

    it('ignores the id, versionId and lastUpdated that the client sent', async () => {
      const sent = patient(word(), {
        id: 'mine',
        meta: {
          versionId: '77',
          lastUpdated: '2001-01-01T00:00:00Z',
          source: 'https://thanal.example.org/a',
        },
      })
      const stored = await api().made(sent)
      expect(stored.id).not.toBe('mine')
      expect(stored.meta.versionId).not.toBe('77')
      expect(stored.meta.lastUpdated).not.toMatch(/^2001/)
      expect(stored.meta.source).toBe('https://thanal.example.org/a')
    })

    it('refuses a resource of another type than the URL names', async () => {
      refused(await api().post('Observation', patient(word())), 400)
    })

    it('answers 404 for a type that R4 does not have', async () => {
      refused(await api().post('Patent', { resourceType: 'Patent' }), 404)
    })

    it('refuses an empty body and a body that is no object', async () => {
      refused(await api().post('Patient', ''), 400)
      refused(await api().post('Patient', '[]'), 400)
      refused(await api().post('Patient', '"Patient"'), 400)
      refused(await api().post('Patient', 'null'), 400)
      refused(await api().post('Patient', '{}'), 400)
      refused(await api().post('Patient', '{"resourceType":5}'), 400)
    })
  })

  describe('read', () => {
    it('gives the current version with ETag and Last-Modified', async () => {
      const stored = await api().made(patient(word(), { birthDate: '1988-04-12' }))
      const answer = await api().get(`Patient/${stored.id}`)
      expect(answer.status).toBe(200)
      expect(answer.body).toEqual(stored)
      expect(answer.headers.get('etag')).toBe(`W/"${stored.meta.versionId}"`)
      expect(answer.headers.get('last-modified')).toBe(
        new Date(Math.floor(Date.parse(stored.meta.lastUpdated) / 1000) * 1000).toUTCString(),
      )
    })

    it('answers 404 for an id that never was, and for an id that cannot be', async () => {
      refused(await api().get(`Patient/${word()}`), 404)
      refused(await api().get(`Patient/${'x'.repeat(65)}`), 400, 404)
      refused(await api().get('Patient/a_b'), 400, 404)
    })

    it('answers 404 for a type that R4 does not have, and for a type in the wrong case', async () => {
      refused(await api().get('Patent/1'), 404)
      refused(await api().get('patient/1'), 404)
    })

    it('does not find a resource under another type', async () => {
      const stored = await api().made(patient(word()))
      refused(await api().get(`Observation/${stored.id}`), 404)
    })

    it('answers 304 to If-None-Match of the current version, and 200 to another', async () => {
      const stored = await api().made(patient(word()))
      const same = await api().get(`Patient/${stored.id}`, {
        'if-none-match': `W/"${stored.meta.versionId}"`,
      })
      expect(same.status).toBe(304)
      expect(same.text).toBe('')
      expect(same.headers.get('etag')).toBe(`W/"${stored.meta.versionId}"`)
      const list = await api().get(`Patient/${stored.id}`, {
        'if-none-match': `W/"nothing", W/"${stored.meta.versionId}"`,
      })
      expect(list.status).toBe(304)
      const other = await api().get(`Patient/${stored.id}`, { 'if-none-match': 'W/"nothing"' })
      expect(other.status).toBe(200)
    })

    it('answers 304 to If-Modified-Since of its Last-Modified, and 200 to an earlier time', async () => {
      const stored = await api().made(patient(word()))
      const first = await api().get(`Patient/${stored.id}`)
      const since = first.headers.get('last-modified') as string
      const same = await api().get(`Patient/${stored.id}`, { 'if-modified-since': since })
      expect(same.status).toBe(304)
      const earlier = new Date(Date.parse(since) - 60_000).toUTCString()
      expect((await api().get(`Patient/${stored.id}`, { 'if-modified-since': earlier })).status).toBe(200)
    })
  })

  describe('vread', () => {
    it('gives each version as it was', async () => {
      const first = await api().made(patient(word(), { active: true }))
      const second = await api().put(`Patient/${first.id}`, { ...first, active: false })
      expect(second.status).toBe(200)
      const old = await api().get(`Patient/${first.id}/_history/${first.meta.versionId}`)
      expect(old.status).toBe(200)
      expect(old.body).toEqual(first)
      expect(old.headers.get('etag')).toBe(`W/"${first.meta.versionId}"`)
      const current = (await api().get(`Patient/${first.id}`)).body
      const now = await api().get(`Patient/${first.id}/_history/${current.meta.versionId}`)
      expect(now.body).toEqual(current)
      expect(now.body.active).toBe(false)
    })

    it('answers 404 for a version that never was', async () => {
      const stored = await api().made(patient(word()))
      for (const version of ['99', '0', '-1', 'x', '1e0', '01', '99999999999999999999']) {
        refused(await api().get(`Patient/${stored.id}/_history/${version}`), 400, 404)
      }
    })

    it('answers 410 for the version that is the deletion', async () => {
      const stored = await api().made(patient(word()))
      const gone = await api().delete(`Patient/${stored.id}`)
      const version = /^W\/"(.+)"$/.exec(gone.headers.get('etag') ?? '')?.[1] ?? '2'
      refused(await api().get(`Patient/${stored.id}/_history/${version}`), 410)
      expect((await api().get(`Patient/${stored.id}/_history/${stored.meta.versionId}`)).status).toBe(200)
    })
  })

  describe('update', () => {
    it('answers 200 with the next version, ETag and Last-Modified', async () => {
      const first = await api().made(patient(word()))
      const answer = await api().put(
        `Patient/${first.id}`,
        { ...first, gender: 'female' },
        { prefer: 'return=representation' },
      )
      expect(answer.status).toBe(200)
      expect(answer.body.gender).toBe('female')
      expect(answer.body.meta.versionId).not.toBe(first.meta.versionId)
      expect(answer.headers.get('etag')).toBe(`W/"${answer.body.meta.versionId}"`)
      expect(Date.parse(answer.body.meta.lastUpdated)).toBeGreaterThan(Date.parse(first.meta.lastUpdated))
      expect(answer.headers.get('last-modified')).not.toBeNull()
      expect(answer.headers.get('content-location')).toBe(`${api().base}/Patient/${first.id}/_history/2`)
    })

    it('creates with the id of the client: 201 with Location', async () => {
      const id = word()
      const answer = await api().put(`Patient/${id}`, patient(id, { id }))
      expect(answer.status).toBe(201)
      expect(located(answer).id).toBe(id)
      expect((await api().get(`Patient/${id}`)).body.id).toBe(id)
    })

    it('refuses a body without an id and a body with another id', async () => {
      const id = word()
      refused(await api().put(`Patient/${id}`, patient(id)), 400)
      refused(await api().put(`Patient/${id}`, patient(id, { id: 'other' })), 400)
      refused(await api().get(`Patient/${id}`), 404)
    })

    it('refuses a body of another type', async () => {
      const id = word()
      refused(await api().put(`Observation/${id}`, patient(id, { id })), 400)
    })

    it('refuses an id of the client that is no id', async () => {
      for (const id of ['a_b', 'x'.repeat(65), 'a%20b', 'പേര്']) {
        const answer = await api().put(`Patient/${id}`, patient('x', { id: decodeURIComponent(id) }))
        refused(answer, 400, 404)
      }
    })

    it('answers 412 when If-Match is not the current version, and leaves the resource', async () => {
      const first = await api().made(patient(word()))
      const stale = await api().put(
        `Patient/${first.id}`,
        { ...first, active: true },
        { 'if-match': 'W/"99"' },
      )
      refused(stale, 412)
      expect((await api().get(`Patient/${first.id}`)).body).toEqual(first)
      const fresh = await api().put(
        `Patient/${first.id}`,
        { ...first, active: true },
        { 'if-match': `W/"${first.meta.versionId}"` },
      )
      expect(fresh.status).toBe(200)
      const again = await api().put(
        `Patient/${first.id}`,
        { ...first, active: false },
        { 'if-match': `W/"${first.meta.versionId}"` },
      )
      refused(again, 412)
    })

    it('answers 412 to If-Match on a resource that never was', async () => {
      const id = word()
      refused(await api().put(`Patient/${id}`, patient(id, { id }), { 'if-match': 'W/"1"' }), 404, 412)
      refused(await api().get(`Patient/${id}`), 404)
    })

    it('lets one of many updates with the same If-Match win', async () => {
      const first = await api().made(patient(word()))
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          api().put(
            `Patient/${first.id}`,
            { ...first, multipleBirthInteger: n },
            { 'if-match': `W/"${first.meta.versionId}"` },
          ),
        ),
      )
      expect(answers.filter(answer => answer.status === 200)).toHaveLength(1)
      for (const answer of answers.filter(answer => answer.status !== 200)) refused(answer, 409, 412)
      const history = await api().get(`Patient/${first.id}/_history`)
      expect(history.body.entry).toHaveLength(2)
    })

    it('keeps every one of many updates without If-Match as a version', async () => {
      const first = await api().made(patient(word()))
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          api().put(`Patient/${first.id}`, { ...first, multipleBirthInteger: n }),
        ),
      )
      const done = answers.filter(answer => answer.status === 200)
      // A server may answer 409 to a writer that lost; whatever it acknowledged must be there.
      for (const answer of answers) expect([200, 409]).toContain(answer.status)
      const history = await api().get(`Patient/${first.id}/_history`)
      expect(history.body.entry).toHaveLength(1 + done.length)
      const tags = new Set(done.map(answer => answer.headers.get('etag')))
      expect(tags.size).toBe(done.length)
    })
  })

  describe('delete', () => {
    it('answers 200 or 204; the resource is 410 then, and its history is kept', async () => {
      const stored = await api().made(patient(word()))
      const answer = await api().delete(`Patient/${stored.id}`)
      expect([200, 204]).toContain(answer.status)
      refused(await api().get(`Patient/${stored.id}`), 410)
      const history = await api().get(`Patient/${stored.id}/_history`)
      expect(history.body.entry.map((each: { request: { method: string } }) => each.request.method)).toEqual([
        'DELETE',
        'POST',
      ])
      expect(await api().found(`Patient?_id=${stored.id}`)).toEqual([])
    })

    it('is repeatable, and makes no second deletion', async () => {
      const stored = await api().made(patient(word()))
      await api().delete(`Patient/${stored.id}`)
      const again = await api().delete(`Patient/${stored.id}`)
      expect([200, 204]).toContain(again.status)
      expect((await api().get(`Patient/${stored.id}/_history`)).body.entry).toHaveLength(2)
    })

    it('answers 200 or 204 for what never was', async () => {
      // "or if the resource does not exist at all, the server should return either a 200 OK if the response contains a
      // payload, or a 204 No Content"
      expect([200, 204]).toContain((await api().delete(`Patient/${word()}`)).status)
    })

    it('is undone by an update: 201, the next version, and nothing of the history is lost', async () => {
      const id = word()
      await api().put(`Patient/${id}`, patient(id, { id }))
      await api().delete(`Patient/${id}`)
      const revived = await api().put(`Patient/${id}`, patient(id, { id, active: true }))
      expect(revived.status).toBe(201)
      const versions = (await api().get(`Patient/${id}/_history`)).body.entry
      expect(versions).toHaveLength(3)
      expect(versions.map((each: { request: { method: string } }) => each.request.method)).toEqual([
        'PUT',
        'DELETE',
        'PUT',
      ])
      const current = await api().get(`Patient/${id}`)
      expect(current.status).toBe(200)
      expect(Number(current.body.meta.versionId)).toBe(3)
      expect(await api().found(`Patient?_id=${id}`)).toEqual([id])
    })

    it('honours If-Match', async () => {
      const stored = await api().made(patient(word()))
      refused(await api().delete(`Patient/${stored.id}`, { 'if-match': 'W/"99"' }), 412)
      expect((await api().get(`Patient/${stored.id}`)).status).toBe(200)
      const done = await api().delete(`Patient/${stored.id}`, { 'if-match': `W/"${stored.meta.versionId}"` })
      expect([200, 204]).toContain(done.status)
    })
  })
}
