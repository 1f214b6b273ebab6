/** What a booking writes: the Appointment, its token, and its bill. */
import type { Context } from '../../context.ts'
import { type Json, type JsonObject, NumberText, type Resource } from '../../fhir/json.ts'
import { object, objects, text } from '../../fhir/tree.ts'
import { placesLeft } from '../../scheduling/calendar.ts'
import { SYSTEM } from '../../scheduling/codes.ts'
import { componentsOf, quoteOf } from '../../scheduling/price.ts'
import { localDay, OWNERS, tokenTask } from '../../scheduling/token.ts'
import { keysOf } from '../../search/busy.ts'
import type { Key } from '../../storage/port.ts'
import { actorsOf, type Facility, oneOf, practitionerOf, pricesOf } from './facility.ts'
import { ORDER, RESCHEDULED, STATED, TRANSACTION } from './names.ts'
import { invoicesOf, statedIn } from './order.ts'
import { typeOf } from './reference.ts'
import { impossible } from './refusal.ts'
import { idOf, nameOf } from './translate.ts'
import { putOf } from './write.ts'

/** A slot with whose it is. */
export interface Place {
  facility: Facility
  schedule: Resource
  slot: Resource
}

/** Returns the slot of a facility. Throws Refusal (422) where it is not there, another's (`foreign` is the text), or over. */
export async function placeOf(
  ctx: Context,
  facility: Facility,
  slotId: string,
  foreign: string,
): Promise<Place> {
  const slot = await oneOf(ctx, 'Slot', slotId)
  if (slot === undefined || slot.status === 'entered-in-error') throw impossible(`Slot ${slotId} not found`)
  const schedule = facility.schedules.get(keysOf(slot.schedule, ctx.settings.baseUrl)[0] as Key)
  if (schedule === undefined) throw impossible(foreign)
  if (Date.parse(String(slot.start)) < ctx.clock()) throw impossible('Slot is already past')
  return { facility, schedule, slot }
}

/** Throws Refusal (422) where a slot has no place left: the commit judges it once more. */
export async function checkRoom(ctx: Context, { slot }: Place): Promise<void> {
  const isOpen = slot.status === 'free' || slot.status === 'busy-tentative'
  if (!isOpen || (await placesLeft(ctx, slot)) === 0) throw impossible('Slot is already full')
}

export interface Visit {
  id: string
  status: 'pending' | 'booked'
  transaction: string
  /** As references of the transaction name him. */
  patient: string
  patientName: string
  /** The fields of his that the request has stated. */
  stated: readonly string[]
  place: Place
  note?: string | undefined
  /** The Appointment that this one replaces. */
  instead?: Resource
}

/** Returns the Appointment of a visit. */
export function appointmentOf(ctx: Context, visit: Visit): Resource {
  const { facility, schedule, slot } = visit.place
  const { start, end } = slot
  const kinds = ['serviceCategory', 'serviceType', 'specialty'] as const
  const minutes = Math.round((Date.parse(String(end)) - Date.parse(String(start))) / 60_000)
  const others = actorsOf(ctx, schedule).map(key => {
    const name = nameOf(facility.practitioners.get(key))
    return { actor: { reference: key, ...(name !== '' && { display: name }) }, status: 'accepted' }
  })
  const information = [
    `Organization/${idOf(facility.organization)}`,
    ...(visit.instead === undefined ? [] : [`Appointment/${idOf(visit.instead)}`]),
  ]
  return {
    resourceType: 'Appointment',
    id: visit.id,
    ...(visit.stated.length > 0 && {
      extension: visit.stated.map(name => ({ url: STATED, valueCode: name })),
    }),
    identifier: [{ system: TRANSACTION, value: visit.transaction }],
    status: visit.status,
    ...Object.fromEntries(
      kinds.flatMap(kind => {
        const value: Json | undefined = slot[kind] ?? schedule[kind]
        return value === undefined ? [] : [[kind, value]]
      }),
    ),
    ...(slot.appointmentType !== undefined && { appointmentType: slot.appointmentType }),
    supportingInformation: information.map(reference => ({ reference })),
    start: start!,
    end: end!,
    ...(minutes > 0 && { minutesDuration: new NumberText(String(minutes)) }),
    slot: [{ reference: `Slot/${idOf(slot)}` }],
    created: new Date(ctx.clock()).toISOString(),
    ...(visit.note !== undefined && { comment: visit.note }),
    participant: [
      { actor: { reference: visit.patient, display: visit.patientName }, status: 'accepted' },
      ...others,
    ],
  }
}

/** Returns the entries that make a booking of an Appointment: its token, and its bill where it has a price. */
export async function bookedEntries(ctx: Context, visit: Visit): Promise<JsonObject[]> {
  const { facility, schedule, slot } = visit.place
  const actors = actorsOf(ctx, schedule)
  const owner = practitionerOf(ctx, facility, schedule) ?? actors.find(key => OWNERS.includes(typeOf(key)))
  const entries: JsonObject[] = []
  if (owner !== undefined) {
    const day = localDay(Date.parse(String(slot.start)), ctx.settings.zone)
    const appointment = `Appointment/${visit.id}`
    const resource = tokenTask({ appointment, patient: visit.patient, owner, day })
    entries.push({ resource, request: { method: 'POST', url: 'Task' } })
  }
  const definition = (await pricesOf(ctx, facility, [schedule])).get(idOf(schedule))
  return definition === undefined ? entries : [...entries, ...billOf(ctx, visit, definition)]
}

function billOf(ctx: Context, visit: Visit, definition: Resource): JsonObject[] {
  const components = componentsOf(definition)
  if (components.length === 0) return []
  const { price } = quoteOf(components)
  const url = text(definition.url)
  const fullUrl = `urn:uuid:${crypto.randomUUID()}`
  const issuer = { reference: `Organization/${idOf(visit.place.facility.organization)}` }
  const identifier = [{ system: ORDER, value: visit.id }]
  const subject = { reference: visit.patient }
  const charge: Resource = {
    resourceType: 'ChargeItem',
    identifier,
    status: 'planned',
    ...(url !== undefined && { definitionCanonical: [url] }),
    code: object(definition.code) ?? { text: text(definition.title) ?? 'Consultation' },
    subject,
    occurrenceDateTime: visit.place.slot.start!,
    performingOrganization: issuer,
    quantity: { value: new NumberText('1') },
    supportingInformation: [{ reference: `Appointment/${visit.id}` }],
  }
  const invoice: Resource = {
    resourceType: 'Invoice',
    identifier,
    status: 'issued',
    subject,
    date: new Date(ctx.clock()).toISOString(),
    issuer,
    lineItem: [
      {
        sequence: new NumberText('1'),
        chargeItemReference: { reference: fullUrl },
        priceComponent: components,
      },
    ],
    totalGross: { value: new NumberText(price.value), currency: price.currency },
  }
  return [
    { fullUrl, resource: charge, request: { method: 'POST', url: 'ChargeItem' } },
    { resource: invoice, request: { method: 'POST', url: 'Invoice' } },
  ]
}

const BY_PATIENT = {
  coding: [
    {
      system: 'http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason',
      code: 'pat',
      display: 'Patient',
    },
  ],
}
const REPLACED = {
  coding: [{ system: SYSTEM.cancellation, code: RESCHEDULED, display: 'Moved to another appointment' }],
}

/** Returns the entries that cancel an Appointment and what was to be paid for it. */
export async function cancelledEntries(
  ctx: Context,
  appointment: Resource,
  why: 'by patient' | 'replaced',
): Promise<JsonObject[]> {
  const id = idOf(appointment)
  const cancelationReason = why === 'replaced' ? REPLACED : BY_PATIENT
  const charges = await invoicesOf(ctx, id, 'ChargeItem')
  const invoices = await invoicesOf(ctx, id)
  return [
    putOf({ ...appointment, status: 'cancelled', cancelationReason }),
    ...charges
      .filter(one => one.status === 'planned' || one.status === 'billable')
      .map(one => putOf({ ...one, status: 'aborted' })),
    ...invoices
      .filter(one => one.status === 'issued' || one.status === 'draft')
      .map(one => putOf({ ...one, status: 'cancelled' })),
  ]
}

/** Returns who a visit is of, as its Appointment has him. */
export function visitorOf(
  ctx: Context,
  appointment: Resource,
): Pick<Visit, 'patient' | 'patientName' | 'stated'> {
  const { reference, display } = patientIn(ctx, appointment)
  return { patient: reference, patientName: display, stated: statedIn(appointment) }
}

/** Returns the reference to an Appointment's patient, with his name; '' where there is none. */
export function patientIn(ctx: Context, appointment: Resource): { reference: string; display: string } {
  for (const one of objects(appointment.participant)) {
    const actor = object(one.actor)
    const key = keysOf(actor, ctx.settings.baseUrl)[0]
    if (key?.startsWith('Patient/')) return { reference: key, display: text(actor?.display) ?? '' }
  }
  return { reference: '', display: '' }
}
