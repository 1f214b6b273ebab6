/** What a channel is: one way in which a message reaches a person. One file each in `channels/`. */

/** A message on its way. Holds secrets: it is never logged and never stored but in the outbox. */
export interface Delivery {
  /** A UUID, the same in every attempt: the Message-ID, requestid or idempotency key that the peer sees. */
  key: string
  /** What happened: `booked`, `cancelled`, ... (`event.ts`). */
  event: string
  /** Where to: an e-mail address, a telephone number as `+919876543210`, an ABHA number or address, a URL. */
  to: string
  /** BCP 47. */
  language: string
  /** The name of the template, for channels whose provider holds the texts: `booked`. */
  template: string
  subject: string
  text: string
  /** The values that the text was made of, by name. */
  values: Readonly<Record<string, string>>
  attachments: readonly Attachment[]
  /** The Communication as it is stored, JSON: without secrets. A webhook sends it. */
  communication?: string
}

export interface Attachment {
  name: string
  /** Media type with parameters. */
  type: string
  text: string
}

/** What came of an attempt. `reason` is a sentence for people and holds neither the text nor the address. */
export type Sent =
  /** The peer has it; `reference` is its own name for it. */
  | { is: 'accepted'; reference?: string }
  /** It never will be accepted: a wrong number, a rejected template. */
  | { is: 'refused'; reason: string }
  /** It may be accepted another time: no connection, no answer in time, busy, an answer that cannot be understood. */
  | { is: 'failed'; reason: string }

export interface Channel {
  /** As in `Communication.medium` (`urn:nadi:codes:message-channel`): `email`, `sms`, `whatsapp`, `webhook`, `care-gateway`, `log`. */
  name: string
  /** ContactPoint.system that it needs of a person; `abha` is an identifier of the Patient; `none` needs no address. */
  reaches: 'email' | 'phone' | 'abha' | 'none'
  /** The set of templates that it speaks in whatever the appointment says; undefined: the appointment's own, or the standard one. */
  templates?: string
  /** Attempts in all for an event, and ms between them; undefined: those of the outbox, with backoff and jitter. */
  tries?(event: string): number
  waitMs?: number
  /** Events that it tells of; undefined: all. */
  events?: ReadonlySet<string>
  /** Returns what came of one attempt, before the signal ends it. Throws nothing. */
  send(delivery: Delivery, signal: AbortSignal): Promise<Sent>
}
