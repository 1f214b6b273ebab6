/** What a catalog of UHI says of a facility and its doctors, as resources. Pure. */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { TAG, UHI, UHI_EXTENSION } from './codes.ts'
import { complex, genderOf, number, photoOf, present, reference, valued } from './elements.ts'
import type { Agent, Category, Descriptor, Place, Provider } from './order.ts'

const descriptionOf = (descriptor: Descriptor | undefined): { extension?: JsonObject[] } => {
  const extension = complex(UHI_EXTENSION.description, {
    short: valued('String', descriptor?.short_desc),
    long: valued('Markdown', descriptor?.long_desc),
    image: valued('Url', descriptor?.images),
  })
  return extension.length === 0 ? {} : { extension }
}

/** Returns the facility; `hfr` and `hip` are its ids, which UHI tells with the doctor. */
export function organizationOf(
  provider: Provider,
  hfr: string | undefined,
  hip: string | undefined,
): Resource {
  const identifier = [
    ...(hfr === undefined ? [] : [{ system: UHI.facility, value: hfr }]),
    ...(hip === undefined ? [] : [{ system: UHI.hip, value: hip }]),
  ]
  return {
    resourceType: 'Organization',
    ...(provider.id !== undefined && { id: provider.id }),
    ...descriptionOf(provider.descriptor),
    ...(identifier.length > 0 && { identifier }),
    ...(provider.descriptor?.name !== undefined && { name: provider.descriptor.name }),
  }
}

/** Returns the place of a facility. */
export function locationOf(place: Place, organization: string): Resource {
  const [latitude, longitude] = place.gps?.split(',') ?? []
  const address = present({
    text: place.address,
    city: place.city?.name,
    district: place.district?.name,
    state: place.state?.name,
    country: place.country?.name,
  })
  const extension = [
    ...(descriptionOf(place.descriptor).extension ?? []),
    ...complex(UHI_EXTENSION.areaCode, {
      city: valued('String', place.city?.code),
      district: valued('String', place.district?.code),
      state: valued('String', place.state?.code),
      country: valued('String', place.country?.code),
    }),
  ]
  return {
    resourceType: 'Location',
    ...(place.id !== undefined && { id: place.id }),
    ...(extension.length > 0 && { extension }),
    ...(place.descriptor?.name !== undefined && { name: place.descriptor.name }),
    ...(Object.keys(address).length > 0 && { address }),
    ...(latitude !== undefined &&
      longitude !== undefined && {
        position: { longitude: number(longitude), latitude: number(latitude) },
      }),
    managingOrganization: reference(organization),
  }
}

/** Returns the HealthcareService that a category is. */
export const serviceOf = (
  { id, parent_category_id: parent, descriptor }: Category,
  organization: string,
): Resource => ({
  resourceType: 'HealthcareService',
  ...(id !== undefined && { id }),
  providedBy: reference(organization),
  ...(parent !== undefined && { category: [{ coding: [{ system: UHI.parent, code: parent }] }] }),
  ...(descriptor?.code !== undefined && {
    specialty: [{ coding: [{ system: UHI.speciality, code: descriptor.code }] }],
  }),
  ...(descriptor?.name !== undefined && { name: descriptor.name }),
})

/** Returns the doctor. */
export function practitionerOf(agent: Agent): Resource {
  const tags = agent.tags ?? {}
  const hpr = (value: string | undefined) => (value === undefined ? [] : [{ system: UHI.hpr, value }])
  const identifier = [...hpr(agent.id), ...hpr(tags[TAG.hpr])]
  const experience = tags[TAG.experience]
  const languages = tags[TAG.languages]
  const education = tags[TAG.education]
  return {
    resourceType: 'Practitioner',
    ...(experience !== undefined && {
      extension: [{ url: UHI_EXTENSION.experience, valueDecimal: number(experience) }],
    }),
    ...(identifier.length > 0 && { identifier }),
    ...(agent.name !== undefined && { name: [{ text: agent.name }] }),
    ...(agent.gender !== undefined && { gender: genderOf(agent.gender) }),
    ...(agent.image !== undefined && {
      photo: [photoOf(agent.image)],
    }),
    ...(education !== undefined && { qualification: [{ code: { text: education } }] }),
    ...(languages !== undefined && { communication: languages.split(', ').map(text => ({ text })) }),
  }
}
