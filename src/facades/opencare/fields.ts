/** What a client sends about an appointment, held against the rules of OpenCare one by one. */
import { type Kind, STATES, type State } from './codes.ts'
import type { Faults } from './errors.ts'

/** The fields as they were understood; ids are still integers. Times are ms since 1970. */
export interface Sent {
  patient?: number
  provider?: number
  facility?: number
  appointment_type?: string
  reason?: string
  status?: State
  start_time?: number
  end_time?: number
}

type Body = Readonly<Record<string, unknown>>

const REQUIRED = ['patient', 'provider', 'facility', 'start_time', 'end_time'] as const
const LONGEST_TYPE = 50
const LONGEST_REASON = 10_000

const TIME_FORMAT =
  'Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].'
const TIME =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,6}))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?$/i

/** Returns the fields and what is wrong with them. With `partial` none is required. */
export function readFields(body: unknown, partial: boolean): { sent: Sent; faults: Faults } {
  const sent: Sent = {}
  const faults: Faults = {}
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    const got = body === null ? 'NoneType' : Array.isArray(body) ? 'list' : nameOf(body)
    return { sent, faults: { non_field_errors: [`Invalid data. Expected a dictionary, but got ${got}.`] } }
  }
  const values = new Map(Object.entries(body as Body))
  const field = <K extends keyof Sent>(name: K, read: (value: unknown) => Sent[K] | { fault: string }) => {
    if (!values.has(name)) {
      if (!partial && (REQUIRED as readonly string[]).includes(name))
        faults[name] = ['This field is required.']
      return
    }
    const value = values.get(name)
    const got = value === null ? { fault: 'This field may not be null.' } : read(value)
    if (typeof got === 'object') faults[name] = [got.fault]
    else if (got !== undefined) sent[name] = got
  }
  field('patient', idOf)
  field('provider', idOf)
  field('facility', idOf)
  field('appointment_type', value => textOf(value, LONGEST_TYPE))
  field('reason', value => textOf(value, LONGEST_REASON))
  field('status', value =>
    STATES.includes(value as State)
      ? (value as State)
      : { fault: `"${shown(value)}" is not a valid choice.` },
  )
  field('start_time', timeOf)
  field('end_time', timeOf)
  return { sent, faults }
}

/** Returns the text for an id that nothing has. */
export const noSuch = (id: number | string): string => `Invalid pk "${id}" - object does not exist.`

/** The fields that name other resources. */
export const LINKS = ['patient', 'provider', 'facility'] as const satisfies readonly Kind[]

function idOf(value: unknown): number | { fault: string } {
  if (typeof value === 'string' && /^[0-9]{1,15}$/.test(value.trim())) return Number(value)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (typeof value === 'number' && Number.isInteger(value)) return { fault: noSuch(shown(value)) }
  return { fault: `Incorrect type. Expected pk value, received ${nameOf(value)}.` }
}

function textOf(value: unknown, longest: number): string | { fault: string } {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || !text.isWellFormed()) return { fault: 'Not a valid string.' }
  if (text.includes('\0')) return { fault: 'Null characters are not allowed.' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a FHIR string holds no others than these three
  if (/[\u0001-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) return { fault: 'Not a valid string.' }
  const trimmed = text.trim()
  // Characters, as upstream counts them, not UTF-16 units.
  if (trimmed.length > longest && [...trimmed].length > longest)
    return { fault: `Ensure this field has no more than ${longest} characters.` }
  return trimmed
}

/** Returns the instant; a time without an offset is in UTC. */
function timeOf(value: unknown): number | { fault: string } {
  const match = typeof value === 'string' ? TIME.exec(value.trim()) : null
  if (match === null) return { fault: TIME_FORMAT }
  const [, day, minutes, seconds = '00', fraction = '', zone = 'Z'] = match as unknown as string[]
  const offset = /^z$/i.test(zone!)
    ? 'Z'
    : zone!.length === 3
      ? `${zone}:00`
      : zone!.replace(/^(...):?/, '$1:')
  const at = Date.parse(`${day}T${minutes}:${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`)
  if (Number.isNaN(at)) return { fault: TIME_FORMAT }
  // Date.parse turns the 31st of February into a day of March.
  const local = at + offsetMs(offset)
  if (new Date(local).toISOString().slice(0, 10) !== day) return { fault: TIME_FORMAT }
  const year = new Date(at).getUTCFullYear()
  return year >= 1 && year <= 9999 ? at : { fault: TIME_FORMAT }
}

function offsetMs(offset: string): number {
  if (offset === 'Z') return 0
  const [hours, minutes] = offset.slice(1).split(':').map(Number) as [number, number]
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const nameOf = (value: unknown): string => {
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  return Array.isArray(value) ? 'list' : 'dict'
}

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.length > 100 ? `${text.slice(0, 100).toWellFormed()}...` : text.toWellFormed()
}

const MINUTE = 60_000
const SHORTEST = 5 * MINUTE
/** Nothing longer is an appointment; without an end to it a question of the calendar would have none either. */
const LONGEST_DAYS = 31

/** Returns what is wrong with the times of an appointment; `now` is ms since 1970. */
export function timeFaults(start: number, end: number, now: number): Faults {
  const faults: Faults = {}
  if (start < now) faults.start_time = ['Cannot schedule appointments in the past.']
  if (end <= start) faults.non_field_errors = ['End time must be after start time.']
  else if (end - start < SHORTEST) faults.non_field_errors = ['Appointment must be at least 5 minutes long.']
  else if (end - start > LONGEST_DAYS * 24 * 60 * MINUTE)
    faults.non_field_errors = [`Appointment must not be longer than ${LONGEST_DAYS} days.`]
  return faults
}
