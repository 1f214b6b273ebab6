/** Orders become resources and come back as they were; the resources are sound FHIR and hold no message. */
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { seeded } from '../../bench/random.ts'
import { isObject, type Json, parseJson, type Resource, writeJson } from '../../src/fhir/json.ts'
import { accept } from '../../src/interactions/accept.ts'
import { pinOf } from '../../src/scheduling/pin.ts'
import { chatFrom, communicationOf, personOf } from '../../src/uhi/chat.ts'
import { orderFrom } from '../../src/uhi/from-fhir.ts'
import { CHAT, ORDER, type Order } from '../../src/uhi/order.ts'
import { leavesOf, readShape } from '../../src/uhi/shape.ts'
import { graphOf } from '../../src/uhi/to-fhir-graph.ts'
import { testContext } from '../interactions/context.ts'
import { randomChat, randomOrder } from './random-order.ts'

const SECRET = 'a secret of the tests'
const ENVELOPE = {
  transactionId: 'e9a19230-f951-11ec-b135-53aea776f66b',
  consumerId: 'eua-nha',
  consumerUri: 'https://eua.example.org/api',
  domain: 'nic2004:85111',
  city: 'std:0484',
}

const tokenOf = (orderId: string) => pinOf(SECRET, orderId)

async function orders(n: number): Promise<Order[]> {
  const random = seeded(20261121)
  const made: Order[] = []
  for (let i = 0; i < n; i++) made.push(await randomOrder(random, tokenOf))
  return made
}

const idsFrom = () => {
  let n = 0
  return () => `r${++n}`
}

/** The paths at which values stand, as `leavesOf` writes them. */
function* pathsIn(value: unknown, path: string): Generator<string> {
  if (Array.isArray(value)) for (const one of value) yield* pathsIn(one, `${path}[]`)
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) yield* pathsIn(member, `${path}/${name}`)
  else yield path
}

function* textsIn(value: Json | undefined): Generator<string> {
  if (typeof value === 'string') yield value
  else if (Array.isArray(value)) for (const one of value) yield* textsIn(one)
  else if (isObject(value)) for (const one of Object.values(value)) yield* textsIn(one)
}

const resourcesOf = (graph: ReturnType<typeof graphOf>): Resource[] =>
  Object.values(graph).flatMap(value => (Array.isArray(value) ? value : value === undefined ? [] : [value]))

describe('1,000 generated orders', async () => {
  const made = await orders(1000)

  it('cover every field that an order may have', () => {
    const covered = new Set(made.flatMap(order => [...pathsIn(order, 'order')]))
    expect(leavesOf(ORDER, 'order').filter(path => !covered.has(path))).toEqual([])
  })

  it('are read from their JSON as they are', () => {
    for (const order of made) {
      const read = readShape(parseJson(JSON.stringify(order)), ORDER, 'order')
      if (!isDeepStrictEqual(read, order)) expect(read).toEqual(order)
    }
  })

  it('return deep-equal from the resources, through their JSON', async () => {
    for (const order of made) {
      const graph = graphOf(order, ENVELOPE, idsFrom())
      // What is stored is text: nothing may live between the two translations but the text.
      const stored = JSON.parse(
        JSON.stringify(graph, (_, value) => (isResource(value) ? { stored: writeJson(value) } : value)),
        (_, value) => (value?.stored === undefined ? value : parseJson(value.stored)),
      )
      const pin = order.authorization && (await tokenOf(order.id!))
      const back = orderFrom(stored, pin)
      if (!isDeepStrictEqual(back, order)) expect(back).toEqual(order)
    }
  })

  it('are sound resources by our own definitions too', { timeout: 30_000 }, async () => {
    const ctx = await testContext({ validate: 'profile' })
    for (const order of made.slice(0, 30)) {
      // What is only called by its id here is a facility of ours, which has its name.
      const own = resourcesOf(graphOf(order, ENVELOPE, idsFrom())).filter(
        one => one.resourceType !== 'Organization' || one.name !== undefined,
      )
      for (const resource of own) await accept(ctx, parseJson(writeJson(resource)), resource.resourceType)
    }
    await ctx.storage.close()
  })

  it('leave no message, no part of one and no PIN as text in a resource', () => {
    const isMessage = (text: string, order: Order): boolean => {
      if (/"(order|fulfillment|descriptor|context|billing)"\s*:/.test(text)) return true
      if (text === order.authorization?.token) return true
      if (!/^\s*[[{]/.test(text)) return false
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    const found = made.flatMap(order =>
      [...textsIn(resourcesOf(graphOf(order, ENVELOPE, idsFrom())) as Json)].filter(text =>
        isMessage(text, order),
      ),
    )
    expect(found).toEqual([])
  })
})

const isResource = (value: unknown): value is Resource =>
  typeof value === 'object' && value !== null && typeof (value as Resource).resourceType === 'string'

describe('1,000 generated chats', () => {
  const random = seeded(7)
  const chats = Array.from({ length: 1000 }, () => randomChat(random))

  it('cover every field that a chat may have', () => {
    const covered = new Set(chats.flatMap(chat => [...pathsIn(chat, 'chat')]))
    expect(leavesOf(CHAT, 'chat').filter(path => !covered.has(path))).toEqual([])
  })

  it('return deep-equal from the Communication and its two people', () => {
    const keys = {
      appointment: 'Appointment/1',
      subject: 'Patient/1',
      sender: 'Patient/1',
      receiver: 'Practitioner/1',
    }
    const stored = (resource: Resource) => parseJson(writeJson(resource)) as Resource
    for (const chat of chats) {
      const back = chatFrom(
        stored(communicationOf(chat, keys)),
        stored(personOf(chat.sender?.person, 'Patient')),
        stored(personOf(chat.receiver?.person, 'Practitioner')),
      )
      if (!isDeepStrictEqual(back, chat)) expect(back).toEqual(chat)
    }
  })
})
