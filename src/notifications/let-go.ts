/** Messages about an appointment that is deleted: where references are enforced they let go of it, and stay. */
import type { Context, Pending, Put } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { planFor } from '../scheduling/calendar.ts'
import { SYSTEM } from '../scheduling/codes.ts'
import { keysOf } from '../search/busy.ts'
import type { Live } from '../storage/port.ts'
import { resourceOf } from './reading.ts'

/** Messages of one appointment; one with more stays as it is. */
const MOST = 500

/** Returns the puts, and those of all messages about appointments that the commit deletes, without their references to these. */
export async function lettingGo(
  ctx: Context,
  pending: readonly Pending[],
  puts: readonly Put[],
): Promise<Put[]> {
  const all = [...puts]
  if (ctx.settings.references !== 'enforce') return all
  const gone = pending.filter(({ key, after }) => after === undefined && key.startsWith('Appointment/'))
  for (const { key } of gone)
    for (const type of ['Communication', 'CommunicationRequest']) {
      const plan = planFor(type, {
        kind: 'token',
        param: `${type}.identifier`,
        system: SYSTEM.messageAbout,
        code: key,
      })
      const page = await ctx.storage.search(plan, { limit: MOST, total: 'none' })
      for (const row of page.rows as Live[])
        if (!all.some(put => put.key === row.key))
          all.push({ key: row.key, current: row, resource: resourceOf(row) })
    }
  const keys = new Set<string>(gone.map(({ key }) => key))
  return all.map(put => ({
    ...put,
    resource: put.resource && without(put.resource, keys, ctx.settings.baseUrl),
  }))
}

function without(resource: Resource, keys: ReadonlySet<string>, baseUrl: string): Resource {
  if (resource.about === undefined) return resource
  const kept = objects(resource.about).filter(one => !keysOf(one, baseUrl).some(key => keys.has(key)))
  const { about: _, ...rest } = resource
  return { ...rest, resourceType: resource.resourceType, ...(kept.length === 0 ? {} : { about: kept }) }
}
