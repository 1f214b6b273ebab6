/**
 * Calendar entries that mails carry, for the calendars of those who are told.
 * https://www.rfc-editor.org/rfc/rfc5545, https://www.rfc-editor.org/rfc/rfc5546
 */
import ical, { ICalAttendeeStatus, ICalCalendarMethod, ICalEventStatus } from 'ical-generator'
import type { Context } from '../context.ts'
import type { Attachment } from './channel.ts'
import type { Role } from './event.ts'
import type { Visit } from './visit.ts'

export const PRODUCT = '//Nadi//Appointments//EN'

/** Returns the name under which an appointment stands in calendars, whatever its time. */
export const uidOf = (appointment: string): string => `${appointment.replace('/', '-').toLowerCase()}@nadi`

export interface Invited {
  event: string
  visit: Visit
  /** The appointment that this one is in the place of, where that is another. */
  previous: Visit | undefined
  /** Grows with each version of the appointment. */
  sequence: number
  role: Role
  /** Whose calendar it is for. */
  to: string
  language: string
}

const REQUESTING: ReadonlySet<string> = new Set(['booked', 'rescheduled', 'updated'])

/** Returns the .ics of a booking, a new time or a cancellation; nothing for other events. */
export function invitationsOf(ctx: Context, invited: Invited): Attachment[] {
  const { event, visit, previous } = invited
  if (event === 'cancelled')
    return [attachment(ctx, invited, visit, ICalCalendarMethod.CANCEL, 'cancelled.ics')]
  if (!REQUESTING.has(event) || Number.isNaN(visit.start) || Number.isNaN(visit.end)) return []
  const entry = attachment(ctx, invited, visit, ICalCalendarMethod.REQUEST, 'appointment.ics')
  if (previous === undefined || previous.key === visit.key) return [entry]
  return [entry, attachment(ctx, invited, previous, ICalCalendarMethod.CANCEL, 'cancelled.ics')]
}

function attachment(
  ctx: Context,
  { sequence, role, to, language }: Invited,
  visit: Visit,
  method: ICalCalendarMethod.CANCEL | ICalCalendarMethod.REQUEST,
  name: string,
): Attachment {
  const calendar = ical({ prodId: PRODUCT, method })
  const isCancelled = method === ICalCalendarMethod.CANCEL
  const other = visit.names(role === 'patient' ? 'practitioner' : 'patient', language)
  calendar.createEvent({
    id: uidOf(visit.key),
    // Of an appointment in whose place another came, nobody knows the version here: the last word has the highest number.
    sequence: isCancelled ? sequence + 1 : sequence,
    stamp: new Date(ctx.clock()),
    start: new Date(visit.start),
    end: new Date(visit.end),
    summary:
      [other, visit.names('facility', language)].filter(part => part !== '').join(', ') || 'Appointment',
    location: visit.names('place', language) || null,
    status: isCancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
    organizer: organizerOf(ctx, visit.names('facility', language)),
    attendees: [{ email: to, status: ICalAttendeeStatus.ACCEPTED, rsvp: false }],
    ...(visit.joinUrl === undefined || isCancelled ? {} : { url: visit.joinUrl }),
  })
  return { name, type: `text/calendar; charset=utf-8; method=${method}`, text: calendar.toString() }
}

/** Who sends the mail invites too. */
function organizerOf(ctx: Context, facility: string): { name: string; email: string } {
  const from = ctx.settings.notifications.channels.mail.from
  const name = from?.name || facility || 'Clinic'
  return { name, email: from?.address ?? `noreply@${new URL(ctx.settings.baseUrl).hostname}` }
}
