/** What the tests of the Care UHI contract speak to: the application on some store, clinics of their own, and a consumer on a real socket. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp, underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { createCallbackHandler } from '../../src/facades/care-uhi/callback.ts'
import { CALLBACK } from '../../src/facades/care-uhi/first.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import type { Log } from '../../src/lib/log.ts'
import { uuid7 } from '../../src/lib/uuid7.ts'
import { dispatch } from '../../src/notifications/dispatch.ts'
import { createRegistry } from '../../src/search/registry.ts'
import type { Storage } from '../../src/storage/port.ts'
import { testSettings } from '../settings.ts'
import { silent } from '../storage/silent-log.ts'
import type { Tree } from './client.ts'

/** Sat, 21 Nov 2026 05:11:00 GMT; 10:41 in India. */
export const NOW = Date.UTC(2026, 10, 21, 5, 11)

export type Open = (clock: () => number, log: Log) => Promise<Storage>

export interface Answered {
  status: number
  text: string
  body: Tree
}

/** Ids of a clinic of one test; slots are on Monday, 23 November 2026. */
export interface Clinic {
  org: string
  place: string
  department: string
  doctor: string
  /** Works there without a department. */
  other: string
  schedule: string
  otherSchedule: string
  /** 09:00 to 09:20, one place; 09:20 one place; 09:40 three places; a past one; one of the other doctor at 10:00. */
  slots: { first: string; second: string; wide: string; past: string; other: string; full: string }
}

export interface World {
  ctx: Context
  /** ms since 1970; tests move it on. */
  now: number
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>
  uhi(path: string, body?: unknown): Promise<Answered>
  fhir(method: string, path: string, body?: Tree): Promise<Answered>
  clinic(more?: { price?: Tree[] }): Promise<Clinic>
  /** Versions of resources that there are. */
  versions(): Promise<number>
  /** Does the work of the outbox that is due; returns how many jobs there were. */
  work(): Promise<number>
  close(): Promise<void>
}

export async function openWorld(open: Open, careUhi: Tree = {}): Promise<World> {
  const clock = () => world.now
  const settings = testSettings({ limits: { searchMs: 20_000 } })
  const ctx: Context = {
    storage: await open(clock, silent),
    settings: {
      ...settings,
      careUhi: { ...settings.careUhi, enabled: true, privateCallbacks: true, ...careUhi },
    },
    registry: createRegistry(),
    principal: { id: 'system' },
    clock,
    tick: () => performance.now(),
    newId: uuid7(Date.now, bytes => crypto.getRandomValues(bytes)),
    log: silent,
    version: '0.0.0',
  }
  const app = createApp({ ctx, metrics: createMetrics('0.0.0'), urlLimit: 8192 })
  const done = async () => ({ is: 'done' }) as const
  const handlers = {
    [CALLBACK]: createCallbackHandler(undefined),
    message: done,
  }
  let clinics = 0
  const world: World = {
    ctx,
    now: NOW,
    async ask(method, path, body, headers = {}) {
      const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
      const sent = raw ? (body as BodyInit | undefined) : JSON.stringify(body)
      const answer = await app.request(`http://127.0.0.1:8080${path}`, {
        method,
        headers: { host: '127.0.0.1:8080', 'content-type': 'application/json', ...headers },
        ...(sent === undefined ? {} : { body: sent }),
      })
      const text = await answer.text()
      let tree: Tree
      try {
        tree = JSON.parse(text)
      } catch {
        tree = undefined
      }
      return { status: answer.status, text, body: tree }
    },
    uhi: (path, body) => world.ask('POST', `/uhi${path}`, body),
    fhir: (method, path, body) =>
      world.ask(method, `/fhir/${path}`, body, {
        'content-type': 'application/fhir+json',
        prefer: 'return=representation',
      }),
    clinic: async more => {
      const clinic = clinicOf(`c${++clinics}`)
      const answer = await world.fhir('POST', '', {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: resourcesOf(clinic, more?.price).map(resource => ({
          resource,
          request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
        })),
      })
      if (answer.status !== 200) throw new Error(answer.text)
      return clinic
    },
    versions: async () => (await ctx.storage.history({}, { limit: 1, total: 'accurate' })).total!,
    async work() {
      let all = 0
      for (;;) {
        const { taken } = await dispatch(underRules(ctx), handlers, {
          owner: 'test',
          leaseMs: 60_000,
          parallel: 20,
        })
        all += taken
        if (taken === 0) return all
      }
    },
    close: () => ctx.storage.close(),
  }
  return world
}

const clinicOf = (name: string): Clinic => ({
  org: `${name}-org`,
  place: `${name}-place`,
  department: `${name}-general`,
  doctor: `${name}-anjali`,
  other: `${name}-thomas`,
  schedule: `${name}-anjali-book`,
  otherSchedule: `${name}-thomas-book`,
  slots: {
    first: `${name}-0900`,
    second: `${name}-0920`,
    wide: `${name}-0940`,
    past: `${name}-past`,
    other: `${name}-1000`,
    full: `${name}-1020`,
  },
})

function resourcesOf(clinic: Clinic, price: Tree[] | undefined): Tree[] {
  const { org, place, department, doctor, other, schedule, otherSchedule, slots } = clinic
  const to = (reference: string) => ({ reference })
  const person = (id: string, given: string, family: string) => ({
    resourceType: 'Practitioner',
    id,
    active: true,
    name: [{ prefix: ['Dr'], given: [given], family }],
  })
  const role = (id: string, more: Tree) => ({
    resourceType: 'PractitionerRole',
    id,
    active: true,
    practitioner: to(`Practitioner/${id}`),
    organization: to(`Organization/${org}`),
    code: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/practitioner-role',
            code: 'doctor',
            display: 'Doctor',
          },
        ],
      },
    ],
    ...more,
  })
  const book = (id: string, practitioner: string, more: Tree[], comment: string) => ({
    resourceType: 'Schedule',
    id,
    active: true,
    comment,
    actor: [to(`PractitionerRole/${practitioner}`), to(`Practitioner/${practitioner}`), ...more],
    ...(price !== undefined &&
      id === schedule && {
        extension: [
          {
            url: 'urn:nadi:extension:price',
            valueReference: to(`ChargeItemDefinition/${org}-fee`),
          },
        ],
      }),
  })
  const slot = (id: string, of: string, day: string, from: string, until: string, more: Tree = {}) => ({
    resourceType: 'Slot',
    id,
    schedule: to(`Schedule/${of}`),
    status: 'free',
    start: `${day}T${from}:00+05:30`,
    end: `${day}T${until}:00+05:30`,
    ...more,
  })
  const day = '2026-11-23'
  const capacity = { extension: [{ url: 'urn:nadi:extension:slot-capacity', valuePositiveInt: 3 }] }
  return [
    {
      resourceType: 'Organization',
      id: org,
      active: true,
      name: 'Thanal Family Clinic',
      alias: ['Care near the river'],
      telecom: [{ system: 'phone', value: '+91 00000 00001' }],
      address: [{ line: ['1 Banyan Lane'], city: 'Thrippunithura', state: 'Kerala', postalCode: '682301' }],
    },
    {
      resourceType: 'Location',
      id: place,
      status: 'active',
      name: 'Thanal, Thrippunithura',
      position: { latitude: 9.944, longitude: 76.349 },
      managingOrganization: to(`Organization/${org}`),
    },
    {
      resourceType: 'HealthcareService',
      id: department,
      active: true,
      providedBy: to(`Organization/${org}`),
      name: 'General medicine',
      comment: 'Fever and all else',
    },
    {
      resourceType: 'HealthcareService',
      id: `${org}-lab`,
      active: true,
      providedBy: to(`Organization/${org}-dept`),
      name: 'Blood laboratory',
    },
    {
      resourceType: 'Organization',
      id: `${org}-dept`,
      active: true,
      type: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'dept' }] },
      ],
      name: 'Thanal Laboratory',
      partOf: to(`Organization/${org}`),
    },
    person(doctor, 'Anjali', 'Menon'),
    person(other, 'Thomas', 'Kurian'),
    role(doctor, { healthcareService: [to(`HealthcareService/${department}`)] }),
    role(other, {}),
    book(schedule, doctor, [to(`HealthcareService/${department}`)], 'Consultation with Dr Menon'),
    book(otherSchedule, other, [], 'Consultation with Dr Kurian'),
    slot(slots.first, schedule, day, '09:00', '09:20'),
    slot(slots.second, schedule, day, '09:20', '09:40'),
    slot(slots.wide, schedule, day, '09:40', '10:00', capacity),
    slot(slots.past, schedule, '2026-11-20', '09:00', '09:20'),
    slot(slots.other, otherSchedule, day, '10:00', '10:20'),
    slot(slots.full, otherSchedule, day, '10:20', '10:40', { status: 'busy' }),
    ...(price === undefined
      ? []
      : [
          {
            resourceType: 'ChargeItemDefinition',
            id: `${org}-fee`,
            url: `urn:fee:${org}`,
            status: 'active',
            title: 'Consultation fee',
            description: 'First visit of a new illness',
            code: { text: 'Consultation' },
            propertyGroup: [{ priceComponent: price }],
          },
        ]),
  ]
}

export interface Called {
  path: string
  body: Tree
}

export interface Consumer {
  uri: string
  calls: Called[]
  /** What the next calls are answered with, in their order; 200 when there is none left. */
  answers: (number | { status: number; location: string })[]
  close(): Promise<void>
}

/** Starts a consumer that keeps what it is called with. */
export async function startConsumer(): Promise<Consumer> {
  const consumer: Omit<Consumer, 'uri' | 'close'> = { calls: [], answers: [] }
  const server: Server = createServer(async (request: IncomingMessage, response) => {
    let text = ''
    for await (const piece of request) text += piece
    consumer.calls.push({ path: request.url ?? '', body: text === '' ? undefined : JSON.parse(text) })
    const answer = consumer.answers.shift() ?? 200
    if (typeof answer === 'number') response.writeHead(answer).end('{}')
    else response.writeHead(answer.status, { location: answer.location }).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(consumer, {
    uri: `http://127.0.0.1:${port}/consumer`,
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

/** An invented patient. */
export const PERSON = { name: 'Meera Nair', phone_number: '9876543210', gender: 'female' }

/** A context of the first generation, with ids of its own. */
export const fullContext = (action: string, more: Tree = {}): Tree => ({
  domain: 'nic2004:85110',
  country: 'IND',
  action,
  transaction_id: crypto.randomUUID(),
  message_id: crypto.randomUUID(),
  consumer_id: 'app.example.org',
  ...more,
})
