/**
 * FHIR dates as ranges of time: partial dates, dates with and without a zone, offsets of IANA zones.
 * https://hl7.org/fhir/R4/datatypes.html#dateTime, https://hl7.org/fhir/R4/search.html#date
 */

/** ms since 1970 UTC; lo inclusive, hi exclusive. */
export interface TimeRange {
  lo: number
  hi: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const SYNTAX =
  /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,30}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?$/

/**
 * Returns the time that a date, dateTime or instant covers: `2013-01` all of January 2013, `10:00:00` one second. `zone` is read where the
 * text has none. Undefined for what is no date (30 February, 25:00). A leap second counts as the last millisecond of its minute.
 */
export function timeRange(text: string, zone: string): TimeRange | undefined {
  const match = SYNTAX.exec(text)
  if (match === null) return undefined
  const year = Number(match[1])
  if (year === 0) return undefined
  if (match[2] === undefined) return local(daysFrom(year, 1, 1) * DAY, daysFrom(year + 1, 1, 1) * DAY, zone)
  const month = Number(match[2])
  if (month < 1 || month > 12) return undefined
  if (match[3] === undefined) {
    const next = month === 12 ? daysFrom(year + 1, 1, 1) : daysFrom(year, month + 1, 1)
    return local(daysFrom(year, month, 1) * DAY, next * DAY, zone)
  }
  const day = Number(match[3])
  if (day < 1 || day > daysIn(year, month)) return undefined
  const midnight = daysFrom(year, month, day) * DAY
  if (match[4] === undefined) return local(midnight, midnight + DAY, zone)
  const hour = Number(match[4])
  const minute = Number(match[5])
  const second = match[6] === undefined ? 0 : Number(match[6])
  if (hour > 23 || minute > 59 || second > 60) return undefined
  let wall = midnight + hour * HOUR + minute * MINUTE
  let width = MINUTE
  if (second === 60) {
    wall += MINUTE - 1
    width = 1
  } else if (match[6] !== undefined) {
    wall += second * 1000
    width = 1000
    const fraction = match[7]
    if (fraction !== undefined) {
      wall += Number(fraction.slice(0, 3).padEnd(3, '0'))
      width = fraction.length === 1 ? 100 : fraction.length === 2 ? 10 : 1
    }
  }
  const suffix = match[8]
  if (suffix === undefined) {
    const lo = instantOf(wall, zone)
    return { lo, hi: lo + width }
  }
  const offset = offsetOf(suffix)
  return offset === undefined ? undefined : { lo: wall - offset, hi: wall - offset + width }
}

/** Returns what is wrong with a text that `timeRange` takes for no date: how it is written, its day in the calendar or its time of day. */
export function dateFault(text: string): 'syntax' | 'calendar' | 'clock' {
  if (!SYNTAX.test(text)) return 'syntax'
  return timeRange(text.slice(0, 10), 'UTC') === undefined ? 'calendar' : 'clock'
}

/** Returns the offset of `Z` or `+05:30` in ms; undefined above 14 hours, beyond which no zone lies. */
function offsetOf(suffix: string): number | undefined {
  if (suffix === 'Z') return 0
  const minutes = Number(suffix.slice(4, 6))
  const total = Number(suffix.slice(1, 3)) * HOUR + minutes * MINUTE
  if (minutes > 59 || total > 14 * HOUR) return undefined
  return suffix.charCodeAt(0) === 45 ? -total : total
}

const local = (from: number, to: number, zone: string): TimeRange => ({
  lo: instantOf(from, zone),
  hi: instantOf(to, zone),
})

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from 1 January 1970 in the proleptic Gregorian calendar; `Date.UTC` reads the years 1 to 99 as 1901 to 1999. */
function daysFrom(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/**
 * Returns the first instant at which clocks in the zone show `wall` (ms since 1970 as if in UTC) or later: the earlier one where clocks
 * went back, the change itself where they skipped it.
 */
function instantOf(wall: number, zone: string): number {
  const changes = changesAround(wall, zone)
  for (let i = 0; i < changes.length; i++) {
    const { offset } = changes[i]!
    const until = changes[i + 1]?.at ?? Number.POSITIVE_INFINITY
    // The wall time is still to come when this offset begins, or it was skipped: then the beginning is the first instant after it.
    const instant = Math.max(wall - offset, changes[i]!.at)
    if (instant < until) return instant
  }
  return wall
}

/** From `at` (ms since 1970 UTC) on the zone is `offset` ms ahead of UTC. */
interface Change {
  at: number
  offset: number
}

const YEAR = 365.2425 * DAY
const FIRST_YEAR = 1840
const LAST_YEAR = 2400

/** What is known of each zone: pure facts of the zone database, worked out on demand, at most one entry per zone and year. */
const zones = new Map<string, { format: Intl.DateTimeFormat; years: Map<number, Change[]> }>()

/**
 * Returns the offset at the beginning of the year before `wall`'s and all changes until the end of the year after it. Zone rules do not
 * reach before 1840, and repeat every 400 years after 2400 as the calendar does.
 */
function changesAround(wall: number, zone: string): Change[] {
  const year = Math.floor(1970 + wall / YEAR)
  const cycles = year > LAST_YEAR ? Math.ceil((year - LAST_YEAR) / 400) : 0
  const within = Math.max(FIRST_YEAR, year - cycles * 400)
  const known = zoneOf(zone)
  let changes = known.years.get(within)
  if (changes === undefined) {
    const from = daysFrom(within - 1, 12, 1) * DAY
    changes = [{ at: Number.NEGATIVE_INFINITY, offset: offsetAt(known.format, from) }]
    for (let at = from; at < from + 430 * DAY; at += 5 * DAY)
      findChanges(known.format, at, at + 5 * DAY, changes)
    known.years.set(within, changes)
  }
  if (cycles === 0) return changes
  const shift = cycles * 146_097 * DAY
  return changes.map(change => ({ at: change.at + shift, offset: change.offset }))
}

/** No zone changes its offset and back again within five days, but for a few whose second change a finer step would find as well. */
function findChanges(format: Intl.DateTimeFormat, from: number, to: number, changes: Change[]): void {
  const before = changes.at(-1)!.offset
  const after = offsetAt(format, to)
  if (after === before) return
  let low = from
  let high = to
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(format, middle) === before) low = middle
    else high = middle
  }
  changes.push({ at: high, offset: offsetAt(format, high) })
  if (offsetAt(format, high) !== after) findChanges(format, high, to, changes)
}

function zoneOf(zone: string): { format: Intl.DateTimeFormat; years: Map<number, Change[]> } {
  let known = zones.get(zone)
  if (known === undefined) {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    known = { format, years: new Map() }
    zones.set(zone, known)
  }
  return known
}

function offsetAt(format: Intl.DateTimeFormat, at: number): number {
  const field: Record<string, number> = {}
  for (const part of format.formatToParts(at)) field[part.type] = Number(part.value)
  const wall =
    daysFrom(field.year!, field.month!, field.day!) * DAY +
    field.hour! * HOUR +
    field.minute! * MINUTE +
    field.second! * 1000
  return wall - Math.floor(at / 1000) * 1000
}

/** Returns the ms that clocks of an IANA zone are ahead of UTC at an instant (ms since 1970). Throws RangeError for no zone, and for NaN. */
export function offsetIn(zone: string, at: number): number {
  // Of what is known of the year: to ask the zone database each time is slow.
  const changes = changesAround(at, zone)
  let offset = changes[0]!.offset
  for (const change of changes) if (change.at <= at) offset = change.offset
  return offset
}

/** Returns a dateTime with a zone as the wall time of another: `2026-12-01T15:30`; undefined for what has no time or no zone. */
export function wallTime(text: string, zone: string): string | undefined {
  if (!/T.*(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text)) return undefined
  const range = timeRange(text, zone)
  if (range === undefined) return undefined
  const wall = new Date(range.lo + offsetIn(zone, range.lo))
  return Number.isNaN(wall.getTime())
    ? undefined
    : wall.toISOString().replace(/^\+?(.*?)T(\d\d:\d\d).*/, '$1T$2')
}

/** Returns an instant (ms since 1970) as clocks of the zone show it, with their offset: `2026-12-01T09:00:00+05:30`. */
export function zonedText(at: number, zone: string): string {
  const offset = offsetIn(zone, at)
  const wall = new Date(at + offset).toISOString().replace(/\.\d+Z$/, '')
  const minutes = Math.round(Math.abs(offset) / MINUTE)
  const two = (part: number): string => String(part).padStart(2, '0')
  return `${wall}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

/** Returns the day (`2026-12-01`) that the calendar of the zone shows at an instant, ms since 1970. */
export const localDay = (at: number, zone: string): string => zonedText(at, zone).slice(0, 10)

/** Returns whether the runtime knows the IANA zone. */
export function isZone(zone: string): boolean {
  try {
    zoneOf(zone)
    return true
  } catch {
    return false
  }
}
