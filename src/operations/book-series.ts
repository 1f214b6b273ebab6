/** `$book-series`, an operation of this server: an appointment that comes again by a rule, all of them in one commit or none. */
import type { Context } from '../context.ts'
import { FhirError, fhirError, type Issue } from '../fhir/error.ts'
import { isZone, timeRange, wallTime, zonedText } from '../fhir/instant.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { SYSTEM } from '../scheduling/codes.ts'
import { zoneAt } from '../scheduling/place.ts'
import { daysOf, type Recurrence, WEEKDAYS, weekdayOf } from '../scheduling/recurrence.ts'
import { scheduleOf, slotsNamed, slotsWithin } from '../scheduling/slots-at.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { COMMENT, commented, definitionOf, reference, without } from './appointment-change.ts'
import { checkTimed } from './book.ts'
import { bookMany, MOST_TOGETHER, refusals, type Wanted } from './book-many.ts'
import { bookingAnswer, orRefused } from './booking-answer.ts'
import { type Call, type Operation, resourceOf, textOf } from './operation.ts'

const FREQUENCIES = ['daily', 'weekly', 'monthly'] as const

export const bookSeries: Operation = {
  name: 'book-series',
  definition: definitionOf('book-series'),
  types: ['Appointment'],
  levels: ['type'],
  affectsState: true,
  parameters: [
    { name: 'appointment', type: 'Resource', min: 1, max: 1, resourceTypes: ['Appointment'] },
    { name: 'frequency', type: 'code', min: 1, max: 1 },
    { name: 'interval', type: 'positiveInt', min: 0, max: 1 },
    { name: 'day', type: 'code', min: 0, max: '*' },
    { name: 'count', type: 'positiveInt', min: 0, max: 1 },
    { name: 'until', type: 'date', min: 0, max: 1 },
    { name: 'zone', type: 'string', min: 0, max: 1 },
    { name: 'partial', type: 'boolean', min: 0, max: 1 },
    COMMENT,
  ],
  run: (ctx, call) =>
    orRefused(ctx, async () => {
      const { all, missing } = await seriesOf(ctx, call)
      const partial = textOf(call, 'partial') === 'true'
      const more: Issue[] = missing.map(issue => ({ ...issue, severity: partial ? 'warning' : 'error' }))
      if (more.length > 0 && (!partial || all.length === 0))
        throw new FhirError('conflict', [...more, ...(await refusals(ctx, all))])
      const { stored, issues } = await bookMany(ctx, all, partial)
      return bookingAnswer(ctx, stored, [...more, ...issues])
    }),
}

interface Series {
  all: Wanted[]
  /** Why some days have none: there is no slot. */
  missing: Issue[]
}

async function seriesOf(ctx: Context, call: Call): Promise<Series> {
  const first = commented(resourceOf(call, 'appointment')!, call)
  checkTimed(first)
  const start = instantOf(first.start)!
  const length = instantOf(first.end)! - start
  const zone = await zoneFor(ctx, call, first)
  const wall = wallTime(new Date(start).toISOString(), zone)
  if (wall === undefined || !/^\d{4}-/.test(wall))
    throw fhirError('invalid', 'A series begins in the years 1 to 9999 of its zone.', {
      expression: 'Appointment.start',
    })
  const days = daysFor(call, wall.slice(0, 10))
  const identifier = [...objects(first.identifier), { system: SYSTEM.series, value: ctx.newId() }]
  const slots = await slotsNamed(
    ctx,
    objects(first.slot).flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[]),
  )
  const schedules = [...new Set(slots.flatMap(one => scheduleOf(ctx, one.resource) ?? []))]
  const series: Series = { all: [], missing: [] }
  for (const day of days) {
    const from = day === days[0] ? start : timeRange(`${day}T${wall.slice(11)}:00`, zone)?.lo
    if (from === undefined) continue
    const name = zonedText(from, zone)
    const found = await slotsWithin(ctx, schedules, from, from + length)
    if (schedules.length > 0 && (found[0]?.start !== from || found.at(-1)?.end !== from + length)) {
      series.missing.push({
        severity: 'error',
        code: 'conflict',
        diagnostics: `${name}: There is no such slot.`,
        expression: 'Appointment.slot',
        rule: 'slot-unavailable',
      })
      continue
    }
    const appointment: Resource = {
      ...without(first, 'slot', 'requestedPeriod'),
      identifier,
      start: name,
      end: zonedText(from + length, zone),
      ...(found.length > 0 && { slot: found.map(one => reference(one.key)) }),
    }
    series.all.push({ appointment, name })
  }
  return series
}

/** Returns the zone in which the clock of the series goes: as asked, else that of the place. Throws `invalid` for none. */
async function zoneFor(ctx: Context, call: Call, appointment: Resource): Promise<string> {
  const asked = textOf(call, 'zone')
  if (asked !== undefined) {
    if (isZone(asked)) return asked
    throw fhirError('invalid', 'zone is an IANA time zone: Asia/Kolkata.', { expression: 'http.zone' })
  }
  return zoneAt(
    ctx,
    actorsOf(appointment).flatMap(one => keysOf(one, ctx.settings.baseUrl)),
  )
}

/** Throws `invalid` for a rule that is none, `too-costly` (400) for one that comes too often. */
function daysFor(call: Call, first: string): string[] {
  const refuse = (why: string, name: string) => fhirError('invalid', why, { expression: `http.${name}` })
  const frequency = FREQUENCIES.find(one => one === textOf(call, 'frequency'))
  if (frequency === undefined) throw refuse(`frequency is one of ${FREQUENCIES.join(', ')}.`, 'frequency')
  const days = call.texts.get('day') ?? []
  if (days.some(day => !WEEKDAYS.includes(day))) throw refuse(`day is one of ${WEEKDAYS.join(', ')}.`, 'day')
  if (days.length > 0 && frequency !== 'weekly') throw refuse('Days are those of a weekly series.', 'day')
  if (days.length > 0 && !days.includes(weekdayOf(first)))
    throw refuse(`The appointment is on a ${weekdayOf(first)}, which is none of the days.`, 'day')
  const count = textOf(call, 'count')
  const until = textOf(call, 'until')
  if ((count === undefined) === (until === undefined))
    throw refuse('A series has count or until, and not both.', 'count')
  if (until !== undefined && !/^\d{4}-\d\d-\d\d$/.test(until))
    throw refuse('until is a day: 2026-12-31.', 'until')
  if (until !== undefined && (Number.isNaN(Date.parse(until)) || until < first))
    throw refuse('until is a day, and not before the first appointment.', 'until')
  const rule: Recurrence = {
    frequency,
    interval: Number(textOf(call, 'interval') ?? 1),
    days,
    count: count === undefined ? undefined : Number(count),
    until,
  }
  if (rule.interval > 366) throw refuse('interval is 366 at most.', 'interval')
  const found = daysOf(first, rule, MOST_TOGETHER)
  if (found.some(day => !/^\d{4}-/.test(day)))
    throw refuse('A series ends before the year 10000.', 'interval')
  if (found.length <= MOST_TOGETHER) return found
  throw fhirError('too-costly', `A series has ${MOST_TOGETHER} appointments at most.`, {
    status: 400,
    expression: `http.${count === undefined ? 'until' : 'count'}`,
  })
}
