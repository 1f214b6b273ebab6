/**
 * What every storage adapter promises of large code systems (`src/storage/concepts.ts`), run against real engines by one short file per
 * adapter. The concepts are invented, and what is expected is worked out by hand from this picture:
 *
 *     10 finding ── 20 fever ── 30 high fever        40 low (below fever and below mild; inactive)
 *        └───────── 25 mild ────────┘ (40)           50 a root of its own
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { wordsOf } from '../../src/search/words.ts'
import type { ConceptCondition, ConceptRow, Concepts, FindOptions } from '../../src/storage/concepts.ts'
import type { Storage } from '../../src/storage/port.ts'
import type { Opened } from './contract.ts'

const T0 = Date.UTC(2026, 10, 21, 5, 0, 0)

export function conceptsContract(name: string, open: (clock: () => number) => Promise<Opened>): void {
  describe(`${name}: large code systems`, () => {
    let opened: Opened
    let concepts: Concepts
    let run = 0
    let system = ''

    beforeAll(async () => {
      opened = await open(() => T0)
      concepts = opened.storage.concepts
    })
    afterAll(() => opened.close())
    beforeEach(() => {
      run++
      system = `http://nadi.test/cs-${run}`
    })

    const row = (
      code: string,
      display: string,
      ancestors: string[] = [],
      more: Partial<ConceptRow> = {},
    ) => ({
      code,
      display,
      active: true,
      parents: ancestors.slice(0, 1),
      ancestors,
      properties: {},
      designations: [],
      sets: [],
      ...more,
    })
    const picture = (): ConceptRow[] => [
      row('10', 'Finding'),
      row('20', 'Fever', ['10'], {
        designations: [
          { language: 'en', use: 'FSN', value: 'Fever (finding)' },
          { language: 'ml', value: 'പനി' },
          { value: 'Pyréxia of body' },
        ],
        properties: { severity: ['mild', 'Severe-1'], note: ['x'.repeat(129)] },
        sets: ['900-A'],
      }),
      row('25', 'Mild thing', ['10'], { properties: { severity: ['mild'] } }),
      row('30', 'High fever', ['20', '10'], {
        sets: ['900-A', '900-B'],
        properties: { severity: ['severe-1'] },
      }),
      row('40', 'Low fever', ['20', '25', '10'], { parents: ['20', '25'], active: false }),
      row('50', 'Alone'),
    ]
    const load = async (
      version: string,
      rows: ConceptRow[],
      options: Parameters<Concepts['finish']>[1] = {},
      on = concepts,
    ): Promise<number> => {
      const { id } = await on.begin({ system, version, title: `Test ${version}` })
      await on.write(id, rows)
      await on.finish(id, options)
      return id
    }
    const found = async (
      text: string,
      where: ConceptCondition[] = [],
      options: Partial<FindOptions> = {},
    ): Promise<string[]> => {
      const page = await concepts.find(system, wordsOf(text), { limit: 100, where, ...options })
      return page.concepts.map(({ code }) => code)
    }
    const sorted = async (where: ConceptCondition[], text = ''): Promise<string[]> =>
      (await found(text, where)).sort()

    it('gives back what was written, in the order in which it is asked for', async () => {
      await load('1', picture(), { propertyTypes: { severity: 'code' } })
      const [low, fever] = await concepts.get(system, ['40', 'none', '20', '40'])
      expect(low).toEqual({
        code: '40',
        display: 'Low fever',
        active: false,
        parents: ['20', '25'],
        properties: {},
        designations: [],
        sets: [],
      })
      const { ancestors: _, ...written } = picture()[1]!
      expect(fever).toEqual(written)
      expect((await concepts.get(system, ['40', 'none', '20', '40'])).length).toBe(2)
      expect(await concepts.get(system, [])).toEqual([])
      expect(await concepts.current(system)).toEqual({
        id: expect.any(Number),
        system,
        version: '1',
        title: 'Test 1',
        state: 'current',
        at: T0,
        concepts: 6,
        designations: 3,
        propertyTypes: { severity: 'code' },
      })
    })

    it('finds by the beginnings of words of any name, folded, and by the code', async () => {
      await load('1', picture())
      expect(await found('fever')).toEqual(['20', '40', '30'])
      expect(await found('FEV')).toEqual(['20', '40', '30'])
      expect(await found('fev hi')).toEqual(['30'])
      expect(await found('പനി')).toEqual(['20'])
      expect(await found('pyrexia bod')).toEqual(['20'])
      expect(await found('ever')).toEqual([])
      expect(await found('finding')).toEqual(['20', '10'])
      expect(await found('40')).toEqual(['40'])
      expect(await found('severe')).toEqual([])
    })

    it('orders by the length of the display, and pages in that order with nothing twice or left out', async () => {
      await load('1', picture())
      // Fever and Alone have 5 characters, then 7, 9, 10, 10: equal lengths in the order of loading.
      const all = ['20', '50', '10', '40', '25', '30']
      expect(await found('')).toEqual(all)
      for (const limit of [1, 2, 4, 6]) {
        const codes: string[] = []
        let after: FindOptions['after']
        for (let more = true; more; ) {
          const page = await concepts.find(system, [], { limit, total: true, ...(after && { after }) })
          codes.push(...page.concepts.map(({ code }) => code))
          expect(page.total).toBe(6)
          after = page.last
          more = page.more
        }
        expect(codes).toEqual(all)
      }
      const [words, second] = [wordsOf('fever'), await concepts.find(system, wordsOf('fever'), { limit: 1 })]
      const rest = await concepts.find(system, words, { limit: 5, after: second.last! })
      expect(rest.concepts.map(({ code }) => code)).toEqual(['40', '30'])
      expect(rest.more).toBe(false)
    })

    it('finds by place in the hierarchy', async () => {
      await load('1', picture())
      expect(await sorted([{ is: 'isA', code: '20' }])).toEqual(['20', '30', '40'])
      expect(await sorted([{ is: 'descendentOf', code: '20' }])).toEqual(['30', '40'])
      expect(await sorted([{ is: 'childOf', code: '10' }])).toEqual(['20', '25'])
      expect(await sorted([{ is: 'root' }])).toEqual(['10', '50'])
      expect(await sorted([{ is: 'isA', code: '2' }])).toEqual([])
      expect(
        await sorted([
          { is: 'isA', code: '20' },
          { is: 'isA', code: '25' },
        ]),
      ).toEqual(['40'])
      const children = await concepts.children(system, '20', { limit: 1 })
      expect(children).toMatchObject({ concepts: [{ code: '40' }], more: true })
      const next = await concepts.children(system, '20', { limit: 1, after: children.last! })
      expect(next).toMatchObject({ concepts: [{ code: '30' }], more: false })
      expect(await concepts.ancestors(system, '40')).toEqual(['20', '25', '10'])
      expect(await concepts.ancestors(system, '10')).toEqual([])
      expect(await concepts.ancestors(system, 'none')).toEqual([])
    })

    it('finds by properties exactly, by reference sets, by being active and among codes, all at once', async () => {
      await load('1', picture())
      const severity = (...values: string[]): ConceptCondition => ({
        is: 'property',
        property: 'severity',
        values,
      })
      expect(await sorted([severity('mild')])).toEqual(['20', '25'])
      expect(await sorted([severity('Severe-1')])).toEqual(['20'])
      expect(await sorted([severity('severe-1')])).toEqual(['30'])
      expect(await sorted([severity('severe-1', 'mild')])).toEqual(['20', '25', '30'])
      expect(await sorted([severity('severe')])).toEqual([])
      expect(await sorted([severity()])).toEqual([])
      expect(await sorted([{ is: 'property', property: 'note', values: ['x'.repeat(129)] }])).toEqual([])
      expect(await sorted([{ is: 'memberOf', set: '900-A' }])).toEqual(['20', '30'])
      expect(await sorted([{ is: 'memberOf', set: '900' }])).toEqual([])
      expect(await sorted([{ is: 'active', active: false }])).toEqual(['40'])
      expect(await sorted([{ is: 'active', active: true }], 'fever')).toEqual(['20', '30'])
      expect(await sorted([{ is: 'code', codes: ['30', '10', 'none'] }])).toEqual(['10', '30'])
      expect(
        await sorted([
          { is: 'code', codes: ['30', '10'] },
          { is: 'isA', code: '20' },
        ]),
      ).toEqual(['30'])
      expect(await sorted([{ is: 'code', codes: [] }])).toEqual([])
      expect(
        await sorted([severity('mild'), { is: 'memberOf', set: '900-A' }, { is: 'isA', code: '10' }], 'fev'),
      ).toEqual(['20'])
    })

    it('tells codes apart that differ in case or in punctuation', async () => {
      await load('1', [
        row('a', 'One'),
        row('A', 'Two'),
        row('1-2', 'Three', ['a']),
        row('12', 'Four', ['A']),
        row('1 2', 'Five', ['1-2', 'a']),
        row('"x" OR *', 'Six', ['A']),
      ])
      expect(await sorted([{ is: 'isA', code: 'a' }])).toEqual(['1 2', '1-2', 'a'])
      expect(await sorted([{ is: 'isA', code: 'A' }])).toEqual(['"x" OR *', '12', 'A'])
      expect(await sorted([{ is: 'childOf', code: '1-2' }])).toEqual(['1 2'])
      expect(await sorted([{ is: 'isA', code: '"x" OR *' }])).toEqual(['"x" OR *'])
      expect((await concepts.get(system, ['A', '1 2'])).map(one => one.display)).toEqual(['Two', 'Five'])
    })

    it('replaces a code that is written again, with its words', async () => {
      const { id } = await concepts.begin({ system, version: '1', title: 'x' })
      await concepts.write(id, picture())
      await concepts.write(id, [row('20', 'Ague', ['10'], { designations: [{ value: 'Chills' }] })])
      await concepts.write(id, [row('60', 'First'), row('60', 'Second')])
      const release = await concepts.finish(id)
      expect(release).toMatchObject({ concepts: 7, designations: 1 })
      expect(await found('fever')).toEqual(['40', '30'])
      expect(await found('ague')).toEqual(['20'])
      expect(await found('chills', [{ is: 'isA', code: '10' }])).toEqual(['20'])
      expect(await found('first')).toEqual([])
      expect(await found('second')).toEqual(['60'])
    })

    it('shows nothing of a release that is being loaded, and the next load takes it away', async () => {
      const { id } = await concepts.begin({ system, version: '1', title: 'x' })
      await concepts.write(id, picture())
      expect(await concepts.current(system)).toBeUndefined()
      expect(await concepts.current(`${system}|1`)).toBeUndefined()
      expect(await concepts.get(system, ['20'])).toEqual([])
      expect(await concepts.get(`${system}|1`, ['20'])).toEqual([])
      expect(await found('fever')).toEqual([])
      expect((await concepts.releases()).find(one => one.id === id)).toMatchObject({
        state: 'loading',
        concepts: 6,
      })
      await load('2', [row('1', 'Only')])
      expect((await concepts.releases()).filter(one => one.system === system)).toMatchObject([
        { version: '2', state: 'current' },
      ])
      await expect(concepts.write(id, picture())).rejects.toMatchObject({ code: 'conflict' })
      await expect(concepts.finish(id)).rejects.toMatchObject({ code: 'conflict' })
      expect(await found('')).toEqual(['1'])
      expect(await found('fever')).toEqual([])
    })

    it('takes no rows for a release that is finished', async () => {
      const id = await load('1', picture())
      await expect(concepts.write(id, [row('99', 'Late')])).rejects.toMatchObject({ code: 'conflict' })
      expect(await found('late')).toEqual([])
    })

    it('puts a newer release in the place of the older, which is gone', async () => {
      await load('1', picture())
      await load('2', [row('20', 'Fever of old', [])])
      expect(await concepts.current(system)).toMatchObject({ version: '2', concepts: 1 })
      expect(await concepts.current(`${system}|1`)).toBeUndefined()
      expect(await found('')).toEqual(['20'])
      expect((await concepts.releases()).filter(one => one.system === system).length).toBe(1)
    })

    it('keeps the older release where asked, for who names its version', async () => {
      await load('1', picture())
      await load('2', [row('20', 'Fever of old', [])], { keep: true })
      const old = `${system}|1`
      expect((await concepts.get(system, ['20']))[0]!.display).toBe('Fever of old')
      expect((await concepts.get(old, ['20']))[0]!.display).toBe('Fever')
      expect((await concepts.find(old, ['high'], { limit: 9 })).concepts.map(one => one.code)).toEqual(['30'])
      expect(await found('high')).toEqual([])
      expect(await concepts.ancestors(old, '30')).toEqual(['20', '10'])
      expect(await concepts.current(old)).toMatchObject({ state: 'kept', concepts: 6 })
      // The same version once more replaces its own, and keep does not keep that.
      await load('1', [row('1', 'Again')], { keep: true })
      expect((await concepts.releases()).filter(one => one.system === system)).toMatchObject([
        { version: '1', state: 'current', concepts: 1 },
        { version: '2', state: 'kept' },
      ])
      await load('1', [row('1', 'Once more')], { keep: true })
      expect((await concepts.releases()).filter(one => one.system === system).length).toBe(2)
    })

    it('removes one version or all of a system, and nothing of another', async () => {
      await load('1', picture())
      await load('2', [row('20', 'Fever of old')], { keep: true })
      const mine = system
      system = `${mine}-other`
      await load('1', picture())
      expect(await concepts.remove(`${mine}|1`)).toMatchObject([{ version: '1' }])
      expect(await concepts.get(`${mine}|1`, ['20'])).toEqual([])
      expect((await concepts.get(mine, ['20'])).length).toBe(1)
      expect(await concepts.remove(`${mine}|1`)).toEqual([])
      expect(await concepts.remove(mine)).toMatchObject([{ version: '2' }])
      expect(await concepts.current(mine)).toBeUndefined()
      expect(await found('fever')).toEqual(['20', '40', '30'])
    })

    it('does not let a page of a replaced release pass for the end', async () => {
      await load('1', picture())
      const { last } = await concepts.find(system, [], { limit: 6 })
      expect((await concepts.find(system, [], { limit: 6, after: last! })).concepts).toEqual([])
      await load('2', picture().slice(0, 2))
      await expect(concepts.find(system, [], { limit: 1, after: last! })).rejects.toMatchObject({
        code: 'conflict',
      })
      await concepts.remove(system)
      await expect(concepts.find(system, [], { limit: 1, after: last! })).rejects.toMatchObject({
        code: 'conflict',
      })
    })

    it('takes twelve words and no more', async () => {
      await load('1', picture())
      const words = Array.from({ length: 12 }, () => 'fever')
      expect((await concepts.find(system, words, { limit: 9 })).concepts.length).toBe(3)
      await expect(concepts.find(system, [...words, 'fever'], { limit: 9 })).rejects.toMatchObject({
        code: 'too-costly',
        status: 400,
      })
    })

    it('takes and gives many rows', async () => {
      const many = Array.from({ length: 2500 }, (_, i) =>
        row(`c${i}`, `Thing number ${i}`, i === 0 ? [] : ['c0'], {
          designations: [{ value: 'y'.repeat(400) }],
        }),
      )
      await load('1', many)
      expect(await concepts.find(system, ['thing'], { limit: 1, total: true })).toMatchObject({ total: 2500 })
      expect((await concepts.children(system, 'c0', { limit: 5000 })).concepts.length).toBe(2499)
      expect(
        (
          await concepts.get(
            system,
            many.map(({ code }) => code),
          )
        ).length,
      ).toBe(2500)
      await concepts.remove(system)
      expect(await concepts.find(system, ['thing'], { limit: 1, total: true })).toMatchObject({ total: 0 })
    })

    it('is the same for another server on the store', async () => {
      const second: Storage | undefined = opened.second
      if (second === undefined) return
      await load('1', picture())
      expect((await second.concepts.get(system, ['30']))[0]!.display).toBe('High fever')
      await load('2', [row('1', 'Only')], {}, second.concepts)
      expect(await found('')).toEqual(['1'])
    })
  })
}
