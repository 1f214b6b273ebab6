/** Slots of a Schedule, made of the hours that are published; free ones that no longer fit make room, booked ones stay. */
import type { Context } from '../context.ts'
import { FhirError, fhirError, type Issue } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { changeOf, commit, deletionOf } from '../interactions/commit.ts'
import { indexRows } from '../interactions/indexer.ts'
import { LOST, untilSettled } from '../interactions/race.ts'
import { read } from '../interactions/read.ts'
import { unreferenced } from '../interactions/references.ts'
import type { Proposed } from '../interactions/write-rules.ts'
import { type Key, keyOf, type Require } from '../storage/port.ts'
import { type Appointed, appointedIn } from './appointed.ts'
import { resourceOf } from './calendar.ts'
import { EXTENSION } from './codes.ts'
import {
  covered,
  dayAfter,
  daysBetween,
  joined,
  periodSpans,
  type Span,
  slotsOf,
  startOfDay,
} from './hours.ts'
import { type Published, published } from './published-hours.ts'
import { type Existing, existingSlots, numberIn, plannedSlots, type SlotShape } from './slot-plan.ts'
import { localDay } from './token.ts'

/** Days and slots of one call. */
const MOST_DAYS = 400
const MOST_SLOTS = 10_000
/** Days that are made where neither the call nor the planning horizon says how many. */
const DAYS = 28
/** Days and slots that are looked at, and changes that are made, at once. */
const DAYS_AT_ONCE = 28
const SLOTS_AT_ONCE = 400
const CHANGES = 400

/** What is asked for; days as `2026-12-01`, both included. */
export interface SlotRequest {
  start: string | undefined
  end: string | undefined
  /** Of one slot. */
  minutes: number | undefined
  /** Appointments that a slot takes. */
  capacity: number | undefined
}

export interface Generated {
  schedule: Key
  /** Days that were looked at. */
  from: string
  to: string
  created: number
  /** Those that changed their capacity or service. */
  changed: number
  removed: number
  /** Slots of these days that stay as they were. */
  kept: number
  /** Live appointments of these days that lie outside the hours, in the order of their start. */
  unfit: readonly Appointed[]
}

/** Weekly hours times days that are laid out in one call. */
const MOST_SPANS = 200_000

/**
 * Makes the slots of Schedules for some days, from now on; a second call changes nothing. Nothing is written where one of the Schedules is
 * refused.
 *
 * Throws `not-found` and `deleted` for a Schedule, `business-rule` (422) where it is not active or nothing says when it is open,
 * `required` without a length of slots, `invalid` and `too-costly` (400) for days that are none or too many.
 */
export async function generateSlots(
  ctx: Context,
  ids: readonly string[],
  request: SlotRequest,
): Promise<Generated[]> {
  const works: Work[] = []
  const room = { slots: MOST_SLOTS, spans: MOST_SPANS }
  for (const id of ids) works.push(await workOf(ctx, id, request, room))
  const done: Generated[] = []
  for (const work of works) done.push(await perform(ctx, work))
  return done
}

/** What a Schedule is to have. */
interface Work {
  key: Key
  schedule: Resource
  shape: SlotShape
  hours: Published
  window: Window
  parts: readonly Part[]
}

/** How much may still be laid out in this call. */
interface Room {
  slots: number
  spans: number
}

async function workOf(ctx: Context, id: string, request: SlotRequest, room: Room): Promise<Work> {
  const key = keyOf('Schedule', id)
  const schedule = resourceOf(await read(ctx, 'Schedule', id))
  if (schedule.active === false)
    throw refusal('schedule-inactive', 'The Schedule is not active: it has no slots to offer.')
  const shape = shapeOf(schedule, request)
  const hours = await published(ctx, schedule)
  const window = windowOf(ctx, schedule, hours.zone, request)
  return { key, schedule, shape, hours, window, parts: partsOf(hours, window, shape.minutes, room) }
}

async function perform(ctx: Context, work: Work): Promise<Generated> {
  const { key, window } = work
  const result = {
    schedule: key,
    from: window.from,
    to: window.to,
    created: 0,
    changed: 0,
    removed: 0,
    kept: 0,
  }
  const unfit: Appointed[] = []
  for (const part of work.parts) {
    const done = await onePart(ctx, work, part)
    result.created += done.created
    result.changed += done.changed
    result.removed += done.removed
    result.kept += done.kept
    unfit.push(...done.unfit)
  }
  return { ...result, unfit }
}

function refusal(rule: string, diagnostics: string): FhirError {
  const issue: Issue = { severity: 'error', code: 'business-rule', diagnostics, expression: 'Schedule', rule }
  return new FhirError('business-rule', [issue])
}

function shapeOf(schedule: Resource, { minutes, capacity }: SlotRequest): SlotShape {
  const length = minutes ?? numberIn(schedule, EXTENSION.slotMinutes)
  if (length === undefined)
    throw fhirError(
      'required',
      `How long a slot is, is said by slotMinutes or by the extension ${EXTENSION.slotMinutes} of the Schedule.`,
      { expression: 'http.slotMinutes' },
    )
  const places = capacity ?? numberIn(schedule, EXTENSION.capacity) ?? 1
  const within = (value: number, most: number, name: string): number => {
    if (value >= 1 && value <= most) return value
    throw fhirError('invalid', `${name} is a whole number from 1 to ${most}.`, { expression: `http.${name}` })
  }
  return { minutes: within(length, 1440, 'slotMinutes'), capacity: within(places, 1000, 'capacity') }
}

interface Window extends Span {
  from: string
  to: string
}

/** Returns the days asked for, and of them the time that is not past and that the Schedule plans for. */
function windowOf(ctx: Context, schedule: Resource, zone: string, { start, end }: SlotRequest): Window {
  const now = ctx.clock()
  const horizon = periodSpans([schedule.planningHorizon], zone)[0] ?? {
    start: Number.NEGATIVE_INFINITY,
    end: Number.POSITIVE_INFINITY,
  }
  for (const [name, day] of Object.entries({ start, end }))
    if (
      day !== undefined &&
      (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(day) || Number.isNaN(startOfDay(day, zone)))
    )
      throw fhirError('invalid', `${name} is a day, such as 2026-12-01.`, { expression: `http.${name}` })
  const from = start ?? localDay(Math.max(now, horizon.start), zone)
  const planned = Number.isFinite(horizon.end) ? localDay(horizon.end - 1, zone) : dayAfter(from, DAYS - 1)
  const last = dayAfter(from, MOST_DAYS - 1)
  const to = end ?? (planned < last ? planned : last)
  // A horizon that is over leaves nothing to do; an end before its start is a mistake of the caller.
  if (to < from && end !== undefined)
    throw fhirError('invalid', 'end is before start.', { expression: 'http.end' })
  if (to >= from && daysBetween(from, to) >= MOST_DAYS)
    throw fhirError('too-costly', `At most ${MOST_DAYS} days are made in one call.`, {
      status: 400,
      expression: 'http.end',
    })
  return {
    from,
    to,
    start: Math.max(startOfDay(from, zone), now, horizon.start),
    end: to < from ? now : Math.min(startOfDay(dayAfter(to, 1), zone), horizon.end),
  }
}

/** Some days, with the slots that they are to have. */
interface Part extends Span {
  wanted: readonly Span[]
  /** The hours, joined. */
  fit: readonly Span[]
}

/** Returns the days in parts that are done at once. Throws `too-costly` (400) for more slots than one call makes. */
function partsOf({ hours, size, zone }: Published, window: Window, minutes: number, room: Room): Part[] {
  const length = minutes * 60_000
  if (window.end <= window.start) return []
  const tooMany = (what: string) =>
    fhirError('too-costly', `At most ${what} in one call: ask for fewer days.`, {
      status: 400,
      expression: 'http.end',
    })
  room.spans -= size * (daysBetween(window.from, window.to) + 3)
  if (room.spans < 0) throw tooMany(`${MOST_SPANS} weekly hours times days are looked at`)
  const all = hours(dayAfter(window.from, -1), window.to)
  for (const { start, end } of all.flatMap(one => one.open)) room.slots -= Math.floor((end - start) / length)
  if (room.slots < 0) throw tooMany(`${MOST_SLOTS} slots are made`)
  const slots = all.flatMap(one => slotsOf(one.open, length).filter(slot => covered(slot, one.fit)))
  slots.sort((a, b) => a.start - b.start)
  const wanted: Span[] = []
  for (const slot of slots)
    if (slot.start >= window.start && slot.start < window.end && slot.start >= (wanted.at(-1)?.end ?? 0))
      wanted.push(slot)
  const fit = joined(all.flatMap(one => one.fit))

  const parts: Part[] = []
  let next = 0
  for (let day = window.from; day <= window.to; ) {
    const first = day
    const from = next
    do {
      day = dayAfter(day, 1)
      const until = startOfDay(day, zone)
      while (next < wanted.length && wanted[next]!.start < until) next++
    } while (day <= window.to && daysBetween(first, day) < DAYS_AT_ONCE && next - from < SLOTS_AT_ONCE)
    const start = Math.max(startOfDay(first, zone), window.start)
    const end = Math.min(startOfDay(day, zone), window.end)
    if (start < end) parts.push({ start, end, wanted: wanted.slice(from, next), fit })
  }
  return parts
}

type Done = Pick<Generated, 'created' | 'changed' | 'removed' | 'kept' | 'unfit'>

async function onePart(ctx: Context, work: Work, part: Part): Promise<Done> {
  const { key, schedule, shape, hours } = work
  /** What else refers to a slot shows only when it is to be deleted: such a slot is marked as a mistake instead. */
  const retired = new Set<Key>()
  const done = { created: 0, changed: 0, removed: 0 }
  return untilSettled(async () => {
    const counter = `slots ${key}`
    let seen = await ctx.storage.counter(counter)
    const existing = await existingSlots(ctx, key, part)
    const appointed = await appointedIn(ctx, hours, existing, part)
    const plan = await plannedSlots(ctx, {
      key,
      schedule,
      shape,
      zone: hours.zone,
      existing,
      appointed,
      ...part,
    })
    const unfit = appointed.all.filter(one => one.isHere && !covered(one, part.fit))
    const proposed: Proposed[] = [
      ...plan.removed.map(one => removal(ctx, one, retired, appointed.named)),
      ...plan.put.map(({ slotKey, current, resource }) =>
        changeOf(ctx, {
          key: slotKey,
          id: String(resource.id),
          version: (current?.version ?? 0) + 1,
          method: current?.text === undefined ? 'POST' : 'PUT',
          resource,
          index: indexRows(ctx, resource),
          current,
        }),
      ),
    ]
    for (let at = 0; at < proposed.length; at += CHANGES) {
      const changes = proposed.slice(at, at + CHANGES)
      const require: Require[] = [
        { is: 'counter', name: counter, seen, next: seen + 1 },
        { is: 'live', key },
        ...changes.flatMap(one => (one.body === null ? unreferenced(ctx, one.key) : [])),
      ]
      const made = await commit(ctx, changes, require).catch(lostTo)
      if (made === LOST) return LOST
      if (!made.ok) {
        const refused = made.reason === 'require' ? require[made.index] : undefined
        if (refused?.is === 'unreferenced') retired.add(refused.key)
        if (refused?.is === 'live') throw fhirError('deleted', `${key} has been deleted.`)
        return LOST
      }
      seen++
      for (const one of changes) {
        const isMade = one.resource !== undefined && one.current?.text === undefined
        const isGone = one.resource === undefined || one.resource.status === 'entered-in-error'
        done[isGone ? 'removed' : isMade ? 'created' : 'changed']++
      }
    }
    return { ...done, kept: plan.kept, unfit }
  })
}

/** Somebody has booked a slot that was about to go: it is looked at anew. */
function lostTo(error: unknown): typeof LOST {
  if (
    error instanceof FhirError &&
    error.code === 'conflict' &&
    error.issues.some(one => one.rule !== undefined)
  )
    return LOST
  throw error
}

function removal(
  ctx: Context,
  { stored, resource }: Existing,
  retired: ReadonlySet<Key>,
  named: ReadonlySet<string>,
): Proposed {
  if (!retired.has(stored.key) && !named.has(stored.key)) return deletionOf(stored)
  const { meta: _, ...rest } = resource
  const gone: Resource = { ...rest, resourceType: 'Slot', status: 'entered-in-error' }
  return changeOf(ctx, {
    key: stored.key,
    id: String(resource.id),
    version: stored.version + 1,
    method: 'PUT',
    resource: gone,
    index: indexRows(ctx, gone),
    current: stored,
  })
}
