/** Every cell of the matrix of search has a case that finds something and one that leaves something out, or one that is refused. */
import { describe, expect, test } from 'vitest'
import { modifiersOf, paramModifiers } from '../../src/search/modifiers.ts'
import { caseRegistry, loadCases, stored } from './cases.ts'
import {
  allParams,
  cellsOfKind,
  filledBy,
  kinds,
  MODIFIERS,
  modifiersOfKind,
  valueTypes,
  WITHOUT_MEANING,
} from './matrix-cells.ts'

const files = loadCases()
const { found, left, refused, missing } = filledBy(files)

/** Cells in which R4's own words let nothing be found. */
const NEVER_FOUND: readonly [RegExp, string][] = [
  [/^date date (none|eq) (minute|second|fraction)/, 'a day is never within a part of it'],
  [/^token (id|string|uri) (system\|)/, 'such a value has no system'],
]

/** Cells in which nothing is left out. */
const NEVER_LEFT: readonly [RegExp, string][] = [
  [/^date date ne (minute|second|fraction)/, 'no day is within a part of it'],
  [/^token (id|string|uri) :not (system\|)/, 'such a value has no system'],
]

/** R4 wants the refusal: the presence of the pipe symbol SHALL NOT be used. */
const REFUSED = /^token (ContactPoint|boolean) (:not )?(system\||\|code)/

const isIn = (cell: string, list: readonly [RegExp, string][]): boolean =>
  list.some(([pattern]) => pattern.test(cell))

describe('a cell of type, FHIR type, modifier, prefix and form of value', () => {
  const rows = kinds().flatMap(kind => (modifiersOfKind(kind) ?? []).map(modifier => ({ kind, modifier })))

  test.each(rows)('$kind, modifier "$modifier": each has a case that finds a value', ({ kind, modifier }) => {
    const cells = cellsOfKind(kind, modifier).filter(one => !REFUSED.test(one) && !isIn(one, NEVER_FOUND))
    expect(cells.filter(one => !found.has(one))).toEqual([])
  })

  test.each(rows)(
    '$kind, modifier "$modifier": each has a case that leaves a value out',
    ({ kind, modifier }) => {
      const cells = cellsOfKind(kind, modifier).filter(one => !REFUSED.test(one) && !isIn(one, NEVER_LEFT))
      expect(cells.filter(one => !left.has(one))).toEqual([])
    },
  )

  test('nothing is found where it never can be, nothing left out where it never is', () => {
    expect([...found].filter(one => isIn(one, NEVER_FOUND))).toEqual([])
    expect([...left].filter(one => isIn(one, NEVER_LEFT))).toEqual([])
  })

  test('a pipe where values have no system has a case that is refused', () => {
    const cells = kinds().flatMap(kind =>
      (modifiersOfKind(kind) ?? []).flatMap(modifier => cellsOfKind(kind, modifier)),
    )
    expect(cells.filter(one => REFUSED.test(one) && !refused.has(one))).toEqual([])
  })

  test('a value that the search has no meaning for has a case in which it is missing', () => {
    expect(WITHOUT_MEANING.filter(kind => !missing.has(kind))).toEqual([])
  })

  test('the kinds of value that are met are those that are told apart here', () => {
    const told = kinds().filter(kind => modifiersOfKind(kind) !== undefined || WITHOUT_MEANING.includes(kind))
    expect(kinds()).toEqual(told)
  })
})

describe('a modifier', () => {
  test('is taken by a parameter exactly where R4 gives it a meaning on its values', () => {
    const wrong = allParams().flatMap(param => {
      const types = valueTypes(param)
      if (types.length === 0) return []
      const wanted = new Set(types.flatMap(type => modifiersOfKind(`${param.type} ${type}`) ?? []))
      wanted.delete('')
      // A hierarchy is a matter of the resources that are referred to; of canonicals :below is about the version.
      if (param.type === 'reference' && (param.hierarchies ?? []).length === 0) {
        wanted.delete('above')
        if (!types.includes('canonical')) wanted.delete('below')
      }
      const taken = paramModifiers(param)
      return [...wanted].sort().join() === [...taken].sort().join() ? [] : [`${param.name}: ${taken.join()}`]
    })
    expect(wrong).toEqual([])
  })

  test('that a type of parameter has is among those that the matrix knows', () => {
    const known = new Set(MODIFIERS.map(one => (one === 'Patient' ? '[type]' : one)))
    const types = [
      'token',
      'string',
      'date',
      'number',
      'quantity',
      'reference',
      'uri',
      'composite',
      'special',
    ] as const
    expect(types.flatMap(type => modifiersOf(type)).filter(one => !known.has(one))).toEqual([])
  })

  // Kinds that stand beside others in all parameters that have them are refused with these.
  const alone = new Set(
    allParams().flatMap(param => {
      const types = valueTypes(param)
      return types.length === 1 ? [`${param.type} ${types[0]}`] : []
    }),
  )
  test.each(kinds().filter(kind => alone.has(kind)))(
    'without a meaning on %s has a case that is refused',
    kind => {
      const takes = (modifiersOfKind(kind) ?? []).map(one => (one === '[type]' ? 'Patient' : one))
      const cells = MODIFIERS.filter(one => !takes.includes(one)).map(one => `${kind} :${one}`)
      expect(cells.filter(one => !refused.has(one))).toEqual([])
    },
  )
})

describe('a parameter that has no values of its own', () => {
  const refusals = new Set(
    files.flatMap(file =>
      file.cases.flatMap(one => (one.error === 'not-supported' ? [one.query.split('=')[0]] : [])),
    ),
  )
  test.each([
    ['code-value-quantity', ['missing']],
    ['near', ['missing']],
    ['_text', ['missing']],
    ['_content', ['missing']],
    ['_id', ['missing', 'not']],
    ['_lastUpdated', ['missing']],
    ['_filter', []],
    ['_list', []],
  ])('%s has a refused case for each modifier but %j', (code, takes: string[]) => {
    const wanted = MODIFIERS.filter(one => !takes.includes(one)).map(one => `${code}:${one}`)
    expect(wanted.filter(one => !refusals.has(one))).toEqual([])
  })
})

/** What is found, and what of the type is not, by the name and value of the query. */
const asked = files.flatMap(file =>
  file.cases
    .filter(one => one.expect !== undefined)
    .map(one => ({
      query: decodeURIComponent(one.query.replaceAll('+', ' ')),
      type: one.type,
      found: one.expect!.length > 0,
      left:
        one.expect!.length < file.resources.filter(({ type }) => one.type === '' || type === one.type).length,
    })),
)

const unfilled = (patterns: readonly (readonly [string, RegExp])[], way: 'found' | 'left'): string[] =>
  patterns.flatMap(([name, pattern]) =>
    asked.some(one => one[way] && pattern.test(one.query)) ? [] : [name],
  )

describe('composites', () => {
  const shapes = [...new Set(allParams().flatMap(one => (one.type === 'composite' ? [one.code] : [])))]

  test('are the sixteen of R4', () => expect(shapes).toHaveLength(16))

  test.each(['found', 'left'] as const)('each has a case in which something is %s', way => {
    expect(
      unfilled(
        shapes.map(code => [code, new RegExp(`^${code}=`)] as const),
        way,
      ),
    ).toEqual([])
  })

  test('each type that has one has one that can be searched by', () => {
    const broken = caseRegistry.types.flatMap(type =>
      caseRegistry.params(type).filter(one => one.type === 'composite' && one.composite === undefined),
    )
    expect(broken.map(one => one.name)).toEqual([])
  })

  // Each type of part, in each of its forms and with each prefix.
  const parts = [
    ...[/\w\$/, /=[^|$]+\|[^|$]+\$/, /=\|[^$]+\$/, /=[^|$]+\|\$/].map(one => ['token', one] as const),
    ...[/\$[\d.]+$/, /\$\w*[\d.]+\|http[^$]*$/, /\$\w*[\d.]+\|\|/].map(one => ['quantity', one] as const),
    ...['ne', 'gt', 'lt', 'ge', 'le', 'eb', 'ap'].map(
      one => ['quantity', new RegExp(`\\$${one}\\d`)] as const,
    ),
    ...['ne', 'gt', 'lt', 'le', 'sa'].map(
      one => ['date', new RegExp(`^code-value-date=.*\\$${one}\\d`)] as const,
    ),
    ['string', /^code-value-string/] as const,
    ['reference', /^relationship=DocumentReference\//] as const,
    ['reference', /^relationship=[^/]*$/] as const,
    ['reference', /^relationship=http/] as const,
  ].map(([name, pattern]) => [`${name} ${pattern}`, pattern] as const)
  test('each form of a part has a case that finds something', () =>
    expect(unfilled(parts, 'found')).toEqual([]))
})

describe('special parameters', () => {
  const WORDS: readonly (readonly [string, RegExp])[] = [
    ['one word', /^_(text|content)=\w+$/],
    ['and', /^_text=.* and /i],
    ['or', /^_text=.* or /i],
    ['not', /^_text=.*not /],
    ['parentheses', /^_text=.*\(/],
    ['Malayalam', /^_text=.*[\u0d00-\u0d7f]/],
    ['Hindi', /^_text=.*[\u0900-\u097f]/],
    ['_content', /^_content=/],
    ['_content in Malayalam', /^_content=.*[\u0d00-\u0d7f]/],
    ['_text:missing', /^_text:missing=true/],
    ['_text:missing', /^_text:missing=false/],
  ]
  const NEAR: readonly (readonly [string, RegExp])[] = [
    ['a place', /^near=[^|]+\|[^|]+$/],
    ['a place and a distance', /^near=[^|]+\|[^|]+\|[^|]+$/],
    ['kilometres', /^near=.*\|km$/],
    ['metres', /^near=.*\|m$/],
    ['miles', /^near=.*\|\[mi_i\]$/],
    ['no distance, a unit', /^near=.*\|\|m$/],
    ['near:missing', /^near:missing=true/],
    ['near:missing', /^near:missing=false/],
  ]
  const FILTERS: readonly (readonly [string, RegExp])[] = [
    ...['eq', 'ne', 'co', 'sw'].map(
      op => [`string ${op}`, new RegExp(`^_filter=(name|given|family) ${op} `)] as const,
    ),
    ...['eq', 'ne', 'in', 'ni', 'ss', 'sb'].map(
      op => [`token ${op}`, new RegExp(`^_filter=(gender|code) ${op} `)] as const,
    ),
    ...['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'po'].map(
      op => [`date ${op}`, new RegExp(`^_filter=(birthdate|date) ${op} `)] as const,
    ),
    ...['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'ap'].map(
      op => [`quantity ${op}`, new RegExp(`^_filter=value-quantity ${op} `)] as const,
    ),
    ['reference re', /^_filter=\S+ re /],
    ['pr', /^_filter=\S+ pr true/],
    ['pr', /^_filter=\S+ pr false/],
    ['and', /^_filter=.* and /],
    ['or', /^_filter=.* or /],
    ['not', /^_filter=.*not ?\(/],
    ['a chain', /^_filter=\w+\.\w+ /],
    ['a chain with a type', /^_filter=\w+:\w+\.\w+ /],
  ]
  const LINKS: readonly (readonly [string, RegExp])[] = [
    ['one link', /^[\w-]+(:\w+)?\.[\w-]+=/],
    ['two links', /^[\w-]+(:\w+)?\.[\w-]+(:\w+)?\.[\w-]+=/],
    ['three links', /^([\w-]+(:\w+)?\.){3}[\w-]+=/],
    ['four links', /^([\w-]+(:\w+)?\.){4}[\w-]+=/],
    ['a type', /^[\w-]+:[A-Z]\w+\.[\w-]+=/],
    ['a modifier', /^[\w-]+(:\w+)?\.[\w-]+:contains=/],
    [':not', /^[\w-]+(:\w+)?\.[\w-]+:not=/],
    [':missing', /^[\w-]+(:\w+)?\.[\w-]+:missing=/],
    ['a prefix', /^[\w-]+(:\w+)?\.[\w-]+=(lt|ge|sa)\d/],
    ['_id', /^[\w-]+\._id=/],
    ['_list behind it', /^[\w-]+\._list=/],
    ['a canonical', /^questionnaire\.title=/],
    ['_has', /^_has:\w+:\w+:[\w-]+=/],
    ['_has nested', /^_has:\w+:[\w-]+:_has:\w+:[\w-]+:[\w-]+=/],
    ['_has with a modifier', /^_has:\w+:[\w-]+:[\w-]+:not=/],
    ['_has with :missing', /^_has:\w+:[\w-]+:[\w-]+:missing=/],
    ['_has with a prefix', /^_has:\w+:[\w-]+:[\w-]+=gt/],
    ['_has behind a chain', /^[\w-]+(:\w+)?\._has:/],
    ['a chain behind _has', /^_has:\w+:[\w-]+:[\w-]+(:\w+)?\.\w+=/],
    ['_list', /^_list=/],
    ['_id', /^_id=/],
    ['_id:not', /^_id:not=/],
    ...['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'].map(
      op => [`_lastUpdated ${op}`, new RegExp(`^_lastUpdated=${op}`)] as const,
    ),
  ]
  // Order and all: near says nothing that leaves a place without a distance out, :missing=false among others.
  test.each(['found', 'left'] as const)('words: each form has a case in which something is %s', way =>
    expect(unfilled(WORDS, way)).toEqual([]),
  )
  test.each(['found', 'left'] as const)('near: each form has a case in which something is %s', way =>
    expect(unfilled(NEAR, way)).toEqual([]),
  )
  test.each(['found', 'left'] as const)('_filter: each operator has a case in which something is %s', way =>
    expect(unfilled(FILTERS, way)).toEqual([]),
  )
  test.each(['found', 'left'] as const)(
    'chains, _has, _list: each form has a case in which something is %s',
    way => expect(unfilled(LINKS, way)).toEqual([]),
  )

  test('are those of R4', () => {
    const special = allParams().filter(one => one.type === 'special')
    expect(special.map(one => one.name).sort()).toEqual(['Location.near', '_filter'])
  })
})

describe('a case fills a cell by what it asks and by what the resources hold', () => {
  const file = (query: string, expect: string[]) => [
    {
      name: 'x',
      resources: stored(
        [
          { resourceType: 'Observation', id: 'day', effectiveDateTime: '2013-05-05' },
          { resourceType: 'Observation', id: 'period', effectivePeriod: { start: '2013-05-05' } },
          { resourceType: 'Observation', id: 'none' },
        ],
        0,
      ),
      cases: [{ type: 'Observation', query, expect, why: '' }],
    },
  ]
  test.each([
    ['date=2013', ['day'], ['date dateTime none year'], ['date Period none year']],
    ['date=gt2013-01', ['day', 'period'], ['date dateTime gt month', 'date Period gt month'], []],
    ['date=2013', ['none'], [], ['date Period none year', 'date dateTime none year']],
    ['date=2013,2014', ['day'], [], []],
    ['date=2013&date=2014', ['day'], [], []],
  ])('%s finds %j', (query, expected, wantedFound, wantedLeft) => {
    const filled = filledBy(file(query, expected))
    const known = (cells: ReadonlySet<string>) =>
      [...cells].filter(cell => /^date (dateTime|Period) /.test(cell)).sort()
    expect(known(filled.found)).toEqual(wantedFound.sort())
    expect(known(filled.left)).toEqual(wantedLeft.sort())
  })
})
