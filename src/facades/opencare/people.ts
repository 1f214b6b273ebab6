/** Patients, providers and facilities of appointments, as they are stored. */
import type { Context } from '../../context.ts'
import { isObject, type Resource } from '../../fhir/json.ts'
import { readEach } from '../../interactions/read-each.ts'
import { findAll, planFor, resourceOf } from '../../scheduling/calendar.ts'
import { keysOf } from '../../search/busy.ts'
import type { Key, Live } from '../../storage/port.ts'
import { USER_TYPES } from './codes.ts'
import { withNumbers } from './numbers.ts'
import { type Actors, actorsIn, type Seen } from './translate.ts'

/** Returns the live resources of these keys. */
export async function readLive(ctx: Context, keys: readonly string[]): Promise<Map<string, Live>> {
  const found = new Map<string, Live>()
  for await (const row of readEach(ctx, [...new Set(keys)] as Key[])) found.set(row.key, row)
  return found
}

const isRole = (key: string): boolean => key.startsWith('PractitionerRole/')

/** Returns the practitioner of each role, by its key. */
async function practitionersOf(ctx: Context, keys: readonly string[]): Promise<Map<string, string>> {
  const roles = await readLive(ctx, keys.filter(isRole))
  const { baseUrl } = ctx.settings
  return new Map(
    [...roles].flatMap(([key, row]) =>
      keysOf(resourceOf(row).practitioner, baseUrl).map(one => [key, one] as [string, string]),
    ),
  )
}

/** Returns who takes part in an appointment, with the Practitioner in the place of a role of theirs. */
export async function actorsOf(ctx: Context, appointment: Resource): Promise<Actors> {
  const actors = actorsIn(appointment, ctx.settings.baseUrl)
  if (actors.provider === undefined || !isRole(actors.provider)) return actors
  const of = await practitionersOf(ctx, [actors.provider])
  return { ...actors, provider: of.get(actors.provider) ?? actors.provider }
}

/** Returns the appointments with their people and places, each with an integer id. Appointments that are gone meanwhile are left out. */
export async function seen(ctx: Context, rows: readonly Live[]): Promise<Seen[]> {
  const { baseUrl } = ctx.settings
  const actors = new Map(rows.map(row => [row.key, actorsIn(resourceOf(row), baseUrl)]))
  const of = await practitionersOf(
    ctx,
    [...actors.values()].flatMap(({ provider }) => provider ?? []),
  )
  const providerOf = (key: string | undefined) => (key === undefined ? undefined : (of.get(key) ?? key))
  const people = await readLive(
    ctx,
    [...actors.values()].flatMap(({ patient, provider, facility }) =>
      [patient, providerOf(provider), facility].filter(key => key !== undefined && !isRole(key)),
    ) as string[],
  )
  const numbered = await withNumbers(ctx, [...rows, ...people.values()])
  const resource = (key: string | undefined): Resource | undefined => {
    const row = key === undefined ? undefined : numbered.get(key as Key)
    return row && resourceOf(row)
  }
  return rows.flatMap(({ key }) => {
    const row = numbered.get(key)
    if (row === undefined) return []
    const { patient, provider, facility } = actors.get(key)!
    return {
      appointment: resourceOf(row),
      patient: resource(patient),
      provider: resource(providerOf(provider)),
      facility: resource(facility),
      updated: row.at,
    }
  })
}

/** Returns the roles of a practitioner. */
async function rolesOf(ctx: Context, practitioner: string): Promise<Live[]> {
  const id = practitioner.slice(practitioner.indexOf('/') + 1)
  return findAll(
    ctx,
    planFor('PractitionerRole', {
      kind: 'reference',
      param: 'PractitionerRole.practitioner',
      type: 'Practitioner',
      id,
    }),
  )
}

/** Returns the keys under which a practitioner takes part in appointments: their own and those of their roles. */
export async function seatsOf(ctx: Context, provider: string): Promise<string[]> {
  if (!provider.startsWith('Practitioner/')) return [provider]
  return [provider, ...(await rolesOf(ctx, provider)).map(row => row.key)]
}

/** Returns the user_type of a practitioner by the codes of their roles in force; a doctor where no role says anything; undefined for others. */
export async function userTypeOf(ctx: Context, practitioner: string): Promise<string | undefined> {
  const codes = (await rolesOf(ctx, practitioner))
    .map(resourceOf)
    .filter(role => role.active !== false)
    .flatMap(role => (Array.isArray(role.code) ? role.code : []))
    .flatMap(concept => (isObject(concept) && Array.isArray(concept.coding) ? concept.coding : []))
    .filter(isObject)
  if (codes.length === 0) return 'doctor'
  for (const { system, code } of codes) {
    const name = `${system}|${code}`
    if (Object.hasOwn(USER_TYPES, name)) return USER_TYPES[name]
  }
  return undefined
}
