/** What is refused at the door, each with its code of UHI; what is let in takes effect once. Nothing that is refused changes anything. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { search } from '../../src/interactions/search.ts'
import { update } from '../../src/interactions/update.ts'
import { UHI_PRINCIPAL } from '../../src/uhi/principal.ts'
import { refusal } from '../interactions/context.ts'
import { header, type Party, party, record, type Tree } from './peers.ts'
import { agreeing, clinic, initOrder, SLOT, type World, world } from './world.ts'

let w: World
beforeAll(async () => {
  w = await world({}, 12)
})
afterAll(() => w.close())

const init = (slot = SLOT(0), context: Record<string, unknown> = {}): string =>
  w.message('init', { order: initOrder(slot) }, context)

const signedBy = (by: Party, body: string, created = w.seconds(), expires = created + 10) => ({
  authorization: header(by, body, created, expires),
})

/** Versions of resources that there are. */
const traces = async (): Promise<number> =>
  (await w.ctx.storage.history({}, { limit: 0, total: 'accurate' })).total!

async function refused(send: () => Promise<Tree>): Promise<Tree> {
  const before = await traces()
  const answer = await send()
  expect(answer.http).toBe(200)
  expect(answer.message).toEqual({ ack: { status: 'NACK' } })
  expect(await traces()).toBe(before)
  expect(await w.deliver()).toEqual([])
  return answer.error
}

describe('a message is refused', () => {
  it('without a header: UHI-1401', async () => {
    expect(await refused(() => w.send('init', init(), {}))).toEqual({
      type: '',
      code: 'UHI-1401',
      path: '/RequesterService',
      message: 'AUTHORIZATION HEADER MISSING',
    })
  })

  it.each([
    ['that is no JSON', 'Signature keyId="a|b|ed25519"'],
    [
      'without a signature',
      '{"headers":"(created) (expires) digest","algorithm":"ed25519","keyId":"a|b|ed25519","created":"1","expires":"2"}',
    ],
    [
      'of another algorithm',
      '{"headers":"(created) (expires) digest","algorithm":"rsa","keyId":"a|b|rsa","created":"1","expires":"2","signature":"x"}',
    ],
    ['that is very long', `{"headers":"${'x'.repeat(6000)}"}`],
  ])('with a header %s: UHI-1408', async (_, authorization) => {
    expect(await refused(() => w.send('init', init(), { authorization }))).toMatchObject({ code: 'UHI-1408' })
  })

  it('that expired, or was created in the future: UHI-1408; the clocks may differ by the skew', async () => {
    const body = init()
    const now = w.seconds()
    const send = (created: number) => w.send('init', body, signedBy(w.eua, body, created))
    expect((await refused(() => send(now - 16))).message).toBe('HEADER VERIFICATION FAILED: EXPIRED')
    expect((await refused(() => send(now + 6))).message).toBe(
      'HEADER VERIFICATION FAILED: CREATED IN THE FUTURE',
    )
    const status = w.message('status', { order: { id: 'none' } })
    // Let in, it is refused for the order that does not exist.
    for (const created of [now - 15, now + 5]) {
      const answer = await w.send('status', status, signedBy(w.eua, status, created))
      expect(answer.error.message).toBe('THERE IS NO ORDER OF THIS ID')
    }
  })

  it('whose body was changed after it was signed: UHI-1405', async () => {
    const body = init()
    const changed = body.replace(SLOT(0), SLOT(1))
    expect(await refused(() => w.send('init', changed, signedBy(w.eua, body)))).toEqual({
      type: '',
      code: 'UHI-1405',
      path: '/RequesterService',
      message: 'INVALID SIGNATURE',
    })
    const white = `${body} `
    expect(await refused(() => w.send('init', white, signedBy(w.eua, body)))).toMatchObject({
      code: 'UHI-1405',
    })
  })

  it('that another has signed under the key id of the app: UHI-1405', async () => {
    const forger = { ...party('x', 'y'), id: w.eua.id, keyId: w.eua.keyId }
    const body = init()
    expect(await refused(() => w.send('init', body, signedBy(forger, body)))).toMatchObject({
      code: 'UHI-1405',
    })
  })

  it('of a subscriber that speaks for another consumer: UHI-1412', async () => {
    const other = party('eua-other', 'k1')
    w.peers.records.set(other.id, record(other, 'EUA', w.peers.url))
    const body = init()
    expect(await refused(() => w.send('init', body, signedBy(other, body)))).toMatchObject({
      code: 'UHI-1412',
      path: '/context/consumer_id',
    })
  })

  it.each([
    ['nobody knows', undefined, 'UHI-1406'],
    ['is not subscribed any more', { status: 'UNSUBSCRIBED' }, 'UHI-1412'],
    ['was not subscribed yet', { valid_from: '2026-12-01T00:00:00Z' }, 'UHI-1412'],
    ['has run out', { valid_until: '2026-11-21T00:00:00Z' }, 'UHI-1412'],
    ['has no beginning', { valid_from: null }, 'UHI-1412'],
    ['has no end', { valid_until: null }, 'UHI-1412'],
    ['is no app', { type: 'HSPA' }, 'UHI-1406'],
    ['has another key', { pub_key_id: 'k2', unique_key_id: 'k2' }, 'UHI-1406'],
    ['has no key that can be read', { encr_public_key: 'none', signing_public_key: '' }, 'UHI_1410'],
    ['is registered at another host', { subscriber_url: 'https://other.example.org' }, 'UHI-1415'],
  ])('of a subscriber that %s', async (what, more, code) => {
    const who = party(`eua-${what.replaceAll(' ', '-')}`, 'k1')
    if (more !== undefined) w.peers.records.set(who.id, record(who, 'EUA', w.peers.url, more))
    const body = init(SLOT(0), { consumer_id: who.id })
    expect(await refused(() => w.send('init', body, signedBy(who, body)))).toMatchObject({ code })
  })

  it.each([
    ['is no JSON', '{"context":', 'UHI-1411'],
    ['says something twice', '{"context":{},"context":{},"message":{}}', 'UHI-1411'],
    ['is too deep', `${'['.repeat(100)}${']'.repeat(100)}`, 'UHI-1411'],
    ['is a list', '[]', 'UHI-1404'],
    ['has no context', '{"message":{}}', 'UHI-1404'],
  ])('whose body %s', async (_, body, code) => {
    expect(await refused(() => w.send('init', body))).toMatchObject({ code })
  })

  it('that is huge: UHI-1404, before it is read whole', async () => {
    const body = init().replace('Meera Nair', 'x'.repeat(4_000_000))
    expect(await refused(() => w.send('init', body))).toMatchObject({
      code: 'UHI-1404',
      message: 'THE BODY IS TOO LARGE',
    })
  })

  it.each([
    ['action', { action: 'confirm' }],
    ['domain', { domain: 'nic2008:86909' }],
    ['city', { city: 'Kochi' }],
    ['city', { city: undefined }],
    ['message_id', { message_id: '' }],
    ['transaction_id', { transaction_id: 'a,b|c' }],
    ['timestamp', { timestamp: 'yesterday' }],
    ['ttl', { ttl: 'soon' }],
    ['ttl', { ttl: 'PT30S', timestamp: '2026-11-21T05:10:00Z' }],
    ['provider_id', { provider_id: undefined }],
  ])('whose context has a wrong %s: UHI-1404', async (name, context) => {
    expect(await refused(() => w.send('init', init(SLOT(0), context)))).toMatchObject({
      code: 'UHI-1404',
      path: `/context/${name}`,
    })
  })

  it('that is for another provider: UHI-1413', async () => {
    const body = init(SLOT(0), { provider_id: 'hspa-other' })
    expect(await refused(() => w.send('init', body))).toMatchObject({ code: 'UHI-1413' })
  })

  it.each([
    [
      '/message/order/fulfillment/id',
      (order: Tree) => ({
        ...order,
        fulfillment: { ...order.fulfillment, id: 'no-slot', tags: {} },
        item: { ...order.item, fulfillment_id: 'no-slot' },
      }),
    ],
    [
      '/message/order/item/fulfillment_id',
      (order: Tree) => ({ ...order, item: { ...order.item, fulfillment_id: SLOT(1) } }),
    ],
    ['/message/order/provider/id', (order: Tree) => ({ ...order, provider: { id: 'other' } })],
    [
      '/message/order/fulfillment/type',
      (order: Tree) => ({ ...order, fulfillment: { ...order.fulfillment, type: 'Online' } }),
    ],
    [
      '/message/order/fulfillment/agent/id',
      (order: Tree) => ({ ...order, fulfillment: { ...order.fulfillment, agent: { id: 'x@hpr.ndhm' } } }),
    ],
    [
      '/message/order/fulfillment/start',
      (order: Tree) => ({
        ...order,
        fulfillment: { ...order.fulfillment, start: { time: { timestamp: '2026-11-23T10:05:00' } } },
      }),
    ],
    ['/message/order/customer/id', (order: Tree) => ({ ...order, customer: { id: "x' OR 1=1" } })],
    [
      '/message/order/billing/phone',
      (order: Tree) => ({ ...order, billing: { ...order.billing, phone: ' ' } }),
    ],
    [
      '/message/order/item/price/value',
      (order: Tree) => ({ ...order, item: { ...order.item, price: { currency: 'INR', value: '-1' } } }),
    ],
    [
      '/message/order/customer/person/dob',
      (order: Tree) => ({ ...order, customer: { ...order.customer, person: { dob: '11-02-1990' } } }),
    ],
    ['/message/order', () => 'none'],
  ])('an init that is wrong at %s: UHI-1404', async (path, change) => {
    const body = w.message('init', { order: (change as (order: Tree) => Tree)(initOrder(SLOT(0))) })
    expect(await refused(() => w.send('init', body))).toMatchObject({ code: 'UHI-1404', path })
  })

  it.each(['confirm', 'status', 'cancel', 'on_update'])(
    'a %s of an order that does not exist: UHI-1404',
    async action => {
      const order = {
        id: 'ND0',
        state: action === 'cancel' ? 'CANCELLED' : 'DOCTOR_NO_SHOW',
        terms: [{ type: 'Payment', termsState: 'AGREED' }],
        fulfillment: { tags: { '@abdm/gov.in/cancelledby': 'patient' } },
      }
      expect(await refused(() => w.send(action, w.message(action, { order })))).toMatchObject({
        code: 'UHI-1404',
        path: '/message/order/id',
      })
    },
  )

  it('an action that is not served, and a first search without the gateway’s signature', async () => {
    expect(await refused(() => w.send('select', w.message('select', {})))).toMatchObject({ code: 'UHI-1404' })
    const body = w.message('search', { intent: {} }, { provider_id: undefined })
    const headers = { 'x-gateway-authorization': header(w.eua, body, w.seconds()) }
    expect(await refused(() => w.send('search', body, headers))).toMatchObject({ code: 'UHI-1406' })
  })
})

describe('an order of another app', () => {
  it('is not there for this one, whatever it asks', async () => {
    const other = party('eua-second', 'k1')
    w.peers.records.set(other.id, record(other, 'EUA', w.peers.url))
    await w.send('init', init(SLOT(5)))
    const order = (await w.deliver())[0]!.json.message.order
    const body = w.message('confirm', { order: agreeing(order) }, { consumer_id: other.id })
    expect(await refused(() => w.send('confirm', body, signedBy(other, body)))).toMatchObject({
      message: 'THERE IS NO ORDER OF THIS ID',
    })
    const elsewhere = w.message('status', { order: { id: order.id } }, { transaction_id: 'another' })
    expect(await refused(() => w.send('status', elsewhere))).toMatchObject({
      path: '/context/transaction_id',
    })
    const half = { ...agreeing(order), terms: agreeing(order).terms.slice(1) }
    expect(await refused(() => w.send('confirm', w.message('confirm', { order: half })))).toMatchObject({
      path: '/message/order/terms',
      message: 'ALL TERMS MUST BE SENT',
    })
    expect(await refused(() => w.send('confirm', w.message('confirm', { order })))).toMatchObject({
      message: 'THE TERM Commercial IS NOT AGREED',
    })
  })
})

describe('a message takes effect once', () => {
  it('twenty at once get the same ACK: one order, one callback', async () => {
    const body = init(SLOT(2), { transaction_id: 't-once' })
    const answers = await Promise.all(Array.from({ length: 20 }, () => w.send('init', body)))
    for (const answer of answers)
      expect(answer).toEqual({ http: 200, message: { ack: { status: 'ACK' } }, error: {} })
    const told = await w.deliver()
    expect(told.map(one => one.path)).toEqual(['/eua/on_init'])
    const own = (await w.all('Appointment')).filter(one => JSON.stringify(one.identifier).includes('t-once'))
    expect(own.length).toBe(1)

    const { order } = told[0]!.json.message
    const confirm = w.message('confirm', { order: agreeing(order) }, { transaction_id: 't-once' })
    const acks = await Promise.all(Array.from({ length: 20 }, () => w.send('confirm', confirm)))
    expect(acks.every(one => one.message.ack.status === 'ACK')).toBe(true)
    expect((await w.deliver()).map(one => one.path).sort()).toEqual([
      '/api/v1/uhi/on_confirm_audit',
      '/eua/on_confirm',
    ])

    const status = w.message('status', { order: { id: order.id } }, { transaction_id: 't-once' })
    await Promise.all(Array.from({ length: 20 }, () => w.send('status', status)))
    expect((await w.deliver()).length).toBe(2)
  })

  it('two messages that confirm at once are both answered: one books, the other is told how it stands', async () => {
    await w.send('init', init(SLOT(6), { transaction_id: 't-two' }))
    const { order } = (await w.deliver())[0]!.json.message
    const confirms = [1, 2, 3].map(() =>
      w.message('confirm', { order: agreeing(order) }, { transaction_id: 't-two' }),
    )
    const acks = await Promise.all(confirms.map(body => w.send('confirm', body)))
    expect(acks.map(one => one.message.ack.status)).toEqual(['ACK', 'ACK', 'ACK'])
    const told = (await w.deliver()).filter(one => one.path === '/eua/on_confirm')
    expect(told.map(one => one.json.message.order.state)).toEqual(['CONFIRMED', 'CONFIRMED', 'CONFIRMED'])
  })

  it('sent again later with a fresh signature it gets the same ACK, and nothing happens', async () => {
    const body = init(SLOT(3), { transaction_id: 't-later' })
    await w.send('init', body)
    await w.deliver()
    const before = await traces()
    w.ctx.pass(60_000)
    const again = await w.send('init', body)
    expect(again).toEqual({ http: 200, message: { ack: { status: 'ACK' } }, error: {} })
    expect(await traces()).toBe(before)
    expect(await w.deliver()).toEqual([])
  })

  it('one that was refused may come again in order', async () => {
    const body = init(SLOT(4), { transaction_id: 't-mended' })
    await refused(() => w.send('init', body, signedBy(party('x', 'y'), body)))
    expect((await w.send('init', body)).message.ack.status).toBe('ACK')
    expect((await w.deliver()).length).toBe(1)
  })
})

it('twelve patients at once want one slot: one is told the terms, the others that it is full', async () => {
  const bodies = Array.from({ length: 12 }, (_, i) =>
    w.message(
      'init',
      { order: initOrder(SLOT(8), false, `race${i}@sbx`) },
      { transaction_id: `t-race-${i}` },
    ),
  )
  const acks = await Promise.all(bodies.map(body => w.send('init', body)))
  expect(acks.every(one => one.message.ack.status === 'ACK')).toBe(true)
  const told = await w.deliver()
  expect(told.length).toBe(12)
  expect(told.filter(one => one.json.error === undefined).length).toBe(1)
  expect(new Set(told.flatMap(one => one.json.error?.message ?? []))).toEqual(new Set(['THE SLOT IS FULL']))
  expect(
    (await w.all('Appointment')).filter(one => JSON.stringify(one.slot).includes(`${SLOT(8)}"`)).length,
  ).toBe(1)
})

it('the network acts as a principal that sees no record of a patient and changes nothing of the clinic', async () => {
  const ctx = { ...w.ruled, principal: UHI_PRINCIPAL }
  for (const type of ['Observation', 'Composition', 'MedicationRequest', 'AuditEvent'])
    expect((await refusal(search(ctx, type, []))).status).toBe(403)
  for (const resource of clinic(1).filter(one => one.resourceType !== 'Location'))
    expect((await refusal(update(ctx, resource.resourceType, String(resource.id), resource))).status).toBe(
      403,
    )
})
