/**
 * One search has several ways through SQLite: gathering by one index or another, or walking the index of its order. All must answer alike,
 * page by page in both directions. The order is judged against a model in plain JavaScript; the seed is printed.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { seeded } from '../../bench/random.ts'
import { decimalKey } from '../../src/lib/decimal.ts'
import type { IndexRow } from '../../src/search/index-row.ts'
import { dateKey } from '../../src/search/params/date.ts'
import type { Node, SortKey } from '../../src/search/plan-node.ts'
import { type Cursor, idOf, type Key, keyOf, type Storage, typeOf } from '../../src/storage/port.ts'
import { memoryDriver } from '../../src/storage/sqlite/node-memory.ts'
import { sqlStorage } from '../../src/storage/sqlite/store.ts'
import { changeOf, commitOf, deletionOf, planOf } from './rows.ts'

const SEED = Number(process.env.SEED ?? 20261121)

interface Model {
  key: Key
  rid: number
  updated: number
  rows: IndexRow[]
}

/** Dates are days apart, for some are longer than others are looked for. */
const DAY = 86_400_000
const TYPES = ['Patient', 'Group']
const CODES = ['a', 'b', 'c', 'd']
const REFERRED = ['r1', 'r2', 'r3', 'r4', 'r35', 'none']
const NAMES = ['anil', 'anita', 'bala', 'meera', 'mini', 'മിനി']

function rowsOf(next: () => number, type: string): IndexRow[] {
  const rows: IndexRow[] = []
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)]!
  for (let n = Math.floor(next() * 3); n > 0; n--)
    rows.push({ kind: 'token', param: `${type}.code`, system: pick(['', 's', 't']), code: pick(CODES) })
  const coded = rows.flatMap(row => (row.kind === 'token' ? [row.code] : [])).sort()
  if (coded.length > 0)
    rows.push({ kind: 'sort', param: `${type}.code`, min: coded[0]!, max: coded.at(-1)!, of: 'token' })
  if (next() < 0.2) rows.push({ kind: 'token', param: `${type}.code`, system: 's', code: '' })
  // Of one type the codes are the keys, of the other there are rows.
  const mark = pick(CODES)
  if (type === 'Patient') rows.push({ kind: 'token', param: 'Patient.mark', system: '', code: mark })
  if (next() < 0.5 || type === 'Patient')
    rows.push({
      kind: 'sort',
      param: `${type}.mark`,
      min: mark,
      max: mark,
      ...(type === 'Patient' ? { of: 'token' } : {}),
    })
  if (next() < 0.7) {
    const name = pick(NAMES)
    rows.push({ kind: 'string', param: `${type}.name`, folded: name, exact: name.toUpperCase() })
    const other = pick(NAMES)
    const [min, max] =
      Buffer.compare(Buffer.from(name), Buffer.from(other)) < 0 ? [name, other] : [other, name]
    rows.push({ kind: 'sort', param: `${type}.name`, min, max })
  }
  // Of one type a resource may have several dates.
  const dates = next() < 0.3 ? 0 : type === 'Group' && next() < 0.4 ? 2 : 1
  const begins = Array.from({ length: dates }, () => Math.floor(next() * 50) * DAY)
  for (const lo of begins) {
    rows.push({
      kind: 'date',
      param: `${type}.date`,
      lo,
      hi: lo + 1 + Math.floor(next() * next() * 20 * DAY),
    })
  }
  if (dates > 0) {
    const [min, max] = [dateKey(Math.min(...begins)), dateKey(Math.max(...begins))]
    rows.push({ kind: 'sort', param: `${type}.date`, min, max })
  }
  // One type has plain values, one each; of the other there are ranges, and several.
  for (let n = type === 'Group' ? Math.floor(next() * 3) : 1; n > 0; n--) {
    const lo = Math.floor(next() * 40)
    const hi = type === 'Group' && next() < 0.5 ? lo + 7 : lo
    const keys = { lo: decimalKey(String(lo)), hi: decimalKey(String(hi)) }
    rows.push({ kind: 'quantity', param: `${type}.value`, unit: pick(['', '|kg']), ...keys })
  }
  if (next() < 0.5)
    rows.push({
      kind: 'words',
      param: '_text',
      words: CODES.filter(() => next() < 0.4).map(one => `${one}x`),
    })
  if (next() < 0.5)
    rows.push({
      kind: 'reference',
      param: `${type}.subject`,
      type: pick(TYPES),
      id: pick(REFERRED),
      version: '',
    })
  if (next() < 0.4) rows.push({ kind: 'token', param: '_tag', system: '', code: pick(CODES) })
  return rows
}

/** What the plan's nodes mean, over rows in memory. */
function meets(node: Node, one: Model, models: readonly Model[]): boolean {
  const rows = one.rows as (IndexRow & { param: string })[]
  const some = (kind: IndexRow['kind'], param: string, test: (row: never) => boolean): boolean =>
    rows.some(row => row.kind === kind && row.param === param && test(row as never))
  const compare = <V extends number | string>(a: V, op: string, b: V): boolean =>
    op === '<' ? a < b : op === '<=' ? a <= b : op === '>' ? a > b : a >= b
  switch (node.kind) {
    case 'and':
      return node.nodes.every(inner => meets(inner, one, models))
    case 'or':
      return node.nodes.some(inner => meets(inner, one, models))
    case 'not':
      return !meets(node.node, one, models)
    case 'id':
      return node.ids.includes(idOf(one.key))
    case 'type':
      return node.types.includes(one.key.split('/')[0]!)
    case 'updated':
      return node.bounds.every(bound => compare(one.updated, bound.op, bound.value))
    case 'present':
      return rows.some(row => row.param === node.param && row.kind !== 'sort')
    case 'token':
      return some(
        'token',
        node.param,
        (row: { system: string; code: string }) =>
          (node.code === undefined || row.code === node.code) &&
          (node.system === undefined || row.system === node.system),
      )
    case 'string':
      return some('string', node.param, (row: { folded: string; exact: string }) =>
        node.match === 'starts'
          ? row.folded.startsWith(node.value)
          : node.match === 'contains'
            ? row.folded.includes(node.value)
            : (node.match === 'exact' ? row.exact : row.folded) === node.value,
      )
    case 'date':
      return some('date', node.param, (row: { lo: number; hi: number }) =>
        node.bounds.every(bound => compare(row[bound.end], bound.op, bound.value)),
      )
    case 'quantity':
      return some(
        'quantity',
        node.param,
        (row: { unit: string; lo: string; hi: string }) =>
          row.unit === node.unit &&
          node.bounds.every(bound => compare(row[bound.end], bound.op, bound.value)),
      )
    case 'word':
      return some('words', node.param, (row: { words: string[] }) =>
        row.words.some(word => (node.prefix ? word.startsWith(node.word) : word === node.word)),
      )
    case 'chain':
      return models.some(
        target =>
          node.types.includes(typeOf(target.key)) &&
          refers(one, node.params, target.key) &&
          meets(node.node, target, models),
      )
    case 'has':
      return models.some(
        source =>
          node.type === typeOf(source.key) &&
          refers(source, node.params, one.key) &&
          meets(node.node, source, models),
      )
    case 'reference':
      return some(
        'reference',
        node.param,
        (row: { type: string; id: string }) =>
          row.id === node.id && (node.type === undefined || row.type === node.type),
      )
    default:
      throw new Error(node.kind)
  }
}

const refers = (from: Model, params: readonly string[], to: Key): boolean =>
  from.rows.some(
    row => row.kind === 'reference' && params.includes(row.param) && keyOf(row.type, row.id) === to,
  )

/** Negative when a stands before b. */
function order(sort: readonly SortKey[], a: Model, b: Model): number {
  const keyOfModel = (key: SortKey, one: Model): string | number | undefined => {
    if (key.by === 'updated') return one.updated
    if (key.by === 'id') return idOf(one.key)
    if (key.by !== 'param') return undefined
    const keys = one.rows.flatMap(row =>
      row.kind === 'sort' && key.params.includes(row.param) ? [key.descending ? row.max : row.min] : [],
    )
    return keys[0]
  }
  for (const key of sort) {
    const x = keyOfModel(key, a)
    const y = keyOfModel(key, b)
    if (x === y) continue
    if (x === undefined) return 1
    if (y === undefined) return -1
    const compared =
      typeof x === 'number' ? x - (y as number) : Buffer.compare(Buffer.from(x), Buffer.from(y as string))
    if (compared !== 0) return key.descending ? -compared : compared
  }
  return a.rid - b.rid
}

function randomNode(next: () => number, types: readonly string[], depth = 0): Node {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)]!
  const type = pick(types)
  const what = next()
  if (depth < 2 && what < 0.12)
    return {
      kind: 'and',
      nodes: Array.from({ length: Math.floor(next() * 3) }, () => randomNode(next, types, depth + 1)),
    }
  if (depth < 2 && what < 0.3)
    return {
      kind: 'or',
      nodes: Array.from({ length: Math.floor(next() * 5) }, () => randomNode(next, types, depth + 1)),
    }
  if (depth < 2 && what < 0.38) return { kind: 'not', node: randomNode(next, types, depth + 1) }
  if (depth < 3 && what < 0.45) {
    const led = pick([['Patient'], ['Group'], TYPES])
    if (next() < 0.5) {
      const node = randomNode(next, led, depth + 1)
      return { kind: 'chain', params: types.map(one => `${one}.subject`), types: led, canonical: false, node }
    }
    const from = pick(TYPES)
    return { kind: 'has', type: from, params: [`${from}.subject`], node: randomNode(next, [from], depth + 1) }
  }
  if (what < 0.48)
    return { kind: 'word', param: '_text', word: pick(['a', 'ax', 'bx', 'dx']), prefix: next() < 0.3 }
  if (what < 0.55) {
    const node: Node = { kind: 'token', param: pick([`${type}.code`, '_tag']) }
    return {
      ...node,
      ...(next() < 0.9 ? { code: pick(CODES) } : {}),
      ...(next() < 0.4 ? { system: pick(['', 's', 't', 'unknown']) } : {}),
    }
  }
  if (what < 0.68)
    return {
      kind: 'string',
      param: `${type}.name`,
      match: pick(['starts', 'contains', 'equals', 'exact'] as const),
      value: pick(['an', 'ani', 'nit', 'i', 'MEERA', 'mini', 'മി', 'zzz']),
    }
  const ends = ['lo', 'hi'] as const
  const ops = ['<', '<=', '>', '>='] as const
  const bounds = <V>(value: () => V) =>
    Array.from({ length: 1 + Math.floor(next() * 2) }, () => ({
      end: pick(ends),
      op: pick(ops),
      value: value(),
    }))
  if (what < 0.76)
    return { kind: 'date', param: `${type}.date`, bounds: bounds(() => Math.floor(next() * 60) * DAY) }
  if (what < 0.82) {
    const value = () => decimalKey(String(Math.floor(next() * 45)))
    return { kind: 'quantity', param: `${type}.value`, unit: pick(['', '|kg']), bounds: bounds(value) }
  }
  if (what < 0.88)
    return {
      kind: 'reference',
      param: `${type}.subject`,
      id: pick(REFERRED),
      ...(next() < 0.6 ? { type: pick(TYPES) } : {}),
    }
  if (what < 0.92) return { kind: 'present', param: pick([`${type}.name`, `${type}.date`, '_tag']) }
  if (what < 0.95)
    return {
      kind: 'updated',
      bounds: [{ end: 'lo', op: pick(['<', '>='] as const), value: 1000 + Math.floor(next() * 300) }],
    }
  if (what < 0.97) return { kind: 'type', types: [type] }
  return { kind: 'id', ids: Array.from({ length: 5 }, () => `r${Math.floor(next() * 120)}`) }
}

/** Two conditions on one date or quantity, as `date=ge..&date=lt..` makes them, beside another. */
function range(next: () => number, types: readonly string[], of: 'date' | 'quantity'): Node {
  const type = types[Math.floor(next() * types.length)]!
  const low = Math.floor(next() * 50)
  const high = low + Math.floor(next() * 30)
  const unit = next() < 0.5 ? '' : '|kg'
  const is = (end: 'lo' | 'hi', op: '<' | '>' | '>=', value: number): Node =>
    of === 'date'
      ? {
          kind: 'date',
          param: `${type}.date`,
          bounds: [{ end, op, value: value * DAY + (op === '>' ? 1 : 0) }],
        }
      : {
          kind: 'quantity',
          param: `${type}.value`,
          unit,
          bounds: [{ end, op, value: decimalKey(String(value)) }],
        }
  return {
    kind: 'and',
    nodes: [
      { kind: 'or', nodes: [is('hi', '>', low), ...(next() < 0.7 ? [is('lo', '>=', low)] : [])] },
      ...(next() < 0.8 ? [is('lo', '<', high)] : []),
      ...(next() < 0.5 ? [randomNode(next, types, 2)] : []),
    ],
  }
}

function randomSort(next: () => number, types: readonly string[]): SortKey[] {
  const keys: SortKey[] = []
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)]!
  for (let n = Math.floor(next() * 3); n > 0; n--) {
    const descending = next() < 0.5
    const what = next()
    if (what < 0.2) keys.push({ by: 'updated', descending })
    else if (what < 0.3) keys.push({ by: 'id', descending })
    else {
      const code = pick(['name', 'date', 'code', 'mark'])
      const params = types.map(type => `${type}.${code}`)
      const coded =
        code === 'code' ? params : code === 'mark' ? params.filter(one => one === 'Patient.mark') : []
      keys.push({ by: 'param', params, ...(coded.length > 0 ? { coded } : {}), descending })
    }
  }
  return keys
}

const driver = memoryDriver()
const options = {
  name: 'sqlite',
  maxBody: 1e9,
  pieceLength: 1e9,
  cancels: false,
  shared: false,
  clock: () => 0,
} as const
/** All gather; nothing does; some of each; and walks that are given up after some steps. */
const ways = [
  ...[1e9, 0, 25].map(gathers => ({ gathers })),
  { gathers: 3, patience: 1 },
  { gathers: 0, patience: 20 },
].map(way => sqlStorage(driver, { ...options, ...way }))
const storage = ways[0]!
afterAll(() => storage.close())

describe('every way through the indexes', async () => {
  const next = seeded(SEED)
  const models: Model[] = []
  for (let n = 0; n < 120; n++) {
    const type = next() < 0.6 ? 'Patient' : 'Group'
    models.push({ key: keyOf(type, `r${n}`), rid: n, updated: 0, rows: rowsOf(next, type) })
  }
  for (let at = 0; at < models.length; at += 4) {
    const some = models.slice(at, at + 4)
    const result = await storage.commit(
      commitOf(
        some.map(one => changeOf(one.key, 1, one.rows)),
        { at: 1000 + at },
      ),
    )
    if (!result.ok) throw new Error('not stored')
    for (const one of some) one.updated = result.at
  }
  // Updates and deletions, so that order of making and of updating differ.
  for (let at = 0; at < models.length; at += 7) {
    const one = models[at]!
    one.rows = rowsOf(next, one.key.split('/')[0]!)
    const result = await storage.commit(commitOf([changeOf(one.key, 2, one.rows)], { at: 1200 + at }))
    if (!result.ok) throw new Error('not stored')
    one.updated = result.at
  }
  for (const one of models.splice(30, 10)) {
    const version = (await storage.read(one.key))!.version + 1
    await storage.commit(commitOf([deletionOf(one.key, version)], { at: 1400 }))
  }

  const walk = async (
    on: Storage,
    where: Node,
    types: readonly string[],
    sort: readonly SortKey[],
    limit: number,
  ) => {
    const pages: string[][] = []
    let after: Cursor | undefined
    let firsts: (Cursor | undefined)[] = []
    for (;;) {
      const page = await on.search(planOf(types, where, sort), {
        limit,
        total: 'none',
        ...(after ? { after } : {}),
      })
      pages.push(page.rows.map(row => row.key))
      firsts = [...firsts, page.first]
      if (!page.more) break
      after = page.last!
      if (pages.length > 200) throw new Error('the pages have no end')
    }
    // Back from the last page to the first.
    const back: string[][] = []
    for (let before = firsts.at(-1); before !== undefined; ) {
      const page = await on.search(planOf(types, where, sort), { limit, total: 'none', before })
      if (page.rows.length > 0) back.unshift(page.rows.map(row => row.key))
      before = page.more ? page.first : undefined
    }
    return { forward: pages.flat(), back: [...back.flat(), ...pages.at(-1)!] }
  }

  it(`answers like the model, page by page, forwards and backwards (SEED=${SEED})`, {
    timeout: 120_000,
  }, async () => {
    let hits = 0
    const rounds = 400
    for (let round = 0; round < rounds; round++) {
      const what = next()
      const types = what < 0.35 ? ['Patient'] : what < 0.7 ? ['Group'] : what < 0.85 ? TYPES : []
      const of = types.length === 0 ? TYPES : types
      const ranged = next() < 0.3
      const where = ranged ? range(next, of, next() < 0.6 ? 'date' : 'quantity') : randomNode(next, of)
      const byDate: SortKey = {
        by: 'param',
        params: of.map(type => `${type}.date`),
        descending: next() < 0.5,
      }
      const sort = ranged && next() < 0.6 ? [byDate] : randomSort(next, of)
      const expected = models
        .filter(
          one => (types.length === 0 || types.includes(one.key.split('/')[0]!)) && meets(where, one, models),
        )
        .sort((a, b) => order(sort, a, b))
        .map(one => one.key)
      if (expected.length > 0) hits++
      const limit = 1 + Math.floor(next() * 12)
      for (const [i, way] of ways.entries()) {
        const note = `round ${round}, way ${i}, limit ${limit}: ${JSON.stringify({ types, where, sort })}`
        const { forward, back } = await walk(way, where, types, sort, limit)
        expect(forward, note).toEqual(expected)
        expect(back, `backwards, ${note}`).toEqual(expected)
        const counted = await way.search(planOf(types, where, sort), { limit: 0, total: 'accurate' })
        expect(counted.total, note).toBe(expected.length)
      }
    }
    // A test of empty answers would pass on anything.
    expect(hits / rounds).toBeGreaterThan(0.3)
  })

  it('judges a commit that requires matches like a search', async () => {
    for (let round = 0; round < 60; round++) {
      const where = randomNode(next, ['Patient'])
      const plan = planOf(['Patient'], where)
      const keys = models
        .filter(one => one.key.startsWith('Patient/') && meets(where, one, models))
        .map(one => one.key)
      const require = (these: Key[]) =>
        storage.commit(commitOf([], { require: [{ is: 'matches', plan, keys: these, guard: 'g' }] }))
      expect(await require(keys), JSON.stringify(where)).toMatchObject({ ok: true })
      const wrong: Key[] = keys.length > 0 ? keys.slice(1) : ['Patient/nobody']
      expect(await require(wrong), JSON.stringify(where)).toEqual({ ok: false, reason: 'require', index: 0 })
    }
  })
})
