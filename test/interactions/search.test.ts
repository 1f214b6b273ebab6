/** https://hl7.org/fhir/R4/search.html, https://hl7.org/fhir/R4/http.html#search */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { remove } from '../../src/interactions/delete.ts'
import { search } from '../../src/interactions/search.ts'
import { searchBundle } from '../../src/interactions/search-bundle.ts'
import { update } from '../../src/interactions/update.ts'
import type { Pairs } from '../../src/interactions/written.ts'
import { BASE } from '../settings.ts'
import { refusal, resource, type TestContext, testContext } from './context.ts'

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

describe('includes', () => {
  const observe = (id: string, members: string) =>
    update(
      ctx,
      'Observation',
      id,
      resource(`{"resourceType":"Observation","id":"${id}","status":"final","code":{"text":"x"},${members}}`),
    )
  const limited = (includes: number) => ({
    ...ctx,
    settings: { ...ctx.settings, limits: { ...ctx.settings.limits, includes } },
  })
  beforeEach(async () => {
    for (const id of ['o1', 'o2', 'o3']) await observe(id, '"subject":{"reference":"Patient/a"}')
    await observe(
      'all',
      '"focus":[{"reference":"Patient/a"},{"reference":"Patient/b"},{"reference":"Patient/c"}]',
    )
  })

  test.each([
    [
      'Patient',
      'a',
      '_revinclude',
      'Observation:subject',
      ['Observation/o1', 'Observation/o2', 'Observation/o3'],
    ],
    ['Observation', 'all', '_include', 'Observation:focus', ['Patient/a', 'Patient/b', 'Patient/c']],
  ] as const)('of %s are as many as the setting allows, and no more', async (type, id, name, value, keys) => {
    const pairs: Pairs = [
      ['_id', id],
      [name, value],
    ]
    const found = await search(limited(3), type, pairs)
    expect(found.included.map(({ key }) => key)).toEqual(keys)
    const error = await refusal(search(limited(2), type, pairs))
    expect([error.status, error.code, error.message]).toEqual([
      400,
      'too-costly',
      expect.stringContaining('NADI_INCLUDE_LIMIT'),
    ])
  })

  test('what is a match, or was included before, does not count against the limit', async () => {
    const pairs: Pairs = [
      ['_id', 'a,b,c'],
      ['_revinclude', 'Observation:focus'],
      ['_include:iterate', 'Observation:focus'],
    ]
    const found = await search(limited(1), 'Patient', pairs)
    expect(found.included.map(({ key }) => key)).toEqual(['Observation/all'])
  })

  test('bring no version of a resource that has been deleted', async () => {
    await observe(
      'old',
      '"focus":[{"reference":"Patient/a/_history/1"},{"reference":"Patient/b/_history/1"},{"reference":"Patient/b"}]',
    )
    const pairs: Pairs = [
      ['_id', 'old'],
      ['_include', 'Observation:focus'],
    ]
    const keys = async () => (await search(ctx, 'Observation', pairs)).included.map(({ key }) => key).sort()
    expect(await keys()).toEqual(['Patient/a', 'Patient/b'])
    await remove(ctx, 'Patient', 'b')
    expect(await keys()).toEqual(['Patient/a'])
    // Stored again it is there, and its versions are.
    await update(ctx, 'Patient', 'b', resource('{"resourceType":"Patient","id":"b"}'))
    expect(await keys()).toEqual(['Patient/a', 'Patient/b', 'Patient/b'])
  })

  test('cost one reading and one search for a level, however many they are', async () => {
    const asked: string[] = []
    const storage: typeof ctx.storage = Object.assign(Object.create(ctx.storage), {
      search: (...of: Parameters<typeof ctx.storage.search>) => {
        asked.push('search')
        return ctx.storage.search(...of)
      },
      readMany: (...of: Parameters<typeof ctx.storage.readMany>) => {
        asked.push('readMany')
        return ctx.storage.readMany(...of)
      },
    })
    const found = await search({ ...ctx, storage }, 'Patient', [
      ['_id', 'a,b'],
      ['_revinclude', 'Observation:subject'],
      ['_revinclude', 'Observation:focus'],
      ['_include:iterate', 'Observation:focus'],
    ])
    expect(found.included.map(({ key }) => key)).toEqual([
      'Observation/o1',
      'Observation/o2',
      'Observation/o3',
      'Observation/all',
      'Patient/c',
    ])
    // The matches; what refers to them; what that refers to.
    expect(asked).toEqual(['search', 'search', 'readMany'])
  })

  test('a cursor is good whatever comes along and however long the page is', async () => {
    const [, cursor] = pairsOf((await find([['_count', '2']])).link('next')).find(
      ([name]) => name === '_cursor',
    )!
    const page = await find([
      ['_count', '1'],
      ['_cursor', cursor],
      ['_revinclude', 'Observation:focus'],
      ['_explain', 'true'],
    ])
    expect([page.ids, page.included.map(({ key }) => key)]).toEqual(['c', ['Observation/all']])
  })
})

describe('a slow search', () => {
  test('is logged with its shape and the time of each phase, and nothing of what was asked or found', async () => {
    const lines: [string, Record<string, unknown> | undefined][] = []
    let now = 0
    const slow: TestContext = {
      ...ctx,
      // Each look at the clock finds ten milliseconds gone.
      tick: () => (now += 10),
      log: { ...ctx.log, warn: (message, fields) => lines.push([message, fields]) },
      settings: { ...ctx.settings, limits: { ...ctx.settings.limits, slowMs: 50 } },
    }
    const pairs: Pairs = [
      ['family:contains', 'nair'],
      ['_tag', 't'],
      ['_sort', '-birthdate'],
    ]
    const bundle = searchBundle(slow, await search(slow, 'Patient', pairs))
    expect(bundle).not.toContain('"mode":"outcome"')
    expect(lines).toHaveLength(1)
    const [message, fields] = lines[0]!
    expect(message).toBe('slow search')
    expect(fields).toMatchObject({
      ms: 60,
      parse: 10,
      plan: 10,
      query: 10,
      include: 10,
      render: 20,
      rows: 1,
      included: 0,
      parameters: ['family:contains', '_tag', '_sort'],
    })
    expect(JSON.stringify(fields)).not.toMatch(/nair/i)
    expect(fields?.shape).toBe('Patient: and(string Patient.family, token _tag) by -Patient.birthdate')
  })

  test('is logged with the index that drove it and the plan of the backend', async () => {
    const lines: Record<string, unknown>[] = []
    const slow: TestContext = {
      ...ctx,
      log: { ...ctx.log, warn: (_, fields) => lines.push(fields ?? {}) },
      settings: { ...ctx.settings, limits: { ...ctx.settings.limits, slowMs: 0 } },
    }
    searchBundle(slow, await search(slow, 'Patient', [['family', 'nair']]))
    expect(lines[0]?.driver).toContain('string Patient.family')
    expect(String(lines[0]?.plans)).toContain('SEARCH sv')
    // What `_explain` shows to who asks is not for the log.
    searchBundle(
      slow,
      await search(slow, 'Patient', [
        ['family', 'nair'],
        ['_explain', 'true'],
      ]),
    )
    expect(Object.keys(lines[1]!)).not.toContain('plans')
    expect(JSON.stringify(lines)).not.toMatch(/nair/i)
  })

  test('is logged though it was ended, and a quick one is not', async () => {
    const lines: unknown[] = []
    const late = { ...ctx, log: { ...ctx.log, warn: (_: string, fields: unknown) => lines.push(fields) } }
    const storage: typeof ctx.storage = Object.assign(Object.create(ctx.storage), {
      search: async () => {
        ctx.pass(70_000)
        throw new Error('ended')
      },
    })
    await expect(search({ ...late, storage }, 'Patient', [])).rejects.toThrow('ended')
    expect(lines).toMatchObject([{ query: 70_000, parse: 0, rows: 0 }])
    searchBundle(late, await search(late, 'Patient', []))
    expect(lines).toHaveLength(1)
  })
})

describe('a stored query', () => {
  const LONG: Pairs = [
    ['_count', '1'],
    ['family', 'Nair,Menon,Pillai'],
  ]
  const short = () => ({
    ...ctx,
    settings: { ...ctx.settings, limits: { ...ctx.settings.limits, url: 60 } },
  })
  const next = async () =>
    pairsOf((await search(short(), 'Patient', LONG)).links.find(one => one.relation === 'next')?.url)

  test('is kept for a day after it was last asked for', async () => {
    const pairs = await next()
    expect(pairs.map(([name]) => name)).toEqual(['_stored', '_cursor'])
    ctx.pass(24 * 3_600_000 - 1000)
    const page = await search(short(), 'Patient', pairs)
    expect(page.rows.map(({ key }) => key)).toEqual(['Patient/b'])
    // Its page named it again.
    ctx.pass(24 * 3_600_000 - 1000)
    expect((await search(short(), 'Patient', pairs)).rows).toHaveLength(1)
    ctx.pass(24 * 3_600_000 + 1)
    const error = await refusal(search(short(), 'Patient', pairs))
    expect([error.status, error.code]).toEqual([410, 'not-found'])
  })

  test('is for its asker alone', async () => {
    const pairs = await next()
    const other = { ...short(), principal: { id: 'other' } }
    expect((await refusal(search(other, 'Patient', pairs))).status).toBe(410)
  })
})
