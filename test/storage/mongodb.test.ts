/** What the MongoDB adapter promises beyond the contract: its commands, its indexes, the native form, and what it asks of a server. */

import { type Document, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { decimalKey } from '../../src/lib/decimal.ts'
import type { IndexRow } from '../../src/search/index-row.ts'
import { ANY_UNIT, type Node, type SortKey } from '../../src/search/plan-node.ts'
import { compile, liveOf, merge } from '../../src/storage/mongodb/compile.ts'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { type Key, type Storage, stampText } from '../../src/storage/port.ts'
import { startMongo } from './mongodb-server.ts'
import { changeOf, commitOf, deletionOf, planOf } from './rows.ts'
import { silent } from './silent-log.ts'

const server = await startMongo()

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it('the adapter', () => {}))
else
  describe('mongodb', () => {
    let storage: Storage
    let client: MongoClient
    let commands: string[] = []

    beforeAll(async () => {
      storage = await openMongo(server.uri, {
        clock: Date.now,
        log: silent,
        onCommand: event => {
          // The beat belongs to no operation, and a view is made once per type and database.
          const collection = event.command[event.commandName]
          if (collection !== 'instances' && event.commandName !== 'create') commands.push(event.commandName)
        },
      })
      client = new MongoClient(server.uri)
    })
    afterAll(async () => {
      await storage.close()
      await client.close()
      await server.stop()
    })

    const token = (code: string, param = 'Patient.identifier'): IndexRow => ({
      kind: 'token',
      param,
      system: 's',
      code,
    })
    const is = (code: string): Node => ({ kind: 'token', param: 'Patient.identifier', system: 's', code })
    const sent = async (work: () => Promise<unknown>): Promise<string[]> => {
      commands = []
      await work()
      return commands
    }

    describe('commands sent', () => {
      const key: Key = 'Patient/counted'
      const create = (id: string) => commitOf([changeOf(`Patient/${id}`, 1, [token(id)])])

      it('create: 1', async () => {
        expect(await sent(() => storage.commit(create('counted')))).toEqual(['insert'])
        const jobs = { outbox: [{ id: 'counted-job', kind: 'k', due: 0, body: '{}' }] }
        const withJob = commitOf([changeOf('Patient/job', 1)], jobs)
        expect(await sent(() => storage.commit(withJob))).toEqual(['insert'])
      })

      it('read: 1, of a deletion too', async () => {
        expect(await sent(() => storage.read(key))).toEqual(['find'])
        expect(await sent(() => storage.read(key, { filter: is('counted') }))).toEqual(['find'])
      })

      it('search: 1, however it is sorted and wherever the page begins, and 1 more to count', async () => {
        for (let i = 0; i < 150; i++)
          await storage.commit(commitOf([changeOf(`Patient/p${i}`, 1, [token('many')])]))
        const sorts: SortKey[][] = [
          [],
          [{ by: 'updated', descending: true }],
          [{ by: 'param', params: ['Patient.birthdate'], descending: false }],
          [
            { by: 'param', params: ['Patient.family'], descending: true },
            { by: 'id', descending: false },
          ],
        ]
        for (const sort of sorts) {
          const plan = planOf(['Patient'], is('many'), sort)
          // More than the 101 documents that MongoDB sends when it is not told how many are wanted.
          const first = await storage.search(plan, { limit: 120, total: 'none' })
          expect(first.rows).toHaveLength(120)
          expect(await sent(() => storage.search(plan, { limit: 120, total: 'none' }))).toEqual(['find'])
          const after = first.last!
          expect(await sent(() => storage.search(plan, { limit: 120, total: 'none', after }))).toEqual([
            'find',
          ])
          const counted = await sent(() => storage.search(plan, { limit: 5, total: 'accurate' }))
          expect(counted.sort()).toEqual(['aggregate', 'find'])
        }
      })

      it('update: 4, with the find of the caller; delete the same', async () => {
        const update = async () => {
          const found = await storage.read(key)
          await storage.commit(commitOf([changeOf(key, found!.version + 1, [token('counted')])]))
        }
        expect(await sent(update)).toEqual(['find', 'findAndModify', 'insert', 'commitTransaction'])
        const remove = async () => {
          const found = await storage.read(key)
          await storage.commit(commitOf([deletionOf(key, found!.version + 1)]))
        }
        expect(await sent(remove)).toEqual(['find', 'findAndModify', 'insert', 'commitTransaction'])
        expect(await sent(() => storage.read(key))).toEqual(['find'])
      })

      it('conditional create: 4', async () => {
        const plan = planOf(['Patient'], is('new'))
        const conditional = commitOf([changeOf('Patient/new', 1, [token('new')])], {
          require: [{ is: 'matches', plan, keys: [], guard: plan.fingerprint }],
        })
        expect(await sent(() => storage.commit(conditional))).toEqual([
          'update',
          'find',
          'insert',
          'commitTransaction',
        ])
      })

      it('a transaction of 300 creates and 300 updates: no more than of two each', async () => {
        const creates = Array.from({ length: 300 }, (_, i) => changeOf(`Patient/t${i}`, 1, [token('t')]))
        expect(await sent(() => storage.commit(commitOf(creates)))).toEqual(['insert', 'commitTransaction'])
        const updates = creates.map(change => changeOf(change.key, 2))
        const done = await sent(() => storage.commit(commitOf(updates)))
        // The versions before come in one answer where they fit, so getMore is allowed but not one command for each.
        expect(done.filter(name => name !== 'getMore')).toEqual([
          'find',
          'update',
          'insert',
          'commitTransaction',
        ])
        expect(done.length).toBeLessThan(8)
      })
    })

    describe('indexes', () => {
      const rows = (i: number): IndexRow[] => [
        { kind: 'token', param: 'Observation.code', system: 'http://loinc.org', code: `c${i % 50}` },
        { kind: 'token', param: 'Observation.category', system: `http://rare.org/${i % 100}`, code: 'final' },
        { kind: 'reference', param: 'Observation.subject', type: 'Patient', id: `p${i % 40}`, version: '' },
        { kind: 'string', param: 'Observation.value-string', folded: `text ${i}`, exact: `Text ${i}` },
        { kind: 'uri', param: '_profile', value: `http://example.org/p${i % 10}` },
        { kind: 'date', param: 'Observation.date', lo: i * 1000, hi: i * 1000 + 999 },
        {
          kind: 'quantity',
          param: 'Observation.value-quantity',
          unit: ANY_UNIT,
          lo: decimalKey(String(i)),
          hi: decimalKey(String(i)),
        },
        {
          kind: 'sort',
          param: 'Observation.date',
          min: `d${String(i).padStart(5, '0')}`,
          max: `d${String(i).padStart(5, '0')}`,
        },
      ]
      beforeAll(async () => {
        for (let from = 0; from < 2000; from += 500)
          await storage.commit(
            commitOf(
              Array.from({ length: 500 }, (_, i) => changeOf(`Observation/o${from + i}`, 1, rows(from + i))),
            ),
          )
      })

      /** The names of all stages of a plan, and of the indexes it uses. */
      const stages = (plan: Document): string[] => [
        ...(plan.stage ? [plan.indexName ? `${plan.stage} ${plan.indexName}` : plan.stage] : []),
        ...[plan.inputStage, ...(plan.inputStages ?? []), plan.queryPlan].filter(Boolean).flatMap(stages),
      ]
      const explained = async (where: Node, sort: Record<string, 1 | -1> = { n: 1 }): Promise<string[]> => {
        const plan = await client
          .db()
          .collection('resources')
          .find(merge([compile(where, ['Observation']), liveOf(['Observation'])]))
          .sort(sort)
          .limit(21)
          .explain('queryPlanner')
        return stages(plan.queryPlanner.winningPlan)
      }
      const code: Node = { kind: 'token', param: 'Observation.code', system: 'http://loinc.org', code: 'c1' }
      const subject: Node = { kind: 'reference', param: 'Observation.subject', type: 'Patient', id: 'p1' }
      const quantity: Node = {
        kind: 'quantity',
        param: 'Observation.value-quantity',
        unit: ANY_UNIT,
        bounds: [
          { end: 'lo', op: '>=', value: decimalKey('5') },
          { end: 'hi', op: '<', value: decimalKey('7') },
        ],
      }
      const date: Node = {
        kind: 'date',
        param: 'Observation.date',
        bounds: [
          { end: 'lo', op: '>=', value: 5000 },
          { end: 'hi', op: '<=', value: 9000 },
        ],
      }
      const families: Record<string, Node> = {
        token: code,
        'token of any system': { kind: 'token', param: 'Observation.code', code: 'c1' },
        'system only': { kind: 'token', param: 'Observation.category', system: 'http://rare.org/7' },
        reference: subject,
        'reference and code': { kind: 'and', nodes: [code, subject] },
        'several codes': { kind: 'or', nodes: [code, { ...code, code: 'c2' } as Node] },
        'string prefix': {
          kind: 'string',
          param: 'Observation.value-string',
          match: 'starts',
          value: 'text 19',
        },
        'string exact': {
          kind: 'string',
          param: 'Observation.value-string',
          match: 'exact',
          value: 'Text 19',
        },
        uri: { kind: 'uri', param: '_profile', match: 'equals', value: 'http://example.org/p1' },
        date,
        'date, one bound': {
          kind: 'date',
          param: 'Observation.date',
          bounds: [{ end: 'hi', op: '>', value: 1_990_000 }],
        },
        quantity,
        'subject, code and date': { kind: 'and', nodes: [date, code, subject] },
      }
      for (const [name, where] of Object.entries(families))
        it(`${name}: driven by the index of terms`, async () => {
          const found = await explained(where)
          expect(found.some(stage => stage.startsWith('COLLSCAN'))).toBe(false)
          expect(found).toContain('IXSCAN ix_1_n_1')
        })

      it('a sort that is indexed is walked and not sorted, in both directions', async () => {
        const all: Node = { kind: 'and', nodes: [] }
        for (const field of ['s.date', 'sx.date']) {
          const found = await explained(all, { [field]: -1, n: 1 })
          expect(found).toContain(`IXSCAN Observation ${field}`)
          expect(found).not.toContain('SORT')
        }
        for (const sort of [{ lu: -1, n: 1 }, { lu: 1, n: 1 }, { n: 1 }] as Record<string, 1 | -1>[]) {
          const found = await explained(all, sort)
          expect(found.some(stage => stage.startsWith('IXSCAN'))).toBe(true)
          expect(found).not.toContain('SORT')
        }
      })

      it('are fewer than the 64 that MongoDB allows', async () => {
        expect((await client.db().collection('resources').indexes()).length).toBeLessThanOrEqual(64)
      })

      it('are made once by servers that start together', async () => {
        const opened = await Promise.all(
          Array.from({ length: 4 }, () =>
            openMongo(`${server.uri}`.replace(/\/nadi_test_[^?]*/, '$&_together'), {
              clock: Date.now,
              log: silent,
            }),
          ),
        )
        for (const one of opened) expect(await one.epoch()).toBe(0)
        for (const one of opened) await one.close()
        await client.db(`${client.db().databaseName}_together`).dropDatabase()
      })
    })

    describe('the native form', () => {
      it('is there for pipelines with numbers as numbers, and is not what is answered', async () => {
        const more =
          ',"valueQuantity":{"value":5.40},"valueInteger":7,"big":12345678901234567,"flag":true,"list":[1,{"a":null}]'
        await storage.commit(commitOf([changeOf('Observation/native', 1, [], more)]))
        const found = await client
          .db()
          .collection('Observation')
          .findOne({ 'resource.valueQuantity.value': { $gt: 5.39, $lt: 5.41 } })
        expect(found!.resource.valueQuantity.value.toString()).toBe('5.40')
        expect(found!.resource.valueInteger).toBe(7)
        expect(found!.resource.big.toString()).toBe('12345678901234567')
        expect(found!.resource.list).toEqual([1, { a: null }])
        const stored = await storage.read('Observation/native')
        expect(found!.resource.meta.lastUpdated).toBe(stampText(stored!.at))
        await client
          .db()
          .collection<Document & { _id: string }>('resources')
          .updateOne({ _id: 'Observation/native' }, { $set: { resource: {} } })
        expect((await storage.read('Observation/native'))!.text).toContain(more)
      })

      it('has no names that could be operators or paths', async () => {
        const more = ',"$where":"1","a.b":1,"__proto__":{"x":1},"_ok":{"id":"1"}'
        await storage.commit(commitOf([changeOf('Observation/names', 1, [], more)]))
        const found = await client.db().collection('Observation').findOne({ 'resource.id': 'names' })
        expect(Object.keys(found!.resource)).toEqual(['resourceType', 'id', 'meta', '_ok'])
        expect((await storage.read('Observation/names'))!.text).toContain(more)
      })

      it('stands under a view per type, without deletions', async () => {
        await storage.commit(commitOf([changeOf('Device/d1', 1, [], ',"status":"active"')]))
        await storage.commit(commitOf([changeOf('Device/d2', 1, [], ',"status":"active"')]))
        await storage.commit(commitOf([deletionOf('Device/d2', 2)]))
        const view = client.db().collection('Device')
        let found: Document[] = []
        for (let i = 0; i < 50 && found.length === 0; i++) {
          await new Promise(resolve => setTimeout(resolve, 20))
          found = await view.find({ 'resource.status': 'active' }).toArray()
        }
        expect(found.map(doc => doc._id)).toEqual(['Device/d1'])
      })

      it('of a text too large for one document is left out, and the text comes back whole', async () => {
        // Half a dozen bits of chance a character: gzip makes little of it, so it takes several chunks.
        let seed = 1
        const noise = Array.from({ length: 7_000_000 }, () => {
          seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
          return String.fromCharCode(48 + (seed >>> 26))
        }).join('')
        const text = `${'😀ക'.repeat(500_000)}${noise.replaceAll('\\', 'x')}`
        await storage.commit(commitOf([changeOf('Binary/large', 1, [], `,"data":"${text}"`)]))
        const stored = await storage.read('Binary/large')
        expect(stored!.text!.endsWith(`,"data":"${text}"}`)).toBe(true)
        const doc = await client
          .db()
          .collection<Document & { _id: string }>('resources')
          .findOne({ _id: 'Binary/large' })
        expect(doc!.resource).toBeUndefined()
        expect(doc!.text).toBeUndefined()
        expect(doc!.chunks).toBeGreaterThan(1)
      })
    })

    it('answers a long text to look for, or says that it is too long', async () => {
      const looking = (length: number): Promise<unknown> => {
        const value = 'x'.repeat(length)
        const node = { kind: 'string', param: 'Patient.family', match: 'contains', value } as const
        return storage
          .search(planOf(['Patient'], node), { limit: 1, total: 'none' })
          .then(page => page.rows.length)
          .catch((error: unknown) => (error instanceof FhirError ? error.status : error))
      }
      for (const length of [900, 2_000, 8_000]) expect(await looking(length)).toBe(0)
      expect(await looking(100_000)).toBe(400)
    })

    it('ends a search at its deadline with too-costly and 503', async () => {
      // Ten texts to look for in each of two thousand resources, none of which is there.
      const nodes = Array.from({ length: 10 }, (_, i): Node => {
        const node = {
          kind: 'string',
          param: 'Observation.value-string',
          match: 'contains',
          value: `zz${i}`,
        } as const
        return { kind: 'not', node }
      })
      const plan = planOf(['Observation'], { kind: 'and', nodes })
      const ending = (ms: number): Promise<unknown> =>
        storage
          .search(plan, { limit: 0, total: 'accurate', deadline: Date.now() + ms })
          .catch((error: unknown) => error)
      expect(await ending(-1)).toMatchObject({ code: 'too-costly', status: 503 })
      expect(await ending(5)).toMatchObject({ code: 'too-costly', status: 503 })
      expect(await ending(60_000)).toMatchObject({ total: expect.any(Number) })
    })

    it('says what is missing where the server has no transactions', async () => {
      if (server.kind !== 'substitute') return
      const alone = await startMongo({ own: true, args: ['--standalone'] })
      if ('skip' in alone) return
      try {
        const refusal = await openMongo(alone.uri, { clock: Date.now, log: silent }).catch(
          (error: unknown) => error,
        )
        expect(refusal).toMatchObject({
          code: 'not-supported',
          message: expect.stringContaining('replica set'),
        })
      } finally {
        await alone.stop()
      }
    })

    it('says so where no server answers', async () => {
      const refusal = await openMongo('mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300', {
        clock: Date.now,
        log: silent,
      }).catch((error: unknown) => error)
      expect(refusal).toMatchObject({ code: 'transient', status: 503 })
    }, 20_000)
  })
