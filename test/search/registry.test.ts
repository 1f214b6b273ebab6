import { describe, expect, test } from 'vitest'
import { createRegistry } from '../../src/search/registry.ts'

const registry = createRegistry()

test('knows all types of R4', () => {
  // https://hl7.org/fhir/R4/resourcelist.html: 148 with the abstract two, which no one stores.
  expect(registry.types.length).toBe(146)
  expect(registry.types).toContain('Patient')
  expect(registry.types).not.toContain('DomainResource')
})

test('each parameter of an indexed type leads to values in each of its types', () => {
  const empty = registry.types.flatMap(type =>
    registry
      .params(type)
      .filter(param => param.paths.length === 0)
      .filter(param => !['composite', 'special'].includes(param.type))
      .map(param => param.name),
  )
  // Those without an expression, and those that are columns.
  expect([...new Set(empty)].sort()).toEqual(['_content', '_id', '_lastUpdated', '_query', '_text'])
})

describe('names', () => {
  test('a parameter of a type carries its type, one of all resources does not', () => {
    expect(registry.param('Patient', 'family')?.name).toBe('Patient.family')
    expect(registry.param('Patient', '_tag')?.name).toBe('_tag')
    expect(registry.param('Observation', '_tag')?.name).toBe('_tag')
  })

  test('a parameter that many types share has for each its own expression', () => {
    expect(registry.param('Observation', 'date')?.expression).toBe('Observation.effective')
    expect(registry.param('Encounter', 'date')?.expression).toBe('Encounter.period')
  })

  test('a Bundle is no DomainResource', () => {
    expect(registry.param('Bundle', '_text')).toBeUndefined()
    expect(registry.param('Patient', '_text')).toBeDefined()
  })

  test.each(['constructor', '__proto__', 'toString', 'Family', ''])('there is no parameter %j', code => {
    expect(registry.param('Patient', code)).toBeUndefined()
  })

  test.each(['constructor', '__proto__', 'patient', ''])(
    'type %j has only the parameters of all resources',
    type => {
      expect(registry.params(type).every(param => param.name.startsWith('_'))).toBe(true)
    },
  )
})

test('a choice is resolved to the elements that JSON has', () => {
  const steps = registry.param('Observation', 'date')!.paths.map(path => path.steps)
  expect(steps).toEqual(
    ['effectiveDateTime', 'effectivePeriod', 'effectiveTiming', 'effectiveInstant'].map(key => [
      { is: 'get', key },
    ]),
  )
})

test('a parameter of our own is known beside those of R4', () => {
  const own = createRegistry(
    [
      {
        code: 'abha',
        type: 'token',
        base: ['Patient'],
        expression: "Patient.identifier.where(system='https://healthid.abdm.gov.in')",
        target: [],
        url: 'http://example.org/SearchParameter/abha',
      },
    ],
    3,
  )
  expect(own.epoch).toBe(3)
  expect(own.param('Patient', 'abha')?.paths[0]?.steps).toEqual([
    { is: 'get', key: 'identifier' },
    { is: 'equals', key: 'system', value: 'https://healthid.abdm.gov.in' },
  ])
})
