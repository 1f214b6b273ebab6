/**
 * Weekly hours as intervals of time in a zone.
 * https://hl7.org/fhir/R4/practitionerrole-definitions.html#PractitionerRole.availableTime
 */
import { timeRange } from '../fhir/instant.ts'
import { isObject, type Json, type JsonObject } from '../fhir/json.ts'
import { objects, texts } from '../fhir/tree.ts'

/** ms since 1970, `end` exclusive. */
export interface Span {
  start: number
  end: number
}

/** Hours of some days of the week. Times are `09:00` or `09:00:00`. */
export interface WeeklyTime {
  /** `mon` to `sun`; empty for every day. */
  days: ReadonlySet<string>
  allDay: boolean
  /** Undefined: from the beginning, or to the end, of the day. */
  opens: string | undefined
  closes: string | undefined
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const DAY = 86_400_000
const MIDNIGHT = /^00:00(?::00(?:\.0+)?)?$/

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

/** Returns the hours in a list; none for what cannot be understood, as with validation off it may come in. */
const weekly = (one: JsonObject, opens: string, closes: string): WeeklyTime[] =>
  [one[opens], one[closes]].some(time => time !== undefined && typeof time !== 'string')
    ? []
    : [
        {
          days: new Set(texts(one.daysOfWeek)),
          allDay: one.allDay === true,
          opens: textOf(one[opens]),
          closes: textOf(one[closes]),
        },
      ]

/** Returns the `availableTime` of a PractitionerRole or HealthcareService. */
export const availableTimes = (resource: JsonObject): WeeklyTime[] =>
  objects(resource.availableTime).flatMap(one => weekly(one, 'availableStartTime', 'availableEndTime'))

/** Returns the `hoursOfOperation` of a Location. */
export const hoursOfOperation = (resource: JsonObject): WeeklyTime[] =>
  objects(resource.hoursOfOperation).flatMap(one => weekly(one, 'openingTime', 'closingTime'))

/** Returns the day (`2026-12-01`) that is `days` later. */
export const dayAfter = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10)

/** Returns how many days the second day is after the first. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY)

/**
 * Returns the open time of the days `from` to `to`, both included, in order and without overlaps. What begins on a day is whole, also beyond
 * midnight: an end that is not after its start is on the next day. Of hours that overlap, the later go on where the earlier end, so that
 * each keeps the beginning from which its slots are counted. A time that clocks skip is the moment of their change; of one that they show
 * twice the first is meant.
 */
export function openSpans(times: readonly WeeklyTime[], zone: string, from: string, to: string): Span[] {
  const found: Span[] = []
  // Hours of the day before may reach into the first one, and hold back its own.
  for (let day = dayAfter(from, -1); day <= to; day = dayAfter(day, 1))
    for (const time of times) found.push(...spanOn(time, zone, day))
  found.sort((a, b) => a.start - b.start || a.end - b.end)
  const first = startOfDay(from, zone)
  const spans: Span[] = []
  let busyUntil = Number.NEGATIVE_INFINITY
  for (const { start, end } of found) {
    const own = Math.max(start, busyUntil)
    if (own < end && end > first) spans.push({ start: own, end })
    busyUntil = Math.max(busyUntil, end)
  }
  return spans
}

/** Returns the first instant of a day in the zone. */
export const startOfDay = (day: string, zone: string): number => timeRange(day, zone)?.lo ?? Number.NaN

function spanOn({ days, allDay, opens, closes }: WeeklyTime, zone: string, day: string): Span[] {
  const name = DAYS[new Date(`${day}T00:00:00Z`).getUTCDay()]!
  if (days.size > 0 && !days.has(name)) return []
  const next = dayAfter(day, 1)
  const opening = allDay || opens === undefined ? '00:00:00' : opens
  const closing = allDay || closes === undefined ? '00:00:00' : closes
  // 09:00 to 09:00 is no time at all; only midnight is both the beginning and the end of a day.
  if (opening === closing && !MIDNIGHT.test(closing)) return []
  const start = at(day, opening, zone)
  const end = at(closing > opening ? day : next, closing, zone)
  return start === undefined || end === undefined || end <= start ? [] : [{ start, end }]
}

/** Seconds are wanted in FHIR's times, and left out by many. */
const at = (day: string, time: string, zone: string): number | undefined =>
  timeRange(`${day}T${time}`, zone)?.lo

/**
 * Returns the time that periods cover: a date is the whole day in the zone, an end that is missing is open. A period that says neither
 * covers nothing.
 */
export function periodSpans(periods: readonly (Json | undefined)[], zone: string): Span[] {
  return periods.flatMap(period => {
    if (!isObject(period)) return []
    const from = textOf(period.start)
    const to = textOf(period.end)
    if (from === undefined && to === undefined) return []
    const start = from === undefined ? Number.NEGATIVE_INFINITY : timeRange(from, zone)?.lo
    const end = to === undefined ? Number.POSITIVE_INFINITY : endOf(to, zone)
    return start === undefined || end === undefined || end <= start ? [] : [{ start, end }]
  })
}

/** A dateTime ends the period where it begins, and a date with its last moment. */
function endOf(text: string, zone: string): number | undefined {
  const range = timeRange(text, zone)
  return text.includes('T') ? range?.lo : range?.hi
}

/** Returns the periods of `notAvailable`. */
export const notAvailable = (resource: JsonObject, zone: string): Span[] =>
  periodSpans(
    objects(resource.notAvailable).map(one => one.during),
    zone,
  )

/** Returns the union in order, each span as long as it can be. */
export function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1)
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end)
    else result.push({ start, end })
  }
  return result
}

/** Returns what of each span lies in one of `within`, which are in order and apart (`joined`). */
export function intersected(spans: readonly Span[], within: readonly Span[]): Span[] {
  const result: Span[] = []
  let first = 0
  for (const span of spans) {
    while (first < within.length && within[first]!.end <= span.start) first++
    for (let i = first; i < within.length && within[i]!.start < span.end; i++) {
      const start = Math.max(span.start, within[i]!.start)
      const end = Math.min(span.end, within[i]!.end)
      if (start < end) result.push({ start, end })
    }
  }
  return result
}

/** Returns whether the whole of a span lies in one of `within` (`joined`). */
export function covered({ start, end }: Span, within: readonly Span[]): boolean {
  let low = 0
  let high = within.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (within[middle]!.end <= start) low = middle + 1
    else high = middle
  }
  const one = within[low]
  return one !== undefined && one.start <= start && end <= one.end
}

/** Returns what is left of spans that are in order and apart (`joined`) without `out`. */
export function without(spans: readonly Span[], out: readonly Span[]): Span[] {
  const holes = joined(out)
  const left: Span[] = []
  let first = 0
  for (const { start, end } of spans) {
    while (first < holes.length && holes[first]!.end <= start) first++
    let from = start
    for (let i = first; i < holes.length && holes[i]!.start < end; i++) {
      if (from < holes[i]!.start) left.push({ start: from, end: holes[i]!.start })
      from = Math.max(from, holes[i]!.end)
    }
    if (from < end) left.push({ start: from, end })
  }
  return left
}

/** Returns the slots of a length, ms, counted from the beginning of each span: what is left at its end is too short for one. */
export const slotsOf = (spans: readonly Span[], length: number): Span[] =>
  spans.flatMap(({ start, end }) =>
    Array.from({ length: Math.max(0, Math.floor((end - start) / length)) }, (_, i) => ({
      start: start + i * length,
      end: start + (i + 1) * length,
    })),
  )
