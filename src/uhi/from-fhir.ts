/** From the resources that an order is to the order of UHI. Pure. */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { EXTENSION, SYSTEM } from '../scheduling/codes.ts'
import { authorizationOf } from '../scheduling/pin.ts'
import { instantOf } from '../search/busy.ts'
import {
  ACT_CODE,
  CANCELLATION,
  DOCTOR_REASONS,
  FAILED,
  PATIENT_REASONS,
  TAG,
  UHI,
  UHI_EXTENSION,
} from './codes.ts'
import {
  codingOf,
  extension,
  identifierOf,
  idIn,
  keyIn,
  letterOf,
  object,
  objects,
  partOf,
  present,
  priceOf,
  some,
  text,
} from './elements.ts'
import { agentFrom, nameText, providerFrom } from './from-fhir-catalog.ts'
import type { OrderGraph } from './graph.ts'
import type { Fulfillment, Order, Payment, Quote, Term } from './order.ts'
import { localAt } from './time.ts'

const local = (value: string | undefined): string | undefined => {
  const at = instantOf(value)
  return at === undefined ? undefined : localAt(at)
}

/** Returns the order. `pin` is the PIN of its appointment, which stands nowhere in the resources. */
export function orderFrom(graph: OrderGraph, pin: string | undefined): Order {
  const { appointment, organization, location, services, invoice } = graph
  const provider = providerFrom(organization, location, services)
  return present({
    id: identifierOf(appointment, UHI.order),
    state: stateOf(appointment),
    provider: some(provider),
    item: itemFrom(graph),
    fulfillment: fulfillmentFrom(graph),
    billing: billingFrom(graph.stated),
    customer: customerFrom(graph.stated),
    payment: paymentFrom(invoice),
    quote: quoteFrom(graph),
    terms: termsOf(appointment),
    authorization: authorizationFrom(appointment, pin),
  }) as Order
}

const reasonIn = (appointment: Resource, system: string): string | undefined =>
  text(codingOf(appointment.cancelationReason, system)?.code)

const brokenBy = (appointment: Resource): string | undefined =>
  text(extension(appointment, UHI_EXTENSION.brokenBy)?.valueCode)

/** Returns the state of an order; none while it is only held. */
export function stateOf(appointment: Resource): Order['state'] {
  const reason = reasonIn(appointment, UHI.reason)
  const status = String(appointment.status)
  if (status === 'noshow') return brokenBy(appointment) === 'doctor' ? 'DOCTOR_NO_SHOW' : 'NO_SHOW'
  if (status === 'cancelled' || status === 'entered-in-error')
    return reason === FAILED || reasonIn(appointment, SYSTEM.cancellation) === 'hold-expired'
      ? 'FAILED'
      : 'CANCELLED'
  if (status === 'booked' || status === 'arrived') return 'CONFIRMED'
  if (status === 'checked-in') return 'APPOINTMENT_STARTED'
  return status === 'fulfilled' ? 'COMPLETED' : undefined
}

export const isOnline = (appointment: Resource): boolean =>
  codingOf(appointment.appointmentType, ACT_CODE)?.code === 'VR'

function itemFrom({ appointment, charges }: OrderGraph): Order['item'] {
  const charge = charges[0]
  if (charge === undefined) return undefined
  const code = codingOf(charge.code, UHI.itemCode)
  return some(
    present({
      id: identifierOf(charge, UHI.item),
      descriptor: some(present({ name: text(code?.display), code: text(code?.code) })),
      price: priceOf(charge.priceOverride),
      category_id: categoryIn(appointment),
      fulfillment_id: slotIn(appointment),
    }),
  ) as Order['item']
}

const categoryIn = (appointment: Resource): string | undefined =>
  objects(appointment.participant)
    .map(one => keyIn(one.actor))
    .find(key => key?.startsWith('HealthcareService/'))
    ?.split('/')[1]

export const slotIn = (appointment: Resource): string | undefined => idIn(objects(appointment.slot)[0])

function fulfillmentFrom({ appointment, practitioner, organization, encounter }: OrderGraph): Fulfillment {
  const support = extension(appointment, UHI_EXTENSION.support)
  const time = (value: string | undefined) => {
    const timestamp = local(value)
    return timestamp === undefined ? undefined : { time: { timestamp } }
  }
  return present({
    id: slotIn(appointment),
    type: isOnline(appointment) ? 'Online' : 'Physical',
    agent: agentFrom(practitioner, organization),
    start: time(text(appointment.start)),
    end: time(text(appointment.end)),
    tags: some(
      present({
        [TAG.slot]: slotIn(appointment),
        [TAG.messaging]: partOf(support, 'messaging'),
        [TAG.deepLink]: partOf(support, 'deepLink'),
        [TAG.helpline]: partOf(support, 'helpline'),
        [TAG.chatbot]: partOf(support, 'chatbot'),
        [TAG.teleconsultation]: text(extension(appointment, EXTENSION.joinUrl)?.valueUrl),
        ...cancellationOf(appointment),
        [TAG.careContext]: identifierOf(encounter, UHI.careContext),
      }),
    ),
  }) as Fulfillment
}

/** Returns who cancelled and why, for an order that is cancelled. */
function cancellationOf(appointment: Resource): Record<string, string | undefined> {
  if (stateOf(appointment) !== 'CANCELLED') return {}
  const own = brokenBy(appointment)
  const by = own ?? (reasonIn(appointment, CANCELLATION) === 'pat' ? 'patient' : 'doctor')
  const reason = reasonIn(appointment, UHI.reason)
  const known: readonly string[] = [...PATIENT_REASONS, ...DOCTOR_REASONS]
  // Who cancels at the desk need not know UHI's codes; one is mandatory when it comes from the provider.
  const shown =
    reason !== undefined && known.includes(reason)
      ? reason
      : own === undefined && by === 'doctor'
        ? 'DOCTOR_OTHER'
        : undefined
  return { [TAG.cancelledBy]: by, [TAG.cancelReason]: shown }
}

function billingFrom(stated: Resource): Order['billing'] {
  const address = objects(stated.address)[0]
  const lines = Array.isArray(address?.line) ? address.line : []
  const marks = Array.isArray(address?._line) ? address._line : []
  const part = (name: string): string | undefined =>
    text(
      lines.find((_, i) => text(extension(object(marks[i]), UHI_EXTENSION.addressPart)?.valueCode) === name),
    )
  const contact = (system: string) => text(objects(stated.telecom).find(one => one.system === system)?.value)
  const name = objects(stated.name)[0]
  return some(
    present({
      name: name && nameText(name),
      address:
        address &&
        some(
          present({
            door: part('door'),
            name: part('name'),
            locality: part('locality'),
            city: text(address.city),
            state: text(address.state),
            country: text(address.country),
            area_code: text(address.postalCode),
          }),
        ),
      phone: contact('phone'),
      email: contact('email'),
    }),
  ) as Order['billing']
}

function customerFrom(stated: Resource): Order['customer'] {
  const typed = (code: string) =>
    text(
      objects(stated.identifier).find(
        one =>
          one.system === UHI.abha && objects(object(one.type).coding).some(coding => coding.code === code),
      )?.value,
    )
  const number = typed('HIN')
  const [year, month, day] = text(stated.birthDate)?.split('-') ?? []
  return some(
    present({
      id: typed('ABHA'),
      person: some(
        present({
          gender: letterOf(stated.gender),
          dob: day === undefined ? undefined : text(stated.birthDate),
          dayOfBirth: day === undefined ? undefined : Number(day),
          monthOfBirth: month === undefined ? undefined : Number(month),
          yearOfBirth: year === undefined ? undefined : Number(year),
          tags: number === undefined ? undefined : { [TAG.abha]: number },
        }),
      ),
    }),
  ) as Order['customer']
}

function paymentFrom(invoice: Resource): Payment | undefined {
  const said = extension(invoice, UHI_EXTENSION.payment)
  const implied = { balanced: 'PAID', issued: 'NOT_PAID', cancelled: 'NOT_PAID' }[String(invoice.status)]
  return some(
    present({
      type: text(codingOf(invoice.type, UHI.paymentType)?.code),
      status: partOf(said, 'status') ?? implied,
      uri: partOf(said, 'uri'),
      params: some(
        present({
          amount: partOf(said, 'amount'),
          redirect_url: partOf(said, 'redirectUrl'),
          transaction_id: partOf(said, 'transactionId'),
          mode: partOf(said, 'mode'),
          vpa: partOf(said, 'vpa'),
        }),
      ),
    }),
  ) as Payment | undefined
}

function quoteFrom({ invoice, charges }: OrderGraph): Quote | undefined {
  const byKey = new Map(charges.map(charge => [`ChargeItem/${String(charge.id)}`, charge]))
  const breakup = objects(invoice.lineItem).flatMap(line => {
    const charge = byKey.get(keyIn(line.chargeItemReference) ?? '')
    if (charge === undefined) return []
    const coding: JsonObject | undefined =
      codingOf(charge.code, UHI.itemCode) ?? codingOf(charge.code, UHI.line)
    return [present({ title: text(coding?.display), price: priceOf(charge.priceOverride) })]
  })
  return some(
    present({ price: priceOf(invoice.totalGross), breakup: breakup.length === 0 ? undefined : breakup }),
  ) as Quote | undefined
}

/** Returns the terms of an order in their order. */
export function termsOf(appointment: Resource): Term[] | undefined {
  const terms = objects(appointment.extension)
    .filter(one => one.url === UHI_EXTENSION.term)
    .map(one => {
      const required = partOf(one, 'reasonRequired')
      return present({
        type: partOf(one, 'type'),
        descriptor: some(
          present({
            name: partOf(one, 'name'),
            short_desc: partOf(one, 'short'),
            long_desc: partOf(one, 'long'),
          }),
        ),
        reasonRequired: required === undefined ? undefined : required === 'true',
        timePeriod: local(partOf(one, 'timePeriod')),
        reason: partOf(one, 'reason'),
        termsState: partOf(one, 'state'),
      }) as Term
    })
  return terms.length === 0 ? undefined : terms
}

function authorizationFrom(appointment: Resource, pin: string | undefined): Order['authorization'] {
  const is = authorizationOf(appointment)
  if (is === undefined) return undefined
  return present({
    type: 'PIN',
    token: pin,
    valid_from: local(is.validFrom),
    valid_to: local(is.validTo),
    status: is.status,
  }) as Order['authorization']
}
