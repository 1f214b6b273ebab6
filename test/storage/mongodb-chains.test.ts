/** Chains on MongoDB: the same answers where the search is turned round, the commands they cost, and what a condition of a write may ask. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Node } from '../../src/search/plan-node.ts'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { idOf, type SearchOptions, type Storage } from '../../src/storage/port.ts'
import { searchContract } from './contract-search.ts'
import { startMongo } from './mongodb-server.ts'
import { changeOf, commitOf, planOf, token } from './rows.ts'
import { silent } from './silent-log.ts'

const server = await startMongo()
const START = Date.UTC(2026, 10, 21)

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it('chains', () => {}))
else {
  afterAll(() => server.stop())

  // With 0 every chain is turned round; with 1 those that lead to two resources or more, so that both ways meet in one search.
  for (const linked of [0, 1])
    describe(`with ${linked} resources at the far end of a chain as the most for a filter`, () => {
      let storage: Storage
      let now = START
      let run = 0
      beforeAll(async () => {
        storage = await openMongo(server.uri, { clock: () => now, log: silent, linked })
      })
      afterAll(() => storage.close())
      beforeEach(() => {
        run++
      })
      searchContract({
        storage: () => storage,
        second: () => undefined,
        clock: () => now,
        wait: ms => {
          now += ms
        },
        epoch: () => 0,
        type: () => `Turned${linked}n${run}`,
      })
    })

  describe('commands', () => {
    let storage: Storage
    let turned: Storage
    let commands: string[] = []
    const onCommand = (event: { command: Record<string, unknown>; commandName: string }): void => {
      const collection = event.command[event.commandName]
      if (collection !== 'instances' && event.commandName !== 'create') commands.push(event.commandName)
    }
    const subject = (id: string): IndexRow => ({
      kind: 'reference',
      param: 'Observation.subject',
      type: 'Patient',
      id,
      version: '',
    })
    const is = (param: string, code: string): Node => ({ kind: 'token', param, code })
    const chain = (node: Node): Node => ({
      kind: 'chain',
      params: ['Observation.subject'],
      types: ['Patient'],
      canonical: false,
      node,
    })
    const has = (node: Node): Node => ({
      kind: 'has',
      type: 'Observation',
      params: ['Observation.subject'],
      node,
    })
    const sent = async (
      on: Storage,
      type: string,
      where: Node,
      options: Partial<SearchOptions> = {},
    ): Promise<{ ids: string[]; commands: string[] }> => {
      commands = []
      const page = await on.search(planOf([type], where), { limit: 50, total: 'none', ...options })
      return { ids: page.rows.map(row => idOf(row.key)), commands }
    }

    beforeAll(async () => {
      storage = await openMongo(server.uri, { clock: Date.now, log: silent, onCommand })
      turned = await openMongo(server.uri, { clock: Date.now, log: silent, onCommand, linked: 3 })
      const patients = Array.from({ length: 10 }, (_, i) =>
        changeOf(`Patient/p${i}`, 1, [
          token('Patient.identifier', `m${i}`),
          token('Patient.gender', 'female'),
        ]),
      )
      const observations = Array.from({ length: 40 }, (_, i) =>
        changeOf(`Observation/o${i}`, 1, [subject(`p${i % 10}`), token('Observation.code', `c${i % 20}`)]),
      )
      await storage.commit(commitOf([...patients, ...observations]))
    })
    afterAll(async () => {
      await storage.close()
      await turned.close()
    })

    it('one for each level of a chain, those beside one another at the same time, and one for the page', async () => {
      const first = chain(is('Patient.identifier', 'm3'))
      expect(await sent(storage, 'Observation', first)).toEqual({
        ids: ['o3', 'o13', 'o23', 'o33'],
        commands: ['find', 'find'],
      })
      const both: Node = {
        kind: 'and',
        nodes: [first, { kind: 'not', node: chain(is('Patient.identifier', 'm4')) }],
      }
      expect((await sent(storage, 'Observation', both)).commands).toEqual(['find', 'find', 'find'])
      expect(await sent(storage, 'Patient', has(is('Observation.code', 'c7')))).toEqual({
        ids: ['p7'],
        commands: ['find', 'find'],
      })
      expect(await sent(storage, 'Observation', chain(has(is('Observation.code', 'c7'))))).toEqual({
        ids: ['o7', 'o17', 'o27', 'o37'],
        commands: ['find', 'find', 'find'],
      })
      expect((await sent(storage, 'Observation', first, { total: 'accurate' })).commands.sort()).toEqual([
        'aggregate',
        'find',
        'find',
      ])
    })

    it('turned round: the question for the far end, and one aggregation', async () => {
      const where: Node = {
        kind: 'and',
        nodes: [chain(is('Patient.gender', 'female')), is('Observation.code', 'c7')],
      }
      expect(await sent(turned, 'Observation', where)).toEqual({
        ids: ['o7', 'o27'],
        commands: ['find', 'aggregate'],
      })
      expect(await sent(turned, 'Patient', has({ kind: 'not', node: is('Observation.code', 'c7') }))).toEqual(
        {
          ids: Array.from({ length: 10 }, (_, i) => `p${i}`),
          commands: ['find', 'aggregate'],
        },
      )
    })

    it('a read with a filter: 1, through a chain too', async () => {
      commands = []
      const filter = chain(is('Patient.identifier', 'm3'))
      expect(await storage.read('Observation/o3', { filter })).toBeDefined()
      expect(await storage.read('Observation/o4', { filter })).toBeUndefined()
      const keys = ['Observation/o2', 'Observation/o13'] as const
      expect([...(await storage.readMany(keys, filter)).keys()]).toEqual(['Observation/o13'])
      expect(commands).toEqual(['aggregate', 'aggregate', 'aggregate'])
      const page = await storage.history({ type: 'Observation' }, { limit: 10, total: 'accurate', filter })
      expect(page.rows.map(row => idOf(row.key)).sort()).toEqual(['o13', 'o23', 'o3', 'o33'])
      expect(page.total).toBe(4)
    })

    it('a condition of a write is judged through a chain, and refused where the chain leads to too many', async () => {
      const conditional = (where: Node, id: string) => {
        const plan = planOf(['Observation'], where)
        return commitOf([changeOf(`Observation/${id}`, 1)], {
          require: [{ is: 'matches', plan, keys: [], guard: plan.fingerprint }],
        })
      }
      const taken = conditional(chain(is('Patient.identifier', 'm3')), 'x1')
      expect(await turned.commit(taken)).toEqual({ ok: false, reason: 'require', index: 0 })
      const free = conditional(chain(is('Patient.identifier', 'nobody')), 'x2')
      expect(await turned.commit(free)).toMatchObject({ ok: true })
      await expect(
        turned.commit(conditional(chain(is('Patient.gender', 'female')), 'x3')),
      ).rejects.toMatchObject({
        code: 'too-costly',
        status: 400,
        message: expect.stringContaining('Narrow it'),
      })
      expect(await storage.read('Observation/x3')).toBeUndefined()
    })

    it('a chain ends at the deadline', async () => {
      const where = chain(is('Patient.gender', 'female'))
      const late = storage.search(planOf(['Observation'], where), {
        limit: 1,
        total: 'none',
        deadline: Date.now() - 1,
      })
      await expect(late).rejects.toMatchObject({ code: 'too-costly', status: 503 })
    })
  })
}
