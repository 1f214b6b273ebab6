/**
 * The part of the calendar that a commit touches: whose it is, its slots and its appointments, as they are stored, and what the commit must
 * find unchanged so that they still are.
 */
import type { Context } from '../context.ts'
import { isObject, type Json, type Resource } from '../fhir/json.ts'
import { busyNode, inSlotNode, instantOf, keysOf } from '../search/busy.ts'
import type { Node } from '../search/plan-node.ts'
import { type Key, type Live, type Require, typeOf } from '../storage/port.ts'
import { capacityOf, findAll, hasCoding, planFor, resourceOf, type Taken, takenOf } from './calendar.ts'
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
const ROOM = new Set(['ro'])
const PHYSICAL = 'http://terminology.hl7.org/CodeSystem/location-physical-type'

/** What is read once for a commit. */
interface Known {
  ctx: Context
  resources: Map<string, Live | undefined>
  rolesOf: Map<string, readonly string[]>
  schedulesOf: Map<string, readonly string[]>
}

/** Returns the book of all stretches; `pending`: slots as the commit leaves them. */
export async function openBook(
  ctx: Context,
  stretches: readonly Stretch[],
  pending: ReadonlyMap<Key, Resource>,
): Promise<Book> {
  const known: Known = { ctx, resources: new Map(), rolesOf: new Map(), schedulesOf: new Map() }
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
  const named = await placesNamed(known, stretch.slots, pending)
  for (const place of named) book.places.set(place.key, place)
  const actors = [...new Set([...stretch.actors, ...named.flatMap(place => scheduleActors(known, place))])]
  const { all, tokens } = await learnOwners(known, owners, actors)
  const ownedNow = (place: Place): Place => ({
    ...place,
    owners: ownersOf(scheduleActors(known, place), owners),
  })

  const schedules = await schedulesOf(known, tokens)
  const slotsPlan = planFor('Slot', busyNode(schedules, stretch.start, stretch.end))
  const looksNear = schedules.length > 0 && stretch.end > stretch.start
  const near = looksNear ? await findAll(ctx, slotsPlan) : []
  await readAll(
    known,
    near.flatMap(row => scheduleKey(ctx, resourceOf(row))),
  )
  const others = near.map(row => placeOf(ctx, row.key, row, pending))
  for (const place of others) if (!book.places.has(place.key)) book.places.set(place.key, place)
  // A room that two practitioners share leads to slots of the other one, whose appointments count there too.
  const shared = [...new Set(others.flatMap(place => scheduleActors(known, place)))]
  const found = shared.every(actor => actors.includes(actor))
    ? { all, tokens }
    : await learnOwners(known, owners, [...new Set([...actors, ...shared])])
  const mine = [...new Set([...named.map(place => place.key), ...near.map(row => row.key)])]
  for (const key of mine) book.places.set(key, ownedNow(book.places.get(key)!))

  const times = mine.map(key => book.places.get(key)!).filter(place => place.end > place.start)
  const start = Math.min(stretch.start, ...times.map(place => place.start))
  const end = Math.max(stretch.end, ...times.map(place => place.end))
  const where: Node = {
    kind: 'or',
    nodes: [
      ...(found.tokens.length === 0 ? [] : [busyNode(found.tokens, start, end)]),
      ...mine.map(inSlotNode),
    ],
  }
  if (where.nodes.length === 0) return
  const plan = planFor('Appointment', where)
  const rows = await findAll(ctx, plan)
  for (const row of rows)
    book.taken.set(row.key, takenOf(row.key, resourceOf(row), ctx.settings.baseUrl, row))
  const [guard, ...also] = guardsOf(found.all.length === 0 ? mine : found.all, start, end)
  book.require.push({ is: 'matches', plan, keys: rows.map(row => row.key), guard: guard!, also })
  if (looksNear)
    book.require.push({ is: 'matches', plan: slotsPlan, keys: near.map(row => row.key), guard: guard!, also })
}

/** Returns the names under which writers of the same hours meet: one for each owner and UTC day. */
function guardsOf(owners: readonly string[], start: number, end: number): string[] {
  const guards: string[] = []
  for (const owner of owners) {
    if (!(end > start)) guards.push(`busy ${owner}`)
    for (let day = Math.floor(start / DAY); day * DAY < end; day++) guards.push(`busy ${owner} ${day}`)
  }
  return guards
}

/** Returns what a patient has at that time, with the requirement that it stays so. */
export async function patientsTime(
  ctx: Context,
  patient: string,
  start: number,
  end: number,
): Promise<{ taken: Taken[]; require: Require }> {
  const plan = planFor('Appointment', busyNode([patient], start, end))
  const rows = await findAll(ctx, plan)
  const [guard, ...also] = guardsOf([patient], start, end)
  return {
    taken: rows.map(row => takenOf(row.key, resourceOf(row), ctx.settings.baseUrl, row)),
    require: { is: 'matches', plan, keys: rows.map(row => row.key), guard: guard!, also },
  }
}

async function readAll(known: Known, keys: readonly string[]): Promise<void> {
  const fresh = [...new Set(keys)].filter(key => !known.resources.has(key)) as Key[]
  if (fresh.length === 0) return
  const found = await known.ctx.storage.readMany(fresh)
  for (const key of fresh) {
    const stored = found.get(key)
    known.resources.set(key, stored?.text === undefined ? undefined : (stored as Live))
  }
}

const known1 = (known: Known, key: string): Resource | undefined => {
  const stored = known.resources.get(key)
  return stored === undefined ? undefined : resourceOf(stored)
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
  return {
    key,
    resource,
    before,
    stored,
    start: time(resource.start),
    end: time(resource.end),
    capacity: capacityOf(resource),
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
  const places = (slots as readonly Key[]).map(key =>
    placeOf(known.ctx, key, known.resources.get(key), pending),
  )
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
  await readAll(
    known,
    actors.filter(actor => /^(PractitionerRole|Location)\//.test(actor)),
  )
  for (const actor of actors) {
    const type = typeOf(actor as Key)
    if (type === 'Practitioner') owners.set(actor, actor)
    else if (type === 'PractitionerRole')
      owners.set(actor, keysOf(known1(known, actor)?.practitioner, baseUrl)[0] ?? actor)
    else if (type === 'Location' && isExclusive(known1(known, actor))) owners.set(actor, actor)
  }
  const all = ownersOf(actors, owners)
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

async function rolesOf(known: Known, practitioner: string): Promise<readonly string[]> {
  let found = known.rolesOf.get(practitioner)
  if (found === undefined) {
    found = await referring(known.ctx, 'PractitionerRole', 'PractitionerRole.practitioner', [practitioner])
    known.rolesOf.set(practitioner, found)
  }
  return found
}

async function schedulesOf(known: Known, actors: readonly string[]): Promise<readonly string[]> {
  if (actors.length === 0) return []
  const name = actors.join()
  let found = known.schedulesOf.get(name)
  if (found === undefined) {
    found = await referring(known.ctx, 'Schedule', 'Schedule.actor', actors)
    known.schedulesOf.set(name, found)
  }
  return found
}

/** Returns the keys of the resources of a type that refer to one of these by a search parameter. */
async function referring(
  ctx: Context,
  type: string,
  param: string,
  keys: readonly string[],
): Promise<string[]> {
  const nodes = keys.map((key): Node => {
    const [of, id] = key.split('/') as [string, string]
    return { kind: 'reference', param, type: of, id }
  })
  const rows = await findAll(ctx, planFor(type, nodes.length === 1 ? nodes[0]! : { kind: 'or', nodes }))
  return rows.map(row => row.key)
}
