/** Slots of a schedule at a time, and whose time they are. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { checkType } from '../interactions/identity.ts'
import { busyNode, instantOf, keysOf } from '../search/busy.ts'
import type { Key, Live } from '../storage/port.ts'
import { findAll, planFor, resourceOf } from './calendar.ts'

export interface SlotAt {
  key: Key
  resource: Resource
  stored: Live
  /** ms since 1970, `end` exclusive. */
  start: number
  end: number
}

/** The longest time that is looked at, days: longer than any appointment. */
const MOST_DAYS = 400

/**
 * Returns the slots of these schedules (`Schedule/1`) that lie within the interval, in the order of their start.
 *
 * Throws `business-rule` for an interval that is longer than an appointment may be.
 */
export async function slotsWithin(
  ctx: Context,
  schedules: readonly string[],
  start: number,
  end: number,
): Promise<SlotAt[]> {
  if (schedules.length === 0) return []
  checkType(ctx, 'Slot')
  if (!(end - start <= MOST_DAYS * 86_400_000))
    throw fhirError('business-rule', `An appointment is no longer than ${MOST_DAYS} days.`, {
      expression: 'Appointment.end',
    })
  const rows = await findAll(ctx, planFor('Slot', busyNode(schedules, start, end)))
  return rows
    .flatMap(stored => slotOf(stored) ?? [])
    .filter(slot => slot.start >= start && slot.end <= end)
    .sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1))
}

/** Returns a stored slot with its times; undefined where it has none. */
export function slotOf(stored: Live): SlotAt | undefined {
  const resource = resourceOf(stored)
  const start = instantOf(resource.start)
  const end = instantOf(resource.end)
  if (start === undefined || end === undefined) return undefined
  return { key: stored.key, resource, stored, start, end }
}

/** Returns the key of a slot's schedule. */
export const scheduleOf = (ctx: Context, slot: Resource): string | undefined =>
  keysOf(slot.schedule, ctx.settings.baseUrl)[0]

/** Returns the slots of these keys, those that there are, in their order. */
export async function slotsNamed(ctx: Context, keys: readonly Key[]): Promise<SlotAt[]> {
  if (keys.length === 0) return []
  checkType(ctx, 'Slot')
  const found = await ctx.storage.readMany(keys)
  return keys.flatMap(key => {
    const stored = found.get(key)
    return stored?.text === undefined ? [] : (slotOf(stored as Live) ?? [])
  })
}
