import { describe, expect, test } from 'vitest'
import { type Json, type JsonObject, NumberText, type Resource } from '../../src/fhir/json.ts'
import { DECIMAL_MAX, DECIMAL_MIN, decimalKey, keyAbove, keyBelow } from '../../src/lib/decimal.ts'
import type { IndexRow } from '../../src/search/index-row.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { createRegistry } from '../../src/search/registry.ts'

const registry = createRegistry()
const options = { zone: 'Asia/Kolkata', references: 'off', baseUrl: 'http://example.org/fhir' } as const
const index = createIndexer(registry, options)
const enforcing = createIndexer(registry, { ...options, references: 'enforce' })

const rowsOf = (resource: unknown, param: string): IndexRow[] =>
  index(resource as Resource).filter(row => row.param === param && row.kind !== 'sort')
const sortOf = (resource: unknown, param: string): IndexRow | undefined =>
  index(resource as Resource).find(row => row.param === param && row.kind === 'sort')

describe('rows of a value', () => {
  test('a Coding has its system and code, and its text under :text', () => {
    const resource = {
      resourceType: 'Condition',
      code: { coding: [{ system: 's', code: 'c', display: 'Fever' }, { code: 'd' }], text: 'FEVER' },
    }
    expect(rowsOf(resource, 'Condition.code')).toEqual([
      { kind: 'token', param: 'Condition.code', system: 's', code: 'c' },
      { kind: 'token', param: 'Condition.code', system: '', code: 'd' },
    ])
    expect(rowsOf(resource, 'Condition.code:text')).toEqual([
      { kind: 'string', param: 'Condition.code:text', folded: 'fever', exact: '' },
    ])
    expect(sortOf(resource, 'Condition.code')).toEqual({
      kind: 'sort',
      param: 'Condition.code',
      min: 'c',
      max: 'd',
      of: 'token',
    })
  })

  test('of tokens the smallest and the largest code are the sort keys, whole and as they were sent', () => {
    const long = 'x'.repeat(300)
    const identifier = [{ system: 's' }, { value: long }, { value: 'b' }, { system: 's', value: 'B' }]
    expect(sortOf({ resourceType: 'Patient', identifier }, 'Patient.identifier')).toEqual({
      kind: 'sort',
      param: 'Patient.identifier',
      min: 'B',
      max: long,
      of: 'token',
    })
    // Rows without a code give no key.
    expect(sortOf({ resourceType: 'Patient', identifier: [{ system: 's' }] }, 'Patient.identifier')).toBe(
      undefined,
    )
    expect(sortOf({ resourceType: 'Condition', code: { text: 'fever' } }, 'Condition.code')).toBe(undefined)
  })

  test('a Period without an end reaches to the end of time', () => {
    const resource = { resourceType: 'Encounter', period: { start: '2020-01-01T00:00:00Z' } }
    expect(rowsOf(resource, 'Encounter.date')).toEqual([
      { kind: 'date', param: 'Encounter.date', lo: Date.UTC(2020, 0, 1), hi: 8_640_000_000_000_000 },
    ])
  })

  test('an instant is one millisecond, however it is written', () => {
    const resource = { resourceType: 'Observation', effectiveInstant: '2020-01-01T00:00:00Z' }
    const lo = Date.UTC(2020, 0, 1)
    expect(rowsOf(resource, 'Observation.date')).toEqual([
      { kind: 'date', param: 'Observation.date', lo, hi: lo + 1 },
    ])
  })

  test('a Quantity has a row for any unit, its coded unit, its code and its printed unit, none twice', () => {
    const quantity = { value: new NumberText('5.40'), unit: 'milligram', system: 'u', code: 'mg' }
    const units = (valueQuantity: Json) =>
      rowsOf({ resourceType: 'Observation', valueQuantity }, 'Observation.value-quantity').map(
        row => row.kind === 'quantity' && row.unit,
      )
    expect(units(quantity)).toEqual(['', 'u|mg', '|mg', '|milligram'])
    expect(units({ ...quantity, unit: 'mg' })).toEqual(['', 'u|mg', '|mg'])
    expect(units({ value: quantity.value })).toEqual([''])
    expect(units({ unit: 'mg' })).toEqual([])
  })

  test('a Quantity in UCUM stands in base units in place of its coded unit, where it can be converted', () => {
    const rows = (value: string, unit: JsonObject) =>
      rowsOf(
        {
          resourceType: 'Observation',
          valueQuantity: { value: new NumberText(value), system: 'http://unitsofmeasure.org', ...unit },
        },
        'Observation.value-quantity',
      ).map(row => (row.kind === 'quantity' ? [row.unit, row.lo, row.hi] : []))
    const key = decimalKey
    expect(rows('540', { code: 'mg/dL' })).toEqual([
      ['', key('540'), key('540')],
      ['=m-3.g', key('5400'), key('5400')],
      ['|mg/dL', key('540'), key('540')],
    ])
    expect(rows('98.6', { code: '[degF]', comparator: '<' })).toEqual([
      ['', DECIMAL_MIN, keyBelow(key('98.6'))],
      ['=K', DECIMAL_MIN, keyBelow(key('310.15'))],
      ['|[degF]', DECIMAL_MIN, keyBelow(key('98.6'))],
    ])
    expect(rows('-40', { code: 'Cel', comparator: '>' })[1]).toEqual([
      '=K',
      keyAbove(key('233.15')),
      DECIMAL_MAX,
    ])
    expect(rows('5', { code: '[iU]/L' }).map(([unit]) => unit)).toEqual([
      '',
      'http://unitsofmeasure.org|[iU]/L',
      '|[iU]/L',
    ])
    // No system or code that is sent makes the key of base units.
    expect(rows('5', { system: '=g', code: 'g' }).map(([unit]) => unit)).toEqual(['', '=g|g', '|g'])
    expect(rows('5', { system: '', code: '=g', unit: '=g' }).map(([unit]) => unit)).toEqual(['', '|=g'])
  })

  test('a position has degrees, where it lies on Earth', () => {
    const position = (longitude: Json, latitude: Json) =>
      rowsOf({ resourceType: 'Location', position: { longitude, latitude } }, 'Location.near')
    const number = (text: string) => new NumberText(text)
    expect(position(number('76.2673'), number('9.9312'))).toEqual([
      { kind: 'position', param: 'Location.near', latitude: 9.9312, longitude: 76.2673 },
    ])
    expect(position(number('-180'), number('90')).length).toBe(1)
    expect(position(number('180.5'), number('9'))).toEqual([])
    expect(position(number('76'), number('-91'))).toEqual([])
    expect(position(number('1e999'), number('9'))).toEqual([])
    expect(position('76', '9')).toEqual([])
    expect(position(number('76'), null)).toEqual([])
  })

  test('a Reference that is an address here has type and id, one elsewhere its URL', () => {
    const target = (reference: string) =>
      rowsOf({ resourceType: 'Observation', subject: { reference } }, 'Observation.subject')
    const row = { kind: 'reference', param: 'Observation.subject' }
    expect(target('Patient/1')).toEqual([{ ...row, type: 'Patient', id: '1', version: '' }])
    expect(target('http://example.org/fhir/Patient/1/_history/2')).toEqual([
      { ...row, type: 'Patient', id: '1', version: '2' },
    ])
    expect(target('http://elsewhere.org/Patient/1')).toEqual([
      { ...row, type: '', id: 'http://elsewhere.org/Patient/1', version: '' },
    ])
  })

  test('a Timing has one row from its first to its last moment', () => {
    const resource = {
      resourceType: 'Observation',
      effectiveTiming: {
        event: ['2020-03-01T00:00:00Z', '2020-01-01T00:00:00Z'],
        repeat: { boundsPeriod: { start: '2020-02-01T00:00:00Z', end: '2020-05-01T00:00:00Z' } },
      },
    }
    expect(rowsOf(resource, 'Observation.date')).toEqual([
      { kind: 'date', param: 'Observation.date', lo: Date.UTC(2020, 0, 1), hi: Date.UTC(2020, 4, 1) + 1000 },
    ])
  })

  test('a parameter that is the union of others has no rows of its own', () => {
    const rows = index({ resourceType: 'Observation', code: { coding: [{ code: 'c' }] } })
    expect(rows.some(row => row.param === 'Observation.combo-code')).toBe(false)
    expect(registry.param('Observation', 'combo-code')!.rows).toEqual([
      'Observation.code',
      'Observation.component-code',
    ])
  })

  test('no row stands twice, however many values there are', () => {
    const coding = Array.from({ length: 500 }, (_, i) => ({ system: 's', code: `c${i % 100}` }))
    const rows = rowsOf({ resourceType: 'Condition', code: { coding } }, 'Condition.code')
    expect(rows.length).toBe(100)
    expect(new Set(rows.map(row => JSON.stringify(row))).size).toBe(100)
  })

  test('ids and stamps have no rows', () => {
    const rows = index({ resourceType: 'Patient', id: 'x', meta: { lastUpdated: '2020-01-01T00:00:00Z' } })
    expect(rows.map(row => row.param)).toEqual(['Patient.deceased', 'Patient.deceased'])
  })
})

describe('every literal reference, where integrity is enforced', () => {
  const all = (resource: unknown) =>
    enforcing(resource as Resource).flatMap(row =>
      row.kind === 'reference' && row.param === '_reference' ? [`${row.type}/${row.id}`] : [],
    )

  test('in elements, extensions and contained resources; each target once', () => {
    expect(
      all({
        resourceType: 'Observation',
        subject: { reference: 'Patient/1' },
        performer: [
          { reference: 'http://example.org/fhir/Practitioner/2' },
          { reference: 'Patient/1/_history/3' },
        ],
        extension: [{ url: 'u', valueReference: { reference: 'Device/4' } }],
        contained: [{ resourceType: 'Specimen', id: 's', subject: { reference: 'Group/5' } }],
        device: { reference: '#s' },
        focus: [{ reference: 'http://elsewhere.org/Patient/6' }, { reference: 'urn:uuid:7' }],
      }).sort(),
    ).toEqual(['Device/4', 'Group/5', 'Patient/1', 'Practitioner/2'])
  })

  test('not in the entries of a Bundle, which are no records of this server', () => {
    expect(
      all({
        resourceType: 'Bundle',
        type: 'collection',
        entry: [{ resource: { resourceType: 'Observation', subject: { reference: 'Patient/1' } } }],
        signature: { who: { reference: 'Practitioner/9' } },
      }),
    ).toEqual(['Practitioner/9'])
  })

  test('and none where it is off', () => {
    const rows = index({ resourceType: 'Observation', subject: { reference: 'Patient/1' } })
    expect(rows.some(row => row.param === '_reference')).toBe(false)
  })
})

describe('hostile resources', () => {
  test('values of the wrong shape give no rows and no error', () => {
    const wrong: Json[] = [
      null,
      true,
      'x',
      new NumberText('1'),
      [],
      [null],
      [[]],
      {},
      { coding: 'x' },
      [{ coding: [null, 'x', []] }],
    ]
    for (const type of ['Patient', 'Observation', 'Encounter', 'ValueSet', 'Bundle', 'RiskAssessment'])
      for (const value of wrong) {
        const resource: Resource = { resourceType: type }
        for (const param of registry.params(type))
          for (const path of [...param.paths, ...param.paths.flatMap(one => one.truth ?? [])]) {
            const first = path.steps[0]
            if (first?.is === 'get') resource[first.key] = value
          }
        expect(() => enforcing(resource)).not.toThrow()
      }
  })

  test('a type that does not exist has no rows and is not remembered', () => {
    for (let i = 0; i < 100; i++) expect(index({ resourceType: `X${i}` }).length).toBe(0)
    expect(index({ resourceType: 'constructor', name: [{ text: 'x' }] } as unknown as Resource)).toEqual([])
    expect(index({ resourceType: '__proto__' } as unknown as Resource)).toEqual([])
  })

  test('a hundred thousand values cost time by their number only', () => {
    const identifier = Array.from({ length: 100_000 }, (_, i) => ({ system: 's', value: `${i}` }))
    const start = performance.now()
    expect(index({ resourceType: 'Patient', identifier }).length).toBeGreaterThan(100_000)
    expect(performance.now() - start).toBeLessThan(5000)
  })
})
