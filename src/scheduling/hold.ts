/** Holds: appointments that are pending keep others away until a time, which is judged whenever somebody else wants the place. */
import type { Context } from '../context.ts'
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import { instantOf, LIVE } from '../search/busy.ts'
import { EXTENSION, SYSTEM } from './codes.ts'

/** Returns the extensions of an element. */
export const extensionsOf = (element: JsonObject): JsonObject[] =>
  Array.isArray(element.extension) ? element.extension.filter(isObject) : []

/** Returns the extension of a URL, undefined where there is none. */
export const extensionOf = (element: JsonObject, url: string): JsonObject | undefined =>
  extensionsOf(element).find(one => one.url === url)

/** Returns a copy of the element in which this extension stands once, with this value. */
export function withExtension<T extends JsonObject>(element: T, url: string, value: Record<string, Json>): T {
  const others = extensionsOf(element).filter(one => one.url !== url)
  return { ...element, extension: [...others, { url, ...value }] }
}

/** Returns until when a pending appointment keeps others away, ms since 1970; undefined where it says nothing. */
export const heldUntil = (appointment: Resource): number | undefined =>
  instantOf(extensionOf(appointment, EXTENSION.holdUntil)?.valueInstant)

/** Returns whether an appointment is a hold that has run out. */
export const isExpired = (appointment: Resource, now: number): boolean =>
  appointment.status === 'pending' && (heldUntil(appointment) ?? Number.NEGATIVE_INFINITY) <= now

/** Returns whether an appointment keeps others away at this moment. */
export const isLive = (appointment: Resource | undefined, now: number): boolean =>
  appointment !== undefined && LIVE.has(String(appointment.status)) && !isExpired(appointment, now)

/**
 * Returns a pending appointment with the end of its hold. A client may make it shorter, not longer; who writes a hold again does not hold
 * it for another time.
 */
export function held(ctx: Context, appointment: Resource, before: Resource | undefined): Resource {
  const now = ctx.clock()
  const since = before !== undefined && isLive(before, now) && before.status === 'pending'
  const most = (since ? heldUntil(before) : undefined) ?? now + ctx.settings.scheduling.holdMinutes * 60_000
  const asked = heldUntil(appointment)
  if (asked !== undefined && asked <= most) return appointment
  return withExtension(appointment, EXTENSION.holdUntil, { valueInstant: new Date(most).toISOString() })
}

/** The reason of appointments that were only held, and not booked in time. */
export const HOLD_EXPIRED = 'hold-expired'

/** Returns a hold as it is when it has run out. */
export const expired = (appointment: Resource): Resource => ({
  ...appointment,
  status: 'cancelled',
  cancelationReason: {
    coding: [{ system: SYSTEM.cancellation, code: HOLD_EXPIRED, display: 'The hold ran out' }],
  },
})
