/** Whom the network acts as: it may book, and read what it books of. */
import type { Principal } from '../context.ts'

const WRITES = [
  'Appointment',
  'ChargeItem',
  'Communication',
  'Invoice',
  'Patient',
  'PaymentNotice',
  'PaymentReconciliation',
  'RelatedPerson',
  'Task',
]

const READS = [
  'ChargeItemDefinition',
  'CommunicationRequest',
  'Encounter',
  'HealthcareService',
  'Location',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Schedule',
  'Slot',
]

export const UHI_PRINCIPAL: Principal = {
  id: 'uhi',
  grants: { read: new Set([...READS, ...WRITES]), write: new Set(WRITES) },
}
