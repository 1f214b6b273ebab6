/** Settings of appointments, slots and queues. */
import { integer, type Setting, text } from './setting.ts'

export interface SchedulingSettings {
  /** How long a held slot is kept. */
  holdMinutes: number
  /** Template of the link to an online visit: `{appointment}` stands for the id of the Appointment; undefined: there is none. */
  joinUrl: string | undefined
}

export const SCHEDULING_SETTINGS = [
  {
    env: 'NADI_HOLD_MINUTES',
    values: '1 to 1440',
    default: '15',
    meaning: 'Minutes for which a slot is held before it must be booked.',
    read: integer(1, 1440),
  },
  {
    env: 'NADI_JOIN_URL',
    values: 'https URL with {appointment}',
    default: '',
    meaning:
      'Template of the link under which an online visit is joined; `{appointment}` stands for the id of the Appointment.',
    read: value => (/^https:\/\/\S+\{appointment\}\S*$/.test(value) ? text(value) : undefined),
  },
] as const satisfies readonly Setting[]

type Name = (typeof SCHEDULING_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const schedulingOf = (value: <T>(name: Name) => T): SchedulingSettings => ({
  holdMinutes: value('NADI_HOLD_MINUTES'),
  joinUrl: value('NADI_JOIN_URL'),
})
