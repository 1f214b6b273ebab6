/**
 * The part of the calendar that a commit touches: whose it is, its slots and its appointments, as they are stored, and what the commit must
 * find unchanged so that they still are.
 */
import type { Context } from '../context.ts'
import { isObject, type Json, type Resource } from '../fhir/json.ts'
import { busyNode, inSlotNode, instantOf, keysOf } from '../search/busy.ts'
import type { Node } from '../search/plan-node.ts'
import { type Key, type Live, type Require, typeOf } from '../storage/port.ts'
import {
  capacityOf,
  findAll,
  hasCoding,
  overlap,
  planFor,
  resourceOf,
  type Taken,
  takenOf,
} from './calendar.ts'
import { EXTENSION } from './codes.ts'
import { extensionOf } from './hold.ts'

/** A slot of the calendar; NaN where it has no time. */
export interface Place {
  key: Key
  /** As the commit leaves it. */
  resource: Resource
  /** As it is stored; both undefined while it is not. */
  before: Resource | undefined
  stored: Live | undefined
  start: number
  end: number
  capacity: number
  /** It was deleted. */
  gone: boolean
  /** Whose time it is: practitioners, and locations that take one appointment at a time. */
  owners: readonly string[]
}

export interface Book {
  places: Map<Key, Place>
  taken: Map<Key, Taken>
  require: Require[]
  /** Returns whose time an actor's is: the practitioner of a role, a room itself; undefined for who may be anywhere at once. */
  ownerOf(actor: string): string | undefined
}

/** Some time of some actors, or of a schedule's. */
export interface Stretch {
  actors: readonly string[]
  slots: readonly string[]
  start: number
  end: number
}

const DAY = 86_400_000
const LONGEST_SLOT = 400 * DAY
const ROOM = new Set(['ro'])
const PHYSICAL = 'http://terminology.hl7.org/CodeSystem/location-physical-type'

/** What is read once for a commit. */
interface Known {
  ctx: Context
  resources: Map<string, Live | undefined>
  /** Of those, what was parsed. */
  trees: Map<Live, Resource>
  /** Keys of what was deleted. */
  gone: Set<string>
  /** What refers to an actor. */
  referred: Map<string, { roles: string[]; schedules: string[] }>
}

/** Returns the book of all stretches; `pending`: slots as the commit leaves them. */
export async function openBook(
  ctx: Context,
  stretches: readonly Stretch[],
  pending: ReadonlyMap<Key, Resource>,
): Promise<Book> {
  const known: Known = { ctx, resources: new Map(), trees: new Map(), gone: new Set(), referred: new Map() }
  const owners = new Map<string, string>()
  const book: Book = {
    places: new Map(),
    taken: new Map(),
    require: [],
    ownerOf: actor => owners.get(actor),
  }
  for (const stretch of stretches) await addStretch(known, owners, book, stretch, pending)
  return book
}

async function addStretch(
  known: Known,
  owners: Map<string, string>,
  book: Book,
  stretch: Stretch,
  pending: ReadonlyMap<Key, Resource>,
): Promise<void> {
  const { ctx } = known
  // What the appointment itself names is asked for at once: each question is a round trip on MongoDB.
  await Promise.all([
    readAll(known, [...stretch.slots, ...stretch.actors.filter(isOwnedElsewhere)]),
    referring(
      known,
      stretch.actors.filter(actor => actor.startsWith('Practitioner')),
    ),
  ])
  const named = await placesNamed(known, stretch.slots, pending)
  for (const place of named) book.places.set(place.key, place)
  const actors = [...new Set([...stretch.actors, ...named.flatMap(place => scheduleActors(known, place))])]
  const patients = stretch.actors.filter(isPatient)
  let { all, tokens } = await learnOwners(known, owners, actors)
  const schedules = await schedulesOf(known, tokens)
  const mine = new Set(named.map(place => place.key))
  let hull = hullOf(stretch, named)
  // One question as a rule; another where slots that it has found reach further, or are somebody else's as well.
  for (;;) {
    const where: Node = {
      kind: 'or',
      nodes: [
        busyNode([...tokens, ...patients, ...schedules], hull.start, hull.end),
        ...[...mine].map(inSlotNode),
      ],
    }
    const plan = planFor(CALENDAR, where)
    const rows = await findAll(ctx, plan, !(hull.end - hull.start > DAY))
    const near = rows
      .filter(row => typeOf(row.key) === 'Slot' && !mine.has(row.key))
      .map(row => placeOf(ctx, row.key, row, pending))
    const fresh = near.filter(place => overlap(place, stretch))
    await readAll(
      known,
      fresh.flatMap(place => scheduleKey(ctx, place.resource)),
    )
    const shared = fresh
      .flatMap(place => scheduleActors(known, place))
      .filter(actor => !actors.includes(actor))
    for (const place of fresh) {
      mine.add(place.key)
      book.places.set(place.key, place)
    }
    const wider = hullOf(hull, fresh)
    if (fresh.length > 0 || shared.length > 0) {
      actors.push(...new Set(shared))
      if (shared.length > 0) ({ all, tokens } = await learnOwners(known, owners, actors))
      hull = wider
      continue
    }
    for (const row of rows)
      if (typeOf(row.key) === 'Appointment')
        book.taken.set(row.key, takenOf(row.key, resourceOf(row), ctx.settings.baseUrl, row))
    const own = [...mine].map(key => {
      const place = book.places.get(key)!
      return { ...place, owners: ownersOf(scheduleActors(known, place), owners) }
    })
    for (const place of own) book.places.set(place.key, place)
    const [guard, ...also] = [...guardsOf([...all, ...patients], hull), ...own.flatMap(guardOf)]
    const [keys, versions] = [rows.map(row => row.key), rows.map(row => row.version)]
    // Even in the same places of the index an appointment may have moved by minutes, and a slot may have been closed.
    book.require.push({ is: 'matches', plan, keys, versions, guard: guard ?? 'busy', also })
    for (const { key, stored, owners: whose } of own)
      if (whose.length === 0 && stored !== undefined)
        book.require.push({ is: 'version', key, version: stored.version })
    return
  }
}

const CALENDAR = ['Appointment', 'Slot']
/** Whose time it is, the resource itself says. */
const isOwnedElsewhere = (actor: string): boolean => /^(PractitionerRole|Location)\//.test(actor)
const isPatient = (actor: string): boolean => actor.startsWith('Patient/')

type Time = { start: number; end: number }

/** A slot that is years away is none of the appointment, which the rule says of it; the days between are not looked at. */
const hullOf = (time: Time, places: readonly Place[]): Time => {
  const timed = places.filter(place => place.end > place.start)
  const about = time.end > time.start ? time : timed[0]
  const times = timed.filter(
    place => place.start - about!.end < LONGEST_SLOT && about!.start - place.end < LONGEST_SLOT,
  )
  return {
    start: Math.min(time.start, ...times.map(place => place.start)),
    end: Math.max(time.end, ...times.map(place => place.end)),
  }
}

/** Returns the names under which writers of the same hours meet: one for each owner and UTC day. */
function guardsOf(owners: readonly string[], { start, end }: Time): string[] {
  const guards: string[] = []
  for (const owner of owners) {
    if (!(end > start)) guards.push(`busy ${owner}`)
    for (let day = Math.floor(start / DAY); day * DAY < end; day++) guards.push(`busy ${owner} ${day}`)
  }
  return guards
}

/** Those who want a slot meet under its owners, unless it has none, or no time of theirs. */
const guardOf = ({ key, owners, start, end }: Place): string[] =>
  owners.length > 0 && end > start ? [] : [`busy ${key}`]

async function readAll(known: Known, keys: readonly string[]): Promise<void> {
  const fresh = [...new Set(keys)].filter(key => !known.resources.has(key)) as Key[]
  if (fresh.length === 0) return
  const found = await known.ctx.storage.readMany(fresh)
  for (const key of fresh) {
    const stored = found.get(key)
    known.resources.set(key, stored?.text === undefined ? undefined : (stored as Live))
    if (stored !== undefined && stored.text === undefined) known.gone.add(key)
  }
}

const known1 = (known: Known, key: string): Resource | undefined => {
  const stored = known.resources.get(key)
  if (stored === undefined) return undefined
  const tree = known.trees.get(stored) ?? resourceOf(stored)
  known.trees.set(stored, tree)
  return tree
}

const scheduleKey = (ctx: Context, slot: Resource): string[] => keysOf(slot.schedule, ctx.settings.baseUrl)

const scheduleActors = (known: Known, place: Place): string[] =>
  scheduleKey(known.ctx, place.resource).flatMap(key => {
    const actor = known1(known, key)?.actor
    return Array.isArray(actor) ? actor.flatMap(one => keysOf(one, known.ctx.settings.baseUrl)) : []
  })

/** Returns a slot as the calendar sees it, nobody's yet. */
function placeOf(
  ctx: Context,
  key: Key,
  stored: Live | undefined,
  pending: ReadonlyMap<Key, Resource>,
): Place {
  const before = stored === undefined ? undefined : resourceOf(stored)
  const resource: Resource = pending.get(key) ?? before ?? ({ resourceType: 'Slot' } as Resource)
  const time = (value: Json | undefined) => instantOf(value) ?? Number.NaN
  const [start, end] = [time(resource.start), time(resource.end)]
  // A calendar of millennia has too many days to look at: such a slot is one without a time.
  const isTime = end - start <= LONGEST_SLOT
  return {
    key,
    resource,
    before,
    stored,
    start: isTime ? start : Number.NaN,
    end: isTime ? end : Number.NaN,
    capacity: capacityOf(resource),
    gone: false,
    owners: scheduleKey(ctx, resource),
  }
}

/** Returns the slots of these keys, those that are nowhere as slots for one. */
async function placesNamed(
  known: Known,
  slots: readonly string[],
  pending: ReadonlyMap<Key, Resource>,
): Promise<Place[]> {
  await readAll(known, slots)
  const places = (slots as readonly Key[]).map(key => ({
    ...placeOf(known.ctx, key, known.resources.get(key), pending),
    gone: known.gone.has(key) && !pending.has(key),
  }))
  await readAll(
    known,
    places.flatMap(place => scheduleKey(known.ctx, place.resource)),
  )
  return places
}

const ownersOf = (actors: readonly string[], owners: ReadonlyMap<string, string>): string[] => [
  ...new Set(actors.flatMap(actor => owners.get(actor) ?? [])),
]

/**
 * Learns whose time the actors' is. Returns the owners among them (`all`), and under which names (`tokens`) their appointments stand.
 */
async function learnOwners(
  known: Known,
  owners: Map<string, string>,
  actors: readonly string[],
): Promise<{ all: string[]; tokens: string[] }> {
  const { baseUrl } = known.ctx.settings
  await readAll(known, actors.filter(isOwnedElsewhere))
  for (const actor of actors) {
    const type = typeOf(actor as Key)
    if (type === 'Practitioner') owners.set(actor, actor)
    else if (type === 'PractitionerRole')
      owners.set(actor, keysOf(known1(known, actor)?.practitioner, baseUrl)[0] ?? actor)
    else if (type === 'Location' && isExclusive(known1(known, actor))) owners.set(actor, actor)
  }
  const all = ownersOf(actors, owners)
  // Asked for with all that is known, so that one question is enough.
  await referring(known, [...new Set([...all, ...actors.filter(actor => owners.has(actor))])])
  const tokens = new Set(all)
  for (const owner of all) {
    if (typeOf(owner as Key) !== 'Practitioner') continue
    for (const role of await rolesOf(known, owner)) {
      tokens.add(role)
      owners.set(role, owner)
    }
  }
  return { all, tokens: [...tokens] }
}

/** A room takes one appointment at a time, and so does what is marked so; a clinic takes many. */
function isExclusive(location: Resource | undefined): boolean {
  if (location === undefined) return false
  const marked = extensionOf(location, EXTENSION.exclusive)?.valueBoolean
  if (typeof marked === 'boolean') return marked
  return isObject(location.physicalType) && hasCoding([location.physicalType], PHYSICAL, ROOM)
}

/**
 * Returns the roles of practitioners, and the schedules of actors: both asked for at once, since a schedule names its practitioner as a rule.
 */
async function referring(known: Known, actors: readonly string[]): Promise<void> {
  const asked = actors.filter(actor => !known.referred.has(actor))
  if (asked.length === 0) return
  const nodes = asked.flatMap((key): Node[] => {
    const [type, id] = key.split('/') as [string, string]
    const schedule: Node = { kind: 'reference', param: 'Schedule.actor', type, id }
    if (type !== 'Practitioner') return [schedule]
    return [schedule, { kind: 'reference', param: 'PractitionerRole.practitioner', type, id }]
  })
  const rows = await findAll(
    known.ctx,
    planFor(['PractitionerRole', 'Schedule'], { kind: 'or', nodes }),
    true,
  )
  const { baseUrl } = known.ctx.settings
  for (const actor of asked) known.referred.set(actor, { roles: [], schedules: [] })
  for (const row of rows) {
    if (known.resources.get(row.key) === undefined) known.resources.set(row.key, row)
    const resource = known1(known, row.key)!
    const isRole = resource.resourceType === 'PractitionerRole'
    const to = (isRole ? [resource.practitioner] : [resource.actor].flat()).flatMap(one =>
      keysOf(one, baseUrl),
    )
    for (const actor of to) known.referred.get(actor)?.[isRole ? 'roles' : 'schedules'].push(row.key)
  }
}

async function rolesOf(known: Known, practitioner: string): Promise<readonly string[]> {
  await referring(known, [practitioner])
  return known.referred.get(practitioner)!.roles
}

async function schedulesOf(known: Known, actors: readonly string[]): Promise<string[]> {
  await referring(known, actors)
  return [...new Set(actors.flatMap(actor => known.referred.get(actor)!.schedules))]
}
