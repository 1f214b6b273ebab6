/** Delivery of one message: an attempt by its channel, and what came of it on its Communication. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { type JsonObject, NumberText, parseJson, type Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { update } from '../interactions/update.ts'
import { faultOf } from '../lib/fault.ts'
import { EXTENSION, SYSTEM } from '../scheduling/codes.ts'
import { withExtension } from '../scheduling/hold.ts'
import { instantOf, LIVE } from '../search/busy.ts'
import type { Channel, Sent } from './channel.ts'
import type { Handler, Leased, Outcome, Step } from './dispatch.ts'
import type { MessageJob } from './message.ts'

export interface DeliverOptions {
  /** At least 0, below 1. */
  random: () => number
  /** Called at named steps; tests alone give it. */
  at?: (step: Step) => void
}

/** The longest wait between two attempts, ms. */
const LONGEST_MS = 3_600_000
/** Milliseconds of a lease that must be left, beside the attempt, to write down what came of it. */
const RECORD_MS = 1000

/** States of a Communication that is still to be sent. */
const OPEN: ReadonlySet<unknown> = new Set(['preparation', 'in-progress'])

/** Returns the handler of jobs that deliver messages by these channels. */
export function createDeliver(
  channels: readonly Channel[],
  { random, at }: DeliverOptions = { random: Math.random },
): Handler {
  const peers = new Map<string, Peer>()
  return async (ctx, job) => {
    const body = JSON.parse(job.body) as Standing
    const standing = await readCommunication(ctx, body.communication)
    if (standing === undefined || !OPEN.has(standing.resource.status)) return DONE
    if (body.came !== undefined) return recordSurely(ctx, body, body.came)
    if (body.expires <= ctx.clock())
      return recordSurely(ctx, body, { is: 'stopped', reason: 'It was not sent in time.' })
    if (await isOvertaken(ctx, body))
      return recordSurely(ctx, body, { is: 'stopped', reason: 'The appointment has changed since.' })
    const channel = channels.find(({ name }) => name === body.channel)
    if (channel === undefined)
      return recordSurely(ctx, body, { is: 'stopped', reason: `The channel ${body.channel} is not set up.` })
    const { sendMs } = ctx.settings.messages
    // A process that was held up has no right to send any more: another may have the job by now.
    if (job.until - ctx.clock() < sendMs + RECORD_MS) return later(job, ctx.clock())

    const peer = peers.get(channel.name) ?? { running: 0, unanswered: 0 }
    peers.set(channel.name, peer)
    if (isStuck(peer)) return later(job, ctx.clock() + STUCK_MS)
    peer.running++
    const sent = await attempt(channel, body, sendMs).finally(() => peer.running--)
    peer.unanswered = sent.is === 'failed' && sent.reason === NO_ANSWER ? peer.unanswered + 1 : 0
    at?.('after-send')
    const tries = body.tries + 1
    const tried = { ...body, tries }
    at?.('before-record')
    if (sent.is === 'accepted')
      return recordSurely(ctx, tried, { is: 'completed', reference: sent.reference })
    if (sent.is === 'refused') return recordSurely(ctx, tried, { is: 'stopped', reason: sent.reason })
    const most = channel.tries?.(body.delivery.event) ?? ctx.settings.messages.tries
    const due = ctx.clock() + waitOf(ctx, channel, tries, random())
    if (tries >= most || due >= body.expires)
      return recordSurely(ctx, tried, {
        is: 'stopped',
        reason: `${sent.reason} Given up after attempt ${tries}.`,
      })
    const outcome: Outcome = { is: 'later', due, body: JSON.stringify(tried) }
    try {
      await record(ctx, tried, { is: 'in-progress', reason: sent.reason })
    } catch (error) {
      // The job knows of the attempt, whatever its Communication says.
      complain(ctx, tried, error)
      return outcome
    }
    ctx.log.warn('a message could not be sent yet', {
      key: body.communication,
      channel: body.channel,
      tries,
      reason: sent.reason,
    })
    return outcome
  }
}

const DONE: Outcome = { is: 'done' }

/** A job with what came of its message, where that could not be written down yet. */
type Standing = MessageJob & { came?: Recorded }

const AGAIN_MS = 60_000
/** Milliseconds beyond its time for which it is tried to write down what came of a message. */
const GIVEN_UP_MS = 86_400_000

const complain = (ctx: Context, { communication: key, channel }: MessageJob, error: unknown): void =>
  ctx.log.error('what came of a message cannot be written down', { key, channel, error: faultOf(error) })

/** Writes down what came of a message; where that fails the job keeps it, for to send once more would be a second message. */
async function recordSurely(ctx: Context, body: Standing, came: Recorded): Promise<Outcome> {
  try {
    return await record(ctx, body, came)
  } catch (error) {
    complain(ctx, body, error)
    const now = ctx.clock()
    if (now > body.expires + GIVEN_UP_MS) return DONE
    const kept: Recorded = came.is === 'completed' ? { ...came, sent: came.sent ?? now } : came
    return { is: 'later', due: now + AGAIN_MS, body: JSON.stringify({ ...body, came: kept }) }
  }
}

/** Milliseconds after which it is asked whether a message still holds: before, it is told in any case, and what came later is told after it. */
const FRESH_MS = 600_000

/** Returns whether a message speaks of a time of an appointment that has been moved or called off since. */
async function isOvertaken(ctx: Context, { holds, made }: MessageJob): Promise<boolean> {
  if (holds === undefined || made === undefined || ctx.clock() - made < FRESH_MS) return false
  const stored = await ctx.storage.read(holds.key)
  if (stored?.text === undefined) return true
  const { status, start } = parseJson(stored.text, Number.POSITIVE_INFINITY) as Resource
  return !LIVE.has(String(status)) || instantOf(start) !== holds.start
}

/** What is known of a channel's peer: attempts that go on, and how many in succession had no answer in time. */
interface Peer {
  running: number
  unanswered: number
}

const NO_ANSWER = 'No answer in time.'

/** After so many without an answer only so few go on at once; the others wait for so many ms, and leave the places to other channels. */
const STUCK = 8
const STUCK_AT_ONCE = 4
const STUCK_MS = 15_000

const isStuck = ({ running, unanswered }: Peer): boolean => unanswered >= STUCK && running >= STUCK_AT_ONCE

const later = ({ body }: Leased, due: number): Outcome => ({ is: 'later', due, body })

/** Returns what came of one attempt; no channel holds it up for longer than it may take. */
async function attempt(channel: Channel, { delivery }: MessageJob, sendMs: number): Promise<Sent> {
  const signal = AbortSignal.timeout(sendMs)
  const ended = new Promise<Sent>(resolve =>
    signal.addEventListener('abort', () => resolve({ is: 'failed', reason: NO_ANSWER }), {
      once: true,
    }),
  )
  try {
    return await Promise.race([channel.send(delivery, signal), ended])
  } catch (error) {
    return { is: 'failed', reason: `The channel failed: ${(error as Error).name}.` }
  }
}

/** Returns the wait before the next attempt: doubled each time, between half of it and all. */
export function waitOf(
  ctx: Context,
  channel: Pick<Channel, 'waitMs'>,
  tries: number,
  random: number,
): number {
  if (channel.waitMs !== undefined) return channel.waitMs
  const full = Math.min(LONGEST_MS, ctx.settings.messages.waitMs * 2 ** Math.min(tries - 1, 30))
  return Math.ceil(full / 2 + (full / 2) * random)
}

type Recorded =
  | { is: 'completed'; reference?: string | undefined; sent?: number }
  | { is: 'in-progress' | 'stopped'; reason: string }

async function readCommunication(
  ctx: Context,
  id: string,
): Promise<{ resource: Resource; version: number } | undefined> {
  const stored = await ctx.storage.read(`Communication/${id}`)
  if (stored?.text === undefined) return undefined
  return { resource: parseJson(stored.text, Number.POSITIVE_INFINITY) as Resource, version: stored.version }
}

/** Times that another's change of the Communication is made way for. */
const RACES = 10

/** Writes down what came of an attempt, unless somebody has closed the Communication meanwhile. */
async function record(
  ctx: Context,
  { communication: id, tries }: MessageJob,
  what: Recorded,
): Promise<Outcome> {
  for (let race = 0; race < RACES; race++) {
    const standing = await readCommunication(ctx, id)
    if (standing === undefined || !OPEN.has(standing.resource.status)) return DONE
    const { resource, version } = standing
    try {
      await update(ctx, 'Communication', id, recorded(resource, tries, what, ctx.clock()), {
        ifMatch: `W/"${version}"`,
      })
      return DONE
    } catch (error) {
      if (!(error instanceof FhirError) || (error.status !== 412 && error.code !== 'conflict')) throw error
    }
  }
  throw new Error('the Communication keeps changing')
}

function recorded(resource: Resource, tries: number, what: Recorded, now: number): Resource {
  const counted =
    tries === 0
      ? resource
      : withExtension(resource, EXTENSION.messageAttempts, {
          valuePositiveInt: new NumberText(String(tries)),
        })
  const { statusReason: _, ...rest } = counted
  const next = { ...rest, resourceType: 'Communication', status: what.is }
  if (what.is !== 'completed') return { ...next, statusReason: { text: what.reason } }
  const { reference } = what
  const known: JsonObject[] = objects(resource.identifier)
  return {
    ...next,
    ...(reference === undefined || reference === ''
      ? {}
      : { identifier: [...known, { system: SYSTEM.peerReference, value: reference.slice(0, 200) }] }),
    sent: new Date(what.sent ?? now).toISOString(),
  }
}
