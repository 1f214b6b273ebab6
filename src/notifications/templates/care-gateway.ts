/** The texts that the gateway of Care knows, word for word. They exist in English alone. */
import type { Texts } from '../template.ts'

const BOOKING = 'Booking ID: {id}, Patient: {patient}'
const PRACTITIONER = 'Practitioner: {practitionerOr}'
const TOKEN = '[, Token Number: {token}]'
const QUEUE = 'Queue update for token {token}. Current queue position: {position}.'

export const CARE_GATEWAY: Texts = {
  booked: {
    text: `Your appointment has been booked successfully. ${BOOKING}, ${PRACTITIONER}, Date & Time: {whenIso}${TOKEN}`,
  },
  rescheduled: {
    text: `Your appointment has been booked successfully. ${BOOKING}, ${PRACTITIONER}, New Date & Time: {whenIso}${TOKEN}`,
  },
  cancelled: { text: `Your appointment has been cancelled. ${BOOKING}` },
  'reminder-1h': {
    text: `Reminder: Your appointment is scheduled in 1 hour. ${BOOKING}, ${PRACTITIONER}, Date & Time: {whenIso}${TOKEN}`,
  },
  'queue.fifth': { text: `${QUEUE} You are 5th in the queue.` },
  'queue.next': { text: `${QUEUE} You are next in the queue.` },
  'queue.called': { text: `${QUEUE} Your token is currently being called.` },
}
