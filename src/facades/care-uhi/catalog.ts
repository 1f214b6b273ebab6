/** What can be booked: facilities with their departments and people, and free slots of their schedules. */
import type { Context } from '../../context.ts'
import type { Json, Resource } from '../../fhir/json.ts'
import { hasCode } from '../../fhir/tree.ts'
import { isId } from '../../interactions/identity.ts'
import { componentsOf, FREE, type Quote, quoteOf } from '../../scheduling/price.ts'
import { keysOf } from '../../search/busy.ts'
import type { Key } from '../../storage/port.ts'
import {
  actorsOf,
  agentIn,
  type Facility,
  facilitiesOf,
  facilityIds,
  practitionerOf,
  pricesOf,
  servicesOf,
} from './facility.ts'
import { freeSlots } from './free-slots.ts'
import { keyOf } from './reference.ts'
import {
  type Agent,
  agentOf,
  DESCRIPTOR,
  departmentOf,
  type Fulfillment,
  fulfillmentOf,
  type Item,
  idOf,
  itemOf,
  type Provider,
  providerOf,
} from './translate.ts'

interface Listed extends Provider {
  departments: { id: string; name: string; description: string; practitioners: Agent[] }[]
}

export interface Catalog {
  descriptor: typeof DESCRIPTOR
  providers: (Provider & { items: Item[]; fulfillments: Fulfillment[] })[]
}

/** Returns the facilities that can be booked, or the one of this id, with their departments and people. */
export async function directory(
  ctx: Context,
  id: Json | undefined,
): Promise<{ providers: Listed[]; descriptor?: typeof DESCRIPTOR }> {
  const facilities = await bookable(ctx, id)
  const providers = facilities.map(facility => listed(ctx, facility))
  return id !== undefined && providers.length === 0 ? { providers } : { descriptor: DESCRIPTOR, providers }
}

/** Returns the facilities with a schedule in force, all or the one of this id. */
export async function bookable(ctx: Context, id: Json | undefined): Promise<Facility[]> {
  const ids = id === undefined ? await facilityIds(ctx) : isId(id) ? [id] : []
  return [...(await facilitiesOf(ctx, ids)).values()].filter(({ schedules }) => schedules.size > 0)
}

const ROLE = 'http://terminology.hl7.org/CodeSystem/practitioner-role'

function listed(ctx: Context, facility: Facility): Listed {
  const booked = new Set(
    [...facility.schedules.values()].map(schedule => practitionerOf(ctx, facility, schedule)),
  )
  const departments = new Map<string, Agent[]>([...facility.services.keys()].map(key => [key, []]))
  const unassigned = new Map<Key, Agent>()
  const placed = new Set<Key>()
  for (const role of facility.roles.values()) {
    const key = keysOf(role.practitioner, ctx.settings.baseUrl)[0] as Key | undefined
    const practitioner = key === undefined ? undefined : facility.practitioners.get(key)
    if (key === undefined || practitioner === undefined) continue
    if (!booked.has(key) && !hasCode(role.code, ROLE, 'doctor')) continue
    const services = servicesOf(ctx, facility, role)
    const agent = agentOf(practitioner, role, services)
    for (const service of services) {
      const agents = departments.get(keyOf('HealthcareService', idOf(service)))!
      if (!agents.some(one => one.id === agent.id)) agents.push(agent)
      placed.add(key)
    }
    if (services.length === 0) unassigned.set(key, agent)
  }
  const general = [...unassigned].filter(([key]) => !placed.has(key)).map(([, agent]) => agent)
  return {
    ...providerOf(facility.organization, facility.place),
    departments: [
      ...[...facility.services].map(([key, service]) => ({
        ...departmentOf(service),
        description: typeof service.comment === 'string' ? service.comment : '',
        practitioners: departments.get(key)!,
      })),
      ...(general.length === 0
        ? []
        : [{ id: 'unassigned', name: 'General', description: '', practitioners: general }]),
    ],
  }
}

/** Returns the schedules of a doctor, of a department, or of both at once; all where neither is named. */
export function schedulesFor(
  ctx: Context,
  facility: Facility,
  doctor: string | undefined,
  department: string | undefined,
): Resource[] {
  const service = department === undefined ? undefined : keyOf('HealthcareService', department)
  return [...facility.schedules.values()].filter(schedule => {
    if (doctor !== undefined && practitionerOf(ctx, facility, schedule) !== keyOf('Practitioner', doctor))
      return false
    if (service === undefined) return true
    const named = actorsOf(ctx, schedule).filter(key => key.startsWith('HealthcareService/'))
    if (named.length > 0) return named.includes(service)
    return agentIn(ctx, facility, schedule)?.departments.some(one => one.id === department) ?? false
  })
}

/** Returns a facility with the free slots of schedules that begin in [start, end); ms since 1970. */
export async function offered(
  ctx: Context,
  facility: Facility,
  schedules: readonly Resource[],
  start: number,
  end: number,
): Promise<Catalog['providers'][number]> {
  const slots = await freeSlots(ctx, schedules, start, end)
  const byId = new Map(schedules.map(schedule => [`Schedule/${idOf(schedule)}`, schedule]))
  const definitions = await pricesOf(ctx, facility, schedules)
  const items: Item[] = []
  const fulfillments: Fulfillment[] = []
  for (const slot of slots) {
    const schedule = byId.get(keysOf(slot.schedule, ctx.settings.baseUrl)[0] ?? '')
    if (schedule === undefined) continue
    const definition = definitions.get(idOf(schedule))
    items.push(itemOf(schedule, slot, idOf(slot), definition, quoted(definition)))
    fulfillments.push(fulfillmentOf(slot, idOf(slot), agentIn(ctx, facility, schedule)))
  }
  return { ...providerOf(facility.organization, facility.place), items, fulfillments }
}

/** Returns the quote of a definition; of none, a visit is free. */
export const quoted = (definition: Resource | undefined): Quote =>
  definition === undefined ? FREE : quoteOf(componentsOf(definition))
