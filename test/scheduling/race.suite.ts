/**
 * Two hundred clients, by every door and through two servers, want one slot that takes one and one that takes three. Afterwards a checker
 * that shares no code with the servers reads what there is.
 */
import { expect, it } from 'vitest'
import { type Api, api, type Tree } from '../rest/client.ts'
import { type UhiNetwork, uhiNetwork } from '../rest/uhi.suite.ts'
import { header } from '../uhi/peers.ts'
import { overlapFaults, tokenFaults } from './calendar-checker.ts'

const CLIENTS = 200

interface Outcome {
  door: string
  won: boolean
  /** Whether it was told that it has lost, in the words of its door. */
  told: boolean
  status: number
  ms: number
  text: string
}

interface Wanted {
  slot: string
  from: string
  to: string
}

interface Asked {
  server: Api
  /** `p7`, whose integer id is 7. */
  patient: number
  want: Wanted
}

type Door = (asked: Asked) => Promise<Omit<Outcome, 'door' | 'ms'>>

const iso = (at: number): string => new Date(at).toISOString()

const appointment = ({ patient, want }: Asked, more: Tree = {}): Tree => ({
  resourceType: 'Appointment',
  status: 'booked',
  start: want.from,
  end: want.to,
  slot: [{ reference: `Slot/${want.slot}` }],
  participant: [`Patient/p${patient}`, 'Practitioner/doctor'].map(reference => ({
    actor: { reference },
    status: 'accepted',
  })),
  ...more,
})

const refusedByFhir = (status: number, body: Tree): boolean =>
  status === 409 && JSON.stringify(body).includes('OperationOutcome')

/** An online appointment API speaks UUIDs of its own. */
const uuid = (): string => crypto.randomUUID()

const DOORS: Record<string, Door> = {
  create: async asked => {
    const { status, body, text } = await asked.server.post('Appointment', appointment(asked))
    return { status, text, won: status === 201, told: refusedByFhir(status, body) }
  },
  transaction: async asked => {
    const entry = [{ resource: appointment(asked), request: { method: 'POST', url: 'Appointment' } }]
    const { status, body, text } = await asked.server.post('', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry,
    })
    return { status, text, won: status === 200, told: refusedByFhir(status, body) }
  },
  update: async asked => {
    const id = `put-${asked.want.slot}-${asked.patient}`
    const { status, body, text } = await asked.server.put(`Appointment/${id}`, appointment(asked, { id }))
    return { status, text, won: status === 201, told: refusedByFhir(status, body) }
  },
  patch: async asked => {
    const id = `patch-${asked.want.slot}-${asked.patient}`
    await asked.server.put(`Appointment/${id}`, appointment(asked, { id, status: 'proposed' }))
    const patch = [{ op: 'replace', path: '/status', value: 'booked' }]
    const { status, body, text } = await asked.server.patch(`Appointment/${id}`, patch, {
      'content-type': 'application/json-patch+json',
    })
    return { status, text, won: status === 200, told: refusedByFhir(status, body) }
  },
  'hold and book': async asked => {
    const held = await asked.server.post('Appointment', appointment(asked, { status: 'pending' }))
    if (held.status !== 201)
      return {
        status: held.status,
        text: held.text,
        won: false,
        told: refusedByFhir(held.status, held.body),
      }
    const reference = { reference: `Appointment/${held.body.id}` }
    const { status, text } = await asked.server.post('Appointment/$book', {
      resourceType: 'Parameters',
      parameter: [{ name: 'appointment-reference', valueReference: reference }],
    })
    return { status, text, won: status === 200, told: false }
  },
  'Care UHI': async ({ server, patient, want }) => {
    const { status, body, text } = await server.post(
      '//uhi/appointment/confirm/',
      {
        context: { message_id: uuid(), transaction_id: uuid() },
        message: {
          provider_id: 'facility',
          fulfillment_id: want.slot,
          patient: {
            name: `Care Patient ${patient}`,
            phone_number: `+91980000${String(patient).padStart(4, '0')}`,
          },
        },
      },
      { 'content-type': 'application/json' },
    )
    const told = status === 422 && body?.error === 'Slot is already full'
    return { status, text, won: status === 200, told }
  },
  OpenCare: async ({ server, patient, want }) => {
    const { status, body, text } = await server.post(
      '//api/v1/appointments/',
      {
        patient,
        provider: 1,
        facility: 1,
        appointment_type: 'General',
        start_time: want.from,
        end_time: want.to,
      },
      { 'content-type': 'application/json' },
    )
    const text400 = 'Provider already has an appointment in this window.'
    return { status, text, won: status === 201, told: status === 400 && body?.provider?.[0] === text400 }
  },
}

/** The door of UHI: signed messages, answered by signed callbacks. Held by init, booked by confirm. */
const byUhi = ({ peers, hspa, eua }: UhiNetwork): Door => {
  const send = async (server: Api, transaction: string, action: string, message: Tree): Promise<void> => {
    const body = JSON.stringify({
      context: {
        domain: 'nic2004:85111',
        country: 'IND',
        city: 'std:0484',
        action,
        core_version: '0.7.1',
        consumer_id: eua.id,
        consumer_uri: `${peers.url}/eua`,
        provider_id: hspa.id,
        transaction_id: transaction,
        message_id: `${action}-${transaction}`,
        timestamp: new Date().toISOString(),
      },
      message,
    })
    const answer = await fetch(`${server.root}/hspa/${action}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: header(eua, body, Math.floor(Date.now() / 1000)),
      },
      body,
    })
    expect(await answer.json()).toEqual({ message: { ack: { status: 'ACK' } }, error: {} })
  }
  const called = async (transaction: string, action: string): Promise<Tree> => {
    for (const until = performance.now() + 30_000; performance.now() < until; ) {
      const found = peers.received.find(
        ({ json }) => json.context.action === action && json.context.transaction_id === transaction,
      )
      if (found !== undefined) return found.json
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    throw new Error(`No ${action} came.`)
  }
  return async ({ server, patient, want }) => {
    const transaction = `race-${want.slot}-${patient}-${uuid()}`
    const order = {
      provider: { id: 'facility' },
      item: { id: 'consultation', descriptor: { name: 'Consultation' }, fulfillment_id: want.slot },
      fulfillment: { id: want.slot, type: 'Physical' },
      billing: { name: `App Patient ${patient}`, phone: `98100${String(patient).padStart(5, '0')}` },
      customer: { id: `app.${patient}@sbx` },
      payment: { type: 'ON-ORDER' },
    }
    await send(server, transaction, 'init', { order })
    const held = await called(transaction, 'on_init')
    const told = held.error?.code === 'UHI-1403'
    if (held.error?.code !== undefined) return { status: 200, text: JSON.stringify(held), won: false, told }
    const terms = held.message.order.terms.map((term: Tree) => ({ ...term, termsState: 'AGREED' }))
    await send(server, transaction, 'confirm', { order: { ...held.message.order, terms } })
    const confirmed = await called(transaction, 'on_confirm')
    const won = confirmed.message?.order?.state === 'CONFIRMED'
    return { status: 200, text: JSON.stringify(confirmed), won, told: false }
  }
}

const FACILITY = [
  { resourceType: 'Organization', id: 'facility', active: true, name: 'Clinic' },
  {
    resourceType: 'Location',
    id: 'place',
    identifier: [{ system: 'urn:nadi:opencare:facility', value: '1' }],
    name: 'Clinic',
    managingOrganization: { reference: 'Organization/facility' },
  },
  {
    resourceType: 'Practitioner',
    id: 'doctor',
    active: true,
    identifier: [{ system: 'urn:nadi:opencare:provider', value: '1' }],
    name: [{ given: ['Anjali'], family: 'Menon' }],
  },
  {
    resourceType: 'PractitionerRole',
    id: 'role',
    active: true,
    practitioner: { reference: 'Practitioner/doctor' },
    organization: { reference: 'Organization/facility' },
    location: [{ reference: 'Location/place' }],
    code: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/practitioner-role', code: 'doctor' }],
      },
    ],
  },
  {
    resourceType: 'Schedule',
    id: 'schedule',
    active: true,
    actor: [{ reference: 'Practitioner/doctor' }, { reference: 'PractitionerRole/role' }],
  },
]

/** What the servers of the suite are started with, beside the settings of a UHI network. */
const RACE_ENV = { NADI_CARE_UHI: 'on', NADI_OPENCARE: 'on' }

/** Returns all resources that a search finds. */
async function all(server: Api, query: string): Promise<Tree[]> {
  const { body } = await server.get(`${query}${query.includes('?') ? '&' : '?'}_count=1000`)
  return (body.entry ?? []).map((one: Tree) => one.resource)
}

export function raceSuite(
  start: (env: Record<string, string>) => Promise<{ bases: string[]; stop(): Promise<void> }>,
  /** ms within which who has lost must know it. */
  within: number,
): void {
  it(`${CLIENTS} clients by all doors want a slot of one and a slot of three: one and three win`, async () => {
    const network = await uhiNetwork()
    const servers = await start({ ...RACE_ENV, ...network.vars })
    try {
      const apis = servers.bases.map(api)
      const day = Math.ceil(Date.now() / 864e5) * 864e5 + 3 * 864e5
      const wanted = (slot: string, hour: number): Wanted => ({
        slot,
        from: iso(day + hour * 36e5),
        to: iso(day + hour * 36e5 + 12e5),
      })
      const wants = { one: wanted('one', 5), three: wanted('three', 6) }
      const slots = Object.values(wants).map(({ slot, from, to }) => ({
        resourceType: 'Slot',
        id: slot,
        schedule: { reference: 'Schedule/schedule' },
        status: 'free',
        start: from,
        end: to,
        ...(slot === 'three' && {
          extension: [{ url: 'urn:nadi:extension:slot-capacity', valuePositiveInt: 3 }],
        }),
      }))
      const patients = Array.from({ length: CLIENTS }, (_, n) => ({
        resourceType: 'Patient',
        id: `p${n}`,
        active: true,
        identifier: [{ system: 'urn:nadi:opencare:patient', value: String(n) }],
        name: [{ given: ['Patient'], family: `No ${n}` }],
      }))
      const entry = [...FACILITY, ...slots, ...patients].map(resource => ({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      }))
      const filled = await apis[0]!.post('', { resourceType: 'Bundle', type: 'transaction', entry })
      expect(filled.status, filled.text).toBe(200)

      const doors = Object.entries({ ...DOORS, UHI: byUhi(network) })
      const outcomes = await Promise.all(
        Array.from({ length: CLIENTS }, async (_, patient): Promise<Outcome & { slot: string }> => {
          // Each door meets each slot through each server.
          const [door, ask] = doors[(patient >> 2) % doors.length]!
          const want = patient % 2 === 0 ? wants.one : wants.three
          const server = apis[(patient >> 1) % apis.length]!
          const from = performance.now()
          const outcome = await ask({ server, patient, want })
          return { ...outcome, door, slot: want.slot, ms: performance.now() - from }
        }),
      )
      const losers = outcomes.filter(one => !one.won)
      expect(losers.filter(one => !one.told).map(one => [one.door, one.status, one.text])).toEqual([])
      const winners = (slot: string) => outcomes.filter(one => one.won && one.slot === slot)
      expect([winners('one').length, winners('three').length]).toEqual([1, 3])
      // Each one's answer, under the load of all the others.
      expect(Math.max(...losers.map(one => one.ms))).toBeLessThan(within)

      const judge = apis[1] ?? apis[0]!
      const appointments = await all(judge, 'Appointment?status=booked,pending,arrived')
      const faults = overlapFaults(appointments, await all(judge, 'Slot'), Date.now())
      expect(faults).toEqual([])
      expect(appointments.filter(one => one.status === 'booked')).toHaveLength(4)
      const states = (await all(judge, 'Slot')).map(one => `${one.id} ${one.status}`)
      expect(states.sort()).toEqual(['one busy', 'three busy'])
      expect(tokenFaults(await all(judge, 'Task'))).toEqual([])

      // One message for each person of a booking, and none for who has lost.
      const told = await all(judge, 'Communication')
      const booked = told.filter(one => one.category?.[0]?.coding?.[0]?.code === 'booked')
      const about = Map.groupBy(booked, one => one.about?.[0]?.reference as string)
      expect([...about.keys()].sort()).toEqual(
        appointments
          .filter(one => one.status === 'booked')
          .map(one => `Appointment/${one.id}`)
          .sort(),
      )
      for (const [of, messages] of about) {
        const recipients = messages.map(one => one.recipient[0].reference)
        expect([of, new Set(recipients).size]).toEqual([of, recipients.length])
      }
    } finally {
      await servers.stop()
      await network.peers.close()
    }
  }, 120_000)
}
