/** How a search was done, and searches that are too long for a URL. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Api, link, matches, refused, SYSTEM, type Tree, word } from './client.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const URL_LIMIT = 8192

export function explainSuite(api: () => Api): void {
  const run = word()
  const ids: string[] = []
  beforeAll(async () => {
    for (let n = 0; n < 3; n++) {
      const made = await api().made({
        resourceType: 'Patient',
        identifier: [{ system: SYSTEM, value: run }],
        name: [{ family: 'Nair' }],
      })
      ids.push(made.id)
    }
  })
  const search = `identifier=${encodeURIComponent(`${SYSTEM}|${run}`)}`

  describe('_explain', () => {
    const said = (answer: Tree): string[] => {
      const outcomes = answer.entry.filter((one: Tree) => one.search.mode === 'outcome')
      expect(outcomes).toHaveLength(1)
      expect(outcomes[0].resource.resourceType).toBe('OperationOutcome')
      for (const issue of outcomes[0].resource.issue) expect(issue.severity).toBe('information')
      return outcomes[0].resource.issue.map((issue: Tree) => issue.diagnostics)
    }

    it('says the plan, the index, the plan of the backend, and the time of each phase', async () => {
      const { body } = await api().get(`Patient?${search}&_sort=family&_explain=true&_total=accurate`)
      expect(matches(body)).toHaveLength(3)
      expect(body.total).toBe(3)
      const text = said(body)
      expect(text.find(one => one.startsWith('Plan:'))).toContain(
        `token Patient.identifier is "${run}" of "${SYSTEM}"`,
      )
      expect(text.find(one => one.startsWith('Plan:'))).toContain('order by Patient.family, internal id')
      expect(text.find(one => one.startsWith('Driven by: '))).toBeDefined()
      expect(text.find(one => one.startsWith("Backend's plan:"))).toBeDefined()
      expect(text.find(one => one.startsWith('Time in ms: '))).toMatch(
        /^Time in ms: parse [\d.]+, plan [\d.]+, query [\d.]+, include [\d.]+, render [\d.]+$/,
      )
      expect(link(body, 'self')).toContain('_explain=true')
    })

    it('says nothing where it is not asked, or is false', async () => {
      for (const query of [search, `${search}&_explain=false`]) {
        const { body } = await api().get(`Patient?${query}`)
        expect(body.entry.map((one: Tree) => one.search.mode)).toEqual(['match', 'match', 'match'])
      }
      refused(await api().get('Patient?_explain=perhaps'), 400)
    })

    it('explains a search that finds nothing, and includes', async () => {
      const none = await api().get('Patient?identifier=nobody-at-all&_explain=true')
      expect(said(none.body)).toContain('Found on this page: 0, included: 0')
      const { body } = await api().get(`Patient?${search}&_revinclude=Observation:subject&_explain=true`)
      expect(said(body).find(one => one.startsWith('Includes driven by: '))).toBeDefined()
    })
  })

  describe('a search too long for a URL', () => {
    /** One page is one resource; the ids that nobody has make it long. */
    const long = () =>
      `_count=1&_id=${[...ids, ...Array.from({ length: 300 }, (_, n) => `${run}-nobody-has-this-id-${n}`)].join()}`

    it('is paged by links that name it', async () => {
      expect(long().length).toBeGreaterThan(URL_LIMIT)
      const first = await api().post('Patient/_search', long(), FORM)
      expect(first.status, first.text).toBe(200)
      const found = matches(first.body).map((one: Tree) => one.id)
      for (let { body } = first; ; ) {
        for (const { url } of body.link) {
          expect(url.length).toBeLessThanOrEqual(URL_LIMIT)
          expect(url).toMatch(/\/Patient\?_stored=[A-Za-z0-9_-]{43}(&_cursor=|$)/)
        }
        const next = link(body, 'next')
        if (next === undefined) break
        const page = await api().get(next)
        expect(page.status, page.text).toBe(200)
        body = page.body
        found.push(...matches(body).map((one: Tree) => one.id))
      }
      expect(found).toEqual(ids)
      // The self link is the same search.
      const again = await api().get(link(first.body, 'self')!)
      expect(matches(again.body).map((one: Tree) => one.id)).toEqual(ids.slice(0, 1))
    })

    it('has one id, however often it is asked', async () => {
      const [one, two] = [
        await api().post('Patient/_search', long(), FORM),
        await api().post('Patient/_search', long(), FORM),
      ]
      expect(link(one.body, 'self')).toBe(link(two.body, 'self'))
    })

    it('is known under its own path and by its own id only, and takes no other parameter', async () => {
      const self = link((await api().post('Patient/_search', long(), FORM)).body, 'self')!
      const outcome = refused(await api().get(self.replace('/Patient?', '/Observation?')), 410)
      expect(outcome.issue[0].diagnostics).toContain('24 hours')
      refused(await api().get(`${self.slice(0, -1)}${self.endsWith('A') ? 'B' : 'A'}`), 410)
      refused(await api().get('Patient?_stored=x'), 410)
      refused(await api().get(`${self}&active=true`), 400)
    })

    it('stays a URL where it fits', async () => {
      const { body } = await api().post('Patient/_search', `${search}&_count=1`, FORM)
      expect(link(body, 'next')).toContain(`${SYSTEM}%7C${run}`)
    })
  })
}
