/** States of bookings and orders: FHIR's, the names that Care has for them, and those of first-generation orders. */
import type { Resource } from '../../fhir/json.ts'
import { hasCode } from '../../fhir/tree.ts'
import { SYSTEM } from '../../scheduling/codes.ts'
import { RESCHEDULED } from './names.ts'

const CARE: Readonly<Record<string, string>> = {
  noshow: 'noshow',
  'entered-in-error': 'entered_in_error',
  'checked-in': 'checked_in',
}

/** Returns Care's name for the status of an appointment. `inConsultation`: its encounter is in progress. */
export function bookingStatus(appointment: Resource, inConsultation = false): string {
  const status = String(appointment.status)
  if (status === 'cancelled' && isReplaced(appointment)) return 'rescheduled'
  if (inConsultation && (status === 'arrived' || status === 'checked-in')) return 'in_consultation'
  return CARE[status] ?? status
}

/** Returns whether an appointment was cancelled because another took its place. */
export const isReplaced = (appointment: Resource): boolean =>
  hasCode(appointment.cancelationReason, SYSTEM.cancellation, RESCHEDULED)

export type OrderState = 'initialized' | 'active' | 'completed' | 'cancelled'

const ORDER_STATES: Readonly<Record<string, OrderState>> = {
  proposed: 'initialized',
  pending: 'initialized',
  waitlist: 'initialized',
  booked: 'active',
  arrived: 'active',
  checked_in: 'active',
  in_consultation: 'active',
  fulfilled: 'completed',
  noshow: 'completed',
  cancelled: 'cancelled',
  entered_in_error: 'cancelled',
  rescheduled: 'cancelled',
}

/** Returns the state of the order that a booking of this status is. */
export const orderState = (status: string): OrderState => ORDER_STATES[status] ?? 'initialized'

/** Order states that nothing follows. */
export const isTerminal = (state: OrderState): boolean => state === 'completed' || state === 'cancelled'
