/** https://hl7.org/fhir/R4/http.html#history */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseJson } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { remove } from '../../src/interactions/delete.ts'
import { history, historyBundle } from '../../src/interactions/history.ts'
import { patch } from '../../src/interactions/patch.ts'
import { update } from '../../src/interactions/update.ts'
import type { Pairs } from '../../src/interactions/written.ts'
import type { HistoryScope } from '../../src/storage/port.ts'
import { BASE } from '../settings.ts'
import { patient, refusal, resource, START, type TestContext, testContext } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
})
afterEach(() => ctx.storage.close())

const put = (id: string) => update(ctx, 'Patient', id, patient(`"id":"${id}"`))
const get = async (scope: HistoryScope, pairs: Pairs = []) => {
  const result = await history(ctx, scope, pairs)
  return { ...result, keys: result.rows.map(({ key, version }) => `${key.slice(8)}/${version}`) }
}
const cursorIn = (url: string | undefined): string => new URL(url!).searchParams.get('_cursor')!
const next = (result: { links: readonly { relation: string; url: string }[] }) =>
  result.links.find(({ relation }) => relation === 'next')?.url

/** Versions of two patients, a minute apart: a/1 b/1 a/2 a/3 (deletion) a/4. */
async function story(): Promise<void> {
  for (const act of [
    () => put('a'),
    () => put('b'),
    () => put('a'),
    () => remove(ctx, 'Patient', 'a'),
    () => put('a'),
  ]) {
    await act()
    ctx.pass(60_000)
  }
}

describe('a history', () => {
  beforeEach(story)

  test('of an instance, a type and the system is newest first, deletions included', async () => {
    await create(ctx, 'Group', resource('{"resourceType":"Group","type":"person","actual":true}'))
    expect((await get({ key: 'Patient/a' })).keys).toEqual(['a/4', 'a/3', 'a/2', 'a/1'])
    expect((await get({ type: 'Patient' })).keys).toEqual(['a/4', 'a/3', 'a/2', 'b/1', 'a/1'])
    expect((await get({})).rows).toHaveLength(6)
  })

  test('has no entries for a type without resources, and is not found for an id that never was', async () => {
    expect((await get({ type: 'Group' })).rows).toEqual([])
    expect((await refusal(get({ key: 'Patient/never' }))).status).toBe(404)
    expect((await refusal(get({ type: 'Patients' }))).status).toBe(404)
  })

  test('_since takes what was stamped at that instant or later', async () => {
    const at = (minutes: number) => new Date(START + minutes * 60_000).toISOString()
    expect((await get({ type: 'Patient' }, [['_since', at(3)]])).keys).toEqual(['a/4', 'a/3'])
    expect((await get({ type: 'Patient' }, [['_since', at(3).replace('.000Z', '.001Z')]])).keys).toEqual([
      'a/4',
    ])
    // 05:14Z is 10:44 in India; a plus sign that was not escaped arrives as a space.
    expect((await get({ type: 'Patient' }, [['_since', '2026-11-21T10:44:00+05:30']])).keys).toEqual([
      'a/4',
      'a/3',
    ])
    expect((await get({ type: 'Patient' }, [['_since', '2026-11-21T10:44:00 05:30']])).keys).toEqual([
      'a/4',
      'a/3',
    ])
    expect((await get({ type: 'Patient' }, [['_since', '2026-11-21T10:44:00']])).keys).toEqual(['a/4', 'a/3'])
  })

  test('_at takes what was current at some time of the period', async () => {
    // From 05:12:30 for the whole minute 05:12: a/1 was replaced at 05:13, b/1 came at 05:12.
    expect((await get({ type: 'Patient' }, [['_at', '2026-11-21T05:12:30Z']])).keys).toEqual(['b/1', 'a/1'])
  })

  test('pages run through all versions once, also while new ones come', async () => {
    const seen: string[] = []
    let pairs: Pairs = [['_count', '2']]
    for (let page = 0; page < 5; page++) {
      const result = await get({ type: 'Patient' }, pairs)
      seen.push(...result.keys)
      const url = next(result)
      if (url === undefined) break
      await put(`new${page}`)
      pairs = [
        ['_count', '2'],
        ['_cursor', cursorIn(url)],
      ]
    }
    expect(seen).toEqual(['a/4', 'a/3', 'a/2', 'b/1', 'a/1'])
  })

  test('a cursor is good for its history and its asker only', async () => {
    const cursor = cursorIn(next(await get({ type: 'Patient' }, [['_count', '1']])))
    const ask = (scope: HistoryScope, pairs: Pairs) => refusal(get(scope, [...pairs, ['_cursor', cursor]]))
    expect((await ask({}, [])).status).toBe(400)
    expect((await ask({ key: 'Patient/a' }, [])).status).toBe(400)
    expect((await ask({ type: 'Patient' }, [['_since', '2020']])).status).toBe(400)
    const other = { ...ctx, principal: { id: 'other' } }
    expect((await refusal(history(other, { type: 'Patient' }, [['_cursor', cursor]]))).status).toBe(400)
    expect(
      (
        await get({ type: 'Patient' }, [
          ['_count', '9'],
          ['_cursor', cursor],
        ])
      ).keys,
    ).toHaveLength(4)
  })

  test('_count=0 counts only', async () => {
    const result = await get({ type: 'Patient' }, [['_count', '0']])
    expect([result.rows, result.total, next(result)]).toEqual([[], 5, undefined])
  })

  test.each([
    ['_count', '-1'],
    ['_count', 'x'],
    ['_since', 'yesterday'],
    ['_at', '2026-02-30'],
    ['_list', 'x'],
    ['_cursor', 'AAAA'],
  ])('%s=%s is refused', async (name, value) => {
    const error = await refusal(get({ type: 'Patient' }, [[name, value]]))
    expect([error.status, error.issues[0]?.expression]).toEqual([400, `http.${name}`])
  })

  test('lenient leaves unknown parameters out, of the self link too', async () => {
    const { links } = await history(
      ctx,
      { type: 'Patient' },
      [
        ['_list', 'x'],
        ['_count', '2'],
      ],
      { lenient: true },
    )
    expect(links[0]).toEqual({ relation: 'self', url: `${BASE}/Patient/_history?_count=2` })
  })
})

test('the Bundle says of each version how it came to be', async () => {
  await story()
  const { stored } = await create(ctx, 'Patient', patient())
  const id = stored.key.slice(8)
  await patch(ctx, 'Patient', id, {
    kind: 'json',
    body: parseJson('[{"op":"add","path":"/active","value":true}]'),
  })
  const bundle = JSON.parse(historyBundle(ctx, await history(ctx, {}, [])))
  expect([bundle.resourceType, bundle.type, bundle.total]).toEqual(['Bundle', 'history', 7])
  interface Entry {
    fullUrl: string
    request: { method: string; url: string }
    response: { status: string; etag: string }
  }
  const told = bundle.entry.map(({ fullUrl, request, response, ...rest }: Entry) => [
    fullUrl,
    request.method,
    request.url,
    response.status,
    response.etag,
    'resource' in rest,
  ])
  expect(told).toEqual([
    [`${BASE}/Patient/${id}`, 'PATCH', `Patient/${id}`, '200', 'W/"2"', true],
    [`${BASE}/Patient/${id}`, 'POST', 'Patient', '201', 'W/"1"', true],
    [`${BASE}/Patient/a`, 'PUT', 'Patient/a', '201', 'W/"4"', true],
    [`${BASE}/Patient/a`, 'DELETE', 'Patient/a', '204', 'W/"3"', false],
    [`${BASE}/Patient/a`, 'PUT', 'Patient/a', '200', 'W/"2"', true],
    [`${BASE}/Patient/b`, 'PUT', 'Patient/b', '201', 'W/"1"', true],
    [`${BASE}/Patient/a`, 'PUT', 'Patient/a', '201', 'W/"1"', true],
  ])
})
