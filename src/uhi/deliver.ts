/** Sending of what is left to be sent: signed when it is sent, tried again with growing waits, given up after some attempts. */
import type { Context } from '../context.ts'
import { type Resolve, refusedCallback } from '../http/private-address.ts'
import { nameOf } from '../lib/fault.ts'
import type { Handler, Leased, Outcome } from '../notifications/dispatch.ts'
import { pinOf, pinSecretOf } from '../scheduling/pin.ts'
import { type UhiJob, withPin } from './job.ts'
import { post } from './post.ts'
import { selfOf } from './self.ts'

const FIRST_WAIT_MS = 5000
const LONGEST_WAIT_MS = 3_600_000
/** Of a lease, for writing down what came of an attempt; and the least that an attempt needs. */
const RECORD_MS = 200
const SHORTEST_MS = 100

export interface DeliverParts {
  /** At least 0, below 1. */
  random: () => number
  resolve?: Resolve | undefined
}

/** Calls to one host at a time: who does not answer must not hold up what others are told. */
const MOST_OF_ONE = 4
/** ms that a call waits for its turn, or half of that again. */
const TURN_MS = 100

/** Returns the handler of jobs that send messages of UHI. */
export function createUhiDeliver({ random, resolve }: DeliverParts): Handler {
  /** Host of each call that is under way. */
  const calling: string[] = []
  return async (ctx, leased): Promise<Outcome> => {
    const job = JSON.parse(leased.body) as UhiJob
    const host = URL.canParse(job.url) ? new URL(job.url).host : ''
    if (calling.filter(one => one === host).length >= MOST_OF_ONE)
      return { is: 'later', due: ctx.clock() + Math.round(TURN_MS * (0.5 + random())), body: leased.body }
    calling.push(host)
    try {
      return await deliver(ctx, leased, job, { random, resolve })
    } finally {
      calling.splice(calling.indexOf(host), 1)
    }
  }
}

async function deliver(
  ctx: Context,
  { id, body, until }: Leased,
  job: UhiJob,
  { random, resolve }: DeliverParts,
): Promise<Outcome> {
  // Whose lease ends before the answer comes has no right to send: another may have the job by then.
  const timeoutMs = Math.min(ctx.settings.uhi.timeoutMs, until - ctx.clock() - RECORD_MS)
  if (timeoutMs < SHORTEST_MS) return { is: 'later', due: ctx.clock(), body }
  const refused = await attempt(ctx, job, timeoutMs, resolve)
  if (refused === undefined) return { is: 'done' }
  const tries = job.tries + 1
  const { tries: most } = ctx.settings.uhi
  // No word of the body, and not its address: what others put there may be anything.
  const told = { job: id, action: job.action, tries, reason: refused }
  if (tries >= most) {
    ctx.log.error('a UHI message was given up', told)
    return { is: 'done' }
  }
  ctx.log.warn('a UHI message could not be sent yet', told)
  const wait = Math.min(FIRST_WAIT_MS * 2 ** job.tries, LONGEST_WAIT_MS)
  const due = ctx.clock() + Math.round(wait * (0.5 + random()))
  return { is: 'later', due, body: JSON.stringify({ ...job, tries }) }
}

/** Returns why the other side does not have it, undefined where it has. */
async function attempt(
  ctx: Context,
  job: UhiJob,
  timeoutMs: number,
  resolve: Resolve | undefined,
): Promise<string | undefined> {
  const { uhi } = ctx.settings
  const self = selfOf(ctx.settings)
  if (self === undefined) return 'UHI is not set up.'
  // The address was looked at when it came in, but its name may lead elsewhere by now.
  const isOurs = job.url.startsWith(`${self.gateway}/`)
  const { allowPrivate } = uhi
  if (!isOurs && (await refusedCallback(job.url, { allowPrivate, resolve })) !== undefined)
    return 'The address is a private one.'
  // A certificate is what binds the name to the one who answers, wherever the name leads at that moment.
  if (!isOurs && !allowPrivate && !job.url.startsWith('https://')) return 'The address is not https.'
  const secret = pinSecretOf(ctx.settings)
  const pin = job.pinOf === undefined || secret === undefined ? undefined : await pinOf(secret, job.pinOf)
  const text = pin === undefined ? job.text : withPin(job.text, pin)
  const { clock } = ctx
  const sending = { clock, signer: self.signer, expiresS: uhi.expiresS, timeoutMs }
  try {
    const { status, json } = await post(sending, job.url, text)
    if (status < 200 || status >= 300) return `Status ${status}.`
    return ackIn(json) === 'ACK' ? undefined : 'The answer is no ACK.'
  } catch (error) {
    return `No answer: ${nameOf(error)}.`
  }
}

function ackIn(json: unknown): unknown {
  const member = (value: unknown, name: string): unknown =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  return member(member(member(json, 'message'), 'ack'), 'status')
}
