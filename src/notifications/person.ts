/** People who are told something: their name, language, zone, addresses, and by which channels they do not want to be told. */
import { isZone, timeRange } from '../fhir/instant.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { at, codings, objects, text } from '../fhir/tree.ts'
import { EXTENSION } from '../scheduling/codes.ts'
import type { Channel } from './channel.ts'
import type { Role } from './event.ts'

const TIMEZONE = 'http://hl7.org/fhir/StructureDefinition/timezone'
const LANGUAGE = 'http://hl7.org/fhir/StructureDefinition/language'

export interface Person {
  /** Who is named as the recipient: `Patient/1`. A contact of a patient without a resource of their own is the patient here. */
  key: string
  /** Tells people of one key apart. */
  mark: string
  role: Role
  resource: Resource
  /** Of several patients of one visit, whose visit it is for this one; undefined: the first one's. */
  of?: Person
  /** BCP 47, without what stands behind the first hyphen. */
  language: string
  /** IANA zone that the person lives in, where it is known. */
  zone: string | undefined
  telecom: readonly JsonObject[]
  identifiers: readonly JsonObject[]
  /** Names of channels; `all`. */
  optedOut: ReadonlySet<string>
}

/** Returns a Patient, RelatedPerson or Practitioner as somebody who is told. */
export function personOf(key: string, resource: Resource, role: Role): Person {
  return {
    key,
    mark: '',
    role,
    resource,
    language: role === 'patient' ? languageOf(resource) : 'en',
    zone: zoneIn(resource),
    telecom: objects(resource.telecom),
    identifiers: objects(resource.identifier),
    optedOut: optOuts(resource),
  }
}

/** Returns whether it is a patient who has died, or somebody who is told in that patient's place. */
export const hasDied = ({ resource }: Person): boolean =>
  resource.deceasedBoolean === true || resource.deceasedDateTime !== undefined

/** Returns a contact of a patient who has no resource of their own; `mark` tells it from the patient. */
export const contactOf = (patient: Person, contact: JsonObject, mark: string): Person => ({
  ...patient,
  mark,
  telecom: objects(contact.telecom),
  identifiers: [],
})

/** Returns the language of a preferred communication, else of the first; `en` where there is none. */
function languageOf(resource: Resource): string {
  const all = objects(resource.communication)
  const one = all.find(({ preferred }) => preferred === true) ?? all[0]
  const code = codings(one?.language).find(({ code }) => typeof code === 'string')?.code
  return (text(code) ?? text(resource.language) ?? 'en').split('-')[0]!.toLowerCase()
}

/** Returns the zone that a Patient or Location says it is in. */
export function zoneIn(resource: JsonObject): string | undefined {
  const said = objects(resource.extension).find(({ url }) => url === TIMEZONE)
  const zone = text(said?.valueCode) ?? text(said?.valueString)
  return zone !== undefined && isZone(zone) ? zone : undefined
}

const optOuts = (element: JsonObject): Set<string> =>
  new Set(
    objects(element.extension).flatMap(({ url, valueCode }) =>
      url === EXTENSION.messageOptOut && typeof valueCode === 'string' ? [valueCode] : [],
    ),
  )

/** Returns whether the person wants nothing by the channel. */
const hasOptedOut = (optedOut: ReadonlySet<string>, { name }: Pick<Channel, 'name'>): boolean =>
  optedOut.has(name) || optedOut.has('all')

/**
 * Returns where the channel reaches the person: '' where it needs no address; undefined where there is none, or the person does not want it.
 * `now` is ms since 1970.
 */
export function addressOf(
  person: Person,
  channel: Pick<Channel, 'name' | 'reaches'>,
  { now, zone, countryCode }: { now: number; zone: string; countryCode: string },
): string | undefined {
  if (hasOptedOut(person.optedOut, channel)) return undefined
  switch (channel.reaches) {
    case 'none':
      return person.mark === '' ? '' : undefined
    case 'abha':
      return abhaOf(person.identifiers)
    default: {
      const systems = channel.reaches === 'email' ? ['email'] : ['phone', 'sms']
      const points = person.telecom.filter(
        point =>
          systems.includes(String(point.system)) &&
          point.use !== 'old' &&
          isCurrent(point.period, now, zone) &&
          !hasOptedOut(optOuts(point), channel),
      )
      points.sort((a, b) => standing(a) - standing(b))
      for (const { value } of points) {
        const address =
          channel.reaches === 'email' ? mailAddress(text(value)) : phoneNumber(text(value), countryCode)
        if (address !== undefined) return address
      }
      return undefined
    }
  }
}

/** Returns whether the channel could reach the person, had they an address: patients alone have an ABHA. */
export const mayReach = (person: Person, channel: Pick<Channel, 'name' | 'reaches'>): boolean =>
  channel.reaches === 'abha' &&
  person.role === 'patient' &&
  person.mark === '' &&
  person.resource.resourceType === 'Patient' &&
  !hasOptedOut(person.optedOut, channel)

/** Preferred first: by rank, then mobiles before landlines, then as listed. */
const standing = (point: JsonObject): number =>
  Number(text(point.rank) ?? 1000) * 10 +
  (point.system === 'sms' ? 0 : point.use === 'mobile' ? 1 : point.use === undefined ? 2 : 3)

/** Returns whether a Period covers an instant, ms since 1970. */
export function isCurrent(period: JsonObject[string], now: number, zone: string): boolean {
  const [only] = objects(period)
  if (only === undefined) return true
  const start = typeof only.start === 'string' ? timeRange(only.start, zone)?.lo : undefined
  const end = typeof only.end === 'string' ? timeRange(only.end, zone)?.hi : undefined
  return (start ?? Number.NEGATIVE_INFINITY) <= now && now < (end ?? Number.POSITIVE_INFINITY)
}

/** Returns an address that can stand in a mail's header; undefined for what is none. */
function mailAddress(value: string | undefined): string | undefined {
  const address = value?.trim()
  return address !== undefined &&
    address.length <= 254 &&
    /^[^\s@<>(),;:"\\[\]]+@[^\s@<>(),;:"\\[\]]+$/.test(address)
    ? address
    : undefined
}

/** Returns a number as `+919876543210`; undefined for what is none. */
export function phoneNumber(value: string | undefined, countryCode: string): string | undefined {
  const digits = value?.replace(/^tel:/, '').replace(/[\s().-]/g, '') ?? ''
  if (/^\+[1-9]\d{6,14}$/.test(digits)) return digits
  // What stands in a clinic's books as +91 00000 00011 is no number of E.164, yet the one that was given.
  if (/^\+\d{7,15}$/.test(digits)) return digits
  if (/^00[1-9]\d{6,14}$/.test(digits)) return `+${digits.slice(2)}`
  const national = digits.replace(/^0/, '')
  if (!/^\d{6,12}$/.test(national)) return undefined
  return national.length > 10 && national.startsWith(countryCode)
    ? `+${national}`
    : `+${countryCode}${national}`
}

const ABHA_SYSTEM = /healthid|abha|abdm.*(health|abha)/i

/** Returns the ABHA address, else the number; undefined where the patient has neither. */
function abhaOf(identifiers: readonly JsonObject[]): string | undefined {
  const values = identifiers.flatMap(one => {
    const isAbha =
      codings(one.type).some(({ code }) => code === 'ABHA') || ABHA_SYSTEM.test(text(one.system) ?? '')
    const value = text(one.value)
    return isAbha && one.use !== 'old' && value !== undefined ? [value] : []
  })
  return (
    values.find(value => value.includes('@')) ??
    values.find(value => /^\d{14}$/.test(value.replace(/-/g, '')))
  )
}

/** Returns the name of a person or place, in the language where there is one in it. */
export function nameOf(resource: Resource | undefined, language: string): string | undefined {
  if (resource === undefined) return undefined
  if (typeof resource.name === 'string') return resource.name
  const names = objects(resource.name).filter(({ use }) => use !== 'old')
  const inLanguage = (name: JsonObject): string | undefined =>
    text(
      at(
        objects(name.extension).find(({ url }) => url === LANGUAGE),
        'valueCode',
      )[0],
    )?.split('-')[0]
  const name =
    names.find(one => inLanguage(one) === language) ??
    names.find(one => one.use === 'official') ??
    names.find(one => inLanguage(one) === undefined) ??
    names[0]
  if (name === undefined) return undefined
  if (typeof name.text === 'string') return name.text
  const parts = [...at(name, 'prefix'), ...at(name, 'given'), name.family, ...at(name, 'suffix')]
  return parts.filter(part => typeof part === 'string').join(' ') || undefined
}
