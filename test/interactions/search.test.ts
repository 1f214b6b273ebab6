/** https://hl7.org/fhir/R4/search.html, https://hl7.org/fhir/R4/http.html#search */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { search } from '../../src/interactions/search.ts'
import { searchBundle } from '../../src/interactions/search-bundle.ts'
import { update } from '../../src/interactions/update.ts'
import type { Pairs } from '../../src/interactions/written.ts'
import { BASE, refusal, resource, type TestContext, testContext } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
  for (const [id, family, active] of [
    ['a', 'Nair', true],
    ['b', 'Menon', false],
    ['c', 'Pillai', true],
    ['d', 'Varma', true],
    ['e', 'Kurup', true],
  ] as const)
    await update(
      ctx,
      'Patient',
      id,
      resource(
        `{"resourceType":"Patient","id":"${id}","meta":{"tag":[{"code":"t"}]},"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">x</div>"},"active":${active},"name":[{"family":"${family}"}],"photo":[{"title":"p"}],"contact":[{"gender":"male"}]}`,
      ),
    )
})
afterEach(() => ctx.storage.close())

const find = async (pairs: Pairs, type: string | undefined = 'Patient', options = {}) => {
  const result = await search(ctx, type, pairs, options)
  const link = (relation: string) => result.links.find(one => one.relation === relation)?.url
  return { ...result, ids: result.rows.map(({ key }) => key.slice(8)).join(''), link }
}
const pairsOf = (url: string | undefined): Pairs => [...new URL(url!).searchParams]

describe('pages', () => {
  test.each([
    ['the order of making', [], 'abcde'],
    ['a sort', [['_sort', 'family']], 'ebacd'],
    ['a descending sort', [['_sort', '-family']], 'dcabe'],
  ] as [string, Pairs, string][])(
    'run forth and back under %s, each resource once',
    async (_, sort, order) => {
      const first = await find([...sort, ['_count', '2']])
      const second = await find(pairsOf(first.link('next')))
      const third = await find(pairsOf(second.link('next')))
      expect([first.ids, second.ids, third.ids]).toEqual([
        order.slice(0, 2),
        order.slice(2, 4),
        order.slice(4),
      ])
      expect([first.link('previous'), third.link('next')]).toEqual([undefined, undefined])
      const back = await find(pairsOf(third.link('previous')))
      expect(back.ids).toBe(order.slice(2, 4))
      const start = await find(pairsOf(back.link('previous')))
      expect([start.ids, start.link('previous')]).toEqual([order.slice(0, 2), undefined])
      expect((await find(pairsOf(start.link('next')))).ids).toBe(order.slice(2, 4))
    },
  )

  test('links carry all that was applied', async () => {
    const { link } = await find([
      ['active', 'true'],
      ['_count', '1'],
      ['family:contains', 'a,é|'],
    ])
    expect(link('self')).toBe(`${BASE}/Patient?active=true&_count=1&family:contains=a,%C3%A9%7C`)
    expect(link('next')).toMatch(
      /^http:\/\/127\.0\.0\.1:8080\/fhir\/Patient\?active=true&_count=1&family:contains=a,%C3%A9%7C&_cursor=[A-Za-z0-9_-]+$/,
    )
  })

  test('a cursor is good for its search and its asker only', async () => {
    const [, cursor] = pairsOf((await find([['_count', '2']])).link('next')).find(
      ([name]) => name === '_cursor',
    )!
    expect(
      (
        await refusal(
          find([
            ['active', 'true'],
            ['_cursor', cursor],
          ]),
        )
      ).status,
    ).toBe(400)
    expect((await refusal(find([['_cursor', `${cursor.slice(0, -2)}AA`]]))).status).toBe(400)
    const other = { ...ctx, principal: { id: 'other' } }
    expect((await refusal(search(other, 'Patient', [['_cursor', cursor]]))).status).toBe(400)
  })

  test('hold no more than the setting allows, and the self link says how many', async () => {
    const few = { ...ctx, settings: { ...ctx.settings, limits: { ...ctx.settings.limits, pageMax: 3 } } }
    const result = await search(few, 'Patient', [['_count', '1000']])
    expect(result.rows).toHaveLength(3)
    expect(result.links[0]?.url).toBe(`${BASE}/Patient?_count=3`)
  })
})

describe('the total', () => {
  test('is there where the first page is all', async () => expect((await find([])).total).toBe(5))
  test('is counted where it is asked for', async () => {
    expect(
      (
        await find([
          ['_count', '2'],
          ['_total', 'accurate'],
        ])
      ).total,
    ).toBe(5)
    expect((await find([['_count', '2']])).total).toBeUndefined()
    expect((await find([['_total', 'none']])).total).toBeUndefined()
  })
  test.each([
    ['_summary', 'count'],
    ['_count', '0'],
  ])('is all that %s=%s gives', async (name, value) => {
    const result = await find([
      [name, value],
      ['active', 'true'],
    ])
    expect([result.rows, result.total, result.link('next')]).toEqual([[], 4, undefined])
    expect(JSON.parse(searchBundle(ctx, result)).entry).toBeUndefined()
  })
})

describe('the Bundle', () => {
  const bundleOf = async (pairs: Pairs, options = {}) =>
    JSON.parse(searchBundle(ctx, await find(pairs, 'Patient', options)))
  const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }

  test('has resources exactly as they are stored', async () => {
    const { text } = (await ctx.storage.read('Patient/a'))!
    expect(searchBundle(ctx, await find([['_id', 'a']]))).toContain(
      `"entry":[{"fullUrl":"${BASE}/Patient/a","resource":${text},"search":{"mode":"match"}}]`,
    )
  })

  test.each([
    ['true', ['resourceType', 'id', 'meta', 'active', 'name']],
    ['text', ['resourceType', 'id', 'meta', 'text']],
    ['data', ['resourceType', 'id', 'meta', 'active', 'name', 'photo', 'contact']],
  ])('_summary=%s', async (summary, names) => {
    const bundle = await bundleOf([
      ['_id', 'a'],
      ['_summary', summary],
    ])
    const shown = bundle.entry[0].resource
    expect(Object.keys(shown)).toEqual(names)
    expect(shown.meta).toMatchObject({ versionId: '1', tag: [{ code: 't' }, SUBSETTED] })
  })

  test('_summary=false is the whole', async () => {
    const [entry] = (
      await bundleOf([
        ['_id', 'a'],
        ['_summary', 'false'],
      ])
    ).entry
    expect(entry.resource.meta.tag).toEqual([{ code: 't' }])
    expect(entry.resource.photo).toBeDefined()
  })

  test('_elements shows what is asked, and what is mandatory', async () => {
    const bundle = await bundleOf([
      ['_id', 'a'],
      ['_elements', 'photo,gender'],
    ])
    expect(Object.keys(bundle.entry[0].resource)).toEqual(['resourceType', 'id', 'meta', 'photo'])
    await update(
      ctx,
      'Observation',
      'o',
      resource(
        '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"c"},"valueQuantity":{"value":1.00},"note":[{"text":"n"}]}',
      ),
    )
    const text = searchBundle(ctx, await find([['_elements', 'value']], 'Observation'))
    expect(text).toContain('"status":"final","code":{"text":"c"},"valueQuantity":{"value":1.00}}')
    expect(text).not.toContain('note')
  })

  test('a lenient search tells what it left out, in the outcome and in the self link', async () => {
    const bundle = await bundleOf(
      [
        ['favourite', 'x'],
        ['active', 'false'],
      ],
      { lenient: true },
    )
    expect(bundle.entry.map((entry: { search: { mode: string } }) => entry.search.mode)).toEqual([
      'match',
      'outcome',
    ])
    expect(bundle.entry[1].resource.issue[0]).toMatchObject({
      severity: 'warning',
      expression: ['http.favourite'],
    })
    expect(bundle.link[0].url).toBe(`${BASE}/Patient?active=false`)
    expect((await refusal(find([['favourite', 'x']]))).status).toBe(400)
  })
})

describe('the system', () => {
  test('is searched by what all types have', async () => {
    await update(
      ctx,
      'Group',
      'g',
      resource('{"resourceType":"Group","id":"g","type":"person","actual":true}'),
    )
    expect((await search(ctx, undefined, [['_id', 'a,g']])).rows.map(({ key }) => key)).toEqual([
      'Patient/a',
      'Group/g',
    ])
    expect((await search(ctx, undefined, [['_type', 'Group']])).rows.map(({ key }) => key)).toEqual([
      'Group/g',
    ])
    expect((await refusal(search(ctx, undefined, [['family', 'x']]))).status).toBe(400)
  })
  test('has no unknown types', async () => expect((await refusal(find([], 'Patients'))).status).toBe(404))
})
