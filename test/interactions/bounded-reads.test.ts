/** However many large resources a question is about, no read brings more of them into memory than an answer may hold. */
import { beforeAll, expect, it } from 'vitest'
import type { Context } from '../../src/context.ts'
import { openLiveIndex } from '../../src/interactions/live-index.ts'
import { search } from '../../src/interactions/search.ts'
import type { Stored } from '../../src/storage/port.ts'
import { call, storeAll } from '../operations/context.ts'
import { refusal, type TestContext, testContext } from './context.ts'

const LARGE = 100_000
const MANY = 60
/** An answer holds four bodies, and one resource more comes to see that there is no room for it. */
const BODY = 200_000
const BOUND = 5 * BODY

const text = {
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${'x'.repeat(LARGE)}</div>`,
}
const large = (resourceType: string, of: (i: number) => object = () => ({})) =>
  Array.from({ length: MANY }, (_, i) => ({ resourceType, id: `${resourceType}-${i}`, text, ...of(i) }))

let ctx: TestContext
/** Characters of the largest read. */
let most = 0
/** Characters of all that was read one by one. */
let singly = 0
let asking: Context

beforeAll(async () => {
  const base = await testContext()
  ctx = { ...base, settings: { ...base.settings, limits: { ...base.settings.limits, body: BODY } } }
  await storeAll(
    ctx,
    large('Patient', () => ({ meta: { tag: [{ system: 's', code: 'x' }] } })),
  )
  const observation = { code: { coding: [{ code: 'c' }] }, subject: { reference: 'Patient/p' } }
  await storeAll(
    ctx,
    large('Observation', () => observation),
  )
  const compose = { include: [{ system: 's', concept: [{ code: 'x' }] }] }
  await storeAll(
    ctx,
    large('ValueSet', i => ({ url: 'http://example.org/v', version: `${i}`, compose })),
  )
  const within = { partOf: { reference: 'Location/Location-0' } }
  await storeAll(
    ctx,
    large('Location', i => (i === 0 ? {} : within)),
  )
  await storeAll(
    ctx,
    large('SearchParameter', () => ({ status: 'active' })),
  )
  const entry = (end: string) =>
    Array.from({ length: MANY }, (_, i) => ({ item: { reference: `Patient/Patient-${i}${end}` } }))
  await storeAll(ctx, [
    { resourceType: 'List', id: 'current', entry: entry('') },
    { resourceType: 'List', id: 'versions', entry: entry('/_history/1') },
  ])
  const counted = (rows: Iterable<Stored>): number => {
    let size = 0
    for (const row of rows) size += row.text?.length ?? 0
    return size
  }
  const { storage } = ctx
  asking = {
    ...ctx,
    storage: {
      ...storage,
      async search(plan, options) {
        const page = await storage.search(plan, options)
        most = Math.max(most, counted(page.rows))
        return page
      },
      async readMany(keys, filter) {
        const found = await storage.readMany(keys, filter)
        most = Math.max(most, counted(found.values()))
        return found
      },
      async read(key, options) {
        singly += LARGE
        most = Math.max(most, singly)
        return storage.read(key, options)
      },
    },
  }
})

const largest = async (ask: () => Promise<unknown>): Promise<number> => {
  most = 0
  singly = 0
  await ask()
  return most
}

it('the labels in use', async () => {
  expect(await largest(() => call(asking, 'meta', { type: 'Patient' }))).toBeLessThan(BOUND)
})

it('the last observations', async () => {
  const given = [
    { name: 'subject', value: 'Patient/p' },
    { name: 'code', value: 'c' },
  ]
  expect(await largest(() => call(asking, 'lastn', { type: 'Observation' }, given))).toBeLessThan(BOUND)
})

it('the versions of a value set', async () => {
  const ask = async () => {
    const { rows } = await search(asking, 'Patient', [
      ['_tag:in', 'http://example.org/v'],
      ['_count', '1'],
    ])
    expect(rows).toHaveLength(1)
  }
  expect(await largest(ask)).toBeLessThan(BOUND)
})

it('hierarchies, up and down', async () => {
  for (const [way, root, found] of [
    ['below', 'Location-0', MANY - 1],
    ['above', 'Location-1', MANY - 1],
  ] as const) {
    const ask = async () => {
      const pairs: [string, string][] = [
        [`partof:${way}`, root],
        ['_summary', 'count'],
      ]
      expect((await search(asking, 'Location', pairs)).total).toBe(found)
    }
    expect(await largest(ask)).toBeLessThan(BOUND)
  }
})

it.each(['current', 'versions'])('includes that are too large for the page: %s', async id => {
  const pairs: [string, string][] = [
    ['_id', id],
    ['_include', 'List:item'],
  ]
  const ask = async () => {
    const error = await refusal(search(asking, 'List', pairs))
    expect(error.message).toContain('too large for one page')
  }
  // Of the first resources the size is not known.
  expect(await largest(ask)).toBeLessThanOrEqual(Math.max(BOUND, 17 * LARGE))
})

it('the search parameters, when a server starts', async () => {
  expect(
    await largest(() => openLiveIndex(asking, { fingerprint: '' }).then(live => live.reconcile())),
  ).toBeLessThan(BOUND)
})
