import { describe, expect, test } from 'vitest'
import {
  approximateRange,
  compareDecimals,
  DECIMAL_MAX,
  DECIMAL_MIN,
  decimalKey,
  impliedRange,
  isDecimal,
  keyAbove,
  keyBelow,
} from '../../src/lib/decimal.ts'

/** Each less than the next. */
const ASCENDING = [
  '-1e400',
  '-12345678901234567891',
  '-12345678901234567890',
  '-100.5',
  '-100',
  '-99.99',
  '-10',
  '-9',
  '-1.1',
  '-1',
  '-0.5',
  '-0.05',
  '-1e-400',
  '0',
  '1e-400',
  '0.000001',
  '0.05',
  '0.5',
  '0.99999999999999999999',
  '1',
  '1.000000000000000000001',
  '1.1',
  '9',
  '10',
  '99.99',
  '100',
  '100.5',
  '12345678901234567890',
  '12345678901234567891',
  '1e400',
]

describe('decimalKey', () => {
  test('orders keys bytewise as the numbers are ordered', () => {
    const keys = ASCENDING.map(decimalKey)
    expect([...keys].sort()).toEqual(keys)
    expect(new Set(keys).size).toBe(keys.length)
  })

  test.each([
    ['1', '1.00'],
    ['100', '1e2'],
    ['100', '1.00E+2'],
    ['0.01', '1e-2'],
    ['0.0100', '10e-3'],
    ['-5', '-5.0'],
    ['0', '-0'],
    ['0', '0.000'],
    ['0', '0e10'],
    ['7', '007'],
    ['7', '+7'],
    ['123456', '123.456e3'],
  ])('%s and %s have one key', (a, b) => {
    expect(decimalKey(a)).toBe(decimalKey(b))
    expect(compareDecimals(a, b)).toBe(0)
  })

  test('agrees with the order of doubles on random numbers', () => {
    let state = 20240615
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state / 2 ** 32
    }
    for (let i = 0; i < 2000; i++) {
      const [a, b] = [0, 0].map(() => ((random() - 0.5) * 10 ** Math.floor(random() * 40 - 20)).toString())
      expect(Math.sign(compareDecimals(a!, b!)), `${a} ${b}`).toBe(Math.sign(Number(a) - Number(b)))
    }
  })

  test('takes exponents beyond all measure for the largest and the smallest there are', () => {
    expect(compareDecimals('1e999999999999', '1e4000')).toBeGreaterThan(0)
    expect(compareDecimals('1e-999999999999', '0')).toBeGreaterThan(0)
    expect(compareDecimals('-1e999999999999', '-1e4000')).toBeLessThan(0)
    expect(decimalKey('1e999999999999') < DECIMAL_MAX).toBe(true)
    expect(decimalKey('-1e999999999999') > DECIMAL_MIN).toBe(true)
  })

  test('keeps keys short whatever the number of digits', () => {
    expect(decimalKey('1'.repeat(100_000)).length).toBeLessThan(300)
  })
})

describe('open ends', () => {
  test.each(['-10', '-1', '-0.5', '0', '0.5', '1', '5.4', '10', '100'])('lie just beside %s', text => {
    const key = decimalKey(text)
    const [below, above] = [keyBelow(key), keyAbove(key)]
    expect(below < key && key < above).toBe(true)
    const nearLess = decimalKey(text === '0' ? '-1e-300' : `${Number(text) - 1e-9}`)
    const nearMore = decimalKey(text === '0' ? '1e-300' : `${Number(text) + 1e-9}`)
    expect(nearLess < below, `${nearLess} < ${below}`).toBe(true)
    expect(above < nearMore, `${above} < ${nearMore}`).toBe(true)
  })
})

describe('impliedRange', () => {
  test.each([
    ['100', '99.5', '100.5'],
    ['100.00', '99.995', '100.005'],
    ['1.00e2', '99.5', '100.5'],
    ['1e2', '95', '105'],
    ['8e-1', '0.795', '0.805'],
    ['15e1', '145', '155'],
    ['2.0', '1.95', '2.05'],
    ['5.40e-3', '0.005395', '0.005405'],
    ['-5', '-5.5', '-4.5'],
    ['0', '-0.5', '0.5'],
    ['0.0', '-0.05', '0.05'],
    ['0.3', '0.25', '0.35'],
  ])('%s is [%s, %s)', (text, lo, hi) => {
    expect(impliedRange(text)).toEqual({ lo: decimalKey(lo), hi: decimalKey(hi) })
  })
})

describe('approximateRange', () => {
  test.each([
    ['100', '90', '110'],
    ['-100', '-110', '-90'],
    ['5.9', '5.31', '6.49'],
    ['0', '-0.5', '0.5'],
    ['3', '2.5', '3.5'],
  ])('%s is about [%s, %s]', (text, lo, hi) => {
    expect(approximateRange(text)).toEqual({ lo: decimalKey(lo), hi: decimalKey(hi) })
  })
})

test.each(['', '.5', '5.', 'e5', '1e', '0x10', 'NaN', 'Infinity', '1 ', '--1', '1.2.3', '१'])(
  '%j is no decimal',
  text => {
    expect(isDecimal(text)).toBe(false)
  },
)
