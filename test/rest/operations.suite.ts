/**
 * Operations: how they are called, `$everything`, `$meta`, `$meta-add`, `$meta-delete`, `$lastn`.
 * https://hl7.org/fhir/R4/operations.html, https://hl7.org/fhir/R4/operationslist.html
 */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type Answer,
  type Api,
  bundle,
  entry,
  link,
  matches,
  refused,
  SYSTEM,
  type Tree,
  word,
} from './client.ts'

const TAGS = 'https://thanal.example.org/operations'
const LOINC = 'http://loinc.org'
const FORM = 'application/x-www-form-urlencoded'

export function operationsSuite(api: () => Api): void {
  const run = word()
  const id = (name: string) => `${run}-${name}`
  const short = (resource: Tree) => `${resource.resourceType}/${resource.id.replace(`${run}-`, '')}`
  const ref = (type: string, name: string) => ({ reference: `${type}/${id(name)}` })
  const put = (type: string, name: string, more: Tree = {}) =>
    entry('PUT', `${type}/${id(name)}`, { resource: { resourceType: type, id: id(name), ...more } })
  const store = async (...entries: Tree[]) => {
    const answer = await api().post('', bundle('transaction', ...entries))
    expect(answer.status, answer.text).toBe(200)
  }
  const included = (body: Tree): Tree[] =>
    (body.entry ?? [])
      .filter((each: Tree) => each.search?.mode === 'include')
      .map((each: Tree) => each.resource)
  const ok = (answer: Answer): Tree => {
    expect(answer.status, answer.text).toBe(200)
    return answer.body
  }
  /** All pages of a record: what matched and what came along, in order. */
  const walk = async (path: string) => {
    const found = { pages: 0, matches: [] as string[], includes: [] as string[] }
    for (let next: string | undefined = path; next !== undefined; found.pages++) {
      expect(found.pages, 'pages without end').toBeLessThan(100)
      const body = ok(await api().get(next))
      expect(body).toMatchObject({ resourceType: 'Bundle', type: 'searchset' })
      found.matches.push(...matches(body).map(short))
      found.includes.push(...included(body).map(short))
      next = link(body, 'next')
    }
    return found
  }

  describe('$everything of a patient', () => {
    const RECORD = [
      'Patient/meera',
      'Observation/early',
      'Encounter/visit',
      'Observation/late',
      'Condition/always',
      'Coverage/cover',
      'DocumentReference/letter',
    ]
    const NEEDED = [
      'Binary/letter',
      'Location/ward',
      'Medication/drug',
      'Organization/clinic',
      'Organization/payer',
      'Practitioner/doctor',
      'PractitionerRole/role',
    ]
    const path = `Patient/${id('meera')}/$everything`

    beforeAll(async () => {
      const status = { status: 'final', code: { text: 'test' } }
      await store(
        put('Organization', 'clinic'),
        put('Organization', 'payer'),
        put('Organization', 'unrelated'),
        put('Practitioner', 'doctor'),
        put('PractitionerRole', 'role', {
          practitioner: ref('Practitioner', 'doctor'),
          organization: ref('Organization', 'clinic'),
        }),
        put('Location', 'ward', { managingOrganization: ref('Organization', 'clinic') }),
        put('Medication', 'drug'),
        put('Observation', 'early', {
          ...status,
          subject: ref('Patient', 'meera'),
          effectiveDateTime: '2025-03-01',
        }),
      )
      await store(
        // Written after an observation of hers, and still the first in her record.
        put('Patient', 'meera', {
          managingOrganization: ref('Organization', 'clinic'),
          link: [{ other: ref('Patient', 'other'), type: 'seealso' }],
        }),
        put('Patient', 'other'),
        put('Encounter', 'visit', {
          status: 'finished',
          class: { code: 'AMB' },
          subject: ref('Patient', 'meera'),
          period: { start: '2026-05-01', end: '2026-05-03' },
          location: [{ location: ref('Location', 'ward') }],
        }),
        put('Observation', 'late', {
          ...status,
          subject: ref('Patient', 'meera'),
          encounter: ref('Encounter', 'visit'),
          performer: [ref('PractitionerRole', 'role')],
          effectiveDateTime: '2026-05-02T10:00:00+05:30',
          // A value of another patient: not to be shown in her record.
          derivedFrom: [ref('Observation', 'stranger')],
        }),
        put('Observation', 'stranger', { ...status, subject: ref('Patient', 'other') }),
        put('Condition', 'always', { subject: ref('Patient', 'meera') }),
        put('Coverage', 'cover', {
          status: 'active',
          beneficiary: ref('Patient', 'meera'),
          payor: [ref('Organization', 'payer')],
        }),
        put('Binary', 'letter', { contentType: 'text/plain', data: 'bGV0dGVy' }),
        put('DocumentReference', 'letter', {
          status: 'current',
          subject: ref('Patient', 'meera'),
          content: [
            { attachment: { contentType: 'text/plain', url: `${api().base}/Binary/${id('letter')}` } },
          ],
          context: { related: [ref('Medication', 'drug'), { reference: 'Medication/nowhere-at-all' }] },
        }),
      )
    })

    it('is her compartment, herself first, with what it refers to, each once', async () => {
      const all = await walk(path)
      expect(all.pages).toBe(1)
      expect(all.matches[0]).toBe('Patient/meera')
      expect(all.matches.slice(1).sort()).toEqual(RECORD.slice(1).sort())
      expect(all.includes.sort()).toEqual(NEEDED)
      const body = ok(await api().get(path))
      expect(body.total).toBe(RECORD.length)
      expect(body.entry[0].fullUrl).toBe(`${api().base}/Patient/${id('meera')}`)
      expect(body.link).toEqual([{ relation: 'self', url: `${api().base}/${path}` }])
    })

    it('comes in pages of _count, and each resource once in the whole walk', async () => {
      for (const count of [1, 2, 3]) {
        const all = await walk(`${path}?_count=${count}`)
        expect(all.matches[0]).toBe('Patient/meera')
        expect([...all.matches].sort(), `_count=${count}`).toEqual([...RECORD].sort())
        expect([...all.includes].sort(), `_count=${count}`).toEqual(NEEDED)
        expect(all.pages).toBeGreaterThanOrEqual(Math.ceil(RECORD.length / count))
      }
      expect(matches(ok(await api().get(`${path}?_count=3`)))).toHaveLength(3)
    })

    it('is called by POST with Parameters, a form, or nothing as well', async () => {
      const parameters = (...parameter: Tree[]) => ({ resourceType: 'Parameters', parameter })
      const count = parameters(
        { name: '_count', valueInteger: 2 },
        { name: '_type', valueCode: 'Patient,Encounter' },
      )
      const posted = ok(await api().post(path, count))
      expect(matches(posted).map(short)).toEqual(['Patient/meera', 'Encounter/visit'])
      const form = ok(await api().post(path, '_type=Patient&_type=Encounter', { 'content-type': FORM }))
      expect(matches(form).map(short)).toEqual(['Patient/meera', 'Encounter/visit'])
      const empty = ok(await api().ask('POST', path))
      expect(matches(empty)).toHaveLength(RECORD.length)
    })

    it('with _type shows these alone, of what is needed too', async () => {
      expect(await walk(`${path}?_type=Observation`)).toEqual({
        pages: 1,
        matches: ['Observation/early', 'Observation/late'],
        includes: [],
      })
      const organizations = await walk(`${path}?_type=Organization&_type=Encounter,Practitioner`)
      expect(organizations.matches).toEqual(['Encounter/visit'])
      expect(organizations.includes.sort()).toEqual([
        'Organization/clinic',
        'Organization/payer',
        'Practitioner/doctor',
      ])
      expect((await walk(`${path}?_type=Patient`)).matches).toEqual(['Patient/meera'])
    })

    it('with start and end shows care of that time, and what has no date', async () => {
      const always = ['Condition/always', 'Coverage/cover', 'DocumentReference/letter', 'Patient/meera']
      const shown = async (query: string) => (await walk(`${path}?${query}`)).matches.sort()
      const visit = ['Encounter/visit', 'Observation/late']
      expect(await shown('start=2026')).toEqual([...always, ...visit].sort())
      expect(await shown('end=2025-12-31')).toEqual([...always, 'Observation/early'].sort())
      expect(await shown('start=2026-05-03')).toEqual([...always, 'Encounter/visit'].sort())
      expect(await shown('start=2026-05-02&end=2026-05-02&_count=1')).toEqual([...always, ...visit].sort())
      expect(await shown('start=2025-03-02&end=2026-04-30')).toEqual(always)
    })

    it('with _since shows what was written since then, and herself', async () => {
      const before = new Date(Date.now() - 3_600_000).toISOString()
      const all = await walk(`${path}?_since=${before}`)
      expect(all.matches.sort()).toEqual([...RECORD].sort())
      const later = encodeURIComponent('2999-01-01T00:00:00+05:30')
      expect((await walk(`${path}?_since=${later}`)).matches).toEqual(['Patient/meera'])
    })

    it('keeps its place while resources are written and deleted', async () => {
      const who = id('busy')
      const observation = (name: string) =>
        put('Observation', name, {
          status: 'final',
          code: { text: name },
          subject: { reference: `Patient/${who}` },
        })
      await store(
        entry('PUT', `Patient/${who}`, { resource: { resourceType: 'Patient', id: who } }),
        ...['b1', 'b2', 'b3', 'b4', 'b5'].map(observation),
      )
      const first = ok(await api().get(`Patient/${who}/$everything?_count=3`))
      const before = matches(first).map(short)
      expect(before).toHaveLength(3)
      await api().delete(`Observation/${id(before[1]!.slice('Observation/'.length))}`)
      await store(observation('b6'))
      const rest = await walk(link(first, 'next')!)
      expect([...before, ...rest.matches].sort()).toEqual(
        ['Patient/busy', ...['b1', 'b2', 'b3', 'b4', 'b5', 'b6'].map(name => `Observation/${name}`)].sort(),
      )
    })

    it('of all patients has every record', async () => {
      // Other tests write beside: only what is ours is looked at.
      const mine = new Set<string>()
      for (let next: string | undefined = 'Patient/$everything'; next !== undefined; ) {
        const body: Tree = ok(await api().get(next))
        for (const resource of matches(body)) if (resource.id.startsWith(run)) mine.add(short(resource))
        next = link(body, 'next')
      }
      for (const name of [...RECORD, 'Patient/other', 'Observation/stranger']) expect(mine).toContain(name)
      for (const name of ['Organization/unrelated', ...NEEDED]) expect(mine).not.toContain(name)
    })

    it('refuses what it does not understand', async () => {
      refused(await api().get(`Patient/${id('nobody')}/$everything`), 404)
      for (const query of [
        '_count=0',
        '_count=-1',
        '_count=x',
        '_type=Nothing',
        '_type=,',
        'start=soon',
        'end=2026-13',
        '_since=x',
        'start=2026&end=2025',
        'start=2026&start=2027',
        'colour=red',
        '_cursor=abc',
      ])
        refused(await api().get(`${path}?${query}`), 400)
      expect((await api().get(`${path}?colour=red`, { prefer: 'handling=lenient' })).status).toBe(200)
      const next = link(ok(await api().get(`${path}?_count=1`)), 'next')!
      refused(await api().get(next.replace(id('meera'), id('other'))), 400)
      refused(await api().get(`${next}&start=2020`), 400)
      refused(
        await api().post(path, {
          resourceType: 'Parameters',
          parameter: [{ name: '_count', resource: { resourceType: 'Patient' } }],
        }),
        400,
      )
      refused(await api().post(path, { resourceType: 'Patient' }), 400)
      refused(await api().post(path, '[]'), 400)
      refused(await api().post(path, 'x=%zz', { 'content-type': FORM }), 400)
      refused(await api().post(path, '<x/>', { 'content-type': 'application/xml' }), 415)
    })

    it('of a deleted patient is gone', async () => {
      const { id: gone } = await api().made({ resourceType: 'Patient' })
      await api().delete(`Patient/${gone}`)
      refused(await api().get(`Patient/${gone}/$everything`), 410)
    })
  })

  describe('$everything of an encounter', () => {
    beforeAll(() =>
      store(
        put('Patient', 'ravi'),
        put('Practitioner', 'nurse'),
        put('Encounter', 'stay', {
          status: 'finished',
          class: { code: 'IMP' },
          subject: ref('Patient', 'ravi'),
          diagnosis: [{ condition: ref('Condition', 'known') }],
        }),
        put('Encounter', 'before', {
          status: 'finished',
          class: { code: 'IMP' },
          subject: ref('Patient', 'ravi'),
        }),
        put('Condition', 'known', { subject: ref('Patient', 'ravi'), encounter: ref('Encounter', 'before') }),
        put('Observation', 'stay', {
          status: 'final',
          code: { text: 'x' },
          subject: ref('Patient', 'ravi'),
          encounter: ref('Encounter', 'stay'),
          performer: [ref('Practitioner', 'nurse')],
        }),
        put('Observation', 'elsewhere', {
          status: 'final',
          code: { text: 'x' },
          subject: ref('Patient', 'ravi'),
        }),
      ),
    )

    it('is its compartment, itself first, with what that refers to', async () => {
      const all = await walk(`Encounter/${id('stay')}/$everything`)
      expect(all.matches).toEqual(['Encounter/stay', 'Observation/stay'])
      expect(all.includes.sort()).toEqual(['Condition/known', 'Patient/ravi', 'Practitioner/nurse'])
      const paged = await walk(`Encounter/${id('stay')}/$everything?_count=1`)
      expect(paged.matches).toEqual(all.matches)
      expect(paged.includes.sort()).toEqual(all.includes)
      expect((await walk(`Encounter/${id('stay')}/$everything?_type=Encounter`)).matches).toEqual([
        'Encounter/stay',
      ])
    })

    it('takes no start and end, and is not there for the type', async () => {
      refused(await api().get(`Encounter/${id('stay')}/$everything?start=2026`), 400)
      refused(await api().get('Encounter/$everything'), 404)
    })
  })

  describe('$meta', () => {
    const tag = (code: string, more: Tree = {}) => ({ system: TAGS, code: `${run}-${code}`, ...more })
    const body = (meta: Tree) => ({
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: meta }],
    })
    const metaOf = (answer: Answer): Tree => {
      const { resourceType, parameter } = ok(answer)
      expect(resourceType).toBe('Parameters')
      expect(parameter.map((one: Tree) => one.name)).toEqual(['return'])
      return parameter[0].valueMeta
    }
    const codes = (meta: Tree) => (meta.tag ?? []).map((one: Tree) => one.code.replace(`${run}-`, '')).sort()
    const made = (tags: Tree[], more: Tree = {}) =>
      api().made({ resourceType: 'Basic', meta: { tag: tags, ...more }, code: { text: run } })

    it('of an instance and of a version is the meta that a read shows', async () => {
      const { id: at } = await made([tag('a')])
      await api().put(`Basic/${at}`, {
        resourceType: 'Basic',
        id: at,
        meta: { tag: [tag('b')] },
        code: { text: run },
      })
      for (const path of [`Basic/${at}`, `Basic/${at}/_history/1`]) {
        const read = await api().get(path)
        const answer = await api().get(`${path}/$meta`)
        expect(metaOf(answer)).toEqual(read.body.meta)
        expect(answer.headers.get('etag')).toBe(read.headers.get('etag'))
      }
      refused(await api().get(`Basic/${id('none')}/$meta`), 404)
      refused(await api().get(`Basic/${at}/_history/9/$meta`), 404)
      await api().delete(`Basic/${at}`)
      refused(await api().get(`Basic/${at}/$meta`), 410)
    })

    it('of a type and of the system has all labels in use', async () => {
      await made([tag('in-use'), tag('in-use-too')], {
        security: [tag('secret')],
        profile: [`${TAGS}/profile/${run}`],
      })
      for (const path of ['Basic/$meta', '$meta']) {
        const meta = metaOf(await api().get(path))
        expect(codes(meta), path).toEqual(expect.arrayContaining(['in-use', 'in-use-too']))
        expect(meta.security).toEqual(expect.arrayContaining([tag('secret')]))
        expect(meta.profile).toContain(`${TAGS}/profile/${run}`)
        expect(Object.keys(meta).sort()).toEqual(['profile', 'security', 'tag'])
      }
      const other = metaOf(await api().get('Slot/$meta'))
      expect(codes({ tag: [], ...other })).not.toContain('in-use')
    })

    it('-add adds what is not there yet, by system and code, and by the URL of a profile', async () => {
      const { id: at } = await made([tag('a', { display: 'An a' })], { profile: [`${TAGS}/p`] })
      const answer = await api().post(
        `Basic/${at}/$meta-add`,
        body({
          tag: [
            tag('a', { version: '2', display: 'Another' }),
            tag('b'),
            tag('b', { display: 'twice' }),
            { code: `${run}-a` },
          ],
          security: [tag('s')],
          profile: [`${TAGS}/p`, `${TAGS}/p|2`],
        }),
      )
      const meta = metaOf(answer)
      expect(meta.tag).toEqual([tag('a', { display: 'An a' }), tag('b'), { code: `${run}-a` }])
      expect(meta.security).toEqual([tag('s')])
      expect(meta.profile).toEqual([`${TAGS}/p`, `${TAGS}/p|2`])
      const read = await api().get(`Basic/${at}`)
      expect(read.body.meta).toEqual(meta)
      expect(read.body.code).toEqual({ text: run })
      expect(answer.headers.get('etag')).toBe(read.headers.get('etag'))
      expect(await api().found(`Basic?_tag=${encodeURIComponent(`${TAGS}|${run}-b`)}`)).toEqual([at])
    })

    it('-delete takes away by system and code; what is not there is no error', async () => {
      const { id: at } = await made([tag('x', { display: 'An x' }), tag('y')], {
        security: [tag('s')],
        profile: [`${TAGS}/p`],
      })
      const meta = metaOf(
        await api().post(
          `Basic/${at}/$meta-delete`,
          body({
            tag: [tag('x', { display: 'another' }), tag('never')],
            security: [tag('s')],
            profile: [`${TAGS}/q`],
          }),
        ),
      )
      expect(codes(meta)).toEqual(['y'])
      expect(meta.security).toBeUndefined()
      expect(meta.profile).toEqual([`${TAGS}/p`])
      expect(await api().found(`Basic?_tag=${encodeURIComponent(`${TAGS}|${run}-x`)}`)).toEqual([])
    })

    it('-add and -delete that change nothing make no version', async () => {
      const { id: at } = await made([tag('same')])
      const added = await api().post(`Basic/${at}/$meta-add`, body({ tag: [tag('same')] }))
      const deleted = await api().post(`Basic/${at}/$meta-delete`, body({ tag: [tag('never')] }))
      for (const answer of [added, deleted]) expect(metaOf(answer).versionId).toBe('1')
    })

    it('-add of several at once keeps them all', async () => {
      const { id: at } = await api().made({ resourceType: 'Basic', code: { text: run } })
      const names = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6']
      const answers = await Promise.all(
        names.map(name => api().post(`Basic/${at}/$meta-add`, body({ tag: [tag(name)] }))),
      )
      for (const answer of answers) expect(answer.status, answer.text).toBe(200)
      const meta = metaOf(await api().get(`Basic/${at}/$meta`))
      expect(codes(meta)).toEqual(names)
      expect(meta.versionId).toBe('7')
    })

    it('is refused where it is misused', async () => {
      const { id: at } = await made([tag('z')])
      const path = `Basic/${at}/$meta-add`
      const get = await api().get(path)
      refused(get, 405)
      expect(get.headers.get('allow')).toBe('POST, OPTIONS')
      refused(await api().delete(`Basic/${at}/$meta`), 405)
      refused(await api().post(path, { resourceType: 'Parameters' }), 400)
      refused(await api().post(path, body({})), 400)
      refused(await api().post(path, body({ tag: 'x' })), 400)
      refused(await api().post(path, body({ tag: [{ system: 7 }] })), 400)
      refused(await api().post(path, body({ profile: ['no uri'] })), 400)
      refused(
        await api().post(path, {
          resourceType: 'Parameters',
          parameter: [{ name: 'meta', valueString: 'x' }],
        }),
        400,
      )
      const twice = body({ tag: [tag('q')] })
      refused(await api().post(path, { ...twice, parameter: [...twice.parameter, ...twice.parameter] }), 400)
      refused(await api().post(path, 'meta=x', { 'content-type': FORM }), 415)
      refused(await api().post(path, 'meta=x', { 'content-type': 'text/plain' }), 415)
      refused(await api().post(`Basic/${id('none')}/$meta-add`, twice), 404)
      expect(metaOf(await api().get(`Basic/${at}/$meta`)).versionId).toBe('1')
    })
  })

  describe('$lastn', () => {
    const observed = (name: string, effective: string | undefined, code: Tree, more: Tree = {}) =>
      put('Observation', name, {
        status: 'final',
        subject: ref('Patient', 'lastn'),
        category: [{ coding: [{ code: 'vital-signs' }] }],
        code,
        ...(effective === undefined ? {} : { effectiveDateTime: effective }),
        ...more,
      })
    const coded = (...list: string[]) => ({ coding: list.map(code => ({ system: LOINC, code })) })
    const of = `patient=Patient/${id('lastn')}`
    const lastn = async (query: string) => {
      const body = ok(await api().get(`Observation/$lastn?${query}`))
      expect(body.type).toBe('searchset')
      expect(body.total ?? 0).toBe(matches(body).length)
      return matches(body).map(resource => resource.id.replace(`${run}-`, ''))
    }

    beforeAll(() =>
      store(
        put('Patient', 'lastn'),
        observed('a1', '2026-01-01T10:00:00Z', coded('A')),
        observed('a2', '2026-01-02T10:00:00Z', coded('A')),
        observed('a4', '2026-01-04T10:00:00Z', coded('A'), { status: 'entered-in-error' }),
        observed('a3', '2026-01-03T10:00:00Z', coded('A')),
        // The same instant as a3 in another zone.
        observed('a3b', '2026-01-03T15:30:00+05:30', coded('A')),
        observed('b1', '2026-01-05T10:00:00Z', coded('B')),
        observed('other-system', '2026-01-01T09:00:00Z', { coding: [{ system: SYSTEM, code: 'B' }] }),
        observed('text1', '2026-01-01T08:00:00Z', { text: 'Text' }),
        observed('text2', '2026-01-01T07:00:00Z', { text: 't e x t' }),
        observed('text3', '2026-01-01T06:00:00Z', { text: 'Text' }),
        observed('undated', undefined, coded('U')),
        observed('lab', '2026-02-01T00:00:00Z', coded('A'), {
          category: [{ coding: [{ code: 'laboratory' }] }],
        }),
        observed('stranger', '2026-02-01T00:00:00Z', coded('A'), { subject: ref('Patient', 'meera') }),
      ),
    )

    it('is the most recent of each code, newest first; text alone counts to the letter', async () => {
      expect(await lastn(`${of}&category=vital-signs`)).toEqual([
        'b1',
        'a4',
        'other-system',
        'text1',
        'text2',
        'undated',
      ])
    })

    it('with max is as many of each code, and those of the same time as the last one', async () => {
      expect(await lastn(`${of}&category=vital-signs&code=${LOINC}|A&max=1`)).toEqual(['a4'])
      const tied = await lastn(`${of}&category=vital-signs&code=${LOINC}|A&max=2`)
      expect(tied[0]).toBe('a4')
      expect(tied.slice(1).sort()).toEqual(['a3', 'a3b'])
      expect(await lastn(`${of}&category=vital-signs&code=${LOINC}|A&max=4`)).toHaveLength(4)
      expect(await lastn(`${of}&category=vital-signs&code=${LOINC}|A&max=999999999`)).toHaveLength(5)
    })

    it('is filtered by other search parameters', async () => {
      expect(
        await lastn(
          `subject=Patient/${id('lastn')}&code=A&status:not=entered-in-error&category=vital-signs&max=1`,
        ),
      ).toEqual(expect.arrayContaining(['a3', 'a3b']))
      expect(await lastn(`${of}&code=A&date=lt2026-01-02`)).toEqual(['a1'])
      expect(await lastn(`${of}&code=nothing`)).toEqual([])
    })

    it('takes codes for one that share a coding, over a third one too', async () => {
      const who = `patient=${id('chain')}`
      const one = (name: string, day: number, ...list: string[]) =>
        observed(name, `2026-03-0${day}`, coded(...list), { subject: ref('Patient', 'chain') })
      await store(put('Patient', 'chain'), one('c1', 1, 'A'), one('c2', 2, 'B'))
      expect(await lastn(`${who}&category=vital-signs`)).toEqual(['c2', 'c1'])
      await store(one('c3', 3, 'C'))
      expect(await lastn(`${who}&category=vital-signs`)).toEqual(['c3', 'c2', 'c1'])
      await store(one('c0', 1, 'A', 'C'))
      expect(await lastn(`${who}&category=vital-signs`), '[a,c] [b]').toEqual(['c3', 'c2'])
      await store(one('c4', 4, 'A', 'B'))
      expect(await lastn(`${who}&category=vital-signs`), '[a,b,c]').toEqual(['c4'])
      expect(await lastn(`${who}&category=vital-signs&max=3`)).toEqual(['c4', 'c3', 'c2'])
    })

    it('is called by POST as well', async () => {
      const parameter = [
        { name: 'max', valuePositiveInt: 1 },
        { name: 'patient', valueString: `Patient/${id('lastn')}` },
        { name: 'code', valueString: `${LOINC}|B` },
      ]
      const body = ok(await api().post('Observation/$lastn', { resourceType: 'Parameters', parameter }))
      expect(matches(body).map(short)).toEqual(['Observation/b1'])
    })

    it('needs a subject, and a category or a code', async () => {
      for (const query of ['', of, 'category=vital-signs', 'code=A', `${of}&status=final`, `${of}&code=`])
        refused(await api().get(`Observation/$lastn?${query}`), 400)
      for (const more of [
        'max=0',
        'max=-1',
        'max=x',
        'max=1&max=2',
        '_sort=date',
        '_count=3',
        '_include=*',
        'colour=red',
        'code:nothing=x',
        'date=soon',
      ])
        refused(await api().get(`Observation/$lastn?${of}&code=A&${more}`), 400)
      refused(await api().get(`Patient/$lastn?${of}&code=A`), 404)
      refused(await api().get(`Observation/${id('a1')}/$lastn?${of}&code=A`), 404)
    })
  })

  describe('a search that asks a value set or a hierarchy', () => {
    const system = `${TAGS}/cs/${run}`
    const set = `${TAGS}/vs/${run}`
    const e = encodeURIComponent
    const observed = (name: string, code: string) =>
      put('Observation', name, { status: 'final', code: { coding: [{ system, code }] } })
    const found = async (query: string) =>
      (await api().found(query)).map(each => each.replace(`${run}-`, '')).sort()

    beforeAll(() =>
      store(
        put('CodeSystem', 'cs', {
          url: system,
          status: 'active',
          content: 'complete',
          concept: [
            { code: 'fever', concept: [{ code: 'high-fever' }, { code: 'low-fever' }] },
            { code: 'cough' },
          ],
        }),
        put('ValueSet', 'vs', {
          url: set,
          status: 'active',
          compose: {
            include: [{ system, filter: [{ property: 'concept', op: 'is-a', value: 'fever' }] }],
            exclude: [{ system, concept: [{ code: 'low-fever' }] }],
          },
        }),
        observed('fever', 'fever'),
        observed('high', 'high-fever'),
        observed('low', 'low-fever'),
        observed('cough', 'cough'),
        put('Location', 'house'),
        put('Location', 'ward', { partOf: ref('Location', 'house') }),
        put('Location', 'bed', { partOf: ref('Location', 'ward') }),
      ),
    )

    it('finds the codes of a value set by :in, by its url and by its id', async () => {
      for (const name of [set, `ValueSet/${id('vs')}`])
        expect(await found(`Observation?code:in=${e(name)}`), name).toEqual(['fever', 'high'])
      const others = await found(
        `Observation?code:not-in=${e(set)}&_id=${['fever', 'high', 'low', 'cough'].map(id)}`,
      )
      expect(others).toEqual(['cough', 'low'])
    })

    it('follows a value set as soon as it changes', async () => {
      const narrow = {
        url: `${set}-2`,
        status: 'active',
        compose: { include: [{ system, concept: [{ code: 'cough' }] }] },
      }
      refused(await api().get(`Observation?code:in=${e(`${set}-2`)}`), 400)
      await store(put('ValueSet', 'vs2', narrow))
      expect(await found(`Observation?code:in=${e(`${set}-2`)}`)).toEqual(['cough'])
    })

    it('finds what is below and above a code, itself included', async () => {
      expect(await found(`Observation?code:below=${e(`${system}|fever`)}`)).toEqual(['fever', 'high', 'low'])
      expect(await found(`Observation?code:above=${e(`${system}|high-fever`)}`)).toEqual(['fever', 'high'])
    })

    it('finds what is below and above a resource, itself included', async () => {
      expect(await found(`Location?partof:below=Location/${id('house')}`)).toEqual(['bed', 'ward'])
      expect(await found(`Location?partof:above=Location/${id('bed')}`)).toEqual(['bed', 'ward'])
    })

    it('is refused with the reason where it cannot be told', async () => {
      const unknown = refused(await api().get(`Observation?code:in=${e(`${set}/unknown`)}`), 400)
      expect(unknown.issue[0].diagnostics).toMatch(/no such ValueSet/)
      const away = refused(
        await api().get(`Observation?code:below=${e('http://snomed.info/sct|386661006')}`),
        400,
      )
      expect(away.issue[0].diagnostics).toMatch(/no CodeSystem/)
    })
  })

  describe('an operation', () => {
    it('that there is not is a 404, on every level and by every method', async () => {
      for (const path of [
        '$nothing',
        'Patient/$nothing',
        `Patient/${id('meera')}/$nothing`,
        `Patient/${id('meera')}/_history/1/$everything`,
        'Nothing/$meta',
        'Nothing/1/$everything',
        'Patient//$everything',
        'Patient/$everything/1',
        'Patient/$',
        '$',
        `Patient/${id('meera')}/$everything/$everything`,
        `Patient/${id('meera')}/$__proto__`,
        `Patient/${id('meera')}/$constructor`,
      ])
        for (const method of ['GET', 'POST', 'PUT', 'DELETE'])
          refused(
            await api().ask(
              method,
              path,
              method === 'POST' || method === 'PUT' ? { body: { resourceType: 'Parameters' } } : {},
            ),
            404,
          )
    })

    it('is listed in the CapabilityStatement, where it is served', async () => {
      const { rest } = ok(await api().get('metadata'))
      const base = 'http://hl7.org/fhir/OperationDefinition'
      const meta = { name: 'meta', definition: `${base}/Resource-meta` }
      const sets = ['meta-add', 'meta-delete'].map(name => ({ name, definition: `${base}/Resource-${name}` }))
      expect(rest[0].operation).toContainEqual(meta)
      expect(rest[0].operation.map((one: Tree) => one.name)).not.toContain('everything')
      const of = (type: string) => rest[0].resource.find((each: Tree) => each.type === type).operation
      expect(of('Basic')).toEqual(expect.arrayContaining([meta, ...sets]))
      expect(of('Patient')).toEqual(
        expect.arrayContaining([
          { name: 'everything', definition: `${base}/Patient-everything` },
          meta,
          ...sets,
        ]),
      )
      expect(of('Encounter')).toContainEqual({
        name: 'everything',
        definition: `${base}/Encounter-everything`,
      })
      expect(of('Observation')).toContainEqual({ name: 'lastn', definition: `${base}/Observation-lastn` })
    })

    it('says by OPTIONS how it is called, and answers HEAD', async () => {
      const path = `Patient/${id('meera')}/$everything`
      const options = await api().ask('OPTIONS', path)
      expect(options.status).toBe(204)
      expect(options.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS')
      const head = await api().ask('HEAD', path)
      expect(head.status).toBe(200)
      expect(head.text).toBe('')
      refused(await api().ask('PUT', path, { body: {} }), 405)
    })

    it('has a name that may be escaped, and answers in the format asked for', async () => {
      const path = `Patient/${id('meera')}/%24everything`
      expect(matches(ok(await api().get(`${path}?_format=json&_type=Patient`))).map(short)).toEqual([
        'Patient/meera',
      ])
      const pretty = await api().get(`${path}?_pretty=true&_type=Patient`)
      expect(pretty.text).toContain('\n  "type": "searchset"')
      refused(await api().get(`${path}?_format=xml`), 406)
      refused(await api().get(path, { accept: 'application/fhir+xml' }), 406)
    })
  })
}
