/**
 * Quantities of FHIRPath and of FHIR: units as UCUM and as words of the calendar.
 * http://hl7.org/fhirpath/N1/#quantity, https://hl7.org/fhir/R4/fhirpath.html#quantity
 */
import { decimalKey } from '../../lib/decimal.ts'
import { multipliedKey } from '../../lib/rational.ts'
import { isObject, type JsonObject, NumberText } from '../json.ts'
import { canonicalUnit, UCUM } from '../ucum.ts'
import { calculate, decimalsOf, roundTo } from './number.ts'
import type { Unit } from './temporal.ts'
import { type PathValue, system, type Values } from './value.ts'

/** The words of the calendar, in both numbers. */
export const CALENDAR = new Map<string, Unit>(
  (['year', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'] as const).flatMap(unit => [
    [unit, unit],
    [`${unit}s`, unit],
  ]),
)
/** Words that mean exactly a unit of UCUM; years and months of the calendar differ in length from UCUM's. */
const UCUM_OF: Readonly<Record<Unit, string | undefined>> = {
  year: undefined,
  month: undefined,
  week: 'wk',
  day: 'd',
  hour: 'h',
  minute: 'min',
  second: 's',
  millisecond: 'ms',
}
/** A FHIR quantity in these codes of UCUM means the calendar. */
const CALENDAR_OF = new Map<string, Unit>([
  ['a', 'year'],
  ['mo', 'month'],
])

export interface Quantity {
  value: string
  /** UCUM code, or a word of the calendar. */
  unit: string
  calendar: Unit | undefined
}

/** Returns what a value of kind Quantity says; undefined for one with a comparator. */
export function quantityOf({ value, type }: PathValue): Quantity | undefined {
  if (!isObject(value) || !(value.value instanceof NumberText)) return undefined
  const number = value.value.text
  if (type === 'System.Quantity') {
    const unit = String(value.unit)
    return { value: number, unit, calendar: value.calendar === true ? CALENDAR.get(unit) : undefined }
  }
  if (value.comparator !== undefined) return undefined
  const unit = typeof value.code === 'string' ? value.code : typeof value.unit === 'string' ? value.unit : '1'
  return { value: number, unit, calendar: value.system === UCUM ? CALENDAR_OF.get(unit) : undefined }
}

export function quantity({ value, unit, calendar }: Quantity): Values {
  const tree: JsonObject = { value: new NumberText(value), unit }
  if (calendar !== undefined) tree.calendar = true
  return system('Quantity', tree)
}

/** Returns what quantities of one kind have in common, and the key of the value in it. */
function measured({ value, unit, calendar }: Quantity): { dimension: string; key: string } {
  if (calendar === 'year' || calendar === 'month') {
    const months = calendar === 'year' ? calculate('*', value, '12') : value
    return { dimension: 'calendar', key: decimalKey(months ?? value) }
  }
  const code = calendar === undefined ? unit : UCUM_OF[calendar]!
  const canonical = canonicalUnit(code)
  if (canonical === undefined) return { dimension: `?${code}`, key: decimalKey(value) }
  const { dimension, factor, offset } = canonical
  return { dimension, key: multipliedKey(decimalKey(value), factor, offset) }
}

/** Returns a negative number, 0 or a positive number; undefined where the units have nothing in common. */
export function compareQuantities(a: Quantity, b: Quantity): number | undefined {
  const [left, right] = [measured(a), measured(b)]
  if (left.dimension !== right.dimension) return undefined
  return left.key < right.key ? -1 : left.key > right.key ? 1 : 0
}

export const comparable = (a: Quantity, b: Quantity): boolean =>
  measured(a).dimension === measured(b).dimension

/** Returns a text that equal quantities have in common. */
export function quantityKey(quantity: Quantity): string {
  const { dimension, key } = measured(quantity)
  return `${dimension} ${key}`
}

const LOOSE: Readonly<Record<string, string>> = { year: 'a', month: 'mo' }

/** Returns whether two quantities are equal at the precision of the less precise; years and months are those of UCUM. */
export function equivalentQuantities(a: Quantity, b: Quantity): boolean {
  const [left, right] = [a, b].map(({ value, unit, calendar }) => ({
    value,
    unit: calendar === undefined ? unit : (UCUM_OF[calendar] ?? LOOSE[calendar]!),
    calendar: undefined,
  })) as [Quantity, Quantity]
  if (compareQuantities(left, right) === 0) return true
  if (!comparable(left, right)) return false
  // Both in the unit of each in turn would need division; the ratio of the units says it as well.
  const factor = ratio(right.unit, left.unit)
  const converted = factor === undefined ? undefined : calculate('*', right.value, factor)
  if (converted === undefined) return false
  const places = Math.min(decimalsOf(left.value), decimalsOf(right.value) + decimalsOf(factor!))
  const digits = Math.max(0, places)
  const looser =
    factor !== undefined && Number(factor) < 1 ? Math.min(digits, decimalsOf(left.value)) : digits
  return roundTo(left.value, looser, 'nearest') === roundTo(converted, looser, 'nearest')
}

/** Returns how many of `to` one of `from` is; undefined for temperatures, which have no ratio. */
function ratio(from: string, to: string): string | undefined {
  const [a, b] = [canonicalUnit(from), canonicalUnit(to)]
  if (a === undefined || b === undefined || a.offset !== undefined || b.offset !== undefined)
    return from === to ? '1' : undefined
  const digits = (n: bigint, e: number): string | undefined => (Math.abs(e) > 300 ? undefined : `${n}e${e}`)
  const over = digits(a.factor.n * b.factor.d, a.factor.e - b.factor.e)
  return over === undefined ? undefined : calculate('/', over, String(a.factor.d * b.factor.n))
}

/** Returns the product or quotient; undefined for calendar words other than exact ones, and a division by zero. */
export function calculateQuantities(operator: '*' | '/', a: Quantity, b: Quantity): Values | undefined {
  const value = calculate(operator, a.value, b.value)
  const [left, right] = [codeOf(a), codeOf(b)]
  if (value === undefined || left === undefined || right === undefined) return undefined
  let unit: string
  if (right === '1') unit = left
  else if (operator === '*') unit = left === '1' ? right : `(${left}).(${right})`
  else unit = left === right ? '1' : `(${left})/(${right})`
  return quantity({ value, unit, calendar: undefined })
}

/** Returns the sum or difference in the unit of the left; undefined for units that do not convert into each other. */
export function addQuantities(operator: '+' | '-', a: Quantity, b: Quantity): Values | undefined {
  let right: string | undefined = b.value
  if (a.unit !== b.unit || a.calendar !== b.calendar) {
    if (!comparable(a, b)) return undefined
    const [from, to] = [codeOf(b) ?? LOOSE[b.calendar!]!, codeOf(a) ?? LOOSE[a.calendar!]!]
    const factor = ratio(from, to)
    right = factor === undefined ? undefined : calculate('*', b.value, factor)
  }
  const value = right === undefined ? undefined : calculate(operator, a.value, right)
  return value === undefined ? undefined : quantity({ ...a, value })
}

/** Returns the quantity in a unit of UCUM or a word of the calendar; undefined where it does not convert. */
export function inOtherUnit(from: Quantity, unit: string): Values | undefined {
  const to: Quantity = { value: '0', unit, calendar: CALENDAR.get(unit) }
  return addQuantities('+', to, from)
}

const codeOf = ({ unit, calendar }: Quantity): string | undefined =>
  calendar === undefined ? unit : UCUM_OF[calendar]

/** Units that may be added to a date: words of the calendar, bare or in quotes, and UCUM's from weeks down. */
const ADDED = new Map<string, Unit>([
  ...CALENDAR,
  ['wk', 'week'],
  ['d', 'day'],
  ['h', 'hour'],
  ['min', 'minute'],
  ['s', 'second'],
  ['ms', 'millisecond'],
])

/** Returns the unit of the calendar that a quantity moves a date by; undefined for any other. */
export const calendarUnit = ({ unit, calendar }: Quantity): Unit | undefined => calendar ?? ADDED.get(unit)

const WRITTEN = /^([+-]?[0-9]+(?:\.[0-9]+)?)\s*(?:'([^']+)'|([a-zA-Z]+))?$/

/** Returns the quantity that a text says, `1 'mg'` or `4 days`; undefined for other text. */
export function readQuantity(text: string): Quantity | undefined {
  const [, value, unit, word] = WRITTEN.exec(text) ?? []
  if (value === undefined) return undefined
  const number = value.replace(/^\+/, '').replace(/^(-?)0+(?=[0-9])/, '$1')
  if (word === undefined) return { value: number, unit: unit ?? '1', calendar: undefined }
  const calendar = CALENDAR.get(word)
  return calendar && { value: number, unit: word, calendar }
}

export const writeQuantity = ({ value, unit, calendar }: Quantity): string =>
  calendar === undefined ? `${value} '${unit}'` : `${value} ${unit}`
