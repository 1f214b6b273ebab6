/**
 * Arithmetic on decimals as text, exact where the result has an end.
 * http://hl7.org/fhirpath/N1/#math
 */
import { compareDecimals, type Scaled, scale } from '../../lib/decimal.ts'

/** Numbers with more digits, or exponents beyond this, have no result: nothing may take long. */
const MOST_DIGITS = 400
/** Digits after the point of a quotient without end. */
const QUOTIENT_DIGITS = 32

const SMALL = /^-?[0-9]{1,15}$/

/** Returns a negative number, 0 or a positive number. */
export function compareNumbers(a: string, b: string): number {
  if (SMALL.test(a) && SMALL.test(b)) return Number(a) - Number(b)
  return compareDecimals(a, b)
}

/** Returns the number of a decimal; undefined where it is larger than any use. */
export function scaled(text: string): Scaled | undefined {
  if (text.length > MOST_DIGITS) return undefined
  const number = scale(text)
  return Math.abs(number.exponent) > MOST_DIGITS ? undefined : number
}

/** Returns the decimal in digits, without exponent; with as many decimals as the exponent says. */
export function written({ coefficient, exponent }: Scaled): string {
  const negative = coefficient < 0n
  let digits = (negative ? -coefficient : coefficient).toString()
  if (exponent > 0) digits = digits === '0' ? '0' : digits + '0'.repeat(exponent)
  else if (exponent < 0) {
    digits = digits.padStart(1 - exponent, '0')
    digits = `${digits.slice(0, exponent)}.${digits.slice(exponent)}`
  }
  return negative ? `-${digits}` : digits
}

const aligned = (a: Scaled, b: Scaled): [bigint, bigint, number] => {
  const exponent = Math.min(a.exponent, b.exponent)
  return [
    a.coefficient * 10n ** BigInt(a.exponent - exponent),
    b.coefficient * 10n ** BigInt(b.exponent - exponent),
    exponent,
  ]
}

export type Operator = '+' | '-' | '*' | '/' | 'div' | 'mod'

/** Returns the result of the operator; undefined for a division by zero and for numbers that are too large. */
export function calculate(operator: Operator, left: string, right: string): string | undefined {
  const a = scaled(left)
  const b = scaled(right)
  if (a === undefined || b === undefined) return undefined
  if (operator === '*')
    return written({ coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent })
  const [x, y, exponent] = aligned(a, b)
  if (operator === '+') return written({ coefficient: x + y, exponent })
  if (operator === '-') return written({ coefficient: x - y, exponent })
  if (y === 0n) return undefined
  if (operator === 'div') return (x / y).toString()
  if (operator === 'mod') return written({ coefficient: x % y, exponent })
  return withoutZeros(rounded(x * 10n ** BigInt(QUOTIENT_DIGITS), y), -QUOTIENT_DIGITS)
}

/** Returns the quotient rounded, halves away from zero. */
function rounded(x: bigint, y: bigint): bigint {
  const negative = x < 0n !== y < 0n
  const [a, b] = [x < 0n ? -x : x, y < 0n ? -y : y]
  const quotient = (a + b / 2n) / b
  return negative ? -quotient : quotient
}

function withoutZeros(coefficient: bigint, exponent: number): string {
  let text = written({ coefficient, exponent })
  if (text.includes('.')) text = text.replace(/0+$/, '').replace(/\.$/, '')
  return text
}

export type Rounding = 'nearest' | 'down' | 'up' | 'zero'

/** Returns the decimal with `places` digits after the point; undefined for a number that is too large. */
export function roundTo(text: string, places: number, rounding: Rounding): string | undefined {
  const number = scaled(text)
  if (number === undefined) return undefined
  const { coefficient, exponent } = number
  if (-exponent <= places)
    return written({ coefficient: coefficient * 10n ** BigInt(exponent + places), exponent: -places })
  const unit = 10n ** BigInt(-exponent - places)
  const whole = coefficient / unit
  const rest = coefficient % unit
  let result = whole
  if (rounding === 'nearest') result = rounded(coefficient, unit)
  else if (rounding === 'down' && rest < 0n) result = whole - 1n
  else if (rounding === 'up' && rest > 0n) result = whole + 1n
  return written({ coefficient: result, exponent: -places })
}

/** Returns how many digits stand after the point. */
export const decimalsOf = (text: string): number => Math.max(0, -(scaled(text)?.exponent ?? 0))

/** Returns a float as a decimal of at most 15 digits; undefined for what is no number. */
export function ofFloat(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined
  const number = scaled(String(Number(value.toPrecision(15))))
  return number && written(number)
}
