/** What can be booked: schedules of doctors with all that a catalog says of them, and their free slots. */
import type { Context } from '../context.ts'
import { isObject, type Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { search } from '../interactions/search.ts'
import { isOnline } from '../scheduling/booking-rule.ts'
import { capacityOf, findAll, planFor, resourceOf } from '../scheduling/calendar.ts'
import { EXTENSION } from '../scheduling/codes.ts'
import { isLive } from '../scheduling/hold.ts'
import { liveResources } from '../scheduling/live-resources.ts'
import { placesOf } from '../scheduling/place.ts'
import { componentsOf, FREE, type Quote, quoteOf } from '../scheduling/price.ts'
import { inSlotNode, keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'

/** A doctor's schedule at a facility. */
export interface Doctor {
  schedule: Resource
  practitioner: Resource
  organization: Resource
  /** The place that people go to; the room is one of `actors`. */
  location: Resource | undefined
  services: readonly Resource[]
  quote: Quote
  /** ChargeItemDefinition.id, or `consultation` where there is no price. */
  itemId: string
  /** Keys of all whose time the schedule is, the doctor aside. */
  actors: readonly string[]
}

export interface Offer extends Doctor {
  slot: Resource
  online: boolean
}

/** Returns what a schedule offers; undefined where it is of no doctor, or of no facility. */
export async function doctorOf(ctx: Context, schedule: Resource): Promise<Doctor | undefined> {
  const { baseUrl } = ctx.settings
  const keysAt = (value: Resource[string]) => objects(value).flatMap(one => keysOf(one, baseUrl)) as Key[]
  const actors = keysAt(schedule.actor)
  const found = await liveResources(ctx, actors)
  const of = (type: string) => [...found.values()].filter(one => one.resourceType === type)
  const role = of('PractitionerRole')[0]
  const linked = [
    ...keysAt(role?.practitioner),
    ...keysAt(role?.healthcareService),
    ...keysAt(role?.organization),
    ...keysAt(role?.location),
  ]
  for (const [key, one] of await liveResources(ctx, linked)) found.set(key, one)
  const practitioner = of('Practitioner')[0]
  if (practitioner === undefined || practitioner.active === false) return undefined
  const services = of('HealthcareService')
  const chains = await placesOf(
    ctx,
    [...found.keys()].filter(key => key.startsWith('Location/')),
  )
  const places = [...chains.values()].flat()
  const location = places.find(place => isObject(place.address) || isObject(place.position)) ?? places[0]
  const owners = [
    role?.organization,
    services[0]?.providedBy,
    ...places.map(place => place.managingOrganization),
  ]
  const organizationKey = owners.flatMap(owner => keysOf(owner, baseUrl) as Key[])[0]
  if (organizationKey === undefined) return undefined
  const organization =
    found.get(organizationKey) ?? (await liveResources(ctx, [organizationKey])).get(organizationKey)
  if (organization === undefined) return undefined
  const price = [schedule, role, ...services]
    .flatMap(one => objects(one?.extension).filter(each => each.url === EXTENSION.price))
    .flatMap(one => keysOf(one.valueReference, baseUrl) as Key[])
    .find(key => key.startsWith('ChargeItemDefinition/'))
  const definition = price && (await liveResources(ctx, [price])).get(price)
  return {
    schedule,
    practitioner,
    organization,
    location,
    services,
    quote: definition === undefined ? FREE : quoteOf(componentsOf(definition)),
    itemId: definition === undefined ? 'consultation' : String(definition.id),
    actors: actors.filter(key => /^(PractitionerRole|Location)\//.test(key)),
  }
}

/** Returns whether a slot, or the schedule that it is of, is for online visits. */
export const isOnlineSlot = (slot: Resource | undefined, schedule: Resource): boolean =>
  [slot, schedule].some(
    one =>
      one !== undefined &&
      isOnline({
        ...one,
        serviceType: objects(one.serviceType),
        serviceCategory: objects(one.serviceCategory),
      }),
  )

/** Slots of one schedule that are looked at. */
const LOOKED_AT = 200

/** Returns at most `most` slots of a schedule that begin in [start, end) and have a place left, the earliest first; ms since 1970. */
export async function freeSlots(
  ctx: Context,
  schedule: Resource,
  start: number,
  end: number,
  most: number,
): Promise<Resource[]> {
  const { rows } = await search(ctx, 'Slot', [
    ['schedule', `Schedule/${String(schedule.id)}`],
    // A hold that has run out leaves its slot tentative until somebody comes.
    ['status', 'free,busy-tentative'],
    ['start', `ge${new Date(start).toISOString()}`],
    ['start', `lt${new Date(end).toISOString()}`],
    ['_sort', 'start'],
    ['_count', String(Math.min(LOOKED_AT, ctx.settings.limits.pageMax))],
  ])
  const slots = rows.map(resourceOf)
  if (slots.length === 0) return []
  const now = ctx.clock()
  const taken = new Map<string, number>()
  const nodes = slots.map(slot => inSlotNode(`Slot/${String(slot.id)}`))
  for (const row of await findAll(ctx, planFor('Appointment', { kind: 'or', nodes }))) {
    const appointment = resourceOf(row)
    if (!isLive(appointment, now)) continue
    for (const key of objects(appointment.slot).flatMap(one => keysOf(one, ctx.settings.baseUrl)))
      taken.set(key, (taken.get(key) ?? 0) + 1)
  }
  return slots.filter(slot => (taken.get(`Slot/${String(slot.id)}`) ?? 0) < capacityOf(slot)).slice(0, most)
}

/** Returns what a slot offers, taken or not; undefined where there is no such slot, or nothing that UHI could book. */
export async function offerOf(ctx: Context, slotId: string): Promise<Offer | undefined> {
  const slotKey: Key = `Slot/${slotId}`
  const slot = (await liveResources(ctx, [slotKey])).get(slotKey)
  const key = slot && (keysOf(slot.schedule, ctx.settings.baseUrl) as Key[])[0]
  const schedule = key && (await liveResources(ctx, [key])).get(key)
  if (slot === undefined || schedule === undefined || schedule.active === false) return undefined
  const doctor = await doctorOf(ctx, schedule)
  return doctor && { ...doctor, slot, online: isOnlineSlot(slot, schedule) }
}
