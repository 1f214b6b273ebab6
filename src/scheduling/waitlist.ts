/**
 * The waitlist: Appointments without a time, for whom a time that is free is held in their order. Nobody need be told that a time has become
 * free: what stands in the store says it, so that an offer is neither lost in a crash nor made twice.
 */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { objects, text } from '../fhir/tree.ts'
import { etag } from '../interactions/preconditions.ts'
import { update } from '../interactions/update.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import { idOf, type Key, type Live } from '../storage/port.ts'
import { overlap, planFor, resourceOf, takenWithin } from './calendar.ts'
import { type FindRequest, type FreeSlot, freeSlots } from './find.ts'
import { isLive } from './hold.ts'
import type { Span } from './hours.ts'
import { makeOffer } from './make-offer.ts'
import { cancelledFor, offersOf, REASON } from './offer.ts'

/** Entries that are looked at in one go. */
const MOST_ENTRIES = 1000
/** Times that are tried for one entry: another may take one just now, or the patient be elsewhere. */
const TRIES = 5
/** The longest time that is looked at for one entry. */
const MOST_MS = 90 * 86_400_000
const MINUTE = 60_000
/** Who says nothing of urgency comes after all who do; 0 says nothing. https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.priority */
const LEAST = 10

export interface WaitlistMoves {
  /** Keys of the offers that were made. */
  offered: Key[]
  /** Keys of entries whose time has passed. */
  ended: Key[]
}

/**
 * Offers free times to those who wait, the most urgent first (Appointment.priority, 1 to 9), then in the order in which they came; an
 * entry has one open offer at a time, and is never offered the same slot again. Ends entries whose time has passed.
 *
 * `now` is ms since 1970.
 */
export async function offerFreeTimes(ctx: Context, now: number): Promise<WaitlistMoves> {
  const moves: WaitlistMoves = { offered: [], ended: [] }
  const entries = (await waiting(ctx)).map(stored => entryOf(ctx, stored))
  const free = new Map<string, Promise<FreeSlot[]>>()
  for (const entry of entries) {
    try {
      if (entry.windows.length > 0 && entry.windows.every(one => one.end <= now)) {
        await endWait(ctx, entry)
        moves.ended.push(entry.stored.key)
        continue
      }
      if (!free.has(entry.group)) free.set(entry.group, freeFor(ctx, entry, entries, now))
      const made = await serve(ctx, entry, await free.get(entry.group)!, now)
      if (made === undefined) continue
      moves.offered.push(made)
      // The slot may have more places, or none: whoever comes next sees what is free then.
      free.clear()
    } catch (error) {
      // One entry that cannot be served, or that another server serves, must not keep the others waiting.
      if (!(error instanceof FhirError) || error.status >= 500) throw error
      ctx.log.warn('waitlist', { entry: entry.stored.key, code: error.code })
    }
  }
  return moves
}

interface Entry {
  stored: Live
  resource: Resource
  /** The times in which the patient could come. */
  windows: readonly Span[]
  /** Keys of the practitioners, departments and places that it waits for. */
  actors: readonly Key[]
  patients: readonly Key[]
  /** The same for all who wait for the same actors. */
  group: string
}

async function waiting(ctx: Context): Promise<Live[]> {
  const plan = planFor('Appointment', { kind: 'token', param: 'Appointment.status', code: 'waitlist' })
  const page = await ctx.storage.search(plan, { limit: MOST_ENTRIES, total: 'none' })
  const urgency = (one: Live): number => Number(text(resourceOf(one).priority) ?? 0) || LEAST
  return (page.rows as Live[])
    .map(row => [urgency(row), row] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, row]) => row)
}

function entryOf(ctx: Context, stored: Live): Entry {
  const resource = resourceOf(stored)
  const all = actorsOf(resource).flatMap(one => keysOf(one, ctx.settings.baseUrl)) as Key[]
  const actors = all.filter(key => !/^(?:Patient|RelatedPerson)\//.test(key))
  const patients = all.filter(key => key.startsWith('Patient/'))
  return {
    stored,
    resource,
    windows: windowsOf(resource),
    actors,
    patients,
    group: [...actors].sort().join(' '),
  }
}

const endWait = (ctx: Context, { stored, resource }: Entry) =>
  update(ctx, 'Appointment', idOf(stored.key), cancelledFor(resource, REASON.waitOver), {
    ifMatch: etag(stored),
  })

/** Returns the key of an offer that is made; undefined where there is none to make. */
async function serve(
  ctx: Context,
  entry: Entry,
  free: readonly FreeSlot[],
  now: number,
): Promise<Key | undefined> {
  const { baseUrl } = ctx.settings
  const within = free.filter(slot =>
    entry.windows.some(one => slot.start >= one.start && slot.end <= one.end),
  )
  if (within.length === 0) return undefined
  const offers = await readOffers(ctx, entry.resource)
  if (offers.some(one => isLive(one, now))) return undefined
  const seen = new Set(offers.flatMap(one => objects(one.slot).flatMap(slot => keysOf(slot, baseUrl))))
  const span = {
    start: Math.min(...within.map(one => one.start)),
    end: Math.max(...within.map(one => one.end)),
  }
  const elsewhere = await takenWithin(ctx, entry.patients, span.start, span.end)
  const fitting = within.filter(slot => !seen.has(slot.key) && !elsewhere.some(one => overlap(one, slot)))
  for (const slot of fitting.slice(0, TRIES)) {
    const made = await makeOffer(ctx, entry.stored, entry.resource, slot, now)
    if (made !== undefined) return made
  }
  return undefined
}

/** Returns the times in which the patient could come. */
const windowsOf = (entry: Resource): Span[] =>
  objects(entry.requestedPeriod).flatMap(({ start, end }) => {
    const to = instantOf(end)
    return to === undefined ? [] : [{ start: instantOf(start) ?? 0, end: to }]
  })

async function readOffers(ctx: Context, entry: Resource): Promise<Resource[]> {
  const found = await ctx.storage.readMany(offersOf(ctx, entry))
  return [...found.values()].flatMap(one => (one.text === undefined ? [] : [resourceOf(one as Live)]))
}

/** Returns what is free for all who wait for the same, soonest first. */
async function freeFor(
  ctx: Context,
  entry: Entry,
  entries: readonly Entry[],
  now: number,
): Promise<FreeSlot[]> {
  const of = (...types: readonly string[]) =>
    entry.actors.filter(key => types.some(type => key.startsWith(`${type}/`)))
  const wanted = {
    practitioners: of('Practitioner', 'PractitionerRole'),
    organizations: [],
    services: of('HealthcareService'),
    locations: of('Location'),
    addresses: [],
    near: [],
    specialties: [],
    visitTypes: [],
    patients: [],
    maxFee: undefined,
  }
  // Who waits for nobody in particular is not offered the whole hospital.
  if (wanted.practitioners.length + wanted.services.length + wanted.locations.length === 0) return []
  const windows = entries.filter(one => one.group === entry.group).flatMap(one => one.windows)
  const start = Math.max(Math.min(...windows.map(one => one.start)), now + MINUTE)
  const end = Math.min(Math.max(...windows.map(one => one.end)), start + MOST_MS)
  return windows.length === 0 ? [] : soonest(ctx, { ...wanted, start, end })
}

/** Returns the free slots of a time; where they are too many to look at, those of its beginning. */
async function soonest(ctx: Context, request: FindRequest): Promise<FreeSlot[]> {
  try {
    return await freeSlots(ctx, request)
  } catch (error) {
    const { start, end } = request
    if (!(error instanceof FhirError) || error.code !== 'too-costly' || end - start < MINUTE) throw error
    return soonest(ctx, { ...request, end: start + (end - start) / 2 })
  }
}
