/** Calling results back: four attempts, ten seconds apart, of which the outbox loses none. */
import type { Context } from '../../context.ts'
import type { Resource } from '../../fhir/json.ts'
import { type Resolve, refusedCallback } from '../../http/private-address.ts'
import { faultOf } from '../../lib/fault.ts'
import type { Handler, Leased, Outcome } from '../../notifications/dispatch.ts'
import { finish, givenUp, jobOf, outcomeOf, resultContext } from './first.ts'
import type { FirstContext } from './first-request.ts'
import { CARE_UHI } from './names.ts'
import { delivered } from './record.ts'

const RETRIES = 3
const WAIT_MS = 10_000
/** The contract has 5 s for the connection and 30 s for the answer: here both together have 30. */
const TIMEOUT_MS = 30_000
/** Milliseconds of a lease that must be left to write down what came of a call. */
const RECORD_MS = 2000

/** Minutes in which a fault of this server may pass: then the request has failed. */
const MOST_FAULTS = 10
const FAULT_MS = 60_000

/** Calls at a time, of all consumers and of one: those who do not answer must not hold up what others are told. */
const MOST_CALLS = 6
const MOST_OF_ONE = 4
/** Milliseconds that a call waits for its turn, and as many again at most. */
const TURN_MS = 500

/** Returns the handler of the jobs that call results back; the context that it is given needs the rules of writes. */
export function createCallbackHandler(resolve: Resolve | undefined): Handler {
  /** Host of each call that is under way. */
  const calling: string[] = []
  return async (given, job) => {
    const ctx: Context = { ...given, principal: CARE_UHI }
    const { context } = jobOf(job).request
    const { host } = new URL(context.consumer_uri)
    if (calling.length >= MOST_CALLS || calling.filter(one => one === host).length >= MOST_OF_ONE)
      return { is: 'later', due: ctx.clock() + Math.round(TURN_MS * (1 + Math.random())), body: job.body }
    calling.push(host)
    try {
      return await call(ctx, job, resolve)
    } finally {
      calling.splice(calling.indexOf(host), 1)
    }
  }
}

async function call(ctx: Context, job: Leased, resolve: Resolve | undefined): Promise<Outcome> {
  const { request, failed, faults = 0 } = jobOf(job)
  const { context } = request
  let message: object
  try {
    message = await outcomeOf(ctx, request)
  } catch (error) {
    ctx.log.error('care-uhi request failed', { action: context.action, error: faultOf(error) })
    if (faults < MOST_FAULTS)
      return {
        is: 'later',
        due: ctx.clock() + FAULT_MS,
        body: JSON.stringify({ request, failed, faults: faults + 1 }),
      }
    message = await givenUp(ctx, request)
  }
  const timeout = Math.min(TIMEOUT_MS, job.until - ctx.clock() - RECORD_MS)
  // Another server may have the job by now.
  if (timeout < RECORD_MS) return { is: 'later', due: ctx.clock(), body: job.body }
  const allowPrivate = ctx.settings.careUhi.privateCallbacks
  const refused = await refusedCallback(context.consumer_uri, { allowPrivate, resolve })
  const url = `${context.consumer_uri.replace(/\/+$/, '')}/on_${context.action}`
  const body = JSON.stringify({ context: resultContext(ctx, context), message })
  const why = refused === undefined ? await post(url, body, timeout) : `The callback URL ${refused}`
  if (why === undefined) {
    return done(ctx, context, task => delivered(task, 'delivered'))
  }
  if (refused === undefined && failed < RETRIES) {
    ctx.log.info('care-uhi callback failed', { action: context.action, attempt: failed + 1, why })
    const due = ctx.clock() + WAIT_MS
    return { is: 'later', due, body: JSON.stringify({ request, failed: failed + 1, faults }) }
  }
  ctx.log.warn('care-uhi callback given up', { action: context.action, why })
  return done(ctx, context, task => delivered(task, 'undelivered', why))
}

/** Writes down what came of a call; where that cannot be, nobody is called once more for it. */
async function done(
  ctx: Context,
  context: FirstContext,
  change: (task: Resource) => Resource,
): Promise<Outcome> {
  try {
    await finish(ctx, context, change)
  } catch (error) {
    ctx.log.error('care-uhi callback not recorded', { action: context.action, error: faultOf(error) })
  }
  return { is: 'done' }
}

/** Returns why a body did not arrive, undefined where it did. Redirections are not followed: they lead where nobody has looked. */
async function post(url: string, body: string, ms: number): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ms),
    })
    await response.body?.cancel()
    return response.ok ? undefined : `The consumer answered ${response.status}`
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError'
      ? 'The consumer did not answer in time'
      : 'The consumer could not be reached'
  }
}
