import { expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { parseSearch, splitEscaped, unescapeValue } from '../../src/search/parse.ts'

test.each([
  ['family', 'x', { code: 'family', modifier: undefined, chain: undefined, values: ['x'] }],
  ['family:exact', 'x', { code: 'family', modifier: 'exact', chain: undefined, values: ['x'] }],
  [
    'subject:Patient.name:exact',
    'x',
    { code: 'subject', modifier: 'Patient', chain: 'name:exact', values: ['x'] },
  ],
  ['subject.name', 'x', { code: 'subject', modifier: undefined, chain: 'name', values: ['x'] }],
  [
    '_has:Observation:patient:code',
    'x',
    { code: '_has', modifier: undefined, chain: 'Observation:patient:code', values: ['x'] },
  ],
  [
    'identifier:of-type',
    'a|b|c',
    { code: 'identifier', modifier: 'of-type', chain: undefined, values: ['a|b|c'] },
  ],
  ['code', 'a,b', { code: 'code', modifier: undefined, chain: undefined, values: ['a', 'b'] }],
  ['code', 'a\\,b,c', { code: 'code', modifier: undefined, chain: undefined, values: ['a\\,b', 'c'] }],
  ['code', 'a\\\\,b', { code: 'code', modifier: undefined, chain: undefined, values: ['a\\\\', 'b'] }],
  ['code', 'a,,b,', { code: 'code', modifier: undefined, chain: undefined, values: ['a', 'b'] }],
])('%s=%s', (name, value, expected) => {
  expect(parseSearch([[name, value]])).toEqual([{ name, value, ...expected }])
})

test('parameters without a value are left out', () => {
  expect(
    parseSearch([
      ['family', ''],
      ['gender', 'male'],
    ]).map(one => one.name),
  ).toEqual(['gender'])
})

test.each([
  ['', 'x'],
  [':exact', 'x'],
  ['a b', 'x'],
  ['$where', 'x'],
  ['family:', 'x'],
  ['family:exact:contains', 'x'],
  ['.name', 'x'],
  ['family', 'a\\b'],
  ['family', 'a\\'],
  ['family', ',,'],
])('refuses %s=%s', (name, value) => {
  expect(() => parseSearch([[name, value]])).toThrow(FhirError)
})

test('splits where no backslash stands', () => {
  expect(splitEscaped('a|b\\|c|', '|', 'x')).toEqual(['a', 'b\\|c', ''])
  expect(splitEscaped('a\\\\|b', '|', 'x').map(unescapeValue)).toEqual(['a\\', 'b'])
  expect(unescapeValue('\\,\\$\\|\\\\')).toBe(',$|\\')
})
