/** What is left to be sent: a message of ours, as it was when its cause was committed. */
import type { Context } from '../context.ts'
import type { Job } from '../storage/port.ts'
import type { ErrorBody } from './error.ts'
import type { Order } from './order.ts'
import type { Self } from './self.ts'

export const UHI_JOB = 'uhi'

export interface UhiJob {
  /** Where to. */
  url: string
  action: string
  /** The body; where it has a PIN, that stands empty in it. */
  text: string
  /** The order whose PIN is put in when it is sent: it is at rest nowhere. */
  pinOf?: string
  tries: number
}

/** Whom a message of ours goes to, and about which transaction. */
export interface Addressee {
  consumerId: string
  consumerUri: string
  transactionId: string
  domain: string
  city: string
  /** The message that is answered: a request and its callback have the same id. Undefined where nobody asked. */
  messageId?: string | undefined
}

/** What a message of ours says: `message` of the body, or why there is none. */
export interface Said {
  message?: unknown
  error?: ErrorBody
}

/** Returns the body of a message of ours, without its PIN. */
function bodyText(ctx: Context, self: Self, action: string, to: Addressee, { message, error }: Said): string {
  return JSON.stringify({
    context: {
      domain: to.domain,
      country: 'IND',
      city: to.city,
      action,
      core_version: '0.7.1',
      consumer_id: to.consumerId,
      consumer_uri: to.consumerUri,
      provider_id: self.signer.subscriberId,
      provider_uri: self.url,
      transaction_id: to.transactionId,
      message_id: to.messageId ?? ctx.newId(),
      timestamp: new Date(ctx.clock()).toISOString(),
    },
    ...(message !== undefined && { message }),
    ...(error !== undefined && { error }),
  })
}

const jobOf = (ctx: Context, body: Omit<UhiJob, 'tries'>): Job => ({
  id: ctx.newId(),
  kind: UHI_JOB,
  due: ctx.clock(),
  body: JSON.stringify({ ...body, tries: 0 } satisfies UhiJob),
})

/** Returns the job that sends a message to the app, or to the gateway that asked for it. */
export const callback = (
  ctx: Context,
  self: Self,
  action: string,
  to: Addressee,
  said: Said,
  byGateway = false,
): Job => {
  const base = byGateway ? self.gateway : to.consumerUri.replace(/\/+$/, '')
  return jobOf(ctx, { url: `${base}/${action}`, action, text: bodyText(ctx, self, action, to, said) })
}

/** Actions whose messages the gateway gets a copy of. */
const AUDITED: ReadonlySet<string> = new Set(['on_confirm', 'on_update', 'on_cancel', 'on_status'])

/** Returns the jobs that send an order, whose PIN is left empty, to the app, and the same bytes to the gateway's audit. */
export function tellOrder(
  ctx: Context,
  self: Self,
  action: string,
  to: Addressee,
  order: Order,
  error?: ErrorBody,
): Job[] {
  const { authorization } = order
  const text = bodyText(ctx, self, action, to, {
    message: { order },
    ...(error !== undefined && { error }),
  })
  const pin = authorization === undefined || order.id === undefined ? {} : { pinOf: order.id }
  const base = to.consumerUri.replace(/\/+$/, '')
  const urls = [`${base}/${action}`, ...(AUDITED.has(action) ? [`${self.gateway}/${action}_audit`] : [])]
  return urls.map(url => jobOf(ctx, { url, action, text, ...pin }))
}

/** Returns the text that is sent, with the PIN. */
export function withPin(text: string, pin: string): string {
  const body = JSON.parse(text)
  body.message.order.authorization.token = pin
  return JSON.stringify(body)
}
