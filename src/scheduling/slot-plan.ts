/** Which slots stay, which go and which are new. */

import { searchPages } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import { zonedText } from '../fhir/instant.ts'
import { NumberText, type Resource } from '../fhir/json.ts'
import { equalJson } from '../interactions/json-equal.ts'
import { derivedId } from '../lib/derived-id.ts'
import { busyNode, instantOf } from '../search/busy.ts'
import { idOf, type Key, keyOf, type Live, type Stored } from '../storage/port.ts'
import type { AppointedIn } from './appointed.ts'
import { planFor, resourceOf } from './calendar.ts'
import { EXTENSION } from './codes.ts'
import { extensionOf, extensionsOf } from './hold.ts'
import type { Span } from './hours.ts'

export interface SlotShape {
  minutes: number
  capacity: number
}

export interface Existing extends Span {
  stored: Live
  resource: Resource
}

const PAGE = 1000

/** Returns the slots of a Schedule that stand in its calendar and overlap the time, in the order of their start. */
export async function existingSlots(ctx: Context, schedule: Key, { start, end }: Span): Promise<Existing[]> {
  const found: Existing[] = []
  const plan = planFor('Slot', busyNode([schedule], start, end))
  for await (const { rows } of searchPages(ctx, plan, { limit: PAGE }))
    for (const stored of rows) {
      const resource = resourceOf(stored)
      const from = instantOf(resource.start)
      const to = instantOf(resource.end)
      if (from === undefined || to === undefined || to <= start || from >= end) continue
      found.push({ stored, resource, start: from, end: to })
    }
  return found.sort((a, b) => a.start - b.start || (a.stored.key < b.stored.key ? -1 : 1))
}

/** Returns the whole number of an extension; undefined where there is none of 1 or more. */
export function numberIn(resource: Resource, url: string): number | undefined {
  const extension = extensionOf(resource, url)
  const value = extension?.valuePositiveInt ?? extension?.valueInteger
  const number = value instanceof NumberText ? Number(value.text) : Number.NaN
  return Number.isInteger(number) && number > 0 ? number : undefined
}

interface Asked extends Span {
  key: Key
  schedule: Resource
  shape: SlotShape
  zone: string
  wanted: readonly Span[]
  existing: readonly Existing[]
  appointed: AppointedIn
}

export interface SlotPlan {
  removed: readonly Existing[]
  put: readonly { slotKey: Key; current: Stored | undefined; resource: Resource }[]
  kept: number
}

/**
 * Returns what is to be done. A slot stays where it stands as it is wanted, where somebody is booked in it, and where it was set aside by
 * hand; of what begins outside `start` to `end` nothing is touched. A new one overlaps none that stays.
 */
export async function plannedSlots(ctx: Context, asked: Asked): Promise<SlotPlan> {
  const { key, schedule, shape, zone, wanted, existing, appointed, start, end } = asked
  const nameOf = (span: Span): string => `${span.start} ${span.end}`
  const open = new Map(wanted.map(span => [nameOf(span), span]))
  const removed: Existing[] = []
  const put: SlotPlan['put'][number][] = []
  const staying: Existing[] = []
  let kept = 0
  for (const one of existing) {
    const isHere = one.start >= start && one.start < end
    const isHeld = appointed.held.has(one.stored.key)
    // Somebody's hand made it busy where no appointment does.
    const isSet = !['free', 'busy-tentative'].includes(String(one.resource.status)) && !isHeld
    const isWanted = open.delete(nameOf(one))
    if (isHere && !isWanted && !isHeld && !isSet) {
      removed.push(one)
      continue
    }
    staying.push(one)
    const next = isHere && isWanted ? await renewed(one, asked, isHeld || isSet) : undefined
    if (next !== undefined) put.push({ slotKey: one.stored.key, current: one.stored, resource: next })
    else if (isHere) kept++
  }
  const longest = staying.reduce((most, one) => Math.max(most, one.end - one.start), 0)
  const fresh = await Promise.all(
    [...open.values()]
      .filter(span => !overlapsAny(span, staying, longest))
      .map(async span => ({ span, slotKey: keyOf('Slot', await slotId(key, span)) })),
  )
  const stored = fresh.length === 0 ? undefined : await ctx.storage.readMany(fresh.map(one => one.slotKey))
  for (const { span, slotKey } of fresh) {
    const current = stored?.get(slotKey)
    // Who has moved our slot elsewhere has taken its id along; an old one that was a mistake is written over.
    const isElsewhere =
      current?.text !== undefined && resourceOf(current as Live).status !== 'entered-in-error'
    const own = isElsewhere ? keyOf('Slot', ctx.newId()) : slotKey
    const resource = slotOf(schedule, key, own, span, shape, zone)
    put.push({ slotKey: own, current: isElsewhere ? undefined : current, resource })
  }
  return { removed, put, kept }
}

/** `sorted` is in the order of start, and none of it longer than `longest`. */
function overlapsAny(span: Span, sorted: readonly Span[], longest: number): boolean {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]!.start < span.start - longest) low = middle + 1
    else high = middle
  }
  for (let i = low; i < sorted.length && sorted[i]!.start < span.end; i++)
    if (sorted[i]!.end > span.start) return true
  return false
}

const slotId = (schedule: Key, { start, end }: Span): Promise<string> =>
  derivedId('slot', schedule, String(start), String(end))

/** Elements that a slot has of its Schedule. */
const SERVICE = ['serviceCategory', 'serviceType', 'specialty'] as const

/** Returns a slot as it is now wanted, undefined where it is so already. One that somebody counts on is only given more places. */
async function renewed(
  { resource, stored, start, end }: Existing,
  { key, schedule, shape }: Asked,
  isKept: boolean,
): Promise<Resource | undefined> {
  const places = numberIn(resource, EXTENSION.capacity) ?? 1
  const isOurs = stored.key === keyOf('Slot', await slotId(key, { start, end }))
  const isServed = isKept || !isOurs || SERVICE.every(name => equalJson(resource[name], schedule[name]))
  if (isServed && (places === shape.capacity || (isKept && places > shape.capacity))) return undefined
  const { meta: _, ...rest } = resource
  const others = extensionsOf(resource).filter(one => one.url !== EXTENSION.capacity)
  const extension = [...others, ...capacityOf(shape)]
  const next: Resource = { ...rest, resourceType: 'Slot' }
  if (extension.length > 0) next.extension = extension
  else delete next.extension
  if (!isServed)
    for (const name of SERVICE) {
      if (schedule[name] === undefined) delete next[name]
      else next[name] = schedule[name]
    }
  // A hold that has run out may have left its mark; the booking rule says what the slot is.
  if (!isKept) next.status = 'free'
  return next
}

const capacityOf = ({ capacity }: SlotShape) =>
  capacity === 1 ? [] : [{ url: EXTENSION.capacity, valuePositiveInt: new NumberText(String(capacity)) }]

function slotOf(
  schedule: Resource,
  of: Key,
  key: Key,
  { start, end }: Span,
  shape: SlotShape,
  zone: string,
): Resource {
  const extension = capacityOf(shape)
  const service = SERVICE.flatMap(name =>
    schedule[name] === undefined ? [] : [[name, schedule[name]] as const],
  )
  return {
    resourceType: 'Slot',
    id: idOf(key),
    ...(extension.length > 0 && { extension }),
    ...Object.fromEntries(service),
    schedule: { reference: of },
    status: 'free',
    start: zonedText(start, zone),
    end: zonedText(end, zone),
  }
}
