/** Systems and codes of what this contract leaves in FHIR resources, and the principal that it runs as. */
import type { Principal } from '../../context.ts'

/** Identifier of Appointments, and groupIdentifier of Tasks: the transaction_id that they came with. Only these are orders here. */
export const TRANSACTION = 'urn:nadi:care-uhi:transaction'
/** Identifier of a Task: the message_id of the request that it records. */
export const MESSAGE = 'urn:nadi:care-uhi:message'
/** Identifier of ChargeItems and Invoices: the order that they are for. */
export const ORDER = 'urn:nadi:care-uhi:order'
/** Identifier of a Patient and of a possible duplicate: whom a request described, hashed. */
export const PERSON = 'urn:nadi:care-uhi:person'
/** Identifier of the Task of an emergency: the patient, hashed. */
export const EMERGENCY = 'urn:nadi:care-uhi:emergency'
/** Types of Task.input: `cancellation`, `refund`, ... with the state that the consumer gave. */
export const TERM = 'urn:nadi:codes:care-uhi-term'
/** Task.businessStatus of an emergency: the states of Care's resource requests. */
export const REQUEST_STATUS = 'urn:nadi:codes:care-resource-request-status'
/** Task.businessStatus of a request: whether its result has reached the consumer. */
export const DELIVERY = 'urn:nadi:codes:care-uhi-delivery'

/** Extension of an Appointment, repeated: a field of its patient that the request has stated, and that is so. Answers show no other. */
export const STATED = 'urn:nadi:extension:stated-by-consumer'

/** The reason of an appointment that another has replaced. */
export const RESCHEDULED = 'rescheduled'

/** The contract knows no persons: whoever asks may do no more than this. */
export const CARE_UHI: Principal = {
  id: 'care-uhi',
  grants: {
    read: new Set([
      'Appointment',
      'ChargeItem',
      'ChargeItemDefinition',
      'CommunicationRequest',
      'Encounter',
      'HealthcareService',
      'Invoice',
      'Location',
      'Organization',
      'Patient',
      'Practitioner',
      'PractitionerRole',
      'Schedule',
      'Slot',
      'Task',
    ]),
    write: new Set(['Appointment', 'ChargeItem', 'CommunicationRequest', 'Invoice', 'Patient', 'Task']),
  },
}
