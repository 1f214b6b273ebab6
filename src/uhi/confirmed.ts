/** Steps of an order on its Appointment. Pure. */
import { isObject, type Resource } from '../fhir/json.ts'
import { authorizationOf, withAuthorization } from '../scheduling/pin.ts'
import { instantOf } from '../search/busy.ts'
import { UHI, UHI_EXTENSION } from './codes.ts'
import { objects } from './elements.ts'
import { isOnline, termsOf } from './from-fhir.ts'
import type { Term } from './order.ts'
import { instantOfLocal, localAt } from './time.ts'
import { termExtension } from './to-fhir.ts'

/** Returns the appointment with these terms in the place of its own. */
export function withTerms(appointment: Resource, terms: readonly Term[]): Resource {
  const others = (Array.isArray(appointment.extension) ? appointment.extension : []).filter(
    one => !isObject(one) || one.url !== UHI_EXTENSION.term,
  )
  return { ...appointment, extension: [...others, ...terms.flatMap(termExtension)] }
}

/** Returns whether the patient has agreed to all terms. */
export const isAgreed = (appointment: Resource): boolean => {
  const terms = termsOf(appointment)
  return terms?.every(({ termsState }) => termsState === 'AGREED') ?? false
}

/** Returns the appointment as it waits for its payment: what answers the confirm then has the id of the confirm. */
export const waiting = (appointment: Resource, messageId: string): Resource => ({
  ...appointment,
  identifier: [
    ...objects(appointment.identifier).filter(one => one.system !== UHI.confirm),
    { system: UHI.confirm, value: messageId },
  ],
})

/** Returns the appointment as it is booked; one in person gets a PIN for its day. */
export const booked = (appointment: Resource): Resource => withPinOfDay({ ...appointment, status: 'booked' })

/** Returns the appointment with a PIN for its day, where it is in person and not opened yet. PINs that were tried stay counted. */
export function withPinOfDay(appointment: Resource): Resource {
  const start = instantOf(appointment.start)
  const was = authorizationOf(appointment)
  if (isOnline(appointment) || start === undefined) return appointment
  if (was !== undefined && was.status !== 'GENERATED') return appointment
  const day = localAt(start).slice(0, 10)
  return withAuthorization(appointment, {
    ...was,
    status: 'GENERATED',
    validFrom: instantOfLocal(`${day}T00:00:00`),
    validTo: instantOfLocal(`${day}T23:59:00`),
  })
}
