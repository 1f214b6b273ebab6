/** The search cases on a storage, and random queries that it must answer as `match` does. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Resource } from '../../src/fhir/json.ts'
import { compareBySort, matches } from '../../src/search/match.ts'
import type { SearchPlan } from '../../src/search/plan-node.ts'
import { type Cursor, idOf, type Key, keyOf, type Storage, typeOf } from '../../src/storage/port.ts'
import { refusal } from '../interactions/context.ts'
import { askCase, caseContext, changeOf } from './asked.ts'
import {
  CASE_NOW,
  CASES_END,
  type CaseResource,
  caseName,
  loadCases,
  planCase,
  type SearchCase,
  stored,
} from './cases.ts'
import { generator, randomPatient, randomQuery, SEED } from './random.ts'
import { randomLinkCases, randomWorld } from './random-links.ts'

/** Resources in one commit. */
const TOGETHER = 25

const groups = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))

/** Runs everything on one storage; `open` gets a clock that stands still at the time of the cases. */
export function searchOnStorage(
  name: string,
  open: (clock: () => number) => Promise<{ storage: Storage; close(): Promise<void> }>,
): void {
  describe(`${name}: search`, () => {
    let storage: Storage
    let close: () => Promise<void>
    beforeAll(async () => {
      const opened = await open(() => CASE_NOW)
      storage = opened.storage
      close = opened.close
    }, 60_000)
    afterAll(() => close())

    const versions = new Map<Key, number>()
    let commits = 0
    const commit = async (resources: readonly CaseResource[], method: 'PUT' | 'DELETE'): Promise<void> => {
      const changes = resources.map(resource => {
        const key = keyOf(resource.type, resource.id)
        const version = (versions.get(key) ?? 0) + 1
        versions.set(key, version)
        return changeOf(resource, version, method)
      })
      const at = method === 'PUT' ? resources.at(-1)!.at : 0
      const id = `search-${++commits}`
      const committed = await storage.commit({ id, at, epoch: 0, changes, require: [], outbox: [] })
      expect(committed.ok).toBe(true)
    }
    /** Each is stored at its own time where somebody asks for that; a commit each takes D1 as long as the cases themselves. */
    const fill = async (resources: readonly CaseResource[], timed = true): Promise<void> => {
      for (const group of groups(resources, timed ? 1 : TOGETHER)) await commit(group, 'PUT')
    }
    const empty = async (resources: readonly CaseResource[]): Promise<void> => {
      for (const group of groups(resources, TOGETHER)) await commit(group, 'DELETE')
    }

    /** All pages, each of `limit` rows. */
    const walk = async (plan: SearchPlan, limit: number): Promise<Key[]> => {
      const keys: Key[] = []
      let after: Cursor | undefined
      for (;;) {
        const page = await storage.search(plan, {
          limit,
          total: 'none',
          ...(after === undefined ? {} : { after }),
        })
        keys.push(...page.rows.map(row => row.key))
        if (!page.more) return keys
        expect(page.rows.length).toBe(limit)
        after = page.last
      }
    }

    /** From the last page back to the first; `last` is where the last one begins. */
    const walkBack = async (plan: SearchPlan, limit: number): Promise<Key[]> => {
      let page = await storage.search(plan, { limit, total: 'none' })
      while (page.more) page = await storage.search(plan, { limit, total: 'none', after: page.last! })
      let keys = page.rows.map(row => row.key)
      for (let before = page.first; before !== undefined; ) {
        page = await storage.search(plan, { limit, total: 'none', before })
        keys = [...page.rows.map(row => row.key), ...keys]
        before = page.more ? page.first : undefined
      }
      return keys
    }

    for (const file of loadCases().filter(({ cases }) => cases.some(one => one.expect !== undefined)))
      describe(file.name, () => {
        const timed = file.cases.some(({ query }) => query.includes('_lastUpdated'))
        beforeAll(() => fill(file.resources, timed), 60_000)
        afterAll(() => empty(file.resources), 60_000)

        const found = file.cases.filter(one => one.expect !== undefined)
        test.each(found.filter(one => one.known === undefined))('$type?$query: $why', async one => {
          const { names, total, included, ignored } = await askCase(caseContext(storage), one)
          expectNames(one, names)
          expect(total).toBe(one.expect!.length)
          expect(included).toEqual(one.included ?? [])
          expect(ignored).toEqual(one.ignored ?? [])
          if (!file.name.endsWith('sort')) return
          const { plan } = planCase(one)
          for (const limit of [1, 2])
            for (const pages of [walk, walkBack])
              expect((await pages(plan, limit)).map(key => (one.type === '' ? key : idOf(key)))).toEqual(
                one.expect,
              )
        })

        // What the store would tell is told by the case.
        test.each(found.filter(one => one.known !== undefined))('$type?$query, told: $why', async one => {
          const page = await storage.search(planCase(one).plan, { limit: 100, total: 'accurate' })
          expectNames(
            one,
            page.rows.map(row => caseName(one, { type: typeOf(row.key), id: idOf(row.key) })),
          )
          expect(page.total).toBe(one.expect!.length)
        })

        test.each(file.cases.filter(one => one.error !== undefined && one.looksUp))(
          '$type?$query $error: $why',
          async one => {
            const refused = await refusal(askCase(caseContext(storage), one))
            expect({ code: refused.code, status: refused.status }).toEqual({ code: one.error, status: 400 })
          },
        )
      })

    describe(`random queries, seed ${SEED}`, () => {
      const { below, pick } = generator(SEED + 7)
      const resources = stored(
        Array.from({ length: 40 }, (_, i) => randomPatient(i, pick, below) as unknown as Resource),
        CASES_END,
      )
      beforeAll(() => fill(resources), 60_000)
      afterAll(() => empty(resources), 60_000)

      const queries = Array.from({ length: 60 }, () => [randomQuery(pick, below), randomQuery(pick, below)])
      const sorts = [
        'family',
        '-family',
        'birthdate,-given',
        'gender,-birthdate',
        '-gender,given',
        'identifier',
        '-identifier,family',
        '-name',
        '-_id',
        '_lastUpdated',
      ]
      test.each(
        queries.map(([a, b]) => ({ query: encode([a!, b!].slice(0, 1 + below(2))), sort: pick(sorts) })),
      )('$query sorted by $sort', async ({ query, sort }) => {
        const { plan } = planCase({ type: 'Patient', query: `${query}&_sort=${sort}`, why: '' })
        const wanted = resources.filter(one => matches(plan, one)).sort(compareBySort(plan))
        expect((await walk(plan, 7)).map(idOf)).toEqual(wanted.map(one => one.id))
        expect((await walkBack(plan, 7)).map(idOf)).toEqual(wanted.map(one => one.id))
      })
    })

    describe(`random chains, reverse chains and filters, seed ${SEED}`, () => {
      const random = generator(SEED + 13)
      const world = randomWorld(random)
      const resources = stored(world, CASES_END)
      beforeAll(() => fill(resources), 60_000)
      afterAll(() => empty(resources), 60_000)

      test.each(randomLinkCases(random, world, 80))('$type?$name=$value', async one => {
        const { plan } = planCase({ type: one.type, query: encode([[one.name, one.value, 0]]), why: '' })
        const wanted = world.filter(({ resourceType }) => resourceType === one.type).filter(one.holds)
        expect((await walk(plan, 3)).map(idOf)).toEqual(wanted.map(({ id }) => id))
        const { total } = await storage.search(plan, { limit: 1, total: 'accurate' })
        expect(total).toBe(wanted.length)
      })
    })
  })
}

const encode = (queries: readonly (readonly [string, string, unknown])[]): string =>
  queries.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')

function expectNames(one: SearchCase, names: string[]): void {
  if (one.sorted === false) expect(names.sort()).toEqual([...one.expect!].sort())
  else expect(names).toEqual(one.expect)
}
