/** `$reschedule`, an operation of this server: the same Appointment at another time, in another slot, or with others. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { participantsOf } from '../scheduling/proposal.ts'
import { type SlotAt, scheduleOf, slotsNamed, slotsWithin } from '../scheduling/slots-at.ts'
import { instantOf, keysOf } from '../search/busy.ts'
import type { Key, Live } from '../storage/port.ts'
import {
  answerWith,
  COMMENT,
  changeAppointment,
  commented,
  definitionOf,
  overtaken,
  putEntry,
  reference,
  VERSION,
  without,
} from './appointment-change.ts'
import { type Call, type Operation, textOf } from './operation.ts'

/** Those that have a time which is still to come. */
const MOVABLE: ReadonlySet<string> = new Set(['proposed', 'pending', 'booked'])

export const reschedule: Operation = {
  name: 'reschedule',
  definition: definitionOf('reschedule'),
  types: ['Appointment'],
  levels: ['instance'],
  affectsState: true,
  parameters: [
    { name: 'start', type: 'instant', min: 0, max: 1 },
    { name: 'end', type: 'instant', min: 0, max: 1 },
    { name: 'slot', type: 'Reference', min: 0, max: '*' },
    COMMENT,
    VERSION,
  ],
  async run(ctx, call) {
    const wish = wishOf(ctx, call)
    let seen: Live | undefined
    const stored = await changeAppointment(ctx, call, async (appointment, current) => {
      const before = timeOf(ctx, appointment)
      const next = await moved(ctx, appointment, wish)
      if (timeOf(ctx, next) === before) return []
      // Who moves it twice at once has not seen what the other made of it.
      if (seen !== undefined && seen.version !== current.version) throw overtaken(current)
      seen = current
      if (!MOVABLE.has(String(appointment.status)))
        throw fhirError(
          'business-rule',
          `${current.key} is ${String(appointment.status)}, and cannot be moved.`,
          {
            expression: 'Appointment.status',
          },
        )
      return [putEntry(commented(next, call), current)]
    })
    return answerWith(stored)
  },
}

interface Wish {
  start: string | undefined
  end: string | undefined
  slots: readonly Key[]
}

/** Throws `invalid` for what is no time or no slot, `required` where neither is there. */
function wishOf(ctx: Context, call: Call): Wish {
  const time = (name: string): string | undefined => {
    const text = textOf(call, name)
    if (text !== undefined && (instantOf(text) === undefined || !/T.*(Z|[+-]\d\d:\d\d)$/.test(text)))
      throw fhirError('invalid', `${name} is an instant: 2026-11-30T09:00:00+05:30.`, {
        expression: `http.${name}`,
      })
    return text
  }
  const start = time('start')
  const end = time('end')
  const slots = (call.trees.get('slot') ?? []).map(one => {
    const [key] = keysOf(one, ctx.settings.baseUrl)
    if (key?.startsWith('Slot/') !== true)
      throw fhirError('invalid', 'slot is a reference to a Slot of this server.', { expression: 'http.slot' })
    return key as Key
  })
  if (start === undefined && slots.length === 0)
    throw fhirError('required', '$reschedule needs start, or slot.', { expression: 'http.start' })
  if (end !== undefined && start === undefined)
    throw fhirError('required', 'end comes with start.', { expression: 'http.start' })
  return { start, end, slots }
}

/** Returns the appointment at its new time. Throws `business-rule` (422) for a slot that is not there. */
async function moved(ctx: Context, appointment: Resource, wish: Wish): Promise<Resource> {
  const found = await slotsNamed(ctx, wish.slots)
  if (found.length < new Set(wish.slots).size)
    throw fhirError('business-rule', 'There is no such slot.', { expression: 'http.slot' })
  const start = wish.start ?? String(found[0]!.resource.start)
  const end =
    wish.end ??
    (wish.start === undefined ? String(found.at(-1)!.resource.end) : sameLength(appointment, start))
  const slots = found.length > 0 ? found.map(one => one.key) : await inSchedule(ctx, appointment, start, end)
  const minutes = (instantOf(end)! - instantOf(start)!) / 60_000
  const kept = minutes === lengthOf(appointment) ? appointment : without(appointment, 'minutesDuration')
  const next: Resource = { ...without(await atPlaceOf(ctx, kept, found), 'slot'), start, end }
  return slots.length === 0 ? next : { ...next, slot: slots.map(reference) }
}

const OF_A_SCHEDULE = /^(?:Practitioner|PractitionerRole|Location|HealthcareService)\//

/** Returns the appointment with those who belong to its new slots, where they are of another schedule than it had. */
async function atPlaceOf(ctx: Context, appointment: Resource, slots: readonly SlotAt[]): Promise<Resource> {
  const schedules = schedulesOf(ctx, slots)
  const before = schedulesOf(ctx, await slotsNamed(ctx, slotsOf(ctx, appointment)))
  if (schedules.every(one => before.includes(one))) return appointment
  const found = await ctx.storage.readMany(schedules)
  const others = [...found.values()].flatMap(one =>
    one.text === undefined ? [] : participantsOf(resourceOf(one as Live)),
  )
  const own = objects(appointment.participant).filter(
    one => !OF_A_SCHEDULE.test(keysOf(one.actor, ctx.settings.baseUrl)[0] ?? ''),
  )
  return { ...appointment, participant: [...own, ...others] }
}

const schedulesOf = (ctx: Context, slots: readonly SlotAt[]): Key[] => [
  ...new Set(slots.flatMap(one => (scheduleOf(ctx, one.resource) ?? []) as Key[])),
]

const lengthOf = ({ start, end }: Resource): number =>
  ((instantOf(end) ?? Number.NaN) - (instantOf(start) ?? Number.NaN)) / 60_000

/** Returns the end of an appointment that is as long as it was. Throws `required` where it had no time. */
function sameLength(appointment: Resource, start: string): string {
  const minutes = lengthOf(appointment)
  if (Number.isNaN(minutes)) throw fhirError('required', '$reschedule needs end.', { expression: 'http.end' })
  return inOffsetOf(start, instantOf(start)! + minutes * 60_000)
}

/** Returns an instant (ms since 1970) with the offset that another is written with. */
function inOffsetOf(text: string, at: number): string {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(text) ?? []
  if (sign === undefined) return new Date(at).toISOString()
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
  return new Date(at + offset).toISOString().replace(/(?:\.000)?Z$/, `${sign}${hours}:${minutes}`)
}

/** Returns the slots of its own schedules that make up the time; none where they do not. */
async function inSchedule(ctx: Context, appointment: Resource, start: string, end: string): Promise<Key[]> {
  const had = await slotsNamed(ctx, slotsOf(ctx, appointment))
  const schedules = schedulesOf(ctx, had)
  const [from, to] = [instantOf(start)!, instantOf(end)!]
  const found = (await slotsWithin(ctx, schedules, from, to)).filter(
    one => one.resource.status !== 'entered-in-error',
  )
  return schedules.every(schedule => {
    const own = found.filter(one => scheduleOf(ctx, one.resource) === schedule)
    return own[0]?.start === from && own.at(-1)?.end === to
  })
    ? found.map(one => one.key)
    : []
}

const slotsOf = (ctx: Context, { slot }: Resource): Key[] =>
  Array.isArray(slot) ? (slot.flatMap(one => keysOf(one, ctx.settings.baseUrl)) as Key[]) : []

/** Returns when and where an appointment is, to be compared. */
const timeOf = (ctx: Context, appointment: Resource): string =>
  [instantOf(appointment.start), instantOf(appointment.end), ...slotsOf(ctx, appointment).sort()].join(' ')
