/**
 * What every adapter promises of words, places, chains, reverse chains, explanations, pages bounded by their size and texts kept for a
 * time. Expected values come from the port's and the plan's text and from hand-worked rows. Part of `contract.ts`.
 */
import { describe, expect, it } from 'vitest'
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Node, SearchPlan, SortKey, Valued } from '../../src/search/plan-node.ts'
import {
  type Cursor,
  idOf,
  type Key,
  keyOf,
  type SearchOptions,
  type Storage,
} from '../../src/storage/port.ts'
import { changeOf, commitOf, deletionOf, planOf, token } from './rows.ts'

export interface Shared {
  storage(): Storage
  /** Another instance on the same store, if there is one. */
  second(): Storage | undefined
  clock(): number
  /** Moves the clock on, in ms. */
  wait(ms: number): void
  /** The index epoch of the store. */
  epoch(): number
  /** A resource type that no other test has. */
  type(): string
}

export function searchContract(shared: Shared): void {
  const commit = async (changes: Parameters<typeof commitOf>[0]): Promise<void> => {
    const done = await shared
      .storage()
      .commit(commitOf(changes, { at: shared.clock(), epoch: shared.epoch() }))
    expect(done.ok).toBe(true)
  }
  const key = (id: string, type = shared.type()): Key => keyOf(type, id)
  const put = (id: string, index: IndexRow[], version = 1, type = shared.type()): Promise<void> =>
    commit([changeOf(key(id, type), version, index)])
  const plan = (where: Node, sort: SortKey[] = [], type = shared.type()): SearchPlan =>
    planOf([type], where, sort)
  const ids = async (
    where: Node,
    {
      sort = [],
      type = shared.type(),
      ...options
    }: Partial<SearchOptions> & { sort?: SortKey[]; type?: string } = {},
  ): Promise<string[]> => {
    const page = await shared
      .storage()
      .search(plan(where, sort, type), { limit: 100, total: 'none', ...options })
    return page.rows.map(stored => idOf(stored.key))
  }
  const and = (...nodes: Node[]): Node => ({ kind: 'and', nodes })
  const not = (node: Node): Node => ({ kind: 'not', node })
  const all = and()

  describe('texts by their order and their end, and values that differ', () => {
    const putAll = (rows: IndexRow[][]): Promise<void> =>
      commit(rows.map((index, i) => changeOf(key(String(i)), 1, index)))
    const string = (folded: string): IndexRow => ({ kind: 'string', param: 'name', folded, exact: folded })
    const filled = (length: number, end: string): string => 'b'.repeat(length - end.length) + end
    const TEXTS = [
      ...[
        '',
        'a',
        'ab',
        'b',
        'ba',
        'bab',
        'മേനോൻ',
        '\u{1f600}',
        '\ufb01',
        'a 1',
        '%',
        'ends on ab',
        'abcdefgh ab',
      ],
      // Around the lengths at which an adapter may cut its values.
      ...[297, 298, 299, 300, 301, 302, 400].flatMap(length =>
        ['a', 'b', 'c', '\u{1f600}', 'c\u{1f600}', '\u{1f600}c'].map(end => filled(length, end)),
      ),
    ]

    it.each(['<', '<=', '>', '>='] as const)('%s is told by the bytes of UTF-8', async match => {
      await putAll(TEXTS.map(text => [string(text)]))
      for (const value of TEXTS.filter(text => text !== '')) {
        const expected = TEXTS.flatMap((text, i) => {
          const order = Buffer.compare(Buffer.from(text), Buffer.from(value))
          const met = order === 0 ? match.endsWith('=') : order < 0 === match.startsWith('<')
          return met ? [String(i)] : []
        })
        expect(await ids({ kind: 'string', param: 'name', match, value }), value).toEqual(expected)
      }
    })

    it('each value by itself', async () => {
      await put('both', [string('a'), string('z')])
      await put('other', [{ ...string('m'), param: 'other' }])
      const string_ = (match: '<' | '>' | 'ends', value: string): Node => ({
        kind: 'string',
        param: 'name',
        match,
        value,
      })
      expect(await ids(string_('<', 'm'))).toEqual(['both'])
      expect(await ids(string_('>', 'm'))).toEqual(['both'])
      expect(await ids(string_('<', 'a'))).toEqual([])
      expect(await ids(string_('>', 'z'))).toEqual([])
      expect(await ids(string_('ends', 'm'))).toEqual([])
    })

    it('ends with a text', async () => {
      await putAll(TEXTS.map(text => [string(text)]))
      for (const value of [...TEXTS, 'ോൻ', 'bc', ' ab', '_', 'd'].filter(text => text !== ''))
        expect(await ids({ kind: 'string', param: 'name', match: 'ends', value }), value).toEqual(
          TEXTS.flatMap((text, i) => (text.endsWith(value) ? [String(i)] : [])),
        )
    })

    it('a text other than these', async () => {
      await putAll(TEXTS.map(text => [string(text), string('b')]))
      await put('none', [{ ...string('b'), param: 'other' }])
      for (const value of TEXTS)
        expect(
          await ids({
            kind: 'differs',
            param: 'name',
            from: ['b', value].map(one => ({ kind: 'string', param: 'name', match: 'equals', value: one })),
          }),
          value,
        ).toEqual(TEXTS.flatMap((text, i) => (text === 'b' || text === value ? [] : [String(i)])))
    })

    it('a uri of another name, and of another version', async () => {
      const uri = (value: string): IndexRow => ({ kind: 'uri', param: 'url', value })
      const URIS = ['http://x', 'http://x|1', 'http://x/y', 'http://xx', 'http://', 'http://x}'].flatMap(
        one =>
          one.startsWith('http://x')
            ? [
                one,
                ...[298, 299, 300, 301, 500].map(length =>
                  one.replace('//', `//${'y'.repeat(length - one.length)}`),
                ),
              ]
            : [one],
      )
      await putAll(URIS.map(one => [uri(one)]))
      for (const value of URIS) {
        const versions: Node = { kind: 'uri', param: 'url', match: 'versions', value }
        const equals: Node = { kind: 'uri', param: 'url', match: 'equals', value: 'http://xx' }
        const isVersion = (one: string): boolean => one === value || one.startsWith(`${value}|`)
        const numbers = (test: (one: string) => boolean): string[] =>
          URIS.flatMap((one, i) => (test(one) ? [String(i)] : []))
        expect(await ids(versions), value).toEqual(numbers(isVersion))
        expect(await ids({ kind: 'differs', param: 'url', from: [versions, equals] }), value).toEqual(
          numbers(one => !isVersion(one) && one !== 'http://xx'),
        )
      }
    })

    it('a token other than these', async () => {
      const code = (system: string | undefined, of?: string): Valued => ({
        kind: 'token',
        param: 'code',
        ...(system === undefined ? {} : { system }),
        ...(of === undefined ? {} : { code: of }),
      })
      await put('a', [token('code', 'a', 's')])
      await put('ab', [token('code', 'a', 's'), token('code', 'b', 's')])
      await put('at', [token('code', 'a', 't')])
      await put('bare', [token('code', 'a', '')])
      await put('long', [token('code', 'a'.repeat(400), 's')])
      await put('none', [token('other', 'a', 's')])
      await put('text', [token('code', '', '')])
      const differs = (...from: Valued[]): Promise<string[]> => ids({ kind: 'differs', param: 'code', from })
      expect(await differs(code(undefined, 'a'))).toEqual(['ab', 'long', 'text'])
      expect(await differs(code(undefined, 'a'), code(undefined, 'b'))).toEqual(['long', 'text'])
      expect(await differs(code('s', 'a'))).toEqual(['ab', 'at', 'bare', 'long', 'text'])
      expect(await differs(code('s', 'a'), code('', 'a'))).toEqual(['ab', 'at', 'long', 'text'])
      expect(await differs(code('s', 'a'.repeat(400)))).toEqual(['a', 'ab', 'at', 'bare', 'text'])
      expect(await differs(code('s'))).toEqual(['at', 'bare', 'text'])
      expect(await differs(code('s'), code('t', 'a'))).toEqual(['bare', 'text'])
      expect(await differs(code('s'), code('t'))).toEqual(['bare', 'text'])
      expect(await differs(code(''))).toEqual(['a', 'ab', 'at', 'long'])
      expect(await differs(code('unheard'))).toEqual(['a', 'ab', 'at', 'bare', 'long', 'text'])
      expect(await differs(code('unheard', 'a'))).toEqual(['a', 'ab', 'at', 'bare', 'long', 'text'])
      expect(await ids(not({ kind: 'differs', param: 'code', from: [code('s')] }))).toEqual([
        'a',
        'ab',
        'long',
        'none',
      ])
    })
  })

  describe('words', () => {
    const words = (param: string, ...list: string[]): IndexRow => ({ kind: 'words', param, words: list })
    const word = (text: string, prefix = false, param = '_text'): Node => ({
      kind: 'word',
      param,
      word: text,
      prefix,
    })

    it('finds a whole word, and with prefix what begins so', async () => {
      await put('a', [words('_text', 'fever', 'since', '3', 'days')])
      await put('b', [words('_text', 'feverish')])
      await put('c', [words('_text', 'no', 'fever2')])
      await put('d', [])
      expect(await ids(word('fever'))).toEqual(['a'])
      expect(await ids(word('fever', true))).toEqual(['a', 'b', 'c'])
      expect(await ids(word('3'))).toEqual(['a'])
      expect(await ids(word('eve'))).toEqual([])
      expect(await ids(word('days', true))).toEqual(['a'])
      expect(await ids(word('fever since'))).toEqual([])
      expect(await ids(and(word('fever', true), not(word('feverish'))))).toEqual(['a', 'c'])
      expect(await ids(not(word('fever')))).toEqual(['b', 'c', 'd'])
      expect(await ids({ kind: 'or', nodes: [word('feverish'), word('no'), word('since')] })).toEqual([
        'a',
        'b',
        'c',
      ])
    })

    it('keeps the signs of Malayalam and Devanagari: each word finds itself and no other', async () => {
      const list = [
        'മിനി',
        'മനി',
        'മനു',
        'മീന',
        'അമ്മ',
        'അമ',
        'राम',
        'रमा',
        'राम्',
        'रम',
        'कि',
        'की',
        'क',
        'ñ',
        'n',
        '😀',
      ]
      for (const [i, one] of list.entries()) await put(`w${i}`, [words('_text', one, `x${i}`)])
      for (const [i, one] of list.entries()) expect(await ids(word(one)), one).toEqual([`w${i}`])
      expect(await ids(word('മന', true))).toEqual(['w1', 'w2'])
      expect(await ids(word('रा', true))).toEqual(['w6', 'w8'])
    })

    it('knows each parameter by itself', async () => {
      await put('a', [words('_text', 'one'), words('_content', 'one', 'two')])
      expect(await ids(word('two'))).toEqual([])
      expect(await ids(word('two', false, '_content'))).toEqual(['a'])
      expect(await ids({ kind: 'present', param: '_content' })).toEqual(['a'])
    })

    it('forgets the words of an old version, of a deletion, and of rows made anew', async () => {
      await put('a', [words('_text', 'old', 'same')])
      await put('b', [words('_text', 'old', 'same')])
      await put('c', [words('_text', 'old', 'same')])
      await put('a', [words('_text', 'new', 'same')], 2)
      await commit([deletionOf(key('b'), 2)])
      expect(await ids(word('old'))).toEqual(['c'])
      expect(await ids(word('new'))).toEqual(['a'])
      await shared
        .storage()
        .reindex([{ key: key('c'), version: 1, index: [words('_text', 'newest', 'same')] }], shared.epoch())
      expect(await ids(word('old'))).toEqual([])
      expect(await ids(word('newest'))).toEqual(['c'])
      expect(await ids(word('same'))).toEqual(['a', 'c'])
      await put('a', [], 3)
      expect(await ids(word('same'))).toEqual(['c'])
    })

    it('takes any text for a word', async () => {
      await put('a', [words('_text', 'plain')])
      for (const text of [
        '"',
        '*',
        'a"b',
        'AND',
        'NOT',
        '^plain',
        'plain*',
        '(',
        '{_text}:plain',
        "'",
        '$where',
        '.*',
        '',
        ' ',
        '\\',
      ])
        expect(await ids(word(text)), text).toEqual([])
    })
  })

  describe('places', () => {
    const at = (latitude: number, longitude: number, param = 'near'): IndexRow => ({
      kind: 'position',
      param,
      latitude,
      longitude,
    })
    const near = (latitude: number, longitude: number, metres: number): Node => ({
      kind: 'near',
      param: 'near',
      latitude,
      longitude,
      metres,
    })
    const distance = (latitude: number, longitude: number, descending = false): SortKey[] => [
      { by: 'distance', param: 'near', latitude, longitude, descending },
    ]
    // A degree of a great circle is 111.2 km.

    it('finds what lies within the distance, along the great circle', async () => {
      await put('kochi', [at(9.9312, 76.2673)])
      await put('thrissur', [at(10.5276, 76.2144)])
      await put('chennai', [at(13.0827, 80.2707)])
      await put('none', [])
      // Kochi to Thrissur is 66.6 km, to Chennai 560 km.
      expect(await ids(near(9.9312, 76.2673, 0))).toEqual(['kochi'])
      expect(await ids(near(9.9312, 76.2673, 60_000))).toEqual(['kochi'])
      expect(await ids(near(9.9312, 76.2673, 70_000))).toEqual(['kochi', 'thrissur'])
      expect(await ids(near(9.9312, 76.2673, 500_000))).toEqual(['kochi', 'thrissur'])
      expect(await ids(near(9.9312, 76.2673, 600_000))).toEqual(['kochi', 'thrissur', 'chennai'])
      expect(await ids(near(9.9312, 76.2673, 30_000_000))).toEqual(['kochi', 'thrissur', 'chennai'])
      expect(await ids(not(near(9.9312, 76.2673, 70_000)))).toEqual(['chennai', 'none'])
      expect(await ids({ kind: 'present', param: 'near' })).toEqual(['kochi', 'thrissur', 'chennai'])
    })

    it('sees across the antimeridian and the poles', async () => {
      await put('east', [at(0, 179.5)])
      await put('west', [at(0, -179.5)])
      await put('north', [at(89.5, 0)])
      await put('north2', [at(89.5, 180)])
      await put('south', [at(-89.5, 90)])
      await put('line', [at(10, 180)])
      await put('line2', [at(10, -180)])
      expect(await ids(near(0, 179.5, 112_000))).toEqual(['east', 'west'])
      expect(await ids(near(0, -179.5, 112_000))).toEqual(['east', 'west'])
      expect(await ids(near(0, -179.5, 110_000))).toEqual(['west'])
      expect(await ids(near(0, 180, 56_000))).toEqual(['east', 'west'])
      // Half a degree from the pole on each side of it.
      expect(await ids(near(89.5, 0, 112_000))).toEqual(['north', 'north2'])
      expect(await ids(near(90, 77, 56_000))).toEqual(['north', 'north2'])
      expect(await ids(near(-90, -77, 56_000))).toEqual(['south'])
      expect(await ids(near(10, 180, 10))).toEqual(['line', 'line2'])
      expect(await ids(near(10, -180, 10))).toEqual(['line', 'line2'])
      // Halfway round the world.
      expect(await ids(near(0, -0.5, 20_016_000))).toHaveLength(7)
    })

    it('sorts by the distance of the nearest place, those without one last, page by page', async () => {
      await put('b', [at(0, 2)])
      await put('none1', [])
      await put('d', [at(0, -4), at(0, 50)])
      await put('a', [at(0, 1), at(80, 0)])
      await put('c', [at(3, 0)])
      await put('c2', [at(-3, 0)])
      await put('none2', [])
      const walk = async (sort: SortKey[], limit: number, where = all): Promise<string[]> => {
        const seen: string[] = []
        for (let after: Cursor | undefined; ; ) {
          const page = await shared
            .storage()
            .search(plan(where, sort), { limit, total: 'none', ...(after ? { after } : {}) })
          seen.push(...page.rows.map(stored => idOf(stored.key)))
          expect(seen.length).toBeLessThan(50)
          if (!page.more) return seen
          after = page.last
        }
      }
      for (const limit of [1, 2, 3, 20]) {
        expect(await walk(distance(0, 0), limit)).toEqual(['a', 'b', 'c', 'c2', 'd', 'none1', 'none2'])
        expect(await walk(distance(0, 0, true), limit)).toEqual(['d', 'c', 'c2', 'b', 'a', 'none1', 'none2'])
        expect(await walk(distance(0, 0), limit, near(0, 0, 340_000))).toEqual(['a', 'b', 'c', 'c2'])
      }
      const last = await shared.storage().search(plan(all, distance(0, 0)), { limit: 4, total: 'none' })
      const back = await shared
        .storage()
        .search(plan(all, distance(0, 0)), { limit: 2, total: 'none', before: last.last! })
      expect(back.rows.map(stored => idOf(stored.key))).toEqual(['b', 'c'])
      expect(back.more).toBe(true)
    })

    it('follows an update and a deletion', async () => {
      await put('a', [at(1, 1)])
      await put('b', [at(1, 1)])
      await put('a', [at(5, 5)], 2)
      await commit([deletionOf(key('b'), 2)])
      expect(await ids(near(1, 1, 1000))).toEqual([])
      expect(await ids(near(5, 5, 1000))).toEqual(['a'])
    })
  })

  describe('chains', () => {
    const target = (): string => `${shared.type()}Target`
    const third = (): string => `${shared.type()}Third`
    const ref = (type: string, id: string, param = 'subject', version = ''): IndexRow => ({
      kind: 'reference',
      param: `${shared.type()}.${param}`,
      type,
      id,
      version,
    })
    const chain = (node: Node, part: Partial<Extract<Node, { kind: 'chain' }>> = {}): Node => ({
      kind: 'chain',
      params: [`${shared.type()}.subject`],
      types: [target()],
      canonical: false,
      node,
      ...part,
    })
    const has = (node: Node, part: Partial<Extract<Node, { kind: 'has' }>> = {}): Node => ({
      kind: 'has',
      type: shared.type(),
      params: [`${shared.type()}.subject`],
      node,
      ...part,
    })
    const is = (code: string, param = 'p'): Node => ({ kind: 'token', param, code })
    const found = (where: Node): Promise<string[]> => ids(where)

    const fill = async (): Promise<void> => {
      await put('t1', [token('p', 'x')], 1, target())
      await put('t2', [token('p', 'y')], 1, target())
      await put('t3', [token('p', 'x')], 1, target())
      await put('t1', [token('p', 'x')], 1, third())
      await put('a', [ref(target(), 't1'), token('q', 'm')])
      await put('b', [ref(target(), 't2')])
      await put('c', [ref(target(), 't3', 'subject', '7'), ref(target(), 't2')])
      await put('d', [ref(target(), 't1', 'other'), token('q', 'm')])
      await put('e', [ref(third(), 't1')])
      await put('f', [ref('', `http://other.in/${target()}/t1`)])
      await put('g', [ref(target(), 'nowhere')])
    }

    it('leads to a live resource of the types for which the node holds', async () => {
      await fill()
      expect(await found(chain(is('x')))).toEqual(['a', 'c'])
      expect(await found(chain(is('y')))).toEqual(['b', 'c'])
      expect(await found(chain(is('z')))).toEqual([])
      expect(await found(chain(all))).toEqual(['a', 'b', 'c'])
      expect(await found(chain(is('x'), { types: [target(), third()] }))).toEqual(['a', 'c', 'e'])
      expect(await found(chain(is('x'), { types: [third()] }))).toEqual(['e'])
      expect(
        await found(chain(is('x'), { params: [`${shared.type()}.subject`, `${shared.type()}.other`] })),
      ).toEqual(['a', 'c', 'd'])
      expect(await found(and(chain(is('x')), is('m', 'q')))).toEqual(['a'])
      expect(await found(not(chain(is('x'))))).toEqual(['b', 'd', 'e', 'f', 'g'])
      // Per target, not over all of them: c has a target of x and one of y, and none of both.
      expect(await found(chain(and(is('x'), is('y'))))).toEqual([])
      expect(await found(chain(not(is('x'))))).toEqual(['b', 'c'])
      expect(await found(chain({ kind: 'id', ids: ['t3'] }))).toEqual(['c'])
      expect(await found({ kind: 'or', nodes: [chain(is('y')), is('m', 'q')] })).toEqual(['a', 'b', 'c', 'd'])
      const counted = await shared.storage().search(plan(chain(is('x'))), { limit: 0, total: 'accurate' })
      expect(counted.total).toBe(2)
    })

    it('leads to no deleted resource', async () => {
      await fill()
      await commit([deletionOf(key('t1', target()), 2)])
      expect(await found(chain(all))).toEqual(['b', 'c'])
      expect(await found(chain(is('x')))).toEqual(['c'])
      expect(await found(chain(not(is('y'))))).toEqual(['c'])
    })

    it('of chains: each step has its own resource', async () => {
      await put('end1', [token('p', 'x')], 1, third())
      await put('end2', [token('p', 'y')], 1, third())
      const link = (id: string): IndexRow => ({
        kind: 'reference',
        param: 'link',
        type: third(),
        id,
        version: '',
      })
      await put('t1', [link('end1')], 1, target())
      await put('t2', [link('end2'), token('p', 'x')], 1, target())
      await put('a', [ref(target(), 't1')])
      await put('b', [ref(target(), 't2')])
      const inner: Node = {
        kind: 'chain',
        params: ['link'],
        types: [third()],
        canonical: false,
        node: is('x'),
      }
      expect(await found(chain(inner))).toEqual(['a'])
      expect(await found(chain(not(inner)))).toEqual(['b'])
      expect(await found(chain(and(is('x'), not(inner))))).toEqual(['b'])
    })

    it('by canonical: the URL of the reference is that of the target', async () => {
      const url = (value: string): IndexRow => ({ kind: 'uri', param: `${target()}.url`, value })
      await put('t1', [url('http://a.in/q1'), token('p', 'x')], 1, target())
      await put('t2', [url('http://a.in/q2'), token('p', 'y')], 1, target())
      await put('a', [ref('', 'http://a.in/q1', 'subject', '2.0')])
      await put('b', [ref('', 'http://a.in/q2')])
      await put('c', [ref(target(), 't1')])
      await put('d', [ref(target(), 'http://a.in/q1')])
      expect(await found(chain(is('x')))).toEqual(['c'])
      expect(await found(chain(is('x'), { canonical: true }))).toEqual(['a', 'c'])
      expect(await found(not(chain(is('x'), { canonical: true })))).toEqual(['b', 'd'])
      expect(await found(chain(all, { canonical: true }))).toEqual(['a', 'b', 'c'])
      await commit([deletionOf(key('t1', target()), 2)])
      expect(await found(chain(all, { canonical: true }))).toEqual(['b'])
    })

    it('reverse: a live resource for which the node holds refers here', async () => {
      await fill()
      const here = (where: Node): Promise<string[]> => ids(where, { type: target() })
      expect(await here(has(is('m', 'q')))).toEqual(['t1'])
      expect(await here(has(all))).toEqual(['t1', 't2', 't3'])
      expect(await here(has({ kind: 'id', ids: ['c'] }))).toEqual(['t2', 't3'])
      expect(await here(has(is('m', 'q'), { params: [`${shared.type()}.other`] }))).toEqual(['t1'])
      expect(await here(not(has(is('m', 'q'))))).toEqual(['t2', 't3'])
      expect(await here(and(is('x'), has({ kind: 'id', ids: ['c', 'a'] })))).toEqual(['t1', 't3'])
      expect(await ids(has(all), { type: third() })).toEqual(['t1'])
      await commit([deletionOf(key('a'), 2)])
      expect(await here(has(is('m', 'q')))).toEqual([])
      expect(
        await here(has(is('m', 'q'), { params: [`${shared.type()}.other`, `${shared.type()}.subject`] })),
      ).toEqual(['t1'])
    })

    it('reverse and forward in one another', async () => {
      await fill()
      // Sources whose target is also referred to by something of m under "other": t1.
      const other = has(is('m', 'q'), { params: [`${shared.type()}.other`] })
      expect(await found(chain(other))).toEqual(['a'])
      // Targets that are referred to by a source that leads to y besides: c leads to t2 and t3.
      expect(await ids(has(chain(is('y'))), { type: target() })).toEqual(['t2', 't3'])
      expect(await ids(has(not(chain(is('y')))), { type: target() })).toEqual(['t1'])
      expect(await found(chain(has(chain(has({ kind: 'id', ids: ['c'] })))))).toEqual(['b', 'c'])
    })

    it('pages and sorts what is found by a chain', async () => {
      await put('t1', [token('p', 'x')], 1, target())
      for (let i = 0; i < 12; i++)
        await put(`r${String(i).padStart(2, '0')}`, [
          ref(target(), i % 3 === 0 ? 'none' : 't1'),
          { kind: 'sort', param: `${shared.type()}.k`, min: String(i % 4), max: String(i % 4) },
        ])
      const sort: SortKey[] = [{ by: 'param', params: [`${shared.type()}.k`], descending: true }]
      const seen: string[] = []
      for (let after: Cursor | undefined; ; ) {
        const page = await shared
          .storage()
          .search(plan(chain(is('x')), sort), { limit: 3, total: 'accurate', ...(after ? { after } : {}) })
        expect(page.total).toBe(8)
        seen.push(...page.rows.map(stored => idOf(stored.key)))
        if (!page.more) break
        after = page.last
      }
      // 7 and 11 have 3; 2 and 10 have 2; 1 and 5 have 1; 4 and 8 have 0.
      expect(seen).toEqual(['r07', 'r11', 'r02', 'r10', 'r01', 'r05', 'r04', 'r08'])
    })

    it('takes ten thousand alternatives', async () => {
      await put('a', [token('p', 'c9999', 's')])
      await put('b', [token('p', 'c0', 't')])
      const nodes = Array.from(
        { length: 10_000 },
        (_, i): Node => ({ kind: 'token', param: 'p', system: 's', code: `c${i}` }),
      )
      expect(await found({ kind: 'or', nodes })).toEqual(['a'])
      expect(await found(not({ kind: 'or', nodes }))).toEqual(['b'])
    })
  })

  describe('explanations, sizes, texts kept for a time', () => {
    it('says how it searched when asked, and only then', async () => {
      await put('a', [token(`${shared.type()}.mark`, 'x')])
      const asked = await shared
        .storage()
        .search(plan({ kind: 'token', param: `${shared.type()}.mark`, code: 'x' }), {
          limit: 5,
          total: 'none',
          explain: true,
        })
      expect(asked.rows).toHaveLength(1)
      const { driver, plans, ms } = asked.explained!
      expect(driver).toContain(`${shared.type()}.mark`)
      expect(plans.length).toBeGreaterThan(0)
      for (const one of plans) expect(one).not.toBe('')
      expect(ms).toBeGreaterThanOrEqual(0)
      const unasked = await shared
        .storage()
        .search(plan({ kind: 'token', param: `${shared.type()}.mark`, code: 'x' }), {
          limit: 5,
          total: 'none',
        })
      expect(unasked.explained).toBeUndefined()
    })

    it('says how a search went that took longer than so long, without its values', async () => {
      await put('a', [token(`${shared.type()}.mark`, 'quokka')])
      const search = (explainAfter: number) =>
        shared.storage().search(plan({ kind: 'token', param: `${shared.type()}.mark`, code: 'quokka' }), {
          limit: 5,
          total: 'none',
          explainAfter,
        })
      const slow = await search(-1)
      expect(slow.rows).toHaveLength(1)
      expect(slow.explained!.plans.length).toBeGreaterThan(0)
      expect(slow.explained!.driver).not.toBe('')
      expect(JSON.stringify(slow.explained)).not.toContain('quokka')
      expect((await search(600_000)).explained).toBeUndefined()
    })

    it('ends a page at so many bytes of text, never before its first row', async () => {
      const long = `,"x":"${'ക'.repeat(1000)}"`
      for (let i = 0; i < 6; i++) await commit([changeOf(key(`r${i}`), 1, [token('p', 'x')], long)])
      const seen: string[][] = []
      for (let after: Cursor | undefined; ; ) {
        const page = await shared.storage().search(plan({ kind: 'token', param: 'p', code: 'x' }), {
          limit: 4,
          total: 'accurate',
          // Two texts have some 6,200 bytes.
          bytes: 7_000,
          ...(after ? { after } : {}),
        })
        expect(page.total).toBe(6)
        seen.push(page.rows.map(stored => idOf(stored.key)))
        if (!page.more) break
        after = page.last
      }
      expect(seen).toEqual([
        ['r0', 'r1'],
        ['r2', 'r3'],
        ['r4', 'r5'],
      ])
      const one = await shared.storage().search(plan(all), { limit: 4, total: 'none', bytes: 10 })
      expect(one.rows.map(stored => idOf(stored.key))).toEqual(['r0'])
      expect(one.more).toBe(true)
      const whole = await shared.storage().search(plan(all), { limit: 6, total: 'none', bytes: 1_000_000 })
      expect(whole.rows).toHaveLength(6)
      expect(whole.more).toBe(false)
      const back = await shared
        .storage()
        .search(plan(all), { limit: 4, total: 'none', bytes: 7_000, before: whole.last! })
      expect(back.rows.map(stored => idOf(stored.key))).toEqual(['r3', 'r4'])
      expect(back.more).toBe(true)
    })

    it('counts the bytes of those without a sort key too', async () => {
      const long = `,"x":"${'ക'.repeat(1000)}"`
      const keyed = (i: number): IndexRow[] => [{ kind: 'sort', param: 'k', min: String(i), max: String(i) }]
      for (let i = 0; i < 6; i++) await commit([changeOf(key(`r${i}`), 1, i < 3 ? keyed(i) : [], long)])
      const sort: SortKey[] = [{ by: 'param', params: ['k'], descending: false }]
      const seen: string[][] = []
      for (let after: Cursor | undefined; ; ) {
        const page = await shared
          .storage()
          .search(plan(all, sort), { limit: 6, total: 'none', bytes: 7_000, ...(after ? { after } : {}) })
        seen.push(page.rows.map(stored => idOf(stored.key)))
        if (!page.more) break
        after = page.last
      }
      expect(seen).toEqual([
        ['r0', 'r1'],
        ['r2', 'r3'],
        ['r4', 'r5'],
      ])
    })

    it('remembers a text until its time, on every instance', async () => {
      const storage = shared.storage()
      const name = `query-${shared.type()}`
      expect(await storage.recall(name)).toBeUndefined()
      await storage.remember(name, 'name=മിനി&x=1', shared.clock() + 1000)
      expect(await storage.recall(name)).toBe('name=മിനി&x=1')
      expect(await (shared.second() ?? storage).recall(name)).toBe('name=മിനി&x=1')
      await storage.remember(name, 'other', shared.clock() + 5000)
      expect(await storage.recall(name)).toBe('other')
      shared.wait(4999)
      expect(await storage.recall(name)).toBe('other')
      shared.wait(1)
      expect(await storage.recall(name)).toBeUndefined()
      await storage.remember(`${name}-2`, 'x', shared.clock() + 10)
      expect(await storage.recall(name)).toBeUndefined()
      expect(await storage.recall(`${name}-2`)).toBe('x')
    })
  })
}
