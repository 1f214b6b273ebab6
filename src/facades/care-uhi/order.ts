/** An order: an Appointment that came by this door, with all that answers say of it. */
import type { Context } from '../../context.ts'
import type { Json, Resource } from '../../fhir/json.ts'
import { object, objects, text } from '../../fhir/tree.ts'
import { searched } from '../../scheduling/live-resources.ts'
import { componentsOf, FREE, type Quote, quoteOf } from '../../scheduling/price.ts'
import { isToken } from '../../scheduling/token.ts'
import { actorsOf, keysOf } from '../../search/busy.ts'
import type { Key } from '../../storage/port.ts'
import { agentIn, type Facility, facilityOf, oneOf, pricesOf } from './facility.ts'
import { ORDER, STATED, TRANSACTION } from './names.ts'
import { type Billing, statedBilling } from './person.ts'
import { typeOf } from './reference.ts'
import { bookingStatus } from './status.ts'
import {
  type Fulfillment,
  fulfillmentOf,
  type Item,
  idOf,
  itemOf,
  type PatientBlock,
  type Provider,
  providerOf,
  tokenText,
} from './translate.ts'

export interface Order {
  id: string
  appointment: Resource
  transaction: string
}

/** Returns the order of this id; undefined where there is none, or where it did not come by this door. */
export async function orderOf(ctx: Context, id: Json | undefined): Promise<Order | undefined> {
  const appointment = await oneOf(ctx, 'Appointment', id)
  if (appointment === undefined) return undefined
  const transaction = objects(appointment.identifier)
    .filter(one => one.system === TRANSACTION)
    .flatMap(one => text(one.value) ?? [])[0]
  return transaction === undefined ? undefined : { id: idOf(appointment), appointment, transaction }
}

/** Returns the keys of a type that an appointment names: as participants, or as supporting information. */
const named = (ctx: Context, appointment: Resource, type: string): Key[] =>
  [...actorsOf(appointment), ...objects(appointment.supportingInformation)]
    .flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[])
    .filter(key => typeOf(key) === type)

export const slotIdOf = (ctx: Context, appointment: Resource): string =>
  (objects(appointment.slot).flatMap(one => keysOf(one, ctx.settings.baseUrl))[0] ?? '/').split('/')[1]!

/** Returns the facility that an order was booked at; undefined where that is closed. */
export function facilityOfOrder(ctx: Context, { appointment }: Order): Promise<Facility | undefined> {
  const key = named(ctx, appointment, 'Organization')[0]
  return facilityOf(ctx, key?.split('/')[1])
}

/** Returns Care's name for the status of an order's booking. */
export async function statusOf(ctx: Context, { id, appointment }: Order): Promise<string> {
  if (appointment.status !== 'arrived' && appointment.status !== 'checked-in')
    return bookingStatus(appointment)
  const pairs = [
    ['appointment', `Appointment/${id}`],
    ['status', 'in-progress'],
  ] as const
  return bookingStatus(appointment, (await searched(ctx, 'Encounter', pairs, 100)).size > 0)
}

export interface Shown {
  order_id: string
  status: string
  provider: Provider | Record<string, never>
  patient: PatientBlock | Record<string, never>
  fulfillment: Fulfillment
}

/** Everything that some answer shows of an order. */
export interface Whole extends Shown {
  token: string
  item: Item | Record<string, never>
  quote: Quote
  billing: Billing | Record<string, never>
}

/** Returns an order as answers show it; `facility`: its own, where it is known already. */
export async function shown(ctx: Context, order: Order, facility: Facility | undefined): Promise<Whole> {
  const { id, appointment } = order
  const slotId = slotIdOf(ctx, appointment)
  const [slot, person, status, invoiced, token] = await Promise.all([
    oneOf(ctx, 'Slot', slotId),
    oneOf(ctx, 'Patient', named(ctx, appointment, 'Patient')[0]?.split('/')[1]),
    statusOf(ctx, order),
    billedOf(ctx, id),
    tokenFor(ctx, id),
  ])
  const key = keysOf(slot?.schedule, ctx.settings.baseUrl)[0]
  const schedule = facility?.schedules.get(key as Key) ?? (await oneOf(ctx, 'Schedule', key?.split('/')[1]))
  const known = facility !== undefined && schedule !== undefined
  const definition = known ? (await pricesOf(ctx, facility, [schedule])).get(idOf(schedule)) : undefined
  const billing = person === undefined ? undefined : billed(appointment, person)
  const quote = invoiced ?? (definition === undefined ? FREE : quoteOf(componentsOf(definition)))
  return {
    order_id: id,
    status,
    provider: facility === undefined ? {} : providerOf(facility.organization, facility.place),
    patient: billing === undefined ? {} : blockOf(idOf(person), billing),
    fulfillment: fulfillmentOf(appointment, slotId, known ? agentIn(ctx, facility, schedule) : undefined),
    token: tokenText(token),
    item: schedule === undefined ? {} : itemOf(schedule, appointment, slotId, definition, quote),
    quote,
    billing: billing ?? {},
  }
}

/** Returns the fields of the patient that the request of an Appointment has stated. */
export const statedIn = (appointment: Resource): string[] =>
  objects(appointment.extension).flatMap(one => (one.url === STATED ? (text(one.valueCode) ?? []) : []))

function billed(appointment: Resource, person: Resource): Billing {
  const stated = new Set(statedIn(appointment))
  const billing = statedBilling(person, stated)
  const seat = objects(appointment.participant).find(one =>
    text(object(one.actor)?.reference)?.startsWith('Patient/'),
  )
  return stated.has('name') ? billing : { ...billing, name: text(object(seat?.actor)?.display) ?? '' }
}

const blockOf = (id: string, billing: Billing): PatientBlock => {
  const { name, gender, phone_number, date_of_birth, address } = billing
  return { id, name, gender, phone_number, date_of_birth, address }
}

async function tokenFor(ctx: Context, id: string): Promise<Resource | undefined> {
  const tasks = [...(await searched(ctx, 'Task', [['focus', `Appointment/${id}`]], 100)).values()].filter(
    isToken,
  )
  return tasks.find(one => one.status !== 'cancelled') ?? tasks[0]
}

/** Returns what an order was billed; undefined where it was not. */
async function billedOf(ctx: Context, id: string): Promise<Quote | undefined> {
  const invoices = await invoicesOf(ctx, id)
  const line = objects(invoices[0]?.lineItem)[0]
  return line === undefined ? undefined : quoteOf(objects(line.priceComponent))
}

/** Returns the Invoices, or ChargeItems, of an order. */
export const invoicesOf = async (
  ctx: Context,
  id: string,
  type: 'Invoice' | 'ChargeItem' = 'Invoice',
): Promise<Resource[]> => [...(await searched(ctx, type, [['identifier', `${ORDER}|${id}`]], 100)).values()]
