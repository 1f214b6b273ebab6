/** An order from search to its end: what each side says, what is stored, and what happens to the slot. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { header, isSignedBy, type Tree } from './peers.ts'
import { agreeing, initOrder, SLOT, type World, world } from './world.ts'

const ACK = { http: 200, message: { ack: { status: 'ACK' } }, error: {} }
const intent = (more: object = {}) => ({
  intent: {
    fulfillment: {
      type: 'Physical',
      start: { time: { timestamp: '2026-11-23T00:00:00' } },
      end: { time: { timestamp: '2026-11-23T23:59:59' } },
    },
    item: { descriptor: { code: 'Consultation', name: 'Consultation' } },
    ...more,
  },
})

describe('an order in person', () => {
  let w: World
  let order: Tree
  beforeAll(async () => {
    w = await world()
  })
  afterAll(() => w.close())

  it('the first search comes through the gateway and is answered there, with each doctor once', async () => {
    const body = w.message('search', intent({ category: { descriptor: { code: 'CARDIOLOGY' } } }), {
      provider_id: undefined,
      provider_uri: undefined,
    })
    const headers = { 'x-gateway-authorization': header(w.gateway, body, w.seconds()) }
    expect(await w.send('search', body, headers)).toEqual(ACK)
    const [told, ...others] = await w.deliver()
    expect(others).toEqual([])
    expect(told!.path).toBe('/api/v1/uhi/on_search')
    expect(isSignedBy(w.hspa.publicKey, told!.authorization, told!.body)).toBe(true)
    expect(told!.json.context).toEqual({
      domain: 'nic2004:85111',
      country: 'IND',
      city: 'std:0484',
      action: 'on_search',
      core_version: '0.7.1',
      consumer_id: 'eua-nha',
      consumer_uri: `${w.peers.url}/eua`,
      provider_id: 'hspa-nadi',
      provider_uri: 'https://hspa.example.org/hspa',
      transaction_id: 'a1b2c3d4-f951-11ec-b135-53aea776f66b',
      message_id: expect.any(String),
      timestamp: '2026-11-21T05:11:00.000Z',
    })
    expect(told!.json.message.catalog.providers).toEqual([
      {
        id: 'thanal',
        descriptor: { name: 'Thanal Family Clinic' },
        categories: [{ id: 'cardiology', descriptor: { name: 'Cardiology', code: 'CARDIOLOGY' } }],
        location: {
          id: 'clinic',
          descriptor: { name: 'Thanal, Fort Road' },
          city: { name: 'Kochi' },
          district: { name: 'Ernakulam' },
          state: { name: 'Kerala' },
          gps: '9.9440,76.3490',
          address: '1 Banyan Lane',
        },
        fulfillments: [
          {
            id: 'slot-0',
            type: 'Physical',
            agent: {
              id: 'anjali@hpr.ndhm',
              name: 'Dr Anjali Menon',
              gender: 'F',
              tags: {
                '@abdm/gov.in/education': 'MBBS, MD',
                '@abdm/gov.in/hpr_id': '71-0000-0000-0001',
                '@abdm/gov.in/hfr_id': 'IN3200000001',
                '@abdm/gov.in/hip_id': 'IN3200000001_1',
              },
            },
            start: { time: { timestamp: '2026-11-23T10:00:00' } },
            end: { time: { timestamp: '2026-11-23T10:20:00' } },
          },
        ],
        items: [
          {
            id: 'consultation',
            descriptor: { name: 'Consultation', code: 'CONSULTATION' },
            price: { currency: 'INR', value: '500' },
            category_id: 'cardiology',
            fulfillment_id: 'slot-0',
          },
        ],
      },
    ])
  })

  it('the second search is answered directly, with all slots of the doctor', async () => {
    const agent = {
      fulfillment: { ...intent().intent.fulfillment, agent: { id: 'anjali@hpr.ndhm' } },
      provider: { id: 'thanal' },
    }
    expect(await w.send('search', w.message('search', intent(agent)))).toEqual(ACK)
    const [told] = await w.deliver()
    expect(told!.path).toBe('/eua/on_search')
    expect(told!.json.message.catalog.providers[0].fulfillments.map((one: Tree) => one.id)).toEqual(
      [0, 1, 2, 3, 4, 5].map(SLOT),
    )
  })

  it('init holds the slot for 15 minutes; on_init has an order id, the price and five terms', async () => {
    expect(await w.send('init', w.message('init', { order: initOrder(SLOT(0)) }))).toEqual(ACK)
    const [told, ...others] = await w.deliver()
    expect(others).toEqual([])
    expect(told!.path).toBe('/eua/on_init')
    order = told!.json.message.order
    expect(order.id).toMatch(/^ND[A-Z0-9]+$/)
    expect(order.state).toBeUndefined()
    expect(order.quote).toEqual({
      price: { currency: 'INR', value: '500' },
      breakup: [
        { title: 'Consultation', price: { currency: 'INR', value: '500' } },
        { title: 'CGST @ 5%', price: { currency: 'INR', value: '0' } },
        { title: 'SGST @ 5%', price: { currency: 'INR', value: '0' } },
        { title: 'Registration', price: { currency: 'INR', value: '0' } },
      ],
    })
    expect(order.payment).toMatchObject({ type: 'ON-ORDER', status: 'NOT_PAID' })
    expect(order.terms.map((term: Tree) => [term.type, term.termsState])).toEqual([
      ['Commercial', 'INITIATED'],
      ['Settlement', 'INITIATED'],
      ['Cancellation', 'INITIATED'],
      ['Refund', 'INITIATED'],
      ['Payment', 'INITIATED'],
    ])
    expect(order.customer).toEqual(initOrder(SLOT(0)).customer)
    expect(order.billing.address).toEqual({
      name: 'Banyan House',
      locality: 'Fort Road',
      city: 'Kochi',
      state: 'Kerala',
      country: 'INDIA',
      area_code: '682301',
    })
    const [appointment] = await w.all('Appointment')
    expect(appointment).toMatchObject({ status: 'pending', start: '2026-11-23T10:00:00+05:30' })
    expect(JSON.stringify(appointment)).toContain('"valueInstant":"2026-11-21T05:26:00.000Z"')
    expect((await w.all('Slot')).find(one => one.id === SLOT(0))).toMatchObject({ status: 'busy-tentative' })
  })

  it('a held slot is in no search, and another init for it is told that it is full', async () => {
    await w.send('search', w.message('search', intent()))
    const [found] = await w.deliver()
    expect(found!.json.message.catalog.providers[0].fulfillments.map((one: Tree) => one.id)).not.toContain(
      SLOT(0),
    )
    const other = initOrder(SLOT(0), false, 'abdul@sbx')
    expect(await w.send('init', w.message('init', { order: other }, { transaction_id: 't-2' }))).toEqual(ACK)
    const [told] = await w.deliver()
    expect(told!.json.error).toEqual({
      type: 'BOOKING',
      code: 'UHI-1403',
      path: '/message/order/fulfillment/id',
      message: 'THE SLOT IS FULL',
    })
    expect((await w.all('Appointment')).length).toBe(1)
    expect((await w.all('Patient')).length).toBe(1)
  })

  it('confirm books it; on_confirm has a PIN of four digits, and its audit copy has the same bytes', async () => {
    expect(await w.send('confirm', w.message('confirm', { order: agreeing(order) }))).toEqual(ACK)
    const told = await w.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_confirm_audit', '/eua/on_confirm'])
    expect(told[0]!.body.equals(told[1]!.body)).toBe(true)
    for (const one of told) expect(isSignedBy(w.hspa.publicKey, one.authorization, one.body)).toBe(true)
    const confirmed = told[0]!.json.message.order
    expect(confirmed).toMatchObject({ id: order.id, state: 'CONFIRMED' })
    expect(confirmed.authorization).toEqual({
      type: 'PIN',
      token: expect.stringMatching(/^[0-9]{4}$/),
      valid_from: '2026-11-23T00:00:00',
      valid_to: '2026-11-23T23:59:00',
      status: 'GENERATED',
    })
    expect(confirmed.fulfillment.tags).toEqual({
      '@abdm/gov.in/slot_id': 'slot-0',
      '@abdm/gov.in/messaging_support': 'true',
      '@abdm/gov.in/helpline_number': '+91 484 000 0001',
    })
    expect(confirmed.terms.every((term: Tree) => term.termsState === 'AGREED')).toBe(true)
    const [appointment] = await w.all('Appointment')
    expect(appointment!.status).toBe('booked')
    order = confirmed
  })

  it('status is told as it is, with its audit copy', async () => {
    expect(await w.send('status', w.message('status', { order: { id: order.id } }))).toEqual(ACK)
    const told = await w.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_status_audit', '/eua/on_status'])
    expect(told[0]!.body.equals(told[1]!.body)).toBe(true)
    expect(told[0]!.json.message.order).toEqual(order)
  })

  it('the patient cancels with a reason: the slot is free again, and nothing is owed', async () => {
    const cancelling = {
      id: order.id,
      state: 'CANCELLED',
      fulfillment: {
        tags: {
          '@abdm/gov.in/cancelledby': 'patient',
          '@abdm/gov.in/cancel_reason': 'PATIENT_HEALTH_IMPROVED',
        },
      },
    }
    expect(await w.send('cancel', w.message('cancel', { order: cancelling }))).toEqual(ACK)
    const told = await w.deliver()
    expect(told.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_cancel_audit', '/eua/on_cancel'])
    const cancelled = told[0]!.json.message.order
    expect(cancelled.state).toBe('CANCELLED')
    expect(cancelled.fulfillment.tags).toMatchObject(cancelling.fulfillment.tags)
    expect((await w.all('Slot')).find(one => one.id === SLOT(0))).toMatchObject({ status: 'free' })
    expect((await w.all('Invoice')).map(one => one.status)).toEqual(['cancelled'])
  })
})
