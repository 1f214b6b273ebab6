/** The appointment API of OpenCare: what its clients may expect, on any storage. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { Context, Principal } from '../../src/context.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import type { Log } from '../../src/lib/log.ts'
import { uuid7 } from '../../src/lib/uuid7.ts'
import { createRegistry } from '../../src/search/registry.ts'
import type { Storage } from '../../src/storage/port.ts'
import { testSettings } from '../settings.ts'
import { silent } from '../storage/silent-log.ts'
import type { Tree } from './client.ts'

/** Sat, 21 Nov 2026 05:11:00 GMT. */
const NOW = Date.UTC(2026, 10, 21, 5, 11)

interface Case {
  name: string
  /** An appointment that is there before: fields beside those of the one that is sent. */
  taken?: Record<string, string>
  /** What is done with it. */
  action?: string
  body?: Record<string, string>
  errors: Record<string, string[]>
}

const CASES = JSON.parse(
  readFileSync(new URL('../cases/opencare/refusals.json', import.meta.url), 'utf8'),
) as Case[]

/** Those that a store decides, one of each kind. */
const IN_STORE: ReadonlySet<string> = new Set([
  'a provider who has another appointment',
  'a patient who has another appointment',
  'a facility that has another appointment',
  'around another appointment',
  'the time of somebody who did not come',
  // Of its own tests; nothing is stored for them.
  'at least 5 minutes',
  'start in the past',
])

export interface Answered {
  status: number
  body: Tree
  headers: Headers
}

/** People and places of one test, as integer ids. */
type World = Record<
  | 'patient'
  | 'otherPatient'
  | 'inactivePatient'
  | 'provider'
  | 'otherProvider'
  | 'inactiveProvider'
  | 'pharmacist'
  | 'facility'
  | 'otherFacility',
  number
>

const ROLE = 'http://terminology.hl7.org/CodeSystem/practitioner-role'

/** Declares the suite; `open` gives a new store. With `brief` what no storage can change is left out. */
export function openCareSuite(
  open: (clock: () => number, log: Log) => Promise<Storage>,
  { brief = false } = {},
): void {
  let now = NOW
  let ctx: Context
  /** Three servers on one store: what one process keeps in its memory, the others do not know. */
  let apps: ReturnType<typeof createApp>[]
  let asked = 0
  let worlds = 0
  let first: World | undefined
  /** How many want the same at once. */
  const crowd = brief ? 8 : 50
  const whole: (name: string, test: () => void | Promise<void>) => void = brief ? () => {} : it

  beforeAll(async () => {
    const settings = testSettings({ openCare: { enabled: true }, limits: { searchMs: 20_000 } })
    const clock = () => now
    ctx = {
      storage: await open(clock, silent),
      settings,
      registry: createRegistry(),
      principal: { id: 'system' },
      clock,
      tick: () => performance.now(),
      newId: uuid7(Date.now, bytes => crypto.getRandomValues(bytes)),
      log: silent,
      version: '0.0.0',
    }
    apps = [0, 1, 2].map(() =>
      createApp({
        ctx: { ...ctx, storage: { ...ctx.storage } },
        metrics: createMetrics('0.0.0'),
        urlLimit: 8192,
        principalOf: request => {
          const role = request.headers.get('x-role') ?? 'admin'
          if (role === 'nobody') return undefined
          const grants = { read: new Set(['Appointment', 'Location']), write: new Set<string>() }
          if (role === 'limited') return { id: role, role: 'provider', grants }
          return { id: role, role: role as NonNullable<Principal['role']> }
        },
      }),
    )
  }, 60_000)
  afterAll(() => ctx.storage.close())

  async function ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answered> {
    const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await apps[asked++ % apps.length]!.request(`http://127.0.0.1:8080${path}`, {
      method,
      headers: { host: '127.0.0.1:8080', 'content-type': 'application/json', ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  const api = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    ask(method, `/api/v1/appointments/${path}`, body, headers)
  const fhir = (method: string, path: string, body?: Tree) =>
    ask(method, `/fhir/${path}`, body, {
      'content-type': 'application/fhir+json',
      prefer: 'return=representation',
    })

  /** Integer ids of people and places by their keys: they come with them, as with data of another server. */
  const ids = new Map<string, number>()
  const KIND: Readonly<Record<string, string>> = {
    Patient: 'patient',
    Practitioner: 'provider',
    Location: 'facility',
  }
  function withId(resource: Tree): Tree {
    const { resourceType, id, identifier = [] } = resource
    const url = `${resourceType}/${id}`
    const request = { method: 'PUT', url }
    const kind = KIND[resourceType]
    if (kind === undefined) return { resource, request }
    ids.set(url, ids.size + 1)
    const own = { system: `urn:nadi:opencare:${kind}`, value: String(ids.size) }
    return { resource: { ...resource, identifier: [...identifier, own] }, request }
  }

  async function world(): Promise<World> {
    const n = ++worlds
    const put = (resource: Tree): Tree => withId({ ...resource, id: `w${n}-${resource.id}` })
    const person = (resourceType: string, id: string, family: string, more: Tree = {}) =>
      put({ resourceType, id, name: [{ family, given: [`Given${n}`] }], ...more })
    const role = (practitioner: string, code: string) =>
      put({
        resourceType: 'PractitionerRole',
        id: practitioner,
        practitioner: { reference: `Practitioner/w${n}-${practitioner}` },
        code: [{ coding: [{ system: ROLE, code }] }],
      })
    const place = (id: string) => put({ resourceType: 'Location', id, name: `Clinic ${n} ${id}` })
    const entry: Tree[] = [
      person('Patient', 'patient', `Nair${n}`, {
        identifier: [{ system: 'https://thanal.example.org/mrn', value: `PAT-A${n}` }],
      }),
      person('Patient', 'otherPatient', `Joseph${n}`),
      person('Practitioner', 'provider', `Menon${n}`),
      person('Practitioner', 'otherProvider', `Kurian${n}`),
      role('provider', 'doctor'),
      place('facility'),
      place('otherFacility'),
    ]
    // They are the same in every world.
    if (n === 1)
      entry.push(
        person('Patient', 'inactivePatient', 'Gone', { active: false }),
        person('Practitioner', 'inactiveProvider', 'Gone', { active: false }),
        person('Practitioner', 'pharmacist', 'Shenoy'),
        role('pharmacist', 'pharmacist'),
      )
    const made = await fhir('POST', '', { resourceType: 'Bundle', type: 'transaction', entry })
    expect(made.status, JSON.stringify(made.body)).toBe(200)
    const own = Object.fromEntries(
      entry
        .filter(one => one.resource.resourceType !== 'PractitionerRole')
        .map(one => [one.resource.id.replace(/^w\d+-/, ''), ids.get(one.request.url)]),
    )
    first ??= own as World
    return { ...first, ...own }
  }

  const fields = (of: World, more: Tree = {}): Tree => ({
    patient: of.patient,
    provider: of.provider,
    facility: of.facility,
    appointment_type: 'consultation',
    reason: 'Review of blood sugar',
    start_time: '2026-11-30T09:00:00Z',
    end_time: '2026-11-30T09:30:00Z',
    ...more,
  })
  /** Names of the world in the place of ids; `absent` leaves out. */
  const named = (of: World, values: Record<string, string>): Tree =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        value === 'absent' ? undefined : value in of ? of[value as keyof World] : value,
      ]),
    )
  async function booked(of: World, more: Tree = {}): Promise<Tree> {
    const made = await api('POST', '', fields(of, more))
    expect(made.status, JSON.stringify(made.body)).toBe(201)
    return made.body
  }

  describe('the behaviours of its own tests', () => {
    it('creates an appointment that is scheduled, and answers its details', async () => {
      const of = await world()
      const made = await booked(of)
      expect(made).toEqual({
        id: expect.any(Number),
        patient: of.patient,
        patient_name: `Given${worlds} Nair${worlds}`,
        provider: of.provider,
        provider_name: `Given${worlds} Menon${worlds}`,
        facility: of.facility,
        facility_name: `Clinic ${worlds} facility`,
        appointment_type: 'consultation',
        reason: 'Review of blood sugar',
        status: 'scheduled',
        start_time: '2026-11-30T09:00:00Z',
        end_time: '2026-11-30T09:30:00Z',
        created_at: '2026-11-21T05:11:00Z',
        updated_at: expect.stringMatching(/^2026-11-21T05:11:.*Z$/),
      })
      const { body } = await fhir('GET', `Appointment?identifier=urn:nadi:opencare:appointment|${made.id}`)
      expect(body.entry).toHaveLength(1)
      expect(body.entry[0].resource.status).toBe('booked')
    })
    it('lists it', async () => {
      const of = await world()
      const { id } = await booked(of)
      const { status, body } = await api('GET', `?patient=${of.patient}`)
      expect(status).toBe(200)
      expect([body.count, body.next, body.previous, body.results.map((one: Tree) => one.id)]).toEqual([
        1,
        null,
        null,
        [id],
      ])
    })
    it('retrieves it with what was told of it', async () => {
      const made = await booked(await world())
      const { status, body } = await api('GET', `${made.id}/`)
      expect([status, body]).toEqual([200, { ...made, notifications_sent: [] }])
    })
    it('changes its reason', async () => {
      const { id } = await booked(await world())
      const { status, body } = await api('PATCH', `${id}/`, { reason: 'Fever' })
      expect([status, body.id, body.reason]).toEqual([200, id, 'Fever'])
      expect((await api('GET', `${id}/`)).body.reason).toBe('Fever')
    })
    it('deletes it', async () => {
      const { id } = await booked(await world())
      const gone = await api('DELETE', `${id}/`)
      expect([gone.status, gone.body]).toEqual([204, undefined])
      expect((await api('GET', `${id}/`)).status).toBe(404)
    })
    it.each(brief ? CASES.filter(({ name }) => IN_STORE.has(name)) : CASES)(
      'refuses $name',
      async ({ taken, action, body = {}, errors }) => {
        const of = await world()
        if (taken !== undefined) {
          const { id } = await booked(of, named(of, taken))
          if (action !== undefined) expect((await api('POST', `${id}/${action}/`)).status).toBe(200)
        }
        const before = (await fhir('GET', 'Appointment?_summary=count')).body.total
        const { status, body: told } = await api('POST', '', fields(of, named(of, body)))
        expect([status, told]).toEqual([
          400,
          { code: 'invalid', message: 'Request validation failed.', errors, ...errors },
        ])
        expect((await fhir('GET', 'Appointment?_summary=count')).body.total).toBe(before)
      },
    )
    it('lists only what is to come as upcoming', async () => {
      const of = await world()
      await booked(of, { start_time: '2026-11-21T05:20:00Z', end_time: '2026-11-21T05:40:00Z' })
      const { id } = await booked(of)
      now = Date.UTC(2026, 10, 21, 6)
      const { body } = await api('GET', `upcoming/?patient=${of.patient}`)
      now = NOW
      expect(body.results.map((one: Tree) => one.id)).toEqual([id])
    })
    it.each(['provider', 'patient'] as const)('lists those of a %s', async kind => {
      const of = await world()
      const { id } = await booked(of)
      const { status, body } = await api('GET', `by-${kind}/${of[kind]}/`)
      expect([status, body.count, body.results[0].id]).toEqual([200, 1, id])
    })
    it.each([
      ['cancel', 'cancelled', 'Appointment is already cancelled.'],
      ['complete', 'completed', 'Appointment is already completed.'],
      ['mark-no-show', 'no_show', 'Appointment is already marked as no-show.'],
    ])('%s makes it %s, once', async (action, status, repeated) => {
      const made = await booked(await world())
      const first = await api('POST', `${made.id}/${action}/`)
      expect([first.status, first.body]).toEqual([200, { ...made, status, updated_at: expect.any(String) }])
      const again = await api('POST', `${made.id}/${action}/`)
      expect([again.status, again.body]).toEqual([400, { error: repeated }])
      expect((await api('GET', `${made.id}/`)).body.status).toBe(status)
    })
    it('finds conflicts of the provider, the patient and the facility', async () => {
      const of = await world()
      const made = await booked(of)
      expect((await api('POST', `${made.id}/check-conflicts/`)).body).toEqual({
        has_conflicts: false,
        conflicts: {},
      })
      // A facility is no room: through the other doors it takes many.
      const beside = await fhir('POST', 'Appointment', {
        resourceType: 'Appointment',
        status: 'booked',
        start: '2026-11-30T14:45:00+05:30',
        end: '2026-11-30T15:15:00+05:30',
        participant: [
          { actor: { reference: `Patient/w${worlds}-otherPatient` }, status: 'accepted' },
          { actor: { reference: `Practitioner/w${worlds}-otherProvider` }, status: 'accepted' },
          { actor: { reference: `Location/w${worlds}-facility` }, status: 'accepted' },
        ],
      })
      expect(beside.status, JSON.stringify(beside.body)).toBe(201)
      const { status, body } = await api('POST', `${made.id}/check-conflicts/`)
      expect([status, body]).toEqual([
        200,
        {
          has_conflicts: true,
          conflicts: {
            facility: [
              {
                id: expect.any(Number),
                start_time: '2026-11-30T09:15:00Z',
                end_time: '2026-11-30T09:45:00Z',
                patient__first_name: `Given${worlds}`,
                provider__first_name: `Given${worlds}`,
              },
            ],
          },
        },
      ])
    })
    it('serves an administrator and a provider, refuses a patient, and asks who is there', async () => {
      const as = (role: string) => api('GET', '', undefined, { 'x-role': role })
      expect([(await as('admin')).status, (await as('provider')).status]).toEqual([200, 200])
      const patient = await as('patient')
      expect([patient.status, patient.body]).toEqual([
        403,
        { code: 'permission_denied', message: 'You do not have permission to perform this action.' },
      ])
      const nobody = await as('nobody')
      expect([nobody.status, nobody.body]).toEqual([
        401,
        { code: 'not_authenticated', message: 'Authentication credentials were not provided.' },
      ])
      const of = await world()
      for (const role of ['patient', 'limited', 'nobody'])
        expect((await api('POST', '', fields(of), { 'x-role': role })).status).toBe(
          role === 'nobody' ? 401 : 403,
        )
      expect((await api('GET', `?patient=${of.patient}`)).body.count).toBe(0)
    })
  })

  describe('beyond them', () => {
    whole(
      'books what touches another appointment, and what lies beside a cancelled or completed one',
      async () => {
        const of = await world()
        await booked(of)
        await booked(of, { start_time: '2026-11-30T09:30:00Z', end_time: '2026-11-30T10:00:00Z' })
        const later = { start_time: '2026-11-30T12:00:00Z', end_time: '2026-11-30T12:30:00Z' }
        for (const action of ['cancel', 'complete']) {
          const { id } = await booked(of, later)
          await api('POST', `${id}/${action}/`)
        }
        await booked(of, later)
      },
    )
    whole('keeps the time of who did not come from this door alone', async () => {
      const of = await world()
      const { id } = await booked(of)
      await api('POST', `${id}/mark-no-show/`)
      const beside = await fhir('POST', 'Appointment', {
        resourceType: 'Appointment',
        status: 'booked',
        start: '2026-11-30T09:00:00Z',
        end: '2026-11-30T09:30:00Z',
        participant: ['Patient', 'Practitioner', 'Location'].map((type, i) => ({
          actor: { reference: `${type}/w${worlds}-${['patient', 'provider', 'facility'][i]}` },
          status: 'accepted',
        })),
      })
      expect(beside.status, JSON.stringify(beside.body)).toBe(201)
    })
    whole('moves an appointment over its own time, not over that of another', async () => {
      const of = await world()
      const { id } = await booked(of)
      await booked(of, { start_time: '2026-11-30T10:00:00Z', end_time: '2026-11-30T10:30:00Z' })
      const own = { start_time: '2026-11-30T09:10:00Z', end_time: '2026-11-30T09:40:00Z' }
      const moved = await api('PUT', `${id}/`, fields(of, own))
      expect([moved.status, moved.body.start_time]).toEqual([200, '2026-11-30T09:10:00Z'])
      const over = await api('PATCH', `${id}/`, { end_time: '2026-11-30T10:10:00Z' })
      expect([over.status, Object.keys(over.body.errors)]).toEqual([400, ['provider', 'patient', 'facility']])
      expect((await api('GET', `${id}/`)).body.end_time).toBe('2026-11-30T09:40:00Z')
    })
    whole('refuses to change what is past', async () => {
      const { id } = await booked(await world(), {
        start_time: '2026-11-21T05:20:00Z',
        end_time: '2026-11-21T05:40:00Z',
      })
      now = Date.UTC(2026, 10, 21, 6)
      const { status, body } = await api('PATCH', `${id}/`, { reason: 'Fever' })
      const done = await api('POST', `${id}/complete/`)
      now = NOW
      expect([status, body.start_time]).toEqual([400, ['Cannot schedule appointments in the past.']])
      expect([done.status, done.body.status]).toEqual([200, 'completed'])
    })
    whole('names the present state where another does not follow from it', async () => {
      const { id } = await booked(await world())
      await api('POST', `${id}/cancel/`)
      const acted = await api('POST', `${id}/complete/`)
      expect([acted.status, acted.body]).toEqual([
        400,
        { error: 'Appointment is cancelled: only a scheduled one can become completed.' },
      ])
      const patched = await api('PATCH', `${id}/`, { status: 'scheduled' })
      expect([patched.status, patched.body]).toEqual([
        400,
        { error: 'Appointment is cancelled: only a scheduled one can become scheduled.' },
      ])
    })
    whole('reads any offset, and times without one in UTC', async () => {
      const of = await world()
      const made = await booked(of, { start_time: '2026-11-30T14:30:00+05:30', end_time: '2026-11-30T09:30' })
      expect([made.start_time, made.end_time]).toEqual(['2026-11-30T09:00:00Z', '2026-11-30T09:30:00Z'])
    })
    it('filters, searches, orders and pages', async () => {
      const of = await world()
      const n = worlds
      const at = (i: number) => String(22 - i).padStart(2, '0')
      const made = Array.from({ length: 21 }, (_, i) => 5000 + i)
      const entry = Array.from({ length: 21 }, (_, i) => ({
        resource: {
          resourceType: 'Appointment',
          id: `w${n}-${i}`,
          identifier: [{ system: 'urn:nadi:opencare:appointment', value: String(made[i]) }],
          status: 'booked',
          appointmentType: { text: i === 4 ? 'vaccination' : 'consultation' },
          start: `2026-12-01T${at(i)}:00:00Z`,
          end: `2026-12-01T${at(i)}:30:00Z`,
          participant: [
            'Patient/w0-patient',
            'Practitioner/w0-provider',
            `Location/w0-${i === 4 ? 'otherF' : 'f'}acility`,
          ].map(reference => ({
            actor: { reference: reference.replace('w0', `w${n}`) },
            status: 'accepted',
          })),
        },
        request: { method: 'PUT', url: `Appointment/w${n}-${i}` },
      }))
      expect((await fhir('POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(
        200,
      )
      await api('POST', `${made[7]}/cancel/`)
      await booked(of, { patient: of.otherPatient, provider: of.otherProvider, facility: of.otherFacility })
      const ids = async (query: string) => {
        const { status, body } = await api('GET', query)
        expect(status, JSON.stringify(body)).toBe(200)
        return body.results.map((one: Tree) => one.id)
      }
      const mine = `provider=${of.provider}`
      expect(await ids(`?${mine}&status=cancelled`)).toEqual([made[7]])
      expect(await ids(`?${mine}&appointment_type=vaccination`)).toEqual([made[4]])
      expect(await ids(`?${mine}&appointment_type=vacc`)).toEqual([])
      expect(await ids(`?patient=${of.patient}&facility=${of.otherFacility}`)).toEqual([made[4]])
      expect(await ids(`?patient=999999`)).toEqual([])
      expect(await ids(`?search=enon${n}&status=cancelled`)).toEqual([made[7]])
      expect(await ids(`?search=NAIR${n}%20vaccin`)).toEqual([])
      expect(await ids(`?search=pat-a${n}&appointment_type=vaccination`)).toEqual([made[4]])
      expect((await ids(`?search=Joseph${n}`)).length).toBe(1)
      expect(await ids(`?${mine}`)).toEqual([...made].reverse().slice(0, 20))
      expect(await ids(`?${mine}&ordering=-start_time`)).toEqual(made.slice(0, 20))
      const page = await api('GET', `?${mine}&page=2`)
      expect(page.body).toMatchObject({
        count: 21,
        next: null,
        previous: `http://127.0.0.1:8080/api/v1/appointments/?provider=${of.provider}`,
        results: [{ id: made[0] }],
      })
      expect((await api('GET', `?${mine}`)).body.next).toBe(
        `http://127.0.0.1:8080/api/v1/appointments/?provider=${of.provider}&page=2`,
      )
      const beyond = await api('GET', `?${mine}&page=3`)
      expect([beyond.status, beyond.body]).toEqual([
        404,
        { code: 'error', message: 'The requested resource could not be found.' },
      ])
    })
    whole('orders by when they were made', async () => {
      const of = await world()
      const made: number[] = []
      for (const hour of ['12', '10', '11']) {
        now += 60_000
        made.push(
          (
            await booked(of, {
              start_time: `2026-11-30T${hour}:00:00Z`,
              end_time: `2026-11-30T${hour}:30:00Z`,
            })
          ).id,
        )
      }
      now = NOW
      const order = async (by: string) =>
        (await api('GET', `?patient=${of.patient}&ordering=${by}`)).body.results.map((one: Tree) => one.id)
      expect(await order('created_at')).toEqual(made)
      expect(await order('-created_at')).toEqual([...made].reverse())
    })
    whole(
      'takes the slot of its provider that has just its time, and leaves it when it is moved',
      async () => {
        const of = await world()
        const schedule = { reference: `Schedule/w${worlds}` }
        const practitioner = { reference: `PractitionerRole/w${worlds}-provider` }
        await fhir('PUT', schedule.reference, {
          resourceType: 'Schedule',
          id: `w${worlds}`,
          actor: [practitioner],
        })
        const slot = (id: string, start: string, end: string) =>
          fhir('PUT', `Slot/w${worlds}-${id}`, {
            resourceType: 'Slot',
            id: `w${worlds}-${id}`,
            status: 'free',
            schedule,
            start,
            end,
          })
        const { start_time: start, end_time: end } = fields(of)
        await slot('first', start, end)
        await slot('wider', '2026-12-01T10:00:00Z', '2026-12-01T11:00:00Z')
        const status = async (id: string) => (await fhir('GET', `Slot/w${worlds}-${id}`)).body.status
        const made = await api('POST', '', fields(of))
        expect([made.status, await status('first')]).toEqual([201, 'busy'])
        const moved = { start_time: '2026-12-01T10:00:00Z', end_time: '2026-12-01T10:20:00Z' }
        expect((await api('PATCH', `${made.body.id}/`, moved)).status).toBe(200)
        // It lies within the wider slot and is not that slot, whose time it takes all the same.
        expect([await status('first'), await status('wider')]).toEqual(['free', 'busy'])
      },
    )

    it('shows appointments of other doors, each with an id that stays', async () => {
      const of = await world()
      const appointment = (start: string, status: string) => ({
        resourceType: 'Appointment',
        status,
        start: `2026-11-30T${start}:00Z`,
        end: `2026-11-30T${start.slice(0, 3)}40:00Z`,
        participant: [
          { actor: { reference: `Patient/w${worlds}-patient` }, status: 'accepted' },
          { actor: { reference: `PractitionerRole/w${worlds}-provider` }, status: 'accepted' },
        ],
      })
      const [made, entered] = [
        await fhir('POST', 'Appointment', appointment('09:00', 'booked')),
        await fhir('POST', 'Appointment', appointment('11:00', 'entered-in-error')),
      ]
      expect([made.status, entered.status]).toEqual([201, 201])
      const ids: Tree[] = []
      for (const query of [`?patient=${of.patient}`, `?provider=${of.provider}`, `?search=Menon${worlds}`]) {
        const { body } = await api('GET', query)
        expect(body.count).toBe(1)
        ids.push(body.results[0])
      }
      expect(new Set(ids.map(one => one.id)).size).toBe(1)
      expect(ids[0]).toMatchObject({
        provider: of.provider,
        facility: null,
        facility_name: '',
        status: 'scheduled',
        created_at: expect.stringMatching(/^2026-11-21T0[56]:.*Z$/),
      })
      const refused = await api('POST', '', fields(of, { patient: of.otherPatient }))
      expect([refused.status, Object.keys(refused.body.errors)]).toEqual([400, ['provider']])
    })
    it(`lets one of ${crowd} win that want the same facility at the same time`, {
      timeout: 60_000,
    }, async () => {
      const of = await world()
      const people = await everybody()
      const answers = await Promise.all(
        people.map(({ patient, provider }) => api('POST', '', fields(of, { patient, provider }))),
      )
      expect(answers.filter(one => one.status === 201)).toHaveLength(1)
      for (const { status, body } of answers)
        if (status !== 201) expect([status, Object.keys(body.errors)]).toEqual([400, ['facility']])
      expect((await api('GET', `?facility=${of.facility}`)).body.count).toBe(1)
    })
    it(`gives ${crowd} that are made at once ${crowd} ids without a gap`, { timeout: 60_000 }, async () => {
      const before = (await booked(await world())).id
      const later = { start_time: '2026-12-02T09:00:00Z', end_time: '2026-12-02T09:30:00Z' }
      const people = await everybody()
      const answers = await Promise.all(
        people.map(({ patient, provider, facility }) =>
          api('POST', '', fields(first!, { patient, provider, facility, ...later })),
        ),
      )
      expect(answers.map(one => one.status)).toEqual(people.map(() => 201))
      const ids = answers.map(one => one.body.id as number).sort((a, b) => a - b)
      expect(ids).toEqual(people.map((_, i) => before + 1 + i))
    })
    it(`gives one that ${crowd} look at for the first time one id`, async () => {
      const of = await world()
      await fhir('POST', 'Appointment', {
        resourceType: 'Appointment',
        status: 'booked',
        start: '2026-11-30T09:00:00Z',
        end: '2026-11-30T09:30:00Z',
        participant: [{ actor: { reference: `Patient/w${worlds}-patient` }, status: 'accepted' }],
      })
      const seen = await Promise.all(
        Array.from({ length: crowd }, () => api('GET', `by-patient/${of.patient}/`)),
      )
      expect(new Set(seen.map(one => JSON.stringify([one.status, one.body.results[0]?.id]))).size).toBe(1)
      const { body } = await fhir('GET', `Appointment?patient=w${worlds}-patient`)
      expect(body.entry[0].resource.identifier).toHaveLength(1)
    })
    whole('passes over ids that came with other data', async () => {
      const { id } = await booked(await world())
      await fhir('PUT', `Appointment/foreign-${id}`, {
        resourceType: 'Appointment',
        id: `foreign-${id}`,
        identifier: [{ system: 'urn:nadi:opencare:appointment', value: String(id + 1) }],
        status: 'cancelled',
        participant: [{ status: 'accepted', type: [{ text: 'nobody' }] }],
      })
      expect((await booked(await world())).id).toBe(id + 2)
    })

    interface Person {
      patient: number
      provider: number
      facility: number
    }
    let people: Promise<Person[]> | undefined
    const everybody = (): Promise<Person[]> => {
      people ??= many(crowd)
      return people
    }
    async function many(count: number): Promise<Person[]> {
      const n = ++worlds
      const put = (resourceType: string, i: number, more: Tree) =>
        withId({ resourceType, id: `m${n}-${i}`, ...more })
      const name = [{ family: 'Das', given: ['Asha'] }]
      const entry = Array.from({ length: count }, (_, i) => [
        put('Patient', i, { name }),
        put('Practitioner', i, { name }),
        put('Location', i, { name: `Room ${i}` }),
      ]).flat()
      for (let at = 0; at < entry.length; at += 90)
        await fhir('POST', '', {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: entry.slice(at, at + 90),
        })
      return Array.from({ length: count }, (_, i) => ({
        patient: ids.get(`Patient/m${n}-${i}`)!,
        provider: ids.get(`Practitioner/m${n}-${i}`)!,
        facility: ids.get(`Location/m${n}-${i}`)!,
      }))
    }
  })

  const group: typeof whole = brief ? () => {} : describe
  group('what is hostile', () => {
    it.each([
      ['GET', 'abc/'],
      ['GET', '0/'],
      ['GET', '-1/'],
      ['GET', '99999999999999999999/'],
      ['GET', '1.5/'],
      ['GET', '999999/'],
      ['PATCH', 'abc/'],
      ['DELETE', '999999/'],
      ['POST', '999999/cancel/'],
      ['POST', 'abc/check-conflicts/'],
      ['GET', 'by-provider/abc/'],
      ['GET', 'by-patient/1%20or%201/'],
      ['GET', '?page=0'],
      ['GET', '?page=-1'],
      ['GET', '?page=99999999999999999999'],
      ['GET', '?page=999999999'],
      ['GET', '?page=x'],
      ['GET', '1/nothing/'],
    ])('%s %s is not found', async (method, path) => {
      const { status, body } = await api(method, path, method === 'GET' ? undefined : {})
      expect([status, body]).toEqual([
        404,
        { code: 'error', message: 'The requested resource could not be found.' },
      ])
    })
    it.each([
      ['no JSON', '{', 400],
      ['nothing', '', 400],
      ['a list', '[]', 400],
      ['null', 'null', 400],
      ['a number', '1', 400],
      ['depth', '['.repeat(50_000), 400],
      ['a prototype', '{"__proto__":{"patient":1},"constructor":1}', 400],
      [
        'wrong types',
        '{"patient":true,"provider":{},"facility":[],"start_time":1,"end_time":null,"status":7}',
        400,
      ],
      [
        'huge numbers',
        '{"patient":1e300,"provider":12345678901234567890,"facility":-1,"start_time":"x"}',
        400,
      ],
      ['a lone surrogate', '{"reason":"\\ud800","appointment_type":"\\u0000"}', 400],
      [
        'the 31st of February',
        '{"start_time":"2027-02-31T10:00:00Z","end_time":"9999-12-31T23:59:59-14:00"}',
        400,
      ],
      ['megabytes', `{"reason":"${'a'.repeat(200_000)}"}`, 413],
    ])('a body of %s is refused', async (_, text, status) => {
      const answer = await api('POST', '', text, { 'content-length': String(text.length) })
      expect(answer.status).toBe(status)
      expect(answer.body.code).toMatch(/^(invalid|parse_error|error)$/)
    })
    it.each([
      '?search=%00%00',
      '?search=a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a',
      '?search=%25_%25_%25_%25_%25_%25_%25_%25_%25_%25_%25_%25_%25_%25_',
      '?search=%5C,%7C$',
      '?patient=1%20or%201=1&provider=x&facility=[]&status=%27&appointment_type=%27%22%00',
      '?ordering=__proto__,-constructor,;drop',
      '?patient=&provider=&facility=&status=&appointment_type=&search=&ordering=&page=1',
    ])('the query %s finds what it finds', async query => {
      expect((await api('GET', query)).status).toBe(200)
    })
    it('answers a method that there is not, and one media type of its own', async () => {
      const answer = await api('PUT', '', {})
      expect([answer.status, answer.body, answer.headers.get('allow')]).toEqual([
        405,
        { code: 'method_not_allowed', message: 'Method "PUT" not allowed.' },
        'GET, POST, OPTIONS',
      ])
      expect((await api('POST', '', '<a/>', { 'content-type': 'text/xml' })).status).toBe(415)
      expect((await api('GET', '')).headers.get('content-type')).toBe('application/json; charset=utf-8')
    })
    it('says nothing of a fault of the server', async () => {
      const storage = { ...ctx.storage, search: () => Promise.reject(new Error('secret')) }
      const broken = createApp({ ctx: { ...ctx, storage }, metrics: createMetrics('0.0.0'), urlLimit: 8192 })
      const answer = await broken.request('http://127.0.0.1:8080/api/v1/appointments/', {
        headers: { host: '127.0.0.1:8080' },
      })
      const [status, body] = [answer.status, await answer.json()]
      expect([status, body]).toEqual([
        500,
        { code: 'server_error', message: 'An unexpected error occurred. Please try again later.' },
      ])
    })
  })
}
