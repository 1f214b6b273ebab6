/** Times offered to who is on the waitlist: holds that say whose wait they would end. */
import type { Context } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { EXTENSION, SYSTEM } from './codes.ts'
import { extensionsOf } from './hold.ts'

/** Reasons of our own why an appointment is cancelled (`SYSTEM.cancellation`). */
export const REASON = {
  /** An offer that the patient did not want. */
  offerDeclined: { code: 'offer-declined', display: 'The offered time was declined' },
  /** An entry of the waitlist whose patient has been booked. */
  waitServed: { code: 'waitlist-served', display: 'A time was found' },
  /** An entry of the waitlist whose time has passed. */
  waitOver: { code: 'waitlist-over', display: 'No time was found' },
} as const

/** Returns an appointment as it is when it is cancelled for a reason of ours. */
export const cancelledFor = (appointment: Resource, reason: { code: string; display: string }): Resource => ({
  ...appointment,
  status: 'cancelled',
  cancelationReason: { coding: [{ system: SYSTEM.cancellation, ...reason }] },
})

const OFFER = 'offer'

/** Returns whether an appointment is a time that was offered, whatever became of it. */
export const wasOffered = (appointment: Resource): boolean =>
  objects(appointment.identifier).some(one => one.system === SYSTEM.waitlist)

/** Returns whether an appointment is a time that was offered and not answered yet. */
export const isOffer = (appointment: Resource): boolean =>
  appointment.status === 'pending' && wasOffered(appointment)

/** Returns the identifier of an offer: whose wait, and which slot. */
export const offerMark = (entry: Key, slot: Key) => ({
  system: SYSTEM.waitlist,
  value: `${entry} ${slot} ${OFFER}`,
})

export const declined = (offer: Resource): Resource => cancelledFor(offer, REASON.offerDeclined)

/** Returns the entry of the waitlist that an offer was made for. */
export const entryOf = (ctx: Context, offer: Resource): Key | undefined =>
  objects(offer.supportingInformation)
    .flatMap(one => keysOf(one, ctx.settings.baseUrl))
    .find(key => key.startsWith('Appointment/')) as Key | undefined

/** Returns the offers that were made for an entry of the waitlist. */
export const offersOf = (ctx: Context, entry: Resource): Key[] =>
  extensionsOf(entry)
    .filter(one => one.url === EXTENSION.waitlistOffer)
    .flatMap(one => keysOf(one.valueReference, ctx.settings.baseUrl)) as Key[]
