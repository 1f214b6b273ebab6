/**
 * What the status of a slot follows from: its appointments, and those that take its owner's time without it.
 * https://hl7.org/fhir/R4/valueset-slotstatus.html
 */
import { isObject, type JsonObject, type Resource } from '../fhir/json.ts'
import type { Book, Place } from './book.ts'
import { overlap, type Taken } from './calendar.ts'
import { SYSTEM } from './codes.ts'
import { isLive } from './hold.ts'

export type Derived = 'free' | 'busy' | 'busy-tentative'

/** Statuses that people set and that stay, whoever is booked. */
const SET_BY_HAND: ReadonlySet<string> = new Set(['busy-unavailable', 'entered-in-error'])

/** The tag of a slot that was called busy though nothing here makes it so: an event elsewhere, which outlasts those that are known. */
const CLOSED = { system: SYSTEM.slot, code: 'closed' }

const tagsOf = ({ meta }: Resource): JsonObject[] =>
  isObject(meta) && Array.isArray(meta.tag) ? meta.tag.filter(isObject) : []

const isClosedTag = ({ system, code }: JsonObject): boolean =>
  system === CLOSED.system && code === CLOSED.code

/** Returns whether a slot bears the mark of one that somebody has closed. */
export const isMarked = (slot: Resource): boolean => tagsOf(slot).some(isClosedTag)

/** Returns whether the status of a slot is somebody's word, and follows from no appointment. */
export const isSetByHand = (slot: Resource): boolean =>
  SET_BY_HAND.has(String(slot.status)) || (slot.status === 'busy' && isMarked(slot))

/** Returns a slot with this status, marked as closed or not. */
export function withStatus(slot: Resource, status: string, closed = false): Resource {
  const others = tagsOf(slot).filter(tag => !isClosedTag(tag))
  const tags = closed ? [...others, CLOSED] : others
  const { tag: _, ...meta } = isObject(slot.meta) ? slot.meta : ({} as JsonObject)
  return { ...slot, meta: tags.length === 0 ? meta : { ...meta, tag: tags }, status }
}

/** Returns whose time an appointment takes: of its actors, and of the owners of its slots. */
export function ownersOf(book: Book, one: Taken): Set<string> {
  const owners = new Set<string>()
  for (const actor of one.actors) {
    const owner = book.ownerOf(actor)
    if (owner !== undefined) owners.add(owner)
  }
  for (const slot of one.slots)
    for (const owner of book.places.get(slot as never)?.owners ?? []) owners.add(owner)
  return owners
}

/** Returns the live appointments in a slot. */
export const inSlot = (place: Place, taken: Iterable<Taken>, now: number): Taken[] =>
  [...taken].filter(one => one.slots.includes(place.key) && isLive(one.resource, now))

/**
 * Returns the status that a slot has by the appointments that there are: tentative where it would be free without those that are only held,
 * so that it is known for free when they have run out.
 */
export function derivedStatus(book: Book, place: Place, taken: readonly Taken[], now: number): Derived {
  const around = taken.filter(
    one =>
      !one.slots.includes(place.key) &&
      isLive(one.resource, now) &&
      overlap(one, place) &&
      [...ownersOf(book, one)].some(owner => place.owners.includes(owner)),
  )
  const own = inSlot(place, taken, now)
  const isTaken = (all: readonly Taken[], inside: readonly Taken[]): boolean =>
    all.length > 0 || inside.length >= place.capacity
  if (!isTaken(around, own)) return 'free'
  const isFirm = (one: Taken): boolean => one.resource.status !== 'pending'
  return isTaken(around.filter(isFirm), own.filter(isFirm)) ? 'busy' : 'busy-tentative'
}
