/** What people are told when something happens: the rule that writes Communications, and leaves their delivery in the outbox. */
import type { Context, Pending, Put, Ruling, WriteRule } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { object, text } from '../fhir/tree.ts'
import { planFor } from '../scheduling/calendar.ts'
import { isToken, printedToken } from '../scheduling/token.ts'
import { actorsOf, keysOf } from '../search/busy.ts'
import type { Job, Key, Live } from '../storage/port.ts'
import { kindOf } from './event.ts'
import { appointmentNews, CARE, type Happening, isNew, type TokenNews, tokenNews } from './happening.ts'
import { lettingGo } from './let-go.ts'
import { type Medium, type Message, messagesOf, type News } from './message.ts'
import { hasDied, personOf } from './person.ts'
import { createReading, type Reading, resourceOf } from './reading.ts'
import { mayRemind, reminderPuts } from './reminders.ts'
import { aboutAppointment, eventOf, isOpen, judgeRequest, toldOf } from './request.ts'
import type { Templates } from './template.ts'
import { TEMPLATES } from './templates.ts'
import { visitOf } from './visit.ts'

/** What stands in the place of channels where none is set up. */
const LOG: Medium = { name: 'log', reaches: 'none' }

/**
 * Returns the rule for the channels that are set up; without any the channel `log` is told.
 *
 * In the commit of what happens it adds a Communication for each person and channel with a job of kind `message`; reminders as
 * CommunicationRequests for later; and turns requests whose time has come into Communications.
 */
export function createMessageRule(channels: readonly Medium[], templates: Templates = TEMPLATES): WriteRule {
  const media = channels.length === 0 ? [LOG] : channels
  return {
    types: new Set(['Appointment', 'Task', 'CommunicationRequest']),
    judge: (ctx, pending) => judge(ctx, pending, media, templates),
  }
}

async function judge(
  ctx: Context,
  pending: readonly Pending[],
  channels: readonly Medium[],
  templates: Templates,
): Promise<Ruling> {
  if (!ctx.settings.notifications.enabled) return {}
  const { baseUrl } = ctx.settings
  const now = ctx.clock()
  const reading = createReading(ctx, pending)
  const puts: Put[] = []
  const news: News[] = []
  const made = new Set(pending.filter(isNew).map(({ key }) => key as string))
  const fresh = new Set<News>()

  const requests = pending.filter(({ after }) => isOpen(after))
  const happenings = appointmentNews(pending, now, baseUrl)
    // The gateway knows nothing but bookings and cancellations.
    .map(one => (isSaidBy(requests, one, baseUrl) ? { ...one, only: CARE } : one))
    .filter(({ only }) => only === undefined || channels.some(({ templates }) => templates === only))
  // Of many appointments all who take part are read at once.
  await reading.load(
    happenings.flatMap(({ appointment }) => actorsOf(appointment).flatMap(one => keysOf(one, baseUrl))),
  )
  const tokens = tokenNews(pending, baseUrl)
  for (const one of happenings) {
    const told = await newsOfAppointment(ctx, reading, pending, one, channels)
    news.push(told)
    if (made.has(one.key)) fresh.add(told)
  }
  for (const one of tokens) {
    const isSaid = happenings.some(
      ({ key, event }) => key === one.appointment && (event === 'booked' || event === 'rescheduled'),
    )
    const told = one.event === 'booked' && isSaid ? undefined : await newsOfToken(ctx, reading, one, now)
    if (told !== undefined) news.push(told)
  }
  for (const one of pending)
    if (one.key.startsWith('Appointment/') && mayRemind(one, now))
      puts.push(...(await reminderPuts(ctx, reading, one)))
  for (const request of requests) {
    const judged = await judgeRequest(ctx, reading, request)
    if (judged.is === 'told') news.push(await withToken(ctx, pending, judged.news, channels))
    const resource = answered(request.after!, judged, now)
    if (resource !== undefined) puts.push({ key: request.key, current: undefined, resource })
  }
  if (news.length === 0) return { puts: await lettingGo(ctx, pending, puts) }

  const messages = new Map<Key, Message>()
  const mayStand = new Set<Key>()
  for (const one of news)
    for (const message of messagesOf(ctx, one, channels, templates)) {
      messages.set(message.key, message)
      if (!fresh.has(one)) mayStand.add(message.key)
    }
  await reading.load(mayStand)
  const outbox: Job[] = []
  for (const { key, communication, job } of messages.values()) {
    // Somebody was told, or was to be told, of this before.
    if (reading.stored(key) !== undefined) continue
    puts.push({ key, current: undefined, resource: communication })
    if (job !== undefined) outbox.push(job)
  }
  return { puts: await lettingGo(ctx, pending, puts), outbox }
}

/** Returns what becomes of a request; undefined where it stays as it is. */
function answered(
  request: Resource,
  judged: Awaited<ReturnType<typeof judgeRequest>>,
  now: number,
): Resource | undefined {
  if (judged.is === 'told') return { ...request, status: 'completed' }
  if (judged.is === 'late') return { ...request, status: 'revoked', statusReason: { text: judged.reason } }
  const said = text(request.occurrenceDateTime)
  if (said !== undefined && Date.parse(said) > now) return undefined
  if (judged.at <= now || request.occurrencePeriod !== undefined) return undefined
  return { ...request, occurrenceDateTime: new Date(judged.at).toISOString() }
}

/** Events of requests that say themselves what has happened to the appointment. */
const SAYING: ReadonlySet<string> = new Set(['doctor-absent'])

const isSaidBy = (requests: readonly Pending[], { key, event }: Happening, baseUrl: string): boolean =>
  (event === 'cancelled' || event === 'rescheduled') &&
  requests.some(({ after }) => SAYING.has(eventOf(after!) ?? '') && aboutAppointment(after!, baseUrl) === key)

async function newsOfAppointment(
  ctx: Context,
  reading: Reading,
  pending: readonly Pending[],
  happening: Happening,
  channels: readonly Medium[],
): Promise<News> {
  const { event, key, appointment, cause, sequence, only, previous, withToken: isTokenAsked } = happening
  const visit = await visitOf(ctx, reading, key, appointment)
  const isGone = pending.some(one => one.key === key && one.after === undefined)
  return withToken(
    ctx,
    pending,
    {
      event,
      cause,
      people: toldOf(visit, kindOf(event).roles),
      visit,
      previous: previous && (await visitOf(ctx, reading, previous.key, previous.appointment)),
      about: isGone ? undefined : key,
      sequence,
      expires: visit.start > ctx.clock() ? visit.start : undefined,
      by: channel =>
        (only === undefined || channel.templates === only) &&
        (event !== 'updated' || visit.set === 'opencare'),
    },
    channels,
    isTokenAsked === true,
  )
}

async function newsOfToken(
  ctx: Context,
  reading: Reading,
  { appointment, patient, event, variant, cause, only, values }: TokenNews,
  now: number,
): Promise<News | undefined> {
  const keys = [appointment, patient].filter(key => key !== undefined)
  const found = await reading.load(keys)
  const booked = appointment === undefined ? undefined : found.get(appointment)
  const visit = booked === undefined ? undefined : await visitOf(ctx, reading, appointment!, booked)
  const resource = found.get(patient ?? '')
  const person = resource === undefined ? [] : [personOf(patient!, resource, 'patient')]
  // A number given on the day itself, or long after, is no news of the booking.
  if (event === 'booked' && !(booked?.status === 'booked' && visit !== undefined && visit.start > now))
    return undefined
  return {
    event,
    variant,
    cause,
    people: visit === undefined ? person.filter(one => !hasDied(one)) : toldOf(visit, ['patient']),
    visit,
    about: appointment,
    values,
    by: channel => only === undefined || channel.templates === only,
  }
}

/** The gateway of Care is told of bookings that have a token, and of cancellations. */
const WITH_TOKEN: ReadonlySet<string> = new Set(['booked', 'rescheduled', 'reminder-1h'])

/** Returns the news with the token of its appointment. */
async function withToken(
  ctx: Context,
  pending: readonly Pending[],
  news: News,
  channels: readonly Medium[],
  always = false,
): Promise<News> {
  const { visit, by } = news
  if (visit === undefined || !(always || WITH_TOKEN.has(news.event))) return news
  const isAsked = news.event !== 'booked' || channels.some(({ templates }) => templates === CARE)
  const token =
    pendingToken(ctx, pending, visit.key) ?? (isAsked ? await storedToken(ctx, visit.key) : undefined)
  return {
    ...news,
    values: { ...(token === undefined ? {} : { token }), ...news.values },
    by: channel => by?.(channel) !== false && (channel.templates !== CARE || token !== undefined),
  }
}

const pendingToken = (ctx: Context, pending: readonly Pending[], appointment: string): string | undefined =>
  pending.flatMap(({ after }) =>
    isToken(after) && keysOf(object(after.focus), ctx.settings.baseUrl).includes(appointment)
      ? (printedToken(after) ?? [])
      : [],
  )[0]

async function storedToken(ctx: Context, appointment: string): Promise<string | undefined> {
  const id = appointment.split('/')[1]!
  const plan = planFor('Task', { kind: 'reference', param: 'Task.focus', type: 'Appointment', id })
  const page = await ctx.storage.search(plan, { limit: 10, total: 'none' })
  const tokens = (page.rows as Live[]).map(resourceOf).filter(isToken)
  return tokens.filter(({ status }) => status !== 'cancelled').flatMap(task => printedToken(task) ?? [])[0]
}
