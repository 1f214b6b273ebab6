/** From FHIR resources to the shapes of the contract. Pure; everything that the store knows is given. */
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { at, object, objects, text, texts } from '../../fhir/tree.ts'
import { isOnline } from '../../scheduling/booking-rule.ts'
import { EXTENSION } from '../../scheduling/codes.ts'
import type { Price, Quote } from '../../scheduling/price.ts'

/** Of the network; and of whom the address of a logo is known, its images. */
export const DESCRIPTOR = {
  name: 'Nadi',
  short_desc: 'Appointments over FHIR',
  images: [] as { url: string }[],
}

export interface Provider {
  id: string
  descriptor: { name: string; short_desc: string; phone: string }
  location: { id: string; gps: string; address: string }
}

export interface Agent {
  id: string
  name: string
  role: string
  departments: Department[]
}

export interface Department {
  id: string
  name: string
}

export interface Fulfillment {
  id: string
  type: 'physical' | 'online'
  agent: Agent | Record<string, never>
  start: { time: { timestamp: string } }
  end: { time: { timestamp: string } }
}

export interface Item {
  id: string
  descriptor: {
    name: string
    code: 'CONSULTATION'
    charge_item_desc?: string
    charge_item_long_desc?: string
  }
  price: Price
  fulfillment_id: string
  slot_type: string
  slot_duration_minutes: number
}

export interface PatientBlock {
  id: string
  name: string
  gender: string
  phone_number: string
  date_of_birth: string
  address: string
}

export const idOf = (resource: Resource | undefined): string => text(resource?.id) ?? ''

/** Returns a facility; `location` is the place that it is found at. */
export function providerOf(organization: Resource, location: Resource | undefined): Provider {
  return {
    id: idOf(organization),
    descriptor: {
      name: text(organization.name) ?? '',
      short_desc: text(location?.description) ?? texts(organization.alias)[0] ?? '',
      phone: telecomOf(organization, 'phone') || telecomOf(location, 'phone'),
    },
    location: {
      id: idOf(location),
      gps: gpsOf(location),
      address: addressOf(object(location?.address)) || addressOf(object(organization.address)),
    },
  }
}

function gpsOf(location: Resource | undefined): string {
  const position = object(location?.position)
  const latitude = text(position?.latitude)
  const longitude = text(position?.longitude)
  return latitude === undefined || longitude === undefined ? '' : `${latitude},${longitude}`
}

/** Returns the first contact point of a system, '' for none. */
export const telecomOf = (resource: Resource | undefined, system: string): string =>
  objects(resource?.telecom).flatMap(one => (one.system === system ? texts(one.value) : []))[0] ?? ''

/** Returns an address on one line, '' for none. */
export function addressOf(address: JsonObject | undefined): string {
  if (address === undefined) return ''
  const whole = text(address.text)
  if (whole !== undefined) return whole
  const { line, city, district, state, postalCode } = address
  return [...texts(line), ...[city, district, state, postalCode].flatMap(one => text(one) ?? [])].join(', ')
}

/** Returns a person's name: prefix, given, family, suffix; the text of the name where that is all there is. */
export function nameOf(person: Resource | undefined): string {
  const names = objects(person?.name)
  const name = names.find(one => one.use === 'official') ?? names[0]
  if (name === undefined) return ''
  const parts = [name.prefix, name.given, name.family, name.suffix].flatMap(texts).filter(part => part !== '')
  return parts.length === 0 ? (text(name.text) ?? '') : parts.join(' ')
}

export const departmentOf = (service: Resource): Department => ({
  id: idOf(service),
  name: text(service.name) ?? texts(at(service.type, 'text'))[0] ?? '',
})

/** Returns a practitioner with the role that he has at a facility. */
export function agentOf(
  practitioner: Resource,
  role: Resource | undefined,
  departments: readonly Resource[],
): Agent {
  return {
    id: idOf(practitioner),
    name: nameOf(practitioner),
    role: conceptText(role?.code),
    departments: departments.map(departmentOf),
  }
}

/** Returns the words of the first CodeableConcept. */
export function conceptText(concepts: Resource[string]): string {
  const concept = objects(concepts)[0]
  const coding = objects(concept?.coding)[0]
  return text(concept?.text) ?? text(coding?.display) ?? text(coding?.code) ?? ''
}

const timestamp = (value: Resource[string]): { time: { timestamp: string } } => ({
  time: { timestamp: text(value) ?? '' },
})

/** Returns a slot, or an appointment under the id of its slot. */
export const fulfillmentOf = (time: Resource, id: string, agent: Agent | undefined): Fulfillment => ({
  id,
  type: isOnline(time) ? 'online' : 'physical',
  agent: agent ?? {},
  start: timestamp(time.start),
  end: timestamp(time.end),
})

/** Returns what is bought with a slot of a schedule. */
export function itemOf(
  schedule: Resource,
  time: Resource,
  fulfillmentId: string,
  definition: Resource | undefined,
  quote: Quote,
): Item {
  const title = text(definition?.title) ?? conceptText(definition?.code)
  const long = text(definition?.description)
  return {
    id: idOf(schedule),
    descriptor: {
      name: conceptText(schedule.serviceType) || (text(schedule.comment) ?? 'Consultation'),
      code: 'CONSULTATION',
      ...(title !== '' && { charge_item_desc: title }),
      ...(long !== undefined && { charge_item_long_desc: long }),
    },
    price: quote.price,
    fulfillment_id: fulfillmentId,
    slot_type: 'appointment',
    slot_duration_minutes: Math.round(
      (Date.parse(String(time.end)) - Date.parse(String(time.start))) / 60_000,
    ),
  }
}

/** Returns the token of an appointment as answers print it: `GC - 5`; '' for none. */
export function tokenText(task: Resource | undefined): string {
  const printed = texts(
    objects(task?.identifier)
      .filter(one => one.system === 'urn:nadi:token')
      .map(one => one.value ?? ''),
  )[0]
  const match = /^(.*)-([0-9]+)$/.exec(printed ?? '')
  return match === null ? '' : `${match[1]} - ${match[2]}`
}

/** Returns the reference to the price of a resource, undefined where it names none. */
export const priceReference = (resource: Resource | undefined): Resource[string] =>
  objects(resource?.extension).find(one => one.url === EXTENSION.price)?.valueReference
