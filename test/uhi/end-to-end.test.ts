/**
 * UHI between processes: the server as it is started, and a simulator of gateway, registry and patient app that shares no code with it.
 * It is Monday, 7 December 2026, 09:00 in India. One story; each part goes on where the one before ended.
 */
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../runtime/server.ts'
import type { Tree } from './peers.ts'
import { type RunningSimulator, startSimulatorProcess } from './simulator.ts'

const HSPA = 'hspa.example.org'
const DAY = '2026-12-07'
const ABHA = 'meera.pillai@sbx'
const ANJALI = 'anjali@hpr.ndhm'
const ref = (reference: string) => ({ reference })
const uhiTag = (name: string) => `@abdm/gov.in/${name}`

let server: RunningServer
let simulator: RunningSimulator
let provider: { id: string; uri: string }

beforeAll(async () => {
  const clock = {
    TEST_CLOCK: `${DAY}T09:00:00+05:30`,
    TEST_CLOCK_AT: String(Date.now()),
    NODE_OPTIONS: `--import ${new URL('../runtime/shifted-clock.mjs', import.meta.url).href}`,
  }
  simulator = await startSimulatorProcess(clock)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const base64 = (der: Buffer) => der.toString('base64')
  server = await startServer({
    env: {
      ...clock,
      NADI_UHI: 'on',
      NADI_UHI_SUBSCRIBER_ID: HSPA,
      NADI_UHI_KEY_ID: 'hspa.k1',
      NADI_UHI_PRIVATE_KEY: base64(privateKey.export({ format: 'der', type: 'pkcs8' })),
      NADI_UHI_GATEWAY_URL: simulator.origin,
      NADI_UHI_CITY: 'std:0484',
      NADI_UHI_PRIVATE_CALLBACKS: 'on',
      NADI_UHI_SKEW_S: '0',
      NADI_JOIN_URL: 'https://meet.example.org/{appointment}',
    },
  })
  const uri = server.base.replace(/\/fhir$/, '/hspa')
  provider = { id: HSPA, uri }
  await simulator.post('subscribers', {
    subscriber_id: HSPA,
    pub_key_id: 'hspa.k1',
    type: 'HSPA',
    city: 'std:0484',
    subscriber_url: uri,
    encr_public_key: base64(publicKey.export({ format: 'der', type: 'spki' })),
  })
})

afterAll(async () => {
  await simulator?.stop()
  await server?.stop()
})

async function fhir(path: string, body?: Tree, method = body === undefined ? 'GET' : 'POST'): Promise<Tree> {
  const response = await fetch(`${server.base}/${path}`, {
    method,
    headers: { 'content-type': 'application/fhir+json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const json = (await response.json()) as Tree
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(json.issue)}`)
  return json
}
const all = async (query: string): Promise<Tree[]> =>
  ((await fhir(query)).entry ?? []).map((one: Tree) => one.resource)
const parametersOf = (parameter: Tree[]): Tree => ({
  resourceType: 'Parameters',
  ...(parameter.length > 0 && { parameter }),
})
const operation = (path: string, parameters: Tree[] = []) => fhir(path, parametersOf(parameters))
/** The rules that refuse an operation. */
const rulesOf = async (path: string, parameters: Tree[] = []): Promise<string[]> => {
  const body = JSON.stringify(parametersOf(parameters))
  const headers = { 'content-type': 'application/fhir+json' }
  const response = await fetch(`${server.base}/${path}`, { method: 'POST', headers, body })
  expect(response.status).toBe(422)
  return ((await response.json()) as Tree).issue.map((one: Tree) => one.details?.coding?.[0]?.code)
}
const appointmentOf = async (orderId: string): Promise<Tree> => {
  const found = await all(`Appointment?identifier=${orderId}`)
  expect(found.length).toBe(1)
  return found[0]!
}
const slotStatus = async (id: string): Promise<string> => (await fhir(`Slot/${id}`)).status
const invoiceOf = async (appointment: Tree): Promise<Tree> =>
  fhir(
    appointment.supportingInformation
      .map((one: Tree) => one.reference)
      .find((one: string) => /^Invoice/.test(one)),
  )
const aboutIt = async (appointment: Tree): Promise<Tree[]> =>
  (await all('Communication?_count=200')).filter(one =>
    one.about?.some((each: Tree) => each.reference === `Appointment/${appointment.id}`),
  )
/** Events that people were told of because of an appointment, once all of it has been sent. */
async function toldOf(appointment: Tree): Promise<string[]> {
  for (let look = 0; look < 200; look++) {
    const told = await aboutIt(appointment)
    if (told.every(one => ['completed', 'not-done'].includes(one.status)))
      return told
        .flatMap(one => one.category ?? [])
        .flatMap((one: Tree) => one.coding)
        .filter((one: Tree) => one.system.endsWith('event'))
        .map((one: Tree) => one.code)
        .sort()
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error('not all messages were sent')
}
/** Every version there is, for comparing before and after what must change nothing. */
async function versions(): Promise<string[]> {
  const bundle = await fhir('_history?_count=1000')
  return bundle.entry.map((one: Tree) => `${one.request.url} ${one.response.etag}`)
}
/** Puts both clocks four hours forward. */
async function forward(): Promise<void> {
  for (const { process, out } of [server, simulator]) {
    process.kill('SIGUSR2')
    while (!out.some(line => line.startsWith('The clock is')))
      await new Promise(resolve => setTimeout(resolve, 5))
  }
}

let transactions = 0
const newTransaction = () => `booking-${++transactions}`
const WINDOW = { from: `${DAY}T00:00:00`, to: `${DAY}T23:59:59`, doctor: ANJALI }
const acked = (sent: Tree) => {
  expect(sent.answers.map((one: Tree) => one.json)).toEqual([
    { message: { ack: { status: 'ACK' } }, error: {} },
  ])
  expect(sent.problems).toEqual([])
  return sent.context
}
const orderIn = (callback: Tree): Tree => callback.body.message.order
const command = (action: string, transaction: string, more: Tree = {}) =>
  simulator.send({ action, transaction, provider, ...more })
/** Sends a request and waits for its callback, found by the message_id of both. */
async function answered(action: string, transaction: string, more: Tree = {}): Promise<Tree> {
  const { message_id } = acked(await command(action, transaction, more))
  const [callback] = await simulator.callbacks({ action: `on_${action}`, messageId: message_id })
  return callback!
}
/** The copy at the gateway of a callback about an order. */
async function copied(action: string, order: string, count = 1): Promise<void> {
  await simulator.callbacks({ action, order }, count)
  const copies = await simulator.audits({ action, order }, count)
  expect(copies.map(one => [one.exact, one.by, one.problems])).toEqual(Array(count).fill([true, HSPA, []]))
}

/** Free slots that the provider shows for a doctor. */
async function slots(transaction: string, wish: Tree = WINDOW): Promise<Tree> {
  const first = acked(await simulator.send({ action: 'search', transaction, wish }))
  const [found] = await simulator.callbacks({ action: 'on_search', messageId: first.message_id })
  const [clinic] = found!.body.message.catalog.providers
  const second = await answered('search', transaction, { from: clinic, wish })
  return second.body.message.catalog.providers[0]
}
/** Holds the first free slot; returns the order of on_init. */
async function held(transaction: string, wish: Tree = {}, searched: Tree = WINDOW): Promise<Tree> {
  const from = await slots(transaction, searched)
  return orderIn(await answered('init', transaction, { from, slot: from.fulfillments[0].id, wish }))
}
async function booked(transaction: string, wish: Tree = {}): Promise<Tree> {
  const { id } = await held(transaction, wish)
  const confirmed = orderIn(await answered('confirm', transaction, { order: id }))
  expect(confirmed.state).toBe('CONFIRMED')
  return confirmed
}

const doctor = (id: string, name: string, online: boolean): Tree[] => [
  {
    resourceType: 'Practitioner',
    id,
    active: true,
    identifier: [
      { system: 'https://hpr.abdm.gov.in', value: `${id}@hpr.ndhm` },
      { system: 'https://hpr.abdm.gov.in', value: `71-0000-0000-000${online ? 2 : 1}` },
    ],
    name: [{ text: name }],
    gender: 'female',
    telecom: [{ system: 'email', value: `${id}@clinic.example.org` }],
  },
  {
    resourceType: 'PractitionerRole',
    id,
    active: true,
    practitioner: ref(`Practitioner/${id}`),
    organization: ref('Organization/thanal'),
    healthcareService: [ref('HealthcareService/cardiology')],
    location: [ref('Location/clinic')],
    availableTime: [{ daysOfWeek: ['mon'], availableStartTime: '09:40:00', availableEndTime: '13:00:00' }],
  },
  {
    resourceType: 'Schedule',
    id,
    active: true,
    ...(online && {
      serviceType: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR' }] }],
    }),
    extension: [
      { url: 'urn:nadi:extension:price', valueReference: ref('ChargeItemDefinition/consultation') },
    ],
    actor: [
      ref(`PractitionerRole/${id}`),
      ref(`Practitioner/${id}`),
      ref('HealthcareService/cardiology'),
      ref('Location/clinic'),
    ],
  },
]

describe('the clinic publishes its hours', () => {
  it('by FHIR', async () => {
    const resources: Tree[] = [
      {
        resourceType: 'Organization',
        id: 'thanal',
        name: 'Thanal Family Clinic',
        identifier: [{ system: 'https://facility.abdm.gov.in', value: 'IN3200000001' }],
        telecom: [{ system: 'phone', value: '+91 484 000 0001' }],
      },
      {
        resourceType: 'Location',
        id: 'clinic',
        name: 'Thanal, Fort Road',
        managingOrganization: ref('Organization/thanal'),
        address: {
          text: '1 Banyan Lane',
          city: 'Kochi',
          district: 'Ernakulam',
          state: 'Kerala',
          postalCode: '682301',
        },
        position: { longitude: 76.349, latitude: 9.944 },
      },
      {
        resourceType: 'HealthcareService',
        id: 'cardiology',
        name: 'Cardiology',
        providedBy: ref('Organization/thanal'),
        specialty: [
          { coding: [{ system: 'http://snomed.info/sct', code: '394579002', display: 'Cardiology' }] },
        ],
      },
      {
        resourceType: 'ChargeItemDefinition',
        id: 'consultation',
        url: 'urn:nadi:tests:price',
        status: 'active',
        propertyGroup: [
          {
            priceComponent: [
              { type: 'base', code: { text: 'Consultation' }, amount: { value: 500, currency: 'INR' } },
            ],
          },
        ],
      },
      ...doctor('anjali', 'Dr Anjali Menon', false),
      ...doctor('thomas', 'Dr Thomas Kurian', true),
    ]
    const entry = resources.map(resource => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }))
    await fhir('', { resourceType: 'Bundle', type: 'transaction', entry })
    await operation('Schedule/$generate-slots', [
      { name: 'schedule', valueUri: 'Schedule/anjali' },
      { name: 'schedule', valueUri: 'Schedule/thomas' },
      { name: 'start', valueDate: DAY },
      { name: 'end', valueDate: DAY },
      { name: 'slotMinutes', valuePositiveInt: 20 },
    ])
    expect((await all('Slot?schedule=Schedule/anjali&status=free')).length).toBe(10)
  })
})

/** Patients beside Meera Pillai, whom the app sends unless it is told otherwise. */
const ARUN = { abha: 'arun.das@sbx', name: 'Arun Das', gender: 'M', phone: '9876500002' }
const RAVI = { abha: 'ravi.nair@sbx', name: 'Ravi Nair', gender: 'M', phone: '9876500004' }
const DEVI = { abha: 'devi.k@sbx', name: 'Devi K', phone: '9876500003' }

describe('a visit in person', () => {
  const transaction = newTransaction()
  let order: Tree
  let appointment: Tree

  it('the doctor is found through the gateway, her slots at the provider', async () => {
    const first = acked(
      await simulator.send({ action: 'search', transaction, wish: { ...WINDOW, doctor: '' } }),
    )
    const [found] = await simulator.callbacks({ action: 'on_search', messageId: first.message_id })
    const [clinic] = found!.body.message.catalog.providers
    expect([clinic.descriptor.name, clinic.location.gps]).toEqual(['Thanal Family Clinic', '9.944,76.349'])
    expect(clinic.fulfillments).toMatchObject([
      { type: 'Physical', agent: { id: ANJALI }, start: { time: { timestamp: `${DAY}T09:40:00` } } },
    ])
    const second = await answered('search', transaction, { from: clinic, wish: WINDOW })
    const [shown] = second.body.message.catalog.providers
    expect(shown.fulfillments.length).toBe(10)
    expect(shown.items[0].price).toEqual({ currency: 'INR', value: '500' })
    const chosen = shown.fulfillments[0]
    order = orderIn(
      await answered('init', transaction, { from: shown, slot: chosen.id, wish: { abha: ABHA } }),
    )
  })

  it('a gateway that signs in Proxy-Authorization is one as well', async () => {
    const sent = await simulator.send({
      action: 'search',
      transaction: newTransaction(),
      wish: WINDOW,
      gatewayHeader: 'proxy-authorization',
    })
    expect(sent.forwarded.map((one: Tree) => one.json.message.ack.status)).toEqual(['ACK'])
    await simulator.callbacks({ action: 'on_search', messageId: sent.context.message_id })
  })

  it('init holds the slot', async () => {
    expect(order).toMatchObject({
      payment: { type: 'ON-ORDER', status: 'NOT_PAID' },
      quote: { price: { value: '500' } },
    })
    appointment = await appointmentOf(order.id)
    expect(appointment).toMatchObject({ status: 'pending', start: `${DAY}T09:40:00+05:30` })
    expect(await slotStatus(order.fulfillment.id)).toBe('busy-tentative')
    expect(await toldOf(appointment)).toEqual([])
  })

  it('confirm books it: a PIN, an exact copy at the gateway, and the patient is told', async () => {
    order = orderIn(await answered('confirm', transaction, { order: order.id }))
    expect(order).toMatchObject({
      state: 'CONFIRMED',
      authorization: { valid_from: `${DAY}T00:00:00`, valid_to: `${DAY}T23:59:00`, status: 'GENERATED' },
    })
    await copied('on_confirm', order.id)
    appointment = await appointmentOf(order.id)
    expect(appointment.status).toBe('booked')
    expect(await slotStatus(order.fulfillment.id)).toBe('busy')
    expect(await toldOf(appointment)).toContain('booked')
  })

  it('status tells the order as it is, with a copy', async () => {
    const now = orderIn(await answered('status', transaction, { order: order.id }))
    expect({ ...now, authorization: { ...now.authorization, token: '****' } }).toEqual(order)
    await copied('on_status', order.id)
  })

  it('patient and doctor write to each other', async () => {
    const meera = { id: ABHA, name: 'Meera Pillai' }
    const anjali = { id: ANJALI, name: 'Dr Anjali Menon' }
    const text = 'ഞാൻ വൈകും: ten minutes late.'
    acked(await command('on_message', transaction, { chat: { from: meera, to: anjali, text } }))
    const [written] = (await aboutIt(appointment)).filter(
      one => one.sender?.reference === patientOf(appointment),
    )
    expect(written).toMatchObject({
      recipient: [ref('Practitioner/anjali')],
      payload: [{ contentString: text }],
    })
    await fhir('Communication', {
      resourceType: 'Communication',
      identifier: [{ system: 'urn:nadi:uhi:chat', value: 'c-2' }],
      status: 'completed',
      category: written!.category,
      about: written!.about,
      sent: `${DAY}T09:05:00+05:30`,
      sender: ref('Practitioner/anjali'),
      recipient: [written!.sender],
      payload: [{ contentString: 'Come when you can.' }],
    })
    const [came] = await simulator.callbacks({ action: 'on_message', transaction })
    const { chat } = came!.body.message.intent
    expect(Buffer.from(chat.content.content_value, 'base64').toString()).toBe('Come when you can.')
    expect([chat.sender.person.id, chat.receiver.person.id]).toEqual([ANJALI, ABHA])
  })

  it('the clerk moves it: on_update with the new time, and the old slot is free', async () => {
    const old = order.fulfillment.id
    await operation(`Appointment/${appointment.id}/$reschedule`, [
      { name: 'start', valueInstant: `${DAY}T10:20:00+05:30` },
    ])
    const [update] = await simulator.callbacks({ action: 'on_update', order: order.id })
    expect(orderIn(update!)).toMatchObject({
      state: 'CONFIRMED',
      fulfillment: {
        start: { time: { timestamp: `${DAY}T10:20:00` } },
        end: { time: { timestamp: `${DAY}T10:40:00` } },
      },
    })
    await copied('on_update', order.id)
    expect(await slotStatus(old)).toBe('free')
    expect(await slotStatus(orderIn(update!).fulfillment.id)).toBe('busy')
    expect(await toldOf(appointment)).toContain('rescheduled')
  })

  it('she pays at the counter', async () => {
    const invoice = await invoiceOf(appointment)
    expect(invoice).toMatchObject({ status: 'issued', totalGross: { value: 500, currency: 'INR' } })
    await operation(`Invoice/${invoice.id}/$mark-paid`, [{ name: 'method', valueString: 'cash' }])
    expect((await invoiceOf(appointment)).status).toBe('balanced')
    expect((await all('PaymentReconciliation?_count=10')).length).toBe(1)
    expect(orderIn(await answered('status', transaction, { order: order.id })).payment.status).toBe('PAID')
  })

  it('her PIN opens the visit, another does not', async () => {
    const { pin } = await simulator.get(`pin?order=${order.id}`)
    expect(pin).toMatch(/^\d{4}$/)
    const path = `Appointment/${appointment.id}/$verify-pin`
    const other = String((Number(pin) + 1) % 10_000).padStart(4, '0')
    expect(await rulesOf(`Appointment/${appointment.id}/$check-in`)).toContain('visit-pin')
    expect(await rulesOf(path, [{ name: 'pin', valueString: other }])).toContain('visit-pin-wrong')
    await operation(path, [{ name: 'pin', valueString: pin }])
    const [, update] = await simulator.callbacks({ action: 'on_update', order: order.id }, 2)
    expect(orderIn(update!)).toMatchObject({
      state: 'APPOINTMENT_STARTED',
      authorization: { status: 'VERIFIED' },
    })
    await copied('on_update', order.id, 2)
    expect((await all(`Encounter?appointment=Appointment/${appointment.id}`)).map(one => one.status)).toEqual(
      ['arrived'],
    )
  })

  it('and it is completed', async () => {
    await operation(`Appointment/${appointment.id}/$complete`)
    const [, , update] = await simulator.callbacks({ action: 'on_update', order: order.id }, 3)
    expect(orderIn(update!).state).toBe('COMPLETED')
    await copied('on_update', order.id, 3)
    expect((await appointmentOf(order.id)).status).toBe('fulfilled')
  })
})

const patientOf = (appointment: Tree): string =>
  appointment.participant
    .map((one: Tree) => one.actor.reference)
    .find((one: string) => one.startsWith('Patient/'))

describe('what is cancelled', () => {
  it('by the patient with a reason: on_cancel, its copy, a free slot, nothing owed', async () => {
    const transaction = newTransaction()
    const order = await booked(transaction)
    const cancelled = orderIn(
      await answered('cancel', transaction, { order: order.id, reason: 'PATIENT_HEALTH_IMPROVED' }),
    )
    expect(cancelled).toMatchObject({
      state: 'CANCELLED',
      fulfillment: {
        tags: { [uhiTag('cancelledby')]: 'patient', [uhiTag('cancel_reason')]: 'PATIENT_HEALTH_IMPROVED' },
      },
    })
    await copied('on_cancel', order.id)
    const appointment = await appointmentOf(order.id)
    expect(appointment.status).toBe('cancelled')
    expect(appointment.cancelationReason.coding.map((one: Tree) => one.code)).toContain(
      'PATIENT_HEALTH_IMPROVED',
    )
    expect(await slotStatus(order.fulfillment.id)).toBe('free')
    expect((await invoiceOf(appointment)).status).toBe('cancelled')
    expect(await toldOf(appointment)).toContain('cancelled')
  })

  it('by the doctor with a reason: the app is told unasked', async () => {
    const order = await booked(newTransaction())
    const appointment = await appointmentOf(order.id)
    const coding = [{ system: 'urn:nadi:codes:uhi-reason', code: 'DOCTOR_UNAVAILABLE' }]
    await operation(`Appointment/${appointment.id}/$cancel`, [
      { name: 'reason', valueCodeableConcept: { coding } },
    ])
    const [came] = await simulator.callbacks({ action: 'on_cancel', order: order.id })
    expect(orderIn(came!).fulfillment.tags).toMatchObject({
      [uhiTag('cancelledby')]: 'doctor',
      [uhiTag('cancel_reason')]: 'DOCTOR_UNAVAILABLE',
    })
    await copied('on_cancel', order.id)
    expect(await slotStatus(order.fulfillment.id)).toBe('free')
  })

  it('an app moves a visit by cancelling and booking again: UHI has no other way', async () => {
    const transaction = newTransaction()
    const order = await booked(transaction)
    await answered('cancel', transaction, { order: order.id, reason: 'PATIENT_UNABLE_TO_VISIT_PHYSICALLY' })
    const again = await booked(newTransaction())
    expect(again.id).not.toBe(order.id)
    expect((await appointmentOf(again.id)).status).toBe('booked')
    await operation(`Appointment/${(await appointmentOf(again.id)).id}/$no-show`)
    const [came] = await simulator.callbacks({ action: 'on_update', order: again.id })
    expect(orderIn(came!).state).toBe('NO_SHOW')
    await copied('on_update', again.id)
  })
})

describe('a teleconsultation', () => {
  it('is paid first, has a link and no PIN', async () => {
    const transaction = newTransaction()
    const online = { from: WINDOW.from, to: WINDOW.to, doctor: 'thomas@hpr.ndhm', type: 'Online' }
    const order = await held(transaction, { type: 'Online', payment: 'PRE-ORDER' }, online)
    expect(order.payment).toMatchObject({ type: 'PRE-ORDER', status: 'NOT_PAID' })
    acked(await command('confirm', transaction, { order: order.id }))
    const appointment = await appointmentOf(order.id)
    expect(appointment.status).toBe('pending')
    await operation(`Invoice/${(await invoiceOf(appointment)).id}/$mark-paid`, [
      { name: 'method', valueString: 'UPI' },
    ])
    const [came] = await simulator.callbacks({ action: 'on_confirm', order: order.id })
    const confirmed = orderIn(came!)
    expect(confirmed).toMatchObject({ state: 'CONFIRMED', payment: { status: 'PAID' } })
    expect(confirmed.fulfillment.tags[uhiTag('teleconsultation/uri')]).toBe(
      `https://meet.example.org/${appointment.id}`,
    )
    expect(confirmed.authorization).toBeUndefined()
    await copied('on_confirm', order.id)
    expect(await toldOf(await appointmentOf(order.id))).toContain('booked')
  })

  it('who is booked elsewhere at that time is told why, and holds nothing', async () => {
    const before = await versions()
    const other = newTransaction()
    const from = await slots(other)
    const told = await answered('init', other, { from, slot: from.fulfillments[0].id })
    expect(told.body.error).toMatchObject({
      type: 'BOOKING',
      code: 'UHI-1403',
      path: '/message/order/customer',
    })
    expect(await versions()).toEqual(before)
  })
})

describe('who misbehaves', () => {
  const transaction = newTransaction()
  let order: Tree
  let before: string[]

  beforeAll(async () => {
    order = await booked(transaction, RAVI)
    await toldOf(await appointmentOf(order.id))
    before = await versions()
  })

  const nacked = (sent: Tree, code: string, count = 1) => {
    expect(sent.answers.map((one: Tree) => [one.json.message.ack.status, one.json.error.code])).toEqual(
      Array(count).fill(['NACK', code]),
    )
    expect(sent.problems).toEqual([])
  }

  it.each([
    ['no-signature', 'UHI-1401'],
    ['broken-header', 'UHI-1408'],
    ['bad-signature', 'UHI-1405'],
    ['body-changed', 'UHI-1405'],
    ['other-key', 'UHI-1405'],
    ['expired', 'UHI-1408'],
    ['future-created', 'UHI-1408'],
    ['other-subscriber', 'UHI-1412'],
    ['unregistered', 'UHI-1412'],
    ['broken-json', 'UHI-1411'],
    ['unknown-order', 'UHI-1404'],
  ])('%s gets %s, and nothing changes', async (way, code) => {
    nacked(await command('cancel', transaction, { order: order.id, misbehave: [way] }), code)
    expect(await versions()).toEqual(before)
  })

  it('who is registered nowhere gets UHI-1406', async () => {
    const context = { consumer_id: 'nobody.127.0.0.1' }
    nacked(
      await command('cancel', transaction, { order: order.id, misbehave: ['unregistered'], context }),
      'UHI-1406',
    )
    expect(await versions()).toEqual(before)
  })

  it('another transaction, another provider, another address and no context are refused', async () => {
    const refused: [Tree, string][] = [
      [{ transaction_id: 'another' }, 'UHI-1404'],
      [{ provider_id: 'another.example.org' }, 'UHI-1413'],
      [{ consumer_uri: 'http://localhost:1/eua' }, 'UHI-1415'],
      [{ domain: 'nic2008:86909' }, 'UHI-1404'],
      [{ message_id: null }, 'UHI-1404'],
      [{ action: 'confirm' }, 'UHI-1404'],
    ]
    for (const [context, code] of refused)
      nacked(await command('cancel', transaction, { order: order.id, context }), code)
    expect(await versions()).toEqual(before)
  })

  it('another app does not reach the order', async () => {
    const context = {
      consumer_id: 'other-app.example.org',
      consumer_uri: 'https://other-app.example.org',
    }
    for (const action of ['status', 'cancel', 'confirm'])
      nacked(
        await command(action, transaction, { order: order.id, context, misbehave: ['other-subscriber'] }),
        'UHI-1404',
      )
    expect(await versions()).toEqual(before)
  })

  it('late: signed for a second and sent after two', async () => {
    const sent = await command('cancel', transaction, { order: order.id, misbehave: ['late'], lifetime: 1 })
    nacked(sent, 'UHI-1408')
    expect(await versions()).toEqual(before)
  })

  it('a gateway whose signature is bad or expired does not bring a search in', async () => {
    for (const [way, code] of [
      ['bad-signature', 'UHI-1405'],
      ['expired', 'UHI-1408'],
      // An app that signs in the place of the gateway.
      ['other-subscriber', 'UHI-1406'],
    ]) {
      const sent = await simulator.send({
        action: 'search',
        transaction: newTransaction(),
        wish: WINDOW,
        gateway: [way],
      })
      expect(sent.forwarded.map((one: Tree) => one.json.error.code)).toEqual([code])
      expect(await simulator.seen({ messageId: sent.context.message_id })).toEqual([])
    }
  })

  it('terms that were not all agreed to are refused', async () => {
    const other = newTransaction()
    const open = await held(other, ARUN)
    const message = { order: open }
    nacked(await command('confirm', other, { message }), 'UHI-1404')
    expect((await appointmentOf(open.id)).status).toBe('pending')
    await answered('cancel', other, { order: open.id })
  })

  it('twice at once, and once more under a new signature: one effect, one callback', async () => {
    const other = newTransaction()
    const from = await slots(other)
    const init = await command('init', other, {
      from,
      slot: from.fulfillments[0].id,
      wish: ARUN,
      misbehave: ['twice', 'again'],
    })
    expect(init.answers.map((one: Tree) => one.json.message.ack.status)).toEqual(['ACK', 'ACK', 'ACK'])
    const [told] = await simulator.callbacks({ action: 'on_init', transaction: other })
    const { id } = orderIn(told!)
    const confirm = await command('confirm', other, { order: id, misbehave: ['twice', 'again'] })
    expect(confirm.answers.map((one: Tree) => one.json.message.ack.status)).toEqual(['ACK', 'ACK', 'ACK'])
    await copied('on_confirm', id)
    const appointment = await appointmentOf(id)
    const events = await toldOf(appointment)
    expect(events.filter(one => one === 'booked').length).toBe(new Set(await bookedFor(appointment)).size)
    expect((await fhir(`Appointment/${appointment.id}/_history`)).entry.length).toBe(2)
    expect((await simulator.seen({ transaction: other })).map(one => one.action).sort()).toEqual([
      'on_confirm',
      'on_init',
      'on_search',
      'on_search',
    ])
    await answered('cancel', other, { order: id, reason: 'PATIENT_BOOKED_IN_ERROR' })
  })

  it('out of order: a confirm that comes after the cancel is refused and books nothing', async () => {
    const other = newTransaction()
    const { id } = await held(other, ARUN)
    await command('confirm', other, { order: id, misbehave: ['out-of-order'] })
    await answered('cancel', other, { order: id, reason: 'PATIENT_OTHER' })
    expect((await appointmentOf(id)).status).toBe('cancelled')
    const then = await versions()
    nacked(await command('confirm', other, { order: id }), 'UHI-1403')
    expect(await versions()).toEqual(then)
    expect(await simulator.seen({ action: 'on_confirm', transaction: other })).toEqual([])
    // The confirm that was held back, and this one.
    const refused = simulator.out.filter(line => /^eua: sent confirm.*"UHI-1403"/.test(line))
    expect(refused.length).toBe(2)
  })
})

/** Whom the messages of a booking went to, by channel. */
const bookedFor = async (appointment: Tree): Promise<string[]> =>
  (await aboutIt(appointment))
    .filter(one => JSON.stringify(one.category).includes('"booked"'))
    .map(one => `${JSON.stringify(one.recipient)} ${JSON.stringify(one.medium)}`)

describe('what takes time', () => {
  it('a callback that was not answered comes again with the same bytes, a hold ends, and a doctor may not have come', async () => {
    const transaction = newTransaction()
    const order = await booked(transaction, DEVI)
    const early = await command('on_update', transaction, { order: order.id, state: 'DOCTOR_NO_SHOW' })
    expect(early.answers[0].json.error.code).toBe('UHI-1404')
    const other = newTransaction()
    const open = await held(other, ARUN)
    await simulator.post('receive', { action: 'on_status', as: 'drop', times: 1 })
    const asked = acked(await command('status', transaction, { order: order.id }))
    await simulator.callbacks({ action: 'on_status', messageId: asked.message_id })

    await forward()
    await answered('status', transaction, { order: order.id })
    const [first, second] = await simulator.callbacks({ action: 'on_status', messageId: asked.message_id }, 2)
    expect([second!.repeat, second!.digest === first!.digest]).toEqual([true, true])

    acked(await command('confirm', other, { order: open.id }))
    const [failed] = await simulator.callbacks({ action: 'on_confirm', transaction: other })
    expect(orderIn(failed!).state).toBe('FAILED')
    expect((await appointmentOf(open.id)).status).toBe('cancelled')
    expect(await slotStatus(open.fulfillment.id)).toBe('free')

    acked(await command('on_update', transaction, { order: order.id, state: 'DOCTOR_NO_SHOW' }))
    expect((await appointmentOf(order.id)).status).toBe('noshow')
  })
})

it('the simulator found nothing else wrong, and neither process shows a PIN', async () => {
  expect(await simulator.get('problems')).toEqual([])
  expect(simulator.out.filter(line => line.includes('WRONG'))).toEqual([])
  expect(server.err.filter(line => /"token"/.test(line))).toEqual([])
})
