/**
 * The waitlist: Appointments without a time, for whom a time that is free is held in their order. Nobody need be told that a time has become
 * free: what stands in the store says it, so that an offer is neither lost in a crash nor made twice.
 */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { wallTime } from '../fhir/instant.ts'
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import { objects, text } from '../fhir/tree.ts'
import { etag } from '../interactions/preconditions.ts'
import { transaction } from '../interactions/transaction.ts'
import { update } from '../interactions/update.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import { idOf, type Key, type Live, stampText } from '../storage/port.ts'
import { planFor, resourceOf } from './calendar.ts'
import { EXTENSION, SYSTEM } from './codes.ts'
import { type FreeSlot, freeSlots } from './find.ts'
import { extensionsOf, isLive } from './hold.ts'
import type { Span } from './hours.ts'
import { cancelledFor, offerMark, offersOf, REASON } from './offer.ts'
import { zoneAt } from './place.ts'
import { participantsOf, proposalOf } from './proposal.ts'

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
  for (const stored of await waiting(ctx)) {
    try {
      await serve(ctx, stored, now, moves)
    } catch (error) {
      // One entry that cannot be served, or that another server serves, must not keep the others waiting.
      if (!(error instanceof FhirError) || error.status >= 500) throw error
      ctx.log.warn('waitlist', { entry: stored.key, code: error.code })
    }
  }
  return moves
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

async function serve(ctx: Context, stored: Live, now: number, moves: WaitlistMoves): Promise<void> {
  const entry = resourceOf(stored)
  const windows = windowsOf(entry)
  if (windows.length > 0 && windows.every(one => one.end <= now)) {
    await update(ctx, 'Appointment', idOf(stored.key), cancelledFor(entry, REASON.waitOver), {
      ifMatch: etag(stored),
    })
    moves.ended.push(stored.key)
    return
  }
  const offers = await readOffers(ctx, entry)
  if (offers.some(one => isLive(one, now))) return
  const seen = new Set(
    offers.flatMap(one => objects(one.slot).flatMap(slot => keysOf(slot, ctx.settings.baseUrl))),
  )
  const free = (await freeFor(ctx, entry, windows, now)).filter(one => !seen.has(one.key))
  for (const slot of free.slice(0, TRIES)) {
    const made = await offer(ctx, stored, entry, slot, now)
    if (made === undefined) continue
    moves.offered.push(made)
    return
  }
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

async function freeFor(
  ctx: Context,
  entry: Resource,
  windows: readonly Span[],
  now: number,
): Promise<FreeSlot[]> {
  const actors = actorsOf(entry).flatMap(one => keysOf(one, ctx.settings.baseUrl)) as Key[]
  const of = (...types: readonly string[]) =>
    actors.filter(key => types.some(type => key.startsWith(`${type}/`)))
  const found: FreeSlot[] = []
  for (const { start, end } of windows) {
    const from = Math.max(start, now + MINUTE)
    const request = {
      practitioners: of('Practitioner', 'PractitionerRole'),
      organizations: [],
      services: of('HealthcareService'),
      locations: of('Location'),
      addresses: [],
      near: [],
      specialties: [],
      visitTypes: [],
      patients: of('Patient'),
      maxFee: undefined,
      start: from,
      end: Math.min(end, from + MOST_MS),
    }
    // Who waits for nobody in particular is not offered the whole hospital.
    if (request.practitioners.length + request.services.length + request.locations.length === 0) return []
    found.push(...(await freeSlots(ctx, request)))
  }
  return found
}

/** Makes an offer: a hold, the entry that knows of it, and what the patient is told. Returns its key; undefined where the time is taken. */
async function offer(
  ctx: Context,
  stored: Live,
  entry: Resource,
  slot: FreeSlot,
  now: number,
): Promise<Key | undefined> {
  const { baseUrl, scheduling } = ctx.settings
  const until = Math.min(now + scheduling.holdMinutes * MINUTE, slot.start)
  const link = `urn:uuid:${crypto.randomUUID()}`
  const places = slot.candidate.actors.filter(key => key.startsWith('Location/'))
  const zone = await zoneAt(ctx, places)
  const patients = actorsOf(entry).filter(one => keysOf(one, baseUrl)[0]?.startsWith('Patient/'))
  const entries: JsonObject[] = [
    {
      fullUrl: link,
      resource: offered(ctx, stored.key, entry, slot, until),
      request: { method: 'POST', url: 'Appointment' },
    },
    {
      resource: {
        ...entry,
        extension: [
          ...extensionsOf(entry),
          { url: EXTENSION.waitlistOffer, valueReference: { reference: link } },
        ],
      },
      request: { method: 'PUT', url: stored.key, ifMatch: etag(stored) },
    },
    ...patients.map(patient => ({
      resource: notice(
        patient,
        link,
        `${stored.key}|${slot.key}`,
        wallTime(stampText(until), zone)!.slice(11),
      ),
      request: { method: 'POST', url: 'CommunicationRequest' },
    })),
  ]
  try {
    const [made] = await transaction(ctx, { resourceType: 'Bundle', type: 'transaction', entry: entries })
    const [type, id] = made!.response!.location!.slice(baseUrl.length + 1).split('/')
    return `${type}/${id}` as Key
  } catch (error) {
    if (error instanceof FhirError && error.status === 409) return undefined
    throw error
  }
}

function offered(ctx: Context, key: Key, entry: Resource, slot: FreeSlot, until: number): Resource {
  const { baseUrl } = ctx.settings
  const { id: _, ...proposal } = proposalOf(slot.slot, slot.candidate.schedule)
  const own = objects(entry.participant)
  const there = new Set(own.flatMap(one => keysOf(one.actor, baseUrl)))
  const isSomebody = (one: JsonObject): boolean => keysOf(one.actor, baseUrl).some(actor => !there.has(actor))
  return {
    ...(proposal as Resource),
    status: 'pending',
    ...(isObject(entry.appointmentType) && { appointmentType: entry.appointmentType }),
    ...(Array.isArray(entry.serviceType) && { serviceType: entry.serviceType }),
    identifier: [offerMark(key, slot.key)],
    supportingInformation: [{ reference: key }],
    created: stampText(ctx.clock()),
    // Who waited for any of several practitioners is seen by the one whose slot it is.
    participant: [
      ...own
        .filter(one => !isOther(one, slot, baseUrl))
        .map(one => ({ ...one, status: waitingFor(one, baseUrl) })),
      ...participantsOf(slot.candidate.schedule).filter(isSomebody),
    ],
    extension: [{ url: EXTENSION.holdUntil, valueInstant: stampText(until) }],
  }
}

/** A practitioner, department or place of the entry that the slot is not of. */
const isOther = (one: JsonObject, slot: FreeSlot, baseUrl: string): boolean =>
  keysOf(one.actor, baseUrl).some(
    key =>
      /^(Practitioner|PractitionerRole|HealthcareService|Location)\//.test(key) &&
      !slot.candidate.actors.includes(key as Key),
  )

/** The patient has not answered yet; all others agree. */
const waitingFor = (one: JsonObject, baseUrl: string): string =>
  keysOf(one.actor, baseUrl).some(key => /^(Patient|RelatedPerson)\//.test(key)) ? 'needs-action' : 'accepted'

/** Returns what tells a patient of an offer; `until` is the clock time by which to answer, `19:41`. */
const notice = (patient: Json, link: string, cause: string, until: string): Resource => ({
  resourceType: 'CommunicationRequest',
  identifier: [{ system: SYSTEM.messageKey, value: `${cause}|waitlist-offer` }],
  status: 'active',
  category: [{ coding: [{ system: SYSTEM.event, code: 'waitlist-offer' }] }],
  subject: patient,
  about: [{ reference: link }],
  recipient: [patient],
  extension: [
    {
      url: EXTENSION.messageValue,
      extension: [
        { url: 'name', valueString: 'until' },
        { url: 'value', valueString: until },
      ],
    },
  ],
})
