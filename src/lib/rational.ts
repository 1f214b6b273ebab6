/** Exact fractions, and what becomes of a decimal key that is multiplied by one. No floats anywhere. */
import { keyOfDigits, keyOfScaled, type Scaled, scaleKey } from './decimal.ts'

/** `n / d` times ten to the `e`; `n` and `d` are positive. */
export interface Rational {
  n: bigint
  d: bigint
  e: number
}

export const ONE: Rational = { n: 1n, d: 1n, e: 0 }

export const times = (a: Rational, b: Rational): Rational => ({ n: a.n * b.n, d: a.d * b.d, e: a.e + b.e })

/** Returns the fraction to a whole power other than zero. */
export function power({ n, d, e }: Rational, exponent: number): Rational {
  const by = BigInt(Math.abs(exponent))
  return exponent > 0
    ? { n: n ** by, d: d ** by, e: e * exponent }
    : { n: d ** by, d: n ** by, e: e * exponent }
}

/** Returns the same fraction in its only form whose parts have no common divisor and no factor that a power of ten can take over. */
export function reduced({ n, d, e }: Rational): Rational {
  let a = n
  let b = d
  while (b !== 0n) [a, b] = [b, a % b]
  n /= a
  d /= a
  for (const [factor, other] of [
    [2n, 5n],
    [5n, 2n],
  ] as const)
    while (d % factor === 0n) {
      d /= factor
      n *= other
      e--
    }
  while (n % 10n === 0n) {
    n /= 10n
    e++
  }
  return { n, d, e }
}

/** A result that has no end is cut here: the digits of the IEEE's decimal128. */
const DIGITS = 34

/**
 * Returns the key of `(number + offset) * factor`, where `factor` is reduced. It is exact where the result has an end; else cut, toward
 * zero, to 34 digits. Equal results have equal keys, whatever they were made of, and the order of numbers is kept.
 */
export function multipliedKey(key: string, factor: Rational, offset?: Scaled): string {
  const { coefficient, exponent } = offset === undefined ? scaleKey(key) : sum(scaleKey(key), offset)
  const product = coefficient * factor.n
  if (factor.d === 1n || product % factor.d === 0n)
    return keyOfScaled(product / factor.d, exponent + factor.e)
  const negative = product < 0n
  const size = negative ? -product : product
  // Long enough for one digit more than is kept, however the leading digits divide.
  const shift = Math.max(0, DIGITS + 2 + factor.d.toString().length - size.toString().length)
  const digits = ((size * 10n ** BigInt(shift)) / factor.d).toString()
  return keyOfDigits(negative, digits.slice(0, DIGITS), digits.length + exponent + factor.e - shift)
}

function sum(a: Scaled, b: Scaled): Scaled {
  const exponent = Math.min(a.exponent, b.exponent)
  const raised = (one: Scaled): bigint => one.coefficient * 10n ** BigInt(one.exponent - exponent)
  return { coefficient: raised(a) + raised(b), exponent }
}
