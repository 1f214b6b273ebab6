/** From an order of UHI to the resources that are the order: Appointment, RelatedPerson, ChargeItems and Invoice. Pure. */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { EXTENSION } from '../scheduling/codes.ts'
import { type Authorization, withAuthorization } from '../scheduling/pin.ts'
import { ACT_CODE, CANCELLATION, FAILED, TAG, UHI, UHI_EXTENSION } from './codes.ts'
import { complex, present, reference, valued } from './elements.ts'
import type { OrderKeys } from './graph.ts'
import type { Order, Term } from './order.ts'
import { instantOfLocal } from './time.ts'

/** What stands around an order in its messages, and is kept. */
export interface Envelope {
  transactionId: string
  consumerId: string
  consumerUri: string
  domain: string
  city: string
}

const STATUS: Readonly<Record<NonNullable<Order['state']>, string>> = {
  CONFIRMED: 'booked',
  APPOINTMENT_STARTED: 'checked-in',
  COMPLETED: 'fulfilled',
  CANCELLED: 'cancelled',
  NO_SHOW: 'noshow',
  DOCTOR_NO_SHOW: 'noshow',
  FAILED: 'cancelled',
}

/** Returns the Appointment of an order; one without a state is held. The PIN is left out: it is made, not kept. */
export function appointmentOf(order: Order, envelope: Envelope, keys: OrderKeys): Resource {
  const { fulfillment, item, terms = [], authorization } = order
  const tags = fulfillment?.tags ?? {}
  const brokenBy = order.state === 'DOCTOR_NO_SHOW' ? 'doctor' : tags[TAG.cancelledBy]
  const actor = (key: string | undefined, required = true): JsonObject[] =>
    key === undefined
      ? []
      : [{ actor: reference(key), status: 'accepted', ...(required && { required: 'required' }) }]
  const appointment: Resource = {
    resourceType: 'Appointment',
    extension: [
      ...complex(UHI_EXTENSION.context, {
        consumerUri: valued('Url', envelope.consumerUri),
        domain: valued('Code', envelope.domain),
        city: valued('Code', envelope.city),
      }),
      ...terms.flatMap(termExtension),
      ...complex(UHI_EXTENSION.support, {
        messaging:
          tags[TAG.messaging] === undefined ? undefined : { valueBoolean: tags[TAG.messaging] === 'true' },
        helpline: valued('String', tags[TAG.helpline]),
        deepLink: valued('Url', tags[TAG.deepLink]),
        chatbot: valued('Url', tags[TAG.chatbot]),
      }),
      ...(brokenBy === undefined ? [] : [{ url: UHI_EXTENSION.brokenBy, valueCode: brokenBy }]),
      ...(tags[TAG.teleconsultation] === undefined
        ? []
        : [{ url: EXTENSION.joinUrl, valueUrl: tags[TAG.teleconsultation] }]),
    ],
    identifier: [
      ...(order.id === undefined ? [] : [{ system: UHI.order, value: order.id }]),
      { system: UHI.transaction, value: envelope.transactionId },
      { system: UHI.consumer, value: envelope.consumerId },
    ],
    status: order.state === undefined ? 'pending' : STATUS[order.state],
    ...reasonOf(order),
    appointmentType: {
      coding: [{ system: ACT_CODE, code: fulfillment?.type === 'Online' ? 'VR' : 'AMB' }],
    },
    ...(fulfillment?.start?.time?.timestamp !== undefined && {
      start: instantOfLocal(fulfillment.start.time.timestamp),
    }),
    ...(fulfillment?.end?.time?.timestamp !== undefined && {
      end: instantOfLocal(fulfillment.end.time.timestamp),
    }),
    ...(fulfillment?.id !== undefined && { slot: [reference(`Slot/${fulfillment.id}`)] }),
    supportingInformation: [reference(keys.invoice), reference(keys.stated), reference(keys.charge(0))],
    participant: [
      ...actor(keys.patient),
      ...actor(keys.practitioner),
      ...actor(keys.location),
      ...(keys.others ?? []).flatMap(key => actor(key)),
      ...actor(item?.category_id === undefined ? undefined : `HealthcareService/${item.category_id}`, false),
    ],
  }
  if (authorization === undefined) return appointment
  return withAuthorization(
    appointment,
    present({
      status: authorization.status ?? 'GENERATED',
      validFrom: authorization.valid_from && instantOfLocal(authorization.valid_from),
      validTo: authorization.valid_to && instantOfLocal(authorization.valid_to),
    }) as Authorization,
  )
}

function reasonOf({ state, fulfillment }: Order): { cancelationReason?: JsonObject } {
  const by = fulfillment?.tags?.[TAG.cancelledBy]
  const reason = state === 'FAILED' ? FAILED : fulfillment?.tags?.[TAG.cancelReason]
  const coding = [
    ...(by === undefined ? [] : [{ system: CANCELLATION, code: by === 'patient' ? 'pat' : 'prov' }]),
    ...(reason === undefined ? [] : [{ system: UHI.reason, code: reason }]),
  ]
  return coding.length === 0 ? {} : { cancelationReason: { coding } }
}

export const termExtension = (term: Term): JsonObject[] =>
  complex(UHI_EXTENSION.term, {
    type: valued('Code', term.type),
    name: valued('String', term.descriptor?.name),
    short: valued('String', term.descriptor?.short_desc),
    long: valued('Markdown', term.descriptor?.long_desc),
    reasonRequired: term.reasonRequired === undefined ? undefined : { valueBoolean: term.reasonRequired },
    timePeriod: valued('DateTime', term.timePeriod && instantOfLocal(term.timePeriod)),
    reason: valued('String', term.reason),
    state: valued('Code', term.termsState),
  })
