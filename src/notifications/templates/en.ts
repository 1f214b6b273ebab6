/** Texts in English, which every other language falls back to. */
import type { Texts } from '../template.ts'

const WHO = '[ with {practitioner}][ at {facility}]'
const MORE = '[ Token: {token}.][ Join here: {link}]'

export const EN: Texts = {
  booked: {
    subject: 'Appointment booked: {when}',
    text: `Appointment booked for {patient}${WHO}: {when}.${MORE}`,
    email:
      'Dear {name},\n\nan appointment is booked.\n\nPatient: {patient}\n[Doctor: {practitioner}\n][Place: {facility}\n]Time: {when}\n[Token: {token}\n][Join here: {link}\n]\nThe calendar entry is attached.\n',
  },
  'booked/practitioner': {
    subject: 'New appointment: {when}',
    text: 'New appointment: {patient}, {when}[, {facility}].[ Reason: {reason}.][ Token: {token}.][ Join here: {link}]',
  },
  rescheduled: {
    subject: 'Appointment moved to {when}',
    text: `The appointment of {patient}${WHO} has a new time: {when}.[ It was: {oldWhen}.]${MORE}`,
    email:
      'Dear {name},\n\nan appointment has a new time.\n\nPatient: {patient}\n[Doctor: {practitioner}\n][Place: {facility}\n]New time: {when}\n[Old time: {oldWhen}\n][Token: {token}\n][Join here: {link}\n]\nThe new calendar entry is attached.\n',
  },
  'rescheduled/practitioner': {
    subject: 'Appointment moved to {when}',
    text: 'The appointment of {patient} is moved to {when}[, {facility}].[ It was: {oldWhen}.]',
  },
  cancelled: {
    subject: 'Appointment cancelled: {when}',
    text: `The appointment of {patient}${WHO} on {when} is cancelled. For another time please contact the clinic.`,
  },
  'cancelled/practitioner': {
    subject: 'Appointment cancelled: {when}',
    text: 'The appointment of {patient} on {when} is cancelled.',
  },
  'no-show': {
    subject: 'We missed you: {when}',
    text: '{patient} had an appointment on {when} and did not come. For another time please contact the clinic.',
  },
  'reminder-24h': {
    subject: 'Reminder: appointment on {when}',
    text: `Reminder: {patient} has an appointment${WHO} on {when}.${MORE}`,
  },
  'reminder-1h': {
    subject: 'Reminder: appointment at {time}',
    text: `Reminder: {patient} has an appointment${WHO} soon: {when}.${MORE}`,
  },
  'follow-up': {
    subject: 'After your visit',
    text: 'Thank you for the visit of {patient}[ to {facility}]. Please follow the advice that was given, and contact the clinic if anything is unclear or gets worse.',
  },
  feedback: {
    subject: 'How was your visit?',
    text: 'How was the visit of {patient}[ to {facility}]?[ Please tell us here: {link}]',
  },
  'queue.fifth': {
    subject: 'Token {token}',
    text: 'Token {token}: four are before you now. Please be near.',
  },
  'queue.next': { subject: 'Token {token}', text: 'Token {token}: you are next.' },
  'queue.called': { subject: 'Token {token}', text: 'Token {token}: please come in, you are being called.' },
  'waitlist-offer': {
    subject: 'A time is free: {when}',
    text: `A time is free for {patient}${WHO}: {when}.[ Please answer before {until}.][ Answer here: {link}]`,
  },
  'doctor-late': {
    subject: 'The doctor is late',
    text: '[{practitioner}: ]The appointment of {patient} on {when} begins later[, by about {delay} minutes][: {expected}]. We are sorry for the wait.',
  },
  'doctor-absent': {
    subject: 'The doctor is away: {oldWhen}',
    text: '[{practitioner} is away. ]The appointment of {patient} on {oldWhen} cannot take place.[ New time: {newWhen}.] Please contact the clinic with any question.',
  },
  emergency: {
    subject: 'Emergency admission',
    text: 'Emergency: {patient} is on the way[ to {facility}].[ {details}]',
  },
  pin: {
    subject: 'Your PIN',
    text: 'The PIN for the visit of {patient} is {pin}.[ Time: {when}.] Show it at the clinic only.',
  },
  message: { subject: 'Message from the clinic', text: '{text}' },
}
