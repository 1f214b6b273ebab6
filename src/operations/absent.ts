/**
 * `$absent`, an operation of this server: the practitioner is absent for a day, or for what is left of it. The day is closed, each
 * appointment moved or cancelled, and each patient told once. It is done in many commits, each of which is whole: what is done is not done
 * again when the operation is called once more.
 */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { NumberText, writeJson } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { read } from '../interactions/read.ts'
import { placesLeft, resourceOf, type Taken } from '../scheduling/calendar.ts'
import { EXTENSION } from '../scheduling/codes.ts'
import { extensionsOf, isLive } from '../scheduling/hold.ts'
import { dayAfter, notAvailable, startOfDay } from '../scheduling/hours.ts'
import { schedulesOf } from '../scheduling/practitioner.ts'
import { type SlotAt, scheduleOf, slotsNamed, slotsWithin } from '../scheduling/slots-at.ts'
import { instantOf } from '../search/busy.ts'
import { idOf, type Key, keyOf, stampText } from '../storage/port.ts'
import { commitAll, concept, putEntry, settled, without } from './appointment-change.ts'
import { callingOff } from './appointment-visit.ts'
import { type Operation, textOf } from './operation.ts'
import {
  dayIn,
  dayOf,
  orLeft,
  type PractitionerDay,
  patientsIn,
  requestEntry,
  toCome,
} from './practitioner-day.ts'

/** Days in which free slots are looked for, and the most of them. */
const DAYS = 14
const MOST_DAYS = 60

export const absent: Operation = {
  name: 'absent',
  definition: 'urn:nadi:operation:practitioner-absent',
  types: ['Practitioner'],
  levels: ['instance'],
  affectsState: true,
  parameters: [
    { name: 'day', type: 'date', min: 1, max: 1 },
    { name: 'to', type: 'date', min: 0, max: 1 },
    { name: 'days', type: 'positiveInt', min: 0, max: 1 },
    { name: 'move', type: 'boolean', min: 0, max: 1 },
  ],
  async run(ctx, call) {
    await read(ctx, call.type, call.id)
    const day = await dayOf(ctx, keyOf('Practitioner', call.id), dayIn(ctx, call, 'day'))
    const to = dayIn(ctx, call, 'to') ?? dayAfter(day.day, 1)
    const days = Number(textOf(call, 'days') ?? DAYS)
    if (days > MOST_DAYS) throw fhirError('value', `days is 1 to ${MOST_DAYS}.`, { expression: 'http.days' })
    const schedules = await schedulesOf(ctx, day.actors)
    await closeHours(ctx, day)
    const blocked = await block(ctx, schedules, day)
    const free = textOf(call, 'move') === 'false' ? [] : await freeSlots(ctx, schedules, day, to, days)
    const done = await clear(ctx, day, free)
    const count = { name: 'blocked', valueInteger: new NumberText(String(blocked)) }
    return { text: writeJson({ resourceType: 'Parameters', parameter: [count, ...done] }) }
  },
}

/** Writes the absence into the practitioner's roles, so that no slots are made of these hours again. */
async function closeHours(ctx: Context, { day, start, end, roles }: PractitionerDay): Promise<void> {
  const { zone } = ctx.settings
  const whole = start === startOfDay(day, zone)
  const during = whole ? { start: day, end: day } : { start: stampText(start), end: stampText(end) }
  for (const { key } of roles)
    await settled(async () => {
      const stored = await read(ctx, 'PractitionerRole', idOf(key))
      const role = resourceOf(stored)
      if (notAvailable(role, zone).some(span => span.start <= start && span.end >= end)) return
      const times = [...objects(role.notAvailable), { description: 'Absent', during }]
      await commitAll(ctx, [putEntry({ ...role, notAvailable: times }, stored)])
    })
}

/** Slots that are closed in one commit. */
const AT_ONCE = 50

/** Closes what is left of the day's slots, free or not; returns how many. Whoever moves away leaves them closed. */
async function block(
  ctx: Context,
  schedules: readonly Key[],
  { start, end, day }: PractitionerDay,
): Promise<number> {
  const from = startOfDay(day, ctx.settings.zone)
  let count = 0
  for (;;) {
    const open = (await slotsWithin(ctx, schedules, from, end))
      .filter(slot => slot.end > start && OPEN.has(String(slot.resource.status)))
      .slice(0, AT_ONCE)
    if (open.length === 0) return count
    count += await settled(async () => {
      const now = await slotsNamed(
        ctx,
        open.map(({ key }) => key),
      )
      const left = now.filter(({ resource }) => OPEN.has(String(resource.status)))
      if (left.length > 0) await commitAll(ctx, left.map(blocked))
      return left.length
    })
  }
}

const OPEN: ReadonlySet<string> = new Set(['free', 'busy', 'busy-tentative'])

const blocked = ({ resource, stored }: SlotAt): JsonObject =>
  putEntry({ ...resource, status: 'busy-unavailable' }, stored)

interface Free extends SlotAt {
  schedule: string | undefined
  places: number
}

/** Returns the practitioner's slots that may be moved to, in the order of their start. */
async function freeSlots(
  ctx: Context,
  schedules: readonly Key[],
  day: PractitionerDay,
  to: string,
  days: number,
): Promise<Free[]> {
  const { zone } = ctx.settings
  const slots = await slotsWithin(ctx, schedules, startOfDay(to, zone), startOfDay(dayAfter(to, days), zone))
  const own = (slot: SlotAt) => slot.start < day.end && slot.end > day.start
  const free: Free[] = []
  for (const slot of slots)
    if (slot.resource.status === 'free' && slot.start > ctx.clock() && !own(slot))
      free.push({
        ...slot,
        schedule: scheduleOf(ctx, slot.resource),
        places: await placesLeft(ctx, slot.resource),
      })
  return free
}

type Outcome = 'moved' | 'cancelled' | 'left'

/** Moves or cancels all that is still to come on the day; returns what became of each. */
async function clear(ctx: Context, day: PractitionerDay, free: readonly Free[]): Promise<JsonObject[]> {
  const done = new Map<string, Outcome>()
  for (;;) {
    // Who books without a slot may come in meanwhile.
    const next = (await toCome(ctx, day)).filter(({ key }) => !done.has(key))
    if (next.length === 0) break
    for (const one of next)
      done.set(one.key, await orLeft<Outcome>(ctx, one.key, 'left', () => moveOrCancel(ctx, one, free)))
  }
  return [...done].map(([reference, name]) => ({ name, valueReference: { reference } }))
}

async function moveOrCancel(ctx: Context, one: Taken, free: readonly Free[]): Promise<Outcome> {
  // What is only held is nobody's yet.
  const usable = one.resource.status === 'pending' ? [] : free
  const schedules = new Set(
    (await slotsNamed(ctx, one.slots as Key[])).map(slot => scheduleOf(ctx, slot.resource)),
  )
  for (const slot of usable) {
    if (slot.places <= 0 || (schedules.size > 0 && !schedules.has(slot.schedule))) continue
    if (slot.end - slot.start < one.end - one.start) continue
    const outcome = await place(ctx, one, slot)
    if (outcome !== undefined) return outcome
  }
  return (await change(ctx, one, undefined)) ? 'cancelled' : 'left'
}

/** Returns what became of the appointment; undefined where it does not go into this slot. */
async function place(ctx: Context, one: Taken, slot: Free): Promise<Outcome | undefined> {
  try {
    const isMoved = await change(ctx, one, slot)
    if (isMoved) slot.places--
    return isMoved ? 'moved' : 'left'
  } catch (error) {
    if (!(error instanceof FhirError) || error.code !== 'conflict') throw error
    if (error.issues.some(({ rule }) => rule !== 'patient-overlap')) slot.places = 0
    return undefined
  }
}

/** Returns whether the appointment was changed; somebody else may have been faster. Patients are told in the same commit. */
async function change(ctx: Context, { key, start }: Taken, slot: Free | undefined): Promise<boolean> {
  return settled(async () => {
    const stored = await read(ctx, 'Appointment', idOf(key))
    const before = resourceOf(stored)
    if (!isLive(before, ctx.clock()) || instantOf(before.start) !== start) return false
    const after = slot === undefined ? cancelled(before) : moved(before, slot)
    const cause = `${key}|doctor-absent|${stored.version}`
    const values = {
      oldWhen: stampText(start),
      ...(slot === undefined ? {} : { newWhen: stampText(slot.start) }),
    }
    await commitAll(ctx, [
      putEntry(after, stored),
      ...(await callingOff(ctx, before)),
      ...patientsIn(ctx, before).map(patient => requestEntry(patient, key, 'doctor-absent', cause, values)),
    ])
    return true
  })
}

/** https://terminology.hl7.org/CodeSystem-appointment-cancellation-reason.html */
const REASONS = 'http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason'

const cancelled = (appointment: Resource): Resource => ({
  ...appointment,
  status: 'cancelled',
  cancelationReason: concept(REASONS, 'prov', 'Provider'),
})

/** Returns the appointment in another slot; who had arrived goes home first. */
function moved(appointment: Resource, slot: Free): Resource {
  const extension = extensionsOf(appointment).filter(({ url }) => url !== EXTENSION.expectedStart)
  const isAsLong = slot.end - slot.start === instantOf(appointment.end)! - instantOf(appointment.start)!
  const rest = without(appointment, 'extension', ...(isAsLong ? [] : ['minutesDuration']))
  return {
    ...rest,
    ...(extension.length > 0 && { extension }),
    status: 'booked',
    start: slot.resource.start ?? null,
    end: slot.resource.end ?? null,
    slot: [{ reference: slot.key }],
  }
}
