/** Settings of how and when messages are told, whatever the channel. */
import { integer, type Setting, text } from './setting.ts'

export interface MessageSettings {
  /** Minutes of the local day between which reminders rest; undefined: never. */
  quiet: { from: number; to: number } | undefined
  /** Folder of templates that stand before the built-in ones; read on Node only. */
  templates: string | undefined
  /** Milliseconds that one attempt to send may take. */
  sendMs: number
  /** Attempts in all, and milliseconds before the second; the wait doubles each time. */
  tries: number
  waitMs: number
  /** What a telephone number without a country begins with: `91`. */
  countryCode: string
  /** Template of the link under which a patient says how the visit was; `{appointment}` stands for the id. Undefined: nobody is asked. */
  feedbackUrl: string | undefined
}

/** Reads `22:00-07:00`. */
function quietHours(value: string): { from: number; to: number } | 'off' | undefined {
  if (value === 'off') return value
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(value)
  if (match === null) return undefined
  const [from, to] = [Number(match[1]) * 60 + Number(match[2]), Number(match[3]) * 60 + Number(match[4])]
  return from === to ? undefined : { from, to }
}

export const MESSAGE_SETTINGS = [
  {
    env: 'NADI_QUIET_HOURS',
    values: 'off, or 22:00-07:00',
    default: 'off',
    meaning:
      'Hours at the place of the visit in which no reminder is sent: one that falls inside goes out before they begin. What happens now is told at once.',
    read: quietHours,
  },
  {
    env: 'NADI_TEMPLATES',
    values: 'folder',
    default: '',
    meaning: 'Folder of message templates (`standard.ml.json`) that replace the built-in ones. Node only.',
    read: text,
  },
  {
    env: 'NADI_SEND_TIMEOUT_MS',
    values: '100 to 300000',
    default: '30000',
    meaning: 'Milliseconds that one attempt to send a message may take.',
    read: integer(100, 300_000),
  },
  {
    env: 'NADI_SEND_TRIES',
    values: '1 to 100',
    default: '12',
    meaning: 'Attempts to send a message before it is given up, where its channel has no count of its own.',
    read: integer(1, 100),
  },
  {
    env: 'NADI_SEND_WAIT_MS',
    values: '1 to 3600000',
    default: '5000',
    meaning:
      'Milliseconds before the second attempt, about; each further wait is twice as long, an hour at most.',
    read: integer(1, 3_600_000),
  },
  {
    env: 'NADI_COUNTRY_CODE',
    values: '1 to 3 digits',
    default: '91',
    meaning: 'Country that a telephone number without one belongs to.',
    read: value => (/^[1-9]\d{0,2}$/.test(value) ? value : undefined),
  },
  {
    env: 'NADI_FEEDBACK_URL',
    values: 'https URL with {appointment}',
    default: '',
    meaning:
      'Link under which patients answer a questionnaire after a visit; `{appointment}` stands for the id of the Appointment. They are asked where it is set.',
    read: value => (/^https:\/\/\S+\{appointment\}\S*$/.test(value) ? text(value) : undefined),
  },
] as const satisfies readonly Setting[]

type Name = (typeof MESSAGE_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export function messagesOf(value: <T>(name: Name) => T): MessageSettings {
  const quiet = value<MessageSettings['quiet'] | 'off'>('NADI_QUIET_HOURS')
  return {
    quiet: quiet === 'off' ? undefined : quiet,
    templates: value('NADI_TEMPLATES'),
    sendMs: value('NADI_SEND_TIMEOUT_MS'),
    tries: value('NADI_SEND_TRIES'),
    waitMs: value('NADI_SEND_WAIT_MS'),
    countryCode: value('NADI_COUNTRY_CODE'),
    feedbackUrl: value('NADI_FEEDBACK_URL'),
  }
}
