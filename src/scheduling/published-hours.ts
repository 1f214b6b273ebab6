/** When a Schedule is open: the hours of the practitioner's role, of the service and of the place, without leave and holidays. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import {
  availableTimes,
  dayAfter,
  hoursOfOperation,
  intersected,
  joined,
  notAvailable,
  openSpans,
  periodSpans,
  type Span,
  type WeeklyTime,
  without,
} from './hours.ts'
import { liveResources, searched } from './live-resources.ts'
import { placesOf, zoneOf } from './place.ts'

/** Roles of the practitioners of one Schedule. */
const MOST_ROLES = 100

const ALWAYS: Span = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }

/** The hours of one role, or of a place or service without a practitioner. */
export interface Hours {
  /** Weekly hours: each span begins where its slots are counted from. */
  open: readonly Span[]
  /** What is left of them after leave and holidays, joined. */
  fit: readonly Span[]
}

/** Who and what stands behind a Schedule. */
export interface Published {
  zone: string
  /** Keys of the practitioners and their roles, or of what has a Schedule without them, by which appointments are found. */
  actors: readonly string[]
  /** Keys of its places and of what they are part of; empty where it has none. */
  places: ReadonlySet<string>
  /** How many hours of a week it is made of: the work of one day. */
  size: number
  /** Returns the hours of the days `from` to `to` (`2026-12-01`), and of what began before and reaches into them. */
  hours(from: string, to: string): Hours[]
}

/** Returns what is published for a Schedule. Throws `business-rule` (422) with the rule `no-hours` where nothing says when it is open. */
export async function published(ctx: Context, schedule: Resource): Promise<Published> {
  const keyed = (value: Parameters<typeof objects>[0], type: string): Key[] =>
    objects(value)
      .flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[])
      .filter(key => key.startsWith(`${type}/`))
  const practitioners = keyed(schedule.actor, 'Practitioner')
  const namedServices = keyed(schedule.actor, 'HealthcareService')
  const namedPlaces = keyed(schedule.actor, 'Location')
  const namedRoles = await liveResources(ctx, keyed(schedule.actor, 'PractitionerRole'))
  const roles =
    namedRoles.size > 0 || practitioners.length === 0
      ? namedRoles
      : await searched(ctx, 'PractitionerRole', [['practitioner', practitioners.join(',')]], MOST_ROLES)

  const ofRoles = (member: string, type: string): Key[] =>
    [...roles.values()].flatMap(role => keyed(role[member], type))
  const services = await liveResources(ctx, [
    ...namedServices,
    ...ofRoles('healthcareService', 'HealthcareService'),
  ])
  const places = await placesOf(ctx, [...namedPlaces, ...ofRoles('location', 'Location')])
  const chainOf = (keys: readonly string[]): Resource[][] => keys.flatMap(key => [places.get(key) ?? []])

  /** A role for another department or another place is not meant, unless the Schedule names it. */
  const isMeant = ([key, role]: [Key, Resource]): boolean => {
    if (namedRoles.has(key)) return true
    const own = keyed(role.healthcareService, 'HealthcareService')
    const at = keyed(role.location, 'Location')
    const named = chainOf(namedPlaces)
    const around = new Set(named.flat())
    const isNear = (chain: readonly Resource[]): boolean =>
      around.has(chain[0]!) || named.some(([place]) => chain.includes(place!))
    return (
      (own.length === 0 || namedServices.length === 0 || own.some(one => namedServices.includes(one))) &&
      (at.length === 0 || namedPlaces.length === 0 || chainOf(at).some(isNear))
    )
  }
  const meant = [...roles].filter(isMeant)
  const usedPlaces =
    namedPlaces.length > 0 ? namedPlaces : meant.flatMap(([, role]) => keyed(role.location, 'Location'))
  const zone = zoneOf(ctx, chainOf(usedPlaces).flat())

  const servicesOf = (role: Resource | undefined): Resource[] => {
    const keys =
      namedServices.length > 0 || role === undefined
        ? namedServices
        : keyed(role.healthcareService, 'HealthcareService')
    return keys.flatMap(key => services.get(key) ?? [])
  }
  const placesAt = (role: Resource | undefined): Resource[][] =>
    chainOf(namedPlaces.length > 0 || role === undefined ? namedPlaces : keyed(role.location, 'Location'))

  const sheets = sheetsOf(
    meant.map(([, role]) => role),
    practitioners.length > 0,
    servicesOf,
    placesAt,
  )
  if (sheets.length === 0) throw noHours(practitioners.length > 0 || roles.size > 0)
  const people = [...practitioners, ...roles.keys(), ...ofRoles('practitioner', 'Practitioner')]
  const actors = [...new Set(people.length > 0 ? people : [...namedServices, ...namedPlaces])]
  const around = new Set(
    chainOf(usedPlaces).flatMap(chain => chain.map(place => `Location/${String(place.id)}`)),
  )
  return {
    zone,
    actors,
    places: around,
    size: sheets.reduce((sum, sheet) => sum + sizeOf(sheet), 0),
    hours: (from, to) => sheets.map(sheet => hoursOf(sheet, zone, from, to)),
  }
}

interface Sheet {
  role: Resource | undefined
  times: readonly WeeklyTime[]
  services: readonly Resource[]
  places: readonly Resource[][]
}

function sheetsOf(
  roles: readonly Resource[],
  isPersonal: boolean,
  servicesOf: (role: Resource | undefined) => Resource[],
  placesAt: (role: Resource | undefined) => Resource[][],
): Sheet[] {
  if (isPersonal || roles.length > 0)
    return roles.flatMap(role => {
      const times = availableTimes(role)
      // Nobody's hours have to be known where nobody works any more.
      if (times.length === 0 && role.active !== false) return []
      return [{ role, times, services: servicesOf(role), places: placesAt(role) }]
    })
  const services = servicesOf(undefined)
  const places = placesAt(undefined)
  const serving = services.flatMap(availableTimes)
  const times = serving.length > 0 ? serving : places.flatMap(chain => hoursAt(chain) ?? [])
  return times.length > 0 ? [{ role: undefined, times, services, places }] : []
}

function sizeOf({ times, services, places }: Sheet): number {
  const ofServices = services.reduce((sum, one) => sum + availableTimes(one).length, 0)
  return times.length + ofServices + places.reduce((sum, chain) => sum + (hoursAt(chain)?.length ?? 0), 0)
}

function noHours(isPersonal: boolean): FhirError {
  const diagnostics = isPersonal
    ? 'No PractitionerRole of this Schedule has availableTime: say there when the practitioner is open.'
    : 'Neither a HealthcareService nor a Location of this Schedule says when it is open.'
  return new FhirError('business-rule', [
    { severity: 'error', code: 'business-rule', diagnostics, expression: 'Schedule.actor', rule: 'no-hours' },
  ])
}

function hoursOf({ role, times, services, places }: Sheet, zone: string, from: string, to: string): Hours {
  // What begins the day before may reach into the first day.
  const week = (of: readonly WeeklyTime[]): Span[] => openSpans(of, zone, dayAfter(from, -1), to)
  const serving = services.map(one => {
    const weekly = availableTimes(one)
    const open = one.active === false ? [] : weekly.length === 0 ? [ALWAYS] : week(weekly)
    return { open, fit: without(joined(open), notAvailable(one, zone)) }
  })
  const around = places.map(chain => {
    const weekly = hoursAt(chain)
    return isClosed(chain) ? [] : weekly === undefined ? [ALWAYS] : week(weekly)
  })
  // Who is in several departments or rooms is open while one of them is.
  const union = (all: readonly (readonly Span[])[]): Span[] =>
    all.length === 0 ? [ALWAYS] : joined(all.flat())
  const served = union(serving.map(one => one.open))
  const placed = union(around)
  const working =
    role?.active === false ? [] : role?.period === undefined ? [ALWAYS] : periodSpans([role.period], zone)
  const open = intersected(intersected(week(times), served), placed)
  const fitting = intersected(intersected(joined(open), union(serving.map(one => one.fit))), working)
  return { open, fit: joined(without(fitting, role === undefined ? [] : notAvailable(role, zone))) }
}

/** Returns the hours of the nearest of a place and what it is part of that has any. */
function hoursAt(chain: readonly Resource[]): WeeklyTime[] | undefined {
  for (const place of chain) {
    const hours = hoursOfOperation(place)
    if (hours.length > 0) return hours
  }
  return undefined
}

/** https://hl7.org/fhir/R4/valueset-location-status.html: closed for a time, or for good. */
const isClosed = (chain: readonly Resource[]): boolean =>
  chain.some(({ status }) => status === 'suspended' || status === 'inactive')
