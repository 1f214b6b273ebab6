/** `$translate`. https://hl7.org/fhir/R4/conceptmap-operation-translate.html */
import { describe, expect, it } from 'vitest'
import { refusal } from '../interactions/context.ts'
import { call } from './context.ts'
import { contextWith, given, plain } from './terminology.ts'

const FROM = 'https://thanal.example.org/cs/from'
const TO = 'https://thanal.example.org/cs/to'
const MAP = 'https://thanal.example.org/map'

const map = (group: object, more: object = {}) => ({
  resourceType: 'ConceptMap',
  id: 'map',
  url: MAP,
  status: 'active',
  group: [{ source: FROM, target: TO, ...group }],
  ...more,
})

const colours = map({
  element: [
    { code: 'r', target: [{ code: 'red', display: 'Red', equivalence: 'equal' }] },
    {
      code: 'rb',
      display: 'Reddish blue',
      target: [
        { code: 'red', equivalence: 'narrower' },
        { code: 'blue', equivalence: 'wider' },
      ],
    },
    { code: 'none', target: [{ equivalence: 'unmatched', comment: 'no such colour' }] },
    { code: 'empty' },
    {
      code: 'g',
      target: [
        { code: 'green', equivalence: 'equal', dependsOn: [{ property: 'urn:light', value: 'day' }] },
        {
          code: 'grey',
          equivalence: 'equal',
          dependsOn: [{ property: 'urn:light', value: 'night' }],
          product: [{ property: 'urn:shade', system: TO, value: 'dark' }],
        },
      ],
    },
  ],
})

async function translate(parameters: Record<string, unknown>, resources: object[] = [colours], id = '') {
  const ctx = await contextWith(...resources)
  const answer = await call(ctx, 'translate', { type: 'ConceptMap', id }, given(parameters))
  const found = plain(answer)
  return { ...found, match: [found.match ?? []].flat() } as {
    result: boolean
    message?: string
    // biome-ignore lint/suspicious/noExplicitAny: matches are read field by field
    match: any[]
  }
}

describe('a mapping', () => {
  const red = {
    equivalence: 'equal',
    concept: { system: TO, code: 'red', display: 'Red' },
    source: MAP,
  }
  it('is found by the url of the map, as an instance, in a map that is sent, and without naming one', async () => {
    const code = { system: FROM, code: 'r' }
    const expected = { result: true, match: [red] }
    expect(await translate({ url: MAP, ...code })).toEqual(expected)
    expect(await translate(code, [colours], 'map')).toEqual(expected)
    expect(await translate({ conceptMap: colours, ...code }, [])).toEqual(expected)
    expect(await translate(code)).toEqual(expected)
    expect(await translate({ coding: code })).toEqual(expected)
    expect(await translate({ codeableConcept: { coding: [{ system: 'urn:x', code: 'r' }, code] } })).toEqual(
      expected,
    )
  })

  it('may be several, with their equivalences', async () => {
    const { match } = await translate({ url: MAP, system: FROM, code: 'rb' })
    expect(match.map(one => [one.equivalence, one.concept.code])).toEqual([
      ['narrower', 'red'],
      ['wider', 'blue'],
    ])
  })

  it('backwards has the equivalences turned round', async () => {
    const { match } = await translate({ url: MAP, system: TO, code: 'red', reverse: 'true' })
    expect(match.map(one => [one.equivalence, one.concept])).toEqual([
      ['equal', { system: FROM, code: 'r' }],
      ['wider', { system: FROM, code: 'rb', display: 'Reddish blue' }],
    ])
    expect((await translate({ system: TO, code: 'blue', reverse: 'true' })).match[0].equivalence).toBe(
      'narrower',
    )
  })

  it('goes to the target system that is asked for', async () => {
    const code = { system: FROM, code: 'r' }
    expect((await translate({ ...code, targetsystem: TO })).result).toBe(true)
    expect((await translate({ ...code, targetsystem: 'urn:other' })).result).toBe(false)
  })

  it('is of the map between the value sets that are asked for', async () => {
    const between = { ...colours, sourceCanonical: 'urn:vs:a|1', targetCanonical: 'urn:vs:b' }
    const code = { system: FROM, code: 'r' }
    expect((await translate({ ...code, source: 'urn:vs:a', target: 'urn:vs:b' }, [between])).result).toBe(
      true,
    )
    expect((await translate({ ...code, target: 'urn:vs:c' }, [between])).result).toBe(false)
  })
})

describe('no mapping', () => {
  it.each([['none'], ['empty'], ['unknown']])('of %s: the result is false', async code => {
    const found = await translate({ url: MAP, system: FROM, code })
    expect(found.result).toBe(false)
    expect(found.match.every(one => one.equivalence === 'unmatched')).toBe(true)
  })
  it('without a map that fits says so', async () => {
    expect(await translate({ system: 'urn:x', code: 'r' })).toEqual({
      result: false,
      message: 'There is no concept map for this code here.',
      match: [],
    })
  })
  it('with a map that is not here is 404', async () => {
    const ctx = await contextWith()
    const parameters = given({ url: 'urn:nobody', system: FROM, code: 'r' })
    const { status, code } = await refusal(call(ctx, 'translate', { type: 'ConceptMap' }, parameters))
    expect([status, code]).toEqual([404, 'not-found'])
  })
  it('without a system, or a code, is 400', async () => {
    const ctx = await contextWith()
    for (const parameters of [{ code: 'r' }, { system: FROM }])
      expect((await refusal(call(ctx, 'translate', { type: 'ConceptMap' }, given(parameters)))).status).toBe(
        400,
      )
  })
})

describe('what a mapping depends on', () => {
  const dependency = (code: string) => ({
    parts: [
      { name: 'element', value: 'urn:light' },
      { name: 'concept', value: { coding: [{ code }] } },
    ],
  })
  it('chooses between targets, and products come along', async () => {
    const day = await translate({ url: MAP, system: FROM, code: 'g', dependency: dependency('day') })
    expect(day.match.map(one => one.concept.code)).toEqual(['green'])
    const night = await translate({ url: MAP, system: FROM, code: 'g', dependency: dependency('night') })
    expect(night.match).toEqual([
      {
        equivalence: 'equal',
        concept: { system: TO, code: 'grey' },
        product: { element: 'urn:shade', concept: { system: TO, code: 'dark' } },
        source: MAP,
      },
    ])
  })
  it('is named where it was not sent', async () => {
    const without = await translate({ url: MAP, system: FROM, code: 'g' })
    expect(without).toMatchObject({ result: false, message: expect.stringContaining('urn:light') })
  })
})

describe('unmapped codes', () => {
  it('are taken as they are', async () => {
    const provided = map({ element: [], unmapped: { mode: 'provided' } })
    expect((await translate({ url: MAP, system: FROM, code: 'x' }, [provided])).match).toEqual([
      { equivalence: 'equal', concept: { system: TO, code: 'x' }, source: MAP },
    ])
  })
  it('all become one', async () => {
    const fixed = map({ element: [], unmapped: { mode: 'fixed', code: 'other', display: 'Other' } })
    expect((await translate({ url: MAP, system: FROM, code: 'x' }, [fixed])).match[0].concept).toEqual({
      system: TO,
      code: 'other',
      display: 'Other',
    })
  })
  it('are looked up in another map, and not for ever', async () => {
    const other = { ...colours, id: 'other', url: `${MAP}/other` }
    const first = map({ element: [], unmapped: { mode: 'other-map', url: `${MAP}/other` } })
    expect((await translate({ url: MAP, system: FROM, code: 'r' }, [first, other])).match).toMatchObject([
      { concept: { code: 'red' }, source: `${MAP}/other` },
    ])
    const circle = map({ element: [], unmapped: { mode: 'other-map', url: MAP } })
    expect((await translate({ url: MAP, system: FROM, code: 'r' }, [circle])).result).toBe(false)
  })
})

describe('the maps of R4', () => {
  it('are there at start, forwards and backwards', async () => {
    const V3 = 'http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender'
    const male = { system: 'http://hl7.org/fhir/administrative-gender', code: 'male', targetsystem: V3 }
    const forwards = await translate(male, [])
    expect(forwards.match.map(one => one.concept)).toEqual([{ system: V3, code: 'M' }])
    const back = await translate({ system: V3, code: 'M', reverse: 'true' }, [])
    expect(back.match.map(one => one.concept.code)).toEqual(['male'])
  })
})

describe('what a mapping depends on', () => {
  const LIGHT = 'https://thanal.example.org/cs/light'
  const bySystem = map({
    element: [
      {
        code: 'g',
        target: [
          {
            code: 'green',
            equivalence: 'equal',
            dependsOn: [{ property: 'urn:light', system: LIGHT, value: 'day' }],
          },
        ],
      },
    ],
  })
  const dependency = (system: string) => ({
    element: 'urn:light',
    concept: { coding: [{ system, code: 'day' }] },
  })
  const asked = { url: MAP, system: FROM, code: 'g' }
  const withDependency = async (system: string) => {
    const ctx = await contextWith(bySystem)
    const sent = [...given(asked), { name: 'dependency', value: { parts: given(dependency(system)) } }]
    return plain(await call(ctx, 'translate', { type: 'ConceptMap', id: '' }, sent as never))
  }
  it('is a code of its own system, and no other', async () => {
    expect((await withDependency(LIGHT)).result).toBe(true)
    expect((await withDependency('urn:other')).result).toBe(false)
  })
  it('comes out beside the code in the other direction', async () => {
    const { match } = await translate({ url: MAP, system: TO, code: 'green', reverse: 'true' }, [bySystem])
    expect(match).toEqual([
      {
        equivalence: 'equal',
        concept: { system: FROM, code: 'g' },
        product: { element: 'urn:light', concept: { system: LIGHT, code: 'day' } },
        source: MAP,
      },
    ])
  })
})

describe('several maps', () => {
  const one = (id: string, version: string, code: string, more: object = {}) => ({
    ...map({ element: [{ code: 'r', target: [{ code, equivalence: 'equal' }] }] }),
    id,
    version,
    ...more,
  })
  const codes = async (...maps: object[]) => {
    const { match } = await translate({ system: FROM, code: 'r' }, maps)
    return match.map(({ concept }) => concept.code)
  }
  it('of one url are asked in the version that is in force', async () => {
    expect(await codes(one('a', '2', 'old'), one('b', '10', 'new'))).toEqual(['new'])
    expect(await codes(one('a', '2', 'old'), one('b', '10', 'new', { status: 'draft' }))).toEqual(['old'])
    expect(await codes(one('a', '2', 'gone', { status: 'retired' }))).toEqual([])
  })
  it('that one refers to are asked for the target system, where the first leads to another', async () => {
    const other = {
      ...one('b', '1', 'x'),
      url: `${MAP}/other`,
      group: [
        {
          source: FROM,
          target: 'urn:third',
          element: [{ code: 'z', target: [{ code: 'Z', equivalence: 'equal' }] }],
        },
      ],
    }
    const first = map({
      element: [{ code: 'r', target: [{ code: 'red', equivalence: 'equal' }] }],
      unmapped: { mode: 'other-map', url: `${MAP}/other` },
    })
    const to = { url: MAP, system: FROM, targetsystem: 'urn:third' }
    expect((await translate({ ...to, code: 'z' }, [first, other])).match[0].concept.code).toBe('Z')
    expect((await translate({ ...to, code: 'r' }, [first, other])).match).toEqual([])
  })
})
