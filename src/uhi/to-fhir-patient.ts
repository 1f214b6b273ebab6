/** Who an order is for: what the app says of them, and the Patient where nobody here knows them yet. Pure. */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { IDENTIFIER_TYPE, TAG, UHI, UHI_EXTENSION } from './codes.ts'
import { genderOf, present, reference } from './elements.ts'
import type { OrderKeys } from './graph.ts'
import type { Order } from './order.ts'

/** Returns ABHA address and number as identifiers. */
export const customerIdentifiers = (customer: Order['customer']): JsonObject[] => {
  const identifier = (code: string, value: string | undefined): JsonObject[] =>
    value === undefined
      ? []
      : [{ type: { coding: [{ system: IDENTIFIER_TYPE, code }] }, system: UHI.abha, value }]
  return [...identifier('ABHA', customer?.id), ...identifier('HIN', customer?.person?.tags?.[TAG.abha])]
}

/** Returns the Patient that the customer of an order is. */
export function patientOf(order: Order): Resource {
  const { billing, customer } = order
  const identifier = customerIdentifiers(customer)
  return {
    resourceType: 'Patient',
    ...(identifier.length > 0 && { identifier }),
    active: true,
    ...(billing?.name !== undefined && { name: [{ text: billing.name }] }),
    ...((billing?.phone !== undefined || billing?.email !== undefined) && {
      telecom: [
        ...(billing.phone === undefined ? [] : [{ system: 'phone', value: billing.phone }]),
        ...(billing.email === undefined ? [] : [{ system: 'email', value: billing.email }]),
      ],
    }),
    ...(customer?.person?.gender !== undefined && { gender: genderOf(customer.person.gender) }),
    ...birthOf(customer?.person),
  }
}

const ADDRESS_LINES = ['door', 'name', 'locality'] as const

/** Returns what the app says of the patient: it never changes the Patient that we have. */
export function statedOf(order: Order, keys: OrderKeys): Resource {
  const { billing, customer } = order
  const person = customer?.person
  const { address } = billing ?? {}
  const lines = ADDRESS_LINES.filter(name => address?.[name] !== undefined)
  const identifier = customerIdentifiers(customer)
  return {
    resourceType: 'RelatedPerson',
    ...(identifier.length > 0 && { identifier }),
    active: true,
    patient: reference(keys.patient),
    relationship: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'ONESELF' }] },
    ],
    ...(billing?.name !== undefined && { name: [{ text: billing.name }] }),
    ...((billing?.phone !== undefined || billing?.email !== undefined) && {
      telecom: [
        ...(billing.phone === undefined ? [] : [{ system: 'phone', value: billing.phone }]),
        ...(billing.email === undefined ? [] : [{ system: 'email', value: billing.email }]),
      ],
    }),
    ...(person?.gender !== undefined && { gender: genderOf(person.gender) }),
    ...birthOf(person),
    ...(address !== undefined && {
      address: [
        {
          ...(lines.length > 0 && {
            line: lines.map(name => address[name]!),
            _line: lines.map(name => ({ extension: [{ url: UHI_EXTENSION.addressPart, valueCode: name }] })),
          }),
          ...present({
            city: address.city,
            state: address.state,
            country: address.country,
            postalCode: address.area_code,
          }),
        },
      ],
    }),
  }
}

type Person = NonNullable<NonNullable<Order['customer']>['person']>

/** Returns birthDate as exact as it is known; nothing where day, month and year are none. */
export function birthOf(person: Person | undefined): { birthDate?: string } {
  const { dob, dayOfBirth: day, monthOfBirth: month, yearOfBirth: year } = person ?? {}
  if (dob !== undefined) return { birthDate: dob }
  if (year === undefined || year < 1850) return {}
  const two = (value: number) => String(value).padStart(2, '0')
  if (month === undefined || month < 1 || month > 12) return { birthDate: `${year}` }
  if (day === undefined) return { birthDate: `${year}-${two(month)}` }
  const date = `${year}-${two(month)}-${two(day)}`
  const at = Date.parse(date)
  const isDay = !Number.isNaN(at) && new Date(at).toISOString().startsWith(date)
  return { birthDate: isDay ? date : `${year}-${two(month)}` }
}
