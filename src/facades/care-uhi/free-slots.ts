/** Slots of schedules that somebody can still book. */
import type { Context } from '../../context.ts'
import type { Resource } from '../../fhir/json.ts'
import { capacityOf, findAll, planFor, resourceOf } from '../../scheduling/calendar.ts'
import { isLive } from '../../scheduling/hold.ts'
import { searched } from '../../scheduling/live-resources.ts'
import { inSlotNode, keysOf } from '../../search/busy.ts'
import { idOf } from './translate.ts'

/** Slots that one answer lists, and that one question looks at. */
export const MOST_SLOTS = 500
const LOOKED_AT = 4000
const AT_ONCE = 50

/** States of slots in which somebody may yet find a place: a hold may have run out. */
const OPEN = 'free,busy-tentative'

/** Returns the free slots of the schedules that begin in [start, end), the earliest first; ms since 1970. */
export async function freeSlots(
  ctx: Context,
  schedules: readonly Resource[],
  start: number,
  end: number,
): Promise<Resource[]> {
  const open: Resource[] = []
  for (let from = 0; from < schedules.length; from += AT_ONCE) {
    const ids = schedules.slice(from, from + AT_ONCE).map(schedule => `Schedule/${idOf(schedule)}`)
    const found = await searched(
      ctx,
      'Slot',
      [
        ['schedule', ids.join()],
        ['status', OPEN],
        ['start', `ge${new Date(start).toISOString()}`],
        ['start', `lt${new Date(end).toISOString()}`],
      ],
      LOOKED_AT,
    )
    open.push(...found.values())
  }
  open.sort(
    (a, b) => Date.parse(String(a.start)) - Date.parse(String(b.start)) || (idOf(a) < idOf(b) ? -1 : 1),
  )
  const free: Resource[] = []
  for (let from = 0; from < open.length && free.length < MOST_SLOTS; from += AT_ONCE) {
    const some = open.slice(from, from + AT_ONCE)
    const taken = await takenIn(ctx, some)
    free.push(...some.filter(slot => (taken.get(`Slot/${idOf(slot)}`) ?? 0) < capacityOf(slot)))
  }
  return free.slice(0, MOST_SLOTS)
}

/** Returns how many live appointments each slot has, by key. */
async function takenIn(ctx: Context, slots: readonly Resource[]): Promise<Map<string, number>> {
  const now = ctx.clock()
  const nodes = slots.map(slot => inSlotNode(`Slot/${idOf(slot)}`))
  const counts = new Map<string, number>()
  for (const row of await findAll(ctx, planFor('Appointment', { kind: 'or', nodes }))) {
    const appointment = resourceOf(row)
    if (!isLive(appointment, now) || !Array.isArray(appointment.slot)) continue
    for (const key of appointment.slot.flatMap(one => keysOf(one, ctx.settings.baseUrl)))
      counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}
