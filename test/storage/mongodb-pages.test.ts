/** Pages on MongoDB: by keys while another instance writes, and cut at their size without reading what is beyond; texts kept for a time. */
import { type Document, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Node, SearchPlan, SortKey } from '../../src/search/plan-node.ts'
import { compile } from '../../src/storage/mongodb/compile.ts'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { type Cursor, idOf, type Storage } from '../../src/storage/port.ts'
import { startMongo } from './mongodb-server.ts'
import { changeOf, commitOf, deletionOf, planOf, token } from './rows.ts'
import { silent } from './silent-log.ts'

const server = await startMongo()

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it('pages', () => {}))
else
  describe('mongodb: pages', () => {
    let one: Storage
    let two: Storage
    let client: MongoClient
    let commands: { name: string; collection: unknown }[] = []

    beforeAll(async () => {
      one = await openMongo(server.uri, {
        clock: Date.now,
        log: silent,
        onCommand: event => {
          const collection = event.command[event.commandName]
          if (collection !== 'instances' && event.commandName !== 'create')
            commands.push({ name: event.commandName, collection })
        },
      })
      two = await openMongo(server.uri, { clock: Date.now, log: silent })
      client = new MongoClient(server.uri)
    })
    afterAll(async () => {
      await one.close()
      await two.close()
      await client.close()
      await server.stop()
    })
    const names = (): string[] => commands.map(command => command.name)

    describe('while another instance writes', () => {
      /** The key of a resource, several or none; many have the same. */
      const rows = (i: number, more: IndexRow[] = []): IndexRow[] => [
        token('Patient.set', 'stays'),
        ...more,
        ...(i % 4 === 0
          ? []
          : [
              {
                kind: 'sort' as const,
                param: 'Patient.family',
                min: `k${i % 5}`,
                max: `k${(i % 5) + (i % 3)}`,
              },
            ]),
      ]
      const COUNT = 60
      const stays = Array.from({ length: COUNT }, (_, i) => i)
      const minOf = (i: number): string => (i % 4 === 0 ? 'none' : `k${i % 5}`)
      const maxOf = (i: number): string => (i % 4 === 0 ? 'none' : `k${(i % 5) + (i % 3)}`)
      /** Those without a key come last in both directions; in the order of making where they are the same. */
      const inOrder = (keyOf: (i: number) => string, descending: boolean): string[] =>
        [...stays]
          .sort((a, b) => {
            const [left, right] = [keyOf(a), keyOf(b)]
            if (left === right) return a - b
            if (left === 'none' || right === 'none') return left === 'none' ? 1 : -1
            return (left < right ? -1 : 1) * (descending ? -1 : 1)
          })
          .map(i => `s${i}`)

      beforeAll(async () => {
        // One after the other, so that the order of making is theirs, by either instance in turn.
        for (const i of stays)
          await (i % 2 ? two : one).commit(commitOf([changeOf(`Patient/s${i}`, 1, rows(i))]))
      })

      for (const [name, sort, wanted] of [
        [
          'ascending',
          [{ by: 'param', params: ['Patient.family'], descending: false }],
          inOrder(minOf, false),
        ],
        ['descending', [{ by: 'param', params: ['Patient.family'], descending: true }], inOrder(maxOf, true)],
        ['in the order of making', [], stays.map(i => `s${i}`)],
        ['last changed first', [{ by: 'updated', descending: true }], stays.map(i => `s${i}`).reverse()],
      ] as const satisfies readonly (readonly [string, SortKey[], string[]])[])
        it(`${name}: what stays is seen once, in its order, whatever comes and goes`, async () => {
          const plan = planOf(['Patient'], { kind: 'and', nodes: [] }, sort)
          const seen: string[] = []
          let after: Cursor | undefined
          let made = 0
          for (;;) {
            const page = await one.search(plan, { limit: 7, total: 'none', ...(after ? { after } : {}) })
            seen.push(...page.rows.map(row => idOf(row.key)).filter(id => id.startsWith('s')))
            // Around the cursor: before it, at it, after it and without a key; some go again.
            const writing = Array.from({ length: 5 }, async (_, j) => {
              const id = `${name.replaceAll(' ', '-')}${made++}`
              await (j % 2 ? one : two).commit(commitOf([changeOf(`Patient/w${id}`, 1, rows(j))]))
              if (j % 2) await two.commit(commitOf([deletionOf(`Patient/w${id}`, 2)]))
            })
            await Promise.all(writing)
            if (!page.more || made > 400) break
            after = page.last
          }
          // What was written meanwhile may make the walk endless at its end, never the part before it.
          expect(seen).toEqual(wanted)
        })
    })

    it('go by the parameters of several types, whatever their names, those without a key last', async () => {
      const key = (type: string, min: string, max = min): IndexRow => ({
        kind: 'sort',
        param: type === 'Tree' ? 'Tree.height' : 'Bush.size@7',
        min,
        max,
      })
      await one.commit(
        commitOf([
          changeOf('Tree/a', 1, [key('Tree', 'k3')]),
          changeOf('Bush/b', 1, [key('Bush', 'k1', 'k5')]),
          changeOf('Tree/c', 1, []),
          changeOf('Bush/d', 1, [key('Bush', 'k2')]),
          changeOf('Tree/e', 1, [key('Tree', 'k1', 'k4')]),
          changeOf('Bush/f', 1, []),
        ]),
      )
      const params = ['Tree.height', 'Bush.size@7']
      for (const [descending, wanted] of [
        [false, 'bedacf'],
        [true, 'beadcf'],
      ] as const) {
        const plan = planOf(['Tree', 'Bush'], { kind: 'and', nodes: [] }, [
          { by: 'param', params, descending },
        ])
        let forth = ''
        let page = await one.search(plan, { limit: 1, total: 'none' })
        for (;;) {
          forth += page.rows.map(row => idOf(row.key)).join('')
          if (!page.more) break
          page = await one.search(plan, { limit: 1, total: 'none', after: page.last! })
        }
        expect(forth).toBe(wanted)
        let back = idOf(page.rows[0]!.key)
        while (page.first !== undefined) {
          page = await one.search(plan, { limit: 1, total: 'none', before: page.first })
          back = page.rows.map(row => idOf(row.key)).join('') + back
        }
        expect(back).toBe(wanted)
      }
    })

    describe('cut at their size', () => {
      const plan = (type: string): SearchPlan => planOf([type], { kind: 'and', nodes: [] })
      const filled = (length: number): string => `,"x":"${'x'.repeat(length)}"`

      it('in one command, as long as the page fits into one answer', async () => {
        await one.commit(
          commitOf(Array.from({ length: 20 }, (_, i) => changeOf(`Small/r${i}`, 1, [], filled(1000)))),
        )
        commands = []
        const page = await one.search(plan('Small'), { limit: 15, total: 'none', bytes: 5_000 })
        expect(page.rows).toHaveLength(4)
        expect(page.more).toBe(true)
        expect(names()).toEqual(['find'])
      })

      it('what is far beyond the page is not asked for', async () => {
        // 18 texts of almost 2 MB: 36 MB, of which an answer holds 16 at most.
        for (let i = 0; i < 18; i++)
          await one.commit(commitOf([changeOf(`Large/r${i}`, 1, [], filled(1_900_000))]))
        commands = []
        const page = await one.search(plan('Large'), { limit: 18, total: 'none', bytes: 4_000_000 })
        expect(page.rows).toHaveLength(2)
        expect(page.more).toBe(true)
        expect(names()).not.toContain('getMore')
        const rest = await one.search(plan('Large'), {
          limit: 18,
          total: 'none',
          bytes: 100_000_000,
          after: page.last!,
        })
        expect(rest.rows).toHaveLength(16)
        expect(rest.more).toBe(false)
      }, 60_000)

      it('the pieces of a large text beyond the page are not read', async () => {
        for (let i = 0; i < 3; i++)
          await one.commit(commitOf([changeOf(`Huge/r${i}`, 1, [], filled(3_000_000))]))
        commands = []
        const page = await one.search(plan('Huge'), { limit: 3, total: 'none', bytes: 4_000_000 })
        expect(page.rows.map(row => row.text!.length > 3_000_000)).toEqual([true])
        expect(page.more).toBe(true)
        expect(commands.map(({ name, collection }) => `${name} ${collection}`)).toEqual([
          'find resources',
          'find chunks',
        ])
        const doc = await client.db().collection('resources').findOne({ t: 'Huge' })
        expect(doc!.len).toBe(Buffer.byteLength(page.rows[0]!.text!))
      })
    })

    it('ten thousand codes are one list of the filter', async () => {
      const nodes = Array.from(
        { length: 10_000 },
        (_, i): Node => ({ kind: 'token', param: 'A.code', system: 's', code: `${i}` }),
      )
      await one.commit(commitOf([changeOf('A/1', 1, [token('A.code', '77', 's')])]))
      const where: Node = {
        kind: 'or',
        nodes: [...nodes, { kind: 'string', param: 'A.x', match: 'starts', value: 'y' }],
      }
      expect(compile(where, ['A']).$or.map((part: Document) => part.ix.$in?.length)).toEqual([
        undefined,
        10_000,
      ])
      const { rows, explained } = await one.search(planOf(['A'], where), {
        limit: 5,
        total: 'none',
        explain: true,
      })
      expect(rows.map(row => row.key)).toEqual(['A/1'])
      expect(explained!.plans[0]).not.toContain('COLLSCAN')
    })

    it('texts kept for a time are taken away by an index, a day after it', async () => {
      await one.remember('query', 'a=b', Date.now() + 60_000)
      expect(await two.recall('query')).toBe('a=b')
      const indexes = await client.db().collection('remembered').indexes()
      expect(indexes.find(index => index.key.until === 1)?.expireAfterSeconds).toBe(86_400)
      const stored = await client.db().collection('remembered').findOne({ text: 'a=b' })
      expect(stored!.until).toBeInstanceOf(Date)
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 ? one : two).remember('raced', `${i}`, Date.now() + 60_000),
        ),
      )
      expect(await one.recall('raced')).toMatch(/^\d+$/)
    })
  })
