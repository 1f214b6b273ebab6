/** Dates, times and ages in words, in a zone. https://hl7.org/fhir/R4/datatypes.html#dateTime */
import type { JsonObject } from '../../fhir/json.ts'
import { text } from './tree.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/

interface Day {
  year: number
  /** 1 to 12; undefined where the date is less exact, and so with the day. */
  month: number | undefined
  day: number | undefined
}

/** Returns the day of a date or dateTime, in the zone where it has a time; undefined for what is no date. */
export function dayOf(value: string, zone: string): Day | undefined {
  const date = DATE.exec(value)
  if (date !== null) {
    const [, year, month, day] = date
    return {
      year: Number(year),
      month: month ? Number(month) : undefined,
      day: day ? Number(day) : undefined,
    }
  }
  const clock = clockOf(value, zone)
  return clock && { year: clock.year, month: clock.month, day: clock.day }
}

interface Clock {
  year: number
  month: number
  day: number
  hour: number
  minute: number
}

function clockOf(value: string, zone: string): Clock | undefined {
  const at = /[T ]\d{2}:\d{2}/.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(at)) return undefined
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(at)
  const of = (type: string): number => Number(parts.find(part => part.type === type)?.value)
  return {
    year: of('year'),
    month: of('month'),
    day: of('day'),
    hour: of('hour'),
    minute: of('minute'),
  }
}

const dayText = ({ year, month, day }: Day): string =>
  [day, month === undefined ? undefined : (MONTHS[month - 1] ?? month), year]
    .filter(part => part !== undefined)
    .join(' ')

/** Returns `14 Mar 2026`, `Mar 2026` or `2026`; a text that is no date as it is. */
export function dateText(value: string | undefined, zone: string): string | undefined {
  if (value === undefined) return undefined
  const day = dayOf(value, zone)
  return day === undefined ? value : dayText(day)
}

/** Returns `14 Mar 2026, 10:30 am` where there is a time of day, else the date. */
export function timeText(value: string | undefined, zone: string): string | undefined {
  if (value === undefined) return undefined
  const clock = DATE.test(value) ? undefined : clockOf(value, zone)
  if (clock === undefined) return dateText(value, zone)
  const { hour, minute } = clock
  const noon = `${hour % 12 || 12}:${String(minute).padStart(2, '0')} ${hour < 12 ? 'am' : 'pm'}`
  return `${dayText(clock)}, ${noon}`
}

/** Returns the time of a period: one day, or from and to. */
export function periodText(period: JsonObject | undefined, zone: string): string | undefined {
  const start = timeText(text(period, 'start'), zone)
  const end = timeText(text(period, 'end'), zone)
  if (start === undefined) return end === undefined ? undefined : `until ${end}`
  if (end === undefined) return `from ${start}`
  const day = dateText(text(period, 'start'), zone)
  if (day !== undefined && day === dateText(text(period, 'end'), zone))
    return end.startsWith(`${day}, `) ? `${start} to ${end.slice(day.length + 2)}` : day
  return `${start} to ${end}`
}

/**
 * Returns the age at a date as it is said: days below a month, months below two years, then years. Undefined where the dates do not tell,
 * or the birth is later.
 */
export function ageText(birth: string | undefined, at: string | undefined, zone: string): string | undefined {
  if (birth === undefined || at === undefined) return undefined
  const from = dayOf(birth, zone)
  const to = dayOf(at, zone)
  if (from === undefined || to === undefined) return undefined
  if (from.month === undefined || to.month === undefined) return years(to.year - from.year, true)
  const whole = from.day === undefined || to.day === undefined
  const early = !whole && to.day! < from.day! ? 1 : 0
  const months = 12 * (to.year - from.year) + to.month - from.month - early
  if (months >= 24) return years(Math.floor(months / 12), false)
  if (months >= 1) return `${months} ${months === 1 ? 'month' : 'months'}`
  if (months < 0 || whole) return undefined
  const noon = ({ year, month, day }: Day): number => Date.UTC(year, month! - 1, day)
  const days = Math.round((noon(to) - noon(from)) / 86_400_000)
  return `${days} ${days === 1 ? 'day' : 'days'}`
}

const years = (count: number, about: boolean): string | undefined =>
  count < 0 ? undefined : `${about ? 'about ' : ''}${count} ${count === 1 ? 'year' : 'years'}`
