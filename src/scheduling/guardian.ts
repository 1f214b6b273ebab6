/** Who answers for a patient on a telephone: the patient, a contact, or somebody related. */
import type { Context } from '../context.ts'
import type { Json, Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { checkType } from '../interactions/identity.ts'
import type { Node } from '../search/plan-node.ts'
import { idOf, type Key } from '../storage/port.ts'
import { findAll, planFor, resourceOf } from './calendar.ts'

/** Digits that make a subscriber's number; what stands before them, a trunk or country prefix, may be left out. */
const SUBSCRIBER = 10

const digitsOf = (text: string): string => text.replace(/\D/g, '')

/** Returns whether two telephone numbers are one: equal, or equal but for a prefix that one of them lacks. */
export function samePhone(a: string, b: string): boolean {
  const [one, other] = [digitsOf(a), digitsOf(b)]
  if (one.length < SUBSCRIBER || other.length < SUBSCRIBER) return one !== '' && one === other
  return one.slice(-SUBSCRIBER) === other.slice(-SUBSCRIBER)
}

const has = (telecom: Json | undefined, phone: string): boolean =>
  objects(telecom).some(
    ({ system, value }) =>
      (system === 'phone' || system === 'sms') && typeof value === 'string' && samePhone(value, phone),
  )

export interface Reached {
  /** The patient, or a contact of theirs, has this telephone. */
  directly: boolean
  /** Keys of the RelatedPersons who have it. */
  by: readonly Key[]
}

/** Returns how a patient is reached on a telephone. */
export async function reachedOn(
  ctx: Context,
  phone: string,
  patient: Key,
  resource: Resource,
): Promise<Reached> {
  checkType(ctx, 'RelatedPerson')
  const id = idOf(patient)
  const where: Node = { kind: 'reference', param: 'RelatedPerson.patient', type: 'Patient', id }
  const related = await findAll(ctx, planFor('RelatedPerson', where))
  return {
    directly: has(resource.telecom, phone) || objects(resource.contact).some(one => has(one.telecom, phone)),
    by: related
      .filter(row => {
        const person = resourceOf(row)
        return person.active !== false && has(person.telecom, phone)
      })
      .map(row => row.key),
  }
}
