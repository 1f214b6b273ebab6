/**
 * History of an instance, a type and the whole system.
 * https://hl7.org/fhir/R4/http.html#history
 */
import { describe, expect, it } from 'vitest'
import { type Api, link, observation, patient, refused, type Tree, word } from './client.ts'

export function historySuite(api: () => Api): void {
  /** All entries of a history, newest first, over all its pages. */
  const walk = async (path: string): Promise<Tree[]> => {
    const entries: Tree[] = []
    let next: string | undefined = path
    for (let page = 0; next !== undefined; page++) {
      expect(page).toBeLessThan(500)
      const answer = await api().get(next)
      expect(answer.status, answer.text).toBe(200)
      expect(answer.body.type).toBe('history')
      entries.push(...(answer.body.entry ?? []))
      next = link(answer.body, 'next')
    }
    return entries
  }
  const versions = (entries: Tree[]) =>
    entries.map(each => each.resource?.meta.versionId ?? each.request.method)
  const later = (stored: Tree) => new Date(Date.parse(stored.meta.lastUpdated) + 1).toISOString()

  /** A patient created, updated, deleted and revived. */
  async function life(): Promise<Tree[]> {
    const first = await api().made(patient(word()))
    const put = async (active: boolean) =>
      (await api().put(`Patient/${first.id}`, { ...first, active }, { prefer: 'return=representation' })).body
    const second = await put(true)
    await api().delete(`Patient/${first.id}`)
    return [first, second, await put(false)]
  }

  describe('history of an instance', () => {
    it('lists every version, newest first, with request and response', async () => {
      const [first, second, fourth] = await life()
      const answer = await api().get(`Patient/${first.id}/_history`)
      expect(answer.status).toBe(200)
      expect(answer.body.resourceType).toBe('Bundle')
      expect(answer.body.type).toBe('history')
      expect(answer.body.total).toBe(4)
      expect(link(answer.body, 'self')).toContain(`/Patient/${first.id}/_history`)
      const entries: Tree[] = answer.body.entry
      expect(entries.map(each => each.request.method)).toEqual(['PUT', 'DELETE', 'PUT', 'POST'])
      expect([entries[0].resource, entries[2].resource, entries[3].resource]).toEqual([fourth, second, first])
      expect(entries[1].resource).toBeUndefined()
      for (const each of entries) {
        expect(each.fullUrl).toBe(`${api().base}/Patient/${first.id}`)
        expect(each.request.url).toMatch(
          each.request.method === 'POST' ? /^Patient$/ : new RegExp(`^Patient/${first.id}`),
        )
        expect(each.response.status).toMatch(/^20[0-4]/)
        expect(each.response.etag).toMatch(/^W\/"\d+"$/)
        expect(Date.parse(each.response.lastModified)).toBeGreaterThan(0)
      }
      expect(entries.map(each => each.response.etag)).toEqual(['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"'])
      expect(entries.map(each => each.response.status.slice(0, 3))).toEqual([
        expect.stringMatching(/20[01]/),
        expect.stringMatching(/20[04]/),
        '200',
        '201',
      ])
    })

    it('answers 404 for what never was', async () => {
      refused(await api().get(`Patient/${word()}/_history`), 404)
    })

    it('pages with _count, losing and repeating nothing', async () => {
      const stored = await api().made(patient(word()))
      for (let n = 0; n < 6; n++)
        await api().put(`Patient/${stored.id}`, { ...stored, multipleBirthInteger: n })
      const page = await api().get(`Patient/${stored.id}/_history?_count=2`)
      expect(page.body.entry).toHaveLength(2)
      expect(page.body.total).toBe(7)
      expect(link(page.body, 'next')).toBeDefined()
      expect(versions(await walk(`Patient/${stored.id}/_history?_count=2`))).toEqual([
        '7',
        '6',
        '5',
        '4',
        '3',
        '2',
        '1',
      ])
    })

    it('keeps its place when versions are added between pages', async () => {
      const stored = await api().made(patient(word()))
      for (let n = 0; n < 3; n++)
        await api().put(`Patient/${stored.id}`, { ...stored, multipleBirthInteger: n })
      const page = await api().get(`Patient/${stored.id}/_history?_count=2`)
      await api().put(`Patient/${stored.id}`, { ...stored, multipleBirthInteger: 9 })
      const rest = await walk(link(page.body, 'next') as string)
      expect(versions([...page.body.entry, ...rest])).toEqual(['4', '3', '2', '1'])
    })

    it('gives only what was created at or after _since', async () => {
      const [first, second] = await life()
      const path = `Patient/${first.id}/_history`
      expect(await walk(`${path}?_since=${encodeURIComponent(second.meta.lastUpdated)}`)).toHaveLength(3)
      expect(await walk(`${path}?_since=${encodeURIComponent(later(second))}`)).toHaveLength(2)
      expect(await walk(`${path}?_since=2999-01-01T00:00:00Z`)).toEqual([])
      const kolkata = new Date(Date.parse(second.meta.lastUpdated) + 5.5 * 3600_000)
        .toISOString()
        .replace('Z', '+05:30')
      expect(await walk(`${path}?_since=${encodeURIComponent(kolkata)}`)).toHaveLength(3)
    })

    it('gives what was current at _at', async () => {
      // "Only include resource versions that were current at some point during the time period specified"
      const first = await api().made(patient(word()))
      await new Promise(resolve => setTimeout(resolve, 20))
      const second = (
        await api().put(
          `Patient/${first.id}`,
          { ...first, active: true },
          { prefer: 'return=representation' },
        )
      ).body
      const path = `Patient/${first.id}/_history`
      const between = new Date(Date.parse(second.meta.lastUpdated) - 5).toISOString()
      expect(versions(await walk(`${path}?_at=${encodeURIComponent(between)}`))).toEqual(['1'])
      expect(versions(await walk(`${path}?_at=${encodeURIComponent(later(second))}`))).toEqual(['2'])
      expect(await walk(`${path}?_at=1999`)).toEqual([])
      const year = new Date(second.meta.lastUpdated).getUTCFullYear()
      expect(versions(await walk(`${path}?_at=${year}`))).toEqual(['2', '1'])
    })

    it('refuses a bad _since, _at or _count and an unknown parameter', async () => {
      const stored = await api().made(patient(word()))
      for (const query of [
        '_since=yesterday',
        '_since=2023-02-30T00:00:00Z',
        '_at=x',
        '_count=-1',
        '_count=x',
        'nonsense=1',
        '_cursor=xyz',
      ]) {
        refused(await api().get(`Patient/${stored.id}/_history?${query}`), 400)
      }
    })
  })

  describe('history of a type and of the system', () => {
    it('shows changes of one type only, newest first, deletions included', async () => {
      const [first] = await life()
      await api().made(observation())
      const entries = await walk(`Patient/_history?_since=${encodeURIComponent(first.meta.lastUpdated)}`)
      const mine = entries.filter(each => each.fullUrl.endsWith(`/${first.id}`))
      expect(versions(mine)).toEqual(['4', 'DELETE', '2', '1'])
      expect(entries.every(each => each.fullUrl.includes('/Patient/'))).toBe(true)
      const times = entries.map(each => Date.parse(each.response.lastModified))
      expect(times).toEqual([...times].sort((a, b) => b - a))
    })

    it('shows changes of all types on the system, over pages', async () => {
      const mark = await api().made(patient(word()))
      const made = [mark.id]
      for (let n = 0; n < 3; n++) {
        made.push((await api().made(observation())).id)
        made.push((await api().made(patient(word()))).id)
      }
      const entries = await walk(`_history?_since=${encodeURIComponent(mark.meta.lastUpdated)}&_count=2`)
      const ids = entries.map(each => each.resource?.id).filter(id => made.includes(id))
      expect(ids).toEqual([...made].reverse())
    })

    it('answers an empty history for a type without resources', async () => {
      const answer = await api().get('VisionPrescription/_history')
      expect(answer.status).toBe(200)
      expect(answer.body.total ?? 0).toBe(0)
      refused(await api().get('Nonsense/_history'), 404)
    })
  })
}
