/**
 * What a UCUM code is in base units, as an exact fraction.
 * https://ucum.org/ucum
 */
import { isDecimal, type Scaled, scale } from '../lib/decimal.ts'
import { ONE, power, type Rational, reduced, times } from '../lib/rational.ts'
import content from './definitions/generated/ucum.json' with { type: 'json' }
import type { UcumTable } from './definitions/prepare-ucum.ts'

const table = content as UcumTable
export const UCUM = 'http://unitsofmeasure.org'
export const UCUM_VERSION = table.version

export interface CanonicalUnit {
  /** The base units and their powers, such as `m-3.g`; `1` where there are none. Units that have it in common are commensurable. */
  dimension: string
  /** A value in base units is `(value + offset) * factor`. */
  factor: Rational
  offset?: Scaled
}

interface Measure {
  factor: Rational
  /** Powers of the base units in the table's order. */
  powers: number[]
}

const PLAIN: Measure = { factor: ONE, powers: table.base.map(() => 0) }
const base = new Map(table.base.map((code, i) => [code, i]))
const units = new Map(Object.entries(table.units))
const prefixes = new Map(Object.entries(table.prefixes))

/** The special units that are no more than a shift of the scale; they stand alone, without prefix. */
const temperature = (offset: string, value: bigint, of: bigint): CanonicalUnit => ({
  dimension: 'K',
  factor: reduced({ n: value, d: of, e: 0 }),
  offset: scale(offset),
})
const TEMPERATURES = new Map([
  ['Cel', temperature('273.15', 1n, 1n)],
  ['[degF]', temperature('459.67', 5n, 9n)],
  ['[degRe]', temperature('218.52', 5n, 4n)],
])

/** Codes seen, bounded: whoever sends many makes the others be read again. */
const seen = new Map<string, CanonicalUnit | undefined>()
const MAX_SEEN = 4096

/**
 * Returns what a code is in base units; undefined for what UCUM does not know, for arbitrary units such as `[iU]`, which it compares with
 * nothing, for special units other than temperatures, and for what is larger than any use: 128 characters, powers above 99, factors of
 * 300 digits. Never throws.
 */
export function canonicalUnit(code: string): CanonicalUnit | undefined {
  if (seen.has(code)) return seen.get(code)
  if (code.length > MAX_LENGTH) return undefined
  const unit = TEMPERATURES.get(code) ?? evaluate(code)
  if (seen.size >= MAX_SEEN) seen.clear()
  seen.set(code, unit)
  return unit
}

const MAX_LENGTH = 128
const MAX_POWER = 99
const LIMIT = 10n ** 300n

function evaluate(code: string): CanonicalUnit | undefined {
  const measure = measureOf(code)
  if (measure === undefined) return undefined
  const powers = table.base.flatMap((unit, i) => {
    const exponent = measure.powers[i]!
    return exponent === 0 ? [] : exponent === 1 ? unit : `${unit}${exponent}`
  })
  return { dimension: powers.join('.') || '1', factor: reduced(measure.factor) }
}

/** Where a code is read. */
interface Reading {
  code: string
  at: number
}

/** The whole of a code: a leading solidus divides one. */
function measureOf(code: string): Measure | undefined {
  const reading: Reading = { code, at: 0 }
  const measure = code.startsWith('/') ? terms(reading, PLAIN) : terms(reading)
  return reading.at === code.length ? measure : undefined
}

/** Components from left to right, whatever the operator: `a/b.c` is a times c divided by b. */
function terms(reading: Reading, first?: Measure): Measure | undefined {
  const { code } = reading
  let measure = first ?? component(reading)
  while (measure !== undefined && (code[reading.at] === '.' || code[reading.at] === '/')) {
    const divides = code[reading.at++] === '/'
    const next = component(reading)
    const factor = divides && next !== undefined ? raised(next, -1) : next
    measure = factor && product(measure, factor)
  }
  return measure
}

function component(reading: Reading): Measure | undefined {
  const { code } = reading
  let measure: Measure | undefined
  if (code[reading.at] === '(') {
    reading.at++
    measure = terms(reading)
    if (code[reading.at++] !== ')') return undefined
  } else if (code[reading.at] === '{') measure = PLAIN
  else measure = simple(take(reading, SIMPLE))
  if (code[reading.at] === '{' && take(reading, ANNOTATION) === '') return undefined
  return measure
}

/** What stands in square brackets is part of a name, `[m/s2/Hz^(1/2)]` too. */
const SIMPLE = /(?:[!-'*+,\-0-Z\\^-z|~]|\[[^[\]]*\])*/y
/** Says what was counted, not how much: UCUM reads it as one. */
const ANNOTATION = /\{[^{}]*\}/y

function take(reading: Reading, pattern: RegExp): string {
  pattern.lastIndex = reading.at
  const text = pattern.exec(reading.code)?.[0] ?? ''
  reading.at += text.length
  return text
}

const NUMBER = /^[0-9]+$/
const RAISED = /^(10[*^]|.*?[^0-9+-])([+-]?[0-9]{1,2})$/

/** A number, or a unit with its power. */
function simple(text: string): Measure | undefined {
  if (NUMBER.test(text)) return counted(text, PLAIN)
  const known = atom(text)
  if (known !== undefined) return known
  const [, name, exponent] = RAISED.exec(text) ?? []
  if (name === undefined || Number(exponent) === 0) return undefined
  const unit = atom(name)
  return unit && raised(unit, Number(exponent))
}

/** A unit, or a prefix and a metric unit; code by code, case counts. */
function atom(name: string): Measure | undefined {
  const whole = defined(name)
  if (whole !== undefined) return whole
  for (let length = 1; length <= 2; length++) {
    const prefix = prefixes.get(name.slice(0, length))
    const rest = name.slice(length)
    if (prefix === undefined || !(base.has(rest) || units.get(rest)?.[2] === 1)) continue
    const unit = defined(rest)
    return unit && counted(prefix, unit)
  }
  return undefined
}

function defined(name: string): Measure | undefined {
  const place = base.get(name)
  if (place !== undefined) return { factor: ONE, powers: PLAIN.powers.map((_, i) => (i === place ? 1 : 0)) }
  const definition = units.get(name)
  if (definition === undefined) return undefined
  const of = measureOf(definition[1])
  return of && counted(definition[0], of)
}

/** A decimal times a unit; none is zero. */
function counted(value: string, unit: Measure): Measure | undefined {
  if (!isDecimal(value)) return undefined
  const { coefficient, exponent } = scale(value)
  if (coefficient <= 0n) return undefined
  return product({ factor: { n: coefficient, d: 1n, e: exponent }, powers: PLAIN.powers }, unit)
}

const product = (a: Measure, b: Measure): Measure | undefined =>
  bounded(
    times(a.factor, b.factor),
    a.powers.map((one, i) => one + b.powers[i]!),
  )

const raised = (unit: Measure, exponent: number): Measure | undefined =>
  bounded(
    power(unit.factor, exponent),
    unit.powers.map(one => one * exponent),
  )

function bounded(factor: Rational, powers: number[]): Measure | undefined {
  if (factor.n > LIMIT || factor.d > LIMIT || Math.abs(factor.e) > 1000) return undefined
  return powers.every(one => Math.abs(one) <= MAX_POWER) ? { factor, powers } : undefined
}
