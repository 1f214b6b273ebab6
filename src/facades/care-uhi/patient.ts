/** The patient of a request: one who is known, or a new one, with a Task for the clerk where it may be somebody twice. */
import type { Context } from '../../context.ts'
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { criteriaOf, findMatches } from '../../interactions/criteria.ts'
import { toBase64 } from '../../lib/base64.ts'
import { resourceOf } from '../../scheduling/calendar.ts'
import { SYSTEM } from '../../scheduling/codes.ts'
import { fold } from '../../search/fold.ts'
import type { Live } from '../../storage/port.ts'
import { PERSON } from './names.ts'
import { hasPhone, isSame, type Person, patientOf, statedOf } from './person.ts'
import { idOf, nameOf } from './translate.ts'

/** Patients of one telephone that are looked at: a family, and not a ward. */
const MOST = 200

export interface Found {
  /** As references of the transaction name him. */
  reference: string
  /** Undefined while he is not stored. */
  patient: Resource | undefined
  /** What he is called, as he has it or as the request has. */
  name: string
  /** The fields of his that the request has stated, and that are so. */
  stated: readonly string[]
  /** What the transaction has to make first. */
  entries: JsonObject[]
}

/**
 * Returns the patient. Of several who match, the one with this ABHA, else the first that there was.
 *
 * A new one is made under a key of all that was said, and of those who were there: of requests that meet, one makes him.
 */
export async function findPatient(ctx: Context, person: Person): Promise<Found> {
  const mates = await patientsOf(ctx, person.phone)
  const same = mates.filter(one => isSame(one, person))
  const known = same.find(one => hasAbha(one, person)) ?? same[0]
  if (known !== undefined) {
    const reference = `Patient/${idOf(known)}`
    return { reference, patient: known, ...knownAs(known, person), entries: [] }
  }
  const value = await hashed([
    person.phone,
    fold(person.name),
    person.gender ?? '',
    person.birthDate ?? '',
    person.abha?.value ?? '',
    ...mates.map(idOf),
  ])
  const resource = patientOf(person, { system: PERSON, value })
  const fullUrl = `urn:uuid:${crypto.randomUUID()}`
  const criteria = (code: string): string => `${code}${encodeURIComponent(`${PERSON}|${value}`)}`
  const made: JsonObject = {
    fullUrl,
    resource,
    request: { method: 'POST', url: 'Patient', ifNoneExist: criteria('identifier=') },
  }
  const twice: JsonObject[] = mates.slice(0, 1).map(mate => ({
    resource: possibleDuplicate(fullUrl, `Patient/${idOf(mate)}`, value),
    request: { method: 'POST', url: 'Task', ifNoneExist: criteria('identifier=') },
  }))
  return { reference: fullUrl, patient: undefined, ...knownAs(resource, person), entries: [made, ...twice] }
}

function knownAs(resource: Resource, person: Person): Pick<Found, 'name' | 'stated'> {
  const stated = statedOf(resource, person)
  return { name: stated.includes('name') ? nameOf(resource) : person.name, stated }
}

const hasAbha = (patient: Resource, { abha }: Person): boolean =>
  abha !== undefined &&
  Array.isArray(patient.identifier) &&
  patient.identifier.some(one => (one as JsonObject).value === abha.value)

const possibleDuplicate = (patient: string, other: string, value: string): Resource => ({
  resourceType: 'Task',
  identifier: [{ system: PERSON, value }],
  status: 'requested',
  intent: 'order',
  code: { coding: [{ system: SYSTEM.taskCode, code: 'possible-duplicate' }], text: 'Possible duplicate' },
  description: 'A new patient has the telephone of another: they may be one person.',
  focus: { reference: other },
  for: { reference: patient },
})

/** Returns the patients with this telephone, however it is written, in the order of their ids. */
async function patientsOf(ctx: Context, phone: string): Promise<Resource[]> {
  const criteria = await criteriaOf(ctx, 'Patient', [['phone', spellings(phone).join()]], 'Patient')
  // Whoever fills a number with patients of invented names must not lock its owner out: the rest is not looked at.
  const rows = (await findMatches(ctx, criteria, MOST)).rows as Live[]
  return rows
    .map(resourceOf)
    .filter(one => hasPhone(one, phone))
    .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
}

/** Returns the ways in which a number stands in books: search compares texts. */
export function spellings(phone: string): string[] {
  const digits = phone.slice(1)
  if (!digits.startsWith('91')) return [phone, digits, `00${digits}`]
  const own = digits.slice(2)
  const halves = `${own.slice(0, 5)} ${own.slice(5)}`
  const dashed = `${own.slice(0, 5)}-${own.slice(5)}`
  return [own, halves, dashed].flatMap(one => [
    `+91${one}`,
    `+91 ${one}`,
    `+91-${one}`,
    `91${one}`,
    `0${one}`,
    one,
  ])
}

/** Returns a short name that says nothing of what it is made of. */
export async function hashed(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(parts.join('\n'))
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return toBase64(hash).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
