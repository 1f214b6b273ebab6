/** When a visit is expected to begin: as it is booked, unless the practitioner is late. */
import type { Resource } from '../fhir/json.ts'
import { instantOf } from '../search/busy.ts'
import { EXTENSION } from './codes.ts'
import { extensionOf } from './hold.ts'

/** Returns the time that was said since the booking, ms since 1970; undefined where none was. */
export const expectedStart = (appointment: Resource): number | undefined =>
  instantOf(extensionOf(appointment, EXTENSION.expectedStart)?.valueDateTime)
