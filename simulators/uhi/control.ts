/** The control port: commands to the patient app and the gateway, and what they have seen. */
import { type Eua, type Reception, send } from './eua.ts'
import { type Gateway, type GatewayHeader, PLAIN } from './gateway.ts'
import { MISBEHAVIOURS, type Misbehaviour } from './misbehave.ts'
import { type Subscriber, subscriber } from './party.ts'
import type { Registry } from './registry.ts'
import {
  cancelMessage,
  chatMessage,
  confirmMessage,
  initMessage,
  type Provider,
  searchIntent,
  slotIntent,
  type Wish,
} from './requests.ts'
import { type Answer, type Arrived, parsed, type Route } from './wire.ts'

type Tree = Record<string, unknown>

/** One request to send. Without `message` the app writes it from what it has seen. */
export interface Command {
  action: string
  transaction?: string
  provider?: { id: string; uri: string }
  wish?: Wish
  /** A provider of a catalog, for the second search and init. */
  from?: Provider
  /** The id of a fulfillment of `from`, for init. */
  slot?: string
  order?: string
  reason?: string
  reasonText?: string
  state?: string
  chat?: { from: { id: string; name: string }; to: { id: string; name: string }; text: string }
  message?: Tree
  misbehave?: Misbehaviour[]
  /** How the gateway misbehaves when it forwards this search. */
  gateway?: Misbehaviour[]
  /** The header that carries the gateway's signature: X-Gateway-Authorization unless it says otherwise. */
  gatewayHeader?: GatewayHeader
  context?: Record<string, string | null>
  lifetime?: number
}

export interface World {
  eua: Eua
  gateway: Gateway
  registry: Registry
  gatewayUrl: string
  say: (line: string) => void
}

function messageOf(world: World, command: Command): Tree {
  if (command.message) return command.message
  const wish = command.wish ?? {}
  const order = command.order ?? ''
  switch (command.action) {
    case 'search':
      return command.from ? slotIntent(command.from, wish) : searchIntent(wish)
    case 'init': {
      const slot = command.from?.fulfillments.find(one => one.id === command.slot)
      if (!command.from || !slot) throw new Error('init needs from, a provider of a catalog, and slot')
      return initMessage(command.from, slot, wish)
    }
    case 'confirm':
      return confirmMessage(world.eua.orders.get(order) ?? { id: order })
    case 'status':
      return { order: { id: order } }
    case 'cancel':
      return cancelMessage(order, command.reason, command.reasonText)
    case 'on_update':
      return { order: { id: order, state: command.state ?? 'DOCTOR_NO_SHOW' } }
    case 'on_message':
      if (!command.chat) throw new Error('on_message needs chat')
      return chatMessage(command.chat.from, command.chat.to, command.chat.text)
    default:
      throw new Error(`no message for ${command.action}`)
  }
}

async function sendCommand(world: World, command: Command): Promise<Answer> {
  const unknown = [...(command.misbehave ?? []), ...(command.gateway ?? [])].find(
    one => !MISBEHAVIOURS.includes(one),
  )
  if (unknown) throw new Error(`unknown misbehaviour ${unknown}; known: ${MISBEHAVIOURS.join(', ')}`)
  const broadcast = command.action === 'search' && !command.provider
  if (!broadcast && !command.provider) throw new Error(`${command.action} needs provider {id, uri}`)
  if (broadcast)
    world.gateway.next = { ways: command.gateway ?? [], header: command.gatewayHeader ?? PLAIN.header }
  const url = broadcast
    ? `${world.gatewayUrl}/search`
    : `${command.provider!.uri.replace(/\/$/, '')}/${command.action}`
  const sent = await send(
    world.eua,
    world.registry,
    { ...command, url, message: messageOf(world, command) },
    world.say,
  )
  const forwarded = world.gateway.forwarded[sent.context.message_id]
  return { status: 200, json: forwarded ? { ...sent, forwarded } : sent }
}

/** Answers when enough of what is listed fits the query, or when its `wait` (milliseconds) is over. */
async function list(arrived: Arrived, rows: () => readonly object[]): Promise<Answer> {
  const query = Object.fromEntries(arrived.url.searchParams)
  const deadline = Date.now() + Number(query.wait ?? 0)
  for (;;) {
    const found = rows().filter(row =>
      ['action', 'transaction', 'order', 'messageId'].every(
        name => query[name] === undefined || (row as Tree)[name] === query[name],
      ),
    )
    if (found.length >= Number(query.count ?? 1) || Date.now() >= deadline)
      return { status: 200, json: found }
    await new Promise(done => setTimeout(done, 5))
  }
}

/** The routes under `/control/`. */
export function controlRoute(world: World): Route {
  const { eua, gateway, registry } = world
  return async arrived => {
    const what = arrived.url.pathname.replace(/^\/control\//, '')
    const body = arrived.body.length === 0 ? {} : parsed(arrived.body.toString('utf8'))
    if (body === undefined) return { status: 400, json: { error: 'the body is not JSON' } }
    try {
      switch (`${arrived.method} ${what}`) {
        case 'POST send':
          return await sendCommand(world, body as Command)
        case 'GET callbacks':
          return await list(arrived, () => eua.callbacks)
        case 'GET audits':
          return await list(arrived, () =>
            gateway.audits.map(one => ({
              ...one,
              exact: eua.callbacks.some(came => came.digest === one.digest && came.action === one.action),
            })),
          )
        case 'GET problems':
          return {
            status: 200,
            json: [...eua.callbacks, ...gateway.audits].flatMap(one =>
              one.problems.map(problem => `${one.action}: ${problem}`),
            ),
          }
        case 'GET pin':
          return {
            status: 200,
            json: { pin: eua.pins.get(arrived.url.searchParams.get('order') ?? '') ?? null },
          }
        case 'GET lookups':
          return { status: 200, json: registry.lookups }
        case 'POST subscribers': {
          const record = subscriber(body as Partial<Subscriber> & { subscriber_id: string }, Date.now())
          registry.subscribers = [
            ...registry.subscribers.filter(
              one => one.subscriber_id !== record.subscriber_id || one.pub_key_id !== record.pub_key_id,
            ),
            record,
          ]
          return { status: 200, json: record }
        }
        case 'POST receive':
          eua.receptions.push(body as Reception)
          return { status: 200, json: {} }
        default:
          return { status: 404, json: { error: `no ${arrived.method} ${what}` } }
      }
    } catch (error) {
      return { status: 400, json: { error: error instanceof Error ? error.message : String(error) } }
    }
  }
}
