/** Who is told of an appointment of OpenCare: by mail and SMS, in the commit of what happens, and shown when it has arrived. */
import { beforeEach, expect, it } from 'vitest'
import { underRules } from '../../../src/app.ts'
import type { Context } from '../../../src/context.ts'
import { act, book, change, detail, erase, shownAll } from '../../../src/facades/opencare/appointments.ts'
import { numbered, withNumbers } from '../../../src/facades/opencare/numbers.ts'
import { create } from '../../../src/interactions/create.ts'
import { update } from '../../../src/interactions/update.ts'
import type { Channel, Delivery } from '../../../src/notifications/channel.ts'
import { createDeliver } from '../../../src/notifications/deliver.ts'
import { dispatch } from '../../../src/notifications/dispatch.ts'
import { MESSAGE_JOB } from '../../../src/notifications/message.ts'
import type { Key, Live } from '../../../src/storage/port.ts'
import { resource, type TestContext, testContext } from '../../interactions/context.ts'
import type { SomeSettings } from '../../settings.ts'

let ctx: Context
let base: TestContext
let received: (Delivery & { by: string })[]
let channels: Channel[]

const START = { start_time: '2026-11-30T10:08:00Z', end_time: '2026-11-30T10:38:00Z' }
const PEOPLE = { patient: 1, provider: 1, facility: 1 }

async function open(settings: SomeSettings = {}): Promise<void> {
  received = []
  const channel = (name: string, reaches: 'email' | 'phone'): Channel => ({
    name,
    reaches,
    send: async delivery => {
      if (delivery.to === '+919000000002') return { is: 'refused', reason: 'There is no such number.' }
      received.push({ ...delivery, by: name })
      return { is: 'accepted' }
    },
  })
  channels = [channel('email', 'email'), channel('sms', 'phone')]
  base = await testContext(settings)
  ctx = underRules(base, channels)
  const telecom = (n: number) =>
    `"telecom":[{"system":"email","value":"p${n}@example.org"},{"system":"phone","value":"+91900000000${n}"}]`
  await update(
    ctx,
    'Organization',
    'one',
    resource('{"resourceType":"Organization","id":"one","name":"Thanal Clinics"}'),
  )
  const rows: Live[] = []
  for (const [type, text] of [
    ['Patient', `"name":[{"given":["Meera"],"family":"Nair"}],${telecom(1)}`],
    ['Practitioner', `"name":[{"given":["Anjali"],"family":"Menon"}],${telecom(2)}`],
    ['Location', '"name":"Thanal, Tripunithura","managingOrganization":{"reference":"Organization/one"}'],
  ] as const)
    rows.push(
      (await update(ctx, type, 'one', resource(`{"resourceType":"${type}","id":"one",${text}}`)))
        .stored as Live,
    )
  await withNumbers(ctx, rows)
}
beforeEach(() => open())

async function deliver(): Promise<void> {
  const handlers = { [MESSAGE_JOB]: createDeliver(channels, { random: () => 0 }) }
  for (;;) {
    const { taken } = await dispatch(ctx, handlers, { owner: 'test', leaseMs: 60_000, parallel: 16 })
    if (taken === 0) return
  }
}

it('tells patient and provider of what was made and cancelled, and lists what has arrived alone', async () => {
  const { id } = await book(ctx, { ...PEOPLE, ...START })
  expect((await detail(ctx, String(id))).notifications_sent).toEqual([])
  await deliver()
  const sent_at = expect.stringMatching(/^2026-11-21T05:11:.*Z$/)
  const created = [
    { type: 'created', recipient: 'patient', method: 'email', sent_at },
    { type: 'created', recipient: 'patient', method: 'sms', sent_at },
    { type: 'created', recipient: 'provider', method: 'email', sent_at },
  ]
  const sorted = async () =>
    (
      (await detail(ctx, String(id))).notifications_sent as {
        type: string
        recipient: string
        method: string
      }[]
    ).toSorted((a, b) =>
      `${a.type}${a.recipient}${a.method}` < `${b.type}${b.recipient}${b.method}` ? -1 : 1,
    )
  expect(await sorted()).toEqual(created)
  await act(ctx, String(id), 'cancelled')
  await deliver()
  expect(await sorted()).toEqual([...created.map(one => ({ ...one, type: 'cancelled' })), ...created])
  expect(received.filter(one => one.by === 'email').map(one => one.subject.split(' - ')[0])).toEqual([
    'Appointment Scheduled',
    'Appointment Scheduled',
    'Appointment Cancelled',
    'Appointment Cancelled',
  ])
})

it.each(['off', 'enforce'] as const)(
  'tells that it is cancelled where it is deleted, references %s',
  async references => {
    await open({ references })
    const { id } = await book(ctx, { ...PEOPLE, ...START })
    await deliver()
    received = []
    await erase(ctx, String(id))
    await deliver()
    expect(received.map(one => [one.event, one.to]).sort()).toEqual([
      ['cancelled', '+919000000001'],
      ['cancelled', 'p1@example.org'],
      ['cancelled', 'p2@example.org'],
    ])
    await expect(detail(ctx, String(id))).rejects.toMatchObject({ status: 404 })
  },
)

it('tells nobody where the deletion itself is not stored', async () => {
  const { id } = await book(ctx, { ...PEOPLE, ...START })
  await deliver()
  received = []
  const { storage } = base
  const broken = { ...ctx, storage: { ...storage, commit: () => Promise.reject(new Error('no disk')) } }
  await expect(erase(broken, String(id))).rejects.toThrow('no disk')
  await deliver()
  expect(received).toEqual([])
  expect((await detail(ctx, String(id))).status).toBe('scheduled')
})

it('has its own words for its own appointments, not for those that it only shows', async () => {
  const made = await create(
    ctx,
    'Appointment',
    resource(`{"resourceType":"Appointment","status":"booked","start":"2026-11-30T10:08:00Z","end":"2026-11-30T10:38:00Z",
      "participant":[{"actor":{"reference":"Patient/one"},"status":"accepted"}]}`),
  )
  const [row] = await shownAll(ctx, [made.stored as Live])
  await deliver()
  received = []
  await act(ctx, String(row!.id), 'cancelled')
  await deliver()
  expect(received.length).toBeGreaterThan(0)
  for (const one of received) expect(one.subject).not.toMatch(/^Appointment Cancelled - /)
  const key = (await numbered(ctx, 'appointment', Number(row!.id)))?.key as Key
  expect(key).toBe(made.stored.key)
})

it('writes what its clients read: the facility by the name that the API shows', async () => {
  const { id, facility_name } = await book(ctx, { ...PEOPLE, ...START, reason: 'Fever' })
  expect(facility_name).toBe('Thanal, Tripunithura')
  await deliver()
  await change(ctx, String(id), { start_time: '2026-11-30T10:00:00Z' }, true)
  await deliver()
  await act(ctx, String(id), 'cancelled')
  await deliver()
  const to = (address: string) => received.filter(one => one.to === address)
  expect(to('+919000000001').map(one => one.text)).toEqual([
    'Appointment scheduled: Nov 30, 2026 at 03:38 PM with Anjali Menon at Thanal, Tripunithura. Arrive 10 mins early.',
    'Appointment updated: Nov 30, 2026 at 03:30 PM with Anjali Menon at Thanal, Tripunithura.',
    'Appointment cancelled: Nov 30, 2026 at 03:30 PM with Anjali Menon. Contact facility to reschedule.',
  ])
  const [created, updated, cancelled] = to('p2@example.org')
  expect([created, updated, cancelled].map(one => one?.subject)).toEqual([
    'Appointment Scheduled - November 30, 2026 at 03:38 PM',
    'Appointment Updated - November 30, 2026 at 03:30 PM',
    'Appointment Cancelled - November 30, 2026 at 03:30 PM',
  ])
  const lines = (text = ''): string[] => text.split('\n').filter(line => line !== '')
  const who = ['Patient: Meera Nair', 'Provider: Anjali Menon', 'Facility: Thanal, Tripunithura']
  const end = ['Thank you,', 'OpenCare-Africa Team']
  expect(lines(created?.text)).toEqual([
    'Hello Anjali Menon,',
    'Your appointment has been scheduled:',
    ...who,
    'Date & Time: November 30, 2026 at 03:38 PM',
    'Duration: 30 minutes',
    'Type: General Consultation',
    'Reason: Fever',
    'Please arrive 10 minutes before your scheduled time.',
    ...end,
  ])
  expect(lines(updated?.text)).toEqual([
    'Hello Anjali Menon,',
    'Your appointment has been updated:',
    ...who,
    'New Date & Time: November 30, 2026 at 03:30 PM',
    'Duration: 38 minutes',
    'Please note the new time and arrive 10 minutes early.',
    ...end,
  ])
  expect(lines(cancelled?.text)).toEqual([
    'Hello Anjali Menon,',
    'Your appointment has been cancelled:',
    ...who,
    'Original Date & Time: November 30, 2026 at 03:30 PM',
    'If you need to reschedule, please contact the facility or book a new appointment.',
    ...end,
  ])
})
