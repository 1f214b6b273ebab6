/** Reminders and what follows a visit: CommunicationRequests that come, move and go with their appointment, in the same commit. */
import type { Context, Pending, Put } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { text } from '../fhir/tree.ts'
import { shortDerivedId } from '../lib/derived-id.ts'
import { EXTENSION, SYSTEM } from '../scheduling/codes.ts'
import { instantOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { AFTERWARDS, HISTORY_MS, REMINDERS } from './event.ts'
import { isNew } from './happening.ts'
import { hasDied } from './person.ts'
import { createReading, type Reading } from './reading.ts'
import { keyOfRequest, timeOf } from './request.ts'
import { type Visit, visitOf } from './visit.ts'
import { quietAround } from './when.ts'

/** Returns the key of the one request for an event of an appointment. */
export const requestKey = (appointment: string, event: string): Key =>
  `CommunicationRequest/${shortDerivedId('request', appointment, event)}`

const CAME: ReadonlySet<string> = new Set(['booked', 'arrived', 'checked-in'])

/** Returns the requests that a commit makes, moves and revokes for one appointment. */
export async function reminderPuts(
  ctx: Context,
  reading: Reading,
  { key, method, before, after }: Pending,
): Promise<Put[]> {
  const wasOver = before?.status === 'fulfilled'
  if (wasOver && after?.status === 'fulfilled') return []
  const wanted = new Map<string, Resource>()
  const visit = after === undefined ? undefined : await visitOf(ctx, reading, key, after)
  if (visit?.patient !== undefined)
    for (const one of wantedFor(ctx, visit, before)) wanted.set(one.event, requestOf(visit, one))
  const events = [...REMINDERS, ...(wasOver || wanted.has('follow-up') ? AFTERWARDS : [])].map(
    ([event]) => event,
  )
  // Nothing can have been asked for an appointment that is new.
  if (isNew({ method, before })) return [...wanted.values()].map(resource => newPut(resource))
  const keys = events.map(event => keyOfWanted(wanted.get(event)) ?? requestKey(key, event))
  const found = await reading.load(keys)
  return events.flatMap((event, i) => {
    const at = keys[i]!
    const there = found.get(at)
    const want = wanted.get(event)
    if (want !== undefined && isSame(there, want, ctx.settings.zone)) return []
    if (want === undefined && there?.status !== 'active') return []
    const resource: Resource = want ?? { ...there!, resourceType: 'CommunicationRequest', status: 'revoked' }
    return [{ key: at, current: reading.stored(at), resource }]
  })
}

const keyOfWanted = (request: Resource | undefined): Key | undefined =>
  request && `CommunicationRequest/${text(request.id)!}`

const newPut = (resource: Resource): Put => ({ key: keyOfWanted(resource)!, current: undefined, resource })

/** Whether what is there asks for, or has told, the same. */
const isSame = (there: Resource | undefined, want: Resource, zone: string): boolean =>
  there !== undefined &&
  keyOfRequest(there) === keyOfRequest(want) &&
  (there.status === 'completed' ||
    (there.status === 'active' && timeOf(there, zone).from === timeOf(want, zone).from))

interface Wanted {
  event: string
  at: number
  cause: string
  link?: string
}

function wantedFor(ctx: Context, visit: Visit, before: Resource | undefined): Wanted[] {
  const now = ctx.clock()
  const { quiet, feedbackUrl } = ctx.settings.messages
  const { appointment, start, end, key, zone } = visit
  if (appointment.status === 'booked' && start > now)
    return REMINDERS.flatMap(([event, ahead]) => {
      const due = start - ahead
      const at = quietAround(due, quiet, zone)?.from ?? due
      return at > now ? [{ event, at, cause: causeOf(visit, event) }] : []
    })
  const ended = Number.isNaN(end) ? start : end
  if (appointment.status === 'fulfilled' && CAME.has(String(before?.status)) && ended > now - HISTORY_MS)
    return AFTERWARDS.flatMap(([event, after]) => {
      if (event === 'feedback' && feedbackUrl === undefined) return []
      const at = quietAround(now + after, quiet, zone)?.to ?? now + after
      const link =
        event === 'feedback' ? feedbackUrl!.replaceAll('{appointment}', key.split('/')[1]!) : undefined
      return [{ event, at, cause: `${key}|${event}`, ...(link === undefined ? {} : { link }) }]
    })
  return []
}

function requestOf(visit: Visit, { event, at, cause, link }: Wanted): Resource {
  const patient = visit.patient!.key
  const key = requestKey(visit.key, event)
  return {
    resourceType: 'CommunicationRequest',
    id: key.split('/')[1]!,
    ...(link === undefined
      ? {}
      : {
          extension: [
            {
              url: EXTENSION.messageValue,
              extension: [
                { url: 'name', valueString: 'link' },
                { url: 'value', valueString: link },
              ],
            },
          ],
        }),
    identifier: [
      { system: SYSTEM.messageKey, value: cause },
      { system: SYSTEM.messageAbout, value: visit.key },
    ],
    status: 'active',
    category: [{ coding: [{ system: SYSTEM.event, code: event }] }],
    subject: { reference: patient },
    about: [{ reference: visit.key }],
    occurrenceDateTime: new Date(at).toISOString(),
    recipient: [patient, ...patientsBeside(visit)].map(reference => ({ reference })),
  }
}

const patientsBeside = ({ others }: Visit): string[] =>
  others.flatMap(one => (one.key === one.of?.key && one.mark === '' ? one.key : []))

/** Returns whether an appointment may have, or want, requests. */
export const mayRemind = ({ before, after }: Pending, now: number): boolean =>
  CAME.has(String(before?.status)) ||
  before?.status === 'fulfilled' ||
  (after?.status === 'booked' && (instantOf(after.start) ?? 0) > now)

/** Returns the request that reminds of a booked visit now, unless that was done; undefined where there is nobody to remind. */
export async function remindNow(
  ctx: Context,
  key: Key,
  appointment: Resource,
): Promise<{ key: Key; request: Resource } | undefined> {
  const now = ctx.clock()
  const reading = createReading(ctx, [])
  const visit = await visitOf(ctx, reading, key, appointment)
  if (
    visit.patient === undefined ||
    hasDied(visit.patient) ||
    appointment.status !== 'booked' ||
    !(visit.start > now)
  )
    return undefined
  const [event] = REMINDERS.find(([, ahead]) => visit.start - now > (ahead === LAST_AHEAD ? 0 : LAST_AHEAD))!
  const cause = causeOf(visit, event)
  const at = requestKey(key, event)
  const there = (await reading.load([at])).get(at)
  if (there?.status === 'completed' && keyOfRequest(there) === cause) return undefined
  return { key: at, request: requestOf(visit, { event, at: now, cause }) }
}

/** What the last reminder is ahead of its visit, ms. */
const LAST_AHEAD = Math.min(...REMINDERS.map(([, ahead]) => ahead))

const causeOf = ({ key, appointment }: Visit, event: string): string =>
  `${key}|${event}|${text(appointment.start)}`
