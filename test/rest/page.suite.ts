/**
 * Order, pages, totals and parts of resources.
 * https://hl7.org/fhir/R4/search.html#return
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Api, bundle, entry, link, matches, refused, type Tree, word } from './client.ts'

const TAGS = 'https://thanal.example.org/tag'

export function pageSuite(api: () => Api): void {
  const run = word()
  const tag = `_tag=${encodeURIComponent(`${TAGS}|${run}`)}`
  const id = (name: string) => `${run}-${name}`
  const names = (bundle: Tree) => matches(bundle).map((each: Tree) => each.id.replace(`${run}-`, ''))
  const ordered = async (query: string) =>
    (await api().found(`Patient?${tag}&${query}`)).map(each => each.replace(`${run}-`, ''))

  beforeAll(async () => {
    const person = (name: string, more: Tree) =>
      entry('PUT', `Patient/${id(name)}`, {
        resource: {
          resourceType: 'Patient',
          id: id(name),
          meta: { tag: [{ system: TAGS, code: run }] },
          ...more,
        },
      })
    const answer = await api().post(
      '',
      bundle(
        'transaction',
        person('s1', { name: [{ family: 'Alpha' }], birthDate: '1990-01-01', gender: 'female' }),
        person('s2', { name: [{ family: 'beta' }], birthDate: '1980-01-01', gender: 'male' }),
        person('s3', { name: [{ family: 'Alpha' }], birthDate: '1970-01-01', gender: 'male' }),
        person('s4', {
          birthDate: '1960-01-01',
          maritalStatus: { text: 'm' },
          text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">four</div>' },
        }),
        person('s5', { name: [{ family: 'Zeta' }, { family: 'Aaa' }], birthDate: '1950-01-01' }),
        person('s6', { name: [{ family: 'Éclair' }], birthDate: '2000-01-01' }),
        person('s7', { active: true }),
      ),
    )
    expect(answer.status, answer.text).toBe(200)
  })

  describe('_sort', () => {
    const orders: Record<string, string[]> = {
      'family,birthdate': ['s5', 's3', 's1', 's2', 's6', 's4', 's7'],
      'family,-birthdate': ['s5', 's1', 's3', 's2', 's6', 's4', 's7'],
      '-family,birthdate': ['s5', 's6', 's2', 's3', 's1', 's4', 's7'],
      birthdate: ['s5', 's4', 's3', 's2', 's1', 's6', 's7'],
      '-birthdate': ['s6', 's1', 's2', 's3', 's4', 's5', 's7'],
      'gender,birthdate': ['s1', 's3', 's2', 's5', 's4', 's6', 's7'],
      _id: ['s1', 's2', 's3', 's4', 's5', 's6', 's7'],
      '-_id': ['s7', 's6', 's5', 's4', 's3', 's2', 's1'],
    }
    for (const [sort, order] of Object.entries(orders)) {
      it(`${sort}: those without a value come last, on pages of any size`, async () => {
        for (const count of [50, 3, 2, 1])
          expect(await ordered(`_sort=${sort}&_count=${count}`), `_count=${count}`).toEqual(order)
      })
    }

    it('_lastUpdated, both ways', async () => {
      const created: string[] = []
      const mark = word()
      for (let n = 0; n < 4; n++) {
        const made = await api().made({
          resourceType: 'Patient',
          meta: { tag: [{ system: TAGS, code: mark }] },
        })
        created.push(made.id)
      }
      const query = `Patient?_tag=${encodeURIComponent(`${TAGS}|${mark}`)}&_count=3`
      expect(await api().found(`${query}&_sort=_lastUpdated`)).toEqual(created)
      expect(await api().found(`${query}&_sort=-_lastUpdated`)).toEqual([...created].reverse())
    })

    it('refuses a key that it cannot sort by', async () => {
      for (const sort of ['nonsense', '-nonsense', 'family,nonsense', '-'])
        refused(await api().get(`Patient?_sort=${sort}`), 400)
    })

    it('without a sort shows everything once', async () => {
      for (const count of [3, 1])
        expect((await ordered(`_count=${count}`)).sort()).toEqual(['s1', 's2', 's3', 's4', 's5', 's6', 's7'])
    })
  })

  describe('pages', () => {
    it('hold _count resources and a next link until the end', async () => {
      const first = await api().get(`Patient?${tag}&_sort=birthdate&_count=3`)
      expect(names(first.body)).toEqual(['s5', 's4', 's3'])
      expect(link(first.body, 'next')).toMatch(new RegExp(`^${api().base}`))
      const second = await api().get(link(first.body, 'next') as string)
      expect(names(second.body)).toEqual(['s2', 's1', 's6'])
      const third = await api().get(link(second.body, 'next') as string)
      expect(names(third.body)).toEqual(['s7'])
      expect(link(third.body, 'next')).toBeUndefined()
    })

    it('never repeat or lose what did not change while others come and go', async () => {
      const mark = word()
      const make = (name: string, family: string) =>
        api().put(`Patient/${mark}-${name}`, {
          resourceType: 'Patient',
          id: `${mark}-${name}`,
          meta: { tag: [{ system: TAGS, code: mark }] },
          name: [{ family }],
        })
      for (const name of ['b', 'd', 'f', 'h', 'j']) await make(name, name)
      const first = await api().get(
        `Patient?_tag=${encodeURIComponent(`${TAGS}|${mark}`)}&_sort=family&_count=2`,
      )
      await make('a', 'a')
      await make('g', 'g')
      await api().delete(`Patient/${mark}-b`)
      await make('j', 'c')
      const rest = await api().found(link(first.body, 'next') as string)
      const seen = [...matches(first.body).map((each: Tree) => each.id), ...rest].map(each =>
        each.replace(`${mark}-`, ''),
      )
      for (const name of ['d', 'f', 'h']) expect(seen.filter(each => each === name)).toHaveLength(1)
      expect(seen).toContain('g')
      expect(seen).not.toContain('a')
    })

    it('go back where there is a previous link', async () => {
      const first = await api().get(`Patient?${tag}&_sort=birthdate&_count=3`)
      expect(link(first.body, 'previous')).toBeUndefined()
      const second = await api().get(link(first.body, 'next') as string)
      const previous = link(second.body, 'previous')
      if (previous !== undefined) expect(names((await api().get(previous)).body)).toEqual(names(first.body))
    })

    it('come from POST _search as well', async () => {
      const first = await api().post('Patient/_search', `${tag}&_sort=birthdate&_count=3`, {
        'content-type': 'application/x-www-form-urlencoded',
      })
      const second = await api().get(link(first.body, 'next') as string)
      expect(names(second.body)).toEqual(['s2', 's1', 's6'])
    })

    it('are refused with a cursor that was touched', async () => {
      const next = link((await api().get(`Patient?${tag}&_sort=birthdate&_count=3`)).body, 'next') as string
      const url = new URL(next)
      const [name, value] = [...url.searchParams].sort((a, b) => b[1].length - a[1].length)[0] as [
        string,
        string,
      ]
      for (const touched of [`${value.slice(0, -3)}AAA`, value.slice(0, 10), 'x', '']) {
        url.searchParams.set(name, touched)
        refused(await api().get(url.href), 400, 410)
      }
      expect(next).not.toContain('1970')
    })

    it('refuse a _count that is none, and bound a large one', async () => {
      for (const count of ['x', '-1', '1.5']) refused(await api().get(`Patient?_count=${count}`), 400)
      expect((await api().get(`Patient?${tag}&_count=1000000`)).status).toBe(200)
    })
  })

  describe('_total and _count=0', () => {
    it('count when asked to', async () => {
      const accurate = await api().get(`Patient?${tag}&_total=accurate&_count=2`)
      expect(accurate.body.total).toBe(7)
      expect(accurate.body.entry).toHaveLength(2)
      expect((await api().get(`Patient?${tag}&_total=none&_count=2`)).body.total).toBeUndefined()
      refused(await api().get('Patient?_total=nonsense'), 400)
    })

    it('gives the number and no resources', async () => {
      // "If _count has the value 0, this shall be treated the same as _summary=count"
      for (const query of ['_count=0', '_summary=count']) {
        const answer = await api().get(`Patient?${tag}&${query}`)
        expect(answer.body.total).toBe(7)
        expect(answer.body.entry).toBeUndefined()
      }
      expect((await api().get(`Patient?${tag}&gender=male&_summary=count`)).body.total).toBe(2)
    })
  })

  describe('_summary and _elements', () => {
    const subsetted = (resource: Tree) =>
      (resource.meta.tag ?? []).some((each: Tree) => each.code === 'SUBSETTED')
    const one = async (name: string, query: string) =>
      matches((await api().get(`Patient?_id=${id(name)}&${query}`)).body)[0]

    it('_summary=true gives the summary elements, and says that it did', async () => {
      const four = await one('s4', '_summary=true')
      expect(four.birthDate).toBe('1960-01-01')
      expect(four.maritalStatus).toBeUndefined()
      expect(four.text).toBeUndefined()
      expect(subsetted(four)).toBe(true)
      expect(four.meta.tag.map((each: Tree) => each.code)).toContain(run)
    })

    it('_summary=text gives the text and what must be there', async () => {
      const four = await one('s4', '_summary=text')
      expect(Object.keys(four).sort()).toEqual(['id', 'meta', 'resourceType', 'text'])
      expect(subsetted(four)).toBe(true)
    })

    it('_summary=data leaves the text out', async () => {
      const four = await one('s4', '_summary=data')
      expect(four.text).toBeUndefined()
      expect(four.maritalStatus).toEqual({ text: 'm' })
      expect(subsetted(four)).toBe(true)
    })

    it('_summary=false gives all', async () => {
      expect(await one('s4', '_summary=false')).toEqual((await api().get(`Patient/${id('s4')}`)).body)
    })

    it('_elements gives those elements, and those that must be there', async () => {
      const four = await one('s4', '_elements=birthDate')
      expect(Object.keys(four).sort()).toEqual(['birthDate', 'id', 'meta', 'resourceType'])
      expect(subsetted(four)).toBe(true)
      const observation = await api().made({
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        valueString: 'y',
        subject: { display: 'z' },
      })
      const [part] = matches((await api().get(`Observation?_id=${observation.id}&_elements=subject`)).body)
      expect(part.subject).toEqual({ display: 'z' })
      expect([part.status, part.code]).toEqual(['final', { text: 'x' }])
      expect(part.valueString).toBeUndefined()
    })

    it('also on pages that follow', async () => {
      const first = await api().get(`Patient?${tag}&_sort=birthdate&_count=3&_elements=birthDate`)
      const second = await api().get(link(first.body, 'next') as string)
      expect(matches(second.body).every((each: Tree) => each.name === undefined && subsetted(each))).toBe(
        true,
      )
    })

    it('leave the stored resource alone', async () => {
      await one('s4', '_summary=true')
      expect(subsetted((await api().get(`Patient/${id('s4')}`)).body)).toBe(false)
    })

    it('refuse a summary that is none', async () => {
      refused(await api().get('Patient?_summary=nonsense'), 400)
    })
  })
}
