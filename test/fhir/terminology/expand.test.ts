/** The codes of value sets. https://hl7.org/fhir/R4/valueset.html#compositions */
import { describe, expect, it } from 'vitest'
import { parseJson, type Resource } from '../../../src/fhir/json.ts'
import { readCodeSystem } from '../../../src/fhir/terminology/code-system.ts'
import { expandValueSet } from '../../../src/fhir/terminology/expand.ts'
import type { Coded, Definitions } from '../../../src/fhir/terminology/expand-work.ts'

const SITE = 'https://thanal.example.org/site'
const OTHER = 'https://thanal.example.org/other'

/**
 * body > limb > arm > hand, and limb > leg; hand is below "paired" by its property too; old is retired.
 */
const site = {
  resourceType: 'CodeSystem',
  url: SITE,
  content: 'complete',
  hierarchyMeaning: 'is-a',
  property: [
    { code: 'up', uri: 'http://hl7.org/fhir/concept-properties#parent', type: 'code' },
    { code: 'side', type: 'string' },
    { code: 'weight', type: 'decimal' },
  ],
  concept: [
    {
      code: 'body',
      concept: [
        {
          code: 'limb',
          concept: [
            {
              code: 'arm',
              property: [{ code: 'side', valueString: 'left' }],
              concept: [{ code: 'hand', display: 'Hand', property: [{ code: 'up', valueCode: 'paired' }] }],
            },
            { code: 'leg', property: [{ code: 'side', valueString: 'right' }] },
          ],
        },
      ],
    },
    { code: 'paired' },
    { code: 'old', property: [{ code: 'status', valueCode: 'retired' }] },
  ],
}

const resource = (tree: unknown): Resource => parseJson(JSON.stringify(tree)) as Resource

function definitions(
  valueSets: Record<string, unknown>,
  codeSystems: readonly unknown[] = [site],
): Definitions {
  const systems = codeSystems.map(one => readCodeSystem(resource(one)))
  return {
    async valueSet(canonical) {
      const found = valueSets[canonical]
      return found === undefined
        ? undefined
        : Array.isArray(found)
          ? (found as Coded[])
          : resource({ resourceType: 'ValueSet', ...(found as object) })
    },
    codeSystem: async canonical => systems.find(system => system.url === canonical),
  }
}

/** Codes of the value set `a`, sorted; or the sentence that says why not. */
async function codes(valueSets: Record<string, unknown>, codeSystems?: readonly unknown[]) {
  const expansion = await expandValueSet('a', definitions(valueSets, codeSystems))
  return 'unknown' in expansion ? expansion.unknown : expansion.codes.map(({ code }) => code).sort()
}
const include = (...parts: object[]) => ({ a: { compose: { include: parts } } })
const filtered = (property: string, op: string, value: string) =>
  codes(include({ system: SITE, filter: [{ property, op, value }] }))

const ALL = ['arm', 'body', 'hand', 'leg', 'limb', 'old', 'paired']

describe('an include', () => {
  it('of a system alone selects all its codes, nested ones too', async () => {
    expect(await codes(include({ system: SITE }))).toEqual(ALL)
  })

  it('of concepts selects these, of a system that is not on the server too', async () => {
    const expansion = await expandValueSet(
      'a',
      definitions(
        include({ system: OTHER, version: '2', concept: [{ code: 'x', display: 'An x' }, { code: 'y' }] }),
      ),
    )
    expect(expansion).toMatchObject({
      codes: [
        { system: OTHER, code: 'x', version: '2', display: 'An x' },
        { system: OTHER, code: 'y', version: '2' },
      ],
    })
  })

  it('of several parts is their union, each code once', async () => {
    const both = include(
      { system: SITE, concept: [{ code: 'arm' }] },
      { system: SITE, concept: [{ code: 'arm' }, { code: 'leg' }] },
    )
    expect(await codes(both)).toEqual(['arm', 'leg'])
  })

  it('of several value sets is their intersection; with a system, of that too', async () => {
    const sets = {
      b: { compose: { include: [{ system: SITE, concept: [{ code: 'arm' }, { code: 'leg' }] }] } },
      c: { compose: { include: [{ system: SITE, concept: [{ code: 'leg' }, { code: 'old' }] }] } },
      d: { compose: { include: [{ system: OTHER, concept: [{ code: 'leg' }] }] } },
    }
    expect(await codes({ ...include({ valueSet: ['b', 'c'] }), ...sets })).toEqual(['leg'])
    expect(await codes({ ...include({ valueSet: ['b'] }, { valueSet: ['c'] }), ...sets })).toEqual([
      'arm',
      'leg',
      'old',
    ])
    expect(await codes({ ...include({ system: SITE, valueSet: ['c'] }), ...sets })).toEqual(['leg', 'old'])
    expect(await codes({ ...include({ valueSet: ['b', 'd'] }), ...sets }), 'of another system').toEqual([])
  })

  it('takes codes that are known without a ValueSet', async () => {
    expect(
      await codes({ ...include({ valueSet: ['known'] }), known: [{ system: SITE, code: 'arm' }] }),
    ).toEqual(['arm'])
  })
})

describe('an exclude', () => {
  it('takes away what it selects', async () => {
    const a = {
      compose: {
        include: [{ system: SITE }],
        exclude: [
          { system: SITE, filter: [{ property: 'concept', op: 'is-a', value: 'limb' }] },
          { system: OTHER, concept: [{ code: 'body' }] },
        ],
      },
    }
    expect(await codes({ a })).toEqual(['body', 'old', 'paired'])
  })

  it('that cannot be listed makes all unknown', async () => {
    const a = { compose: { include: [{ system: SITE }], exclude: [{ valueSet: ['nowhere'] }] } }
    expect(await codes({ a })).toMatch(/no such ValueSet/)
  })
})

describe('a filter', () => {
  it.each([
    ['concept', 'is-a', 'limb', ['arm', 'hand', 'leg', 'limb']],
    ['concept', 'is-a', 'paired', ['hand', 'paired']],
    ['concept', 'descendent-of', 'limb', ['arm', 'hand', 'leg']],
    ['concept', 'is-not-a', 'limb', ['body', 'old', 'paired']],
    ['concept', 'generalizes', 'hand', ['arm', 'body', 'hand', 'limb', 'paired']],
    ['concept', 'in', 'arm, leg,nothing', ['arm', 'leg']],
    ['concept', 'not-in', 'arm,leg', ['body', 'hand', 'limb', 'old', 'paired']],
    ['side', '=', 'left', ['arm']],
    ['side', 'exists', 'true', ['arm', 'leg']],
    ['side', 'exists', 'false', ['body', 'hand', 'limb', 'old', 'paired']],
    ['parent', '=', 'limb', ['arm', 'leg']],
    ['child', 'exists', 'false', ['hand', 'leg', 'old']],
    ['code', 'regex', '.*[aA].*', ['arm', 'hand', 'paired']],
    ['display', 'regex', 'H\\w+', ['hand']],
    ['weight', 'exists', 'true', []],
  ])('%s %s %s', async (property, op, value, expected) => {
    expect(await filtered(property, op, value)).toEqual(expected)
  })

  it('stands beside others, which must all hold', async () => {
    const filter = [
      { property: 'concept', op: 'is-a', value: 'limb' },
      { property: 'side', op: 'exists', value: 'true' },
      { property: 'concept', op: 'not-in', value: 'leg' },
    ]
    expect(await codes(include({ system: SITE, filter }))).toEqual(['arm'])
  })

  it.each([
    ['colour', '=', 'red', /no property "colour"/],
    ['side', 'is-a', 'left', /"is-a" is understood of "concept"/],
    ['side', 'near', 'left', /"near", which R4 does not know/],
    ['side', 'exists', 'maybe', /neither true nor false/],
    ['code', 'regex', '(a+)+b', /regular expression/],
  ])('%s %s %s is not understood', async (property, op, value, expected) => {
    expect(await filtered(property, op, value)).toMatch(expected)
  })
})

describe('codes that cannot be listed', () => {
  it('says what to store', async () => {
    expect(await codes({})).toBe(
      'The codes of the value set "a" cannot be listed: this server has no such ValueSet; store it here.',
    )
    expect(await codes(include({ system: OTHER }))).toMatch(
      /no CodeSystem "https:\/\/thanal.example.org\/other"; store it/,
    )
    expect(await codes(include({ valueSet: ['b'] }))).toMatch(/it includes "b", and this server has no such/)
    expect(await codes(include({ system: SITE }), [{ ...site, content: 'fragment' }])).toMatch(/not complete/)
    expect(await codes({ a: {} })).toMatch(/neither a compose nor an expansion/)
    expect(await codes(include({}))).toMatch(/neither a system nor a valueSet/)
  })

  it('are told of value sets that include each other, and of deep ones', async () => {
    const to = (url: string) => ({ compose: { include: [{ valueSet: [url] }] } })
    expect(await codes({ a: to('b'), b: to('c'), c: to('a') })).toMatch(/"a" includes itself/)
    const deep: Record<string, unknown> = { a: to('v1') }
    for (let n = 1; n < 40; n++) deep[`v${n}`] = to(`v${n + 1}`)
    expect(await codes(deep)).toMatch(/more than 16 deep/)
  })

  it('are told of more codes than are listed', async () => {
    const concept = Array.from({ length: 10_001 }, (_, n) => ({ code: `c${n}` }))
    expect(await codes(include({ system: OTHER, concept }))).toMatch(/more than 10000 codes/)
    expect(await codes(include({ system: OTHER, concept: concept.slice(1) }))).toHaveLength(10_000)
  })

  it('do not fetch without end', async () => {
    const wide = include(...Array.from({ length: 300 }, (_, n) => ({ valueSet: [`v${n}`] })))
    const sets = Object.fromEntries(
      Array.from({ length: 300 }, (_, n) => [
        `v${n}`,
        { compose: { include: [{ system: SITE, concept: [{ code: 'x' }] }] } },
      ]),
    )
    expect(await codes({ ...wide, ...sets })).toMatch(/more than 200 value sets and code systems/)
  })
})

describe('a stored expansion', () => {
  const contains = [
    { system: SITE, code: 'arm', contains: [{ system: SITE, code: 'hand' }] },
    { system: SITE, code: 'group', abstract: true, contains: [{ system: SITE, code: 'leg' }] },
    { display: 'a heading' },
  ]
  it('stands in where the compose cannot be worked out, and only then', async () => {
    const away = { compose: { include: [{ system: OTHER }] } }
    expect(await codes({ a: { ...away, expansion: { contains } } })).toEqual(['arm', 'hand', 'leg'])
    expect(await codes({ a: { expansion: { contains } } })).toEqual(['arm', 'hand', 'leg'])
    const here = { compose: { include: [{ system: SITE, concept: [{ code: 'body' }] }] } }
    expect(await codes({ a: { ...here, expansion: { contains } } })).toEqual(['body'])
  })

  it.each([
    ['total', { total: 6, contains }],
    ['offset', { offset: 10, contains }],
    [
      'extension',
      {
        contains,
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed', valueBoolean: true }],
      },
    ],
  ])('that is a part by its %s is not taken for the whole', async (_, expansion) => {
    expect(await codes({ a: { expansion } })).toMatch(/a part of the whole/)
  })
})

describe('inactive codes', () => {
  it('are left out where compose.inactive is false', async () => {
    const of = (inactive?: boolean) => ({
      a: { compose: { ...(inactive === undefined ? {} : { inactive }), include: [{ system: SITE }] } },
    })
    expect(await codes(of(false))).toEqual(ALL.filter(code => code !== 'old'))
    expect(await codes(of(true))).toEqual(ALL)
    expect(await codes(of())).toEqual(ALL)
    const listed = {
      compose: { inactive: false, include: [{ system: SITE, concept: [{ code: 'old' }, { code: 'arm' }] }] },
    }
    expect(await codes({ a: listed })).toEqual(['arm'])
  })
})

describe('a hierarchy', () => {
  const meaning = (hierarchyMeaning: string) =>
    codes(include({ system: SITE, filter: [{ property: 'concept', op: 'is-a', value: 'limb' }] }), [
      { ...site, hierarchyMeaning },
    ])

  it('of nested concepts subsumes only where it means is-a', async () => {
    expect(await meaning('part-of')).toEqual(['limb'])
    expect(await meaning('is-a')).toEqual(['arm', 'hand', 'leg', 'limb'])
  })

  it('that runs in a circle is walked once', async () => {
    const circle = {
      resourceType: 'CodeSystem',
      url: SITE,
      content: 'complete',
      concept: [
        { code: 'limb', property: [{ code: 'parent', valueCode: 'arm' }] },
        { code: 'arm', property: [{ code: 'subsumedBy', valueCode: 'limb' }] },
      ],
    }
    const found = await codes(
      include({ system: SITE, filter: [{ property: 'concept', op: 'is-a', value: 'limb' }] }),
      [circle],
    )
    expect(found).toEqual(['arm', 'limb'])
  })
})

describe('what would keep the server from everything else is refused', () => {
  const large = readCodeSystem(
    resource({
      resourceType: 'CodeSystem',
      url: SITE,
      content: 'complete',
      concept: Array.from({ length: 2000 }, (_, i) => ({
        code: `c${i}`,
        display: 'a'.repeat(1000),
        property: [{ code: 'parent', valueCode: `c${i + 1}` }],
      })),
    }),
  )
  const repeated = (filter: object, times: number): object => ({
    system: SITE,
    filter: [...Array.from({ length: times }, () => filter), { property: 'code', op: '=', value: 'c1' }],
  })
  const why = async (includes: object[], more: object = {}): Promise<string> => {
    const found = await expandValueSet('v', {
      valueSet: async canonical =>
        resource(
          canonical === 'v' ? { resourceType: 'ValueSet', compose: { include: includes, ...more } } : all,
        ),
      codeSystem: async () => large,
    })
    return 'unknown' in found ? found.unknown : String(found.codes.length)
  }
  const all = { resourceType: 'ValueSet', compose: { include: [{ system: SITE }] } }
  const tooMuch = expect.stringContaining('too much work')

  it('regular expressions on long displays', async () => {
    const filter = { property: 'display', op: 'regex', value: 'a{0,250}a*' }
    expect(await why([repeated(filter, 100)])).toEqual(tooMuch)
  })

  it('long ways up a hierarchy', async () => {
    const filter = { property: 'concept', op: 'is-a', value: 'c2000' }
    expect(await why([repeated(filter, 6000)])).toEqual(tooMuch)
  })

  it('one filter again and again', async () => {
    expect(await why([repeated({ property: 'display', op: 'exists', value: 'true' }, 6000)])).toEqual(tooMuch)
  })

  it('one value set included, excluded or crossed with itself again and again', async () => {
    const other = { valueSet: ['other'] }
    const often = Array.from({ length: 6000 }, () => other)
    expect(await why(often)).toEqual(tooMuch)
    expect(await why([other], { exclude: often })).toEqual(tooMuch)
    expect(await why([{ valueSet: Array.from({ length: 6000 }, () => 'other') }])).toEqual(tooMuch)
  })

  it('and nothing that people ask', async () => {
    const filter = { property: 'display', op: 'regex', value: 'a+' }
    expect(await why([repeated(filter, 1)])).toBe('1')
  })
})

it('a filter names a property as its system does, or as R4 does', async () => {
  const system = {
    resourceType: 'CodeSystem',
    url: SITE,
    content: 'complete',
    property: [{ code: 'abs', uri: 'http://hl7.org/fhir/concept-properties#notSelectable', type: 'boolean' }],
    concept: [{ code: 'a', property: [{ code: 'abs', valueBoolean: true }] }, { code: 'b' }],
  }
  for (const property of ['abs', 'notSelectable']) {
    const filter = [{ property, op: '=', value: 'true' }]
    const compose = { include: [{ system: SITE, filter }] }
    const found = await expandValueSet('urn:v', definitions({ 'urn:v': { compose } }, [system]))
    expect('codes' in found && found.codes.map(({ code }) => code)).toEqual(['a'])
  }
})

it('an exclude of a system that is not held leaves codes of other systems as they are, and no others known', async () => {
  const exclude = [{ system: 'urn:not-held' }]
  const sets = {
    'urn:own': { compose: { include: [{ system: SITE, concept: [{ code: 'arm' }] }], exclude } },
    'urn:both': { compose: { include: [{ system: 'urn:not-held', concept: [{ code: 'x' }] }], exclude } },
  }
  const own = await expandValueSet('urn:own', definitions(sets))
  expect('codes' in own && own.codes.map(({ code }) => code)).toEqual(['arm'])
  expect(await expandValueSet('urn:both', definitions(sets))).toMatchObject({ kind: 'not-found' })
})
