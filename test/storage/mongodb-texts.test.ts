/** `:contains` on MongoDB finds what contains the text, in every script, however long either is; and what it costs the index. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Node } from '../../src/search/plan-node.ts'
import { indexFields } from '../../src/storage/mongodb/index-fields.ts'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { idOf, type Storage } from '../../src/storage/port.ts'
import { startMongo } from './mongodb-server.ts'
import { changeOf, commitOf, planOf } from './rows.ts'
import { silent } from './silent-log.ts'

const string = (param: string, folded: string): IndexRow => ({ kind: 'string', param, folded, exact: folded })

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ_'

describe('the windows of a resource', () => {
  const windows = (rows: IndexRow[]): string[] =>
    indexFields('Patient/1', rows)
      .ix!.filter(term => / \*/.test(term))
      .sort()

  it('begin at each character but blanks, eight characters long', () => {
    expect(windows([string('Patient.name', 'asha k')])).toEqual([
      'Patient.name *a k',
      'Patient.name *asha k',
      'Patient.name *ha k',
      'Patient.name *k',
      'Patient.name *sha k',
    ])
    expect(windows([string('Patient.name', '😀😀😀😀😀😀😀😀കി')])).toHaveLength(10)
    expect(windows([string('Patient.name', 'aaaaaaaaaaaaaaaa')])).toHaveLength(8)
  })

  it('of a given name are those of the name, unless the name lacks it', () => {
    const name = string('Patient.name', 'asha')
    expect(windows([string('Patient.given', 'asha'), name])).toEqual(windows([name]))
    expect(windows([string('Patient.given', 'usha'), name])).toContain('Patient.given *usha')
  })

  it('are none for the texts of tokens and for values of more than 300 characters', () => {
    expect(windows([string('Patient.language:text', 'malayalam')])).toEqual([])
    expect(windows([string('Patient.name', 'x'.repeat(301))])).toEqual([])
  })

  it('are 4,000 at most; parameters beyond that are marked', () => {
    const many = Array.from({ length: 60 }, (_, i) =>
      string('Questionnaire.title', `${String(i).padStart(3, '0')}${'abcdefghij'.repeat(7)}`),
    )
    const rows = [
      string('Questionnaire.name', 'short'),
      ...many,
      ...many.map(row => ({ ...row, param: 'Questionnaire.x' }) as IndexRow),
    ]
    const varied = rows.map(row =>
      row.kind === 'string' && row.param !== 'Questionnaire.name'
        ? {
            ...row,
            folded: [...row.folded]
              .map((c, i) => c + row.folded.slice(0, 3) + i)
              .join('')
              .slice(0, 300),
          }
        : row,
    ) as IndexRow[]
    const fields = indexFields('Questionnaire/1', varied)
    expect(fields.ix!.filter(term => / \*/.test(term)).length).toBeLessThanOrEqual(4000)
    expect(fields.ix).toContain('Questionnaire.name *short')
    expect(fields.ix).toContain('Questionnaire.x !')
  })
})

const server = await startMongo()

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it(':contains', () => {}))
else
  describe('mongodb: :contains', () => {
    let storage: Storage
    let seed = 20_261_121
    const below = (n: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return Math.floor((seed / 2 ** 32) * n)
    }
    const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
    const POOLS = ['abc', 'മിനിക്കുട്ടി', 'राम्कि', 'ab $.*^(', 'a😀ß']
    const textOf = (length: number): string => {
      const pool = [...pick(POOLS)]
      // Folded texts have no blanks at their ends, nor two in a row.
      return Array.from({ length }, () => pick(pool))
        .join('')
        .replace(/ +/g, ' ')
        .trim()
    }
    const PARAMS = [
      'Patient.name',
      'Patient.given',
      'Patient.address-city',
      'Patient.address',
      'Patient.other',
      'Patient.x:text',
    ]
    const resources: { id: string; rows: IndexRow[] }[] = []

    beforeAll(async () => {
      storage = await openMongo(server.uri, { clock: Date.now, log: silent })
      for (let i = 0; i < 120; i++) {
        const rows: IndexRow[] = []
        for (const param of PARAMS)
          for (let n = below(3); n > 0; n--)
            rows.push(string(param, textOf(1 + below(i % 10 === 0 ? 500 : 14))))
        // Half of the given names stand among the names, as they do in a Patient.
        for (const row of [...rows])
          if (row.kind === 'string' && row.param === 'Patient.given' && below(2) === 0)
            rows.push(string('Patient.name', row.folded))
        if (i === 60) for (let n = 0; n < 40; n++) rows.push(string(pick(PARAMS), textOf(280)))
        resources.push({ id: `r${String(i).padStart(3, '0')}`, rows })
      }
      await storage.commit(commitOf(resources.map(({ id, rows }) => changeOf(`Patient/${id}`, 1, rows))))
    })
    afterAll(async () => {
      await storage.close()
      await server.stop()
    })

    const found = async (where: Node): Promise<string[]> =>
      (await storage.search(planOf(['Patient'], where), { limit: 200, total: 'none' })).rows.map(row =>
        idOf(row.key),
      )

    it('finds what a walk over all values finds', async () => {
      let hits = 0
      for (let i = 0; i < 150; i++) {
        const param = pick(PARAMS)
        const texts = resources.flatMap(({ rows }) =>
          rows.flatMap(row => (row.kind === 'string' && row.param === param ? [row.folded] : [])),
        )
        const text = [...pick(texts)]
        const from = below(text.length)
        const value =
          below(4) === 0
            ? textOf(1 + below(6))
            : text
                .slice(from, from + 1 + below(20))
                .join('')
                .trim()
        if (value === '') continue
        const wanted = resources.filter(({ rows }) =>
          rows.some(row => row.kind === 'string' && row.param === param && row.folded.includes(value)),
        )
        hits += wanted.length
        const node: Node = { kind: 'string', param, match: 'contains', value }
        const ids = wanted.map(one => one.id)
        expect(await found(node), `${param} ${value}`).toEqual(ids)
        if (i % 10 === 0)
          expect(await found({ kind: 'not', node })).toEqual(
            resources.flatMap(({ id }) => (ids.includes(id) ? [] : [id])),
          )
      }
      expect(hits).toBeGreaterThan(300)
    })

    it('does not take the hash of a long value for text', async () => {
      const rows = Array.from({ length: 20 }, (_, i) => string('Patient.given', `${'x'.repeat(320)}${i}`))
      await storage.commit(
        commitOf([changeOf('Patient/hash', 1, [...rows, string('Patient.name', LETTERS)])]),
      )
      for (const one of LETTERS)
        expect(
          await found({ kind: 'string', param: 'Patient.given', match: 'contains', value: one }),
        ).toEqual([])
    })

    it('takes what could be an operator, a pattern or an expression for text', async () => {
      for (const value of ['$where', '$ix', '$$one', '.*', '^', '\\', '{"$gt":""}', '(a', '[', '$'])
        for (const match of ['contains', 'starts', 'equals', 'exact'] as const) {
          const wanted = resources.filter(({ rows }) =>
            rows.some(
              row =>
                row.kind === 'string' &&
                row.param === 'Patient.other' &&
                (match === 'contains'
                  ? row.folded.includes(value)
                  : match === 'starts'
                    ? row.folded.startsWith(value)
                    : row.folded === value),
            ),
          )
          expect(await found({ kind: 'string', param: 'Patient.other', match, value }), value).toEqual(
            wanted.map(one => one.id),
          )
        }
    })

    it('a value or a cursor that is no text and no number becomes no operator', async () => {
      const all: Node = { kind: 'and', nodes: [] }
      const sort = [{ by: 'updated', descending: false }] as const
      const after = [{ $gt: 0 }, 'x'] as unknown as string[]
      await expect(
        storage.search(planOf(['Patient'], all, sort), { limit: 5, total: 'none', after }),
      ).rejects.toMatchObject({ code: 'value' })
      const code = { $ne: 1 } as unknown as string
      const node: Node = { kind: 'token', param: 'Patient.name', code }
      await expect(found(node).catch(() => [])).resolves.toEqual([])
      const id = { $ne: 1 } as unknown as string
      await expect(found({ kind: 'id', ids: [id] }).catch(() => [])).resolves.toEqual([])
    })
  })
