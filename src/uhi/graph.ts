/** The resources that an order is. */
import type { Resource } from '../fhir/json.ts'

export interface OrderGraph {
  appointment: Resource
  /** What the app says of the patient, and where the bill goes. */
  stated: Resource
  organization: Resource
  location: Resource | undefined
  practitioner: Resource
  /** Categories of the provider; the one that the appointment names is that of the item. */
  services: readonly Resource[]
  invoice: Resource
  /** The item first, then the lines of the quote that are not the item itself. */
  charges: readonly Resource[]
  /** The visit, once it began. */
  encounter?: Resource | undefined
}

/** Keys of the resources: `Practitioner/1`, or `urn:uuid:...` within a transaction. */
export interface OrderKeys {
  appointment: string
  patient: string
  stated: string
  organization: string
  location: string | undefined
  practitioner: string
  /** Others whose time the slot takes: the role, rooms. */
  others?: readonly string[]
  invoice: string
  /** Returns the key of the charge at a place in the list. */
  charge(index: number): string
}
