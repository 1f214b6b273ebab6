/** Practitioners and the roles in which they are booked: whose time it is, and which schedules are theirs. */
import type { Context } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { actorsOf, keysOf } from '../search/busy.ts'
import { idOf, type Key, type Live, typeOf } from '../storage/port.ts'
import { findAll, planFor, resourceOf } from './calendar.ts'
import { liveResources, searched } from './live-resources.ts'

/** Returns the roles of a practitioner as they are stored. */
export const rolesOf = (ctx: Context, practitioner: Key): Promise<Live[]> =>
  findAll(
    ctx,
    planFor('PractitionerRole', {
      kind: 'reference',
      param: 'PractitionerRole.practitioner',
      type: 'Practitioner',
      id: idOf(practitioner),
    }),
  )

/** Returns the keys of the schedules of these actors. */
export async function schedulesOf(ctx: Context, actors: readonly Key[]): Promise<Key[]> {
  const rows = await findAll(
    ctx,
    planFor('Schedule', {
      kind: 'or',
      nodes: actors.map(key => ({
        kind: 'reference',
        param: 'Schedule.actor',
        type: typeOf(key),
        id: idOf(key),
      })),
    }),
  )
  return rows.map(({ key }) => key)
}

/** Returns the practitioners who take part in an appointment, by themselves or in a role. */
export async function practitionersOf(ctx: Context, appointment: Resource): Promise<Key[]> {
  const keys = actorsOf(appointment).flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[])
  const roles = keys.filter(key => typeOf(key) === 'PractitionerRole')
  const found = roles.length === 0 ? new Map() : await ctx.storage.readMany(roles)
  const inRoles = roles.flatMap(role => {
    const text = found.get(role)?.text
    return text === undefined
      ? []
      : (keysOf(resourceOf(found.get(role) as Live).practitioner, ctx.settings.baseUrl) as Key[])
  })
  return [...new Set([...keys, ...inRoles].filter(key => typeOf(key) === 'Practitioner'))]
}

/** The most schedules of a place that has one list of them. */
const MOST = 1000

/** Returns the practitioners who have an active schedule, by themselves or in a role. Throws as a search does. */
export async function practitionersWithHours(ctx: Context): Promise<Resource[]> {
  const { baseUrl } = ctx.settings
  const schedules = await searched(ctx, 'Schedule', [['active:not', 'false']], MOST)
  const actors = [...schedules.values()].flatMap(one =>
    objects(one.actor).flatMap(actor => keysOf(actor, baseUrl) as Key[]),
  )
  const roles = await liveResources(
    ctx,
    actors.filter(key => key.startsWith('PractitionerRole/')),
  )
  const inRoles = [...roles.values()].flatMap(role => keysOf(role.practitioner, baseUrl) as Key[])
  const keys = [...actors, ...inRoles].filter(key => key.startsWith('Practitioner/'))
  return [...(await liveResources(ctx, [...new Set(keys)])).values()]
}
