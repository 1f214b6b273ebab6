/**
 * What every storage adapter promises (`src/storage/port.ts`), run against real engines by one short file per adapter.
 * Expected values come from the port's text and from hand-worked rows, never from an adapter.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { decimalKey } from '../../src/lib/decimal.ts'
import { fold } from '../../src/search/fold.ts'
import { ANY_REFERENCE, type IndexRow } from '../../src/search/index-row.ts'
import {
  ANY_UNIT,
  bareUnit,
  codedUnit,
  DATE_MAX,
  DATE_MIN,
  type Node,
  type SearchPlan,
  type SortKey,
} from '../../src/search/plan-node.ts'
import {
  type Body,
  type Change,
  type Commit,
  type Committed,
  type Cursor,
  idOf,
  type Job,
  type Key,
  keyOf,
  type Require,
  type SearchOptions,
  type Storage,
  stampText,
} from '../../src/storage/port.ts'
import { searchContract } from './contract-search.ts'

export interface Opened {
  storage: Storage
  /** Another instance on the same store, as a second server process would hold it; absent where the store belongs to one process. */
  second?: Storage
  close(): Promise<void>
}

const T0 = Date.UTC(2026, 10, 21, 5, 0, 0)

export function storageContract(name: string, open: (clock: () => number) => Promise<Opened>): void {
  describe(`${name}: the storage contract`, () => {
    let opened: Opened
    let storage: Storage
    let now = T0
    let run = 0
    let type = 'Patient'
    let serial = 0
    /** The index epoch of the store, raised by one of the tests. */
    let epoch = 0

    beforeAll(async () => {
      opened = await open(() => now)
      storage = opened.storage
    })
    afterAll(() => opened.close())
    beforeEach(() => {
      // Each test has a resource type of its own, so that tests share one store without seeing each other.
      type = `Type${++run}`
      now += 60_000
    })

    const key = (id: string): Key => keyOf(type, id)
    const row = (id: string, version: number, extra = ''): Body => {
      const head = `{"resourceType":"${type}","id":"${id}","meta":{"versionId":"${version}","lastUpdated":"`
      return { text: `${head}${stampText(now)}"}${extra}}`, stampAt: head.length }
    }
    const change = (id: string, version: number, part: Partial<Change> = {}): Change => ({
      key: key(id),
      version,
      method: version === 1 ? 'POST' : 'PUT',
      body: row(id, version),
      index: [],
      claims: [],
      ...part,
    })
    const gone = (id: string, version: number): Change =>
      change(id, version, { method: 'DELETE', body: null, index: [] })
    const commitOf = (changes: Change[], part: Partial<Commit> = {}): Commit => ({
      id: `commit-${name}-${++serial}`,
      at: now,
      epoch,
      changes,
      require: [],
      outbox: [],
      ...part,
    })
    const commit = (changes: Change[], part: Partial<Commit> = {}, on = storage): Promise<Committed> =>
      on.commit(commitOf(changes, part))
    const put = async (id: string, index: IndexRow[], version = 1): Promise<void> => {
      expect((await commit([change(id, version, { index })])).ok).toBe(true)
    }
    const plan = (where: Node, sort: SortKey[] = []): SearchPlan => ({
      types: [type],
      where,
      sort,
      fingerprint: JSON.stringify([type, where, sort]),
    })
    const ids = async (
      where: Node,
      sort: SortKey[] = [],
      options: Partial<SearchOptions> = {},
    ): Promise<string[]> => {
      const page = await storage.search(plan(where, sort), { limit: 100, total: 'none', ...options })
      return page.rows.map(stored => idOf(stored.key))
    }
    const token = (code: string, system = '', param = 'p'): IndexRow => ({
      kind: 'token',
      param,
      system,
      code,
    })
    const tokenIs = (code?: string, system?: string, param = 'p'): Node => {
      const node: { kind: 'token'; param: string; system?: string; code?: string } = { kind: 'token', param }
      if (system !== undefined) node.system = system
      if (code !== undefined) node.code = code
      return node
    }

    describe('commit and read', () => {
      it('returns the text that was committed, with the stamp of the commit', async () => {
        const text = '"name":[{"family":"മേനോൻ \\"x\\" 😀"}],"multipleBirthInteger":1.00'
        const result = await commit([change('a', 1, { body: row('a', 1, `,${text}`) })])
        expect(result).toMatchObject({ ok: true })
        const at = (result as { at: number }).at
        expect(at).toBeGreaterThanOrEqual(now)
        const stored = await storage.read(key('a'))
        expect(stored).toEqual({
          key: key('a'),
          version: 1,
          at,
          method: 'POST',
          text: `{"resourceType":"${type}","id":"a","meta":{"versionId":"1","lastUpdated":"${stampText(at)}"},${text}}`,
        })
      })

      it('knows nothing of an id that never was', async () => {
        expect(await storage.read(key('none'))).toBeUndefined()
        expect(await storage.read(key('none'), { version: 1 })).toBeUndefined()
      })

      it('stamps each version of a resource later than the one before, however slow the clock', async () => {
        const first = (await commit([change('a', 1)])) as { at: number }
        const second = (await commit([change('a', 2)], { at: first.at - 5000 })) as { at: number }
        expect(second.at).toBeGreaterThan(first.at)
        const stored = await storage.read(key('a'))
        expect(stored!.at).toBe(second.at)
        expect(stored!.text).toContain(`"lastUpdated":"${stampText(second.at)}"`)
      })

      it('keeps every version exactly', async () => {
        for (let version = 1; version <= 3; version++)
          await commit([change('a', version, { body: row('a', version, `,"n":${version}.00`) })])
        for (let version = 1; version <= 3; version++) {
          const stored = await storage.read(key('a'), { version })
          expect(stored).toMatchObject({ version, method: version === 1 ? 'POST' : 'PUT' })
          expect(stored!.text).toContain(`"n":${version}.00}`)
          expect(stored!.text).toContain(`"lastUpdated":"${stampText(stored!.at)}"`)
        }
        expect(await storage.read(key('a'), { version: 4 })).toBeUndefined()
      })

      it('keeps a deletion as a version without text, and lets the resource be revived', async () => {
        await commit([change('a', 1, { index: [token('x')] })])
        await commit([gone('a', 2)])
        expect(await storage.read(key('a'))).toMatchObject({ version: 2, method: 'DELETE', text: undefined })
        expect(await ids(tokenIs('x'))).toEqual([])
        expect((await commit([change('a', 3, { index: [token('x')] })])).ok).toBe(true)
        expect(await storage.read(key('a'))).toMatchObject({ version: 3 })
        expect((await storage.read(key('a')))!.text).toBeDefined()
        expect(await ids(tokenIs('x'))).toEqual(['a'])
        expect((await storage.read(key('a'), { version: 2 }))!.text).toBeUndefined()
      })

      it('reads many at once, leaving out what never was', async () => {
        await commit([change('a', 1), change('b', 1), change('c', 1)])
        await commit([gone('c', 2)])
        const found = await storage.readMany([key('a'), key('none'), key('c')])
        expect([...found.keys()].sort()).toEqual([key('a'), key('c')])
        expect(found.get(key('c'))!.text).toBeUndefined()
        expect((await storage.readMany([])).size).toBe(0)
      })

      it('shows what a filter lets through, and nothing else', async () => {
        await put('a', [token('x')])
        await put('b', [token('y')])
        expect(await storage.read(key('a'), { filter: tokenIs('x') })).toMatchObject({ version: 1 })
        expect(await storage.read(key('b'), { filter: tokenIs('x') })).toBeUndefined()
        expect([...(await storage.readMany([key('a'), key('b')], tokenIs('y'))).keys()]).toEqual([key('b')])
        const page = await storage.history({ type }, { limit: 10, total: 'none', filter: tokenIs('y') })
        expect(page.rows.map(stored => stored.key)).toEqual([key('b')])
      })
    })

    describe('a commit is whole or nothing', () => {
      it('refuses a version that is not the next one, and says which', async () => {
        await commit([change('a', 1)])
        expect(await commit([change('a', 1)])).toEqual({ ok: false, reason: 'version', key: key('a') })
        expect(await commit([change('a', 3)])).toEqual({ ok: false, reason: 'version', key: key('a') })
        expect(await commit([change('new', 2)])).toEqual({ ok: false, reason: 'version', key: key('new') })
        expect(await storage.read(key('a'))).toMatchObject({ version: 1 })
      })

      it('stores nothing of a commit with one fault: no version, index row, claim, counter or job', async () => {
        await commit([change('old', 1)])
        const job: Job = { id: `job-${name}-${run}`, kind: `kind-${run}`, due: 0, body: '{}' }
        const refused = await commit(
          [
            change('a', 1, { index: [token('x')], claims: [`claim-${run}`] }),
            change('old', 2, { index: [token('x')] }),
            change('old2', 7),
          ],
          { outbox: [job], require: [{ is: 'counter', name: `count-${name}-${run}`, seen: 0, next: 1 }] },
        )
        expect(refused).toEqual({ ok: false, reason: 'version', key: key('old2') })
        expect(await storage.read(key('a'))).toBeUndefined()
        expect(await storage.read(key('old'))).toMatchObject({ version: 1 })
        expect(await storage.read(key('old'), { version: 2 })).toBeUndefined()
        expect(await ids(tokenIs('x'))).toEqual([])
        expect(await storage.counter(`count-${name}-${run}`)).toBe(0)
        expect((await storage.outbox.take(100, 'test', 1)).filter(taken => taken.id === job.id)).toEqual([])
        expect((await commit([change('b', 1, { claims: [`claim-${run}`] })])).ok).toBe(true)
      })

      it('takes several hundred changes at once, all with one stamp', async () => {
        const all = Array.from({ length: 300 }, (_, i) => change(`r${i}`, 1, { index: [token('x')] }))
        const result = (await commit(all)) as { at: number }
        const found = await storage.readMany(all.map(one => one.key))
        expect(found.size).toBe(300)
        expect(new Set([...found.values()].map(stored => stored.at))).toEqual(new Set([result.at]))
        const page = await storage.search(plan(tokenIs('x')), { limit: 0, total: 'accurate' })
        expect(page.total).toBe(300)
      })

      it('takes a commit with preconditions only', async () => {
        const name1 = `only-${name}-${run}`
        expect((await commit([], { require: [{ is: 'counter', name: name1, seen: 0, next: 5 }] })).ok).toBe(
          true,
        )
        expect(await storage.counter(name1)).toBe(5)
      })

      it('does a repeated commit id once and answers as the first time', async () => {
        const create = commitOf([change('a', 1, { index: [token('x')] })])
        const first = await storage.commit(create)
        expect(first.ok).toBe(true)
        expect(await storage.commit(create)).toEqual(first)
        const update = commitOf([change('a', 2), change('b', 1)])
        const second = await storage.commit(update)
        expect(second.ok).toBe(true)
        expect(await storage.commit(update)).toEqual(second)
        expect(await storage.commit(create)).toEqual(first)
        expect(await storage.read(key('a'))).toMatchObject({ version: 2 })
        const page = await storage.history({ key: key('a') }, { limit: 10, total: 'none' })
        expect(page.rows.map(stored => stored.version)).toEqual([2, 1])
      })

      it('applies a commit once that is sent twenty times at the same moment', async () => {
        const counter = `same-${name}-${run}`
        const one = commitOf([change('a', 1)], {
          require: [{ is: 'counter', name: counter, seen: 0, next: 1 }],
          outbox: [{ id: `same-job-${name}-${run}`, kind: 'k', due: 0, body: '{}' }],
        })
        const results = await Promise.all(Array.from({ length: 20 }, () => storage.commit(one)))
        for (const result of results) expect(result).toEqual(results[0])
        expect(results[0]!.ok).toBe(true)
        expect(await storage.read(key('a'), { version: 2 })).toBeUndefined()
      })

      it('refuses a body above its stated maximum with too-costly, and stores one of 3 MB whole', async () => {
        const big = `,"data":"${'ക1b2'.repeat(500_000)}"`
        await commit([change('big', 1, { body: row('big', 1, big) })])
        const stored = await storage.read(key('big'))
        expect(stored!.text!.endsWith(`${big}}`)).toBe(true)
        expect(stored!.text!.length).toBe(row('big', 1, big).text.length)
        await commit([change('big', 2)])
        expect((await storage.read(key('big'), { version: 1 }))!.text).toBe(stored!.text)
        const page = await storage.history({ key: key('big') }, { limit: 2, total: 'none' })
        expect(page.rows[1]!.text).toBe(stored!.text)
        const tooBig = row('huge', 1, `,"data":"${'x'.repeat(storage.caps.maxBody)}"`)
        const refusal = await commit([change('huge', 1, { body: tooBig })]).catch((error: unknown) => error)
        expect(refusal).toBeInstanceOf(FhirError)
        expect(refusal).toMatchObject({ code: 'too-costly', status: 413 })
        expect(await storage.read(key('huge'))).toBeUndefined()
      })
    })

    describe('preconditions', () => {
      const refusedBy = async (require: Require[], changes: Change[] = []): Promise<number | undefined> => {
        const result = await commit(changes, { require })
        if (result.ok) return undefined
        expect(result.reason).toBe('require')
        return (result as { index: number }).index
      }

      it('version: the current one, deletions counted, 0 for never', async () => {
        await commit([change('a', 1)])
        await commit([gone('a', 2)])
        expect(await refusedBy([{ is: 'version', key: key('a'), version: 2 }])).toBeUndefined()
        expect(await refusedBy([{ is: 'version', key: key('none'), version: 0 }])).toBeUndefined()
        expect(
          await refusedBy([
            { is: 'version', key: key('a'), version: 2 },
            { is: 'version', key: key('a'), version: 1 },
          ]),
        ).toBe(1)
        expect(await refusedBy([{ is: 'version', key: key('none'), version: 1 }])).toBe(0)
      })

      it('matches: exactly these resources', async () => {
        await put('a', [token('x')])
        await put('b', [token('y')])
        const matches = (code: string, keys: Key[]): Require => ({
          is: 'matches',
          plan: plan(tokenIs(code)),
          keys,
          guard: `${type}?p=${code}`,
        })
        expect(await refusedBy([matches('x', [key('a')])])).toBeUndefined()
        expect(await refusedBy([matches('z', [])])).toBeUndefined()
        expect(await refusedBy([matches('x', [])])).toBe(0)
        expect(await refusedBy([matches('z', []), matches('x', [key('b')])])).toBe(1)
        expect(await refusedBy([matches('z', [key('a')])])).toBe(0)
        await put('c', [token('x')])
        expect(await refusedBy([matches('x', [key('a')])])).toBe(0)
        expect(await refusedBy([matches('x', [key('c'), key('a')])])).toBeUndefined()
      })

      it('matches: of these versions, where some are named', async () => {
        await put('a', [token('x')])
        await put('b', [token('x')])
        await commit([change('b', 2, { index: [token('x')] })])
        const matches = (keys: Key[], versions: number[]): Require => ({
          is: 'matches',
          plan: plan(tokenIs('x')),
          keys,
          versions,
          guard: `${type}?p=x`,
        })
        expect(await refusedBy([matches([key('a'), key('b')], [1, 2])])).toBeUndefined()
        expect(await refusedBy([matches([key('b'), key('a')], [2, 1])])).toBeUndefined()
        expect(await refusedBy([matches([key('a'), key('b')], [1, 1])])).toBe(0)
        expect(await refusedBy([matches([key('a'), key('b')], [2, 2])])).toBe(0)
        expect(await refusedBy([matches([key('a')], [1])])).toBe(0)
      })

      it('matches is judged before the commit: the new resource may itself match', async () => {
        const require: Require[] = [{ is: 'matches', plan: plan(tokenIs('x')), keys: [], guard: `${type}?x` }]
        expect(await refusedBy(require, [change('a', 1, { index: [token('x')] })])).toBeUndefined()
        expect(await refusedBy(require, [change('b', 1, { index: [token('x')] })])).toBe(0)
      })

      it('live: exists after the commit and is not deleted', async () => {
        await commit([change('a', 1), change('b', 1)])
        await commit([gone('b', 2)])
        expect(await refusedBy([{ is: 'live', key: key('a') }])).toBeUndefined()
        expect(await refusedBy([{ is: 'live', key: key('b') }])).toBe(0)
        expect(await refusedBy([{ is: 'live', key: key('none') }])).toBe(0)
        expect(await refusedBy([{ is: 'live', key: key('new') }], [change('new', 1)])).toBeUndefined()
        expect(await refusedBy([{ is: 'live', key: key('a') }], [gone('a', 2)])).toBe(0)
      })

      it('unreferenced: no other live resource points there after the commit', async () => {
        const pointing = (id: string): IndexRow[] => [
          { kind: 'reference', param: ANY_REFERENCE, type, id, version: '' },
        ]
        await put('target', [])
        await put('self', pointing('self'))
        await put('from', pointing('target'))
        const require: Require[] = [{ is: 'unreferenced', key: key('target') }]
        expect(await refusedBy(require, [gone('target', 2)])).toBe(0)
        expect(await refusedBy([{ is: 'unreferenced', key: key('self') }], [gone('self', 2)])).toBeUndefined()
        expect(await refusedBy(require, [gone('target', 2), gone('from', 2)])).toBeUndefined()
        expect(await storage.read(key('target'))).toMatchObject({ method: 'DELETE' })
      })

      it('counter: seen once, then no more', async () => {
        const name1 = `counter-${name}-${run}`
        expect(await refusedBy([{ is: 'counter', name: name1, seen: 1, next: 2 }])).toBe(0)
        expect(await refusedBy([{ is: 'counter', name: name1, seen: 0, next: 7 }])).toBeUndefined()
        expect(await refusedBy([{ is: 'counter', name: name1, seen: 0, next: 8 }])).toBe(0)
        expect(await refusedBy([{ is: 'counter', name: name1, seen: 7, next: 8 }])).toBeUndefined()
        expect(await storage.counter(name1)).toBe(8)
        expect(await refusedBy([{ is: 'counter', name: name1, seen: 7, next: 0 }])).toBe(0)
        expect(await refusedBy([{ is: 'counter', name: name1, seen: 8, next: 0 }])).toBeUndefined()
        expect(await storage.counter(name1)).toBe(0)
        expect(await refusedBy([{ is: 'counter', name: name1, seen: 0, next: 1 }])).toBeUndefined()
      })

      it('lease: held with this fence and not run out', async () => {
        const name1 = `lease-${name}-${run}`
        const fence = (await storage.lease(name1, 'me', 10_000))!
        expect(await refusedBy([{ is: 'lease', name: name1, fence }])).toBeUndefined()
        expect(await refusedBy([{ is: 'lease', name: name1, fence: fence + 1 }])).toBe(0)
        expect(await refusedBy([{ is: 'lease', name: `${name1}-none`, fence }])).toBe(0)
        now += 10_001
        expect(await refusedBy([{ is: 'lease', name: name1, fence }])).toBe(0)
      })

      it('claims belong to one live resource and go with the version', async () => {
        const claim = `mrn-${name}-${run}`
        expect((await commit([change('a', 1, { claims: [claim] })])).ok).toBe(true)
        expect(await commit([change('b', 1, { claims: [claim] })])).toEqual({
          ok: false,
          reason: 'claim',
          key: key('b'),
        })
        expect(await storage.read(key('b'))).toBeUndefined()
        expect((await commit([change('a', 2, { claims: [claim] })])).ok).toBe(true)
        expect((await commit([change('a', 3, { claims: [] })])).ok).toBe(true)
        expect((await commit([change('b', 1, { claims: [claim] })])).ok).toBe(true)
        expect((await commit([gone('b', 2)])).ok).toBe(true)
        expect((await commit([change('c', 1, { claims: [claim] })])).ok).toBe(true)
      })

      it('epoch: commits of a lower one are refused once it is raised', async () => {
        const before = epoch
        expect(await storage.epoch()).toBe(before)
        expect(await storage.raiseEpoch(before + 1)).toBe(true)
        expect(await storage.raiseEpoch(before + 1)).toBe(false)
        epoch = await storage.epoch()
        expect(epoch).toBe(before + 1)
        // MongoDB judges the epoch where a commit is a transaction; a plain insert carries it for the reindexer instead.
        const counter: Require = { is: 'counter', name: `epoch-${name}-${run}`, seen: 0, next: 1 }
        const old = await commit([change('a', 1)], { epoch: before, require: [counter] })
        expect(old).toEqual({ ok: false, reason: 'epoch' })
        expect((await commit([change('b', 1)])).ok).toBe(true)
      })
    })

    describe('races', () => {
      const both = (): Storage[] => (opened.second ? [storage, opened.second] : [storage])

      it('of forty writers of the next version one wins', async () => {
        await commit([change('a', 1)])
        const results = await Promise.all(
          Array.from({ length: 40 }, (_, i) => commit([change('a', 2)], {}, both()[i % both().length])),
        )
        expect(results.filter(result => result.ok)).toHaveLength(1)
        for (const result of results)
          if (!result.ok) expect(result).toEqual({ ok: false, reason: 'version', key: key('a') })
        expect(await storage.read(key('a'))).toMatchObject({ version: 2 })
      })

      it('of forty creators of one id one wins', async () => {
        const results = await Promise.all(
          Array.from({ length: 40 }, (_, i) => commit([change('a', 1)], {}, both()[i % both().length])),
        )
        expect(results.filter(result => result.ok)).toHaveLength(1)
      })

      it('of fifty conditional creators one wins, and again after delete and after an edit', async () => {
        const require: Require[] = [
          { is: 'matches', plan: plan(tokenIs('x')), keys: [], guard: `${type}?p=x` },
        ]
        for (const round of ['1', '2', '3']) {
          const results = await Promise.all(
            Array.from({ length: 50 }, (_, i) =>
              commit(
                [change(`r${round}-${i}`, 1, { index: [token('x')] })],
                { require },
                both()[i % both().length],
              ),
            ),
          )
          expect(results.filter(result => result.ok)).toHaveLength(1)
          const found = await ids(tokenIs('x'))
          expect(found).toHaveLength(1)
          const leaving =
            round === '1' ? gone(found[0]!, 2) : change(found[0]!, 2, { index: [token('other')] })
          expect((await commit([leaving])).ok).toBe(true)
        }
      })

      // D1 inside workerd takes some 20 ms a batch, and sixty numbers cost hundreds of lost races.
      it('gives every one of sixty writers its own number without gaps', { timeout: 120_000 }, async () => {
        const counter = `numbers-${name}-${run}`
        const take = async (on: Storage, id: string): Promise<number> => {
          for (;;) {
            const seen = await on.counter(counter)
            const result = await commit(
              [change(id, 1)],
              { require: [{ is: 'counter', name: counter, seen, next: seen + 1 }] },
              on,
            )
            if (result.ok) return seen + 1
          }
        }
        const numbers: number[] = []
        await Promise.all(
          Array.from({ length: 6 }, async (_, worker) => {
            for (let i = 0; i < 10; i++)
              numbers.push(await take(both()[worker % both().length]!, `w${worker}-${i}`))
          }),
        )
        expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
      })

      it('never keeps a reference to what was deleted at the same moment', async () => {
        for (let round = 0; round < 10; round++) {
          const target = `t${round}`
          await commit([change(target, 1)])
          const refer = commit(
            [
              change(`f${round}`, 1, {
                index: [{ kind: 'reference', param: ANY_REFERENCE, type, id: target, version: '' }],
              }),
            ],
            { require: [{ is: 'live', key: key(target) }] },
            both()[0],
          )
          const remove = commit(
            [gone(target, 2)],
            { require: [{ is: 'unreferenced', key: key(target) }] },
            both().at(-1),
          )
          const [referred, removed] = await Promise.all([refer, remove])
          expect([referred.ok, removed.ok].filter(Boolean), `round ${round}`).toHaveLength(1)
        }
      })

      it('one of twenty instances keeps its value, and all read it', async () => {
        const kept = await Promise.all(
          Array.from({ length: 20 }, (_, i) => both()[i % both().length]!.keep(`kept-${run}`, `value ${i}`)),
        )
        expect(new Set(kept).size).toBe(1)
        expect(await storage.keep(`kept-${run}`, 'late')).toBe(kept[0])
      })

      it('a second instance sees at once what the first committed', async () => {
        if (!opened.second) return
        await commit([change('a', 1, { index: [token('x')] })])
        expect(await opened.second.read(key('a'))).toMatchObject({ version: 1 })
        const page = await opened.second.search(plan(tokenIs('x')), { limit: 5, total: 'accurate' })
        expect(page.total).toBe(1)
      })

      it('who polls the type history with since loses nothing while writers write', {
        timeout: 120_000,
      }, async () => {
        const seen = new Set<string>()
        let since = 0
        const poll = async (): Promise<void> => {
          let after: Cursor | undefined
          let newest = since
          for (;;) {
            const page = await (both().at(-1) as Storage).history(
              { type },
              { since, limit: 50, total: 'none', ...(after ? { after } : {}) },
            )
            for (const stored of page.rows) {
              seen.add(`${stored.key}/${stored.version}`)
              newest = Math.max(newest, stored.at)
            }
            if (!page.more) break
            after = page.last
          }
          since = newest
        }
        let writing = true
        const written: string[] = []
        const writers = Array.from({ length: 6 }, async (_, worker) => {
          for (let i = 0; i < 25; i++) {
            now++
            const at = now
            await new Promise(resolve => setTimeout(resolve, (worker * 7 + i * 3) % 5))
            const result = await commit(
              [change(`w${worker}-${i}`, 1)],
              { at },
              both()[worker % both().length],
            )
            expect(result.ok).toBe(true)
            written.push(`${key(`w${worker}-${i}`)}/1`)
          }
        })
        const poller = (async () => {
          while (writing) {
            await poll()
            // An adapter may answer without touching the event loop, which the writers need.
            await new Promise(resolve => setImmediate(resolve))
          }
        })()
        await Promise.all(writers)
        writing = false
        await poller
        await poll()
        expect(written.filter(one => !seen.has(one))).toEqual([])
        expect(seen.size).toBe(150)
      })
    })

    describe('search: each node', () => {
      it('token: code, system, both, none', async () => {
        await put('a', [token('x', 'http://s')])
        await put('b', [token('x')])
        await put('c', [token('y', 'http://s'), token('x', 'http://t')])
        await put('d', [token('x', 'http://s', 'q')])
        expect(await ids(tokenIs('x'))).toEqual(['a', 'b', 'c'])
        expect(await ids(tokenIs('x', 'http://s'))).toEqual(['a'])
        expect(await ids(tokenIs('x', ''))).toEqual(['b'])
        expect(await ids(tokenIs(undefined, 'http://s'))).toEqual(['a', 'c'])
        expect(await ids(tokenIs('X'))).toEqual([])
        expect(await ids(tokenIs('x', 'http://s', 'q'))).toEqual(['d'])
      })

      it('string: starts, contains, equals on the folded text, exact on the text as sent', async () => {
        const str = (folded: string, exact: string): IndexRow => ({
          kind: 'string',
          param: 'n',
          folded,
          exact,
        })
        const is = (match: 'starts' | 'contains' | 'equals' | 'exact', value: string): Node => ({
          kind: 'string',
          param: 'n',
          match,
          value,
        })
        await put('a', [str('meera', 'Meera')])
        await put('b', [str('meera', 'MEERA'), str('nair', 'Nair')])
        await put('c', [str('meerabai', 'Meerabai')])
        await put('d', [str('മീര', 'മീര')])
        await put('e', [str('100%_a\\b', '100%_A\\b')])
        expect(await ids(is('starts', 'meera'))).toEqual(['a', 'b', 'c'])
        expect(await ids(is('starts', 'n'))).toEqual(['b'])
        expect(await ids(is('equals', 'meera'))).toEqual(['a', 'b'])
        expect(await ids(is('exact', 'Meera'))).toEqual(['a'])
        expect(await ids(is('exact', 'meera'))).toEqual([])
        expect(await ids(is('contains', 'eera'))).toEqual(['a', 'b', 'c'])
        expect(await ids(is('contains', 'ab'))).toEqual(['c'])
        expect(await ids(is('contains', 'i'))).toEqual(['b', 'c'])
        expect(await ids(is('starts', 'മീ'))).toEqual(['d'])
        expect(await ids(is('contains', 'ര'))).toEqual(['d'])
        for (const part of ['%', '_', '\\', '0%_a\\b']) expect(await ids(is('contains', part))).toEqual(['e'])
        expect(await ids(is('starts', '1_0'))).toEqual([])
        expect(await ids(is('contains', '.*'))).toEqual([])
      })

      it('uri: equals, below by path, above', async () => {
        const uri = (value: string): IndexRow => ({ kind: 'uri', param: 'u', value })
        const is = (match: 'equals' | 'below' | 'above', value: string): Node => ({
          kind: 'uri',
          param: 'u',
          match,
          value,
        })
        await put('root', [uri('http://a.in/x')])
        await put('child', [uri('http://a.in/x/y')])
        await put('sibling', [uri('http://a.in/xy')])
        expect(await ids(is('equals', 'http://a.in/x'))).toEqual(['root'])
        expect(await ids(is('below', 'http://a.in/x'))).toEqual(['root', 'child'])
        expect(await ids(is('above', 'http://a.in/x/y'))).toEqual(['root', 'child'])
        expect(await ids(is('above', 'http://a.in/x'))).toEqual(['root'])
      })

      it('date: every bound on one row, open ends included', async () => {
        const date = (lo: number, hi: number): IndexRow => ({ kind: 'date', param: 'd', lo, hi })
        const is = (...bounds: [end: 'lo' | 'hi', op: '<' | '<=' | '>' | '>=', value: number][]): Node => ({
          kind: 'date',
          param: 'd',
          bounds: bounds.map(([end, op, value]) => ({ end, op, value })),
        })
        await put('a', [date(100, 200)])
        await put('b', [date(200, 300)])
        await put('open', [date(250, DATE_MAX)])
        await put('ever', [date(DATE_MIN, DATE_MAX)])
        await put('two', [date(0, 10), date(500, 600)])
        await put('none', [])
        expect(await ids(is(['lo', '>=', 100], ['hi', '<=', 200]))).toEqual(['a'])
        expect(await ids(is(['hi', '>', 300]))).toEqual(['open', 'ever', 'two'])
        expect(await ids(is(['lo', '<', 200]))).toEqual(['a', 'ever', 'two'])
        expect(await ids(is(['lo', '<=', 200]))).toEqual(['a', 'b', 'ever', 'two'])
        expect(await ids(is(['lo', '>=', 300]))).toEqual(['two'])
        expect(await ids(is(['hi', '<=', 10]))).toEqual(['two'])
        expect(await ids(is(['hi', '<', 10]))).toEqual([])
        // Both bounds on one row: 'two' has one row that ends early and another that starts late, but none that does both.
        expect(await ids(is(['lo', '>=', 500], ['hi', '<=', 100]))).toEqual([])
        expect(await ids(is())).toEqual(['a', 'b', 'open', 'ever', 'two'])
      })

      it('quantity: decimal keys under one unit', async () => {
        const qty = (unit: string, lo: string, hi = lo): IndexRow => ({
          kind: 'quantity',
          param: 'q',
          unit,
          lo: decimalKey(lo),
          hi: decimalKey(hi),
        })
        const is = (
          unit: string,
          ...bounds: [end: 'lo' | 'hi', op: '<' | '<=' | '>' | '>=', value: string][]
        ): Node => ({
          kind: 'quantity',
          param: 'q',
          unit,
          bounds: bounds.map(([end, op, value]) => ({ end, op, value: decimalKey(value) })),
        })
        const mg = codedUnit('http://unitsofmeasure.org', 'mg')
        await put('minus', [qty(ANY_UNIT, '-2.5')])
        await put('zero', [qty(ANY_UNIT, '0')])
        await put('nine', [qty(ANY_UNIT, '9.99'), qty(mg, '9.99'), qty(bareUnit('mg'), '9.99')])
        await put('ten', [qty(ANY_UNIT, '10.00'), qty(bareUnit('tablet'), '10.00')])
        await put('big', [qty(ANY_UNIT, '123456789012345678901234567890')])
        await put('range', [qty(ANY_UNIT, '5', '15')])
        expect(await ids(is(ANY_UNIT, ['lo', '>=', '9.5'], ['hi', '<', '10.5']))).toEqual(['nine', 'ten'])
        expect(await ids(is(ANY_UNIT, ['hi', '>', '10']))).toEqual(['big', 'range'])
        expect(await ids(is(ANY_UNIT, ['lo', '<', '0']))).toEqual(['minus'])
        expect(await ids(is(ANY_UNIT, ['lo', '<=', '0']))).toEqual(['minus', 'zero'])
        expect(await ids(is(ANY_UNIT, ['hi', '>=', '123456789012345678901234567890']))).toEqual(['big'])
        expect(await ids(is(ANY_UNIT, ['hi', '>', '123456789012345678901234567890']))).toEqual([])
        expect(await ids(is(mg, ['hi', '>', '0']))).toEqual(['nine'])
        expect(await ids(is(bareUnit('tablet'), ['hi', '>', '0']))).toEqual(['ten'])
      })

      it('reference: by id, by type and id, by URL, by version', async () => {
        const ref = (to: string, id: string, version = ''): IndexRow => ({
          kind: 'reference',
          param: 'r',
          type: to,
          id,
          version,
        })
        await put('a', [ref('Patient', '1')])
        await put('b', [ref('Group', '1')])
        await put('c', [ref('Patient', '1', '3'), ref('Patient', '2')])
        await put('d', [ref('', 'http://other.in/fhir/Patient/1')])
        expect(await ids({ kind: 'reference', param: 'r', id: '1' })).toEqual(['a', 'b', 'c'])
        expect(await ids({ kind: 'reference', param: 'r', type: 'Patient', id: '1' })).toEqual(['a', 'c'])
        expect(await ids({ kind: 'reference', param: 'r', type: 'Patient', id: '1', version: '3' })).toEqual([
          'c',
        ])
        expect(
          await ids({ kind: 'reference', param: 'r', type: '', id: 'http://other.in/fhir/Patient/1' }),
        ).toEqual(['d'])
      })

      it('present, id, updated, and, or, not', async () => {
        await put('a', [token('x'), token('m', '', 'q')])
        now += 1000
        const later = now
        await put('b', [token('x')])
        await put('c', [token('y')])
        const x = tokenIs('x')
        const q: Node = { kind: 'present', param: 'q' }
        expect(await ids(q)).toEqual(['a'])
        expect(await ids({ kind: 'not', node: q })).toEqual(['b', 'c'])
        expect(await ids({ kind: 'id', ids: ['c', 'a', 'none'] })).toEqual(['a', 'c'])
        expect(await ids({ kind: 'and', nodes: [x, { kind: 'not', node: q }] })).toEqual(['b'])
        expect(await ids({ kind: 'or', nodes: [q, tokenIs('y')] })).toEqual(['a', 'c'])
        expect(await ids({ kind: 'and', nodes: [] })).toEqual(['a', 'b', 'c'])
        expect(await ids({ kind: 'or', nodes: [] })).toEqual([])
        expect(await ids({ kind: 'not', node: { kind: 'or', nodes: [x, tokenIs('y')] } })).toEqual([])
        const nested: Node = {
          kind: 'and',
          nodes: [
            { kind: 'or', nodes: [x, tokenIs('y')] },
            { kind: 'not', node: { kind: 'and', nodes: [x, q] } },
          ],
        }
        expect(await ids(nested)).toEqual(['b', 'c'])
        const updated = (op: '<' | '>=', value: number): Node => ({
          kind: 'updated',
          bounds: [{ end: 'lo', op, value }],
        })
        expect(await ids(updated('>=', later))).toEqual(['b', 'c'])
        expect(await ids(updated('<', later))).toEqual(['a'])
        expect(await ids({ kind: 'type', types: [type] })).toEqual(['a', 'b', 'c'])
        expect(await ids({ kind: 'type', types: ['Nothing'] })).toEqual([])
      })

      it('presence of every kind of row', async () => {
        const rows: Record<string, IndexRow> = {
          token: { kind: 'token', param: 'v', system: '', code: 'c' },
          string: { kind: 'string', param: 'v', folded: 's', exact: 'S' },
          uri: { kind: 'uri', param: 'v', value: 'http://u' },
          date: { kind: 'date', param: 'v', lo: 1, hi: 2 },
          quantity: {
            kind: 'quantity',
            param: 'v',
            unit: ANY_UNIT,
            lo: decimalKey('1'),
            hi: decimalKey('1'),
          },
          reference: { kind: 'reference', param: 'v', type: 'Patient', id: '1', version: '' },
        }
        for (const [id, one] of Object.entries(rows)) await put(id, [one])
        await put('none', [{ kind: 'token', param: 'w', system: '', code: 'c' }])
        expect((await ids({ kind: 'present', param: 'v' })).sort()).toEqual(Object.keys(rows).sort())
        expect(await ids({ kind: 'not', node: { kind: 'present', param: 'v' } })).toEqual(['none'])
      })

      it('several types, and all types', async () => {
        const other = `${type}Other`
        await put('a', [token('shared', `s-${run}`)])
        const head = `{"resourceType":"${other}","id":"b","meta":{"versionId":"1","lastUpdated":"`
        await commit([
          {
            key: keyOf(other, 'b'),
            version: 1,
            method: 'POST',
            body: { text: `${head}${stampText(now)}"}}`, stampAt: head.length },
            index: [token('shared', `s-${run}`)],
            claims: [],
          },
        ])
        const where = tokenIs('shared', `s-${run}`)
        for (const types of [[type, other], []]) {
          const page = await storage.search(
            { types, where, sort: [], fingerprint: `several ${run}` },
            { limit: 10, total: 'accurate' },
          )
          expect(page.rows.map(stored => stored.key)).toEqual([key('a'), keyOf(other, 'b')])
          expect(page.total).toBe(2)
        }
      })

      it('takes hostile values as values', async () => {
        const values = [
          "a'b",
          'a"b',
          '{"$gt":""}',
          '$where',
          '.*',
          '%',
          '_',
          '\\',
          'a;--',
          '](',
          '\u2028',
          'x|y',
          'a,b',
          '^a$',
          '<b>',
          "');DROP TABLE res;--",
          '€😀',
          'a\u0001b',
        ]
        for (const [i, value] of values.entries())
          await put(`h${i}`, [
            token(value, value),
            { kind: 'string', param: 'n', folded: value, exact: '' },
            { kind: 'string', param: 'n', folded: fold(value), exact: value },
            { kind: 'uri', param: 'u', value },
            { kind: 'reference', param: 'r', type: '', id: value, version: '' },
          ])
        for (const [i, value] of values.entries()) {
          expect(await ids(tokenIs(value)), value).toEqual([`h${i}`])
          expect(await ids(tokenIs(undefined, value)), value).toEqual([`h${i}`])
          expect(await ids({ kind: 'string', param: 'n', match: 'equals', value }), value).toEqual([`h${i}`])
          expect(await ids({ kind: 'string', param: 'n', match: 'exact', value }), value).toEqual([`h${i}`])
          expect(await ids({ kind: 'uri', param: 'u', match: 'equals', value }), value).toEqual([`h${i}`])
          expect(await ids({ kind: 'reference', param: 'r', id: value }), value).toEqual([`h${i}`])
        }
        expect(await ids({ kind: 'id', ids: ["a'b", '{"$gt":""}'] })).toEqual([])
      })

      it('takes very long values', async () => {
        const long = 'a'.repeat(200_000)
        await put('a', [
          token(long),
          { kind: 'string', param: 'n', folded: long, exact: long },
          { kind: 'uri', param: 'u', value: long },
        ])
        await put('b', [
          token(`${long}b`),
          { kind: 'string', param: 'n', folded: `${long}b`, exact: `${long}b` },
        ])
        expect(await ids(tokenIs(long))).toEqual(['a'])
        expect(await ids({ kind: 'string', param: 'n', match: 'equals', value: long })).toEqual(['a'])
        expect(await ids({ kind: 'string', param: 'n', match: 'starts', value: long })).toEqual(['a', 'b'])
        expect(await ids({ kind: 'uri', param: 'u', match: 'equals', value: long })).toEqual(['a'])
      })

      it('forgets the values of an old version', async () => {
        await put('a', [
          token('x'),
          { kind: 'string', param: 'n', folded: 'old', exact: 'Old' },
          token('both'),
        ])
        await put(
          'a',
          [token('y'), { kind: 'string', param: 'n', folded: 'new', exact: 'New' }, token('both')],
          2,
        )
        expect(await ids(tokenIs('x'))).toEqual([])
        expect(await ids(tokenIs('y'))).toEqual(['a'])
        expect(await ids(tokenIs('both'))).toEqual(['a'])
        expect(await ids({ kind: 'string', param: 'n', match: 'starts', value: 'old' })).toEqual([])
        expect(await ids({ kind: 'string', param: 'n', match: 'starts', value: 'new' })).toEqual(['a'])
      })

      it('returns each resource once, however many of its rows match', async () => {
        await put('a', [token('x', 's1'), token('x', 's2'), token('x', 's3')])
        const page = await storage.search(plan(tokenIs('x')), { limit: 10, total: 'accurate' })
        expect(page.rows).toHaveLength(1)
        expect(page.total).toBe(1)
      })

      it('refuses a node that it does not know', async () => {
        const nonsense = { kind: 'nonsense' } as unknown as Node
        const refusal = await storage
          .search(plan(nonsense), { limit: 1, total: 'none' })
          .catch((error: unknown) => error)
        expect(refusal).toBeInstanceOf(FhirError)
        expect(refusal).toMatchObject({ code: 'not-supported' })
      })
    })

    describe('order and pages', () => {
      const walk = async (
        sort: SortKey[],
        limit: number,
        where: Node = { kind: 'and', nodes: [] },
      ): Promise<string[]> => {
        const seen: string[] = []
        let after: Cursor | undefined
        for (let pages = 0; ; pages++) {
          expect(pages).toBeLessThan(50)
          const page = await storage.search(plan(where, sort), {
            limit,
            total: 'none',
            ...(after ? { after } : {}),
          })
          expect(page.rows.length).toBeLessThanOrEqual(limit)
          seen.push(...page.rows.map(stored => idOf(stored.key)))
          if (!page.more) return seen
          expect(page.rows).toHaveLength(limit)
          after = page.last
        }
      }
      const walkBack = async (sort: SortKey[], limit: number): Promise<string[]> => {
        // To the last page by going forward, then backwards from its first row.
        let after: Cursor | undefined
        let page = await storage.search(plan({ kind: 'and', nodes: [] }, sort), { limit, total: 'none' })
        while (page.more) {
          after = page.last
          page = await storage.search(plan({ kind: 'and', nodes: [] }, sort), {
            limit,
            total: 'none',
            after: after!,
          })
        }
        let seen = page.rows.map(stored => idOf(stored.key))
        let before = page.first
        for (let pages = 0; before; pages++) {
          expect(pages).toBeLessThan(50)
          page = await storage.search(plan({ kind: 'and', nodes: [] }, sort), {
            limit,
            total: 'none',
            before,
          })
          seen = [...page.rows.map(stored => idOf(stored.key)), ...seen]
          before = page.more ? page.first : undefined
        }
        return seen
      }
      const sortRow = (param: string, min: string, max = min): IndexRow => ({ kind: 'sort', param, min, max })
      const by = (param: string, descending = false): SortKey => ({
        by: 'param',
        params: [param],
        descending,
      })

      const fill = async (): Promise<void> => {
        await put('m', [sortRow('f', 'mohan')])
        await put('none1', [])
        await put('a2', [sortRow('f', 'anil')])
        // Several values: ascending it stands by its first, descending by its last.
        await put('wide', [sortRow('f', 'abel', 'zoya')])
        await put('a1', [sortRow('f', 'anil')])
        await put('ml', [sortRow('f', 'മിനി')])
        await put('none2', [])
        await put('z', [sortRow('f', 'zara')])
      }

      it('stands by the order of making where nothing is asked', async () => {
        await fill()
        const order = ['m', 'none1', 'a2', 'wide', 'a1', 'ml', 'none2', 'z']
        for (const limit of [1, 3, 8, 20]) expect(await walk([], limit)).toEqual(order)
        expect(await walkBack([], 3)).toEqual(order)
      })

      it('ascends by the smallest key, missing last, ties by order of making', async () => {
        await fill()
        const order = ['wide', 'a2', 'a1', 'm', 'z', 'ml', 'none1', 'none2']
        for (const limit of [1, 2, 3, 5, 20]) expect(await walk([by('f')], limit)).toEqual(order)
        for (const limit of [1, 2, 3]) expect(await walkBack([by('f')], limit)).toEqual(order)
      })

      it('descends by the largest key, missing last, ties by order of making', async () => {
        await fill()
        const order = ['ml', 'wide', 'z', 'm', 'a2', 'a1', 'none1', 'none2']
        for (const limit of [1, 2, 3, 5, 20]) expect(await walk([by('f', true)], limit)).toEqual(order)
        for (const limit of [1, 2, 3]) expect(await walkBack([by('f', true)], limit)).toEqual(order)
      })

      it('sorts by several keys of both directions', async () => {
        const rows: [string, string | null, string | null][] = [
          ['1', 'a', 'x'],
          ['2', 'b', 'x'],
          ['3', 'a', 'y'],
          ['4', null, 'y'],
          ['5', 'a', null],
          ['6', 'b', 'z'],
          ['7', null, null],
          ['8', 'a', 'y'],
        ]
        for (const [id, f, g] of rows)
          await put(id, [...(f ? [sortRow('f', f)] : []), ...(g ? [sortRow('g', g)] : [])])
        const cases: [SortKey[], string[]][] = [
          [
            [by('f'), by('g', true)],
            ['3', '8', '1', '5', '6', '2', '4', '7'],
          ],
          [
            [by('f', true), by('g')],
            ['2', '6', '1', '3', '8', '5', '4', '7'],
          ],
          [
            [by('g'), by('f', true)],
            ['2', '1', '3', '8', '4', '6', '5', '7'],
          ],
        ]
        for (const [sort, order] of cases)
          for (const limit of [1, 3, 20]) {
            expect(await walk(sort, limit)).toEqual(order)
            expect(await walkBack(sort, limit)).toEqual(order)
          }
      })

      it('sorts by id and by lastUpdated', async () => {
        for (const id of ['b', 'c', 'a']) {
          now += 1000
          await put(id, [])
        }
        now += 1000
        await put('c', [], 2)
        expect(await walk([{ by: 'id', descending: false }], 2)).toEqual(['a', 'b', 'c'])
        expect(await walk([{ by: 'id', descending: true }], 2)).toEqual(['c', 'b', 'a'])
        expect(await walk([{ by: 'updated', descending: false }], 2)).toEqual(['b', 'a', 'c'])
        expect(await walk([{ by: 'updated', descending: true }], 2)).toEqual(['c', 'a', 'b'])
        expect(await walkBack([{ by: 'updated', descending: true }], 1)).toEqual(['c', 'a', 'b'])
      })

      it('walks a filtered result under a sort', async () => {
        for (let i = 0; i < 30; i++)
          await put(`r${String(i).padStart(2, '0')}`, [
            token(i % 3 === 0 ? 'x' : 'y'),
            sortRow('f', `k${(i * 7) % 10}`),
          ])
        const expected = Array.from({ length: 30 }, (_, i) => i)
          .filter(i => i % 3 === 0)
          .map(i => ({ id: `r${String(i).padStart(2, '0')}`, sort: `k${(i * 7) % 10}` }))
        const ascending = [...expected].sort(
          (a, b) => a.sort.localeCompare(b.sort) || a.id.localeCompare(b.id),
        )
        expect(await walk([by('f')], 4, tokenIs('x'))).toEqual(ascending.map(one => one.id))
        expect(await walk([], 4, tokenIs('x'))).toEqual(expected.map(one => one.id))
      })

      it('counts without rows, and counts the whole beside a page', async () => {
        await fill()
        const counted = await storage.search(plan({ kind: 'and', nodes: [] }), {
          limit: 0,
          total: 'accurate',
        })
        expect(counted).toMatchObject({ rows: [], total: 8 })
        const first = await storage.search(plan({ kind: 'and', nodes: [] }, [by('f')]), {
          limit: 3,
          total: 'accurate',
        })
        expect(first).toMatchObject({ total: 8, more: true })
        const second = await storage.search(plan({ kind: 'and', nodes: [] }, [by('f')]), {
          limit: 3,
          total: 'accurate',
          after: first.last!,
        })
        expect(second.total).toBe(8)
        expect(first.rows.length + second.rows.length).toBe(6)
        const none = await storage.search(plan(tokenIs('nothing')), { limit: 3, total: 'accurate' })
        expect(none).toMatchObject({ rows: [], more: false, total: 0 })
        expect(none.first).toBeUndefined()
      })

      it('says there is no more when the page ends exactly at the end', async () => {
        await fill()
        const page = await storage.search(plan({ kind: 'and', nodes: [] }), { limit: 8, total: 'none' })
        expect(page.more).toBe(false)
      })
    })

    describe('history', () => {
      const versions = async (
        scope: 'key' | 'type',
        options: { since?: number; current?: { lo: number; hi: number } } = {},
        limit = 2,
      ): Promise<string[]> => {
        const seen: string[] = []
        let after: Cursor | undefined
        for (let pages = 0; ; pages++) {
          expect(pages).toBeLessThan(50)
          const page = await storage.history(scope === 'key' ? { key: key('a') } : { type }, {
            limit,
            total: 'none',
            ...options,
            ...(after ? { after } : {}),
          })
          seen.push(
            ...page.rows.map(
              stored => `${idOf(stored.key)}${stored.version}${stored.text === undefined ? '-' : ''}`,
            ),
          )
          if (!page.more) return seen
          after = page.last
        }
      }
      let times: number[] = []
      const live = async (): Promise<void> => {
        times = []
        for (const step of [
          [change('a', 1)],
          [change('b', 1)],
          [change('a', 2)],
          [gone('a', 3)],
          [change('b', 2)],
          [change('a', 4)],
        ]) {
          now += 1000
          times.push(((await commit(step)) as { at: number }).at)
        }
      }

      it('of an instance and of a type: newest first, deletions among them, page by page', async () => {
        await live()
        expect(await versions('key')).toEqual(['a4', 'a3-', 'a2', 'a1'])
        expect(await versions('type')).toEqual(['a4', 'b2', 'a3-', 'a2', 'b1', 'a1'])
        expect(await versions('type', {}, 100)).toEqual(['a4', 'b2', 'a3-', 'a2', 'b1', 'a1'])
      })

      it('since: stamped at or after', async () => {
        await live()
        expect(await versions('type', { since: times[3]! })).toEqual(['a4', 'b2', 'a3-'])
        expect(await versions('type', { since: times[3]! + 1 })).toEqual(['a4', 'b2'])
        expect(await versions('key', { since: times[5]! + 1 })).toEqual([])
      })

      it('current: versions that were current at some time of the span', async () => {
        await live()
        const at = (from: number, to = from + 1): { current: { lo: number; hi: number } } => ({
          current: { lo: from, hi: to },
        })
        expect(await versions('type', at(times[0]! - 5000))).toEqual([])
        expect(await versions('type', at(times[1]!))).toEqual(['b1', 'a1'])
        expect(await versions('type', at(times[2]! - 1, times[2]! + 1))).toEqual(['a2', 'b1', 'a1'])
        expect(await versions('key', at(times[3]! + 10))).toEqual(['a3-'])
        expect(await versions('type', at(times[5]! + 10))).toEqual(['a4', 'b2'])
      })

      it('of the system holds every type, and total counts', async () => {
        await live()
        const page = await storage.history({}, { limit: 3, total: 'none' })
        expect(page.rows.map(stored => `${stored.key}/${stored.version}`)).toEqual([
          `${key('a')}/4`,
          `${key('b')}/2`,
          `${key('a')}/3`,
        ])
        const counted = await storage.history({ key: key('a') }, { limit: 1, total: 'accurate' })
        expect(counted.total).toBe(4)
        expect((await storage.history({ type }, { limit: 1, total: 'accurate' })).total).toBe(6)
      })

      it('of an id that never was is empty', async () => {
        expect((await storage.history({ key: key('none') }, { limit: 5, total: 'none' })).rows).toEqual([])
      })
    })

    searchContract({
      storage: () => storage,
      second: () => opened.second,
      clock: () => now,
      wait: ms => {
        now += ms
      },
      epoch: () => epoch,
      type: () => type,
    })

    describe('jobs, leases, reindexing', () => {
      it('gives a due job to one taker at a time, until it is done', async () => {
        const kind = `kind-${name}-${run}`
        const jobs: Job[] = [
          { id: `${kind}-1`, kind, due: now - 1, body: '{"a":"മ"}' },
          { id: `${kind}-2`, kind, due: now + 60_000, body: '{}' },
        ]
        await commit([change('a', 1)], { outbox: jobs })
        const mine = (await storage.outbox.take(1000, 'one', 5000)).filter(job => job.kind === kind)
        expect(mine).toEqual([{ ...jobs[0], fence: expect.any(Number) }])
        expect((await storage.outbox.take(1000, 'two', 5000)).filter(job => job.kind === kind)).toEqual([])
        now += 5001
        const again = (await storage.outbox.take(1000, 'two', 5000)).filter(job => job.kind === kind)
        expect(again).toHaveLength(1)
        expect(again[0]!.fence).not.toBe(mine[0]!.fence)
        expect(await storage.outbox.done(mine[0]!.id, mine[0]!.fence)).toBe(false)
        expect(await storage.outbox.done(again[0]!.id, again[0]!.fence)).toBe(true)
        now += 60_000
        const later = (await storage.outbox.take(1000, 'one', 5000)).filter(job => job.kind === kind)
        expect(later.map(job => job.id)).toEqual([`${kind}-2`])
        await storage.outbox.done(later[0]!.id, later[0]!.fence)
      })

      it('keeps the jobs of a resource that is updated or deleted before they are done', async () => {
        const kind = `kept-${name}-${run}`
        const job = (n: number): Job => ({ id: `${kind}-${n}`, kind, due: now - 1, body: '{}' })
        await commit([change('a', 1)], { outbox: [job(1)] })
        await commit([change('a', 2)], { outbox: [job(2)] })
        await commit([gone('a', 3)], { outbox: [job(3)] })
        await commit([], { outbox: [job(4)] })
        const taken = (await storage.outbox.take(1000, 'one', 5000)).filter(one => one.kind === kind)
        expect(taken.map(one => one.id).sort()).toEqual([1, 2, 3, 4].map(n => `${kind}-${n}`))
        for (const one of taken) expect(await storage.outbox.done(one.id, one.fence)).toBe(true)
      })

      it('puts a job off for who holds its lease, with another body, and for nobody else', async () => {
        const kind = `off-${name}-${run}`
        const job = { id: `${kind}-1`, kind, due: now - 1, body: '{"tries":0}' }
        await commit([change('a', 1)], { outbox: [job] })
        const take = async () =>
          (await storage.outbox.take(1000, 'one', 5000)).filter(one => one.kind === kind)
        const [mine] = await take()
        const later = { due: now + 7000, body: '{"tries":1}' }
        expect(await storage.outbox.putOff(job.id, mine!.fence - 1, later)).toBe(false)
        expect(await storage.outbox.putOff(job.id, mine!.fence, later)).toBe(true)
        now += 6999
        expect(await take()).toEqual([])
        now += 1
        const [again] = await take()
        expect(again).toEqual({ ...job, ...later, fence: mine!.fence + 1 })
        expect(await storage.outbox.putOff(job.id, mine!.fence, later)).toBe(false)
        expect(await storage.outbox.done(job.id, again!.fence)).toBe(true)
      })

      it('shares a hundred jobs among ten takers without giving one twice', async () => {
        const kind = `many-${name}-${run}`
        const outbox = Array.from({ length: 100 }, (_, i) => ({
          id: `${kind}-${i}`,
          kind,
          due: 0,
          body: '{}',
        }))
        await commit([change('a', 1)], { outbox })
        const takers = Array.from({ length: 10 }, (_, i) =>
          (i % 2 && opened.second ? opened.second : storage).outbox.take(20, `taker ${i}`, 5000),
        )
        const taken = (await Promise.all(takers)).flat().filter(job => job.kind === kind)
        expect(new Set(taken.map(job => job.id)).size).toBe(taken.length)
        const rest = (await storage.outbox.take(1000, 'last', 5000)).filter(job => job.kind === kind)
        expect(taken.length + rest.length).toBe(100)
        for (const job of [...taken, ...rest]) await storage.outbox.done(job.id, job.fence)
      })

      it('leases: one owner, renewed by it, taken over when run out, with a growing fence', async () => {
        const lease = `lease-${name}-${run}`
        const first = await storage.lease(lease, 'one', 1000)
        expect(first).toEqual(expect.any(Number))
        expect(await storage.lease(lease, 'two', 1000)).toBeUndefined()
        const renewed = await storage.lease(lease, 'one', 1000)
        expect(renewed!).toBeGreaterThan(first!)
        now += 1001
        const taken = await storage.lease(lease, 'two', 1000)
        expect(taken!).toBeGreaterThan(renewed!)
        expect(await storage.lease(lease, 'one', 1000)).toBeUndefined()
      })

      it('of twenty that want a free lease one gets it', async () => {
        const lease = `race-${name}-${run}`
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            (i % 2 && opened.second ? opened.second : storage).lease(lease, `owner ${i}`, 1000),
          ),
        )
        expect(results.filter(fence => fence !== undefined)).toHaveLength(1)
      })

      it('scan walks the live resources once each; reindex replaces rows and names those that moved on', async () => {
        for (const id of ['a', 'b', 'c', 'd']) await commit([change(id, 1, { index: [token('old')] })])
        await commit([gone('b', 2)])
        const seen: string[] = []
        let after: Cursor | undefined
        for (;;) {
          const page = await storage.scan(after, 2, [type])
          seen.push(...page.rows.map(stored => idOf(stored.key)))
          if (!page.more) break
          after = page.last
        }
        expect(seen.sort()).toEqual(['a', 'c', 'd'])
        const until = await storage.newest()
        await commit([change('e', 1, { index: [token('later')] })])
        const bounded = await storage.scan(undefined, 10, [type], until)
        expect(bounded.rows.map(stored => idOf(stored.key)).sort()).toEqual(['a', 'c', 'd'])
        expect(bounded.more).toBe(false)
        await commit([change('c', 2, { index: [token('newest')] })])
        const moved = await storage.reindex(
          ['a', 'b', 'c', 'd'].map(id => ({ key: key(id), version: 1, index: [token('new')] })),
          epoch,
        )
        expect(moved.sort()).toEqual([key('b'), key('c')])
        expect(await ids(tokenIs('new'))).toEqual(['a', 'd'])
        expect(await ids(tokenIs('old'))).toEqual([])
        expect(await ids(tokenIs('newest'))).toEqual(['c'])
        expect(await storage.read(key('a'))).toMatchObject({ version: 1 })
      })

      it('answers a ping and gives figures', async () => {
        await storage.ping()
        for (const value of Object.values(await storage.gauges())) expect(Number.isFinite(value)).toBe(true)
      })
    })
  })
}
