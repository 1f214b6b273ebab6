/** Who may come in at `/uhi`, how often, with what, and what they may reach from there. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp, jobHandlers, underRules } from '../../../src/app.ts'
import { CALLBACK } from '../../../src/facades/care-uhi/first.ts'
import { CARE_UHI } from '../../../src/facades/care-uhi/names.ts'
import { createMetrics } from '../../../src/http/metrics.ts'
import { createRateLimit } from '../../../src/http/rate-limit.ts'
import { create } from '../../../src/interactions/create.ts'
import { read } from '../../../src/interactions/read.ts'
import { dispatch } from '../../../src/notifications/dispatch.ts'
import { openSqlite } from '../../../src/storage/sqlite/node.ts'
import { refusal, shape, testContext } from '../../interactions/context.ts'
import {
  type Clinic,
  fullContext,
  type Open,
  openWorld,
  PERSON,
  startConsumer,
  type World,
} from '../../rest/care-uhi-world.ts'
import type { Tree } from '../../rest/client.ts'

const inMemory: Open = (clock, log) => openSqlite({ path: ':memory:', sync: 'normal', clock, log })
const worlds: World[] = []
const opened = async (settings: Tree = {}, open = inMemory): Promise<World> => {
  const world = await openWorld(open, settings)
  worlds.push(world)
  return world
}
afterAll(() => Promise.all(worlds.map(world => world.close())))

let world: World
let clinic: Clinic
beforeAll(async () => {
  world = await opened({ privateCallbacks: false })
  clinic = await world.clinic()
})

describe('the door', () => {
  it('is shut unless it is opened', async () => {
    const ctx = await testContext()
    expect(ctx.settings.careUhi.enabled).toBe(false)
    const app = createApp({ ctx, metrics: createMetrics('0'), urlLimit: 8192 })
    for (const path of ['/uhi/health', '/uhi/appointment/search/']) {
      const answer = await app.request(`http://127.0.0.1:8080${path}`, {
        headers: { host: '127.0.0.1:8080' },
      })
      expect(answer.status).toBe(404)
    }
    await ctx.storage.close()
  })

  it('says OK at /health, with and without a slash at the end', async () => {
    for (const path of ['/uhi/health', '/uhi/health/']) {
      const answer = await world.ask('GET', path)
      expect([answer.status, answer.text]).toEqual([200, 'OK'])
    }
  })

  it('answers unknown paths and methods in the shape of the contract', async () => {
    const nowhere = await world.ask('GET', '/uhi/appointment/nothing/')
    expect([nowhere.status, nowhere.body]).toEqual([404, { error: 'Not found' }])
    const put = await world.ask('PUT', '/uhi/appointment/confirm/', {})
    expect([put.status, Object.keys(put.body)]).toEqual([405, ['error']])
  })

  it('asks for the key where one is set', async () => {
    const key = 'a-key-of-sixteen-letters'
    const locked = await opened({ key })
    const ask = (headers: Record<string, string>) =>
      locked.ask('GET', '/uhi/appointment/search/', undefined, headers)
    for (const headers of [{}, { 'x-api-key': 'another' }, { 'x-api-key': `${key}x` }] as Tree[]) {
      const answer = await ask(headers)
      expect([answer.status, Object.keys(answer.body)]).toEqual([401, ['error']])
    }
    expect((await ask({ 'x-api-key': key })).status).toBe(200)
  })

  it('answers 429 to who asks too often, and serves again later', async () => {
    const busy = await opened({ rate: 5, rateAll: 100 })
    const ask = async () => (await busy.ask('GET', '/uhi/appointment/search/?provider_id=x')).status
    const statuses: number[] = []
    for (let n = 0; n < 7; n++) statuses.push(await ask())
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
    busy.now += 12_000
    expect([await ask(), await ask()]).toEqual([200, 429])
  })

  it('counts each address for itself and all together, without remembering them for ever', () => {
    const mayAsk = createRateLimit(2, 5)
    const tries = (address: string, now: number) => [1, 2, 3].map(() => mayAsk(address, now))
    expect(tries('a', 0)).toEqual([true, true, false])
    expect(tries('b', 0)).toEqual([true, true, false])
    // Of the five of all one is left.
    expect(tries('c', 0)).toEqual([true, false, false])
    expect(tries('a', 60_000)).toEqual([true, true, false])
    const many = createRateLimit(1, 1e9)
    for (let n = 0; n < 30_000; n++) many(String(n), 0)
    expect(many('29999', 0)).toBe(false)
  })

  it('leads to no more than its principal may read and write', async () => {
    const ctx = { ...underRules(await testContext()), principal: CARE_UHI }
    const patient = await create(ctx, 'Patient', { resourceType: 'Patient' })
    expect(patient.created).toBe(true)
    const condition = { resourceType: 'Condition', subject: { reference: 'Patient/1' } }
    expect(shape(await refusal(create(ctx, 'Condition', condition))).slice(0, 2)).toEqual([403, 'forbidden'])
    for (const type of ['Observation', 'MedicationRequest', 'Composition', 'AuditEvent', 'Consent'])
      expect((await refusal(read(ctx, type, '1'))).status).toBe(403)
    const practitioner = { resourceType: 'Practitioner' }
    expect((await refusal(create(ctx, 'Practitioner', practitioner))).status).toBe(403)
    await ctx.storage.close()
  })

  it('does nothing of which its principal has no grant', async () => {
    const write = CARE_UHI.grants!.write as Set<string>
    write.delete('Invoice')
    const price = [{ type: 'base', amount: { value: 300, currency: 'INR' } }]
    const priced = await world.clinic({ price })
    const before = await world.versions()
    const message = { provider_id: priced.org, fulfillment_id: priced.slots.first, patient: PERSON }
    const body = { context: { message_id: 'm', transaction_id: 't' }, message }
    const answer = await world.uhi('/appointment/confirm/', body)
    write.add('Invoice')
    expect([answer.status, Object.keys(answer.body)]).toEqual([403, ['error']])
    expect(await world.versions()).toBe(before)
    expect((await world.uhi('/appointment/confirm/', body)).status).toBe(200)
  })
})

describe('callbacks', () => {
  const search = (uri: string) => ({
    context: fullContext('search', { consumer_uri: uri }),
    message: { intent: { provider_id: clinic.org } },
  })

  it.each([
    'http://127.0.0.1:9/',
    'http://0x7f000001/',
    'http://[::ffff:169.254.169.254]/',
    'http://metadata.google.internal/computeMetadata/',
    'http://user:pass@example.org/',
  ])('to %s are refused with NACK, and leave nothing', async uri => {
    const before = await world.versions()
    const answer = await world.uhi('/appointment/search/', search(uri))
    expect([answer.status, answer.body.error.type]).toEqual([400, 'CONTEXT-ERROR'])
    expect(answer.body.error.message).toMatch(/^context → consumer_uri: /)
    expect(await world.versions()).toBe(before)
  })

  it('to a name that leads to a private address when its turn comes are not made', async () => {
    const consumer = await startConsumer()
    const request = search(`http://rebound.example.org:${new URL(consumer.uri).port}/`)
    const answer = await world.uhi('/appointment/search/', request)
    expect(answer.body).toEqual({ message: { ack: { status: 'ACK' } } })
    const resolved: string[] = []
    const handlers = jobHandlers([], undefined, async name => {
      resolved.push(name)
      return ['127.0.0.1']
    })
    await dispatch(underRules(world.ctx), handlers, { owner: 'a', leaseMs: 60_000, parallel: 10 })
    expect(resolved).toEqual(['rebound.example.org'])
    expect(consumer.calls).toEqual([])
    const { body } = await world.fhir('GET', `Task/${request.context.transaction_id}-search`)
    expect([body.status, body.businessStatus.coding[0].code]).toEqual(['completed', 'undelivered'])
    await consumer.close()
  })

  it('that were promised by a server that is gone are made by the next', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nadi-care-uhi-'))
    const open: Open = (clock, log) => openSqlite({ path: join(folder, 'nadi.db'), sync: 'full', clock, log })
    const consumer = await startConsumer()
    const gone = await openWorld(open)
    const own = await gone.clinic()
    const order = { provider_id: own.org, item_id: own.schedule, fulfillment_id: own.slots.first }
    const context = fullContext('init', { consumer_uri: consumer.uri })
    const message = { order, billing: { ...PERSON, geo_organization: 'Ernakulam' } }
    expect((await gone.uhi('/appointment/init/', { context, message })).status).toBe(200)
    await gone.close()
    const next = await openWorld(open)
    await next.work()
    expect(consumer.calls.map(({ path }) => path)).toEqual(['/consumer/on_init'])
    expect(consumer.calls[0]!.body.message.status).toBe('initialized')
    await next.close()
    await consumer.close()
    rmSync(folder, { recursive: true })
  })

  it('of a job that was done, but not marked as done, repeat the result and not the work', async () => {
    const consumer = await startConsumer()
    const open = await opened()
    const own = await open.clinic()
    const order = { provider_id: own.org, item_id: own.schedule, fulfillment_id: own.slots.wide }
    const context = fullContext('init', { consumer_uri: consumer.uri })
    const message = { order, billing: { ...PERSON, geo_organization: 'Ernakulam' } }
    await open.uhi('/appointment/init/', { context, message })
    const handlers = jobHandlers([])
    const [job] = (await open.ctx.storage.outbox.take(5, 'a', 60_000)).filter(one => one.kind === CALLBACK)
    for (let twice = 0; twice < 2; twice++)
      await handlers[CALLBACK]!(underRules(open.ctx), { ...job!, until: open.now + 60_000 })
    expect(consumer.calls).toHaveLength(2)
    expect(consumer.calls[1]!.body).toEqual(consumer.calls[0]!.body)
    const found = await open.fhir('GET', `Appointment?slot=Slot/${own.slots.wide}`)
    expect(found.body.entry).toHaveLength(1)
    await consumer.close()
  })
})

it('a consumer that does not answer holds up four calls of its own, and no more', async () => {
  const hanging = createServer(() => {})
  await new Promise<void>(resolve => hanging.listen(0, '127.0.0.1', resolve))
  const uri = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`
  const consumer = await startConsumer()
  const open = await opened()
  const handlers = jobHandlers([])
  const call = (consumer_uri: string) => {
    const context = fullContext('search', { consumer_uri })
    const body = JSON.stringify({ request: { context, intent: {} }, failed: 0 })
    const job = { id: context.message_id, kind: CALLBACK, due: 0, fence: 1, until: open.now + 60_000, body }
    return handlers[CALLBACK]!(underRules(open.ctx), job)
  }
  const hung = [1, 2, 3, 4].map(() => call(uri))
  const next = await call(uri)
  expect(next.is === 'later' && next.due - open.now >= 500 && next.due - open.now <= 1000).toBe(true)
  expect(await call(consumer.uri)).toEqual({ is: 'done' })
  expect(consumer.calls).toHaveLength(1)
  hanging.closeAllConnections()
  hanging.close()
  for (const one of await Promise.all(hung)) expect(one.is).toBe('later')
  await consumer.close()
})

describe('hostile bodies', () => {
  const PATHS = [
    '/appointment/search/',
    '/appointment/select/',
    '/appointment/init/',
    '/appointment/confirm/',
    '/appointment/status/',
    '/appointment/cancel/',
    '/appointment/reschedule/',
    '/service_availability/',
    '/emergency_request/',
  ]
  const deep = (levels: number): string => `${'{"message":'.repeat(levels)}1${'}'.repeat(levels)}`
  const context = { message_id: 'm', transaction_id: 't' }
  const strange = (value: unknown): unknown => ({
    context: { ...context, domain: value, consumer_uri: value, action: value },
    message: {
      intent: value,
      order: value,
      billing: value,
      order_id: value,
      terms: value,
      provider_id: value,
      doctor_id: value,
      fulfillment_id: value,
      patient: value,
      fulfillment: value,
      note: value,
      services: value,
      ambulance: value,
    },
    provider_id: value,
    patient: { name: value, phone_number: value, gender: value, date_of_birth: value, address: value },
    ambulance: { eta_minutes: value, notes: value },
    services: value,
    pincode: value,
  })
  const bodies: [string, unknown][] = [
    ['nothing', ''],
    ['no JSON', '{"context":'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '1e999'],
    ['a member twice', '{"context":{},"context":{}}'],
    ['no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a hundred thousand levels', deep(10_000)],
    ['a body of a megabyte', `{"message":{"provider_id":"${'a'.repeat(1_000_000)}"}}`],
    ['a long id', strange('a'.repeat(50_000))],
    ['a path', strange('../../etc/passwd')],
    ['a query', strange('x&_include=*')],
    ['a comma, a bar and a dollar', strange('a,b|c$d\\')],
    ['control characters', strange('\u0000\u0001\u001f\u007f')],
    [
      'half a character',
      '{"context":{"message_id":"m","transaction_id":"t"},"message":{"order_id":"\\ud800"}}',
    ],
    ['a list in every place', strange([[[]]])],
    ['an object in every place', strange({ start: { time: { timestamp: 1 } } })],
    ['true in every place', strange(true)],
    ['a number in every place', strange(1e300)],
    [
      'names of JavaScript',
      '{"__proto__":{"context":1},"constructor":1,"message":{"__proto__":{"order":1},"toString":1}}',
    ],
  ]
  it.each(bodies)('%s is refused or answered, and changes nothing', async (_, body) => {
    const before = await world.versions()
    for (const path of PATHS) {
      const answer = await world.ask('POST', `/uhi${path}`, body)
      expect(answer.status, `${path} ${answer.text.slice(0, 200)}`).toBeLessThan(500)
      if (answer.status !== 200)
        expect(answer.body.error ?? answer.body.issue, answer.text.slice(0, 200)).toBeDefined()
      expect(answer.text.length).toBeLessThan(20_000)
      expect(answer.text).not.toMatch(/node_modules|\.ts:\d|at async/)
    }
    expect(await world.versions()).toBe(before)
  })

  it('texts that a person could write are kept as they are, and stay texts', async () => {
    const patient = {
      name: "Meera <script>alert(1)</script> O'Nair",
      phone_number: '9876511111',
      address: '"; DROP TABLE resource; --\n{{7*7}} $ne മലയാളം 🏥',
    }
    const answer = await world.uhi('/appointment/confirm/', {
      context,
      message: { provider_id: clinic.org, fulfillment_id: clinic.slots.first, patient },
    })
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body.message.patient).toMatchObject({ name: patient.name, address: patient.address })
  })
})
