/** An appointment with all that messages say of it: who comes to whom, where, in which zone. */
import type { Context } from '../context.ts'
import { isObject, type JsonObject, type Resource } from '../fhir/json.ts'
import { objects, text } from '../fhir/tree.ts'
import { planFor, resourceOf } from '../scheduling/calendar.ts'
import { EXTENSION } from '../scheduling/codes.ts'
import { extensionOf } from '../scheduling/hold.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import { type Key, type Live, typeOf } from '../storage/port.ts'
import { contactOf, isCurrent, nameOf, type Person, personOf, zoneIn } from './person.ts'
import type { Reading } from './reading.ts'

export interface Visit {
  key: string
  appointment: Resource
  /** ms since 1970; NaN where there is none. */
  start: number
  end: number
  patient: Person | undefined
  /** Who is told in the patient's place or beside them. */
  guardians: readonly Person[]
  /** Further patients with those beside them, each under their own name. */
  others: readonly Person[]
  practitioners: readonly Person[]
  /** What stands there for a name, in a language. */
  names: (of: 'patient' | 'practitioner' | 'facility' | 'place', language: string) => string
  /** IANA zone of the place. */
  zone: string
  online: boolean
  joinUrl: string | undefined
  /** The templates that its system has: of appointments made by OpenCare. */
  set: string
}

const OPENCARE_ID = 'urn:nadi:opencare:appointment'
const ADULT_YEARS = 18
/** Patients of one visit that are told. */
const MOST_PATIENTS = 50

/** Returns whether OpenCare made the appointment; what it only knows has its id as a second name. */
export const isOpenCare = (appointment: Resource): boolean =>
  objects(appointment.identifier).some(({ system, use }) => system === OPENCARE_ID && use !== 'secondary')

/** What was found for a commit; several ask for the same. */
const found = new WeakMap<Reading, Map<Resource, Promise<Visit>>>()

/** Returns an appointment with what it names; reads that in two steps at most, and once for a commit. */
export function visitOf(ctx: Context, reading: Reading, key: string, appointment: Resource): Promise<Visit> {
  const known = found.get(reading) ?? new Map<Resource, Promise<Visit>>()
  found.set(reading, known)
  const visit = known.get(appointment) ?? findVisit(ctx, reading, key, appointment)
  known.set(appointment, visit)
  return visit
}

async function findVisit(ctx: Context, reading: Reading, key: string, appointment: Resource): Promise<Visit> {
  const { baseUrl, zone } = ctx.settings
  const actors = actorsOf(appointment)
  const keys = [...new Set(actors.flatMap(actor => keysOf(actor, baseUrl)))]
  const first = await reading.load(keys)
  const of = (type: string): string[] => keys.filter(one => typeOf(one as Key) === type && first.has(one))
  const linked = (from: readonly string[], member: string, type: string): string[] =>
    from
      .flatMap(one => keysOf(objects(first.get(one)?.[member])[0], baseUrl))
      .filter(to => typeOf(to as Key) === type)
  const roles = of('PractitionerRole')
  const locations = [
    ...of('Location'),
    ...linked(roles, 'location', 'Location'),
    ...linked(of('HealthcareService'), 'location', 'Location'),
  ]
  const practitionerKeys = [
    ...new Set([...of('Practitioner'), ...linked(roles, 'practitioner', 'Practitioner')]),
  ]
  const organizations = [
    ...linked(of('Location'), 'managingOrganization', 'Organization'),
    ...linked(of('HealthcareService'), 'providedBy', 'Organization'),
    ...linked(roles, 'organization', 'Organization'),
  ]
  const second = await reading.load([
    ...practitionerKeys,
    ...locations.slice(0, 1),
    ...organizations.slice(0, 1),
  ])
  const location = second.get(locations[0] ?? '')
  let organization = second.get(organizations[0] ?? '')
  if (organization === undefined && location !== undefined) {
    const [managing] = keysOf(location.managingOrganization, baseUrl)
    if (managing !== undefined) organization = (await reading.load([managing])).get(managing)
  }
  const patientKey = of('Patient')[0]
  const patient =
    patientKey === undefined ? undefined : personOf(patientKey, first.get(patientKey)!, 'patient')
  const practitioners = practitionerKeys.flatMap(one => {
    const resource = second.get(one) ?? first.get(one)
    return resource === undefined ? [] : [personOf(one, resource, 'practitioner')]
  })
  const related = of('RelatedPerson').map(one => personOf(one, first.get(one)!, 'patient'))
  const shown = (type: RegExp): string => {
    const actor = actors.find(one => isObject(one) && type.test(text(one.reference) ?? text(one.type) ?? ''))
    return isObject(actor) ? (text(actor.display) ?? '') : ''
  }
  const others: Person[] = []
  for (const one of of('Patient').slice(1, MOST_PATIENTS)) {
    const person = personOf(one, first.get(one)!, 'patient')
    const beside = related.length > 0 ? [] : await guardiansOf(ctx, person)
    for (const each of [person, ...beside]) others.push({ ...each, of: person })
  }
  const joinUrl = text(extensionOf(appointment, EXTENSION.joinUrl)?.valueUrl)
  return {
    key,
    appointment,
    start: instantOf(appointment.start) ?? Number.NaN,
    end: instantOf(appointment.end) ?? Number.NaN,
    patient,
    guardians: related.length > 0 || patient === undefined ? related : await guardiansOf(ctx, patient),
    others,
    practitioners,
    names: (who, language) => {
      if (who === 'patient') return nameOf(patient?.resource, language) ?? shown(/Patient/)
      if (who === 'practitioner') return nameOf(practitioners[0]?.resource, language) ?? shown(/Practitioner/)
      const place = nameOf(location, language) ?? shown(/Location/)
      return who === 'place' ? place : (nameOf(organization, language) ?? place)
    },
    zone: (await zoneAround(reading, location, baseUrl)) ?? zone,
    online: joinUrl !== undefined,
    joinUrl,
    set: isOpenCare(appointment) ? 'opencare' : 'standard',
  }
}

/** A room, a floor, a building, a campus. */
const MOST_LEVELS = 4

/** Returns the zone of a place, or of what it is part of. */
async function zoneAround(
  reading: Reading,
  location: Resource | undefined,
  baseUrl: string,
): Promise<string | undefined> {
  let at = location
  for (let level = 0; level < MOST_LEVELS && at !== undefined; level++) {
    const zone = zoneIn(at)
    if (zone !== undefined) return zone
    const [outer] = keysOf(at.partOf, baseUrl)
    at = outer === undefined ? undefined : (await reading.load([outer])).get(outer)
  }
  return undefined
}

/**
 * Returns those who are told beside a child, or beside somebody with neither telephone nor mail: who is related, else the first contact.
 */
export async function guardiansOf(ctx: Context, patient: Person): Promise<readonly Person[]> {
  const now = ctx.clock()
  const { zone } = ctx.settings
  const reachable = patient.telecom.some(
    ({ system, use, period }) =>
      ['phone', 'sms', 'email'].includes(String(system)) && use !== 'old' && isCurrent(period, now, zone),
  )
  if (reachable && !isChild(patient.resource, now)) return []
  const id = patient.key.split('/')[1]!
  const plan = planFor('RelatedPerson', {
    kind: 'reference',
    param: 'RelatedPerson.patient',
    type: 'Patient',
    id,
  })
  const page = await ctx.storage.search(plan, { limit: 5, total: 'none' })
  const found = (page.rows as Live[])
    .map(row => ({ key: row.key, resource: resourceOf(row) }))
    .filter(({ resource }) => resource.active !== false && isCurrent(resource.period, now, zone))
    .map(({ key, resource }) => personOf(key, resource, 'patient'))
  if (found.length > 0) return found
  return objects(patient.resource.contact)
    .filter((contact: JsonObject) => contact.telecom !== undefined && isCurrent(contact.period, now, zone))
    .slice(0, 1)
    .map((contact, index) => contactOf(patient, contact, `contact ${index}`))
}

function isChild(patient: Resource, now: number): boolean {
  const born = typeof patient.birthDate === 'string' ? Date.parse(patient.birthDate) : Number.NaN
  if (Number.isNaN(born)) return false
  const grown = new Date(born)
  grown.setUTCFullYear(grown.getUTCFullYear() + ADULT_YEARS)
  return grown.getTime() > now
}
