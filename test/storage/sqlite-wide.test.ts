/** Searches with as many values as a client may send, and bodies at the edge of a piece, on Node and on D1 with its limits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Node } from '../../src/search/plan-node.ts'
import type { Storage } from '../../src/storage/port.ts'
import { d1Storage } from '../../src/storage/sqlite/d1.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { openD1 } from './d1-database.ts'
import { changeOf, commitOf, planOf } from './rows.ts'
import { silent } from './silent-log.ts'

const MANY = 1000

/** Alternatives that all miss but the last, which finds the resource. */
const alternatives: Record<string, { row: IndexRow; node(i: number): Node }> = {
  code: {
    row: { kind: 'token', param: 'a', system: 's', code: `${MANY - 1}` },
    node: i => ({ kind: 'token', param: 'a', code: `${i}` }),
  },
  'system and code': {
    row: { kind: 'token', param: 'b', system: `s${MANY - 1}`, code: 'c' },
    node: i => ({ kind: 'token', param: 'b', system: `s${i}`, code: 'c' }),
  },
  'system alone': {
    row: { kind: 'token', param: 'c', system: `s${MANY - 1}`, code: 'c' },
    node: i => ({ kind: 'token', param: 'c', system: `s${i}` }),
  },
  'string starts': {
    row: { kind: 'string', param: 'd', folded: `${MANY - 1}xyz`, exact: 'X' },
    node: i => ({ kind: 'string', param: 'd', match: 'starts', value: `${i}x` }),
  },
  'string contains': {
    row: { kind: 'string', param: 'e', folded: `abc${MANY - 1}xyz`, exact: 'X' },
    node: i => ({ kind: 'string', param: 'e', match: 'contains', value: `c${i}xy` }),
  },
  date: {
    row: { kind: 'date', param: 'f', lo: 1000 * (MANY - 1), hi: 1000 * (MANY - 1) + 5 },
    node: i => ({
      kind: 'date',
      param: 'f',
      bounds: [
        { end: 'lo', op: '>=', value: 1000 * i },
        { end: 'hi', op: '<=', value: 1000 * i + 10 },
      ],
    }),
  },
  quantity: {
    row: { kind: 'quantity', param: 'g', unit: '|mg', lo: `k${MANY - 1}`, hi: `k${MANY - 1}` },
    node: i => ({
      kind: 'quantity',
      param: 'g',
      unit: '|mg',
      bounds: [
        { end: 'lo', op: '>=', value: `k${i}` },
        { end: 'hi', op: '<=', value: `k${i}` },
      ],
    }),
  },
  reference: {
    row: { kind: 'reference', param: 'h', type: 'Patient', id: `${MANY - 1}`, version: '' },
    node: i => ({ kind: 'reference', param: 'h', type: 'Patient', id: `${i}` }),
  },
  'reference of any type': {
    row: { kind: 'reference', param: 'i', type: 'Patient', id: `${MANY - 1}`, version: '' },
    node: i => ({ kind: 'reference', param: 'i', id: `${i}` }),
  },
  uri: {
    row: { kind: 'uri', param: 'j', value: `http://${MANY - 1}` },
    node: i => ({ kind: 'uri', param: 'j', match: 'equals', value: `http://${i}` }),
  },
  'uri below': {
    row: { kind: 'uri', param: 'k', value: `http://${MANY - 1}/x` },
    node: i => ({ kind: 'uri', param: 'k', match: 'below', value: `http://${i}` }),
  },
}
const rows: IndexRow[] = [
  ...Object.values(alternatives).map(one => one.row),
  { kind: 'reference', param: 'l', type: 'Patient', id: 'hit', version: '' },
  { kind: 'words', param: '_text', words: ['other', `w${MANY - 1}`] },
  { kind: 'position', param: 'near', latitude: 10 + (MANY - 1) / MANY, longitude: 76 },
]

function wide(name: string, open: () => Promise<{ storage: Storage; close(): Promise<void> }>): void {
  describe(name, () => {
    let storage: Storage
    let close: () => Promise<void>
    beforeAll(async () => {
      ;({ storage, close } = await open())
      const other = rows.map(row => ({ ...row, param: `${row.param}x` }))
      await storage.commit(commitOf([changeOf('Patient/hit', 1, rows), changeOf('Patient/miss', 1, other)]))
    })
    afterAll(() => close())

    const found = async (where: Node): Promise<string[]> => {
      const page = await storage.search(planOf(['Patient'], where), { limit: 5, total: 'accurate' })
      expect(page.total).toBe(page.rows.length)
      return page.rows.map(row => row.key)
    }

    it.each(Object.keys(alternatives))(
      `answers ${MANY} alternatives of %s, alone, beside another and refused`,
      async kind => {
        const { node } = alternatives[kind]!
        const nodes = Array.from({ length: MANY }, (_, i) => node(i))
        const or: Node = { kind: 'or', nodes }
        expect(await found(or)).toEqual(['Patient/hit'])
        expect(await found({ kind: 'and', nodes: [alternatives.reference!.node(MANY - 1), or] })).toEqual([
          'Patient/hit',
        ])
        expect(await found({ kind: 'not', node: or })).toEqual(['Patient/miss'])
        expect(await found({ kind: 'or', nodes: nodes.slice(0, -1) })).toEqual([])
      },
    )

    it('answers alternatives of every kind in one', async () => {
      const nodes = Object.values(alternatives).flatMap(({ node }) =>
        Array.from({ length: 90 }, (_, i) => node(i + MANY - 90)),
      )
      expect(await found({ kind: 'or', nodes })).toEqual(['Patient/hit'])
    })

    it('answers alternatives of several conditions each, and alternatives in alternatives', async () => {
      const pairs = Array.from({ length: MANY }, (_, i): Node => {
        const both: Node = { kind: 'and', nodes: [alternatives.uri!.node(i), alternatives.date!.node(i)] }
        return {
          kind: 'or',
          nodes: [both, { kind: 'and', nodes: [both, { kind: 'not', node: alternatives.code!.node(i) }] }],
        }
      })
      expect(await found({ kind: 'or', nodes: pairs })).toEqual(['Patient/hit'])
      expect(await found({ kind: 'not', node: { kind: 'or', nodes: pairs } })).toEqual(['Patient/miss'])
      expect(await found({ kind: 'or', nodes: pairs.slice(0, -1) })).toEqual([])
      const nested = Array.from(
        { length: 300 },
        (_, i): Node => ({
          kind: 'and',
          nodes: [
            { kind: 'or', nodes: [0, 1, 2].map(n => alternatives.date!.node(MANY - 300 + i + n - 2)) },
            { kind: 'or', nodes: [0, 1, 2].map(n => alternatives.code!.node(MANY - 300 + i + n - 2)) },
          ],
        }),
      )
      expect(await found({ kind: 'or', nodes: nested })).toEqual(['Patient/hit'])
    })

    it('answers a hundred conditions that must all hold', async () => {
      const nodes = Object.values(alternatives).flatMap(({ node }) =>
        Array.from({ length: 9 }, () => node(MANY - 1)),
      )
      expect(await found({ kind: 'and', nodes })).toEqual(['Patient/hit'])
    })

    it('answers chains eight deep, there and back', async () => {
      const chain = (node: Node): Node => ({
        kind: 'chain',
        params: ['l', 'm'],
        types: ['Patient', 'Group', 'Device', 'Person', 'Practitioner'],
        canonical: true,
        node,
      })
      const has = (node: Node): Node => ({ kind: 'has', type: 'Patient', params: ['l', 'm'], node })
      const code = {
        kind: 'or',
        nodes: Array.from({ length: MANY }, (_, i) => alternatives.code!.node(i)),
      } as Node
      let there = code
      let back = code
      let both = code
      for (let depth = 0; depth < 8; depth++) {
        there = chain(there)
        back = has(back)
        both = depth % 2 === 0 ? chain(both) : has(both)
      }
      for (const node of [there, back, both]) {
        expect(await found(node)).toEqual(['Patient/hit'])
        expect(await found({ kind: 'not', node })).toEqual(['Patient/miss'])
        expect(await found({ kind: 'and', nodes: [alternatives.uri!.node(MANY - 1), node] })).toEqual([
          'Patient/hit',
        ])
      }
    })

    const onD1 = name === 'd1'
    it(onD1 ? 'refuses what D1 cannot take, in words' : 'answers what D1 cannot take', async () => {
      let node: Node = alternatives.code!.node(1)
      for (let depth = 0; depth < 40; depth++)
        node = {
          kind: 'chain',
          params: ['l'],
          types: ['Patient'],
          canonical: false,
          node: { kind: 'not', node },
        }
      if (onD1) await expect(found(node)).rejects.toMatchObject({ code: 'too-costly', status: 400 })
      // No resource has a reference of this kind, so that no end of the chain is there.
      else expect(await found(node)).toEqual([])
    })

    it('answers many alternatives of words, places and chains', async () => {
      const words = Array.from(
        { length: MANY },
        (_, i): Node => ({ kind: 'word', param: '_text', word: `w${i}`, prefix: i % 2 === 0 }),
      )
      const places = Array.from(
        { length: MANY },
        (_, i): Node => ({
          kind: 'near',
          param: 'near',
          latitude: 10 + i / MANY,
          longitude: 76,
          metres: 1,
        }),
      )
      const chains = Array.from(
        { length: MANY },
        (_, i): Node => ({
          kind: 'chain',
          params: ['l'],
          types: ['Patient'],
          canonical: false,
          node: alternatives.code!.node(i),
        }),
      )
      for (const nodes of [words, places, chains]) {
        expect(await found({ kind: 'or', nodes })).toEqual(['Patient/hit'])
        expect(await found({ kind: 'not', node: { kind: 'or', nodes } })).toEqual(['Patient/miss'])
        expect(await found({ kind: 'or', nodes: nodes.slice(0, -1) })).toEqual([])
      }
    })

    it('answers many ids', async () => {
      const ids = [...Array.from({ length: MANY }, (_, i) => `id-${i}`), 'hit']
      expect(await found({ kind: 'id', ids })).toEqual(['Patient/hit'])
    })

    it('keeps a text whole whose pieces would part a character', async () => {
      for (const shift of [0, 1, 2, 3]) {
        const text = `,"div":"${'x'.repeat(shift)}${'😀മ'.repeat(300_000)}"`
        expect((await storage.commit(commitOf([changeOf(`Binary/${shift}`, 1, [], text)]))).ok).toBe(true)
        const stored = await storage.read(`Binary/${shift}`)
        expect(stored!.text!.endsWith(`${text}}`)).toBe(true)
      }
    })
  })
}

wide('sqlite', async () => {
  const storage = await openSqlite({ path: ':memory:', sync: 'normal', clock: Date.now, log: silent })
  return { storage, close: () => storage.close() }
})

wide('d1', async () => {
  const { db, close } = await openD1('nadi-wide')
  return { storage: d1Storage(db, { clock: Date.now }), close }
})
