/** One case for each text that the contract refuses with, in both generations; and that a refusal leaves nothing behind. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSqlite } from '../../../src/storage/sqlite/node.ts'
import {
  type Clinic,
  type Consumer,
  fullContext,
  openWorld,
  PERSON,
  startConsumer,
  type World,
} from '../../rest/care-uhi-world.ts'
import type { Tree } from '../../rest/client.ts'

const cases = (name: string): Tree[] =>
  JSON.parse(readFileSync(new URL(`../../cases/care-uhi/${name}.json`, import.meta.url), 'utf8'))

let world: World
let foreign: Clinic
/** Where nothing is ever booked. */
let quiet: Clinic
let people = 0
let consumer: Consumer
beforeAll(async () => {
  world = await openWorld((clock, log) => openSqlite({ path: ':memory:', sync: 'normal', clock, log }))
  foreign = await world.clinic()
  quiet = await world.clinic()
  consumer = await startConsumer()
})
afterAll(async () => {
  await consumer.close()
  await world.close()
})

const context = { message_id: 'm-1', transaction_id: 't-1' }

/** What a case calls things, once what it needs is there. */
async function prepared(before: string | undefined): Promise<Record<string, string>> {
  const { org, doctor, schedule, slots } = before === undefined ? quiet : await world.clinic()
  const phone = `98765${String(++people).padStart(5, '0')}`
  const person = { ...PERSON, phone_number: phone }
  const transaction = crypto.randomUUID()
  const names: Record<string, string> = {
    org,
    doctor,
    schedule,
    ...slots,
    foreign: foreign.slots.first,
    transaction,
    phone,
    a: phone.slice(0, 5),
    b: phone.slice(5),
  }
  const confirm = async (slot: string, patient: Tree) => {
    const message = { provider_id: org, fulfillment_id: slot, patient }
    const answer = await world.uhi('/appointment/confirm/', { context, message })
    expect(answer.status, answer.text).toBe(200)
    return answer.body.message.order_id as string
  }
  const first = async (action: string, message: Tree) => {
    const answer = await world.uhi(`/appointment/${action}/`, {
      context: fullContext(action, { transaction_id: transaction, consumer_uri: '' }),
      message,
    })
    expect(answer.body.message.error, answer.text).toBeUndefined()
    return answer.body.message
  }
  const status = async (status: string) => {
    const { body } = await world.fhir('GET', `Appointment/${names.order}`)
    const answer = await world.fhir('PUT', `Appointment/${names.order}`, { ...body, status })
    expect(answer.status, answer.text).toBe(200)
  }
  const initialized = async () => {
    const order = { provider_id: org, item_id: schedule, fulfillment_id: slots.first }
    const billing = { ...person, geo_organization: 'Ernakulam' }
    names.order = (await first('init', { order, billing })).id
  }
  switch (before) {
    case 'taken':
      await confirm(slots.first, { name: 'Abdul Rahman', phone_number: phone.replace('98765', '98764') })
      break
    case 'booked':
      names.order = await confirm(slots.wide, person)
      break
    case 'cancelled':
      names.order = await confirm(slots.wide, person)
      await world.uhi('/appointment/cancel/', { context, message: { order_id: names.order } })
      break
    case 'fulfilled':
      names.order = await confirm(slots.wide, person)
      await status('fulfilled')
      break
    case 'emergency':
      await world.uhi('/emergency_request/', { provider_id: org, patient: person, ambulance: {} })
      break
    case 'initialized':
      await initialized()
      break
    case 'completed':
      await initialized()
      await status('booked')
      await status('fulfilled')
      break
    case 'cancelled by the clinic':
      await initialized()
      await status('cancelled')
      break
    case 'closed':
      await initialized()
      await first('cancel', { order_id: names.order })
  }
  return names
}

/** Returns the tree with `$name` replaced by what the name stands for. */
function filled(tree: Tree, names: Record<string, string>): Tree {
  if (typeof tree === 'string') return tree.replace(/\$([a-z]+)/g, (_, name: string) => names[name] ?? '?')
  if (Array.isArray(tree)) return tree.map(one => filled(one, names))
  if (typeof tree !== 'object' || tree === null) return tree
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, filled(value, names)]))
}

describe('third generation refuses, and changes nothing', () => {
  it.each(cases('third').map(one => [one.name, one] as const))('%s', async (_, one) => {
    const names = await prepared(one.before)
    const body = filled(one.body ?? { context, message: one.message }, names)
    const before = await world.versions()
    const answer = await world.uhi(one.path, body)
    expect([answer.status, Object.keys(answer.body)], answer.text).toEqual([one.status, ['error']])
    if (one.error !== undefined) expect(answer.body.error).toBe(filled(one.error, names))
    else expect(answer.body.error.startsWith(one.begins), answer.text).toBe(true)
    expect(await world.versions()).toBe(before)
  })
})

describe('first generation answers NACK, and changes nothing', () => {
  it.each(cases('nack').map(one => [one.name, one] as const))('%s', async (_, one) => {
    const names = await prepared(one.before)
    const given: Tree = {
      ...fullContext(one.action, {
        consumer_uri: consumer.uri,
        ...(one.before === 'closed' && { transaction_id: names.transaction }),
      }),
      ...one.context,
    }
    for (const name of Object.keys(given)) if (given[name] === null) delete given[name]
    const before = await world.versions()
    const answer = await world.uhi(
      `/appointment/${one.action}/`,
      filled(one.body ?? { context: given, message: one.message }, names),
    )
    const { message, error } = answer.body
    expect([answer.status, message, error?.type, error?.code], answer.text).toEqual([
      one.status,
      { ack: { status: 'NACK' } },
      'CONTEXT-ERROR',
      '30000',
    ])
    if (one.error !== undefined) expect(error.message).toBe(filled(one.error, names))
    for (const place of one.names ?? [])
      expect(
        error.message.split('; ').some((fault: string) => fault.startsWith(place)),
        error.message,
      ).toBe(true)
    expect(await world.versions()).toBe(before)
  })
})

describe('first generation calls an error of its domain back, or answers it', () => {
  it.each(cases('domain-error').map(one => [one.name, one] as const))('%s', async (_, one) => {
    const names = await prepared(one.before)
    const mine = ['initialized', 'completed', 'cancelled by the clinic'].includes(one.before)
    const own = mine ? { transaction_id: names.transaction } : {}
    const body = (uri: string) => ({
      context: fullContext(one.action, { consumer_uri: uri, ...own }),
      message: filled(one.message, names),
    })
    const wanted = { error: { type: 'DOMAIN-ERROR', code: one.code, message: filled(one.error, names) } }
    const acked = await world.uhi(`/appointment/${one.action}/`, body(consumer.uri))
    expect(acked.body, acked.text).toEqual({ message: { ack: { status: 'ACK' } } })
    if (one.during === 'deleted') await world.fhir('DELETE', `Appointment/${names.order}`)
    await world.work()
    const called = consumer.calls.at(-1)!
    expect(called.path).toBe(`/consumer/on_${one.action}`)
    expect(called.body.context.action).toBe(`on_${one.action}`)
    expect(called.body.message).toEqual(wanted)
    if (one.during === undefined) {
      const answer = await world.uhi(`/appointment/${one.action}/`, body(''))
      expect([answer.status, answer.body.message], answer.text).toEqual([200, wanted])
    }
  })
})
