/**
 * Exact decimals on their text: an order-preserving key, and the ranges that the precision of a search value implies. No floats anywhere.
 * https://hl7.org/fhir/R4/search.html#number
 */

/** Below and above the key of every number: the open ends of ranges. */
export const DECIMAL_MIN = '0'
export const DECIMAL_MAX = '3'

/** Exponents beyond these count as these; a decimal of R4 has 18 digits as a rule. */
const MAX_EXPONENT = 4999
/** Digits beyond these do not take part in comparison. */
const MAX_DIGITS = 200

const SYNTAX = /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

/** Returns whether the text is a decimal: sign, digits, fraction and exponent, as JSON has them; leading zeros and a plus are allowed. */
export const isDecimal = (text: string): boolean => SYNTAX.test(text)

/**
 * Returns a text whose bytewise order is the order of numbers; equal numbers have equal keys, whatever their trailing zeros and exponent.
 * `text` is a decimal as `isDecimal` takes it.
 *
 * `1` is zero. A positive number is `2`, its exponent in four digits, its significant digits; a negative one is `0` and the complements
 * of both, closed by `~` so that the longer is the smaller.
 */
export function decimalKey(text: string): string {
  let at = 0
  let negative = false
  const sign = text.charCodeAt(0)
  if (sign === 45 || sign === 43) {
    negative = sign === 45
    at = 1
  }
  let digits = ''
  let whole = 0
  let inFraction = false
  let exponent = 0
  for (; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 46) inFraction = true
    else if (char === 101 || char === 69) {
      exponent = Number(text.slice(at + 1))
      break
    } else if (char === 48 && digits === '') {
      if (inFraction) whole--
    } else {
      digits += text[at]
      if (!inFraction) whole++
    }
  }
  return keyOfDigits(negative, digits, whole + exponent)
}

/** Returns the key of `0.digits` times ten to the `exponent`; `digits` has no leading zero. */
export function keyOfDigits(negative: boolean, digits: string, exponent: number): string {
  let end = Math.min(digits.length, MAX_DIGITS)
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--
  if (end === 0) return '1'
  const bounded = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, exponent)) + 5000
  if (!negative) return `2${pad4(bounded)}${digits.slice(0, end)}`
  let complement = ''
  for (let i = 0; i < end; i++) complement += 57 - digits.charCodeAt(i)
  return `0${pad4(9999 - bounded)}${complement}~`
}

const pad4 = (n: number): string => (n > 999 ? String(n) : String(n).padStart(4, '0'))

/** Returns a key above every key of a smaller number and below this one: the open upper end of a range. */
export function keyBelow(key: string): string {
  if (key === '1') return '0~'
  if (key.charCodeAt(0) === 48) return `${key.slice(0, -1)}}`
  return `${key.slice(0, -1)}${key.charCodeAt(key.length - 1) - 49}~`
}

/** Returns a key below every key of a greater number and above this one: the open lower end of a range. */
export const keyAbove = (key: string): string => `${key}!`

/** Returns a negative number, 0 or a positive number as `a` is less than, equal to or greater than `b`. */
export function compareDecimals(a: string, b: string): number {
  const [left, right] = [decimalKey(a), decimalKey(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** `coefficient` times ten to the `exponent`. */
export interface Scaled {
  coefficient: bigint
  exponent: number
}

interface Written extends Scaled {
  /** Significant digits of the coefficient as written; whether an exponent was written. */
  digits: number
  scientific: boolean
}

/** Returns the number of a key that is not an open end and not `keyBelow` or `keyAbove` of one. */
export function scaleKey(key: string): Scaled {
  if (key === '1') return { coefficient: 0n, exponent: 0 }
  const exponent = Number(key.slice(1, 5))
  if (key.charCodeAt(0) === 50) {
    const digits = key.slice(5)
    return { coefficient: BigInt(digits), exponent: exponent - 5000 - digits.length }
  }
  let digits = ''
  for (let i = 5; i < key.length - 1; i++) digits += 57 - key.charCodeAt(i)
  return { coefficient: -BigInt(digits), exponent: 4999 - exponent - digits.length }
}

/** Returns the number that a decimal is. */
export function scale(text: string): Written {
  const [mantissa, power] = text.toLowerCase().split('e') as [string, string?]
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?]
  const coefficient = BigInt(`${whole.replace(/^[+-]/, '')}${fraction}`)
  const digits = `${whole}${fraction}`.replace(/^[+-]?0*/, '').length
  return {
    coefficient: whole.startsWith('-') ? -coefficient : coefficient,
    exponent: Number(power ?? 0) - fraction.length,
    digits,
    scientific: power !== undefined,
  }
}

/** Returns the key of `coefficient` times ten to the `exponent`. */
export function keyOfScaled(coefficient: bigint, exponent: number): string {
  const negative = coefficient < 0n
  const digits = (negative ? -coefficient : coefficient).toString()
  return digits === '0' ? '1' : keyOfDigits(negative, digits, digits.length + exponent)
}

/** Two decimal keys; the range is [lo, hi). */
export interface DecimalRange {
  lo: string
  hi: string
}

/**
 * Returns the range that the precision of a decimal implies: half of its last digit to both sides, `100` is [99.5, 100.5).
 *
 * R4 prints `1e2` as [95, 105), which is not half of its only digit. The printed range wins: a number with an exponent and a single digit
 * counts as written with two.
 */
export function impliedRange(text: string): DecimalRange {
  const { coefficient, exponent, digits, scientific } = scale(text)
  const factor = scientific && digits <= 1 ? 100n : 10n
  const shift = factor === 100n ? 2 : 1
  return {
    lo: keyOfScaled(coefficient * factor - 5n, exponent - shift),
    hi: keyOfScaled(coefficient * factor + 5n, exponent - shift),
  }
}

/** Returns a tenth of the number to both sides, and never less than the range that its precision implies; both ends belong to it. */
export function approximateRange(text: string): DecimalRange {
  const { coefficient, exponent } = scale(text)
  const tenth = coefficient < 0n ? -coefficient : coefficient
  const implied = impliedRange(text)
  const lo = keyOfScaled(coefficient * 10n - tenth, exponent - 1)
  const hi = keyOfScaled(coefficient * 10n + tenth, exponent - 1)
  return { lo: lo < implied.lo ? lo : implied.lo, hi: hi > implied.hi ? hi : implied.hi }
}
