/** The patient app: sends requests, keeps every callback with what is wrong about it, and holds PINs in memory only. */
import { randomUUID } from 'node:crypto'
import { ack, judgeAnswer, nack } from './answer.ts'
import { judgeContext, judgeError, judgeMessage, valuesAt } from './judge.ts'
import { type Misbehaviour, misbehavedHeader } from './misbehave.ts'
import type { Party } from './party.ts'
import { judgeSender, type Registry } from './registry.ts'
import { type Context, newContext } from './requests.ts'
import { digestOf } from './signature.ts'
import { type Posted, parsed, post, type Route } from './wire.ts'

type Tree = Record<string, unknown>

export interface Callback {
  action: string
  transaction: string
  messageId: string
  order?: string
  digest: string
  /** The body without the PIN. */
  body: Tree
  problems: string[]
  /** It came before with the same bytes. */
  repeat: boolean
  /** What the app answered with: ACK, or the way it was told to misbehave. */
  answered: string
}

/** How the app answers callbacks of an action from now on, so many times. */
export interface Reception {
  action: string
  as: 'nack' | 'http-500' | 'drop' | 'garbage'
  times: number
}

export interface Sent {
  context: Context
  /** One per sending; status 0 where nothing answered. */
  answers: Posted[]
  problems: string[]
}

export interface Eua {
  party: Party
  uri: string
  callbacks: Callback[]
  /** Requests sent, by message id. */
  requests: Map<string, Context>
  /** Orders as last seen, without PIN. */
  orders: Map<string, Tree>
  pins: Map<string, string>
  receptions: Reception[]
  /** Requests held back, to be sent after the next. */
  held: (() => Promise<void>)[]
}

/** Actions whose callback shows the order as it is. */
const TELLS_ORDER = new Set(['on_init', 'on_confirm', 'on_status', 'on_update', 'on_cancel'])

/** The routes of the app under its consumer_uri. */
export function euaRoute(eua: Eua, registry: Registry, say: (line: string) => void): Route {
  return arrived => {
    const action = arrived.url.pathname.split('/').at(-1) ?? ''
    const body = parsed(arrived.body.toString('utf8')) as
      | { context?: Tree; message?: Tree; error?: Tree | null }
      | undefined
    if (!body?.context) {
      say(`eua: WRONG: ${action} is not JSON with a context`)
      return nack('UHI-1411', 'INVALID JSON', `/${action}`)
    }
    const forwarded = arrived.headers['x-gateway-authorization'] !== undefined
    const header = forwarded ? 'x-gateway-authorization' : 'authorization'
    const { by, problems } = judgeSender(registry, arrived, header, Date.now())
    if (by !== undefined && !forwarded && by !== body.context.provider_id)
      problems.push(`${by} signed for ${body.context.provider_id}`)
    const messageId = `${body.context.message_id}`
    const fault = body.error && Object.keys(body.error).length > 0 ? body.error : undefined
    const asked = eua.requests.get(messageId)
    const order = valuesAt(body.message, 'order')[0] as Tree | undefined
    const orderId = typeof order?.id === 'string' ? order.id : undefined
    const before = orderId === undefined ? undefined : eua.orders.get(orderId)
    problems.push(
      ...judgeContext(body.context, action, { id: eua.party.subscriberId, uri: eua.uri }, asked),
      ...(fault ? judgeError(fault) : judgeMessage(action, body.message, before)),
    )
    if (!asked && isAwaited(eua, action, `${body.context.transaction_id}`))
      problems.push(`the message_id of ${action} is that of no request`)
    keepPin(eua, order, orderId)
    const digest = digestOf(arrived.body)
    const repeat = eua.callbacks.some(one => one.digest === digest && one.action === action)
    if (orderId !== undefined && order && !fault && TELLS_ORDER.has(action))
      eua.orders.set(orderId, { ...before, ...order })
    const way = reception(eua, action)
    eua.callbacks.push({
      action,
      transaction: `${body.context.transaction_id}`,
      messageId,
      ...(orderId === undefined ? {} : { order: orderId }),
      digest,
      body: body as Tree,
      problems,
      repeat,
      answered: way ?? 'ack',
    })
    say(
      `eua: ${action}${orderId ? ` of order ${orderId}` : ''} ${order?.state ?? ''}${repeat ? ' again' : ''}` +
        (problems.length === 0 ? '' : `: WRONG: ${problems.join('; ')}`),
    )
    if (way === 'drop') return undefined
    if (way === 'http-500') return { status: 500, json: { error: 'told to fail' } }
    if (way === 'garbage') return { status: 200, text: '<html>not an answer</html>' }
    if (way === 'nack' || problems.length > 0)
      return nack('UHI-1409', problems.join('; ') || 'told to refuse', `/${action}`)
    return ack()
  }
}

/** Whether a request of this transaction still waits for such a callback: a callback has the message_id of its request. */
const isAwaited = (eua: Eua, action: string, transaction: string): boolean =>
  [...eua.requests.values()].some(
    one =>
      `on_${one.action}` === action &&
      one.transaction_id === transaction &&
      !eua.callbacks.some(came => came.messageId === one.message_id),
  )

/** Takes the PIN out of an order into memory. */
function keepPin(eua: Eua, order: Tree | undefined, orderId: string | undefined): void {
  const authorization = order?.authorization as Tree | undefined
  if (authorization?.token === undefined) return
  if (orderId !== undefined && /^\d{4}$/.test(`${authorization.token}`))
    eua.pins.set(orderId, `${authorization.token}`)
  authorization.token = '****'
}

function reception(eua: Eua, action: string): Reception['as'] | undefined {
  const told = eua.receptions.find(one => one.action === action && one.times > 0)
  if (told === undefined) return undefined
  told.times -= 1
  return told.as
}

export interface Sending {
  action: string
  url: string
  provider?: { id: string; uri: string }
  transaction?: string
  message: Tree
  misbehave?: Misbehaviour[]
  /** Fields of the context to say otherwise; null leaves one out. */
  context?: Record<string, string | null>
  /** Seconds for which the signature is valid. */
  lifetime?: number
}

const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds))

/** Sends one request, in the way it is told to misbehave, and returns what came back; `held` sendings return no answer yet. */
export async function send(
  eua: Eua,
  registry: Registry,
  sending: Sending,
  say: (line: string) => void,
): Promise<Sent> {
  const ways = sending.misbehave ?? []
  const consumer = { id: eua.party.subscriberId, uri: eua.uri }
  const fresh = newContext(sending.action, consumer, sending.transaction ?? randomUUID(), sending.provider)
  const context = { ...fresh, ...sending.context } as Context
  for (const [name, value] of Object.entries(sending.context ?? {}))
    if (value === null) delete (context as unknown as Tree)[name]
  const message = ways.includes('unknown-order') ? withOtherOrder(sending.message) : sending.message
  const text = JSON.stringify({ context, message })
  eua.requests.set(context.message_id, context)
  const sign = () =>
    misbehavedHeader(eua.party, text, Math.floor(Date.now() / 1000), ways, registry, sending.lifetime)
  const sent: Sent = { context, answers: [], problems: [] }
  const go = async ({ header, body }: ReturnType<typeof sign>): Promise<void> => {
    const headers: Record<string, string> = header === undefined ? {} : { authorization: header }
    const answer = await post(sending.url, body, headers).catch(error => ({
      status: 0,
      text: String(error),
      json: undefined,
    }))
    sent.answers.push(answer)
    sent.problems.push(...judgeAnswer(answer.status, answer.json))
    say(
      `eua: sent ${sending.action}${ways.length ? ` (${ways.join(', ')})` : ''}: ${answer.status} ${answer.text}`,
    )
  }
  const first = sign()
  if (ways.includes('out-of-order')) {
    eua.held.push(() => go(first))
    return sent
  }
  if (ways.includes('late')) await pause(((sending.lifetime ?? 10) + 1) * 1000)
  await Promise.all(ways.includes('twice') ? [go(first), go(first)] : [go(first)])
  if (ways.includes('again')) await go(sign())
  for (const later of eua.held.splice(0)) await later()
  return sent
}

function withOtherOrder(message: Tree): Tree {
  const order = message.order as Tree | undefined
  return { ...message, order: { ...order, id: `unknown-${randomUUID()}` } }
}
