/** A facility as the contract sees it: an Organization with its places, its departments, its people and their schedules. */
import type { Context } from '../../context.ts'
import type { Json, Resource } from '../../fhir/json.ts'
import { at, hasCode, object, objects, text } from '../../fhir/tree.ts'
import { isId } from '../../interactions/identity.ts'
import { liveResources, searched } from '../../scheduling/live-resources.ts'
import { keysOf } from '../../search/busy.ts'
import type { Key } from '../../storage/port.ts'
import { keyOf, typeOf } from './reference.ts'
import { type Agent, agentOf, idOf, priceReference } from './translate.ts'

/** Resources of a kind that one facility may have here: a hospital's, and not a country's. */
const MOST = 2000
/** Values of one search. */
const AT_ONCE = 50

const ORGANIZATION_TYPE = 'http://terminology.hl7.org/CodeSystem/organization-type'

export interface Facility {
  organization: Resource
  /** Where it is found; undefined where nothing says so. */
  place: Resource | undefined
  /** By key, each. Roles are those that are active. */
  roles: ReadonlyMap<Key, Resource>
  services: ReadonlyMap<Key, Resource>
  practitioners: ReadonlyMap<Key, Resource>
  /** Those in force. */
  schedules: ReadonlyMap<Key, Resource>
  /** Its parts that are Organizations of their own. */
  parts: ReadonlyMap<Key, Resource>
}

const isActive = (resource: Resource): boolean => resource.active !== false

/** Returns the resource of a type and id, undefined for what is not there and for what is no id. */
export async function oneOf(ctx: Context, type: string, id: Json | undefined): Promise<Resource | undefined> {
  if (!isId(id)) return undefined
  const key = keyOf(type, id)
  return (await liveResources(ctx, [key])).get(key)
}

/** Returns what refers to one of these keys by a search parameter. */
async function referring(
  ctx: Context,
  type: string,
  param: string,
  keys: readonly string[],
): Promise<Map<Key, Resource>> {
  const found = new Map<Key, Resource>()
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    const value = keys.slice(from, from + AT_ONCE).join()
    for (const [key, resource] of await searched(ctx, type, [[param, value]], MOST)) found.set(key, resource)
  }
  return found
}

const active = (resources: ReadonlyMap<Key, Resource>): Map<Key, Resource> =>
  new Map([...resources].filter(([, resource]) => isActive(resource)))

/** Returns the facility; undefined where there is none of this id, or it is closed. */
export async function facilityOf(ctx: Context, id: Json | undefined): Promise<Facility | undefined> {
  return isId(id) ? (await facilitiesOf(ctx, [id])).get(id) : undefined
}

/** Returns the facilities of these ids that there are, in their order: as many questions for a hundred as for one. */
export async function facilitiesOf(ctx: Context, ids: readonly string[]): Promise<Map<string, Facility>> {
  const { baseUrl } = ctx.settings
  const own = active(
    await liveResources(
      ctx,
      ids.map(id => keyOf('Organization', id)),
    ),
  )
  const parts = active(await referring(ctx, 'Organization', 'partof', [...own.keys()]))
  const departments = [...parts].filter(([, part]) => isDepartment(part)).map(([key]) => key)
  const owners = [...own.keys(), ...departments]
  const [allRoles, allServices, places] = await Promise.all([
    referring(ctx, 'PractitionerRole', 'organization', owners),
    referring(ctx, 'HealthcareService', 'organization', owners),
    referring(ctx, 'Location', 'organization', owners),
  ])
  const roles = active(allRoles)
  const services = active(allServices)
  const people = [...roles.values()].flatMap(role => keysOf(role.practitioner, baseUrl)) as Key[]
  const [somebody, schedules] = await Promise.all([
    liveResources(ctx, people),
    referring(ctx, 'Schedule', 'actor', [
      ...new Set([...roles.keys(), ...services.keys(), ...places.keys(), ...people]),
    ]),
  ])
  const practitioners = active(somebody)
  const inForce = new Map([...schedules].filter(([, schedule]) => isInForce(ctx, schedule)))
  const facilities = new Map<string, Facility>()
  for (const [key, organization] of own) {
    const ours = new Set<Key>([key, ...keysWhere(parts, part => ownersOf(part, baseUrl).includes(key))])
    const isOurs = (one: Resource): boolean => ownersOf(one, baseUrl).some(owner => ours.has(owner))
    const ourRoles = only(roles, isOurs)
    const working = new Set([...ourRoles.values()].flatMap(role => keysOf(role.practitioner, baseUrl)))
    const ourPlaces = only(places, isOurs)
    const ourServices = only(services, isOurs)
    const actors = [...ourRoles.keys(), ...ourServices.keys(), ...ourPlaces.keys(), ...(working as Set<Key>)]
    const open = [...ourPlaces.values()].filter(one => one.status !== 'inactive')
    facilities.set(idOf(organization), {
      organization,
      place: open.find(one => one.position !== undefined) ?? open[0],
      roles: ourRoles,
      services: ourServices,
      practitioners: new Map([...practitioners].filter(([one]) => working.has(one))),
      schedules: only(inForce, schedule => belongs(ctx, schedule, actors)),
      parts: only(parts, part => ownersOf(part, baseUrl).includes(key)),
    })
  }
  return facilities
}

const only = (resources: ReadonlyMap<Key, Resource>, is: (one: Resource) => boolean): Map<Key, Resource> =>
  new Map([...resources].filter(([, resource]) => is(resource)))

const keysWhere = (resources: ReadonlyMap<Key, Resource>, is: (one: Resource) => boolean): Key[] => [
  ...only(resources, is).keys(),
]

const isDepartment = (organization: Resource): boolean =>
  hasCode(organization.type, ORGANIZATION_TYPE, 'dept')

/** Returns whether bookings into a schedule may still be made. */
const isInForce = (ctx: Context, schedule: Resource): boolean => {
  const end = text(object(schedule.planningHorizon)?.end)
  return isActive(schedule) && !(end !== undefined && Date.parse(end) < ctx.clock())
}

export const actorsOf = (ctx: Context, schedule: Resource): Key[] =>
  objects(schedule.actor).flatMap(actor => keysOf(actor, ctx.settings.baseUrl)) as Key[]

/**
 * A schedule is the facility's by its roles, departments and places; one that names nobody but practitioners is that of each facility
 * where they work.
 */
function belongs(ctx: Context, schedule: Resource, own: readonly Key[]): boolean {
  const actors = actorsOf(ctx, schedule)
  const placed = actors.filter(key => PLACED.has(typeOf(key)))
  return (placed.length > 0 ? placed : actors).some(key => own.includes(key))
}

const PLACED: ReadonlySet<string> = new Set(['PractitionerRole', 'HealthcareService', 'Location'])

/** Facilities that one answer lists. */
const MOST_FACILITIES = 200
const MOST_SCHEDULES = 5000

/** Returns the ids of all facilities that have a schedule in force, in the order of their names. */
export async function facilityIds(ctx: Context): Promise<string[]> {
  const { baseUrl } = ctx.settings
  const all = await searched(ctx, 'Schedule', [['_lastUpdated', 'gt1900-01-01']], MOST_SCHEDULES)
  const schedules = [...all.values()].filter(schedule => isInForce(ctx, schedule))
  const actors = await liveResources(
    ctx,
    schedules.flatMap(schedule => actorsOf(ctx, schedule)),
  )
  const owners = new Set<Key>()
  const alone = new Set<Key>()
  for (const schedule of schedules) {
    const keys = actorsOf(ctx, schedule)
    const placed = keys.filter(key => PLACED.has(typeOf(key)))
    for (const key of placed) for (const owner of ownersOf(actors.get(key), baseUrl)) owners.add(owner)
    if (placed.length === 0) for (const key of keys) if (typeOf(key) === 'Practitioner') alone.add(key)
  }
  const roles = await referring(ctx, 'PractitionerRole', 'practitioner', [...alone])
  for (const role of active(roles).values()) for (const owner of ownersOf(role, baseUrl)) owners.add(owner)
  const organizations = active(await liveResources(ctx, [...owners]))
  const parents = [...organizations.values()]
    .filter(isDepartment)
    .flatMap(one => keysOf(one.partOf, baseUrl)) as Key[]
  const whole = new Map([...organizations].filter(([, one]) => !isDepartment(one)))
  for (const [key, one] of active(await liveResources(ctx, parents))) whole.set(key, one)
  const name = (one: Resource): string => text(one.name) ?? ''
  return [...whole.values()]
    .sort((a, b) => name(a).localeCompare(name(b)) || (idOf(a) < idOf(b) ? -1 : 1))
    .slice(0, MOST_FACILITIES)
    .map(idOf)
}

/** Returns the organizations whose a resource is. */
const ownersOf = (resource: Resource | undefined, baseUrl: string): Key[] =>
  [
    resource?.organization,
    resource?.providedBy,
    resource?.managingOrganization,
    resource?.resourceType === 'Organization' ? resource.partOf : undefined,
  ].flatMap(one => keysOf(one, baseUrl) as Key[])

/** Returns the departments of a role. */
export const servicesOf = (ctx: Context, facility: Facility, role: Resource | undefined): Resource[] =>
  objects(role?.healthcareService)
    .flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[])
    .flatMap(key => facility.services.get(key) ?? [])

/** Returns the practitioner of a schedule: himself or by his role; undefined for a department's or a room's. */
export function practitionerOf(ctx: Context, facility: Facility, schedule: Resource): Key | undefined {
  const { baseUrl } = ctx.settings
  return actorsOf(ctx, schedule)
    .flatMap(key =>
      typeOf(key) === 'PractitionerRole'
        ? (keysOf(facility.roles.get(key)?.practitioner, baseUrl) as Key[])
        : [key],
    )
    .find(key => typeOf(key) === 'Practitioner')
}

/** Returns the role of a schedule, or the first that its practitioner has at the facility. */
export function roleOf(ctx: Context, facility: Facility, schedule: Resource): Resource | undefined {
  const named = actorsOf(ctx, schedule).flatMap(key => facility.roles.get(key) ?? [])[0]
  const practitioner = practitionerOf(ctx, facility, schedule)
  return (
    named ??
    [...facility.roles.values()].find(
      role =>
        practitioner !== undefined && keysOf(role.practitioner, ctx.settings.baseUrl).includes(practitioner),
    )
  )
}

/** Returns who sees the patient in a schedule; undefined for a department's or a room's. */
export function agentIn(ctx: Context, facility: Facility, schedule: Resource): Agent | undefined {
  const key = practitionerOf(ctx, facility, schedule)
  const practitioner = key === undefined ? undefined : facility.practitioners.get(key)
  if (practitioner === undefined) return undefined
  const role = roleOf(ctx, facility, schedule)
  return agentOf(practitioner, role, servicesOf(ctx, facility, role))
}

/** Returns the definitions of the prices of schedules, by the keys of the schedules; those without a price are missing. */
export async function pricesOf(
  ctx: Context,
  facility: Facility,
  schedules: readonly Resource[],
): Promise<Map<string, Resource>> {
  const named = new Map<string, Key>()
  for (const schedule of schedules) {
    const role = roleOf(ctx, facility, schedule)
    const services = actorsOf(ctx, schedule).flatMap(key => facility.services.get(key) ?? [])
    const reference = [schedule, role, ...services, ...servicesOf(ctx, facility, role)]
      .map(priceReference)
      .find(one => one !== undefined)
    const key = keysOf(reference, ctx.settings.baseUrl)[0]
    if (key?.startsWith('ChargeItemDefinition/')) named.set(idOf(schedule), key as Key)
  }
  const found = await liveResources(ctx, [...named.values()])
  return new Map(
    [...named].flatMap(([id, key]): [string, Resource][] => {
      const definition = found.get(key)
      return definition === undefined ? [] : [[id, definition]]
    }),
  )
}

/** Returns the id of the government body that a facility stands under, '' where there is none. */
export async function cityOf(ctx: Context, organization: Resource): Promise<string> {
  let one: Resource | undefined = organization
  for (let level = 0; one !== undefined && level < 8; level++) {
    if (hasCode(one.type, ORGANIZATION_TYPE, 'govt')) return idOf(one)
    const above: string | undefined = at(one, 'partOf').flatMap(reference =>
      keysOf(reference, ctx.settings.baseUrl),
    )[0]
    one = above === undefined ? undefined : (await liveResources(ctx, [above as Key])).get(above as Key)
  }
  return ''
}
