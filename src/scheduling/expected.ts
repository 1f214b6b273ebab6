/** When a visit is expected to begin: as it is booked, unless the practitioner is late. */
import type { Resource } from '../fhir/json.ts'
import { instantOf } from '../search/busy.ts'
import { EXTENSION } from './codes.ts'
import { extensionOf } from './hold.ts'

/** The most by which somebody is late, minutes. */
export const MOST_LATE = 720

/**
 * Returns the time that was said since the booking, ms since 1970; undefined where none was, and where the visit has been moved since, so that
 * it is not one of this booking.
 */
export function expectedStart(appointment: Resource): number | undefined {
  const start = instantOf(appointment.start)
  const expected = instantOf(extensionOf(appointment, EXTENSION.expectedStart)?.valueDateTime)
  if (start === undefined || expected === undefined) return undefined
  return expected > start && expected <= start + MOST_LATE * 60_000 ? expected : undefined
}
