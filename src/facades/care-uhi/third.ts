/** The third generation: each call is answered with its result. */
import type { Context } from '../../context.ts'
import type { Json, JsonObject } from '../../fhir/json.ts'
import { text } from '../../fhir/tree.ts'
import { appointmentOf, bookedEntries, cancelledEntries, checkRoom, placeOf, visitorOf } from './booking.ts'
import { offered, schedulesFor } from './catalog.ts'
import { cityOf, type Facility, facilityOf } from './facility.ts'
import { memberOf } from './generation.ts'
import { answerContext, contextIn, required, type SmallContext, said } from './message.ts'
import { facilityOfOrder, type Order, orderOf, shown, slotIdOf, statusOf, type Whole } from './order.ts'
import { findPatient } from './patient.ts'
import { personIn } from './person.ts'
import { impossible, malformed } from './refusal.ts'
import { instantIn, weekAfter } from './time.ts'
import { DESCRIPTOR } from './translate.ts'
import { stored } from './write.ts'

export type ThirdAction = 'select' | 'confirm' | 'status' | 'cancel' | 'reschedule'

interface Asked {
  context: SmallContext
  message: JsonObject
}

/** Returns the body of the answer. Throws Refusals. */
export async function answerThird(ctx: Context, action: ThirdAction, body: Json): Promise<object> {
  const context = contextIn(body)
  const asked = { context, message: memberOf(body, 'message') ?? {} }
  const { facility, message } = await ACTIONS[action](ctx, asked)
  const city = facility === undefined ? '' : await cityOf(ctx, facility.organization)
  return { context: answerContext(context, action, city), message }
}

interface Answered {
  facility: Facility | undefined
  message: object
}

const ACTIONS: Readonly<Record<ThirdAction, (ctx: Context, asked: Asked) => Promise<Answered>>> = {
  select,
  confirm,
  status,
  cancel,
  reschedule,
}

async function provider(ctx: Context, id: string): Promise<Facility> {
  const facility = await facilityOf(ctx, id)
  if (facility === undefined) throw impossible(`Provider ${id} not found`)
  return facility
}

/** Returns the window that a fulfillment names, ms since 1970; the next seven days without one. `zone` (IANA) is that of times without one. Throws Refusals. */
export function windowIn(
  fulfillment: Json | undefined,
  now: number,
  zone: string,
): { start: number; end: number } {
  const time = (name: 'start' | 'end'): number | undefined => {
    const stamp = memberOf(memberOf(fulfillment, name), 'time')?.timestamp
    if (stamp === undefined || stamp === null) return undefined
    const at = instantIn(stamp, zone)
    if (at === undefined) throw malformed(`fulfillment.${name}.time.timestamp must be a date with its time`)
    return at
  }
  const from = time('start')
  const start = Math.max(from ?? now, now)
  const end = time('end') ?? weekAfter(start)
  if (end <= (from ?? start)) throw impossible('Fulfillment end time must be after start time')
  return { start, end }
}

async function select(ctx: Context, { message }: Asked): Promise<Answered> {
  const id = required(message, 'provider_id')
  const doctor = said(message, 'doctor_id')
  const department = said(message, 'department_id')
  if (doctor === undefined && department === undefined)
    throw malformed('at least one of doctor_id or department_id is required')
  const { start, end } = windowIn(message.fulfillment, ctx.clock(), ctx.settings.zone)
  const facility = await provider(ctx, id)
  const schedules = schedulesFor(ctx, facility, doctor, department)
  if (schedules.length === 0)
    throw impossible(
      `No schedulable resource found for the given ${doctor === undefined ? 'department' : 'doctor'}`,
    )
  const catalog = { descriptor: DESCRIPTOR, providers: [await offered(ctx, facility, schedules, start, end)] }
  return { facility, message: catalog }
}

async function confirm(ctx: Context, { context, message }: Asked): Promise<Answered> {
  const providerId = required(message, 'provider_id')
  const slotId = required(message, 'fulfillment_id')
  const person = personIn(
    memberOf(message, 'patient'),
    'patient',
    'patient.name and patient.phone_number are required',
  )
  const note = said(message, 'note')
  const facility = await provider(ctx, providerId)
  const id = ctx.newId()
  await stored(ctx, async () => {
    const place = await placeOf(ctx, facility, slotId, 'Slot does not belong to the requested provider')
    await checkRoom(ctx, place)
    const found = await findPatient(ctx, person)
    const visit = {
      id,
      status: 'booked',
      transaction: context.transaction_id,
      patient: found.reference,
      patientName: found.name,
      stated: found.stated,
      place,
      note,
    } as const
    const appointment = appointmentOf(ctx, visit)
    const put = { resource: appointment, request: { method: 'PUT', url: `Appointment/${id}` } }
    return { entries: [...found.entries, put, ...(await bookedEntries(ctx, visit))], outcome: undefined }
  })
  return { facility, message: booked(await shown(ctx, (await orderOf(ctx, id))!, facility)) }
}

const booked = ({ order_id, status, provider, patient, fulfillment, token, item, quote }: Whole): object => ({
  order_id,
  status,
  provider,
  patient,
  fulfillment,
  token,
  item,
  quote,
})

async function order(ctx: Context, message: JsonObject): Promise<Order> {
  const id = required(message, 'order_id')
  const found = await orderOf(ctx, id)
  if (found === undefined) throw impossible(`Order ${id} not found`)
  return found
}

async function status(ctx: Context, { message }: Asked): Promise<Answered> {
  return plain(ctx, await order(ctx, message))
}

async function plain(ctx: Context, found: Order): Promise<Answered> {
  const facility = await facilityOfOrder(ctx, found)
  const { order_id, status, patient, provider, fulfillment } = await shown(ctx, found, facility)
  return { facility, message: { order_id, status, patient, provider, fulfillment } }
}

/** Bookings that nothing can be done with any more. */
const OVER: ReadonlySet<string> = new Set([
  'cancelled',
  'fulfilled',
  'rescheduled',
  'entered_in_error',
  'noshow',
])

/** Throws Refusal (422) where a booking is over. */
async function checkOpen(ctx: Context, found: Order, what: string): Promise<void> {
  const now = await statusOf(ctx, found)
  if (OVER.has(now)) throw impossible(`Booking is already '${now}' and cannot be ${what}`)
}

async function cancel(ctx: Context, { message }: Asked): Promise<Answered> {
  const id = required(message, 'order_id')
  await stored(ctx, async () => {
    const found = await order(ctx, message)
    await checkOpen(ctx, found, 'cancelled')
    return { entries: await cancelledEntries(ctx, found.appointment, 'by patient'), outcome: undefined }
  })
  return plain(ctx, (await orderOf(ctx, id))!)
}

async function reschedule(ctx: Context, { context, message }: Asked): Promise<Answered> {
  required(message, 'order_id')
  const slotId = required(message, 'fulfillment_id')
  const note = said(message, 'note')
  const id = ctx.newId()
  const facility = await stored(ctx, async () => {
    const old = await order(ctx, message)
    await checkOpen(ctx, old, 'rescheduled')
    if (slotIdOf(ctx, old.appointment) === slotId)
      throw impossible('New fulfillment_id is the same as the current one. Choose a different slot.')
    const facility = await facilityOfOrder(ctx, old)
    if (facility === undefined) throw impossible('New slot does not belong to the same facility')
    const place = await placeOf(ctx, facility, slotId, 'New slot does not belong to the same facility')
    await checkRoom(ctx, place)
    const visit = {
      id,
      status: 'booked',
      transaction: context.transaction_id,
      ...visitorOf(ctx, old.appointment),
      place,
      note: note ?? text(old.appointment.comment),
      instead: old.appointment,
    } as const
    const put = {
      resource: appointmentOf(ctx, visit),
      request: { method: 'PUT', url: `Appointment/${id}` },
    }
    const over = await cancelledEntries(ctx, old.appointment, 'replaced')
    return { entries: [...over, put, ...(await bookedEntries(ctx, visit))], outcome: facility }
  })
  return { facility, message: booked(await shown(ctx, (await orderOf(ctx, id))!, facility)) }
}
