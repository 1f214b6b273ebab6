/** What the desk does with orders of UHI: PINs, overrides, payments, cancellations, chats; and what the app is told of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FhirError } from '../../src/fhir/error.ts'
import type { Resource } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { read } from '../../src/interactions/read.ts'
import { update } from '../../src/interactions/update.ts'
import { resourceOf } from '../../src/scheduling/calendar.ts'
import { releaseExpired } from '../../src/scheduling/expire.ts'
import { refusal } from '../interactions/context.ts'
import { call } from '../operations/context.ts'
import type { Tree } from './peers.ts'
import { agreeing, book, initOrder, SLOT, type World, world } from './world.ts'

const MINUTE = 60_000
const RULES = (error: FhirError) => error.issues.map(issue => issue.rule)

let w: World
beforeAll(async () => {
  w = await world({}, 12)
})
afterAll(() => w.close())

const appointmentOf = async (order: Tree): Promise<Resource> =>
  (await w.all('Appointment')).find(one => JSON.stringify(one.identifier).includes(order.id))!
const operation = (
  id: unknown,
  name: string,
  parameters: { name: string; value: string }[],
  type = 'Appointment',
) => call(w.ruled, name, { type, id: String(id) }, parameters)
const verify = async (order: Tree, ...parameters: { name: string; value: string }[]) =>
  operation((await appointmentOf(order)).id, 'verify-pin', parameters)
const wrongPins = (order: Tree, n: number) =>
  Array.from({ length: n }, (_, i) =>
    String((Number(order.authorization.token) + 1 + i) % 10_000).padStart(4, '0'),
  )

describe('the PIN of a visit', () => {
  let order: Tree
  let locked: Tree
  beforeAll(async () => {
    order = await book(w, SLOT(0))
    locked = await book(w, SLOT(1), false, 'abdul@sbx')
  })

  it('stands nowhere in the store: no version of any resource, no job that waits', async () => {
    const pin = order.authorization.token
    const texts: string[] = []
    const page = await w.ctx.storage.history({}, { limit: 1000, total: 'none' })
    for (const row of page.rows) texts.push(row.text ?? '')
    await w.send('status', w.message('status', { order: { id: order.id } }))
    const jobs = await w.ctx.storage.outbox.take(100, 'looking', 1)
    expect(jobs.length).toBe(2)
    for (const job of jobs) texts.push(job.body)
    expect(texts.filter(text => new RegExp(`"${pin}"`).test(text))).toEqual([])
    w.ctx.pass(10)
    const [told] = await w.deliver()
    expect(told!.json.message.order.authorization.token).toBe(pin)
  })

  it('is not valid before its day', async () => {
    const error = await refusal(verify(order, { name: 'pin', value: order.authorization.token }))
    expect([error.status, RULES(error)]).toEqual([422, ['visit-pin-expired']])
  })

  it('five wrong PINs at most, however many clerks try at once; then only an override opens the visit', async () => {
    w.ctx.pass(Date.parse('2026-11-23T09:55:00+05:30') - w.ctx.clock())
    const tried = await Promise.all(
      wrongPins(locked, 20).map(pin => refusal(verify(locked, { name: 'pin', value: pin }))),
    )
    const rules = tried.flatMap(RULES)
    expect(rules.filter(rule => rule === 'visit-pin-wrong').length).toBe(5)
    expect(rules.filter(rule => rule === 'visit-pin-locked').length).toBe(15)
    const right = await refusal(verify(locked, { name: 'pin', value: locked.authorization.token }))
    expect(RULES(right)).toEqual(['visit-pin-locked'])
    expect((await appointmentOf(locked)).status).toBe('booked')
    expect(JSON.stringify(await appointmentOf(locked))).toContain(
      '{"url":"attempts","valueUnsignedInt":{"text":"5"}}',
    )
  })

  it('an override needs one of its codes, OVERRIDE_OTHER a reason; the app learns HSPA_OVERRIDE', async () => {
    const bad = await refusal(verify(locked, { name: 'override', value: 'OVERRIDE_BECAUSE' }))
    expect([bad.status, bad.code]).toEqual([400, 'code-invalid'])
    const bare = await refusal(verify(locked, { name: 'override', value: 'OVERRIDE_OTHER' }))
    expect([bare.status, bare.code]).toEqual([400, 'required'])
    await w.deliver()
    await verify(locked, { name: 'override', value: 'OVERRIDE_MISMATCH' })
    const told = await w.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_update_audit', '/eua/on_update'])
    expect(told[0]!.body.equals(told[1]!.body)).toBe(true)
    expect(told[0]!.json.message.order).toMatchObject({
      id: locked.id,
      state: 'APPOINTMENT_STARTED',
      authorization: { status: 'HSPA_OVERRIDE' },
    })
  })

  it('a visit in person is checked in by no other door', async () => {
    const { id } = await appointmentOf(order)
    expect(RULES(await refusal(operation(id, 'check-in', [])))).toEqual(['visit-pin'])
    const appointment = await appointmentOf(order)
    const checkedIn = { ...appointment, status: 'checked-in' }
    expect(RULES(await refusal(update(w.ruled, 'Appointment', String(id), checkedIn)))).toEqual(['visit-pin'])
    const opened = JSON.parse(JSON.stringify(checkedIn).replace('"GENERATED"', '"VERIFIED"'))
    expect(RULES(await refusal(update(w.ruled, 'Appointment', String(id), opened)))).toEqual(['visit-pin'])
    const kept = (appointment.extension as Tree[]).filter(one => !one.url.endsWith('visit-authorization'))
    const without = { ...appointment, extension: kept }
    expect(RULES(await refusal(update(w.ruled, 'Appointment', String(id), without)))).toEqual(['visit-pin'])
  })

  it('the right PIN checks in: an Encounter has arrived, and the app learns VERIFIED, then COMPLETED', async () => {
    expect(await verify(order, { name: 'pin', value: order.authorization.token })).toMatchObject({
      status: 'checked-in',
    })
    const [started] = await w.deliver()
    expect(started!.json.message.order).toMatchObject({
      state: 'APPOINTMENT_STARTED',
      authorization: { status: 'VERIFIED', token: order.authorization.token },
    })
    expect((await w.all('Encounter')).map(one => one.status)).toContain('arrived')
    await operation((await appointmentOf(order)).id, 'complete', [])
    const told = await w.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_update_audit', '/eua/on_update'])
    expect(told[0]!.json.message.order.state).toBe('COMPLETED')
  })
})

describe('what the clinic does', () => {
  it('cancels: on_cancel says doctor and why', async () => {
    const order = await book(w, SLOT(4))
    const appointment = await appointmentOf(order)
    await update(w.ruled, 'Appointment', String(appointment.id), {
      ...appointment,
      status: 'cancelled',
      cancelationReason: { coding: [{ system: 'urn:nadi:codes:uhi-reason', code: 'FACILITY_CLOSURE' }] },
    })
    const told = await w.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_cancel_audit', '/eua/on_cancel'])
    expect(told[0]!.json.message.order).toMatchObject({
      state: 'CANCELLED',
      fulfillment: {
        tags: { '@abdm/gov.in/cancelledby': 'doctor', '@abdm/gov.in/cancel_reason': 'FACILITY_CLOSURE' },
      },
    })
  })

  it('notes that the patient did not come: on_update NO_SHOW', async () => {
    const order = await book(w, SLOT(5))
    await operation((await appointmentOf(order)).id, 'no-show', [])
    const [told] = await w.deliver()
    expect(told!.json.message.order.state).toBe('NO_SHOW')
  })

  it('moves: on_update CONFIRMED with the new time', async () => {
    const order = await book(w, SLOT(6))
    const appointment = await appointmentOf(order)
    await update(w.ruled, 'Appointment', String(appointment.id), {
      ...appointment,
      slot: [{ reference: `Slot/${SLOT(7)}` }],
      start: '2026-11-23T12:20:00+05:30',
      end: '2026-11-23T12:40:00+05:30',
    })
    const [told] = await w.deliver()
    expect(told!.path).toMatch(/on_update/)
    expect(told!.json.message.order).toMatchObject({
      state: 'CONFIRMED',
      fulfillment: { id: SLOT(7), start: { time: { timestamp: '2026-11-23T12:20:00' } } },
    })
  })

  it('the app says that the doctor did not come, not before the visit; the app is told nothing back', async () => {
    const order = await book(w, SLOT(8))
    const update_ = { id: order.id, state: 'DOCTOR_NO_SHOW' }
    const early = await w.send('on_update', w.message('on_update', { order: update_ }))
    expect(early.error).toMatchObject({ code: 'UHI-1404', message: 'THE VISIT HAS NOT BEGUN YET' })
    const other = await w.send(
      'on_update',
      w.message('on_update', { order: { ...update_, state: 'COMPLETED' } }),
    )
    expect(other.error.message).toBe('AN APP MAY SET DOCTOR_NO_SHOW ONLY')
    w.ctx.pass(Date.parse('2026-11-23T12:45:00+05:30') - w.ctx.clock())
    const late = await w.send('on_update', w.message('on_update', { order: update_ }))
    expect(late.message.ack.status).toBe('ACK')
    expect(await w.deliver()).toEqual([])
    const appointment = await appointmentOf(order)
    expect([appointment.status, appointment.cancelationReason]).toEqual(['noshow', undefined])
    expect(appointment.extension).toContainEqual({
      url: 'urn:nadi:extension:uhi-broken-by',
      valueCode: 'doctor',
    })
    await w.send('status', w.message('status', { order: { id: order.id } }))
    expect((await w.deliver())[0]!.json.message.order.state).toBe('DOCTOR_NO_SHOW')
  })

  it('chats go both ways, as Communications', async () => {
    const order = await book(w, SLOT(9))
    const chat = {
      sender: { person: { id: 'meera.nair@sbx', name: 'Meera Nair', gender: 'F' } },
      receiver: { person: { id: 'anjali@hpr.ndhm', name: 'Dr Anjali Menon', gender: 'F' } },
      content: {
        content_id: 'b4c5d6e7-42e0-11ed-b5d7-51ae9d37b46f',
        content_value: 'SGVsbG8gRG9jdG9yLCBJIGhhdmUgYSBxdWVzdGlvbi4=',
        content_type: 'text',
      },
      time: { timestamp: '2026-11-23T09:45:00' },
    }
    await w.send('on_message', w.message('on_message', { intent: { chat } }))
    const [communication] = await w.all('Communication')
    const appointment = await appointmentOf(order)
    expect(communication).toMatchObject({
      status: 'completed',
      about: [{ reference: `Appointment/${String(appointment.id)}` }],
      sender: { reference: expect.stringMatching(/^Patient\//) },
      recipient: [{ reference: 'Practitioner/anjali' }],
      sent: '2026-11-23T09:45:00+05:30',
      payload: [{ contentString: 'Hello Doctor, I have a question.' }],
    })
    await create(w.ruled, 'Communication', {
      resourceType: 'Communication',
      identifier: [{ system: 'urn:nadi:uhi:chat', value: 'c-2' }],
      status: 'completed',
      category: [{ coding: [{ system: 'urn:nadi:codes:uhi', code: 'chat' }] }],
      about: communication!.about!,
      sent: '2026-11-23T09:50:00+05:30',
      sender: { reference: 'Practitioner/anjali' },
      recipient: [communication!.sender!],
      payload: [{ contentString: 'Please come.' }],
    })
    const [told, ...others] = await w.deliver()
    expect(others).toEqual([])
    expect([told!.path, told!.json.message.intent.chat]).toEqual([
      '/eua/on_message',
      {
        sender: { person: { id: 'anjali@hpr.ndhm', name: 'Dr Anjali Menon', gender: 'F' } },
        receiver: { person: { id: 'meera.nair@sbx', name: 'Meera Nair', gender: 'F' } },
        content: { content_id: 'c-2', content_value: 'UGxlYXNlIGNvbWUu', content_type: 'text' },
        time: { timestamp: '2026-11-23T09:50:00' },
      },
    ])
  })
})

describe('an online visit, paid in advance', () => {
  let v: World
  beforeAll(async () => {
    v = await world({}, 10)
  })
  afterAll(() => v.close())

  const held = async (slot: string): Promise<Tree> => {
    await v.send('init', v.message('init', { order: initOrder(slot, true) }))
    const [told] = await v.deliver()
    return told!.json.message.order
  }
  const confirm = (order: Tree) => v.send('confirm', v.message('confirm', { order: agreeing(order) }))
  const report = (order: Tree, transaction_id: string, amount = '500') => ({
    order_id: order.id,
    transaction_id,
    amount,
    currency: 'INR',
    status: 'PAID',
    mode: 'UPI',
  })

  it('waits for its payment; a signed report books it, once, with the link and no PIN', async () => {
    const order = await held('online-0')
    expect(order.payment).toEqual({
      type: 'PRE-ORDER',
      status: 'NOT_PAID',
      uri: `https://pay.example.org/${order.id}`,
      params: { amount: '500', redirect_url: 'https://eua.example.org/paid' },
    })
    expect((await confirm(order)).message.ack.status).toBe('ACK')
    expect(await v.deliver()).toEqual([])
    expect((await v.pay(report(order, 'pay-1', '400'))).status).toBe(422)
    expect((await v.pay(report(order, 'pay-1'), {})).status).toBe(401)
    expect(
      (await v.pay(report(order, 'pay-1'), { 'x-nadi-signature': `t=${v.seconds()},v1=${'0'.repeat(64)}` }))
        .status,
    ).toBe(401)
    expect((await v.all('PaymentNotice')).length).toBe(0)
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => v.pay(report(order, 'pay-1'))))
    expect(answers.map(one => one.status)).toEqual([200, 200, 200, 200, 200])
    const told = await v.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_confirm_audit', '/eua/on_confirm'])
    const confirmed = told[0]!.json.message.order
    const [appointment] = await v.all('Appointment')
    expect(confirmed).toMatchObject({ state: 'CONFIRMED', payment: { status: 'PAID' } })
    expect(confirmed.authorization).toBeUndefined()
    expect(confirmed.fulfillment.tags['@abdm/gov.in/teleconsultation/uri']).toBe(
      `https://meet.example.org/${String(appointment!.id)}`,
    )
    expect((await v.all('PaymentNotice')).length).toBe(1)
    expect((await v.all('PaymentReconciliation')).length).toBe(1)
    expect((await v.all('Invoice')).map(one => one.status)).toEqual(['balanced'])
  })

  it('paid at the counter before it is confirmed, it is booked when it is confirmed', async () => {
    const order = await held('online-1')
    const invoice = (await v.all('Invoice')).find(one => one.status === 'issued')!
    const answer = await call(v.ruled, 'mark-paid', { type: 'Invoice', id: String(invoice.id) }, [
      { name: 'method', value: 'cash' },
    ])
    expect(answer.status).toBe('balanced')
    expect(await v.deliver()).toEqual([])
    await confirm(order)
    expect((await v.deliver())[0]!.json.message.order.state).toBe('CONFIRMED')
  })

  it('a clerk who only balances the Invoice books it too', async () => {
    const order = await held('online-2')
    await confirm(order)
    const invoice = (await v.all('Invoice')).find(one => one.status === 'issued')!
    await update(v.ruled, 'Invoice', String(invoice.id), { ...invoice, status: 'balanced' })
    expect((await v.deliver())[0]!.json.message.order).toMatchObject({ id: order.id, state: 'CONFIRMED' })
  })

  it('unpaid when the hold is over, it fails: the app is told, and the slot can be booked by another', async () => {
    const order = await held('online-3')
    await confirm(order)
    v.ctx.pass(15 * MINUTE + 1)
    await releaseExpired(v.ruled, v.ctx.clock())
    const told = await v.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_confirm_audit', '/eua/on_confirm'])
    expect(told[0]!.json.message.order).toMatchObject({ id: order.id, state: 'FAILED' })
    expect(resourceOf(await read(v.ruled, 'Slot', 'online-3')).status).toBe('free')
    const late = await v.pay(report(order, 'pay-late'))
    expect(late.status).toBe(200)
    expect((await v.all('Task')).filter(one => JSON.stringify(one.code).includes('refund')).length).toBe(1)
    expect((await v.all('PaymentReconciliation')).some(one => JSON.stringify(one).includes('pay-late'))).toBe(
      true,
    )
    expect((await v.pay(report(order, 'pay-late'))).status).toBe(200)
    expect((await v.all('Task')).length).toBe(1)
  })

  it('confirmed after the hold is over, it fails at once', async () => {
    const order = await held('online-4')
    v.ctx.pass(15 * MINUTE + 1)
    await confirm(order)
    expect((await v.deliver())[0]!.json.message.order.state).toBe('FAILED')
  })
})
