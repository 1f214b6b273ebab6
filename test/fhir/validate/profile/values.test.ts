/** Values compared as JSON has them. https://hl7.org/fhir/R4/datatypes.html#decimal */
import { expect, it } from 'vitest'
import { parseJson } from '../../../../src/fhir/json.ts'
import { compare, equals, matches } from '../../../../src/fhir/validate/profile/values.ts'

const json = (text: string) => parseJson(text)

it('decimals are equal with the same precision', () => {
  expect(equals(json('[1.0]'), json('[1.0]'))).toBe(true)
  expect(equals(json('[1.0]'), json('[1.00]'))).toBe(false)
  expect(equals(json('[1.0]'), json('[10e-1]'))).toBe(true)
  expect(equals(json('[0.1234567890123456789]'), json('[0.1234567890123456788]'))).toBe(false)
  expect(matches(json('{"value":1.50}'), json('{"value":1.5}')!)).toBe(false)
})

it('decimals have an order in all their digits', () => {
  const [small, large] = [json('{"value":1234567890123456788.1}'), json('{"value":1234567890123456788.2}')]
  expect(compare(small, large!)).toBeLessThan(0)
  expect(compare(large, small!)).toBeGreaterThan(0)
})
