/** https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #cdelete */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseJson } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { conditionalDelete, remove } from '../../src/interactions/delete.ts'
import { conditionalPatch } from '../../src/interactions/patch.ts'
import { read } from '../../src/interactions/read.ts'
import { conditionalUpdate, update } from '../../src/interactions/update.ts'
import type { Pairs } from '../../src/interactions/written.ts'
import { patient, refusal, shape, type TestContext, testContext } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
})
afterEach(() => ctx.storage.close())

const IS_A: Pairs = [['identifier', 'http://s|a']]
const identified = (value = 'a', more = '') =>
  patient(`"identifier":[{"system":"http://s","value":"${value}"}]${more && `,${more}`}`)
const put = (id: string, value = 'a') => update(ctx, 'Patient', id, identified(value, `"id":"${id}"`))
const live = async () => {
  const plan = { types: ['Patient'], where: { kind: 'and', nodes: [] } as const, sort: [], fingerprint: '' }
  return (await ctx.storage.search(plan, { limit: 100, total: 'none' })).rows.map(row => row.key)
}

describe('conditional create', () => {
  const make = (pairs = IS_A) => create(ctx, 'Patient', identified(), { ifNoneExist: pairs })

  test('creates where nothing matches', async () => expect((await make()).created).toBe(true))
  test('gives back the one that matches and stores nothing', async () => {
    await put('x')
    const { stored, created } = await make()
    expect([stored.key, stored.version, created]).toEqual(['Patient/x', 1, false])
    expect(await live()).toEqual(['Patient/x'])
  })
  test('refuses many: 412', async () => {
    await put('x')
    await put('y')
    expect(shape(await refusal(make()))).toEqual([412, 'multiple-matches', [undefined]])
  })
  test('fifty at once leave one resource, and all get it', async () => {
    const done = await Promise.all(Array.from({ length: 50 }, () => make()))
    expect(await live()).toHaveLength(1)
    expect(new Set(done.map(({ stored }) => stored.key)).size).toBe(1)
    expect(done.filter(({ created }) => created)).toHaveLength(1)
  })
  test('creates again after the resource was deleted, and after it was edited so that it no longer matches', async () => {
    const first = await make()
    await remove(ctx, 'Patient', first.stored.key.slice(8))
    const second = await make()
    expect(second.created).toBe(true)
    await put(second.stored.key.slice(8), 'b')
    expect((await make()).created).toBe(true)
  })
})

describe('conditional update', () => {
  const change = (more = '', options = {}) =>
    conditionalUpdate(ctx, 'Patient', IS_A, identified('a', more), options)

  test('no match and no id: creates under an id of ours', async () => {
    const { stored, created } = await change()
    expect([created, stored.method]).toEqual([true, 'PUT'])
    expect(stored.key).toMatch(/^Patient\/id-/)
  })
  test('no match and an id: creates under that id', async () => {
    expect((await change('"id":"mine"')).stored.key).toBe('Patient/mine')
  })
  test('no match and the id of a deleted resource: revives it', async () => {
    await put('mine', 'b')
    await remove(ctx, 'Patient', 'mine')
    const { stored, created } = await change('"id":"mine"')
    expect([stored.version, created]).toEqual([3, true])
  })
  test('no match and the id of another resource: 409', async () => {
    await put('mine', 'b')
    expect(shape(await refusal(change('"id":"mine"')))).toEqual([409, 'conflict', ['Patient.id']])
  })
  test('one match: updates it, with its id in the body or without', async () => {
    await put('x')
    expect((await change()).stored.version).toBe(2)
    expect((await change('"id":"x"')).stored.version).toBe(3)
    expect((await read(ctx, 'Patient', 'x')).text).toContain('"id":"x"')
  })
  test('one match and another id in the body: 400', async () => {
    await put('x')
    expect(shape(await refusal(change('"id":"y"')))).toEqual([400, 'invalid', ['Patient.id']])
  })
  test('many matches: 412', async () => {
    await put('x')
    await put('y')
    expect((await refusal(change())).code).toBe('multiple-matches')
  })
  test('If-Match is asked of the match', async () => {
    await put('x')
    expect((await refusal(change('', { ifMatch: 'W/"7"' }))).status).toBe(412)
    expect((await change('', { ifMatch: 'W/"1"' })).stored.version).toBe(2)
  })
  test('fifty at once leave one resource of fifty versions', async () => {
    const done = await Promise.all(Array.from({ length: 50 }, () => change()))
    expect(await live()).toHaveLength(1)
    expect(done.map(({ stored }) => stored.version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    )
  })
})

describe('conditional patch', () => {
  const body = parseJson('[{"op":"add","path":"/active","value":true}]')
  const change = () => conditionalPatch(ctx, 'Patient', IS_A, { kind: 'json', body })

  test('no match: 404', async () => expect((await refusal(change())).status).toBe(404))
  test('one match: patches it', async () => {
    await put('x')
    expect((await change()).stored.text).toContain('"active":true')
  })
  test('many matches: 412', async () => {
    await put('x')
    await put('y')
    expect((await refusal(change())).status).toBe(412)
  })
})

describe('conditional delete', () => {
  const drop = (settings: Partial<typeof ctx.settings> = {}) =>
    conditionalDelete({ ...ctx, settings: { ...ctx.settings, ...settings } }, 'Patient', IS_A)

  test('no match: nothing happens', async () => expect((await drop()).stored).toEqual([]))
  test('one match: deletes it', async () => {
    await put('x')
    await put('y', 'b')
    expect((await drop()).stored.map(({ key, version }) => [key, version])).toEqual([['Patient/x', 2]])
    expect(await live()).toEqual(['Patient/y'])
  })
  test('many matches, single: 412 and nothing deleted', async () => {
    await put('x')
    await put('y')
    const { status, code } = await refusal(drop({ conditionalDelete: 'single' }))
    expect([status, code]).toEqual([412, 'multiple-matches'])
    expect(await live()).toHaveLength(2)
  })
  test('many matches, multiple: deletes all in one commit', async () => {
    for (const id of ['x', 'y', 'z']) await put(id)
    const { stored } = await drop()
    expect(stored).toHaveLength(3)
    expect(new Set(stored.map(({ at }) => at)).size).toBe(1)
    expect(await live()).toEqual([])
  })
  test('more matches than one commit takes: refused, nothing deleted', async () => {
    for (const id of ['x', 'y', 'z']) await put(id)
    const limits = { ...ctx.settings.limits, entries: 2 }
    const { status, code } = await refusal(drop({ limits }))
    expect([status, code]).toEqual([412, 'too-costly'])
    expect(await live()).toHaveLength(3)
  })
})

describe('criteria that say nothing are refused, for they would hit everything', () => {
  const none: [string, Pairs][] = [
    ['no criteria', []],
    ['an empty value', [['identifier', '']]],
    [
      'an empty value beside another',
      [
        ['identifier', 'http://s|a'],
        ['active', ''],
      ],
    ],
    ['commas alone', [['identifier', ',']]],
    [
      'a parameter of results',
      [
        ['identifier', 'http://s|a'],
        ['_count', '1'],
      ],
    ],
    ['a sort alone', [['_sort', 'birthdate']]],
    ['the type alone', [['_type', 'Patient']]],
    [
      'an unknown parameter',
      [
        ['identifier', 'http://s|a'],
        ['identifer', 'x'],
      ],
    ],
    ['an unknown modifier', [['identifier:foo', 'http://s|a']]],
  ]
  test.each(none)('%s', async (_, pairs) => {
    await put('x')
    expect((await refusal(create(ctx, 'Patient', identified(), { ifNoneExist: pairs }))).status).toBe(400)
    expect((await refusal(conditionalUpdate(ctx, 'Patient', pairs, identified()))).status).toBe(400)
    expect((await refusal(conditionalDelete(ctx, 'Patient', pairs))).status).toBe(400)
    expect(await live()).toEqual(['Patient/x'])
  })
})
