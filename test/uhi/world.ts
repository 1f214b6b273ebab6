/** A clinic on UHI: our application on SQLite in memory, and the other side on real sockets. Names and numbers are invented. */
import { createHmac } from 'node:crypto'
import { createApp, jobHandlers, underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { search } from '../../src/interactions/search.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { dispatch } from '../../src/notifications/dispatch.ts'
import { resourceOf } from '../../src/scheduling/calendar.ts'
import { START, type TestContext, testContext } from '../interactions/context.ts'
import { testSettings } from '../settings.ts'
import { header, type Party, type Peers, party, pkcs8, record, startPeers, type Tree } from './peers.ts'

export const PAYMENT_SECRET = 'a payment secret of the tests'

/** 2026-11-23 in India, a Monday; slots of 20 minutes from 10:00. */
const DAY = '2026-11-23'
export const SLOT = (n: number): string => `slot-${n}`
const slotTime = (n: number): string => {
  const minutes = 600 + 20 * n
  return `${DAY}T${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}:00`
}

const ref = (reference: string) => ({ reference })

export function clinic(slots = 6): Resource[] {
  const doctor = (id: string, name: string, hpr: string, online: boolean): Resource[] => [
    {
      resourceType: 'Practitioner',
      id,
      active: true,
      identifier: [
        { system: 'https://hpr.abdm.gov.in', value: `${id}@hpr.ndhm` },
        { system: 'https://hpr.abdm.gov.in', value: hpr },
      ],
      name: [{ text: name }],
      gender: 'female',
      qualification: [{ code: { text: 'MBBS, MD' } }],
    },
    {
      resourceType: 'Schedule',
      id,
      active: true,
      ...(online && {
        serviceType: [
          { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR' }] },
        ],
      }),
      extension: [
        { url: 'urn:nadi:extension:price', valueReference: ref('ChargeItemDefinition/consultation') },
      ],
      actor: [ref(`Practitioner/${id}`), ref('HealthcareService/cardiology'), ref('Location/clinic')],
    },
    ...Array.from(
      { length: slots },
      (_, n): Resource => ({
        resourceType: 'Slot',
        id: `${online ? 'online' : 'slot'}-${n}`,
        schedule: ref(`Schedule/${id}`),
        status: 'free',
        start: `${slotTime(n)}+05:30`,
        end: `${slotTime(n + 1)}+05:30`,
      }),
    ),
  ]
  return [
    {
      resourceType: 'Organization',
      id: 'thanal',
      identifier: [
        { system: 'https://facility.abdm.gov.in', value: 'IN3200000001' },
        { system: 'urn:nadi:abdm:hip', value: 'IN3200000001_1' },
      ],
      name: 'Thanal Family Clinic',
      telecom: [{ system: 'phone', value: '+91 484 000 0001' }],
    },
    {
      resourceType: 'Location',
      id: 'clinic',
      name: 'Thanal, Fort Road',
      address: {
        text: '1 Banyan Lane',
        city: 'Kochi',
        district: 'Ernakulam',
        state: 'Kerala',
        postalCode: '682301',
      },
      position: parseJson('{"longitude":76.3490,"latitude":9.9440}'),
      managingOrganization: ref('Organization/thanal'),
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
            {
              type: 'base',
              code: { text: 'Consultation' },
              amount: parseJson('{"value":500,"currency":"INR"}'),
            },
          ],
        },
      ],
    },
    ...doctor('anjali', 'Dr Anjali Menon', '71-0000-0000-0001', false),
    ...doctor('thomas', 'Dr Thomas Kurian', '71-0000-0000-0002', true),
  ]
}

export interface World {
  ctx: TestContext
  /** Under the rules, as the application has it. */
  ruled: Context
  peers: Peers
  hspa: Party
  eua: Party
  gateway: Party
  /** Seconds since 1970 by our clock. */
  seconds(): number
  /** A message of the app, as JSON text; every call has another message_id. */
  message(action: string, message: unknown, context?: Record<string, unknown>): string
  /** Posts a body to `/hspa/{action}` with a signature made now by the app. */
  send(action: string, body: string, headers?: Record<string, string>): Promise<Tree>
  /** Does all jobs that are due; returns what the other side has received since. */
  deliver(): Promise<Peers['received']>
  all(type: string): Promise<Resource[]>
  pay(report: unknown, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

export async function world(
  uhi: Partial<ReturnType<typeof testSettings>['uhi']> = {},
  slots?: number,
): Promise<World> {
  const peers = await startPeers()
  const hspa = party('hspa-nadi', 'hspa.k1')
  const eua = party('eua-nha', 'eua.nha.k1')
  const gateway = party('uhigateway', 'gateway.k1')
  peers.records.set(eua.id, record(eua, 'EUA', peers.url))
  peers.records.set(gateway.id, [record(gateway, 'gateway', peers.url)])
  const standard = testSettings()
  const ctx = await testContext({
    scheduling: { ...standard.scheduling, joinUrl: 'https://meet.example.org/{appointment}' },
    notifications: { ...standard.notifications, enabled: false },
    uhi: {
      ...standard.uhi,
      enabled: true,
      subscriberId: hspa.id,
      keyId: hspa.keyId,
      privateKey: pkcs8(hspa.privateKey),
      url: 'https://hspa.example.org/hspa',
      gatewayUrl: peers.url,
      allowPrivate: true,
      timeoutMs: 300,
      pinSecret: 'a pin secret of the tests',
      paymentSecret: PAYMENT_SECRET,
      paymentUrl: 'https://pay.example.org/{order}',
      ...uhi,
    },
  })
  const ruled = underRules(ctx)
  const entry = clinic(slots).map(resource => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${String(resource.id)}` },
  }))
  await transaction(ruled, { resourceType: 'Bundle', type: 'transaction', entry } as unknown as Resource)
  const app = createApp({ ctx, metrics: createMetrics('0'), urlLimit: 8192 })
  const seconds = () => Math.floor(ctx.clock() / 1000)
  const ask = (path: string, body: string, headers: Record<string, string>) =>
    app.request(`http://127.0.0.1:8080/hspa/${path}`, {
      method: 'POST',
      headers: { host: '127.0.0.1:8080', 'content-type': 'application/json', ...headers },
      body,
    })
  let messages = 0
  return {
    ctx,
    ruled,
    peers,
    hspa,
    eua,
    gateway,
    seconds,
    message: (action, message, context = {}) =>
      JSON.stringify({
        context: {
          domain: 'nic2004:85111',
          country: 'IND',
          city: 'std:0484',
          action,
          core_version: '0.7.1',
          consumer_id: eua.id,
          consumer_uri: `${peers.url}/eua`,
          provider_id: hspa.id,
          provider_uri: 'https://hspa.example.org/hspa',
          transaction_id: 'a1b2c3d4-f951-11ec-b135-53aea776f66b',
          message_id: `m-${++messages}`,
          timestamp: new Date(ctx.clock()).toISOString(),
          ...context,
        },
        message,
      }),
    async send(action, body, headers = { authorization: header(eua, body, seconds()) }) {
      const response = await ask(action, body, headers)
      return { http: response.status, ...(await response.json()) }
    },
    async deliver() {
      const before = peers.received.length
      for (let round = 0; round < 20; round++) {
        const { taken } = await dispatch(ruled, jobHandlers([], { random: () => 0.5 }), {
          owner: 'test',
          leaseMs: 60_000,
          parallel: 4,
        })
        if (taken === 0) break
      }
      return peers.received.slice(before)
    },
    all: async type => (await search(ruled, type, [['_count', '100']])).rows.map(resourceOf),
    pay(report, headers) {
      const body = JSON.stringify(report)
      const t = seconds()
      const v1 = createHmac('sha256', PAYMENT_SECRET).update(`${t}.${body}`).digest('hex')
      return ask('payment', body, headers ?? { 'x-nadi-signature': `t=${t},v1=${v1}` }) as Promise<Response>
    },
    async close() {
      await peers.close()
      await ctx.storage.close()
    },
  }
}

export { START }

/** The order of an init as an app sends it. */
export const initOrder = (slot: string, online = false, customer = 'meera.nair@sbx') => ({
  provider: { id: 'thanal' },
  item: {
    id: 'consultation',
    descriptor: { name: 'Consultation', code: 'CONSULTATION' },
    price: { currency: 'INR', value: '500' },
    fulfillment_id: slot,
  },
  fulfillment: {
    id: slot,
    type: online ? 'Online' : 'Physical',
    agent: { id: `${online ? 'thomas' : 'anjali'}@hpr.ndhm` },
    tags: { '@abdm/gov.in/slot_id': slot },
  },
  billing: {
    name: 'Meera Nair',
    address: {
      door: '',
      name: 'Banyan House',
      locality: 'Fort Road',
      city: 'Kochi',
      state: 'Kerala',
      country: 'INDIA',
      area_code: '682301',
    },
    phone: '9800000001',
    email: '',
  },
  customer: {
    id: customer,
    person: { gender: 'F', dob: '1990-02-11', dayOfBirth: 11, monthOfBirth: 2, yearOfBirth: 1990 },
  },
  payment: { type: 'ON-ORDER', params: { redirect_url: 'https://eua.example.org/paid' } },
})

/** Holds a slot and confirms it; returns the order as it was told. */
export async function book(world: World, slot: string, online = false, customer?: string): Promise<Tree> {
  await world.send('init', world.message('init', { order: initOrder(slot, online, customer) }))
  const [onInit] = (await world.deliver()).filter(one => one.path.endsWith('/on_init'))
  const order = onInit!.json.message.order
  await world.send('confirm', world.message('confirm', { order: agreeing(order) }))
  const told = await world.deliver()
  return told.find(one => one.path.endsWith('/on_confirm'))?.json.message.order ?? order
}

/** An order with all terms agreed to. */
export const agreeing = (order: Tree) => ({
  ...order,
  terms: order.terms.map((term: object) => ({ ...term, termsState: 'AGREED' })),
})
