/**
 * Conditional create, update, patch and delete.
 * https://hl7.org/fhir/R4/http.html#ccreate
 */
import { describe, expect, it } from 'vitest'
import { type Api, byIdentifier, located, patient, refused, word } from './client.ts'

export function conditionalSuite(api: () => Api): void {
  const twins = async (value: string) => [await api().made(patient(value)), await api().made(patient(value))]
  const ok = [200, 204]

  describe('conditional create', () => {
    const create = (value: string, more = {}) =>
      api().post('Patient', patient(value, more), { 'if-none-exist': byIdentifier(value) })

    it('creates when nothing matches', async () => {
      expect((await create(word())).status).toBe(201)
    })

    it('takes the criteria with a leading question mark and type as well', async () => {
      const value = word()
      const first = await api().post('Patient', patient(value), {
        'if-none-exist': `?${byIdentifier(value)}`,
      })
      const second = await api().post('Patient', patient(value), {
        'if-none-exist': `Patient?${byIdentifier(value)}`,
      })
      expect([first.status, second.status]).toEqual([201, 200])
    })

    it('answers 200 and stores nothing when one matches', async () => {
      const value = word()
      const first = await create(value)
      const second = await create(value, { active: true })
      expect(second.status).toBe(200)
      expect(located(second)).toEqual(located(first))
      expect(second.headers.get('etag')).toBe(first.headers.get('etag'))
      const ids = await api().found(`Patient?${byIdentifier(value)}`)
      expect(ids).toHaveLength(1)
      expect((await api().get(`Patient/${ids[0]}`)).body.active).toBeUndefined()
    })

    it('answers 412 when several match', async () => {
      const value = word()
      await twins(value)
      refused(await create(value), 412)
      expect(await api().found(`Patient?${byIdentifier(value)}`)).toHaveLength(2)
    })

    it('succeeds again after the match was deleted', async () => {
      const value = word()
      const first = await create(value)
      await api().delete(`Patient/${located(first).id}`)
      const second = await create(value)
      expect(second.status).toBe(201)
      expect(located(second).id).not.toBe(located(first).id)
      expect((await create(value)).status).toBe(200)
    })

    it('succeeds again after the match was edited so that it no longer matches', async () => {
      const value = word()
      const { id } = located(await create(value))
      await api().put(`Patient/${id}`, patient(`${value}-changed`, { id }))
      const second = await create(value)
      expect(second.status).toBe(201)
      expect(located(second).id).not.toBe(id)
    })

    it('leaves one resource of fifty at once', { timeout: 60_000 }, async () => {
      const value = word()
      const answers = await Promise.all(Array.from({ length: 50 }, () => create(value)))
      expect(answers.filter(answer => answer.status === 201)).toHaveLength(1)
      expect(answers.filter(answer => answer.status === 200)).toHaveLength(49)
      expect(new Set(answers.map(answer => located(answer).id)).size).toBe(1)
      expect(await api().found(`Patient?${byIdentifier(value)}`)).toHaveLength(1)
    })

    it('refuses criteria that it cannot judge, instead of creating', async () => {
      const value = word()
      for (const criteria of ['nonsense=1', 'identifier:nonsense=1', 'birthdate=yesterday', '']) {
        refused(await api().post('Patient', patient(value), { 'if-none-exist': criteria }), 400, 412)
      }
      const lenient = await api().post('Patient', patient(value), {
        'if-none-exist': 'nonsense=1',
        prefer: 'handling=lenient',
      })
      refused(lenient, 400, 412)
      expect(await api().found(`Patient?${byIdentifier(value)}`)).toEqual([])
    })
  })

  describe('conditional update', () => {
    const update = (value: string, more = {}) =>
      api().put(`Patient?${byIdentifier(value)}`, patient(value, more), { prefer: 'return=representation' })

    it('creates when nothing matches and the body has no id', async () => {
      const answer = await update(word())
      expect(answer.status).toBe(201)
      located(answer)
    })

    it('creates with the id of the body when nothing matches', async () => {
      const value = word()
      const answer = await update(value, { id: value })
      expect(answer.status).toBe(201)
      expect(located(answer).id).toBe(value)
    })

    it('updates the one match, with no id in the body or with the same', async () => {
      const value = word()
      const first = await update(value)
      const second = await update(value, { active: true })
      expect(second.status).toBe(200)
      expect(second.body.id).toBe(first.body.id)
      expect(second.body.active).toBe(true)
      const third = await update(value, { id: first.body.id, active: false })
      expect(third.status).toBe(200)
      expect(third.body.active).toBe(false)
    })

    it('answers 400 when the one match has another id than the body', async () => {
      const value = word()
      await update(value)
      refused(await update(value, { id: 'other' }), 400)
    })

    it('answers 412 when several match', async () => {
      const value = word()
      await twins(value)
      refused(await update(value), 412)
    })

    it('leaves one resource of fifty at once', { timeout: 60_000 }, async () => {
      const value = word()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => update(value, { multipleBirthInteger: n })),
      )
      // A writer that lost its race for the version may be told so; nobody may create a second resource.
      for (const answer of answers) expect([200, 201, 409, 412], answer.text).toContain(answer.status)
      expect(answers.filter(answer => answer.status === 201)).toHaveLength(1)
      const ids = await api().found(`Patient?${byIdentifier(value)}`)
      expect(ids).toHaveLength(1)
      const versions = (await api().get(`Patient/${ids[0]}/_history?_count=100`)).body.entry
      expect(versions).toHaveLength(answers.filter(answer => answer.status <= 201).length)
    })

    it('does not replace everything when the criteria are empty or unknown', async () => {
      refused(await api().put('Patient', patient(word())), 400, 404, 405, 412)
      refused(await api().put('Patient?', patient(word())), 400, 404, 405, 412)
      refused(
        await api().put('Patient?nonsense=1', patient(word()), { prefer: 'handling=lenient' }),
        400,
        412,
      )
    })
  })

  describe('conditional patch', () => {
    const JSON_PATCH = { 'content-type': 'application/json-patch+json' }
    const operations = [{ op: 'add', path: '/active', value: true }]

    it('patches the one match', async () => {
      const value = word()
      const stored = await api().made(patient(value))
      const answer = await api().patch(`Patient?${byIdentifier(value)}`, operations, JSON_PATCH)
      expect(answer.status).toBe(200)
      expect((await api().get(`Patient/${stored.id}`)).body.active).toBe(true)
    })

    it('answers 404 when nothing matches and 412 when several do', async () => {
      const value = word()
      refused(await api().patch(`Patient?${byIdentifier(value)}`, operations, JSON_PATCH), 404)
      await twins(value)
      refused(await api().patch(`Patient?${byIdentifier(value)}`, operations, JSON_PATCH), 412)
    })
  })

  describe('conditional delete', () => {
    it('deletes the one match', async () => {
      const value = word()
      const stored = await api().made(patient(value))
      expect(ok).toContain((await api().delete(`Patient?${byIdentifier(value)}`)).status)
      refused(await api().get(`Patient/${stored.id}`), 410)
    })

    it('answers 200 or 204 when nothing matches', async () => {
      // "No matches or One Match: The server performs an ordinary delete on the matching resource"
      expect([...ok, 404]).toContain((await api().delete(`Patient?${byIdentifier(word())}`)).status)
    })

    it('deletes all matches, and /metadata says so', async () => {
      const value = word()
      const both = await twins(value)
      const other = await api().made(patient(word()))
      const metadata = (await api().get('metadata')).body
      const type = metadata.rest[0].resource.find((each: { type: string }) => each.type === 'Patient')
      expect(type.conditionalDelete).toBe('multiple')
      expect(ok).toContain((await api().delete(`Patient?${byIdentifier(value)}`)).status)
      for (const each of both) refused(await api().get(`Patient/${each.id}`), 410)
      expect((await api().get(`Patient/${other.id}`)).status).toBe(200)
    })

    it('never deletes everything because the criteria are empty or unknown', async () => {
      const stored = await api().made(patient(word()))
      for (const path of [
        'Patient',
        'Patient?',
        'Patient?_count=1',
        'Patient?nonsense=1',
        'Patient?identifier=',
      ]) {
        refused(await api().delete(path), 400, 404, 405, 412)
        refused(await api().delete(path, { prefer: 'handling=lenient' }), 400, 404, 405, 412)
      }
      expect((await api().get(`Patient/${stored.id}`)).status).toBe(200)
    })
  })

  describe('time', () => {
    it('never goes back: each version is later than the one before', async () => {
      const stored = await api().made(patient(word()))
      for (let n = 0; n < 5; n++)
        await api().put(`Patient/${stored.id}`, { ...stored, multipleBirthInteger: n })
      const times: number[] = (await api().get(`Patient/${stored.id}/_history`)).body.entry.map(
        (each: { resource: { meta: { lastUpdated: string } } }) => Date.parse(each.resource.meta.lastUpdated),
      )
      expect(times).toHaveLength(6)
      for (let n = 1; n < times.length; n++) expect(times[n - 1]).toBeGreaterThan(times[n] as number)
    })
  })
}
