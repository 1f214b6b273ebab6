import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { NumberText, type Resource } from '../../src/fhir/json.ts'
import { decimalKey } from '../../src/lib/decimal.ts'
import { MAX_COMPOSITE_ROWS } from '../../src/search/composite-rows.ts'
import type { IndexRow } from '../../src/search/index-row.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { matches } from '../../src/search/match.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { planSearch } from '../../src/search/plan.ts'
import { createRegistry, type ParamDefinition, problemWith } from '../../src/search/registry.ts'

const options = { zone: 'UTC', references: 'off', baseUrl: 'http://example.org/fhir' } as const
const registry = createRegistry()
const index = createIndexer(registry, options)
const quantity = (value: string, more: object = {}) => ({ value: new NumberText(value), ...more })
const of = (rows: readonly IndexRow[], param: string) => rows.filter(row => row.param === param)

const finds = (query: string, resource: object, custom: readonly ParamDefinition[] = []): boolean => {
  const known = createRegistry(custom)
  const { resourceType } = resource as Resource
  const { plan } = planSearch(parseSearch([...new URLSearchParams(query)]), {
    registry: known,
    types: [resourceType],
    zone: 'UTC',
    baseUrl: options.baseUrl,
    now: 0,
  })
  const rows = createIndexer(known, options)(resource as Resource)
  return matches(plan, { type: resourceType, id: 'x', at: 0, rows })
}

describe('rows', () => {
  test('a component has its value once for each way to ask for its code', () => {
    const rows = index({
      resourceType: 'Observation',
      component: [
        { code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] }, valueQuantity: quantity('5') },
      ],
    } as unknown as Resource)
    const five = decimalKey('5')
    expect(of(rows, 'Observation.component-code-value-quantity')).toEqual(
      ['["8480-6"]', '["http://loinc.org","8480-6"]', '["http://loinc.org",0]'].map(unit => ({
        kind: 'quantity',
        param: 'Observation.component-code-value-quantity',
        unit,
        lo: five,
        hi: five,
      })),
    )
  })

  test('an Observation without components has none: its composites are planned on the rows that it has', () => {
    const rows = index({
      resourceType: 'Observation',
      code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
      valueQuantity: quantity('5'),
    } as unknown as Resource)
    expect(rows.filter(row => row.param.includes('code-value'))).toEqual([])
  })

  test('combo composites share the rows of those on components', () => {
    expect(registry.param('Observation', 'combo-code-value-quantity')?.composite?.within?.name).toBe(
      'Observation.component-code-value-quantity',
    )
  })

  test('a value without its partner has no row', () => {
    const rows = index({
      resourceType: 'Observation',
      component: [
        { valueQuantity: quantity('5') },
        { code: { coding: [{ code: 'x' }] } },
        { code: { text: 'y' }, valueQuantity: quantity('6') },
      ],
    } as unknown as Resource)
    expect(of(rows, 'Observation.component-code-value-quantity')).toEqual([])
  })

  test('a range that ends before it begins has none', () => {
    const variant = [{ start: new NumberText('9'), end: new NumberText('3') }]
    const referenceSeq = { chromosome: { coding: [{ code: '1' }] } }
    const rows = index({ resourceType: 'MolecularSequence', referenceSeq, variant } as unknown as Resource)
    expect(of(rows, 'MolecularSequence.chromosome-variant-coordinate')).toEqual([])
  })

  test('a resource whose values meet too often is refused, not stored by halves', () => {
    const coding = Array.from({ length: 100 }, (_, i) => ({ code: `c${i}` }))
    const resource = {
      resourceType: 'Observation',
      component: [{ code: { coding }, valueCodeableConcept: { coding } }],
    }
    let thrown: unknown
    try {
      index(resource as unknown as Resource)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(FhirError)
    expect((thrown as FhirError).code).toBe('too-costly')
    expect((thrown as FhirError).issues[0]!.diagnostics).toContain(String(MAX_COMPOSITE_ROWS))
  })
})

describe('no text that is sent can be taken for a form and a unit', () => {
  const component = (code: string, unit: string, system = '') => ({
    resourceType: 'Observation',
    component: [
      { code: { coding: [{ ...(system && { system }), code }] }, valueQuantity: quantity('5', { unit }) },
    ],
  })
  test.each([
    // The unit of one begins as the code of the other ends.
    [component('a', 'b'), 'a$5||b', true],
    [component('a"]|b', ''), 'a$5||b', false],
    [component('a|b', ''), 'a$5||b', false],
    [component('x|8480', ''), 'x|8480$5', false],
    [component('a', '|b'), 'a$5||\\|b', true],
    [component('a"],["b', 'c'), 'a$5', false],
    [component('b', 'c', 'a'), 'a$5||c', false],
    [component('0', 'c', 'a'), 'a\\|$5', false],
  ])('%#', (resource, value, found) => {
    expect(finds(`component-code-value-quantity=${encodeURIComponent(value)}`, resource)).toBe(found)
  })
})

describe('what would take for ever is refused, or is nothing', () => {
  const P = 'http://hl7.org/fhir/SearchParameter/'
  const types = (n: number) =>
    Array.from({ length: n }, () => ({ definition: `${P}Encounter-participant-type`, expression: 'type' }))
  const definition = (component: ParamDefinition['component']): ParamDefinition => ({
    code: 'parts',
    type: 'composite',
    base: ['Encounter'],
    expression: 'Encounter.participant',
    target: [],
    url: 'http://example.org/parts',
    version: '1',
    component: component!,
  })
  const codings = (n: number) => ({
    coding: Array.from({ length: n }, (_, i) => ({ system: 's', code: `c${i}` })),
  })
  const indexed = (component: ParamDefinition['component'], participant: object[]): IndexRow[] => {
    const own = createIndexer(createRegistry([definition(component)]), options)
    return of(own({ resourceType: 'Encounter', participant } as unknown as Resource), 'Encounter.parts@1')
  }

  test('nine concepts of twenty codings beside a reference that is a display alone have no rows', () => {
    const reference = { definition: `${P}Encounter-participant`, expression: 'individual' }
    expect(
      indexed([reference, ...types(9)], [{ individual: { display: 'x' }, type: [codings(20)] }]),
    ).toEqual([])
  })

  test('nor have any where one of two references is a display alone', () => {
    const reference = { definition: `${P}Encounter-participant`, expression: 'individual' }
    const by = { definition: `${P}Encounter-practitioner`, expression: 'extension.value' }
    const participant = { individual: { display: 'x' }, type: [codings(20)] }
    const more = { extension: [{ url: 'u', valueReference: { reference: 'Practitioner/p' } }] }
    expect(indexed([...types(8), by, reference], [{ ...participant, ...more }])).toEqual([])
  })

  test('nor are elements without number the same combinations again and again', () => {
    const participant = Array.from({ length: 20_000 }, () => ({ type: [codings(1)] }))
    expect(() => indexed(types(8), participant)).toThrow(String(MAX_COMPOSITE_ROWS))
  })

  test('what stands at the resource is read once for all elements', () => {
    const resource = {
      resourceType: 'MolecularSequence',
      referenceSeq: { chromosome: codings(3000) },
      variant: Array.from({ length: 20_000 }, () => ({ start: new NumberText('1') })),
    }
    expect(
      of(index(resource as unknown as Resource), 'MolecularSequence.chromosome-variant-coordinate'),
    ).toEqual([])
  })
})

describe('parameters of our own', () => {
  const own = (
    expression: string,
    component: [definition: string, expression: string][],
    base = 'Patient',
  ) => ({
    code: 'mine',
    type: 'composite',
    base: [base],
    expression,
    target: [],
    url: 'http://example.org/mine',
    component: component.map(([definition, expression]) => ({ definition, expression })),
  })
  const SP = 'http://hl7.org/fhir/SearchParameter'
  const family: [string, string] = [`${SP}/individual-family`, 'family']
  const use: ParamDefinition = {
    code: 'name-use',
    type: 'token',
    base: ['Patient'],
    expression: 'Patient.name.use',
    target: [],
    url: 'http://example.org/name-use',
  }
  const patient = {
    resourceType: 'Patient',
    birthDate: '1980-02-03',
    gender: 'female',
    name: [
      { use: 'official', family: 'Nair', period: { start: '2000-01-01' } },
      { use: 'maiden', family: 'Menon', period: { end: '1999-12-31' } },
    ],
  }

  test('a string beside a token, on one element', () => {
    const mine = own('Patient.name', [['http://example.org/name-use', 'use'], family])
    expect(finds('mine=official$nai', patient, [use, mine])).toBe(true)
    expect(finds('mine=official$men', patient, [use, mine])).toBe(false)
    expect(finds('mine=maiden$MEN', patient, [use, mine])).toBe(true)
  })

  test('a date beside a token, on one element', () => {
    const time = {
      ...use,
      code: 'name-time',
      type: 'date',
      expression: 'Patient.name.period',
      url: 'http://example.org/t',
    }
    const mine = own('Patient.name', [
      ['http://example.org/name-use', 'use'],
      ['http://example.org/t', 'period'],
    ])
    expect(finds('mine=official$ge2020', patient, [use, time, mine])).toBe(true)
    expect(finds('mine=maiden$ge2020', patient, [use, time, mine])).toBe(false)
    expect(finds('mine=maiden$lt1999', patient, [use, time, mine])).toBe(true)
  })

  test('on the resource itself', () => {
    const mine = own('Patient', [
      [`${SP}/individual-gender`, 'gender'],
      [`${SP}/individual-birthdate`, 'birthDate'],
    ])
    expect(finds('mine=female$1980-02', patient, [mine])).toBe(true)
    expect(finds('mine=male$1980-02', patient, [mine])).toBe(false)
  })

  test.each([
    [own('Patient.name', []), /no components/],
    [own('Patient.nothing', [family]), /"Patient.nothing" is not understood/],
    [
      own('Patient.name', [['http://example.org/unknown', 'use'], family]),
      /no search parameter http:\/\/example.org\/unknown/,
    ],
    [
      own('Patient.name', [[`${SP}/individual-family`, 'nothing']]),
      /"nothing" of its component "family" is not understood/,
    ],
    [own('Patient.name', [family, [`${SP}/individual-given`, 'given']]), /one at most may be a string/],
    [
      own('Patient', [[`${SP}/individual-gender`, 'name.use']]),
      /no search parameter has the values of its component "gender"/,
    ],
    [
      own('Patient.name', [[`${SP}/individual-birthdate`, 'family']]),
      /leads to no values of a date parameter/,
    ],
    [
      own('Observation', [[`${SP}/Observation-combo-code-value-quantity`, 'code']], 'Observation'),
      /is a composite parameter/,
    ],
  ])('%#: what cannot be searched by says why', (definition, why) => {
    const param = createRegistry([definition]).param(definition.base[0]!, 'mine')
    expect(param?.composite).toBeUndefined()
    expect(problemWith(definition, definition.base[0]!)).toMatch(why)
  })
})

test('every composite of R4 can be searched by', () => {
  const composites = registry.types.flatMap(type =>
    registry.params(type).filter(param => param.type === 'composite'),
  )
  expect(composites.length).toBeGreaterThan(60)
  expect(composites.filter(param => param.composite === undefined).map(param => param.name)).toEqual([])
})

test('the components of relationship are told by the types of their values', () => {
  const { codes, within } = registry.param('DocumentReference', 'relationship')!.composite!
  expect(codes).toEqual(['relatesto', 'relation'])
  expect(within!.parts.map(({ param }) => param.paths.map(path => path.type))).toEqual([
    ['Reference'],
    ['code'],
  ])
})
