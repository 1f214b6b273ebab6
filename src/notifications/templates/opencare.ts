/** The texts of OpenCare's own notices, for appointments that it made. They exist in English alone. */
import type { Template, Texts } from '../template.ts'

const END = '\n\nThank you,\nOpenCare-Africa Team'
const WHO = 'Patient: {patient}\nProvider: {practitioner}\nFacility: {place}\n'
const LENGTH = 'Duration: {minutes} minutes'
const WHAT = '\nType: {typeOr}\nReason: {reasonOr}'

const notice = (what: string, sentence: string, lines: string, last: string, text: string): Template => ({
  subject: `Appointment ${what} - {whenLong}`,
  email: `Hello {name},\n\n${sentence}\n\n${WHO}${lines}${last === '' ? '' : `\n\n${last}`}${END}`,
  text,
})

const updated = notice(
  'Updated',
  'Your appointment has been updated:',
  `New Date & Time: {whenLong}\n${LENGTH}`,
  'Please note the new time and arrive 10 minutes early.',
  'Appointment updated: {whenShort} with {practitioner} at {place}.',
)

export const OPENCARE: Texts = {
  booked: notice(
    'Scheduled',
    'Your appointment has been scheduled:',
    `Date & Time: {whenLong}\n${LENGTH}${WHAT}`,
    'Please arrive 10 minutes before your scheduled time.',
    'Appointment scheduled: {whenShort} with {practitioner} at {place}. Arrive 10 mins early.',
  ),
  updated,
  rescheduled: updated,
  cancelled: notice(
    'Cancelled',
    'Your appointment has been cancelled:',
    'Original Date & Time: {whenLong}',
    'If you need to reschedule, please contact the facility or book a new appointment.',
    'Appointment cancelled: {whenShort} with {practitioner}. Contact facility to reschedule.',
  ),
  'reminder-24h': notice(
    'Reminder',
    'This is a reminder about your upcoming appointment:',
    `Date & Time: {whenLong}\n${LENGTH}${WHAT}`,
    'Please arrive 10 minutes before your scheduled time.',
    'Reminder: Appointment tomorrow {whenShort} with {practitioner} at {place}.',
  ),
}
