/** What is in the calendar: live appointments and slots that overlap an interval, found by the rows of `search/busy.ts`. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { isObject, NumberText, parseJson, type Resource } from '../fhir/json.ts'
import { actorsOf, busyNode, inSlotNode, instantOf, keysOf } from '../search/busy.ts'
import type { Node, SearchPlan } from '../search/plan-node.ts'
import type { Key, Live } from '../storage/port.ts'
import { EXTENSION } from './codes.ts'
import { extensionOf, isLive } from './hold.ts'

/** An appointment as the calendar sees it. Times are ms since 1970, `end` exclusive; NaN where there is none. */
export interface Taken {
  key: Key
  resource: Resource
  start: number
  end: number
  /** Keys of those who take part and have not declined: `Practitioner/1`. */
  actors: readonly string[]
  /** Keys of its slots. */
  slots: readonly string[]
  /** Where it is stored; undefined while it is not. */
  stored: Live | undefined
}

/** Appointments and slots that one question of the calendar may find: an interval longer than a year's work is refused. */
const MOST = 5000

export const overlap = (a: { start: number; end: number }, b: { start: number; end: number }): boolean =>
  a.start < b.end && a.end > b.start

/** Returns an appointment as the calendar sees it. */
export function takenOf(
  key: Key,
  resource: Resource,
  baseUrl: string,
  stored: Live | undefined = undefined,
): Taken {
  const slots = Array.isArray(resource.slot) ? resource.slot.flatMap(one => keysOf(one, baseUrl)) : []
  return {
    key,
    resource,
    start: instantOf(resource.start) ?? Number.NaN,
    end: instantOf(resource.end) ?? Number.NaN,
    actors: [...new Set(actorsOf(resource).flatMap(one => keysOf(one, baseUrl)))],
    slots: [...new Set(slots)],
    stored,
  }
}

/** Returns the plan that finds resources of these types for which the node holds; its cursors are given to nobody, so that it needs no fingerprint. */
export const planFor = (type: string | readonly string[], where: Node): SearchPlan => {
  const types = typeof type === 'string' ? [type] : type
  return { types, where, sort: [], fingerprint: '' }
}

/** Returns all that the plan finds; `few`: the caller knows that it is little. Throws `too-costly` where that is more than a calendar may hold. */
export async function findAll(ctx: Context, plan: SearchPlan, few = false): Promise<Live[]> {
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const page = await ctx.storage.search(plan, { limit: MOST, total: 'none', deadline, ...(few && { few }) })
  if (page.more)
    throw fhirError('too-costly', `More than ${MOST} entries of the calendar are in this time: ask for less.`)
  return page.rows as Live[]
}

export const resourceOf = (stored: Live): Resource =>
  parseJson(stored.text, Number.POSITIVE_INFINITY) as Resource

/**
 * Returns the live appointments of these actors (`Practitioner/1`) that overlap the interval, in the order of their start.
 *
 * Throws `too-costly` where they are too many.
 */
export async function takenWithin(
  ctx: Context,
  actors: readonly string[],
  start: number,
  end: number,
): Promise<Taken[]> {
  if (actors.length === 0) return []
  const now = ctx.clock()
  const rows = await findAll(ctx, planFor('Appointment', busyNode(actors, start, end)))
  return rows
    .map(row => takenOf(row.key, resourceOf(row), ctx.settings.baseUrl, row))
    .filter(one => isLive(one.resource, now) && overlap(one, { start, end }))
    .sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1))
}

/** Returns how many appointments a slot takes. */
export function capacityOf(slot: Resource | undefined): number {
  const value = slot === undefined ? undefined : extensionOf(slot, EXTENSION.capacity)?.valuePositiveInt
  const number = value instanceof NumberText ? Number(value.text) : 1
  return Number.isInteger(number) && number > 0 ? number : 1
}

/** Returns how many more appointments a slot takes at this moment, whatever its status says. */
export async function placesLeft(ctx: Context, slot: Resource): Promise<number> {
  const now = ctx.clock()
  const rows = await findAll(ctx, planFor('Appointment', inSlotNode(`Slot/${String(slot.id)}`)))
  return Math.max(0, capacityOf(slot) - rows.filter(row => isLive(resourceOf(row), now)).length)
}

/** Whether a coding of this system and code stands in one of the CodeableConcepts. */
export function hasCoding(concepts: readonly unknown[], system: string, codes: ReadonlySet<string>): boolean {
  return concepts.some(
    concept =>
      isObject(concept as Resource) &&
      Array.isArray((concept as Resource).coding) &&
      ((concept as Resource).coding as unknown[]).some(
        coding =>
          isObject(coding as Resource) &&
          (coding as Resource).system === system &&
          codes.has(String((coding as Resource).code)),
      ),
  )
}
