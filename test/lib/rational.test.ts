/** Decimal keys times fractions; expected numbers worked out by hand. */
import { describe, expect, test } from 'vitest'
import { decimalKey, scale } from '../../src/lib/decimal.ts'
import { multipliedKey, ONE, power, type Rational, reduced, times } from '../../src/lib/rational.ts'

const fraction = (n: bigint, d: bigint, e = 0): Rational => reduced({ n, d, e })
const product = (text: string, factor: Rational, offset?: string) =>
  multipliedKey(decimalKey(text), factor, offset === undefined ? undefined : scale(offset))

describe('fractions', () => {
  test('have one form', () => {
    expect(fraction(4n, 6n)).toEqual({ n: 2n, d: 3n, e: 0 })
    expect(fraction(1n, 60n)).toEqual(fraction(10n, 600n))
    expect(fraction(1n, 8n)).toEqual({ n: 125n, d: 1n, e: -3 })
    expect(fraction(4500n, 1n)).toEqual({ n: 45n, d: 1n, e: 2 })
    expect(reduced(times(fraction(5n, 9n), fraction(9n, 5n)))).toEqual(ONE)
    expect(power(fraction(2n, 3n, 1), -2)).toEqual({ n: 9n, d: 4n, e: -2 })
  })
})

describe('products', () => {
  test('are exact where they have an end', () => {
    expect(product('150', fraction(45359237n, 100000000n))).toBe(decimalKey('68.0388555'))
    expect(product('-72', fraction(1n, 60n))).toBe(decimalKey('-1.2'))
    expect(product('0', fraction(1n, 3n))).toBe(decimalKey('0'))
    expect(product('-0.000', fraction(7n, 1n))).toBe(decimalKey('0'))
    expect(product('12345678901234567890.123456789', fraction(1n, 1n, -3))).toBe(
      decimalKey('12345678901234567.890123456789'),
    )
    expect(product('3'.repeat(60), fraction(1n, 3n))).toBe(decimalKey('1'.repeat(60)))
    expect(product('1e-400', fraction(1n, 1n, 3))).toBe(decimalKey('1e-397'))
  })

  test('are cut to 34 digits, toward zero, where they have none', () => {
    expect(product('1', fraction(1n, 3n))).toBe(decimalKey(`0.${'3'.repeat(34)}`))
    expect(product('2', fraction(1n, 3n))).toBe(decimalKey(`0.${'6'.repeat(34)}`))
    expect(product('-2', fraction(1n, 3n))).toBe(decimalKey(`-0.${'6'.repeat(34)}`))
    expect(product('2e50', fraction(1n, 3n))).toBe(decimalKey(`${'6'.repeat(34)}e16`))
    expect(product('1', fraction(1n, 7n, 5))).toBe(decimalKey(`${'142857'.repeat(5)}1428e-29`))
  })

  test('shift before they multiply', () => {
    expect(product('98.6', fraction(5n, 9n), '459.67')).toBe(decimalKey('310.15'))
    expect(product('-40', fraction(5n, 9n), '459.67')).toBe(product('-40', ONE, '273.15'))
    expect(product('-459.67', fraction(5n, 9n), '459.67')).toBe(decimalKey('0'))
    expect(product('-500', ONE, '273.15')).toBe(decimalKey('-226.85'))
  })

  test('keep the order of numbers and do not tell equal ones apart', () => {
    const texts = [
      '-1e9',
      '-72.5',
      '-72',
      '-0.001',
      '0',
      '1e-9',
      '0.9',
      '1',
      '1.1',
      '59.99',
      '60',
      '60.01',
      '7e30',
    ]
    for (const factor of [ONE, fraction(1n, 60n), fraction(5n, 9n), fraction(602214076n, 6n, 11)]) {
      const keys = texts.map(text => product(text, factor))
      expect([...keys].sort()).toEqual(keys)
      expect(new Set(keys).size).toBe(keys.length)
      expect(product('60.00', factor)).toBe(product('6e1', factor))
    }
    expect(product('60', fraction(1n, 60n))).toBe(product('1', ONE))
    expect(product('20', fraction(1n, 60n))).toBe(product('1200', fraction(1n, 3600n)))
  })

  test('of numbers at the bounds of keys have keys', () => {
    for (const text of ['1e4999', '-1e4999', '1e-4999', '-1e-4999', '9'.repeat(200)])
      for (const factor of [ONE, fraction(1n, 3n), fraction(1n, 1n, 30), fraction(1n, 1n, -30)])
        expect(product(text, factor, '459.67')).toMatch(/^(1|2[0-9]{5,}|0[0-9]{5,}~)$/)
  })
})
