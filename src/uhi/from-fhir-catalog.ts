/** What a catalog of UHI says of a facility and its doctors, of the resources that they are. Pure. */
import type { Json, JsonObject, Resource } from '../fhir/json.ts'
import { TAG, UHI, UHI_EXTENSION } from './codes.ts'
import {
  codingOf,
  extension,
  identifierOf,
  idOfResource,
  letterOf,
  object,
  objects,
  partOf,
  present,
  some,
  text,
} from './elements.ts'
import type { Agent, Category, Descriptor, Place, Provider } from './order.ts'

function descriptorOf(resource: Resource): Descriptor | undefined {
  const said = extension(resource, UHI_EXTENSION.description)
  return some(
    present({
      name: text(resource.name),
      images: partOf(said, 'image'),
      short_desc: partOf(said, 'short'),
      long_desc: partOf(said, 'long'),
    }),
  ) as Descriptor | undefined
}

/** Returns `order.provider` or one of `catalog.providers`, without what they offer. */
export const providerFrom = (
  organization: Resource,
  location: Resource | undefined,
  services: readonly Resource[],
): Provider =>
  present({
    id: text(organization.id),
    descriptor: descriptorOf(organization),
    categories: services.length === 0 ? undefined : services.map(categoryFrom),
    location: location && placeFrom(location),
  }) as Provider

/** Returns the place of a facility. */
export function placeFrom(location: Resource): Place {
  const codes = extension(location, UHI_EXTENSION.areaCode)
  const address = object(location.address)
  const { latitude, longitude } = object(location.position)
  const named = (name: 'city' | 'district' | 'state' | 'country') =>
    some(present({ name: text(address[name]), code: partOf(codes, name) }))
  return present({
    id: text(location.id),
    descriptor: descriptorOf(location),
    city: named('city'),
    district: named('district'),
    state: named('state'),
    country: named('country'),
    gps:
      latitude === undefined || longitude === undefined ? undefined : `${text(latitude)},${text(longitude)}`,
    address: addressText(address),
  }) as Place
}

function addressText(address: JsonObject): string | undefined {
  const whole = text(address.text)
  if (whole !== undefined) return whole
  const lines = Array.isArray(address.line) ? address.line.flatMap(line => text(line) ?? []) : []
  const parts = [
    ...lines,
    text(address.city),
    text(address.district),
    text(address.state),
    text(address.postalCode),
  ]
  return lines.length === 0 ? undefined : parts.filter(part => part !== undefined).join(', ')
}

/** Returns the code of a speciality: UHI's own, or its display in capitals. */
function specialityOf(service: Resource): string | undefined {
  const specialties = objects(service.specialty)
  const own = specialties
    .map(one => text(codingOf(one, UHI.speciality)?.code))
    .find(code => code !== undefined)
  if (own !== undefined) return own
  const shown = specialties
    .flatMap(one => [...objects(one.coding).map(coding => text(coding.display)), text(one.text)])
    .find(display => display !== undefined)
  return shown?.toUpperCase().replace(/[^A-Z0-9]+/g, '_')
}

/** Returns a category of a HealthcareService. */
export function categoryFrom(service: Resource): Category {
  const parent = objects(service.category)
    .map(one => text(codingOf(one, UHI.parent)?.code))
    .find(code => code !== undefined)
  return present({
    id: text(service.id),
    parent_category_id: parent,
    descriptor: some(present({ name: text(service.name), code: specialityOf(service) })),
  }) as Category
}

const isAddress = (value: string) => value.includes('@')

/** Returns the doctor, with the ids of the facility. An agent's id is the HPR address, where there is none the number, or our own id. */
export function agentFrom(practitioner: Resource, organization: Resource): Agent {
  const address = identifierOf(practitioner, UHI.hpr, isAddress)
  const number = identifierOf(practitioner, UHI.hpr, value => !isAddress(value))
  const photo = objects(practitioner.photo)[0]
  const names = objects(practitioner.name)
  const name = names.find(one => one.use === 'official') ?? names[0]
  const texts = (value: Json | undefined, of: (one: JsonObject) => Json | undefined): string | undefined =>
    objects(value)
      .flatMap(one => text(of(one)) ?? [])
      .join(', ') || undefined
  const shown = (concept: JsonObject) => concept.text ?? objects(concept.coding)[0]?.display
  return present({
    id: address ?? number ?? idOfResource(practitioner),
    name: name && nameText(name),
    gender: letterOf(practitioner.gender),
    image: text(photo?.url) ?? text(photo?.data),
    tags: some(
      present({
        [TAG.experience]: text(extension(practitioner, UHI_EXTENSION.experience)?.valueDecimal),
        [TAG.languages]: texts(practitioner.communication, shown),
        [TAG.education]: texts(practitioner.qualification, one => shown(object(one.code))),
        [TAG.hpr]: number,
        [TAG.hfr]: identifierOf(organization, UHI.facility),
        [TAG.hip]: identifierOf(organization, UHI.hip),
      }),
    ),
  }) as Agent
}

/** Returns a name as one text. */
export function nameText(name: JsonObject): string | undefined {
  const whole = text(name.text)
  if (whole !== undefined) return whole
  const parts = [name.prefix, name.given, name.family].flatMap(part => (Array.isArray(part) ? part : [part]))
  return parts.flatMap(part => text(part) ?? []).join(' ') || undefined
}
