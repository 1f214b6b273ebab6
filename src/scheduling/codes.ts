/** Codes, systems and extensions of our own in scheduling and messages; their definitions stand in `profiles/scheduling/`. */

/** Extensions by their URL. */
export const EXTENSION = {
  /** Slot, Schedule: positiveInt, appointments that a slot takes; 1 without it. */
  capacity: 'urn:nadi:extension:slot-capacity',
  /** Schedule: positiveInt, minutes of the slots that are generated. */
  slotMinutes: 'urn:nadi:extension:slot-minutes',
  /** Appointment: instant until which a pending one keeps others away. */
  holdUntil: 'urn:nadi:extension:hold-until',
  /** Appointment: url under which an online visit is joined. */
  joinUrl: 'urn:nadi:extension:join-url',
  /** Location: boolean, it takes one appointment at a time though it is no room. */
  exclusive: 'urn:nadi:extension:exclusive-location',
  /** Task: positiveInt, the number of a token. */
  tokenNumber: 'urn:nadi:extension:token-number',
  /** Task: decimal, where a token stands in its queue when that is not its number. */
  tokenOrder: 'urn:nadi:extension:token-order',
  /** Schedule, PractitionerRole, HealthcareService: Reference to the ChargeItemDefinition of a visit; the first of these has the say. */
  price: 'urn:nadi:extension:price',
  /** Appointment of the answer of $find: Money, what the visit costs. */
  fee: 'urn:nadi:extension:fee',
  /** Task: what the patient of a token has been told; extensions `notice` (code: fifth, next, called) and `position` (positiveInt). */
  tokenTold: 'urn:nadi:extension:token-told',
  /** Appointment: dateTime at which the visit is expected to begin, where the practitioner is late. */
  expectedStart: 'urn:nadi:extension:expected-start',
  /** Appointment on the waitlist: Reference to an Appointment that held a time for it. */
  waitlistOffer: 'urn:nadi:extension:waitlist-offer',
  /** CommunicationRequest, Communication: a named value of the message; extensions `name` (string) and `value` (string). */
  messageValue: 'urn:nadi:extension:message-value',
  /** Communication: positiveInt, attempts to send it so far. */
  messageAttempts: 'urn:nadi:extension:message-attempts',
  /** Patient, RelatedPerson, Practitioner and their ContactPoints: code of a channel by which they are told nothing; `all` for every one. */
  messageOptOut: 'urn:nadi:extension:message-opt-out',
} as const

/** Systems of identifiers and codes. */
export const SYSTEM = {
  /** Task.code of a queue token: `token`. */
  taskCode: 'urn:nadi:codes:task',
  /** Task.groupIdentifier: a queue, as `Practitioner/1|General|2026-11-21`. */
  queue: 'urn:nadi:queue',
  /** Task.identifier of a token: the owner of its queue and the day, as `Practitioner/1|2026-11-21`. */
  queueDay: 'urn:nadi:queue-day',
  /** Task.identifier of a token, as it is printed: `GC-5`. */
  token: 'urn:nadi:token',
  /** Task.businessStatus of a token. */
  tokenStatus: 'urn:nadi:codes:token-status',
  /** Slot.meta.tag: `closed`. */
  slot: 'urn:nadi:codes:slot',
  /** Appointment.cancelationReason, besides those of http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason. */
  cancellation: 'urn:nadi:codes:cancellation-reason',
  /** Appointment.identifier of those that were booked together by one rule. */
  series: 'urn:nadi:appointment-series',
  /** Appointment.identifier of a time that was offered from the waitlist. */
  waitlist: 'urn:nadi:waitlist-offer',
  /** Communication.category and CommunicationRequest.category: what happened. */
  event: 'urn:nadi:codes:message-event',
  /** Communication.medium, besides those of http://terminology.hl7.org/CodeSystem/v3-ParticipationMode. */
  channel: 'urn:nadi:codes:message-channel',
  /** Communication.identifier and CommunicationRequest.identifier: cause, person and channel, once each. */
  messageKey: 'urn:nadi:message-key',
  /** Communication.identifier: what it is about, so that it can be searched for: `Appointment/1`. */
  messageAbout: 'urn:nadi:message-about',
  /** Communication.identifier: what the peer calls it. */
  peerReference: 'urn:nadi:peer-reference',
} as const
