/**
 * Resources that come along with the matches.
 * https://hl7.org/fhir/R4/search.html#include, https://hl7.org/fhir/R4/search.html#revinclude
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Api, bundle, entry, link, refused, type Tree, word } from './client.ts'

const TAGS = 'https://thanal.example.org/tag'

export function includeSuite(api: () => Api): void {
  const run = word()
  const tag = `_tag=${encodeURIComponent(`${TAGS}|${run}`)}`
  const id = (name: string) => `${run}-${name}`
  const url = `https://thanal.example.org/Questionnaire/${run}`
  /** Names of the entries of a mode, in order. */
  const of = (answer: Tree, mode: string): string[] =>
    (answer.entry ?? [])
      .filter((one: Tree) => one.search.mode === mode)
      .map((one: Tree) => one.resource.id.replace(`${run}-`, ''))
  const get = async (query: string): Promise<Tree> => {
    const answer = await api().get(query)
    expect(answer.status, answer.text).toBe(200)
    return answer.body
  }
  /** Names of the matches, then of the includes. */
  const both = async (query: string) => {
    const answer = await get(query)
    return [of(answer, 'match'), of(answer, 'include')]
  }
  const one = (type: string, name: string) => `${type}?_id=${id(name)}`

  beforeAll(async () => {
    const put = (type: string, name: string, more: Tree) =>
      entry('PUT', `${type}/${id(name)}`, {
        resource: { resourceType: type, id: id(name), meta: { tag: [{ system: TAGS, code: run }] }, ...more },
      })
    const to = (type: string, name: string) => ({ reference: `${type}/${id(name)}` })
    const observed = (name: string, more: Tree) =>
      put('Observation', name, { status: 'final', code: { text: 'x' }, ...more })
    const ok = async (...entries: Tree[]) => {
      const answer = await api().post('', bundle('transaction', ...entries))
      expect(answer.status, answer.text).toBe(200)
    }
    const location = (name: string, partOf?: string) =>
      put('Location', name, partOf === undefined ? {} : { partOf: to('Location', partOf) })
    // Folded, as tokens are, the versions would be one.
    const definition = (name: string, version: string) =>
      put('Questionnaire', name, { status: 'active', url, version })
    const response = (name: string, questionnaire: string) =>
      put('QuestionnaireResponse', name, { status: 'completed', questionnaire })
    await ok(
      put('Organization', 'org', { name: 'Thanal' }),
      put('Practitioner', 'doctor', { active: true }),
      put('Patient', 'p1', {
        managingOrganization: to('Organization', 'org'),
        generalPractitioner: [to('Practitioner', 'doctor')],
        name: [{ family: 'Nair' }],
        photo: [{ title: 'p' }],
      }),
      put('Patient', 'p2', { name: [{ family: 'Menon' }] }),
      put('Patient', 'gone', {}),
      put('Encounter', 'e1', { status: 'finished', class: { code: 'AMB' }, subject: to('Patient', 'p1') }),
      observed('o1', {
        subject: to('Patient', 'p1'),
        encounter: to('Encounter', 'e1'),
        performer: [to('Practitioner', 'doctor')],
      }),
      observed('o2', { subject: { reference: `${api().base}/Patient/${id('p1')}` } }),
      observed('o3', { subject: to('Patient', 'p2') }),
      observed('nowhere', { subject: to('Patient', 'never'), specimen: { identifier: { value: '7' } } }),
      observed('lost', { subject: to('Patient', 'gone') }),
      observed('foreign', { subject: { reference: 'https://other.example.org/fhir/Patient/9' } }),
      observed('c1', { hasMember: [to('Observation', 'c2')] }),
      observed('c2', { hasMember: [to('Observation', 'c1')] }),
      location('house'),
      location('floor', 'house'),
      location('room', 'floor'),
      location('bed', 'room'),
      definition('q1', '1.0-RC1'),
      definition('q2', '10-rc1'),
      response('r1', `${url}|1.0-RC1`),
      response('rAny', url),
    )
    // p1 gets a second version; what names the first one is stored then.
    await ok(
      put('Patient', 'p1', {
        managingOrganization: to('Organization', 'org'),
        name: [{ family: 'Nair-Varma' }],
        photo: [{ title: 'p' }],
      }),
      observed('old', { subject: { reference: `Patient/${id('p1')}/_history/1` } }),
      entry('DELETE', `Patient/${id('gone')}`),
    )
  })

  describe('_include', () => {
    it('adds what the matches refer to, and counts it neither in the total nor on the page', async () => {
      const found = await get(
        `${one('Observation', 'o1')}&_include=Observation:subject&_count=1&_total=accurate`,
      )
      expect([of(found, 'match'), of(found, 'include'), found.total]).toEqual([['o1'], ['p1'], 1])
      const [, included] = found.entry
      expect(included.fullUrl).toBe(`${api().base}/Patient/${id('p1')}`)
      expect(included.resource.meta.versionId).toBe('2')
      expect(link(found, 'self')).toContain('_include=Observation:subject')
    })

    it('goes to the type that is named, and no other', async () => {
      expect(await both(`${one('Observation', 'o1')}&_include=Observation:subject:Patient`)).toEqual([
        ['o1'],
        ['p1'],
      ])
      expect(await both(`${one('Observation', 'o1')}&_include=Observation:subject:Group`)).toEqual([
        ['o1'],
        [],
      ])
    })

    it('takes * for all reference parameters of a type, and for all of all types', async () => {
      for (const all of ['Observation:*', '*']) {
        const [matches, included] = await both(`${one('Observation', 'o1')}&_include=${all}`)
        expect([matches, included!.sort()], all).toEqual([['o1'], ['doctor', 'e1', 'p1']])
      }
    })

    it('adds a resource once, whoever refers to it and however', async () => {
      const query = `Observation?_id=${id('o1')},${id('o2')},${id('o3')}&_include=Observation:subject&_include=Observation:patient`
      expect(await both(query)).toEqual([
        ['o1', 'o2', 'o3'],
        ['p1', 'p2'],
      ])
    })

    it('never adds what is a match', async () => {
      const query = `Observation?_id=${id('c1')},${id('c2')}&_include=Observation:has-member`
      expect(await both(query)).toEqual([['c1', 'c2'], []])
    })

    it('leaves out, without a word, what is not there, is deleted or is on another server', async () => {
      for (const name of ['nowhere', 'lost', 'foreign'])
        expect(await both(`${one('Observation', name)}&_include=Observation:*`), name).toEqual([[name], []])
    })

    it('applies to the matches alone, and with :iterate to what was included too', async () => {
      const query = `${one('Observation', 'o1')}&_include=Observation:subject`
      expect(await both(`${query}&_include:iterate=Patient:organization`)).toEqual([['o1'], ['p1', 'org']])
      expect(await both(`${one('Location', 'bed')}&_include=Location:partof`)).toEqual([['bed'], ['room']])
      expect(await both(`${one('Location', 'bed')}&_include:iterate=Location:partof`)).toEqual([
        ['bed'],
        ['room', 'floor', 'house'],
      ])
    })

    it(':iterate ends where references run in a circle', async () => {
      expect(await both(`${one('Observation', 'c1')}&_include:iterate=Observation:has-member`)).toEqual([
        ['c1'],
        ['c2'],
      ])
    })

    it('of a versioned reference brings that version', async () => {
      const { entry: entries } = await get(`${one('Observation', 'old')}&_include=Observation:subject`)
      expect(entries[1].resource).toMatchObject({
        id: id('p1'),
        meta: { versionId: '1' },
        name: [{ family: 'Nair' }],
      })
    })

    it('of a canonical finds the definition by its url, and by its version where one is named', async () => {
      const include = '_include=QuestionnaireResponse:questionnaire'
      expect(await both(`${one('QuestionnaireResponse', 'r1')}&${include}`)).toEqual([['r1'], ['q1']])
      const [, any] = await both(`${one('QuestionnaireResponse', 'rAny')}&${include}`)
      expect(any!.sort()).toEqual(['q1', 'q2'])
    })

    it('stands for the resources of each page, whatever stood on another', async () => {
      const first = await get(
        `Observation?${tag}&subject=Patient/${id('p1')}&_count=1&_include=Observation:subject`,
      )
      expect([of(first, 'match'), of(first, 'include')]).toEqual([['o1'], ['p1']])
      const second = await get(link(first, 'next')!)
      expect([of(second, 'match'), of(second, 'include')]).toEqual([['o2'], ['p1']])
      const back = await get(link(second, 'previous')!)
      expect([of(back, 'match'), of(back, 'include')]).toEqual([['o1'], ['p1']])
    })

    it('refuses what is no include', async () => {
      for (const wrong of [
        '_include=Observation',
        '_include=Observation:code',
        '_include=Observation:nothing',
        '_include=Nothing:subject',
        '_include=Observation:subject:Medication',
        '_include:recurse=Observation:subject',
        '_include=Observation:subject&_summary=text',
      ])
        refused(await api().get(`Observation?${wrong}`), 400)
    })
  })

  describe('_revinclude', () => {
    it('adds what refers to the matches', async () => {
      expect(await both(`${one('Patient', 'p1')}&_revinclude=Observation:subject`)).toEqual([
        ['p1'],
        ['o1', 'o2', 'old'],
      ])
      expect(
        await both(`${one('Patient', 'p1')}&_revinclude=Observation:subject&_revinclude=Encounter:patient`),
      ).toEqual([['p1'], ['e1', 'o1', 'o2', 'old']])
      expect(await both(`${one('Patient', 'p2')}&_revinclude=Observation:*`)).toEqual([['p2'], ['o3']])
    })

    it('applies with :iterate to what was included', async () => {
      expect(await both(`${one('Location', 'house')}&_revinclude=Location:partof`)).toEqual([
        ['house'],
        ['floor'],
      ])
      expect(await both(`${one('Location', 'house')}&_revinclude:iterate=Location:partof`)).toEqual([
        ['house'],
        ['floor', 'room', 'bed'],
      ])
    })

    it('never adds what is a match, and ends where references run in a circle', async () => {
      const revinclude = '_revinclude:iterate=Observation:has-member'
      expect(await both(`Observation?_id=${id('c1')},${id('c2')}&${revinclude}`)).toEqual([['c1', 'c2'], []])
      expect(await both(`${one('Observation', 'c1')}&${revinclude}`)).toEqual([['c1'], ['c2']])
    })

    it('goes together with _include', async () => {
      const query = `${one('Encounter', 'e1')}&_revinclude=Observation:encounter&_include:iterate=Observation:performer&_include=Encounter:subject`
      expect(await both(query)).toEqual([['e1'], ['p1', 'o1', 'doctor']])
    })

    it('of a definition adds what names its url, without a version or with its own', async () => {
      const revinclude = '_revinclude=QuestionnaireResponse:questionnaire'
      expect(await both(`${one('Questionnaire', 'q1')}&${revinclude}`)).toEqual([['q1'], ['r1', 'rAny']])
      expect(await both(`${one('Questionnaire', 'q2')}&${revinclude}`)).toEqual([['q2'], ['rAny']])
    })
  })

  describe('parts of included resources', () => {
    const query = `${one('Observation', 'o1')}&_include=Observation:subject`
    const SUBSETTED = expect.objectContaining({ code: 'SUBSETTED' })

    it('_summary applies to them', async () => {
      const [, { resource }] = (await get(`${query}&_summary=true`)).entry
      expect([resource.name, resource.photo]).toEqual([[{ family: 'Nair-Varma' }], undefined])
      expect(resource.meta.tag).toContainEqual(SUBSETTED)
    })

    it('_elements does not', async () => {
      const [{ resource: match }, { resource }] = (await get(`${query}&_elements=status`)).entry
      expect([match.subject, match.meta.tag]).toEqual([undefined, expect.arrayContaining([SUBSETTED])])
      expect(resource.photo).toEqual([{ title: 'p' }])
      expect(resource.meta.tag).not.toContainEqual(SUBSETTED)
    })

    it('there are none where only the count is asked', async () => {
      for (const count of ['_summary=count', '_count=0']) {
        const found = await get(`${query}&${count}`)
        expect([found.total, found.entry], count).toEqual([1, undefined])
      }
    })
  })

  it('a chain over a reference to a version is judged by the current one, with a warning', async () => {
    const named = async (name: string, of: string) =>
      get(`${one('Observation', name)}&subject:Patient.name:exact=${of}`)
    // p1 is called Nair-Varma since its second version.
    const old = await named('old', 'Nair-Varma')
    expect([of(old, 'match'), old.entry.at(-1).resource.issue[0].severity]).toEqual([['old'], 'warning'])
    expect((await named('old', 'Nair')).entry).toBeUndefined()
    const plain = await named('o1', 'Nair-Varma')
    expect([of(plain, 'match'), of(plain, 'outcome')]).toEqual([['o1'], []])
  })

  it('includes are answered by POST _search and in a batch too', async () => {
    const form = `_id=${id('o1')}&_include=Observation:subject`
    const posted = await api().post('Observation/_search', form, {
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect([of(posted.body, 'match'), of(posted.body, 'include')]).toEqual([['o1'], ['p1']])
    const answer = await api().post('', bundle('batch', entry('GET', `Observation?${form}`)))
    const found = answer.body.entry[0].resource
    expect([of(found, 'match'), of(found, 'include')]).toEqual([['o1'], ['p1']])
  })
}
