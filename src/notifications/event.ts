/** What may be told: the events, who is told of each, and when that makes no sense any more. */

/** Whom a text speaks to. A guardian reads what the patient would. */
export type Role = 'patient' | 'practitioner'

export interface EventKind {
  /** Who is told where a request names nobody. */
  roles: readonly Role[]
  /** Whether quiet hours move it. What happens now is told now. */
  quiet: 'before' | 'after' | undefined
  /** Milliseconds after its time from which it is not told any more. */
  lasts: number
  /** It is not told any more when so many milliseconds are left until the visit. */
  untilVisit?: number
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

const now = (roles: readonly Role[], lasts = 3 * DAY): EventKind => ({ roles, quiet: undefined, lasts })

/** The events by their code of `urn:nadi:codes:message-event`. */
export const EVENTS: Readonly<Record<string, EventKind>> = {
  booked: now(['patient', 'practitioner']),
  rescheduled: now(['patient', 'practitioner']),
  cancelled: now(['patient', 'practitioner']),
  /** Something else of an appointment has changed; told where a set of templates has words for it. */
  updated: now(['patient', 'practitioner']),
  'no-show': now(['patient']),
  'reminder-24h': { roles: ['patient'], quiet: 'before', lasts: DAY, untilVisit: HOUR },
  'reminder-1h': { roles: ['patient'], quiet: 'before', lasts: DAY, untilVisit: 0 },
  'follow-up': { roles: ['patient'], quiet: 'after', lasts: DAY },
  feedback: { roles: ['patient'], quiet: 'after', lasts: DAY },
  queue: now(['patient'], HOUR),
  'waitlist-offer': now(['patient'], DAY),
  'doctor-late': now(['patient'], DAY),
  'doctor-absent': now(['patient']),
  emergency: now(['practitioner'], DAY),
  pin: now(['patient'], DAY),
}

/** What holds for a code of a client's own. */
const OTHER = now(['patient'], DAY)

export const kindOf = (event: string): EventKind => (Object.hasOwn(EVENTS, event) ? EVENTS[event]! : OTHER)

/** Reminders of a visit by their event, with the milliseconds before it. */
export const REMINDERS: readonly (readonly [event: string, before: number])[] = [
  ['reminder-24h', DAY],
  ['reminder-1h', HOUR],
]

/** What is asked after a visit by its event, with the milliseconds after its completion. */
export const AFTERWARDS: readonly (readonly [event: string, after: number])[] = [
  ['follow-up', HOUR],
  ['feedback', HOUR],
]

/** Completed visits that ended longer ago are taken for history. */
export const HISTORY_MS = DAY
