/**
 * Date parameters: dates, instants, periods and the outer limits of timings.
 * https://hl7.org/fhir/R4/search.html#date
 */
import { dateFault, type TimeRange, timeRange } from '../../fhir/instant.ts'
import { isObject, type Json } from '../../fhir/json.ts'
import { type Ask, anyOf, type Planner, refusal, splitPrefix } from '../ask.ts'
import { type Criterion, shown, unescapeValue } from '../parse.ts'
import { type Bound, DATE_MAX, DATE_MIN, type Node } from '../plan-node.ts'
import { addRow, type Names, order, type Sink } from '../sink.ts'
import type { Writer } from './token.ts'

function add(lo: number, hi: number, names: Names, sink: Sink): void {
  // A period that ends before it begins is still found where it lies.
  const upper = hi > lo ? hi : lo + 1
  addRow(sink, { kind: 'date', param: names.name, lo, hi: upper })
  order(sink, dateKey(lo))
}

/** Years beyond 1 to 9999 cannot be written; open ends sort before and after all others. */
const EARLIEST = -100_000_000_000_000

/** Returns the sort key of an instant in ms since 1970: its distance from an instant before year 1, in 15 digits. */
export const dateKey = (at: number): string =>
  String(Math.max(0, Math.min(at - EARLIEST, 999_999_999_999_999))).padStart(15, '0')

const rangeOf = (value: Json | undefined, zone: string): TimeRange | undefined =>
  typeof value === 'string' ? timeRange(value, zone) : undefined

const point: Writer = (value, names, sink) => {
  const range = rangeOf(value, sink.zone)
  if (range !== undefined) add(range.lo, range.hi, names, sink)
}

const period: Writer = (value, names, sink) => {
  const range = periodRange(value, sink.zone)
  if (range !== undefined) add(range.lo, range.hi, names, sink)
}

/** Returns the time of a Period, open ends as DATE_MIN and DATE_MAX; undefined for one without any. */
function periodRange(value: Json | undefined, zone: string): TimeRange | undefined {
  if (!isObject(value)) return undefined
  const start = rangeOf(value.start, zone)
  const end = rangeOf(value.end, zone)
  if (start === undefined && end === undefined) return undefined
  return { lo: start?.lo ?? DATE_MIN, hi: end?.hi ?? DATE_MAX }
}

const timing: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  let lo = Number.POSITIVE_INFINITY
  let hi = Number.NEGATIVE_INFINITY
  const take = (range: TimeRange | undefined) => {
    if (range === undefined) return
    lo = Math.min(lo, range.lo)
    hi = Math.max(hi, range.hi)
  }
  if (Array.isArray(value.event)) for (const event of value.event) take(rangeOf(event, sink.zone))
  if (isObject(value.repeat)) take(periodRange(value.repeat.boundsPeriod, sink.zone))
  if (lo < hi) add(lo, hi, names, sink)
}

/** What writes date rows for values of a FHIR type. */
export const DATE_WRITERS: Readonly<Record<string, Writer>> = {
  date: point,
  dateTime: point,
  // An instant is a point in time: one millisecond, however few digits it is written with.
  instant: (value, names, sink) => {
    const range = rangeOf(value, sink.zone)
    if (range !== undefined) add(range.lo, range.lo + 1, names, sink)
  },
  Period: period,
  Timing: timing,
}

/**
 * Returns the bounds that a row must meet to compare so with the range [lo, hi): alternatives, each a list of bounds that hold together.
 * `now` and the value's distance from it decide what is near.
 */
export function dateBounds(prefix: string, { lo, hi }: TimeRange, now: number): Bound<number>[][] {
  switch (prefix) {
    case 'ne':
      return [[{ end: 'lo', op: '<', value: lo }], [{ end: 'hi', op: '>', value: hi }]]
    case 'gt':
      return [[{ end: 'hi', op: '>', value: hi }]]
    case 'lt':
      return [[{ end: 'lo', op: '<', value: lo }]]
    case 'ge':
      // Above, or within: what begins in the range and does not lie within it reaches above it.
      return [[{ end: 'hi', op: '>', value: hi }], [{ end: 'lo', op: '>=', value: lo }]]
    case 'le':
      return [[{ end: 'lo', op: '<', value: lo }], [{ end: 'hi', op: '<=', value: hi }]]
    case 'sa':
      return [[{ end: 'lo', op: '>=', value: hi }]]
    case 'eb':
      return [[{ end: 'hi', op: '<=', value: lo }]]
    case 'ap': {
      const distance = now < lo ? lo - now : now > hi ? now - hi : 0
      const margin = Math.floor(distance / 10)
      return [
        [
          { end: 'lo', op: '<', value: hi + margin },
          { end: 'hi', op: '>', value: lo - margin },
        ],
      ]
    }
    default:
      return [
        [
          { end: 'lo', op: '>=', value: lo },
          { end: 'hi', op: '<=', value: hi },
        ],
      ]
  }
}

const UNITS: Readonly<Record<number, string>> = { 4: 'year', 7: 'month' }

/**
 * Returns the time that a value covers. Throws `invalid` for what is written in another way (`and` says what else may be written), and for
 * days and times that there are not.
 */
export function dateAsked(criterion: Criterion, value: string, zone: string, and = ''): TimeRange {
  // A plus that the client left unescaped has become a blank on its way.
  const text = value.replace(/ (?=[0-9]{2}:[0-9]{2}$)/, '+')
  const range = timeRange(text, zone)
  if (range !== undefined) return range
  const fault = dateFault(text)
  if (fault === 'syntax')
    throw refusal(
      criterion,
      `"${criterion.code}" takes a date: yyyy, yyyy-mm, yyyy-mm-dd or yyyy-mm-ddThh:mm[:ss][Z|+hh:mm]${and}.`,
    )
  throw refusal(
    criterion,
    fault === 'clock'
      ? `There is no time "${shown(text.slice(11))}" on the clock.`
      : `There is no ${UNITS[text.length] ?? 'day'} "${text.slice(0, 10)}" in the calendar.`,
  )
}

/** Returns the alternatives of bounds that a date value asks for. Throws `invalid` for what is no date. */
function boundsOf(ask: Ask): Bound<number>[][] {
  const { criterion, value, context } = ask
  const [prefix, rest] = splitPrefix({ ...ask, value: unescapeValue(value) })
  const range = dateAsked(criterion, rest, context.zone, ', with a prefix or without')
  return dateBounds(prefix, range, context.now)
}

export const planDate: Planner = ask =>
  anyOf(
    boundsOf(ask).flatMap(bounds =>
      ask.param.rows.map((name): Node => ({ kind: 'date', param: name, bounds })),
    ),
  )

/** `_lastUpdated`: an instant, of which the row's lo and hi are one millisecond apart. */
export const planUpdated: Planner = ask =>
  anyOf(boundsOf(ask).map((bounds): Node => ({ kind: 'updated', bounds: bounds.map(ofInstant) })))

const ofInstant = ({ end, op, value }: Bound<number>): Bound<number> => {
  if (end === 'lo') return { end, op, value }
  return { end: 'lo', op: op === '>' ? '>=' : '<', value }
}
