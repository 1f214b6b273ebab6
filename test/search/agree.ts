/** Random searches on a storage, which it must answer as `match` does: page by page, forwards and backwards, by count and by bytes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SearchPlan } from '../../src/search/plan-node.ts'
import { type Cursor, type Key, keyOf, type Page, type Storage } from '../../src/storage/port.ts'
import { NODES } from '../../src/storage/sqlite/compile.ts'
import { generator } from './random.ts'
import {
  delicateSearches,
  expected,
  FROM,
  kindsOf,
  likelySearch,
  randomPlanWorld,
  worldOf,
} from './random-plans.ts'

const FIXED = 20_261_121
/** A seed that is always the same, and one of this run: `NADI_TEST_SEED` takes the place of both. */
export const SEEDS: readonly number[] =
  process.env.NADI_TEST_SEED === undefined
    ? [FIXED, Date.now() % 2 ** 31]
    : [Number(process.env.NADI_TEST_SEED)]

/** What the searches must have asked altogether, so that none of the compilers' branches is left out by chance. */
const KINDS = [...NODES, 'sort param', 'sort updated', 'sort id', 'sort distance']

/** Runs on a new storage for every seed; `open` gets a clock that stands before everything that is written. */
export function agreesWithMatch(
  name: string,
  open: (clock: () => number) => Promise<{ storage: Storage; close(): Promise<void> }>,
  { searches }: { searches: number },
): void {
  for (const seed of SEEDS)
    describe(`${name}: ${searches} random searches, seed ${seed}`, () => {
      console.log(`${name}: seed ${seed}, repeat with NADI_TEST_SEED=${seed}`)
      const random = generator(seed)
      const { commits, live } = randomPlanWorld(random, FROM)
      const world = worldOf(live)
      let storage: Storage
      let close: () => Promise<void>
      beforeAll(async () => {
        const opened = await open(() => FROM)
        storage = opened.storage
        close = opened.close
        for (const { changes, at } of commits) {
          const committed = await storage.commit({
            id: `agree-${seed}-${at}`,
            at,
            epoch: 0,
            changes: changes.map(({ resource, version, deleted }) => ({
              key: keyOf(resource.type, resource.id),
              version,
              method: deleted ? 'DELETE' : 'PUT',
              body: deleted ? null : { text: resource.text, stampAt: resource.stampAt },
              index: deleted ? [] : resource.rows,
              claims: [],
            })),
            require: [],
            outbox: [],
          })
          expect(committed.ok).toBe(true)
        }
      }, 60_000)
      afterAll(() => close())

      const walk = async (plan: SearchPlan, limit: number, bytes?: number): Promise<Key[]> => {
        const keys: Key[] = []
        let after: Cursor | undefined
        for (;;) {
          const page: Page = await storage.search(plan, {
            limit,
            total: 'none',
            ...(bytes === undefined ? {} : { bytes }),
            ...(after === undefined ? {} : { after }),
          })
          keys.push(...page.rows.map(row => row.key))
          if (!page.more || keys.length > live.length) return keys
          after = page.last
        }
      }
      /** From the end of a page in the midst back to the beginning. */
      const walkBack = async (plan: SearchPlan, first: number, limit: number): Promise<Key[]> => {
        const whole = await storage.search(plan, { limit: first, total: 'none' })
        const [last] = whole.rows.slice(-1)
        let keys: Key[] = last === undefined ? [] : [last.key]
        for (let before = whole.last; before !== undefined; ) {
          const page: Page = await storage.search(plan, { limit, total: 'none', before })
          keys = [...page.rows.map(row => row.key), ...keys]
          before = page.more && keys.length <= live.length ? page.first : undefined
        }
        return keys
      }

      test('find what match finds, and often something', { timeout: 120_000 }, async () => {
        const kinds = new Map<string, number>()
        let hits = 0
        const delicate = delicateSearches()
        for (let i = 0; i < searches; i++) {
          const search = delicate[i] ?? likelySearch(random, live, world)
          const { plan } = search
          const said = `seed ${seed}, search ${i}: ${search.name} ${JSON.stringify(plan.where)}`
          const wanted = expected(search, live, world)
          if (wanted.length > 0) hits++
          for (const kind of new Set(kindsOf(plan)))
            kinds.set(kind, (kinds.get(kind) ?? 0) + (wanted.length > 0 ? 1 : 0))
          const limit = 1 + random.below(6)
          expect(await walk(plan, limit), `${said}, pages of ${limit}`).toEqual(wanted)
          const first = 1 + random.below(wanted.length + 2)
          expect(await walkBack(plan, first, limit), `${said}, back from ${first} by ${limit}`).toEqual(
            wanted.slice(0, first),
          )
          const counted = await storage.search(plan, { limit: random.below(2), total: 'accurate' })
          expect(counted.total, `${said}, counted`).toBe(wanted.length)
          if (random.below(4) === 0)
            expect(await walk(plan, 10, 1 + random.below(3000)), `${said}, by bytes`).toEqual(wanted)
        }
        console.log(`${name}: seed ${seed}: ${hits} of ${searches} searches found something`)
        // What finds nothing proves little.
        expect(hits / searches).toBeGreaterThanOrEqual(0.3)
        if (seed !== FIXED) return
        for (const kind of KINDS)
          expect(kinds.get(kind) ?? 0, `searches by ${kind} that found something`).toBeGreaterThan(0)
      })
    })
}
