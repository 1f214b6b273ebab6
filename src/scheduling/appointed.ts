/** Live appointments around the slots of a Schedule. */
import type { Context } from '../context.ts'
import { checkGranted } from '../interactions/identity.ts'
import type { Node } from '../search/plan-node.ts'
import type { Key } from '../storage/port.ts'
import { findAll, planFor, resourceOf, type Taken, takenOf, takenWithin } from './calendar.ts'
import { isLive } from './hold.ts'
import type { Span } from './hours.ts'
import type { Published } from './published-hours.ts'
import type { Existing } from './slot-plan.ts'

/** Slots that one search asks about. */
const SLOTS = 100

export interface Appointed extends Taken {
  /** It is in a slot of the Schedule, or in none of another one and not at another place. */
  isHere: boolean
}

export interface AppointedIn {
  /** Live ones, in the order of their start. */
  all: readonly Appointed[]
  /** Keys of the slots that live ones are in. */
  held: ReadonlySet<string>
  /** Keys of the slots that any Appointment names, whatever became of it. */
  named: ReadonlySet<string>
}

/** Returns the appointments in these slots, and those of the actors in the time. Throws `too-costly` for too many. */
export async function appointedIn(
  ctx: Context,
  { actors, places }: Pick<Published, 'actors' | 'places'>,
  slots: readonly Existing[],
  { start, end }: Span,
): Promise<AppointedIn> {
  checkGranted(ctx, 'read', 'Appointment')
  const { baseUrl } = ctx.settings
  const now = ctx.clock()
  const own = new Set<string>(slots.map(one => one.stored.key))
  const found = new Map<Key, Taken>()
  const named = new Set<string>()
  for (let at = 0; at < slots.length; at += SLOTS) {
    const where: Node = {
      kind: 'or',
      nodes: slots.slice(at, at + SLOTS).map(
        ({ resource }): Node => ({
          kind: 'reference',
          param: 'Appointment.slot',
          type: 'Slot',
          id: String(resource.id),
        }),
      ),
    }
    for (const row of await findAll(ctx, planFor('Appointment', where))) {
      const one = takenOf(row.key, resourceOf(row), baseUrl, row)
      for (const slot of one.slots) named.add(slot)
      if (isLive(one.resource, now)) found.set(one.key, one)
    }
  }
  for (const one of await takenWithin(ctx, actors, start, end)) found.set(one.key, one)
  const elsewhere = await liveSlots(
    ctx,
    [...found.values()].flatMap(one => one.slots).filter(slot => !own.has(slot)),
  )
  const isHere = ({ slots: taken, actors: people }: Taken): boolean => {
    if (taken.some(slot => own.has(slot))) return true
    const at = people.filter(actor => actor.startsWith('Location/'))
    const isNear = at.length === 0 || places.size === 0 || at.some(place => places.has(place))
    return isNear && !taken.some(slot => elsewhere.has(slot))
  }
  const all = [...found.values()]
    .filter(one => one.start >= start && one.start < end)
    .map(one => ({ ...one, isHere: isHere(one) }))
    .sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1))
  const held = new Set([...found.values()].flatMap(one => one.slots))
  return { all, held, named }
}

/** Returns those of the slots that there are. */
async function liveSlots(ctx: Context, keys: readonly string[]): Promise<Set<string>> {
  if (keys.length === 0) return new Set()
  const found = await ctx.storage.readMany([...new Set(keys)] as Key[])
  return new Set([...found].filter(([, stored]) => stored.text !== undefined).map(([key]) => key))
}
