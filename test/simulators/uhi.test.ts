/** The simulator of UHI: it signs by the published vectors, sees what is wrong, misbehaves as told, and shares no code with the server. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { judgeAnswer } from '../../simulators/uhi/answer.ts'
import { judgeMessage } from '../../simulators/uhi/judge.ts'
import { MISBEHAVIOURS, type Misbehaviour, misbehavedHeader } from '../../simulators/uhi/misbehave.ts'
import { newParty } from '../../simulators/uhi/party.ts'
import { judgeSender, type Registry } from '../../simulators/uhi/registry.ts'
import {
  authorization,
  isSignedBy,
  judgeSignature,
  readHeader,
  signedText,
  signText,
} from '../../simulators/uhi/signature.ts'
import { type Simulator, startSimulator } from '../../simulators/uhi/start.ts'

/** Published with NHA's signing document (CC0). */
const DIGEST = 'W9UFzCRHgPpPoJxDFuGIz9bWqOjpc6f+Tv32bN1X3qSesscMXhUSdMyGsloAgn8+wo95otF2FQDz+YOBVz2hqA=='
const VECTORS = [
  {
    who: 'EUA',
    privateKey: 'MC4CAQAwBQYDK2VwBCIEIGCioWvsJleY53bW5+8G9vWWqsdGA9y1JMoVvLslaFA7',
    publicKey: 'MCowBQYDK2VwAyEA9AwjtMBySgjkf3cx2pzAYt8pL1qAlhil3WUulCSpFnI=',
    created: 1679652050,
    expires: 1679652060,
    signature: 'EfImhDOjl1SiwwUYKHSmz52u/FYZSggS5B177WaxvQg5OApvCk/OQW/n0nsSdRdm7KM8cXm/T77pdF7jI5G3Bw==',
  },
  {
    who: 'gateway',
    privateKey: 'MC4CAQAwBQYDK2VwBCIEIOQY8MXyrivtJ2/s0lBg6E5DQQ5GMID+OAXyAlyybdUH',
    publicKey: 'MCowBQYDK2VwAyEAcIx++sNvDok2/3Vh/xjKZ0sLovgsFZz2Aizo5AVb74Q=',
    created: 1679651246,
    expires: 1679651256,
    signature: 'iiY0S3XVyxg6OamWTFvldHxkqsTOUDdwNUpgJaYjbP1fRqVFQ73jGxLfEPu5fjIYxhAthyCq3l3KCJAUOKIRAA==',
  },
]

it.each(VECTORS)('signs and verifies the vector of the $who', vector => {
  const text = signedText(vector.created, vector.expires, DIGEST)
  expect(signText(text, vector.privateKey)).toBe(vector.signature)
  expect(isSignedBy(text, vector.signature, vector.publicKey)).toBe(true)
  const other = signedText(vector.created, vector.expires + 1, DIGEST)
  expect(isSignedBy(other, vector.signature, vector.publicKey)).toBe(false)
  expect(isSignedBy(text, vector.signature, VECTORS.find(one => one !== vector)!.publicKey)).toBe(false)
})

describe('misbehaviours', () => {
  const NOW = 1_800_000_000
  const party = newParty('app.example.org', 'EUA', 'https://app.example.org', NOW * 1000)
  const stranger = newParty('other.example.org', 'EUA', 'https://other.example.org', NOW * 1000)
  const registry: Registry & { strangers: (typeof party)[] } = {
    subscribers: [party.record, stranger.record],
    lookups: {},
    strangers: [stranger],
  }
  const BODY = '{"context":{"core_version":"0.7.1"},"message":{}}'
  const judged = (...ways: Misbehaviour[]) => {
    const sent = misbehavedHeader(party, BODY, NOW, ways, registry)
    const headers = sent.header === undefined ? {} : { authorization: sent.header }
    return judgeSender(registry, { headers, body: Buffer.from(sent.body) }, 'authorization', NOW * 1000)
  }
  const unfit = 'the signature does not fit the body and the key'

  it('who behaves is not faulted', () => {
    expect(judged()).toEqual({ by: 'app.example.org', problems: [] })
  })

  it.each<[Misbehaviour, string, string[]]>([
    ['bad-signature', 'app.example.org', [unfit]],
    ['body-changed', 'app.example.org', [unfit]],
    ['other-key', 'app.example.org', [unfit]],
    ['expired', 'app.example.org', ['the signature has expired']],
    ['future-created', 'app.example.org', ['created lies in the future']],
    ['other-subscriber', 'other.example.org', []],
    ['unregistered', 'nobody.app.example.org', ['nobody.app.example.org|eua-k1 is not in the registry']],
  ])('%s is what it says', (way, by, problems) => {
    expect(judged(way)).toEqual({ by, problems })
  })

  it('no header, a header of another kind and a key that is not subscribed are told apart', () => {
    expect(judged('no-signature').problems).toEqual(['the signature header is missing'])
    expect(judged('broken-header').problems).toEqual(['the signature header is not JSON'])
    const off = { ...registry, subscribers: [{ ...party.record, status: 'INITIATED' }] }
    const headers = { authorization: authorization(party, BODY, NOW, NOW + 10) }
    const body = Buffer.from(BODY)
    expect(judgeSender(off, { headers, body }, 'authorization', NOW * 1000).problems).toEqual([
      'app.example.org is INITIATED',
    ])
    const { header } = readHeader(headers.authorization)
    expect(judgeSignature(header!, body, party.record.encr_public_key, NOW + 12)).toEqual([
      'the signature has expired',
    ])
  })

  it('broken-json is no JSON', () => {
    const { body } = misbehavedHeader(party, BODY, NOW, ['broken-json'], registry)
    expect(() => JSON.parse(body)).toThrow()
    expect(MISBEHAVIOURS).toContain('out-of-order')
  })
})

it('an answer must be an ACK without an error, or a NACK with all four of its fields', () => {
  const error = { type: '', code: 'UHI-1405', path: '/RequesterService', message: 'INVALID SIGNATURE' }
  expect(judgeAnswer(200, { message: { ack: { status: 'ACK' } }, error: {} })).toEqual([])
  expect(judgeAnswer(200, { message: { ack: { status: 'NACK' } }, error })).toEqual([])
  expect(judgeAnswer(200, { message: { ack: { status: 'ACK' } }, error })).toHaveLength(1)
  expect(judgeAnswer(500, { message: { ack: { status: 'ACK' } }, error: {} })).toHaveLength(1)
  expect(judgeAnswer(200, { message: { ack: { status: 'NACK' } }, error: {} })).toHaveLength(4)
  expect(judgeAnswer(502, undefined)).toHaveLength(1)
})

describe('what a callback lacks', () => {
  const term = (type: string, termsState: string) => ({
    type,
    descriptor: { name: type },
    reasonRequired: false,
    timePeriod: '2026-06-18T10:20:00',
    termsState,
  })
  const TYPES = ['Commercial', 'Settlement', 'Cancellation', 'Refund', 'Payment']
  const price = (value: string) => ({ price: { currency: 'INR', value } })
  const order = (state: string, more: object = {}) => ({
    id: 'AHS12345',
    provider: { id: '1' },
    item: { id: '0', descriptor: { name: 'Consultation', code: 'CONSULTATION' }, fulfillment_id: 's-1' },
    fulfillment: {
      id: 's-1',
      type: 'Physical',
      agent: { id: 'priya@hpr.ndhm', name: 'Dr Priya' },
      start: { time: { timestamp: '2026-06-18T10:00:00' } },
      end: { time: { timestamp: '2026-06-18T10:20:00' } },
      tags: {
        '@abdm/gov.in/slot_id': 's-1',
        '@abdm/gov.in/messaging_support': 'true',
        '@abdm/gov.in/helpline_number': '1',
      },
    },
    billing: { name: 'Meera', phone: '9876543210' },
    customer: { id: 'meera@sbx' },
    payment: { type: 'ON-ORDER', status: 'NOT_PAID' },
    quote: { ...price('525.0'), breakup: [price('500.0'), price('12.5'), price('12.5')] },
    terms: TYPES.map(type => term(type, state)),
    ...more,
  })
  const authorization_ = {
    type: 'PIN',
    token: '****',
    valid_from: '2026-06-18T00:00:00',
    valid_to: '2026-06-18T23:59:00',
    status: 'GENERATED',
  }

  it('a whole on_init is not faulted; a missing term, a wrong sum and a zoned time are', () => {
    const judge = (said: object) => judgeMessage('on_init', { order: said }, undefined)
    expect(judge(order('INITIATED'))).toEqual([])
    const four = order('INITIATED', { terms: TYPES.slice(1).map(type => term(type, 'INITIATED')) })
    expect(judge(four)).toEqual(['there are 4 terms, not one of each of the five types'])
    const sum = order('INITIATED', { quote: { ...price('526.0'), breakup: [price('525.0')] } })
    expect(judge(sum)).toEqual(['the quote is 52600 paise and its parts are 52500'])
    const zoned = order('INITIATED')
    zoned.fulfillment.start.time.timestamp = '2026-06-18T10:00:00+05:30'
    expect(judge(zoned)).toEqual([
      'message order fulfillment start time timestamp is "2026-06-18T10:00:00+05:30"',
    ])
  })

  it('on_confirm needs agreed terms and a PIN of four digits, an online visit its link', () => {
    const judge = (said: object) => judgeMessage('on_confirm', { order: said }, undefined)
    const confirmed = order('AGREED', {
      state: 'CONFIRMED',
      authorization: { ...authorization_, token: '3774' },
    })
    expect(judge(confirmed)).toEqual([])
    expect(judge({ ...confirmed, authorization: { ...authorization_, token: '377' } })).toEqual([
      'order.authorization.token is not as it should be',
    ])
    expect(judge({ ...order('INITIATED'), state: 'CONFIRMED' }).length).toBe(5 + 5)
    const online = { ...confirmed, fulfillment: { ...confirmed.fulfillment, type: 'Online' } }
    expect(judge(online)).toEqual(['there is no teleconsultation uri', 'a teleconsultation has a PIN'])
  })

  it('a reason of the other side is no reason', () => {
    const tags = (by: string, reason: string) => ({
      order: {
        id: 'AHS12345',
        state: 'CANCELLED',
        fulfillment: { tags: { '@abdm/gov.in/cancelledby': by, '@abdm/gov.in/cancel_reason': reason } },
      },
    })
    expect(judgeMessage('on_cancel', tags('doctor', 'FACILITY_CLOSURE'), undefined)).toEqual([])
    expect(judgeMessage('on_cancel', tags('patient', 'FACILITY_CLOSURE'), undefined)).toHaveLength(1)
  })
})

describe('registry and gateway', () => {
  let simulator: Simulator
  beforeAll(async () => {
    simulator = await startSimulator({ host: '127.0.0.1', port: 0 }, () => {})
  })
  afterAll(() => simulator.stop())
  const lookup = async (subscriberId: string, signed = true) => {
    const body = JSON.stringify({ subscriber_id: subscriberId, type: 'EUA', domain: 'nic2004:85111' })
    const now = Math.floor(Date.now() / 1000)
    const headers: Record<string, string> = signed
      ? { authorization: authorization(simulator.world.gateway.party, body, now, now + 10) }
      : {}
    const response = await fetch(`${simulator.registry}/lookup`, { method: 'POST', headers, body })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }

  it('a signed lookup finds the record, an unknown id is 404, an unsigned one refused', async () => {
    expect(await lookup('127.0.0.1')).toMatchObject({
      status: 200,
      json: { subscriber_id: '127.0.0.1', type: 'EUA', status: 'SUBSCRIBED' },
    })
    expect(await lookup('nobody')).toEqual({ status: 404, json: { message: 'No record found!' } })
    expect(await lookup('127.0.0.1', false)).toMatchObject({
      json: { message: { ack: { status: 'NACK' } }, error: { code: 'UHI-1405' } },
    })
  })

  it('a command that it does not know is refused', async () => {
    const body = JSON.stringify({ action: 'search', misbehave: ['sulk'] })
    const response = await fetch(`${simulator.control}/send`, { method: 'POST', body })
    expect(response.status).toBe(400)
  })
})

it('shares no code with the server, and the server none with it', () => {
  const root = join(import.meta.dirname, '../..')
  const specifiersIn = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(file => /\.(ts|mjs|js)$/.test(file))
      .flatMap(file => [
        ...readFileSync(join(root, folder, file), 'utf8').matchAll(
          /(?:from\s+|import\s+|import\(\s*)'([^']+)'/g,
        ),
      ])
      .map(match => match[1]!)
  const simulators = specifiersIn('simulators')
  expect(simulators.length).toBeGreaterThan(20)
  expect(simulators.filter(one => !/^(node:|\.\/)/.test(one))).toEqual([])
  expect(specifiersIn('src').filter(one => one.includes('simulators'))).toEqual([])
})
