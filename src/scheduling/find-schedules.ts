/** Which Schedules come into question for who looks for an appointment. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { keysOf } from '../search/busy.ts'
import { type Key, typeOf } from '../storage/port.ts'
import { liveResources, searched } from './live-resources.ts'

/** What is looked for; an empty list asks for nothing. Within a list one is enough, between lists all count. */
export interface Wanted {
  /** Practitioners and their roles, the preferred ones first. */
  practitioners: readonly Key[]
  organizations: readonly Key[]
  /** HealthcareServices. */
  services: readonly Key[]
  /** Locations, which stand for what is part of them too. */
  locations: readonly Key[]
  /** Beginnings of parts of addresses. */
  addresses: readonly string[]
  /** Values of Location's search parameter `near`: `9.93|76.26|5|km`. */
  near: readonly string[]
}

/** A Schedule with those who stand in it. */
export interface Candidate {
  key: Key
  schedule: Resource
  /** Keys of all its actors. */
  actors: readonly Key[]
  /** Its roles, services and places that are there, roles first. */
  resources: readonly Resource[]
  /** Position of its practitioner among those wanted, 0 for the preferred one. */
  rank: number
}

/** Schedules, and resources of one type on the way to them, that one question may lead to. */
const MOST = 500
/** References of one search. */
const AT_ONCE = 50
/** Rooms are parts of floors, floors of buildings, buildings of campuses. */
const LEVELS = 4

/** Who counts for a criterion: of the first group of types that the Schedule has actors of. */
type Stages = readonly (readonly string[])[]

interface Criterion {
  keys: ReadonlySet<Key>
  stages: Stages
}

/**
 * Returns the Schedules that are active and whose actors meet what is wanted.
 *
 * Throws as a search does; `too-costly` (400) where too many come into question.
 */
export async function schedulesFor(ctx: Context, wanted: Wanted): Promise<Candidate[]> {
  const criteria = await criteriaOf(ctx, wanted)
  if (criteria.some(({ keys }) => keys.size === 0)) return []
  const [first] = [...criteria].sort((a, b) => a.keys.size - b.keys.size)
  const found =
    first === undefined
      ? await searched(ctx, 'Schedule', [], MOST)
      : await referring(ctx, 'Schedule', 'actor', [...first.keys])
  const own = [...found].map(([key, schedule]) => ({
    key,
    schedule,
    actors: objects(schedule.actor).flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[]),
  }))
  const meeting = own.filter(
    ({ schedule, actors }) => schedule.active !== false && criteria.every(one => meets(actors, one)),
  )
  const kinds = ['PractitionerRole', 'HealthcareService', 'Location']
  const resources = await liveResources(
    ctx,
    meeting.flatMap(({ actors }) => actors.filter(actor => kinds.includes(typeOf(actor)))),
  )
  return meeting.map(one => ({
    ...one,
    resources: kinds.flatMap(kind =>
      one.actors.flatMap(actor => (typeOf(actor) === kind ? (resources.get(actor) ?? []) : [])),
    ),
    rank: rankOf(ctx, wanted.practitioners, one.actors, resources),
  }))
}

function meets(actors: readonly Key[], { keys, stages }: Criterion): boolean {
  for (const types of stages) {
    const own = actors.filter(actor => types.includes(typeOf(actor)))
    if (own.length > 0) return own.some(actor => keys.has(actor))
  }
  return false
}

function rankOf(
  ctx: Context,
  wanted: readonly Key[],
  actors: readonly Key[],
  resources: ReadonlyMap<Key, Resource>,
): number {
  const people = actors.flatMap(actor => [
    actor,
    ...(keysOf(resources.get(actor)?.practitioner, ctx.settings.baseUrl) as Key[]),
  ])
  const ranks = people.map(one => wanted.indexOf(one)).filter(rank => rank >= 0)
  return ranks.length === 0 ? wanted.length : Math.min(...ranks)
}

async function criteriaOf(ctx: Context, wanted: Wanted): Promise<Criterion[]> {
  const criteria: Criterion[] = []
  const { practitioners, organizations, services, locations, addresses, near } = wanted
  if (practitioners.length > 0) {
    const people = practitioners.filter(key => typeOf(key) === 'Practitioner')
    const roles = await referring(ctx, 'PractitionerRole', 'practitioner', people)
    const keys = new Set([...practitioners, ...roles.keys()])
    criteria.push({ keys, stages: [['Practitioner', 'PractitionerRole']] })
  }
  if (services.length > 0) {
    const roles = await referring(ctx, 'PractitionerRole', 'service', services)
    criteria.push({
      keys: new Set([...services, ...roles.keys(), ...peopleOf(ctx, roles)]),
      stages: [['HealthcareService'], ['PractitionerRole'], ['Practitioner']],
    })
  }
  if (organizations.length > 0) {
    const roles = await referring(ctx, 'PractitionerRole', 'organization', organizations)
    const own = [
      ...(await referring(ctx, 'HealthcareService', 'organization', organizations)).keys(),
      ...(await referring(ctx, 'Location', 'organization', organizations)).keys(),
    ]
    criteria.push({
      keys: new Set([...own, ...roles.keys(), ...peopleOf(ctx, roles)]),
      stages: [['PractitionerRole', 'HealthcareService', 'Location'], ['Practitioner']],
    })
  }
  if (locations.length > 0) criteria.push(await around(ctx, locations))
  const places = async (name: string, values: readonly string[]): Promise<void> => {
    if (values.length === 0) return
    const found = await searched(ctx, 'Location', [[name, values.join(',')]], MOST)
    criteria.push(await around(ctx, [...found.keys()]))
  }
  await places(
    'address',
    addresses.map(text => text.replace(/[\\,$|]/g, escaped => `\\${escaped}`)),
  )
  await places('near', near)
  return criteria
}

/** Returns the criterion of being in one of these places, or in what is part of them. */
async function around(ctx: Context, locations: readonly Key[]): Promise<Criterion> {
  const keys = new Set(locations)
  let level = [...keys]
  for (let i = 0; i < LEVELS && level.length > 0; i++) {
    level = [...(await referring(ctx, 'Location', 'partof', level)).keys()].filter(key => !keys.has(key))
    for (const key of level) keys.add(key)
  }
  const roles = await referring(ctx, 'PractitionerRole', 'location', [...keys])
  for (const key of [...roles.keys(), ...peopleOf(ctx, roles)]) keys.add(key)
  return { keys, stages: [['Location'], ['PractitionerRole'], ['Practitioner']] }
}

const peopleOf = (ctx: Context, roles: ReadonlyMap<Key, Resource>): Key[] =>
  [...roles.values()].flatMap(role => keysOf(role.practitioner, ctx.settings.baseUrl) as Key[])

/** Returns the resources of a type that refer to one of these under a search parameter, by key. */
async function referring(
  ctx: Context,
  type: string,
  param: string,
  keys: readonly Key[],
): Promise<Map<Key, Resource>> {
  const found = new Map<Key, Resource>()
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const part = keys.slice(at, at + AT_ONCE).join(',')
    for (const [key, resource] of await searched(ctx, type, [[param, part]], MOST)) found.set(key, resource)
    if (found.size > MOST)
      throw fhirError(
        'too-costly',
        `More than ${MOST} resources of type ${type} come into question: ask for less.`,
        {
          status: 400,
        },
      )
  }
  return found
}
