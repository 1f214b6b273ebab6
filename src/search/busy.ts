/**
 * When somebody or something is taken: rows by which live appointments, and slots, are found that may overlap an interval, at a cost that
 * does not grow with the length of the calendar. The reader compares the times themselves.
 */
import { timeRange } from '../fhir/instant.ts'
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import { parseReference } from '../fhir/reference.ts'
import type { Node } from './plan-node.ts'
import type { Sink } from './sink.ts'

/**
 * Token rows of Appointments under `Practitioner/1@q1968536` for each quarter of an hour that a participant, or `Slot/1@` for each slot, is
 * taken; of Slots the same for the time of their Schedule.
 */
export const BUSY = '_busy'

/** The same of appointments that nobody came to, whose time OpenCare's rule keeps taken. */
export const MISSED = '_missed'

/** Sort row of Appointments: when they were made, as an instant in UTC. R4 has no search parameter for it. */
export const CREATED = '_created'

const QUARTER = 900_000
const HOUR = 4 * QUARTER
const DAY = 24 * HOUR
const MONTH = 30 * DAY

/** Up to these lengths intervals stand under quarters, hours, days and months, all of them also under the days of a second kind. */
const LEVELS: readonly (readonly [longest: number, mark: string, unit: number])[] = [
  [HOUR, 'q', QUARTER],
  [4 * HOUR, 'h', HOUR],
  [4 * DAY, 'd', DAY],
  [120 * DAY, 'm', MONTH],
]
const EVERY = 'e'
/** What is longer than all levels. */
const LONGER = '*'
/** Questions up to this length are asked level by level, longer ones by the days that everything stands under. */
const NARROW = 6 * HOUR

/** https://hl7.org/fhir/R4/valueset-appointmentstatus.html: what keeps others from the time; a hold also, while it is not expired. */
export const LIVE: ReadonlySet<string> = new Set(['pending', 'booked', 'arrived', 'checked-in'])

const steps = (name: string, unit: number, start: number, end: number): string[] => {
  const found: string[] = []
  for (let at = Math.floor(start / unit); at * unit < end; at++) found.push(`${name}${at}`)
  return found
}

/** Returns the marks that an interval is stored under; ms since 1970, `end` exclusive. */
function marksOf(start: number, end: number): string[] {
  const level = LEVELS.find(([longest]) => end - start <= longest)
  if (level === undefined) return [LONGER]
  return [...steps(level[1], level[2], start, end), ...steps(EVERY, DAY, start, end)]
}

/** Returns the marks under which everything stands that may overlap an interval. */
const marksNear = (start: number, end: number): string[] => [
  ...(end - start > NARROW
    ? steps(EVERY, DAY, start, end)
    : LEVELS.flatMap(([, mark, unit]) => steps(mark, unit, start, end))),
  LONGER,
]

/** Returns the node that finds what may overlap the interval for one of these: `Practitioner/1`; of Slots `Schedule/1`. */
export const busyNode = (of: readonly string[], start: number, end: number, param = BUSY): Node => ({
  kind: 'or',
  nodes: marksNear(start, end).flatMap(mark =>
    of.map((one): Node => ({ kind: 'token', param, system: '', code: `${one}@${mark}` })),
  ),
})

/** Returns the node that finds the live appointments of a slot. */
export const inSlotNode = (slot: string): Node => ({
  kind: 'token',
  param: BUSY,
  system: '',
  code: `${slot}@`,
})

/** Returns ms since 1970 of an instant; undefined for what is none. */
export function instantOf(value: Json | undefined): number | undefined {
  if (typeof value !== 'string') return undefined
  const at = Date.parse(value)
  // FHIR knows leap seconds, JavaScript does not.
  return Number.isNaN(at) ? timeRange(value, 'UTC')?.lo : at
}

/** Adds the rows of an Appointment or a Slot; nothing for other types, for what is not live, and where times are missing. */
export function writeBusy(resource: Resource, { rows, baseUrl }: Sink): void {
  const { resourceType: type, status } = resource
  if (type !== 'Appointment' && type !== 'Slot') return
  const created = type === 'Appointment' ? instantOf(resource.created) : undefined
  if (created !== undefined) {
    const key = new Date(created).toISOString()
    rows.push({ kind: 'sort', param: CREATED, min: key, max: key })
  }
  const missed = type === 'Appointment' && status === 'noshow'
  if (type === 'Slot' ? status === 'entered-in-error' : !(missed || LIVE.has(status as string))) return
  const param = missed ? MISSED : BUSY
  const add = (code: string): void => {
    rows.push({ kind: 'token', param, system: '', code })
  }
  const start = instantOf(resource.start)
  const end = instantOf(resource.end)
  const marks = start !== undefined && end !== undefined && end > start ? marksOf(start, end) : []
  const of = type === 'Slot' ? [resource.schedule] : actorsOf(resource)
  for (const one of new Set(of.flatMap(reference => keysOf(reference, baseUrl))))
    for (const mark of marks) add(`${one}@${mark}`)
  if (type === 'Appointment' && !missed && Array.isArray(resource.slot))
    for (const one of new Set(resource.slot.flatMap(reference => keysOf(reference, baseUrl)))) add(`${one}@`)
}

/** Returns the references of those who take part and have not declined. */
export const actorsOf = (appointment: JsonObject): Json[] =>
  Array.isArray(appointment.participant)
    ? appointment.participant.flatMap(one =>
        isObject(one) && one.status !== 'declined' && one.actor !== undefined ? [one.actor] : [],
      )
    : []

/** Returns the key of a reference to a resource of ours, in a list; an empty one for any other. */
export function keysOf(reference: Json | undefined, baseUrl: string): string[] {
  if (!isObject(reference) || typeof reference.reference !== 'string') return []
  const to = parseReference(reference.reference, baseUrl)
  return to.kind === 'local' ? [`${to.type}/${to.id}`] : []
}
