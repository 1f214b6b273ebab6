/** Systems, extensions and lists of codes of UHI in our FHIR; the extensions are defined in `profiles/uhi/`. */

import { ORDER_SYSTEM } from '../scheduling/pin.ts'

/** Identifiers and codes. Those of ABDM are the ones that its own documents use. */
export const UHI = {
  /** Appointment.identifier: `order.id`. */
  order: ORDER_SYSTEM,
  /** Appointment.identifier: `context.transaction_id`. */
  transaction: 'urn:nadi:uhi:transaction',
  /** Appointment.identifier: `context.message_id` of the confirm that waits for its payment. */
  confirm: 'urn:nadi:uhi:confirm',
  /** Appointment.identifier: `context.consumer_id`, the app that booked. */
  consumer: 'urn:nadi:uhi:consumer',
  /** ChargeItem.identifier: `order.item.id`. */
  item: 'urn:nadi:uhi:item',
  /** ChargeItem.code: `order.item.descriptor.code`. */
  itemCode: 'urn:nadi:codes:uhi-item',
  /** ChargeItem.code: a line of `order.quote.breakup`. */
  line: 'urn:nadi:codes:uhi-quote-line',
  /** HealthcareService.specialty: `categories[].descriptor.code`. */
  speciality: 'urn:nadi:codes:uhi-speciality',
  /** HealthcareService.category: the id of the parent category. */
  parent: 'urn:nadi:uhi:category',
  /** Appointment.cancelationReason: the reason codes of UHI. */
  reason: 'urn:nadi:codes:uhi-reason',
  /** Invoice.type: `order.payment.type`. */
  paymentType: 'urn:nadi:codes:uhi-payment-type',
  /** Invoice.identifier, PaymentNotice.identifier, PaymentReconciliation.identifier: a payment of the provider's. */
  payment: 'urn:nadi:uhi:payment',
  /** Communication.identifier: `chat.content.content_id`. */
  chat: 'urn:nadi:uhi:chat',
  /** Communication.category: `chat`. */
  category: 'urn:nadi:codes:uhi',
  /** Organization.identifier: `hip_id`, the id of the facility's service as a health information provider. */
  hip: 'urn:nadi:abdm:hip',
  /** Encounter.identifier: the care context of a visit. */
  careContext: 'urn:nadi:abdm:care-context',
  hpr: 'https://hpr.abdm.gov.in',
  facility: 'https://facility.abdm.gov.in',
  abha: 'https://healthid.abdm.gov.in',
} as const

export const UHI_EXTENSION = {
  /** Appointment: where the app is reached, and the domain and city of its messages. */
  context: 'urn:nadi:extension:uhi-context',
  /** Appointment, once for each: a term of the order. */
  term: 'urn:nadi:extension:uhi-term',
  /** Appointment: ways to talk about the visit. */
  support: 'urn:nadi:extension:uhi-support',
  /** Appointment: code, who did not keep it: `patient` or `doctor`. */
  brokenBy: 'urn:nadi:extension:uhi-broken-by',
  /** Invoice: what UHI says of the payment beyond the Invoice. */
  payment: 'urn:nadi:extension:uhi-payment',
  /** Practitioner: decimal, years of experience. */
  experience: 'urn:nadi:extension:uhi-experience',
  /** Organization, Location: descriptions and an image. */
  description: 'urn:nadi:extension:uhi-description',
  /** Location: the codes of its city, district, state and country. */
  areaCode: 'urn:nadi:extension:uhi-area-code',
  /** RelatedPerson.address.line: code, which part of the address a line is. */
  addressPart: 'urn:nadi:extension:uhi-address-part',
} as const

export const IDENTIFIER_TYPE = 'https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code'
export const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
export const CANCELLATION = 'http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason'

/** UHI's tags. */
export const TAG = {
  slot: '@abdm/gov.in/slot_id',
  experience: '@abdm/gov.in/experience',
  languages: '@abdm/gov.in/languages',
  education: '@abdm/gov.in/education',
  hpr: '@abdm/gov.in/hpr_id',
  hfr: '@abdm/gov.in/hfr_id',
  hip: '@abdm/gov.in/hip_id',
  abha: '@abdm/gov.in/abha_number',
  messaging: '@abdm/gov.in/messaging_support',
  deepLink: '@abdm/gov.in/deep_link',
  helpline: '@abdm/gov.in/helpline_number',
  chatbot: '@abdm/gov.in/chatbot_link',
  teleconsultation: '@abdm/gov.in/teleconsultation/uri',
  cancelledBy: '@abdm/gov.in/cancelledby',
  cancelReason: '@abdm/gov.in/cancel_reason',
  careContext: '@abdm/gov.in/care_context_id',
} as const

export const PATIENT_REASONS = [
  'PATIENT_PERSONAL_EMERGENCY',
  'PATIENT_HEALTH_IMPROVED',
  'PATIENT_UNABLE_TO_VISIT_PHYSICALLY',
  'DOCTOR_ASKED_TO_CANCEL',
  'PATIENT_BOOKED_IN_ERROR',
  'PATIENT_SEEKING_ALTERNATIVE',
  'PATIENT_OTHER',
] as const

export const DOCTOR_REASONS = [
  'DOCTOR_PERSONAL_EMERGENCY',
  'DOCTOR_UNAVAILABLE',
  'DOCTOR_SCHEDULE_CHANGE',
  'FACILITY_CLOSURE',
  'TECHNICAL_SYSTEM_ISSUE',
  'DOCTOR_OTHER',
] as const

/** A reason of ours in the same system: an order that did not come about. */
export const FAILED = 'FAILED'

/** Consultations, and what older examples call them. */
export const DOMAINS: ReadonlySet<string> = new Set(['nic2004:85111', 'nic2004:85110'])
