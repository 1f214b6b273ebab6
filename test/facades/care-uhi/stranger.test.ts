/** What somebody who means no good, or just asks badly, does not get at `/uhi`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp, jobHandlers, underRules } from '../../../src/app.ts'
import { CALLBACK } from '../../../src/facades/care-uhi/first.ts'
import { createMetrics } from '../../../src/http/metrics.ts'
import { openSqlite } from '../../../src/storage/sqlite/node.ts'
import {
  type Clinic,
  type Consumer,
  fullContext,
  openWorld,
  startConsumer,
  type World,
} from '../../rest/care-uhi-world.ts'
import type { Tree } from '../../rest/client.ts'

let world: World
let clinic: Clinic
let consumer: Consumer
beforeAll(async () => {
  world = await openWorld((clock, log) => openSqlite({ path: ':memory:', sync: 'normal', clock, log }))
  clinic = await world.clinic()
  consumer = await startConsumer()
})
afterAll(async () => {
  await consumer.close()
  await world.close()
})

const context = { message_id: 'm-1', transaction_id: 't-1' }
const third = (action: string, message: Tree) => world.uhi(`/appointment/${action}/`, { context, message })
const confirm = async (patient: Tree, slot = clinic.slots.wide): Promise<Tree> => {
  const answer = await third('confirm', { provider_id: clinic.org, fulfillment_id: slot, patient })
  expect(answer.status, answer.text).toBe(200)
  return answer.body.message
}
const first = async (action: string, transaction_id: string, message: Tree): Promise<Tree> => {
  const sent = fullContext(action, { transaction_id, consumer_uri: '' })
  const answer = await world.uhi(`/appointment/${action}/`, { context: sent, message })
  expect(answer.status, answer.text).toBe(200)
  return answer.body.message
}
const orderFor = (of: Clinic, fulfillment_id: string) => ({
  provider_id: of.org,
  item_id: of.schedule,
  fulfillment_id,
})

describe('who knows a name and a telephone', () => {
  const stored: Tree = {
    resourceType: 'Patient',
    id: 'known',
    active: true,
    name: [
      { use: 'official', given: ['Leela'], family: 'Thampi' },
      { use: 'maiden', text: 'Leela Kurup' },
    ],
    gender: 'female',
    birthDate: '1961-07-30',
    telecom: [
      { system: 'phone', value: '+91 98111 00001' },
      { system: 'phone', value: '+91 98111 00002' },
    ],
    address: [{ text: '7 Ferry Road' }],
    contact: [{ telecom: [{ system: 'phone', value: '+91 98111 00003' }] }],
  }
  const known = { name: 'leela thampi', phone_number: '9811100001' }
  beforeAll(async () => {
    expect((await world.fhir('PUT', 'Patient/known', stored)).status).toBe(201)
  })

  it('is not told when somebody was born, or where they live; later neither', async () => {
    const { order_id, patient } = await confirm(known)
    const wanted = {
      id: 'known',
      name: 'Leela Thampi',
      gender: '',
      phone_number: '+91 98111 00001',
      date_of_birth: '',
      address: '',
    }
    expect(patient).toEqual(wanted)
    for (const action of ['status', 'cancel'])
      expect((await third(action, { order_id })).body.message.patient).toEqual(wanted)
  })

  it('is told what was said and is so, and nothing for what was said and is not', async () => {
    const said = { ...known, gender: 'Female', date_of_birth: '1961-07-30', address: '8 Ferry Road' }
    const old = await confirm(said, clinic.slots.first)
    const wanted = { gender: 'female', date_of_birth: '1961-07-30', address: '' }
    expect(old.patient).toMatchObject(wanted)
    const moved = await third('reschedule', { order_id: old.order_id, fulfillment_id: clinic.slots.second })
    expect(moved.body.message.patient, moved.text).toEqual(old.patient)
    await third('cancel', { order_id: moved.body.message.order_id })
  })

  it('hears of no other name and no other number', async () => {
    const { order_id, patient } = await confirm({ name: 'Leela Kurup', phone_number: '9811100002' })
    expect(patient).toMatchObject({ id: 'known', name: 'Leela Kurup', phone_number: '' })
    await third('cancel', { order_id })
  })

  it('gets a billing without what others have said, from init to cancel', async () => {
    const transaction = crypto.randomUUID()
    const billing = { ...known, gender: 'female', geo_organization: 'Ernakulam' }
    const made = await first('init', transaction, { order: orderFor(clinic, clinic.slots.first), billing })
    const wanted = {
      name: 'Leela Thampi',
      gender: 'female',
      phone_number: '+91 98111 00001',
      emergency_phone_number: '',
      address: '',
      permanent_address: '',
      pincode: '',
      blood_group: 'unknown',
      geo_organization: '',
      date_of_birth: '',
      year_of_birth: '',
    }
    expect(made.billing).toEqual(wanted)
    const terms = [{ type: 'payment', terms_state: 'agreed' }]
    expect((await first('confirm', transaction, { order_id: made.id, terms })).billing).toEqual(wanted)
    expect((await first('cancel', transaction, { order_id: made.id })).billing).toEqual(wanted)
  })
})

describe('times', () => {
  const at = (timestamp: string) => ({ time: { timestamp } })
  it.each([
    '+275760-09-13T00:00:00Z',
    '-271821-04-20T00:00:00Z',
    '9999-12-31T23:59:59-14:00',
    'Nov 30 2026',
    '5',
    '2026-11-31T00:00:00Z',
    '2026-11',
  ])('%s is none', async timestamp => {
    const fulfillment = { start: at(timestamp) }
    const answer = await third('select', { provider_id: clinic.org, doctor_id: clinic.doctor, fulfillment })
    expect([answer.status, answer.body], answer.text).toEqual([
      400,
      { error: 'fulfillment.start.time.timestamp must be a date with its time' },
    ])
    const nack = await world.uhi('/appointment/search/', {
      context: fullContext('search', { consumer_uri: '' }),
      message: { intent: { fulfillment } },
    })
    expect([nack.status, nack.body.message.ack.status, nack.body.error.message], nack.text).toEqual([
      400,
      'NACK',
      'message → intent → fulfillment → start → time → timestamp: Input should be a valid datetime',
    ])
  })
  it('without a zone are those of the clinic, and the last that there is has no week after it', async () => {
    const own = await world.clinic()
    const free = async (fulfillment: Tree): Promise<string[]> => {
      const answer = await third('select', { provider_id: own.org, doctor_id: own.doctor, fulfillment })
      expect(answer.status, answer.text).toBe(200)
      return answer.body.message.providers[0].fulfillments.map((one: Tree) => one.id)
    }
    const { second, wide } = own.slots
    expect(await free({ start: at('2026-11-23T09:20:00') })).toEqual([second, wide])
    expect(await free({ start: at('2026-11-23T09:20:00.000000+0530') })).toEqual([second, wide])
    expect(await free({ start: at('9999-12-31T12:00:00Z') })).toEqual([])
  })
})

describe('terms and ends', () => {
  const billing = { phone_number: '9811100009', gender: 'female', geo_organization: 'Ernakulam' }
  it('a confirm that is refused leaves the terms that were agreed', async () => {
    const own = await world.clinic()
    const transaction = crypto.randomUUID()
    const { id } = await first('init', transaction, {
      order: orderFor(own, own.slots.first),
      billing: { ...billing, name: 'Asha Das' },
    })
    const terms = [{ type: 'refund', terms_state: 'agreed' }]
    const { terms: agreed } = await first('confirm', transaction, { order_id: id, terms })
    const refused = await first('confirm', transaction, { order_id: id, terms: [] })
    expect(refused.error.message).toBe('At least one term is required for confirm')
    expect((await first('status', transaction, { order_id: id })).terms).toEqual(agreed)
  })
  it('a cancel that another has overtaken does not open the transaction again', async () => {
    const own = await world.clinic()
    const transaction_id = crypto.randomUUID()
    const { id } = await first('init', transaction_id, {
      order: orderFor(own, own.slots.first),
      billing: { ...billing, name: 'Usha Das' },
    })
    const body = () => ({
      context: fullContext('cancel', { transaction_id, consumer_uri: '' }),
      message: { order_id: id },
    })
    // The other comes after this one was found in time, and before it is stored.
    let reads = 0
    const { storage } = world.ctx
    const readMany: typeof storage.readMany = async (keys, ...more) => {
      if (keys.includes(`Task/${transaction_id}-cancel`) && ++reads === 2)
        expect((await world.uhi('/appointment/cancel/', body())).body.message.status).toBe('cancelled')
      return storage.readMany(keys, ...more)
    }
    const ctx = { ...world.ctx, storage: { ...storage, readMany } }
    const app = createApp({ ctx, metrics: createMetrics('0'), urlLimit: 8192 })
    const overtaken = await app.request('http://127.0.0.1:8080/uhi/appointment/cancel/', {
      method: 'POST',
      headers: { host: '127.0.0.1:8080', 'content-type': 'application/json' },
      body: JSON.stringify(body()),
    })
    expect(overtaken.status).toBe(422)
    const late = await world.uhi('/appointment/search/', {
      context: fullContext('search', { transaction_id, consumer_uri: '' }),
      message: { intent: {} },
    })
    expect(late.body.error?.message, late.text).toBe(
      `Transaction ${transaction_id} is already closed and cannot accept new requests`,
    )
  })
})

describe('faults of ours', () => {
  const broken = () => ({
    ...world.ctx,
    storage: {
      ...world.ctx.storage,
      readMany: () => Promise.reject(new Error('secret')),
      search: () => Promise.reject(new Error('secret')),
    },
  })
  it('are told in the shape of the contract, without what they are', async () => {
    const app = createApp({ ctx: broken(), metrics: createMetrics('0'), urlLimit: 8192 })
    const answer = await app.request('http://127.0.0.1:8080/uhi/appointment/search/', {
      headers: { host: '127.0.0.1:8080' },
    })
    expect([answer.status, await answer.json()]).toEqual([
      500,
      { error: 'The server met an unexpected error.' },
    ])
  })
  it('do not let a callback come again for ever', async () => {
    const context = fullContext('search', { consumer_uri: consumer.uri })
    let body = JSON.stringify({ request: { context, intent: {} }, failed: 0 })
    const before = consumer.calls.length
    for (let tries = 1; ; tries++) {
      const job = { id: 'j', kind: CALLBACK, due: 0, fence: 1, until: world.now + 60_000, body }
      const outcome = await jobHandlers([])[CALLBACK]!(underRules(broken()), job)
      if (outcome.is === 'done') {
        expect(tries).toBeGreaterThan(5)
        break
      }
      expect(tries).toBeLessThan(30)
      expect(outcome.due).toBeGreaterThan(world.now)
      body = outcome.body
    }
    expect(consumer.calls.slice(before).map(one => one.body.message)).toEqual([
      {
        error: { type: 'DOMAIN-ERROR', code: '50000', message: 'The request could not be carried out' },
      },
    ])
  })
})
