/** The first generation: a request is acknowledged at once and its result called back; or answered, where nobody can be called. */
import type { Context, WriteRule } from '../../context.ts'
import { FhirError } from '../../fhir/error.ts'
import type { Json, Resource } from '../../fhir/json.ts'
import { type CallbackRules, refusedCallback } from '../../http/private-address.ts'
import { update } from '../../interactions/update.ts'
import type { Job } from '../../storage/port.ts'
import { resultOf } from './first-actions.ts'
import { type FirstContext, type FirstRequest, firstRequest } from './first-request.ts'
import type { Action } from './generation.ts'
import { orderOf } from './order.ts'
import { delivered, failed, failureIn, isOf, newRecord, recordIdOf, recordOf, recordRule } from './record.ts'
import { Refusal, refusalOf, ruleOf } from './refusal.ts'
import { idOf } from './translate.ts'

/** The kind of the jobs of the outbox that are callbacks. */
export const CALLBACK = 'care-uhi-callback'

/** The body of such a job. */
export interface CallbackJob {
  request: FirstRequest
  /** Attempts that have failed. */
  failed: number
  /** Faults of this server that have kept it from an attempt. */
  faults?: number
}

export interface FirstAnswer {
  status: number
  body: object
}

const ACK: FirstAnswer = { status: 200, body: { message: { ack: { status: 'ACK' } } } }

const nack = (status: number, message: string): FirstAnswer => ({
  status,
  body: {
    message: { ack: { status: 'NACK' } },
    error: { type: 'CONTEXT-ERROR', code: '30000', message },
  },
})

/** Returns the answer to a request of the first generation; a NACK for what cannot be taken, after which nothing has changed. */
export async function answerFirst(
  ctx: Context,
  rules: CallbackRules,
  action: Action,
  body: Json,
): Promise<FirstAnswer> {
  try {
    const request = firstRequest(action, body, ctx.clock(), ctx.settings.zone)
    await check(ctx, rules, request)
    await record(ctx, request)
    if (request.context.consumer_uri !== '') return ACK
    const message = await outcomeOf(ctx, request)
    await finish(ctx, request.context, task => delivered(task, 'delivered'))
    return { status: 200, body: { context: resultContext(ctx, request.context), message } }
  } catch (error) {
    const refusal = refusalOf(error)
    if (!(refusal instanceof Refusal)) throw error
    return nack(refusal.status, refusal.message)
  }
}

async function check(ctx: Context, rules: CallbackRules, request: FirstRequest): Promise<void> {
  const { action, transaction_id, consumer_uri } = request.context
  if (consumer_uri !== '') {
    const why = await refusedCallback(consumer_uri, rules)
    if (why !== undefined) throw new Refusal(400, `context → consumer_uri: The callback URL ${why}`)
  }
  const closing = action === 'status' ? undefined : await recordOf(ctx, transaction_id, 'cancel')
  // The cancel that closed it may be sent again, as any message may.
  if (closing?.status === 'completed' && !(action === 'cancel' && isOf(closing, request.context)))
    throw closed(request.context)
  if (request.orderId === undefined) return
  const order = await orderOf(ctx, request.orderId)
  if (order?.transaction !== transaction_id.toLowerCase())
    throw new Refusal(422, `Order ${request.orderId} not found for this transaction`)
}

const closed = ({ action, transaction_id }: FirstContext): Refusal =>
  new Refusal(
    action === 'search' ? 400 : 422,
    `Transaction ${transaction_id} is already closed and cannot accept new requests`,
  )

/** Stores the record of a request, with its callback; nothing where the same message was taken before. */
async function record(ctx: Context, request: FirstRequest): Promise<void> {
  const { transaction_id, action, consumer_uri } = request.context
  const job: CallbackJob = { request, failed: 0 }
  const due = { kind: CALLBACK, due: ctx.clock(), body: JSON.stringify(job) }
  const under = withRule(ctx, recordRule(consumer_uri === '' ? undefined : due))
  for (let attempt = 0; ; attempt++) {
    const before = await recordOf(ctx, transaction_id, action)
    if (before !== undefined && isOf(before, request.context)) return
    // Another cancel was faster since it was looked.
    if (action === 'cancel' && before?.status === 'completed') throw closed(request.context)
    const task = newRecord(ctx, request, before)
    try {
      await update(under, 'Task', recordIdOf(transaction_id, action), task, onlyOver(before))
      return
    } catch (error) {
      if (ruleOf(error) === 'message-id')
        throw new Refusal(400, 'context → message_id: The message_id was used before')
      if (!(error instanceof FhirError && error.status === 412) || attempt === 10) throw error
    }
  }
}

const withRule = (ctx: Context, rule: WriteRule): Context => ({ ...ctx, rules: [...(ctx.rules ?? []), rule] })

const onlyOver = (before: Resource | undefined) =>
  before === undefined
    ? { ifNoneMatch: '*' }
    : { ifMatch: `W/"${String((before.meta as Record<string, Json>).versionId)}"` }

/**
 * Returns the message of a result: what was wanted, or the error of the domain. A request that is tried again has the outcome that it had.
 *
 * Throws what may pass: then it is to be tried again.
 */
export async function outcomeOf(ctx: Context, request: FirstRequest): Promise<object> {
  const task = await recordOf(ctx, request.context.transaction_id, request.context.action)
  const before = isOf(task, request.context) && task !== undefined ? failureIn(task) : undefined
  if (before !== undefined) return errorMessage(before)
  try {
    return await resultOf(ctx, request)
  } catch (error) {
    const refusal = refusalOf(error)
    if (!(refusal instanceof Refusal) || refusal.status >= 500) throw error
    await finish(ctx, request.context, one => failed(one, refusal))
    return errorMessage(refusal)
  }
}

/** Returns the message of a request that this server cannot do, and never will. */
export async function givenUp(ctx: Context, request: FirstRequest): Promise<object> {
  const refusal = new Refusal(500, 'The request could not be carried out')
  // What keeps it from its work may keep it from writing that down.
  await finish(ctx, request.context, one => failed(one, refusal)).catch(() => {})
  return errorMessage(refusal)
}

const errorMessage = ({ code, message }: Refusal): object => ({
  error: { type: 'DOMAIN-ERROR', code, message },
})

/** Changes the record of a message, where a later one has not taken its place. */
export async function finish(
  ctx: Context,
  context: FirstContext,
  change: (task: Resource) => Resource,
): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const task = await recordOf(ctx, context.transaction_id, context.action)
    if (task === undefined || !isOf(task, context)) return
    try {
      await update(ctx, 'Task', idOf(task), change(task), onlyOver(task))
      return
    } catch (error) {
      if (!(error instanceof FhirError && error.status === 412)) throw error
    }
  }
}

/** Returns the context of a result. */
export function resultContext(ctx: Context, context: FirstContext): object {
  const { providerId, providerUri } = ctx.settings.careUhi
  return {
    ...context,
    action: `on_${context.action}`,
    provider_id: providerId,
    provider_uri: providerUri ?? '',
  }
}

export const jobOf = (job: Pick<Job, 'body'>): CallbackJob => JSON.parse(job.body) as CallbackJob
