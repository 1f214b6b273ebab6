/**
 * Dates, times and instants of any precision: comparison, arithmetic, boundaries.
 * http://hl7.org/fhirpath/N1/#comparison, http://hl7.org/fhirpath/N1/#datetime-arithmetic
 */

/** Fields up to the precision: year, month, day, hour, minute, second, millisecond. */
export interface Temporal {
  fields: number[]
  /** Minutes east of UTC. */
  zone: number | undefined
}

const DATE_TIME =
  /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?:T(?:([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?$/
const TIME = /^([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?)?$/

/** Returns the parts of a date or dateTime, or of a time (whose year, month and day are 1); undefined for other text. */
export function readTemporal(text: string, isTime: boolean): Temporal | undefined {
  const match = (isTime ? TIME : DATE_TIME).exec(text)
  if (match === null) return undefined
  const parts = isTime ? ['1', '1', '1', ...match.slice(1, 5)] : match.slice(1, 8)
  const fields: number[] = []
  for (let i = 0; i < 7; i++) {
    const part = parts[i]
    if (part === undefined) break
    fields.push(i === 6 ? Number(part.slice(0, 3).padEnd(3, '0')) : Number(part))
  }
  return { fields, zone: isTime ? undefined : zoneOf(match[8]) }
}

function zoneOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (text === 'Z') return 0
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4, 6))
  return text[0] === '-' ? -minutes : minutes
}

const LARGEST = [9999, 12, 31, 23, 59, 60, 999]

/** Returns what is wrong with a date, dateTime or time, as the end of a sentence; undefined for none. */
export function calendarFault(text: string, isTime: boolean): string | undefined {
  const temporal = readTemporal(text, isTime)
  if (temporal === undefined) return `${text} is no ${isTime ? 'time' : 'date'}`
  const { fields } = temporal
  for (let i = 0; i < fields.length; i++)
    if (fields[i]! > LARGEST[i]! || (i < 3 && fields[i]! < 1)) return `${text} is on no calendar or clock`
  if (fields.length > 2 && fields[2]! > daysIn(fields[0]!, fields[1]!)) return `${text} is on no calendar`
  return undefined
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

const utcOf = (fields: readonly number[]): Date => {
  const date = new Date(0)
  date.setUTCFullYear(fields[0]!, (fields[1] ?? 1) - 1, fields[2] ?? 1)
  date.setUTCHours(fields[3] ?? 0, fields[4] ?? 0, fields[5] ?? 0, fields[6] ?? 0)
  return date
}

const fieldsOf = (date: Date, count: number): number[] =>
  [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
  ].slice(0, count)

/**
 * Returns a negative number, 0 or a positive number; undefined where the precision of one does not tell, or one has a zone and the other,
 * with a time too, has none. Seconds and milliseconds are one precision.
 */
export function compareTemporals(a: Temporal, b: Temporal): number | undefined {
  let [left, right] = [a.fields, b.fields]
  if (left.length > 3 && right.length > 3) {
    if ((a.zone === undefined) !== (b.zone === undefined)) return undefined
    if (a.zone !== b.zone) {
      left = atUtc(a)
      right = atUtc(b)
    }
  }
  const [m, n] = [Math.max(left.length, 7), Math.min(left.length, right.length)]
  for (let i = 0; i < n; i++) if (left[i] !== right[i]) return left[i]! - right[i]!
  if (left.length === right.length) return 0
  if (n < 6) return undefined
  for (let i = n; i < m; i++) if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) - (right[i] ?? 0)
  return 0
}

function atUtc({ fields, zone }: Temporal): number[] {
  const date = utcOf(fields)
  date.setUTCMinutes(date.getUTCMinutes() - (zone ?? 0))
  return fieldsOf(date, fields.length)
}

/** Returns a text that equal dates of one precision have in common. */
export function temporalKey(temporal: Temporal): string {
  const fields = temporal.zone === undefined ? [...temporal.fields] : atUtc(temporal)
  if (fields.length === 6) fields.push(0)
  return `${fields.join(':')}${temporal.zone === undefined ? '' : 'Z'}`
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** Returns the text of a date, dateTime or time. */
export function writeTemporal({ fields, zone }: Temporal, isTime: boolean): string {
  const [year, month, day, hour, minute, second, millisecond] = fields as [number, ...number[]]
  let text = isTime ? '' : pad(year, 4)
  if (!isTime && month !== undefined) text += `-${pad(month)}`
  if (!isTime && day !== undefined) text += `-${pad(day)}`
  if (hour !== undefined) text += `${isTime ? '' : 'T'}${pad(hour)}`
  if (minute !== undefined) text += `:${pad(minute)}`
  if (second !== undefined) text += `:${pad(second)}`
  if (millisecond !== undefined) text += `.${pad(millisecond, 3)}`
  if (zone === undefined || hour === undefined) return text
  if (zone === 0) return `${text}Z`
  const size = Math.abs(zone)
  return `${text}${zone < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`
}

export type Unit = 'year' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond'
const MILLISECONDS: Readonly<Record<string, number>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
}
const PLACES: readonly Unit[] = ['year', 'month', 'day', 'hour', 'minute', 'second', 'millisecond']

/**
 * Returns the date moved by an amount; its precision stays. A unit finer than the precision is converted to it and cut. Undefined where the
 * result leaves the years 1 to 9999.
 */
export function addTo(
  { fields, zone }: Temporal,
  amount: number,
  unit: Unit,
  isTime: boolean,
): Temporal | undefined {
  const whole = unit === 'second' ? amount : Math.trunc(amount)
  const place = unit === 'week' ? 2 : PLACES.indexOf(unit)
  let moved: Date
  if (place < 2 || fields.length <= 2) {
    const months = monthsOf(whole, unit, fields.length)
    const total = fields[0]! * 12 + (fields[1] ?? 1) - 1 + months
    const [year, month] = [Math.floor(total / 12), (((total % 12) + 12) % 12) + 1]
    if (!(year >= 1 && year <= 9999)) return undefined
    const day = Math.min(fields[2] ?? 1, daysIn(year, month))
    moved = utcOf([year, month, day, ...fields.slice(3)])
  } else {
    const size = MILLISECONDS[unit]!
    const finest = MILLISECONDS[PLACES[Math.min(fields.length, 7) - 1]!]!
    const milliseconds = Math.trunc((whole * size) / finest) * finest
    moved = new Date(utcOf(fields).getTime() + milliseconds)
    if (isTime) moved.setUTCFullYear(1, 0, 1)
  }
  const year = moved.getUTCFullYear()
  return year >= 1 && year <= 9999 ? { fields: fieldsOf(moved, fields.length), zone } : undefined
}

function monthsOf(amount: number, unit: Unit, precision: number): number {
  if (unit === 'year') return amount * 12
  if (unit === 'month') return precision === 1 ? Math.trunc(amount / 12) * 12 : amount
  const days = (amount * MILLISECONDS[unit]!) / MILLISECONDS.day!
  return precision === 1 ? Math.trunc(days / 365) * 12 : Math.trunc(days / 30)
}

/** Digits that each precision has: YYYY, YYYYMM, ... */
const DIGITS = [4, 6, 8, 10, 12, 14, 17]

/** Returns the number of digits of a date, dateTime or time. */
export const temporalDigits = ({ fields }: Temporal, isTime: boolean): number =>
  DIGITS[fields.length - 1]! - (isTime ? 8 : 0)

/** Returns the first or last value that a date of this precision can mean, cut to `digits`; undefined for no such precision. */
export function boundary(
  temporal: Temporal,
  digits: number,
  high: boolean,
  isTime: boolean,
): Temporal | undefined {
  const count = DIGITS.indexOf(digits + (isTime ? 8 : 0)) + 1
  if (count === 0) return undefined
  const fields = [...temporal.fields]
  // An hour without minutes is no value of FHIR: it counts as the full hour.
  if (fields.length === 4) fields.push(0)
  for (let i = fields.length; i < 7; i++) {
    const largest = i === 2 ? daysIn(fields[0]!, fields[1]!) : i === 5 ? 59 : LARGEST[i]!
    fields.push(high ? largest : i < 3 ? 1 : 0)
  }
  const zone = isTime || count < 4 ? undefined : (temporal.zone ?? (high ? -720 : 840))
  return { fields: fields.slice(0, count), zone }
}
