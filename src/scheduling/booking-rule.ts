/** Who may be booked when: the rule for Appointments and Slots, whoever writes them. docs/scheduling.md says it in words. */
import type { Context, Pending, Put, Ruling, WriteRule } from '../context.ts'
import { FhirError, fhirError, type Issue } from '../fhir/error.ts'
import { isObject, type Resource } from '../fhir/json.ts'
import { LIVE } from '../search/busy.ts'
import { type Key, type Require, typeOf } from '../storage/port.ts'
import { mayFollow } from './appointment-status.ts'
import { type Book, openBook, type Place, type Stretch } from './book.ts'
import { hasCoding, overlap, type Taken, takenOf } from './calendar.ts'
import { EXTENSION } from './codes.ts'
import { expired, extensionOf, held, isExpired, isLive, withExtension } from './hold.ts'
import { covered, joined } from './hours.ts'
import { derivedStatus, inSlot, isMarked, isSetByHand, ownersOf, withStatus } from './slot-status.ts'
import { scheduleOf } from './slots-at.ts'

export const bookingRule: WriteRule = { types: new Set(['Appointment', 'Slot']), contends, judge }

/** A slot is wanted by many at the moment when it is published; without one, the time of those who take part. */
function contends(ctx: Context, after: readonly Resource[]): string[] {
  return after.flatMap(resource => {
    if (resource.resourceType !== 'Appointment') return []
    const { slots, actors } = takenOf('Appointment/new', resource, ctx.settings.baseUrl)
    return slots.length > 0 ? [...slots] : actors.filter(actor => actor.startsWith('Practitioner'))
  })
}

/** An appointment that the commit writes. */
interface Visit {
  key: Key
  before: Taken | undefined
  after: Taken | undefined
  /** It stood in the calendar, as a hold that has run out still does. */
  stood: boolean
  isLive: boolean
  /** It takes time, places or persons that it did not take before. */
  takes: boolean
}

async function judge(ctx: Context, pending: readonly Pending[]): Promise<Ruling> {
  const now = ctx.clock()
  const puts = new Map<Key, Put>()
  const visits: Visit[] = []
  for (const one of pending) {
    if (typeOf(one.key) !== 'Appointment') continue
    checkTransition(one)
    const after = one.after === undefined ? undefined : completed(ctx, one)
    if (after !== one.after) puts.set(one.key, { key: one.key, current: undefined, resource: after })
    visits.push(visitOf(ctx, one, after, now))
  }
  const slots = pending.filter(one => typeOf(one.key) === 'Slot' && slotMatters(one))
  const moving = visits.filter(visit => visit.takes || (visit.stood && !visit.isLive) || changesKind(visit))
  if (moving.length === 0 && slots.length === 0) return { puts: [...puts.values()] }

  const left = new Map(slots.flatMap(one => (one.after === undefined ? [] : [[one.key, one.after] as const])))
  const stretches = [...moving.flatMap(stretchesOf), ...slotStretches(slots)]
  let book = await openBook(ctx, stretches, left)
  const over = moving.flatMap(visit => (visit.takes ? runOut(book, visit, visits, now) : []))
  // What they took elsewhere is free with them.
  if (over.length > 0) book = await openBook(ctx, [...stretches, ...over.map(timeOf)], left)
  const stored = [...book.taken.values()]
  const after = overlay(book.taken, visits)

  const issues: Issue[] = []
  for (const visit of moving) {
    if (!visit.takes || visit.after === undefined) continue
    const own = visit.after
    issues.push(...placeIssues(book, own, after, now), ...ownerIssues(book, own, after, now))
    for (const patient of own.actors.filter(actor => actor.startsWith('Patient/')))
      issues.push(...patientIssues(own, patient, after, now))
    for (const one of runOut(book, visit, visits, now))
      puts.set(one.key, { key: one.key, current: one.stored, resource: expired(one.resource) })
  }
  issues.push(...slotIssues(ctx, book, slots, after, now))
  if (issues.length > 0) throw new FhirError('conflict', issues)

  for (const put of slotPuts(book, slots, stored, after, now)) puts.set(put.key, put)
  return { puts: [...puts.values()], require: [...book.require, ...holdsStay(book, visits, after, now)] }
}

function checkTransition({ key, before, after }: Pending): void {
  const from = before?.status
  const to = after?.status
  if (typeof from !== 'string' || typeof to !== 'string' || mayFollow(from, to)) return
  const diagnostics = `${key} is ${from}, and cannot become ${to}.`
  const issue: Issue = {
    severity: 'error',
    code: 'business-rule',
    diagnostics,
    expression: 'Appointment.status',
    rule: 'status-transition',
  }
  throw new FhirError('business-rule', [issue])
}

const VIRTUAL = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const VR = new Set(['VR'])

/** Returns whether an appointment is an online one. */
export const isOnline = ({ serviceType, serviceCategory, appointmentType }: Resource): boolean =>
  hasCoding([serviceType, serviceCategory, appointmentType].flat(), VIRTUAL, VR)

/** Returns the appointment with what the server adds: the end of its hold, and the link to an online visit. */
function completed(ctx: Context, { key, before, after }: Pending): Resource {
  let resource = after!
  if (resource.status === 'pending') resource = held(ctx, resource, before)
  const { joinUrl } = ctx.settings.scheduling
  if (joinUrl === undefined || !isOnline(resource)) return resource
  if (extensionOf(resource, EXTENSION.joinUrl) !== undefined) return resource
  const valueUrl = joinUrl.replaceAll('{appointment}', key.slice(key.indexOf('/') + 1))
  return withExtension(resource, EXTENSION.joinUrl, { valueUrl })
}

function visitOf(ctx: Context, pending: Pending, resource: Resource | undefined, now: number): Visit {
  const { key } = pending
  const { baseUrl } = ctx.settings
  const before = pending.before === undefined ? undefined : takenOf(key, pending.before, baseUrl)
  const after = resource === undefined ? undefined : takenOf(key, resource, baseUrl)
  const wasLive = isLive(before?.resource, now)
  const stood = LIVE.has(String(before?.resource.status))
  const live = isLive(after?.resource, now)
  const takes = live && !(wasLive && sameTime(before!, after!))
  if (takes) checkTimes(after!)
  return { key, before, after, stood, isLive: live, takes }
}

/** The longest appointment, days: longer than any treatment, and bounded for the sake of who asks about its days. */
const MOST_DAYS = 400

/** https://hl7.org/fhir/R4/appointment.html#invs (app-2, app-3) */
function checkTimes({ start, end, resource }: Taken): void {
  const refuse = (diagnostics: string, element = 'end') =>
    fhirError('business-rule', diagnostics, { expression: `Appointment.${element}` })
  for (const [element, time] of Object.entries({ start, end }))
    if (Number.isNaN(time))
      throw refuse(`An appointment that is ${String(resource.status)} has a ${element}.`, element)
  if (end <= start) throw refuse('The end of an appointment is after its start.')
  if (end - start > MOST_DAYS * 86_400_000)
    throw refuse(`An appointment is no longer than ${MOST_DAYS} days.`)
}

const sameTime = (a: Taken, b: Taken): boolean =>
  Object.is(a.start, b.start) &&
  Object.is(a.end, b.end) &&
  [...a.actors].sort().join() === [...b.actors].sort().join() &&
  [...a.slots].sort().join() === [...b.slots].sort().join()

/** A hold that is booked, or a booking that is only held: its slots are called otherwise. */
const changesKind = ({ before, after, isLive: live }: Visit): boolean =>
  live && (before?.resource.status === 'pending') !== (after?.resource.status === 'pending')

/** Returns what an appointment took, and what it takes. */
function stretchesOf({ before, after, stood, isLive: live }: Visit): Stretch[] {
  if (stood && live && sameTime(before!, after!)) return [timeOf(after!)]
  return [...(stood ? [timeOf(before!)] : []), ...(live ? [timeOf(after!)] : [])]
}

const timeOf = ({ actors, slots, start, end }: Taken): Stretch =>
  // What was stored before there was a rule, or took no time then, may be longer than any calendar.
  !(end - start <= MOST_DAYS * 86_400_000)
    ? { actors: [], slots, start: Number.POSITIVE_INFINITY, end: Number.NEGATIVE_INFINITY }
    : { actors, slots, start, end }

/** A slot's write matters where its place in the calendar, or whether it is free, may change. */
const SLEEPS: ReadonlySet<string> = new Set(['busy-unavailable', 'entered-in-error'])
const slotMatters = ({ before, after }: Pending): boolean =>
  (after !== undefined && !SLEEPS.has(String(after.status))) ||
  (before !== undefined && before.status !== 'entered-in-error')

/** Returns a stretch for the slots of a schedule that lie within one day of each other. */
function slotStretches(slots: readonly Pending[]): Stretch[] {
  const found = new Map<string, { slots: string[] }>()
  for (const { key, before, after } of slots) {
    const resource = (after ?? before)!
    const schedule = isObject(resource.schedule) ? String(resource.schedule.reference) : ''
    const day = String(resource.start).slice(0, 10)
    const name = `${schedule} ${day}`
    const group = found.get(name) ?? { slots: [] }
    group.slots.push(key)
    found.set(name, group)
  }
  return [...found.values()].map(({ slots: keys }) => ({
    actors: [],
    slots: keys,
    start: Number.POSITIVE_INFINITY,
    end: Number.NEGATIVE_INFINITY,
  }))
}

/** Returns the appointments as the commit leaves them. */
function overlay(taken: ReadonlyMap<Key, Taken>, visits: readonly Visit[]): Taken[] {
  const after = new Map(taken)
  for (const visit of visits) {
    if (visit.after === undefined) after.delete(visit.key)
    else after.set(visit.key, visit.after)
  }
  return [...after.values()]
}

const issue = (rule: string, diagnostics: string, expression: string): Issue => ({
  severity: 'error',
  code: 'conflict',
  diagnostics,
  expression,
  rule,
})

/** Returns why the slots of an appointment cannot take it. */
function placeIssues(book: Book, own: Taken, after: readonly Taken[], now: number): Issue[] {
  const issues: Issue[] = []
  const places = own.slots.flatMap(slot => book.places.get(slot as Key) ?? [])
  for (const place of places) {
    if (inSlot(place, after, now).length > place.capacity)
      issues.push(issue('slot-full', `${place.key} is full.`, 'Appointment.slot'))
    else if (place.gone || isClosed(book, place, now))
      issues.push(issue('slot-unavailable', `${place.key} cannot be booked.`, 'Appointment.slot'))
  }
  const timed = places.filter(place => place.end > place.start)
  if (timed.length === 0 || timed.length < places.length) return issues
  const start = Math.min(...timed.map(place => place.start))
  const end = Math.max(...timed.map(place => place.end))
  if (own.start < start || own.end > end)
    issues.push(issue('slot-mismatch', 'The appointment lies outside its slots.', 'Appointment.start'))
  return issues
}

/** Whether somebody has closed a slot: set aside, or called busy though nothing makes it so. */
function isClosed(book: Book, place: Place, now: number): boolean {
  if (isSetByHand(place.before ?? place.resource)) return true
  if (place.before?.status !== 'busy') return false
  return derivedStatus(book, place, [...book.taken.values()], now) !== 'busy'
}

/** Returns whose time is taken already: of practitioners, and of rooms. */
function ownerIssues(book: Book, own: Taken, after: readonly Taken[], now: number): Issue[] {
  const owners = ownersOf(book, own)
  const found = new Set<string>()
  for (const one of after) {
    if (one.key === own.key || !overlap(one, own) || !isLive(one.resource, now)) continue
    if (meetInSlots(book, own, one)) continue
    for (const owner of ownersOf(book, one)) if (owners.has(owner)) found.add(owner)
  }
  return [...found].map(owner =>
    owner.startsWith('Location/')
      ? issue('location-overlap', `${owner} is taken at that time.`, 'Appointment.participant')
      : issue(
          'practitioner-overlap',
          `${owner} has another appointment at that time.`,
          'Appointment.participant',
        ),
  )
}

/** Whether two overlap only within slots that both are in: there as many do as a slot takes. */
function meetInSlots(book: Book, own: Taken, one: Taken): boolean {
  const shared = own.slots.filter(slot => one.slots.includes(slot)).map(slot => book.places.get(slot as Key)!)
  if (shared.length === 0 || shared.some(place => !(place.end > place.start))) return shared.length > 0
  return covered({ start: Math.max(own.start, one.start), end: Math.min(own.end, one.end) }, joined(shared))
}

function patientIssues(own: Taken, patient: string, others: readonly Taken[], now: number): Issue[] {
  const taken = others.some(
    one =>
      one.key !== own.key && one.actors.includes(patient) && overlap(one, own) && isLive(one.resource, now),
  )
  if (!taken) return []
  return [
    issue('patient-overlap', 'The patient has another appointment at that time.', 'Appointment.participant'),
  ]
}

/** Returns the holds that have run out and stand in the way: they end in the same commit, so that no owner can book one after all meanwhile. */
const runOut = (book: Book, { after: own }: Visit, visits: readonly Visit[], now: number): Taken[] =>
  [...book.taken.values()].filter(
    one =>
      own !== undefined &&
      isExpired(one.resource, now) &&
      !visits.some(({ key }) => key === one.key) &&
      (overlap(one, own) || one.slots.some(slot => own.slots.includes(slot))),
  )

/** Returns why slots cannot be moved or deleted: people are booked in them. */
function slotIssues(
  ctx: Context,
  book: Book,
  slots: readonly Pending[],
  after: readonly Taken[],
  now: number,
): Issue[] {
  const issues: Issue[] = []
  for (const { key, before, after: slot } of slots) {
    if (before === undefined) continue
    const place = book.places.get(key)
    if (place === undefined) continue
    const own = inSlot(place, after, now)
    if (own.length === 0) continue
    if (slot === undefined)
      issues.push(issue('slot-taken', `${key} cannot be deleted: it is booked.`, 'Slot'))
    else if (scheduleOf(ctx, slot) !== scheduleOf(ctx, before))
      issues.push(issue('slot-taken', `${key} stays in its schedule: it is booked.`, 'Slot.schedule'))
    else if (own.some(one => one.start < place.start || one.end > place.end))
      issues.push(issue('slot-taken', `${key} cannot be moved: it is booked.`, 'Slot.start'))
  }
  return issues
}

/** Returns the slots whose status follows from what the commit does. */
function slotPuts(
  book: Book,
  slots: readonly Pending[],
  stored: readonly Taken[],
  after: readonly Taken[],
  now: number,
): Put[] {
  const written = new Map(slots.map(one => [one.key, one]))
  return [...book.places.values()].flatMap((place): Put[] => {
    const write = written.get(place.key)
    if (place.resource.id === undefined && write === undefined) return []
    if (write !== undefined && write.after === undefined) return []
    const { resource } = place
    const status = String(resource.status)
    // A slot that is written is looked at anew: what was closed may be open by its new status.
    if (isSetByHand(resource) && (write === undefined || SLEEPS.has(status))) return []
    const next = derivedStatus(book, place, after, now)
    if (write !== undefined) return slotWritten(place, status, next, now)
    // Stored as busy before there was a rule.
    if (status === 'busy' && derivedStatus(book, place, stored, now) !== 'busy') return []
    return next === status ? [] : [slotPut(place, withStatus(resource, next))]
  })
}

/**
 * Free means as free as its appointments leave it. Busy that follows from none is somebody's word, and tentative says that somebody may
 * come: both stay, and only the first keeps others away.
 */
function slotWritten(place: Place, status: string, next: string, now: number): Put[] {
  const stays = next === 'free' && (status === 'busy' || status === 'busy-tentative')
  // What is over is history, and kept as it was written.
  const closed = stays && status === 'busy' && place.end > now
  const resource = withStatus(place.resource, stays ? status : next, closed)
  const isSame = resource.status === status && closed === isMarked(place.resource)
  return isSame ? [] : [slotPut(place, resource)]
}

/**
 * A full slot is tentative only while one of its appointments is a hold: who books that one at the same moment is waited for, or else each
 * of the two would leave the slot to the other.
 */
function holdsStay(book: Book, visits: readonly Visit[], after: readonly Taken[], now: number): Require[] {
  const own = new Set(visits.map(({ key }) => key))
  const places = [...book.places.values()]
  const holds = after.filter(
    one =>
      one.stored !== undefined &&
      one.resource.status === 'pending' &&
      !own.has(one.key) &&
      isLive(one.resource, now) &&
      places.some(place => one.slots.includes(place.key) || overlap(one, place)),
  )
  return holds.map(({ key, stored }) => ({ is: 'version', key, version: stored!.version }))
}

const slotPut = ({ key, stored }: Place, resource: Resource): Put => ({ key, current: stored, resource })
