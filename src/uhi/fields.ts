/** Where each field of UHI is in our FHIR: by a search parameter of R4, by one of `profiles/uhi/`, or in an extension of ours. */
import { EXTENSION } from '../scheduling/codes.ts'
import { AUTHORIZATION } from '../scheduling/pin.ts'
import { TAG, UHI_EXTENSION } from './codes.ts'

export interface Field {
  /** `order/billing/name`; lists end with `[]`. */
  path: string
  /** `RelatedPerson.name`. */
  element: string
  /** The search parameter of the element's type that finds it, or the URL of the extension that it is in. */
  by: string
}

type Group = readonly [prefix: string, rows: Readonly<Record<string, readonly [element: string, by: string]>>]

const TAGS = 'fulfillment/tags/'
const AGENT_TAGS = 'fulfillment/agent/tags/'
const described = [UHI_EXTENSION.description] as const
const descriptor = (of: string, path: string) => ({
  [`${path}/name`]: [`${of}.name`, 'name'] as const,
  [`${path}/images`]: [`${of}.extension`, ...described] as const,
  [`${path}/short_desc`]: [`${of}.extension`, ...described] as const,
  [`${path}/long_desc`]: [`${of}.extension`, ...described] as const,
})
const inExtension = (of: string, url: string, path: string, ...names: string[]) =>
  Object.fromEntries(names.map(name => [`${path}${name}`, [`${of}.extension`, url] as const]))

const GROUPS: readonly Group[] = [
  [
    'order/',
    {
      id: ['Appointment.identifier', 'identifier'],
      state: ['Appointment.status', 'status'],
      'provider/id': ['Organization.id', '_id'],
      ...descriptor('Organization', 'provider/descriptor'),
      'provider/categories[]/id': ['HealthcareService.id', '_id'],
      'provider/categories[]/parent_category_id': ['HealthcareService.category', 'service-category'],
      'provider/categories[]/descriptor/name': ['HealthcareService.name', 'name'],
      'provider/categories[]/descriptor/code': ['HealthcareService.specialty', 'specialty'],
      'provider/location/id': ['Location.id', '_id'],
      ...descriptor('Location', 'provider/location/descriptor'),
      'provider/location/city/name': ['Location.address.city', 'address-city'],
      'provider/location/district/name': ['Location.address', 'address'],
      'provider/location/state/name': ['Location.address.state', 'address-state'],
      'provider/location/country/name': ['Location.address.country', 'address-country'],
      ...inExtension(
        'Location',
        UHI_EXTENSION.areaCode,
        'provider/location/',
        'city/code',
        'district/code',
        'state/code',
        'country/code',
      ),
      'provider/location/gps': ['Location.position', 'near'],
      'provider/location/address': ['Location.address', 'address'],
      'item/id': ['ChargeItem.identifier', 'identifier'],
      'item/descriptor/name': ['ChargeItem.code', 'code'],
      'item/descriptor/code': ['ChargeItem.code', 'code'],
      'item/price/currency': ['ChargeItem.priceOverride', 'price-override'],
      'item/price/value': ['ChargeItem.priceOverride', 'price-override'],
      'item/category_id': ['Appointment.participant.actor', 'actor'],
      'item/fulfillment_id': ['Appointment.slot', 'slot'],
      'fulfillment/id': ['Appointment.slot', 'slot'],
      'fulfillment/type': ['Appointment.appointmentType', 'appointment-type'],
      'fulfillment/agent/id': ['Practitioner.identifier', 'identifier'],
      'fulfillment/agent/name': ['Practitioner.name', 'name'],
      'fulfillment/agent/gender': ['Practitioner.gender', 'gender'],
      'fulfillment/agent/image': ['Practitioner.photo', 'photo'],
      [`${AGENT_TAGS}${TAG.experience}`]: ['Practitioner.extension', UHI_EXTENSION.experience],
      [`${AGENT_TAGS}${TAG.languages}`]: ['Practitioner.communication', 'communication'],
      [`${AGENT_TAGS}${TAG.education}`]: ['Practitioner.qualification.code', 'qualification'],
      [`${AGENT_TAGS}${TAG.hpr}`]: ['Practitioner.identifier', 'identifier'],
      [`${AGENT_TAGS}${TAG.hfr}`]: ['Organization.identifier', 'identifier'],
      [`${AGENT_TAGS}${TAG.hip}`]: ['Organization.identifier', 'identifier'],
      'fulfillment/start/time/timestamp': ['Appointment.start', 'date'],
      'fulfillment/end/time/timestamp': ['Appointment.end', 'end'],
      [`${TAGS}${TAG.slot}`]: ['Appointment.slot', 'slot'],
      ...inExtension(
        'Appointment',
        UHI_EXTENSION.support,
        TAGS,
        TAG.messaging,
        TAG.deepLink,
        TAG.helpline,
        TAG.chatbot,
      ),
      [`${TAGS}${TAG.teleconsultation}`]: ['Appointment.extension', EXTENSION.joinUrl],
      [`${TAGS}${TAG.cancelledBy}`]: ['Appointment.extension', UHI_EXTENSION.brokenBy],
      [`${TAGS}${TAG.cancelReason}`]: ['Appointment.cancelationReason', 'cancelation-reason'],
      [`${TAGS}${TAG.careContext}`]: ['Encounter.identifier', 'identifier'],
      'billing/name': ['RelatedPerson.name', 'name'],
      'billing/address/door': ['RelatedPerson.address', 'address'],
      'billing/address/name': ['RelatedPerson.address', 'address'],
      'billing/address/locality': ['RelatedPerson.address', 'address'],
      'billing/address/city': ['RelatedPerson.address.city', 'address-city'],
      'billing/address/state': ['RelatedPerson.address.state', 'address-state'],
      'billing/address/country': ['RelatedPerson.address.country', 'address-country'],
      'billing/address/area_code': ['RelatedPerson.address.postalCode', 'address-postalcode'],
      'billing/phone': ['RelatedPerson.telecom', 'phone'],
      'billing/email': ['RelatedPerson.telecom', 'email'],
      'customer/id': ['RelatedPerson.identifier', 'identifier'],
      'customer/person/gender': ['RelatedPerson.gender', 'gender'],
      'customer/person/dob': ['RelatedPerson.birthDate', 'birthdate'],
      'customer/person/dayOfBirth': ['RelatedPerson.birthDate', 'birthdate'],
      'customer/person/monthOfBirth': ['RelatedPerson.birthDate', 'birthdate'],
      'customer/person/yearOfBirth': ['RelatedPerson.birthDate', 'birthdate'],
      [`customer/person/tags/${TAG.abha}`]: ['RelatedPerson.identifier', 'identifier'],
      'payment/type': ['Invoice.type', 'type'],
      'payment/status': ['Invoice.status', 'status'],
      ...inExtension(
        'Invoice',
        UHI_EXTENSION.payment,
        'payment/',
        'uri',
        'params/amount',
        'params/redirect_url',
        'params/transaction_id',
        'params/mode',
        'params/vpa',
      ),
      'quote/price/currency': ['Invoice.totalGross', 'totalgross'],
      'quote/price/value': ['Invoice.totalGross', 'totalgross'],
      'quote/breakup[]/title': ['ChargeItem.code', 'code'],
      'quote/breakup[]/price/currency': ['ChargeItem.priceOverride', 'price-override'],
      'quote/breakup[]/price/value': ['ChargeItem.priceOverride', 'price-override'],
      ...inExtension(
        'Appointment',
        UHI_EXTENSION.term,
        'terms[]/',
        'type',
        'descriptor/name',
        'descriptor/short_desc',
        'descriptor/long_desc',
        'reasonRequired',
        'timePeriod',
        'reason',
        'termsState',
      ),
      ...inExtension(
        'Appointment',
        AUTHORIZATION,
        'authorization/',
        'type',
        'token',
        'valid_from',
        'valid_to',
        'status',
      ),
    },
  ],
  [
    'chat/',
    {
      'sender/person/id': ['Communication.sender', 'sender'],
      'sender/person/name': ['Patient.name', 'name'],
      'sender/person/gender': ['Patient.gender', 'gender'],
      'sender/person/image': ['Practitioner.photo', 'photo'],
      'receiver/person/id': ['Communication.recipient', 'recipient'],
      'receiver/person/name': ['Practitioner.name', 'name'],
      'receiver/person/gender': ['Practitioner.gender', 'gender'],
      'receiver/person/image': ['Practitioner.photo', 'photo'],
      'content/content_id': ['Communication.identifier', 'identifier'],
      'content/content_value': ['Communication.payload.content', 'payload'],
      'content/content_type': ['Communication.payload.content', 'payload'],
      'content/content_mimeType': ['Communication.payload.content', 'attachment'],
      'content/content_fileName': ['Communication.payload.content', 'attachment'],
      'time/timestamp': ['Communication.sent', 'sent'],
    },
  ],
  [
    'context/',
    {
      domain: ['Appointment.extension', UHI_EXTENSION.context],
      city: ['Appointment.extension', UHI_EXTENSION.context],
      consumer_id: ['Appointment.identifier', 'identifier'],
      consumer_uri: ['Appointment.extension', UHI_EXTENSION.context],
      transaction_id: ['Appointment.identifier', 'identifier'],
      message_id: ['Appointment.identifier', 'identifier'],
    },
  ],
]

export const FIELDS: readonly Field[] = GROUPS.flatMap(([prefix, rows]) =>
  Object.entries(rows).map(([path, [element, by]]) => ({ path: `${prefix}${path}`, element, by })),
)

/** Returns the table of fields in Markdown. */
export function fieldsTable(): string {
  const rows = FIELDS.map(({ path, element, by }) => {
    const [type] = element.split('.')
    const found = by.startsWith('urn:') ? `\`${by}\`` : `\`${type}?${by}=\``
    return `| \`${path.replaceAll('/@', '.@').replaceAll('/', '.').replaceAll('@abdm.gov.in.', '@abdm/gov.in/').replaceAll('teleconsultation.uri', 'teleconsultation/uri')}\` | \`${element}\` | ${found} |`
  })
  return ['| field | FHIR | found by |', '|---|---|---|', ...rows].join('\n')
}
