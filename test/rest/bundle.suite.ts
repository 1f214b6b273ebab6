/**
 * Batch and transaction.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
import { describe, expect, it } from 'vitest'
import {
  type Answer,
  type Api,
  bundle,
  byIdentifier,
  entry,
  matches,
  observation,
  patient,
  refused,
  type Tree,
  urn,
  word,
} from './client.ts'

export function bundleSuite(api: () => Api): void {
  const send = (...entries: Tree[]) => api().post('', bundle('transaction', ...entries))
  const statuses = (answer: Answer) =>
    answer.body.entry.map((each: Tree) => Number(each.response.status.slice(0, 3)))
  /** The stored resource that a response entry locates. */
  const stored = async (answer: Answer, index: number): Promise<Tree> => {
    const location: string = answer.body.entry[index].response.location
    return (await api().get(location.replace(/\/_history\/.*$/, ''))).body
  }
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')

  describe('transaction', () => {
    it('answers one entry for each, in the order of the request, with status, location, etag and lastModified', async () => {
      const [a, b] = [word(), word()]
      const old = await api().made(patient(word()))
      const answer = await send(
        entry('GET', `Patient/${old.id}`),
        entry('PUT', `Patient/${a}`, { resource: patient(a, { id: a }) }),
        entry('POST', 'Patient', { resource: patient(b) }),
        entry('DELETE', `Patient/${word()}`),
      )
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.resourceType).toBe('Bundle')
      expect(answer.body.type).toBe('transaction-response')
      expect(statuses(answer)).toEqual([200, 201, 201, expect.toBeOneOf([200, 204])])
      expect(answer.body.entry[0].resource).toEqual(old)
      expect(answer.body.entry[1].response.location).toMatch(new RegExp(`Patient/${a}/_history/1$`))
      for (const index of [1, 2]) {
        const { response } = answer.body.entry[index]
        const now = await stored(answer, index)
        expect(response.location).toMatch(new RegExp(`Patient/${now.id}/_history/${now.meta.versionId}$`))
        expect(response.etag).toBe(`W/"${now.meta.versionId}"`)
        expect(Date.parse(response.lastModified)).toBe(Date.parse(now.meta.lastUpdated))
      }
    })

    it('works in the order DELETE, POST, PUT and PATCH, GET, whatever the order of the entries', async () => {
      const value = word()
      const old = await api().made(patient(value))
      const kept = await api().made(patient(word()))
      const answer = await send(
        entry('GET', `Patient?${byIdentifier(value)}`),
        entry('GET', `Patient/${kept.id}`),
        entry('PUT', `Patient/${kept.id}`, { resource: { ...kept, active: true } }),
        entry(
          'POST',
          'Patient',
          { resource: patient(value, { active: true }) },
          { ifNoneExist: byIdentifier(value) },
        ),
        entry('DELETE', `Patient/${old.id}`),
      )
      expect(answer.status, answer.text).toBe(200)
      // The deletion comes first, so the conditional create finds nothing and creates.
      expect(statuses(answer)).toEqual([200, 200, 200, 201, expect.toBeOneOf([200, 204])])
      const found = matches(answer.body.entry[0].resource)
      expect(found).toHaveLength(1)
      expect(found[0].id).not.toBe(old.id)
      expect(answer.body.entry[1].resource.active).toBe(true)
    })

    it('rewrites links equal to a fullUrl in references, ids, uri, url, oid, uuid and narrative, never in canonical', async () => {
      const [p, binary, group, oid] = [urn(), urn(), urn(), 'urn:oid:2.16.840.1.113883.2.4.6.3.99']
      const answer = await send(
        entry('POST', 'Patient', { fullUrl: p, resource: patient(word()) }),
        entry('POST', 'Binary', {
          fullUrl: binary,
          resource: { resourceType: 'Binary', contentType: 'text/plain', data: 'bmFkaQ==' },
        }),
        entry('POST', 'Group', {
          fullUrl: oid,
          resource: { resourceType: 'Group', type: 'person', actual: true },
        }),
        entry('POST', 'Group', {
          fullUrl: group,
          resource: { resourceType: 'Group', type: 'person', actual: true },
        }),
        entry('POST', 'Questionnaire', {
          resource: {
            resourceType: 'Questionnaire',
            text: {
              status: 'additional',
              div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${p}">${p}</a> <img src='${binary}' alt="x"/></div>`,
            },
            extension: [
              { url: 'https://thanal.example.org/uri', valueUri: p },
              { url: 'https://thanal.example.org/url', valueUrl: p },
              { url: 'https://thanal.example.org/uuid', valueUuid: p },
              { url: 'https://thanal.example.org/oid', valueOid: oid },
              { url: 'https://thanal.example.org/canonical', valueCanonical: p },
              { url: 'https://thanal.example.org/string', valueString: p },
              { url: 'https://thanal.example.org/reference', valueReference: { reference: p } },
              { url: 'https://thanal.example.org/attachment', valueAttachment: { url: binary } },
            ],
            derivedFrom: [p],
            status: 'draft',
            subjectType: ['Patient'],
          },
        }),
        entry('POST', 'Observation', {
          resource: observation({ subject: { reference: p }, focus: [{ reference: group }] }),
        }),
      )
      expect(answer.status, answer.text).toBe(200)
      const [patientId, binaryId] = [(await stored(answer, 0)).id, (await stored(answer, 1)).id]
      const form = await stored(answer, 4)
      const value = (name: string, key: string) =>
        form.extension.find((each: Tree) => each.url === `https://thanal.example.org/${name}`)[key]
      expect(value('uri', 'valueUri')).toMatch(new RegExp(`Patient/${patientId}$`))
      expect(value('url', 'valueUrl')).toMatch(new RegExp(`Patient/${patientId}$`))
      expect(value('uuid', 'valueUuid')).toMatch(new RegExp(`Patient/${patientId}$`))
      expect(value('oid', 'valueOid')).toMatch(/Group\//)
      expect(value('canonical', 'valueCanonical')).toBe(p)
      expect(value('string', 'valueString')).toBe(p)
      expect(value('reference', 'valueReference').reference).toBe(`Patient/${patientId}`)
      expect(value('attachment', 'valueAttachment').url).toMatch(new RegExp(`Binary/${binaryId}$`))
      expect(form.derivedFrom).toEqual([p])
      expect(form.text.div).toContain(`href="Patient/${patientId}"`)
      expect(form.text.div).toContain(`>${p}<`)
      expect(form.text.div).toContain(`Binary/${binaryId}`)
      expect(form.text.div).not.toContain(binary)
      const seen = await stored(answer, 5)
      expect(seen.subject.reference).toBe(`Patient/${patientId}`)
      expect(seen.focus[0].reference).toBe(`Group/${(await stored(answer, 3)).id}`)
    })

    it('rewrites inside contained resources and extensions, and in circles', async () => {
      const [p, o] = [urn(), urn()]
      const answer = await send(
        entry('POST', 'Patient', {
          fullUrl: p,
          resource: patient(word(), {
            extension: [{ url: 'https://thanal.example.org/last', valueReference: { reference: o } }],
          }),
        }),
        entry('POST', 'Observation', {
          fullUrl: o,
          resource: observation({
            contained: [{ resourceType: 'Device', id: 'd', patient: { reference: p } }],
            subject: { reference: p },
            device: { reference: '#d' },
          }),
        }),
      )
      expect(answer.status, answer.text).toBe(200)
      const [one, two] = [await stored(answer, 0), await stored(answer, 1)]
      expect(one.extension[0].valueReference.reference).toBe(`Observation/${two.id}`)
      expect(two.contained[0].patient.reference).toBe(`Patient/${one.id}`)
      expect(two.device.reference).toBe('#d')
    })

    it('rewrites fullUrls that are addresses, and relative references that they make', async () => {
      const answer = await send(
        entry('POST', 'Patient', {
          fullUrl: 'https://other.example.org/fhir/Patient/7',
          resource: patient(word(), { id: '7' }),
        }),
        entry('POST', 'Observation', {
          fullUrl: 'https://other.example.org/fhir/Observation/8',
          resource: observation({ subject: { reference: 'Patient/7' } }),
        }),
        entry('POST', 'Observation', {
          fullUrl: urn(),
          resource: observation({ subject: { reference: 'https://other.example.org/fhir/Patient/7' } }),
        }),
        entry('POST', 'Observation', {
          fullUrl: urn(),
          resource: observation({ subject: { reference: 'https://other.example.org/fhir/Patient/77' } }),
        }),
      )
      expect(answer.status, answer.text).toBe(200)
      const target = `Patient/${(await stored(answer, 0)).id}`
      // bundle.html#references: a relative reference is read from the fullUrl of the entry that holds it.
      expect((await stored(answer, 1)).subject.reference).toBe(target)
      expect((await stored(answer, 2)).subject.reference).toBe(target)
      expect((await stored(answer, 3)).subject.reference).toBe('https://other.example.org/fhir/Patient/77')
    })

    it('keeps a version-specific reference version-specific, pointed to the new version', async () => {
      const known = await api().made(patient(word()))
      const full = 'https://other.example.org/fhir/Patient/9'
      const answer = await send(
        entry('POST', 'Patient', {
          fullUrl: full,
          resource: patient(word(), { id: '9', meta: { versionId: '4' } }),
        }),
        entry('PUT', `Patient/${known.id}`, {
          fullUrl: `https://other.example.org/fhir/Patient/${known.id}`,
          resource: { ...known, active: true },
        }),
        entry('POST', 'Observation', {
          resource: observation({ subject: { reference: `${full}/_history/4` } }),
        }),
        entry('POST', 'Observation', {
          resource: observation({
            subject: {
              reference: `https://other.example.org/fhir/Patient/${known.id}/_history/${known.meta.versionId}`,
            },
          }),
        }),
      )
      expect(answer.status, answer.text).toBe(200)
      expect((await stored(answer, 2)).subject.reference).toBe(
        `Patient/${(await stored(answer, 0)).id}/_history/1`,
      )
      expect((await stored(answer, 3)).subject.reference).toBe(`Patient/${known.id}/_history/2`)
    })

    it('points links at what a conditional create or update found', async () => {
      const value = word()
      const old = await api().made(patient(value))
      const other = word()
      const second = await api().made(patient(other))
      const [p, q] = [urn(), urn()]
      const answer = await send(
        entry(
          'POST',
          'Patient',
          { fullUrl: p, resource: patient(value) },
          { ifNoneExist: byIdentifier(value) },
        ),
        entry('PUT', `Patient?${byIdentifier(other)}`, {
          fullUrl: q,
          resource: patient(other, { active: true }),
        }),
        entry('POST', 'Observation', {
          resource: observation({ subject: { reference: p }, focus: [{ reference: q }] }),
        }),
      )
      expect(answer.status, answer.text).toBe(200)
      expect(statuses(answer)).toEqual([200, 200, 201])
      const seen = await stored(answer, 2)
      expect(seen.subject.reference).toBe(`Patient/${old.id}`)
      expect(seen.focus[0].reference).toBe(`Patient/${second.id}`)
    })

    it('resolves conditional references, those to its own writes too', async () => {
      const [before, within] = [word(), word()]
      const old = await api().made(patient(before))
      const answer = await send(
        entry('POST', 'Observation', {
          resource: observation({ subject: { reference: `Patient?${byIdentifier(before)}` } }),
        }),
        entry('POST', 'Observation', {
          resource: observation({ subject: { reference: `Patient?${byIdentifier(within)}` } }),
        }),
        entry('POST', 'Patient', { resource: patient(within) }),
      )
      expect(answer.status, answer.text).toBe(200)
      expect((await stored(answer, 0)).subject.reference).toBe(`Patient/${old.id}`)
      expect((await stored(answer, 1)).subject.reference).toBe(`Patient/${(await stored(answer, 2)).id}`)
    })

    it('does not see for a conditional reference what it deletes or edits away', async () => {
      const [gone, edited] = [word(), word()]
      const first = await api().made(patient(gone))
      const second = await api().made(patient(edited))
      const refer = (value: string) =>
        entry('POST', 'Observation', {
          resource: observation({ subject: { reference: `Patient?${byIdentifier(value)}` } }),
        })
      refused(await send(refer(gone), entry('DELETE', `Patient/${first.id}`)), 400, 404, 412, 422)
      refused(
        await send(
          refer(edited),
          entry('PUT', `Patient/${second.id}`, { resource: patient('x', { id: second.id }) }),
        ),
        400,
        404,
        412,
        422,
      )
      expect((await api().get(`Patient/${first.id}`)).status).toBe(200)
    })

    it('fails when a conditional reference finds nothing or several, and stores nothing', async () => {
      const [marker, value] = [word(), word()]
      const attempt = () =>
        send(
          entry('POST', 'Patient', { resource: patient(marker) }),
          entry('POST', 'Observation', {
            resource: observation({ subject: { reference: `Patient?${byIdentifier(value)}` } }),
          }),
        )
      const none = refused(await attempt(), 400, 404, 412, 422)
      expect(JSON.stringify(none)).toContain('entry[1]')
      await api().made(patient(value))
      await api().made(patient(value))
      refused(await attempt(), 400, 412, 422)
      expect(await api().found(`Patient?${byIdentifier(marker)}`)).toEqual([])
    })

    it('names the failed entry by its index and stores nothing', async () => {
      const marker = word()
      const kept = await api().made(patient(word()))
      const answer = await send(
        entry('POST', 'Patient', { resource: patient(marker) }),
        entry('PUT', `Patient/${kept.id}`, { resource: { ...kept, active: true } }),
        entry('DELETE', `Patient/${(await api().made(patient(`${marker}-2`))).id}`),
        entry('POST', 'Patient', { resource: patient(marker, { birthDate: '2023-02-30' }) }),
      )
      const outcome = refused(answer, 400, 422)
      expect(JSON.stringify(outcome)).toContain('Bundle.entry[3]')
      expect(JSON.stringify(outcome)).toContain('birthDate')
      expect(await api().found(`Patient?${byIdentifier(marker)}`)).toEqual([])
      expect(await api().found(`Patient?${byIdentifier(`${marker}-2`)}`)).toHaveLength(1)
      expect((await api().get(`Patient/${kept.id}`)).body).toEqual(kept)
    })

    it('fails whole on a stale ifMatch', async () => {
      const marker = word()
      const kept = await api().made(patient(word()))
      const answer = await send(
        entry('POST', 'Patient', { resource: patient(marker) }),
        entry('PUT', `Patient/${kept.id}`, { resource: { ...kept, active: true } }, { ifMatch: 'W/"99"' }),
      )
      expect(JSON.stringify(refused(answer, 412))).toContain('entry[1]')
      expect(await api().found(`Patient?${byIdentifier(marker)}`)).toEqual([])
      const done = await send(
        entry(
          'PUT',
          `Patient/${kept.id}`,
          { resource: { ...kept, active: true } },
          { ifMatch: `W/"${kept.meta.versionId}"` },
        ),
      )
      expect(statuses(done)).toEqual([200])
    })

    it('refuses two entries on one resource, judged after conditional identities resolve', async () => {
      const value = word()
      const kept = await api().made(patient(value))
      const put = entry('PUT', `Patient/${kept.id}`, { resource: { ...kept, active: true } })
      const pairs: Tree[][] = [
        [put, put],
        [put, entry('DELETE', `Patient/${kept.id}`)],
        [put, entry('PUT', `Patient?${byIdentifier(value)}`, { resource: patient(value) })],
        [put, entry('DELETE', `Patient?${byIdentifier(value)}`)],
      ]
      for (const pair of pairs) refused(await send(...pair), 400, 409, 412, 422)
      expect((await api().get(`Patient/${kept.id}`)).body).toEqual(kept)
    })

    it('refuses two entries with one fullUrl', async () => {
      const p = urn()
      const marker = word()
      const answer = await send(
        entry('POST', 'Patient', { fullUrl: p, resource: patient(marker) }),
        entry('POST', 'Patient', { fullUrl: p, resource: patient(marker) }),
      )
      refused(answer, 400, 422)
      expect(await api().found(`Patient?${byIdentifier(marker)}`)).toEqual([])
    })

    it('creates one resource for two conditional creates with one criterion, or refuses both', async () => {
      const value = word()
      const create = () =>
        entry(
          'POST',
          'Patient',
          { fullUrl: urn(), resource: patient(value) },
          { ifNoneExist: byIdentifier(value) },
        )
      const answer = await send(create(), create())
      const found = await api().found(`Patient?${byIdentifier(value)}`)
      if (answer.status === 200) expect(found).toHaveLength(1)
      else {
        refused(answer, 400, 409, 412, 422)
        expect(found).toEqual([])
      }
    })

    it('leaves one resource of many transactions with the same conditional create', async () => {
      const value = word()
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => {
          const p = urn()
          return send(
            entry(
              'POST',
              'Patient',
              { fullUrl: p, resource: patient(value) },
              { ifNoneExist: byIdentifier(value) },
            ),
            entry('POST', 'Observation', { resource: observation({ subject: { reference: p } }) }),
          )
        }),
      )
      for (const answer of answers) expect(answer.status, answer.text).toBe(200)
      const ids = await api().found(`Patient?${byIdentifier(value)}`)
      expect(ids).toHaveLength(1)
      expect(await api().found(`Observation?subject=Patient/${ids[0]}`)).toHaveLength(20)
    })

    it('sees its own writes in a search entry', async () => {
      const [value, before] = [word(), word()]
      const old = await api().made(patient(before))
      const answer = await send(
        entry('GET', `Patient?${byIdentifier(value)}`),
        entry('GET', `Patient?${byIdentifier(before)}`),
        entry('POST', 'Patient', { resource: patient(value) }),
        entry('DELETE', `Patient/${old.id}`),
      )
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.entry[0].resource.type).toBe('searchset')
      expect(matches(answer.body.entry[0].resource).map((each: Tree) => each.id)).toEqual([
        (await stored(answer, 2)).id,
      ])
      expect(matches(answer.body.entry[1].resource)).toEqual([])
    })

    it('patches, with FHIRPath Patch in Parameters and JSON Patch in a Binary', async () => {
      const [a, b] = [await api().made(patient(word())), await api().made(patient(word()))]
      const answer = await send(
        entry('PATCH', `Patient/${a.id}`, {
          resource: {
            resourceType: 'Parameters',
            parameter: [
              {
                name: 'operation',
                part: [
                  { name: 'type', valueCode: 'add' },
                  { name: 'path', valueString: 'Patient' },
                  { name: 'name', valueString: 'gender' },
                  { name: 'value', valueCode: 'female' },
                ],
              },
            ],
          },
        }),
        entry('PATCH', `Patient/${b.id}`, {
          resource: {
            resourceType: 'Binary',
            contentType: 'application/json-patch+json',
            data: base64([{ op: 'add', path: '/active', value: true }]),
          },
        }),
      )
      expect(answer.status, answer.text).toBe(200)
      expect((await api().get(`Patient/${a.id}`)).body.gender).toBe('female')
      expect((await api().get(`Patient/${b.id}`)).body.active).toBe(true)
    })

    it('honours conditional delete, ifNoneMatch and vread in entries', async () => {
      const value = word()
      const [doomed, kept] = [await api().made(patient(value)), await api().made(patient(word()))]
      const answer = await send(
        entry('DELETE', `Patient?${byIdentifier(value)}`),
        entry('GET', `Patient/${kept.id}`, {}, { ifNoneMatch: `W/"${kept.meta.versionId}"` }),
        entry('GET', `Patient/${kept.id}/_history/${kept.meta.versionId}`),
        entry('GET', `Patient/${kept.id}/_history`),
      )
      expect(answer.status, answer.text).toBe(200)
      expect(statuses(answer)).toEqual([expect.toBeOneOf([200, 204]), 304, 200, 200])
      expect(answer.body.entry[2].resource).toEqual(kept)
      expect(answer.body.entry[3].resource.type).toBe('history')
      refused(await api().get(`Patient/${doomed.id}`), 410)
    })

    it('stands in history as its own changes', async () => {
      const p = urn()
      const answer = await send(
        entry('POST', 'Patient', { fullUrl: p, resource: patient(word()) }),
        entry('POST', 'Observation', { resource: observation({ subject: { reference: p } }) }),
      )
      const seen = await stored(answer, 1)
      const history = (await api().get(`Observation/${seen.id}/_history`)).body
      expect(history.entry).toHaveLength(1)
      expect(history.entry[0].resource).toEqual(seen)
    })

    it('takes an empty bundle', async () => {
      const answer = await api().post('', { resourceType: 'Bundle', type: 'transaction' })
      expect(answer.status).toBe(200)
      expect(answer.body.type).toBe('transaction-response')
    })

    it('honours Prefer: return for its entries', async () => {
      const create = () => bundle('transaction', entry('POST', 'Patient', { resource: patient(word()) }))
      const whole = await api().post('', create(), { prefer: 'return=representation' })
      expect(whole.body.entry[0].resource.resourceType).toBe('Patient')
      const little = await api().post('', create(), { prefer: 'return=minimal' })
      expect(little.body.entry[0].resource).toBeUndefined()
    })

    it('refuses what is no batch or transaction', async () => {
      refused(await api().post('', { resourceType: 'Bundle', type: 'collection', entry: [] }), 400, 422)
      refused(await api().post('', patient('x')), 400, 404, 405, 422)
      refused(await api().post('', { resourceType: 'Bundle' }), 400, 422)
    })

    it('refuses entries that say nothing to do, each with its index', async () => {
      const marker = word()
      const wrong: Tree[] = [
        { resource: patient('x') },
        entry('POST', 'Patient'),
        entry('POST', 'Observation', { resource: patient('x') }),
        entry('PUT', 'Patient', { resource: patient('x') }),
        entry('PUT', 'Patient/a', { resource: patient('x', { id: 'b' }) }),
        entry('FLY', 'Patient/a'),
        entry('GET', 'https://other.example.org/fhir/Patient/1'),
        entry('GET', 'Nonsense/1'),
        entry('POST', 'Patient/$nonsense', { resource: { resourceType: 'Parameters' } }),
      ]
      for (const each of wrong) {
        const outcome = refused(
          await send(entry('POST', 'Patient', { resource: patient(marker) }), each),
          400,
          404,
          405,
          422,
        )
        expect(JSON.stringify(outcome), JSON.stringify(each)).toContain('entry[1]')
      }
      expect(await api().found(`Patient?${byIdentifier(marker)}`)).toEqual([])
    })
  })

  describe('batch', () => {
    it('does each entry on its own, and gives each failure its own outcome', async () => {
      const [good, late] = [word(), word()]
      const answer = await api().post(
        '',
        bundle(
          'batch',
          entry('POST', 'Patient', { resource: patient(good) }),
          entry('POST', 'Patient', { resource: patient(word(), { birthDate: '2023-02-30' }) }),
          entry('GET', `Patient/${word()}`),
          entry('PUT', `Patient/${late}`, { resource: patient(late, { id: late }) }),
          entry('GET', 'Patient?nonsense=1'),
        ),
      )
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.type).toBe('batch-response')
      expect(statuses(answer)).toEqual([201, expect.toBeOneOf([400, 422]), 404, 201, 400])
      for (const index of [1, 2, 4]) {
        expect(answer.body.entry[index].response.outcome.resourceType).toBe('OperationOutcome')
      }
      expect(JSON.stringify(answer.body.entry[1].response.outcome)).toContain('birthDate')
      expect(await api().found(`Patient?${byIdentifier(good)}`)).toHaveLength(1)
      expect((await api().get(`Patient/${late}`)).status).toBe(200)
    })
  })
}
