/** What requests of the first generation do, once however often they are tried, and what is answered to them. */
import type { Context } from '../../context.ts'
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { objects } from '../../fhir/tree.ts'
import { EXTENSION } from '../../scheduling/codes.ts'
import { searched } from '../../scheduling/live-resources.ts'
import { keysOf } from '../../search/busy.ts'
import {
  appointmentOf,
  bookedEntries,
  cancelledEntries,
  checkRoom,
  type Place,
  placeOf,
  visitorOf,
} from './booking.ts'
import { bookable, type Catalog, offered, quoted } from './catalog.ts'
import { agentIn, type Facility, facilityOf, pricesOf } from './facility.ts'
import type { FirstRequest } from './first-request.ts'
import type { Action } from './generation.ts'
import { TRANSACTION } from './names.ts'
import { facilityOfOrder, type Order, orderOf, shown, slotIdOf, statusOf } from './order.ts'
import { findPatient } from './patient.ts'
import { completedEntry, isOf, orderIn, recordOf } from './record.ts'
import { impossible } from './refusal.ts'
import { isTerminal, orderState } from './status.ts'
import { termsIn, termsOf } from './terms.ts'
import { weekAfter } from './time.ts'
import { DESCRIPTOR, fulfillmentOf, idOf, itemOf, providerOf } from './translate.ts'
import { stored } from './write.ts'

/** Returns the result of a request. Throws Refusals. */
export const resultOf = (ctx: Context, request: FirstRequest): Promise<object> =>
  RESULTS[request.context.action](ctx, request)

const RESULTS: Readonly<Record<Action, (ctx: Context, request: FirstRequest) => Promise<object>>> = {
  search,
  select,
  init,
  confirm,
  status: async (ctx, request) => orderMessage(ctx, await order(ctx, request)),
  cancel,
}

/** Fulfillments that the catalog of all facilities lists. */
const MOST_LISTED = 2000

async function search(ctx: Context, { intent }: FirstRequest): Promise<object> {
  const { providerId, start: from, end: until } = intent!
  const start = Math.max(from ?? 0, ctx.clock())
  const end = until ?? weekAfter(start)
  const providers: Catalog['providers'] = []
  let listed = 0
  for (const facility of await bookable(ctx, providerId)) {
    const one = await offered(ctx, facility, [...facility.schedules.values()], start, end)
    providers.push(one)
    listed += one.fulfillments.length
    if (listed > MOST_LISTED) break
  }
  return providers.length === 0 ? { providers } : { descriptor: DESCRIPTOR, providers }
}

/** Returns the slot that an order is for. */
async function chosen(ctx: Context, { order }: FirstRequest): Promise<Place> {
  const { providerId, itemId, fulfillmentId } = order!
  const facility = await facilityOf(ctx, providerId)
  if (facility === undefined) throw impossible(`Provider ${providerId} not found`)
  const place = await placeOf(ctx, facility, fulfillmentId, 'Slot does not belong to the requested provider')
  if (idOf(place.schedule) !== itemId) throw impossible(`Item ${itemId} not found`)
  return place
}

async function select(ctx: Context, request: FirstRequest): Promise<object> {
  const place = await chosen(ctx, request)
  await checkRoom(ctx, place)
  const { facility, schedule, slot } = place
  const definition = (await pricesOf(ctx, facility, [schedule])).get(idOf(schedule))
  const quote = quoted(definition)
  return {
    order: {
      provider: providerOf(facility.organization, facility.place),
      items: [itemOf(schedule, slot, idOf(slot), definition, quote)],
      fulfillments: [fulfillmentOf(slot, idOf(slot), agentIn(ctx, facility, schedule))],
      quote,
    },
  }
}

/** Returns the record of the request. Throws Refusal where a later message has taken its place. */
async function own(ctx: Context, { context }: FirstRequest): Promise<Resource> {
  const record = await recordOf(ctx, context.transaction_id, context.action)
  if (record === undefined || !isOf(record, context))
    throw impossible('The request was replaced by a later one')
  return record
}

const transactionOf = ({ context }: FirstRequest): string => context.transaction_id.toLowerCase()

async function init(ctx: Context, request: FirstRequest): Promise<object> {
  const id = ctx.newId()
  const made = await stored(ctx, async () => {
    const record = await own(ctx, request)
    if (record.status === 'completed') return { entries: [], outcome: orderIn(record) }
    const place = await chosen(ctx, request)
    const earlier = await heldIn(ctx, transactionOf(request))
    if (!earlier.some(one => slotIdOf(ctx, one) === idOf(place.slot))) await checkRoom(ctx, place)
    const found = await findPatient(ctx, request.billing!)
    const appointment = appointmentOf(ctx, {
      id,
      status: 'pending',
      transaction: transactionOf(request),
      patient: found.reference,
      patientName: found.name,
      stated: found.stated,
      place,
    })
    const replaced: JsonObject[] = []
    for (const one of earlier) replaced.push(...(await cancelledEntries(ctx, one, 'replaced')))
    const put = { resource: appointment, request: { method: 'PUT', url: `Appointment/${id}` } }
    return { entries: [...replaced, ...found.entries, put, completedEntry(record, id)], outcome: id }
  })
  return orderMessage(ctx, (await orderOf(ctx, made))!)
}

/** Returns what the transaction holds already: it has one order. */
const heldIn = async (ctx: Context, transaction: string): Promise<Resource[]> => [
  ...(
    await searched(
      ctx,
      'Appointment',
      [
        ['identifier', `${TRANSACTION}|${transaction}`],
        ['status', 'pending'],
      ],
      20,
    )
  ).values(),
]

/** Returns the order that a request names. Throws Refusal 40000 where it is none of its transaction. */
async function order(ctx: Context, request: FirstRequest): Promise<Order> {
  const found = await orderOf(ctx, request.orderId)
  if (found === undefined || found.transaction !== transactionOf(request))
    throw impossible(`Order ${request.orderId} not found for this transaction`, '40000')
  return found
}

async function confirm(ctx: Context, request: FirstRequest): Promise<object> {
  await stored(ctx, async () => {
    const record = await own(ctx, request)
    if (record.status === 'completed') return { entries: [], outcome: undefined }
    if ((request.terms ?? []).length === 0) throw impossible('At least one term is required for confirm')
    const found = await order(ctx, request)
    const state = orderState(await statusOf(ctx, found))
    if (isTerminal(state)) throw impossible(`Order is already '${state}' and cannot be modified`)
    const done = completedEntry(record, found.id)
    if (state === 'active') return { entries: [done], outcome: undefined }
    return { entries: [...(await confirmedEntries(ctx, found)), done], outcome: undefined }
  })
  return orderMessage(ctx, await order(ctx, request))
}

async function confirmedEntries(ctx: Context, found: Order): Promise<JsonObject[]> {
  const { appointment } = found
  const facility: Facility | undefined = await facilityOfOrder(ctx, found)
  if (facility === undefined) throw impossible('Provider of the order not found')
  const place = await placeOf(
    ctx,
    facility,
    slotIdOf(ctx, appointment),
    'Slot does not belong to the requested provider',
  )
  const visit = {
    id: found.id,
    status: 'booked',
    transaction: found.transaction,
    ...visitorOf(ctx, appointment),
    place,
  } as const
  const extension = objects(appointment.extension).filter(one => one.url !== EXTENSION.holdUntil)
  const { extension: _, ...rest } = appointment
  const booked = { ...rest, ...(extension.length > 0 && { extension }), status: 'booked' } as Resource
  const version = String((appointment.meta as JsonObject).versionId)
  return [
    {
      resource: booked,
      request: { method: 'PUT', url: `Appointment/${found.id}`, ifMatch: `W/"${version}"` },
    },
    ...(await bookedEntries(ctx, visit)),
  ]
}

async function cancel(ctx: Context, request: FirstRequest): Promise<object> {
  await stored(ctx, async () => {
    const record = await own(ctx, request)
    if (record.status === 'completed') return { entries: [], outcome: undefined }
    const found = await order(ctx, request)
    const state = orderState(await statusOf(ctx, found))
    if (isTerminal(state)) throw impossible(`Order is already '${state}' and cannot be modified`, '40002')
    const entries = await cancelledEntries(ctx, found.appointment, 'by patient')
    return { entries: [...entries, completedEntry(record, found.id)], outcome: undefined }
  })
  return orderMessage(ctx, await order(ctx, request))
}

/** Returns an order in the shape of the first generation. */
async function orderMessage(ctx: Context, found: Order): Promise<object> {
  const whole = await shown(ctx, found, await facilityOfOrder(ctx, found))
  const said = await recordOf(ctx, found.transaction, 'confirm')
  const about = keysOf(said?.focus, ctx.settings.baseUrl)[0]
  return {
    id: found.id,
    status: orderState(whole.status),
    provider: whole.provider,
    items: [whole.item],
    billing: whole.billing,
    quote: whole.quote,
    terms: termsOf(about === `Appointment/${found.id}` ? termsIn(said) : []),
    fulfillment: [whole.fulfillment],
  }
}
