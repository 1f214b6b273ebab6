/** What strangers and accidents may try with orders of UHI: other doors, odd orders of messages, money in the wrong place. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FhirError } from '../../src/fhir/error.ts'
import type { Resource } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { remove } from '../../src/interactions/delete.ts'
import { update } from '../../src/interactions/update.ts'
import { releaseExpired } from '../../src/scheduling/expire.ts'
import { markPaid } from '../../src/scheduling/payment.ts'
import { createUhiDeliver } from '../../src/uhi/deliver.ts'
import { refusal } from '../interactions/context.ts'
import { call } from '../operations/context.ts'
import { header, party, record, type Tree } from './peers.ts'
import { agreeing, book, initOrder, SLOT, type World, world } from './world.ts'

const MINUTE = 60_000
const RULES = (error: FhirError) => error.issues.map(issue => issue.rule)

let w: World
beforeAll(async () => {
  w = await world({}, 16)
})
afterAll(() => w.close())

const appointmentOf = async (order: Tree): Promise<Resource> =>
  (await w.all('Appointment')).find(one => JSON.stringify(one.identifier).includes(order.id))!
const invoiceOf = async (order: Tree): Promise<Resource> => {
  const { supportingInformation } = await appointmentOf(order)
  const key = (supportingInformation as Tree[]).map(one => one.reference).find(one => /^Invoice\//.test(one))
  return (await w.all('Invoice')).find(one => `Invoice/${String(one.id)}` === key)!
}
const write = (resource: Resource) => update(w.ruled, resource.resourceType, String(resource.id), resource)
const held = async (slot: string, online = false, customer?: string, more: object = {}): Promise<Tree> => {
  await w.send('init', w.message('init', { order: { ...initOrder(slot, online, customer), ...more } }))
  const told = (await w.deliver()).filter(one => one.path.endsWith('/on_init')).at(-1)
  return told!.json.message.order
}
const confirm = (order: Tree) => w.send('confirm', w.message('confirm', { order: agreeing(order) }))
const pay = (order: Tree, transaction_id: string) =>
  w.pay({ order_id: order.id, transaction_id, amount: '500', currency: 'INR', status: 'PAID', mode: 'UPI' })
const refunds = async (order: Tree): Promise<number> => {
  const { id } = await invoiceOf(order)
  const tasks = (await w.all('Task')).filter(one => JSON.stringify(one.code).includes('refund'))
  return tasks.filter(one => JSON.stringify(one.focus).includes(`Invoice/${String(id)}`)).length
}
const versions = async (): Promise<number> =>
  (await w.ctx.storage.history({}, { limit: 0, total: 'accurate' })).total!
/** Lets something happen between what the next commit has read and the commit. */
function beforeNextCommit(act: () => Promise<unknown>): void {
  const { storage } = w.ctx
  const { commit } = storage
  storage.commit = async one => {
    storage.commit = commit
    await act()
    return commit.call(storage, one)
  }
}

describe('an order', () => {
  it('stays the order that it is: no door takes its ids away, so that a visit needs its PIN', async () => {
    const order = await book(w, SLOT(0), false, 'one@sbx')
    const appointment = await appointmentOf(order)
    const identifier = appointment.identifier as Tree[]
    for (const system of ['order', 'consumer', 'transaction']) {
      const without = identifier.filter(one => one.system !== `urn:nadi:uhi:${system}`)
      expect(RULES(await refusal(write({ ...appointment, identifier: without })))).toEqual(['uhi-order'])
      const other = [...without, { system: `urn:nadi:uhi:${system}`, value: 'another' }]
      expect(RULES(await refusal(write({ ...appointment, identifier: other })))).toEqual(['uhi-order'])
    }
    const { identifier: _, ...bare } = appointment
    expect(RULES(await refusal(write({ ...bare, status: 'checked-in' } as Resource)))).toEqual(['uhi-order'])
  })

  it('booked at the desk before the app confirms has its PIN all the same', async () => {
    const order = await held(SLOT(1), false, 'two@sbx')
    await write({ ...(await appointmentOf(order)), status: 'booked' })
    const told = (await w.deliver()).find(one => one.path.endsWith('/on_confirm'))
    expect(told!.json.message.order.authorization).toMatchObject({
      type: 'PIN',
      token: expect.stringMatching(/^[0-9]{4}$/),
      status: 'GENERATED',
      valid_from: '2026-11-23T00:00:00',
    })
  })

  it('moved to another day has a PIN that is valid on that day; PINs that were tried stay counted', async () => {
    const order = await book(w, SLOT(2), false, 'three@sbx')
    const moved = {
      ...(await appointmentOf(order)),
      start: '2026-11-24T10:00:00+05:30',
      end: '2026-11-24T10:20:00+05:30',
    }
    delete (moved as Tree).slot
    await write(moved)
    const told = (await w.deliver()).find(one => one.path.endsWith('/on_update'))
    expect(told!.json.message.order.authorization).toEqual({
      type: 'PIN',
      token: order.authorization.token,
      status: 'GENERATED',
      valid_from: '2026-11-24T00:00:00',
      valid_to: '2026-11-24T23:59:00',
    })
  })

  it('asked for by another app is not there for it: neither its status nor its cancellation', async () => {
    const order = await book(w, SLOT(8), false, 'twelve@sbx')
    const thief = party('eua-thief', 'thief.k1')
    w.peers.records.set(thief.id, record(thief, 'EUA', w.peers.url))
    const tags = { '@abdm/gov.in/cancelledby': 'patient' }
    const messages = {
      status: { id: order.id },
      cancel: { id: order.id, state: 'CANCELLED', fulfillment: { tags } },
    }
    // As itself, under the key of itself for the other, and as the other under its own key.
    for (const [action, asked] of Object.entries(messages))
      for (const consumer_id of [thief.id, w.eua.id]) {
        const body = w.message(action, { order: asked }, { consumer_id })
        const answer = await w.send(action, body, { authorization: header(thief, body, w.seconds()) })
        expect(answer.error.code).toBe(consumer_id === thief.id ? 'UHI-1404' : 'UHI-1412')
      }
    // The gateway may bring a search, and nothing else, whatever header it signs in.
    const body = w.message('cancel', { order: messages.cancel })
    for (const name of ['x-gateway-authorization', 'proxy-authorization'])
      expect(
        (await w.send('cancel', body, { [name]: header(w.gateway, body, w.seconds()) })).error.code,
      ).toBe('UHI-1401')
    const asGateway = w.message('cancel', { order: messages.cancel }, { consumer_id: w.gateway.id })
    const authorization = header(w.gateway, asGateway, w.seconds())
    expect((await w.send('cancel', asGateway, { authorization })).error.code).toBe('UHI-1406')
    expect((await appointmentOf(order)).status).toBe('booked')
    expect(await w.deliver()).toEqual([])
  })

  it('whose visit has begun is not cancelled by the app, and stays owed', async () => {
    const order = await book(w, SLOT(3), false, 'four@sbx')
    const { id } = await appointmentOf(order)
    const parameters = [{ name: 'override', value: 'OVERRIDE_MISMATCH' }]
    await call(w.ruled, 'verify-pin', { type: 'Appointment', id: String(id) }, parameters)
    await w.deliver()
    const tags = { '@abdm/gov.in/cancelledby': 'patient' }
    const body = w.message('cancel', { order: { id: order.id, state: 'CANCELLED', fulfillment: { tags } } })
    expect((await w.send('cancel', body)).error).toMatchObject({ code: 'UHI-1403', type: 'BOOKING' })
    expect((await appointmentOf(order)).status).toBe('checked-in')
    expect((await invoiceOf(order)).status).toBe('issued')
  })

  it('of a slot that is over is not held', async () => {
    const { stored } = await create(w.ruled, 'Slot', {
      resourceType: 'Slot',
      schedule: { reference: 'Schedule/anjali' },
      status: 'free',
      start: '2026-11-20T10:00:00+05:30',
      end: '2026-11-20T10:20:00+05:30',
    })
    const before = await versions()
    const order = initOrder(stored.key.split('/')[1]!, false, 'five@sbx')
    expect((await w.send('init', w.message('init', { order }))).error).toMatchObject({
      code: 'UHI-1403',
      path: '/message/order/fulfillment/id',
    })
    expect(await versions()).toBe(before)
  })

  it('whose terms came back changed is not confirmed', async () => {
    const order = await held(SLOT(4), false, 'six@sbx')
    const changed = agreeing(order)
    changed.terms = changed.terms.map((term: Tree) =>
      term.type === 'Refund'
        ? { ...term, descriptor: { ...term.descriptor, long_desc: 'All is returned.' } }
        : term,
    )
    expect((await w.send('confirm', w.message('confirm', { order: changed }))).error).toMatchObject({
      code: 'UHI-1404',
      path: '/message/order/terms',
      message: 'THE TERM Refund IS NOT AS IT WAS PROPOSED',
    })
    expect((await appointmentOf(order)).status).toBe('pending')
  })

  it.each(['1990-02-30', '1991-02-29'])('with a birth date that is no day: %s', async dob => {
    const order = { ...initOrder(SLOT(5)), customer: { id: 'seven@sbx', person: { dob } } }
    expect((await w.send('init', w.message('init', { order }))).error).toMatchObject({
      code: 'UHI-1404',
      path: '/message/order/customer/person/dob',
    })
  })

  it('with a time that is no day', async () => {
    const order = initOrder(SLOT(5)) as Tree
    order.fulfillment.start = { time: { timestamp: '2026-02-30T10:00:00' } }
    expect((await w.send('init', w.message('init', { order }))).error).toMatchObject({
      code: 'UHI-1404',
      path: '/message/order/fulfillment/start/time/timestamp',
    })
  })
})

describe('money', () => {
  it('that comes while the patient agrees books the order, whichever is committed first', async () => {
    const first = await held('online-0', true, 'm.one@sbx')
    const firstInvoice = await invoiceOf(first)
    beforeNextCommit(() => markPaid(w.ruled, `Invoice/${String(firstInvoice.id)}`, {}))
    await confirm(first)
    expect((await appointmentOf(first)).status).toBe('booked')
    const second = await held('online-1', true, 'm.two@sbx')
    const secondInvoice = await invoiceOf(second)
    beforeNextCommit(() => confirm(second))
    await markPaid(w.ruled, `Invoice/${String(secondInvoice.id)}`, {})
    expect((await appointmentOf(second)).status).toBe('booked')
    await w.deliver()
    const told = w.peers.received.filter(
      one => one.path === '/eua/on_confirm' && [first.id, second.id].includes(one.json.message.order.id),
    )
    expect(told.map(one => [one.json.message.order.id, one.json.message.order.state]).sort()).toEqual(
      [
        [first.id, 'CONFIRMED'],
        [second.id, 'CONFIRMED'],
      ].sort(),
    )
  })

  it('of one transaction does not pay two orders, at once or later', async () => {
    const one = await held('online-2', true, 'm.three@sbx')
    const two = await held('online-3', true, 'm.four@sbx')
    beforeNextCommit(async () => expect((await pay(one, 'pay-twice')).status).toBe(200))
    expect((await pay(two, 'pay-twice')).status).toBe(422)
    expect((await pay(two, 'pay-twice')).status).toBe(422)
    expect((await pay(one, 'pay-twice')).status).toBe(200)
    expect([(await invoiceOf(one)).status, (await invoiceOf(two)).status]).toEqual(['balanced', 'issued'])
  })

  it('that was paid is asked back when the order is cancelled, by either side, once', async () => {
    const order = await held('online-4', true, 'm.five@sbx')
    await confirm(order)
    await pay(order, 'pay-cancelled')
    const tags = { '@abdm/gov.in/cancelledby': 'patient' }
    await w.send(
      'cancel',
      w.message('cancel', { order: { id: order.id, state: 'CANCELLED', fulfillment: { tags } } }),
    )
    expect([(await appointmentOf(order)).status, await refunds(order)]).toEqual(['cancelled', 1])
    expect((await pay(order, 'pay-cancelled')).status).toBe(200)
    expect(await refunds(order)).toBe(1)
    const other = await held('online-5', true, 'm.six@sbx')
    await pay(other, 'pay-never-agreed')
    w.ctx.pass(15 * MINUTE + 1)
    await releaseExpired(w.ruled, w.ctx.clock())
    expect([(await appointmentOf(other)).status, await refunds(other)]).toEqual(['cancelled', 1])
    const late = await held('online-6', true, 'm.seven@sbx')
    w.ctx.pass(15 * MINUTE + 1)
    await pay(late, 'pay-late')
    await releaseExpired(w.ruled, w.ctx.clock())
    expect(await refunds(late)).toBe(1)
    await w.deliver()
  })

  it('at the desk may have any receipt number: none is taken for another', async () => {
    const receipts = ['R-7', 'R-7,R-8', 'R-7&_count=1', 'R-7|x$y', 'R-8']
    for (const [i, reference] of receipts.entries()) {
      const order = await held(`online-${7 + i}`, true, `desk.${i}@sbx`)
      const { id } = await invoiceOf(order)
      const at = { type: 'Invoice', id: String(id) }
      const answer = await call(w.ruled, 'mark-paid', at, [{ name: 'reference', value: reference }])
      expect(answer.status).toBe('balanced')
    }
    const stored = (await w.all('PaymentReconciliation')).flatMap(one => (one.identifier as Tree[]) ?? [])
    for (const value of receipts) expect(stored.filter(one => one.value === value).length, value).toBe(1)
    await w.deliver()
  })

  it('has the day of the clinic: after midnight in India it is not yesterday', async () => {
    const order = await held('online-12', true, 'm.night@sbx')
    // 00:30 on the 22nd in India is 19:00 on the 21st in UTC.
    w.ctx.pass(Date.parse('2026-11-22T00:30:00+05:30') - w.ctx.clock())
    await pay(order, 'pay-night')
    const [notice] = (await w.all('PaymentNotice')).filter(one => JSON.stringify(one).includes('pay-night'))
    const [sum] = (await w.all('PaymentReconciliation')).filter(one =>
      JSON.stringify(one).includes('pay-night'),
    )
    expect([notice!.paymentDate, sum!.paymentDate]).toEqual(['2026-11-22', '2026-11-22'])
  })
})

describe('a context', () => {
  it.each([
    ['timestamp', '2026'],
    ['timestamp', 'Sat, 21 Nov 2026 10:41:00'],
    ['timestamp', '1'],
  ])('whose %s is %s is none of RFC 3339: UHI-1404', async (name, value) => {
    const body = w.message('status', { order: { id: 'ND1' } }, { [name]: value })
    expect((await w.send('status', body)).error).toMatchObject({
      code: 'UHI-1404',
      path: `/context/${name}`,
    })
  })

  it.each(['/eua?to=', '/eua#'])(
    'whose consumer_uri would swallow the action (%s) is refused: UHI-1415',
    async end => {
      const order = initOrder(SLOT(7), false, 'eleven@sbx')
      const body = w.message('init', { order }, { consumer_uri: `${w.peers.url}${end}` })
      expect((await w.send('init', body)).error).toMatchObject({ code: 'UHI-1415' })
    },
  )
})

describe('the app', () => {
  it('is told on_cancel of an order that the clinic deletes, and nothing is owed', async () => {
    const order = await book(w, SLOT(6), false, 'eight@sbx')
    const { id } = await appointmentOf(order)
    const invoice = await invoiceOf(order)
    await remove(w.ruled, 'Appointment', String(id))
    const told = await w.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_cancel_audit', '/eua/on_cancel'])
    expect(told[0]!.json.message.order).toMatchObject({
      id: order.id,
      state: 'CANCELLED',
      fulfillment: { tags: { '@abdm/gov.in/cancelledby': 'doctor' } },
    })
    expect((await w.all('Invoice')).find(one => one.id === invoice.id)!.status).toBe('cancelled')
  })

  it('that says that the doctor did not come asks for its money back, and cancels no bill', async () => {
    const paid = await held('online-13', true, 'nine@sbx')
    await confirm(paid)
    await pay(paid, 'pay-no-show')
    const billed = await book(w, SLOT(13), false, 'ten@sbx')
    w.ctx.pass(Date.parse('2026-11-23T14:45:00+05:30') - w.ctx.clock())
    for (const { id } of [paid, billed])
      await w.send('on_update', w.message('on_update', { order: { id, state: 'DOCTOR_NO_SHOW' } }))
    expect([(await appointmentOf(paid)).status, await refunds(paid)]).toEqual(['noshow', 1])
    expect([(await appointmentOf(billed)).status, await refunds(billed)]).toEqual(['noshow', 0])
    expect((await invoiceOf(billed)).status).toBe('issued')
    await w.deliver()
  })

  it('that does not answer holds four calls of ours at most: those of others go on', async () => {
    const silent = createServer(() => {})
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const port = (silent.address() as AddressInfo).port
    const deliver = createUhiDeliver({ random: () => 0.5 })
    const ctx = {
      ...w.ruled,
      settings: { ...w.ctx.settings, uhi: { ...w.ctx.settings.uhi, timeoutMs: 400 } },
    }
    const send = (url: string) => {
      const body = JSON.stringify({ url, action: 'on_status', text: '{}', tries: 0 })
      return deliver(ctx, { id: 'j', kind: 'uhi', due: 0, body, fence: 1, until: ctx.clock() + 60_000 })
    }
    const began = performance.now()
    const waiting = [1, 2, 3, 4].map(() => send(`http://127.0.0.1:${port}/on_status`))
    const fifth = await send(`http://127.0.0.1:${port}/on_status`)
    expect(fifth).toMatchObject({ is: 'later', body: expect.stringContaining('"tries":0') })
    expect(await send(`${w.peers.url}/eua/on_status`)).toEqual({ is: 'done' })
    expect(performance.now() - began).toBeLessThan(400)
    const ended = await Promise.all(waiting)
    expect(ended.map(one => one.is === 'later' && JSON.parse(one.body).tries)).toEqual([1, 1, 1, 1])
    expect(await send(`http://127.0.0.1:${port}/on_status`)).toMatchObject({
      body: expect.stringContaining('"tries":1'),
    })
    silent.closeAllConnections()
    await new Promise(resolve => silent.close(resolve))
  })
})

describe('a flood', () => {
  it('of one address ends at the limit, before anybody is asked whose key it is; time passes, and it may again', async () => {
    const v = await world({ rate: 3, rateAll: 100 }, 1)
    const status = () => v.message('status', { order: { id: 'ND1' } })
    for (let i = 0; i < 3; i++) expect((await v.send('status', status())).http).toBe(200)
    const lookups = v.peers.lookups.length
    const many = await v.send('status', status())
    expect(many).toEqual({
      http: 429,
      message: { ack: { status: 'NACK' } },
      error: { type: '', code: 'UHI-1407', path: '/', message: 'TOO MANY REQUESTS, TRY AGAIN' },
    })
    expect((await v.pay({})).status).toBe(429)
    expect(v.peers.lookups.length).toBe(lookups)
    v.ctx.pass(20_000)
    expect((await v.send('status', status())).http).toBe(200)
    await v.close()
  })

  it('of messages leaves nothing for ever: each is remembered for a week', async () => {
    const v = await world({}, 4)
    const body = v.message('init', { order: initOrder(SLOT(0)) }, { message_id: 'm-kept' })
    const search = v.message(
      'search',
      {
        intent: {
          fulfillment: {
            type: 'Physical',
            start: { time: { timestamp: '2026-11-23T00:00:00' } },
            end: { time: { timestamp: '2026-11-24T00:00:00' } },
          },
        },
      },
      { message_id: 'm-sought' },
    )
    expect((await v.send('init', body)).message.ack.status).toBe('ACK')
    expect((await v.send('search', search)).message.ack.status).toBe('ACK')
    const marks = () =>
      Promise.all(['kept', 'sought'].map(id => v.ctx.storage.counter(`uhi eua-nha m-${id}`)))
    await v.deliver()
    expect(await marks()).toEqual([1, 1])
    v.ctx.pass(6 * 86_400_000)
    await v.deliver()
    expect((await v.send('init', body)).message.ack.status).toBe('ACK')
    expect([await marks(), (await v.all('Appointment')).length]).toEqual([[1, 1], 1])
    v.ctx.pass(86_400_000 + 1)
    await v.deliver()
    expect(await marks()).toEqual([0, 0])
    await v.close()
  })

  it('cannot come of one old signature: what is valid for more than a day is not', async () => {
    const body = w.message('status', { order: { id: 'ND1' } })
    const authorization = header(w.eua, body, w.seconds(), w.seconds() + 86_401)
    expect((await w.send('status', body, { authorization })).error).toMatchObject({ code: 'UHI-1408' })
  })
})

describe('the registry', () => {
  it('may have an older record of a key beside the one that holds', async () => {
    const old = record(w.eua, 'EUA', w.peers.url, { status: 'UNSUBSCRIBED' })
    const past = record(w.eua, 'EUA', w.peers.url, { valid_until: '2026-02-01T00:00:00Z' })
    w.peers.records.set(w.eua.id, [old, past, record(w.eua, 'EUA', w.peers.url)])
    w.ctx.pass(11 * MINUTE)
    const answer = await w.send('status', w.message('status', { order: { id: 'ND1' } }))
    expect(answer.error.code).toBe('UHI-1404')
    w.peers.records.set(w.eua.id, [old, past])
    w.ctx.pass(11 * MINUTE)
    const none = await w.send('status', w.message('status', { order: { id: 'ND1' } }))
    expect(none.error.code).toBe('UHI-1412')
    w.peers.records.set(w.eua.id, record(w.eua, 'EUA', w.peers.url))
    w.ctx.pass(11 * MINUTE)
  })
})
