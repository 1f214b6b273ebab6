/** Those whose days are looked at: practitioners who have a schedule. */
import type { Context } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { liveResources, searched } from '../scheduling/live-resources.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'

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
