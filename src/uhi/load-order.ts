/** Orders as they are stored: the resources that an Appointment of UHI leads to. */
import type { Context, Pending } from '../context.ts'
import { isObject, type Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { search } from '../interactions/search.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { liveResources } from '../scheduling/live-resources.ts'
import { placesOf } from '../scheduling/place.ts'
import { keysOf } from '../search/busy.ts'
import type { Key, Live } from '../storage/port.ts'
import { UHI, UHI_EXTENSION } from './codes.ts'
import { extension, identifierOf, partOf } from './elements.ts'
import type { OrderGraph } from './graph.ts'
import type { Addressee } from './job.ts'

/** Returns whether an appointment is an order of UHI. */
export const isOrder = (appointment: Resource | undefined): appointment is Resource =>
  appointment !== undefined && identifierOf(appointment, UHI.order) !== undefined

/** Returns whom messages about an order go to. */
export function addresseeOf(ctx: Context, appointment: Resource): Addressee {
  const said = extension(appointment, UHI_EXTENSION.context)
  return {
    consumerId: identifierOf(appointment, UHI.consumer) ?? '',
    consumerUri: partOf(said, 'consumerUri') ?? '',
    transactionId: identifierOf(appointment, UHI.transaction) ?? '',
    domain: partOf(said, 'domain') ?? 'nic2004:85111',
    city: partOf(said, 'city') ?? ctx.settings.uhi.city,
  }
}

const EMPTY = (resourceType: string): Resource => ({ resourceType })

/** Returns the resources of an order; `pending`: what a commit is about to make of them. */
export async function graphOfStored(
  ctx: Context,
  key: Key,
  appointment: Resource,
  pending: readonly Pending[] = [],
): Promise<OrderGraph> {
  const { baseUrl } = ctx.settings
  const made = new Map(
    pending.flatMap(({ key: one, after }) =>
      after === undefined ? [] : [[one, { ...after, id: one.split('/')[1]! }]],
    ),
  )
  const read = async (keys: readonly Key[]): Promise<Map<Key, Resource>> => {
    const found = await liveResources(
      ctx,
      keys.filter(one => !made.has(one)),
    )
    for (const one of keys) {
      const own = made.get(one)
      if (own !== undefined) found.set(one, own)
    }
    return found
  }
  const keysAt = (value: Resource[string]) => objects(value).flatMap(one => keysOf(one, baseUrl)) as Key[]
  const actors = objects(appointment.participant).flatMap(one => keysAt(one.actor))
  const near = await read([...actors, ...keysAt(appointment.supportingInformation)])
  const of = (type: string) => [...near.values()].filter(one => one.resourceType === type)
  const invoice = of('Invoice')[0] ?? EMPTY('Invoice')
  const lines = objects(invoice.lineItem).flatMap(line => keysAt(line.chargeItemReference))
  const item = of('ChargeItem')[0]
  const more = await read([...lines, ...keysAt(invoice.issuer)])
  const charges = [...more.values()].filter(one => one.resourceType === 'ChargeItem')
  const places = [
    ...(
      await placesOf(
        ctx,
        actors.filter(one => one.startsWith('Location/')),
      )
    ).values(),
  ].flat()
  const encounter = await encounterOf(ctx, key, appointment)
  return {
    appointment: { ...appointment, id: key.split('/')[1]! },
    stated: of('RelatedPerson')[0] ?? EMPTY('RelatedPerson'),
    organization:
      [...more.values()].find(one => one.resourceType === 'Organization') ?? EMPTY('Organization'),
    location: places.find(place => isObject(place.address) || isObject(place.position)) ?? places[0],
    practitioner: of('Practitioner')[0] ?? EMPTY('Practitioner'),
    services: of('HealthcareService'),
    invoice,
    charges: [...(item === undefined ? [] : [item]), ...charges.filter(charge => charge.id !== item?.id)],
    encounter,
  }
}

async function encounterOf(ctx: Context, key: Key, { status }: Resource): Promise<Resource | undefined> {
  // Before the visit there is none.
  if (status !== 'checked-in' && status !== 'fulfilled') return undefined
  const { rows } = await search(ctx, 'Encounter', [
    ['appointment', key],
    ['_count', '1'],
  ])
  return rows[0] && resourceOf(rows[0])
}

/** Returns the order of this id that this app has booked, undefined for any other. */
export async function storedOrder(
  ctx: Context,
  orderId: string,
  consumerId: string,
): Promise<Live | undefined> {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(orderId)) return undefined
  return ownOrder(ctx, `${UHI.order}|${orderId}`, consumerId)
}

/** Returns the newest order of a transaction that this app has booked. */
export const orderOfTransaction = (
  ctx: Context,
  transactionId: string,
  consumerId: string,
): Promise<Live | undefined> => ownOrder(ctx, `${UHI.transaction}|${transactionId}`, consumerId)

async function ownOrder(ctx: Context, identifier: string, consumerId: string): Promise<Live | undefined> {
  const { rows } = await search(ctx, 'Appointment', [
    ['identifier', identifier],
    ['identifier', `${UHI.consumer}|${consumerId}`],
    ['_sort', '-_lastUpdated'],
    ['_count', '1'],
  ])
  return rows[0]
}
