/** The network when it is not well: registry, callbacks and gateway that fail, hang or answer garbage; addresses that nothing may be sent to. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { jobHandlers, underRules } from '../../src/app.ts'
import { dispatch } from '../../src/notifications/dispatch.ts'
import { createLookup, type Question } from '../../src/uhi/registry.ts'
import { privateKeyOf } from '../../src/uhi/signature.ts'
import { header, isSignedBy, type Party, party, pkcs8, record } from './peers.ts'
import { initOrder, SLOT, type World, world } from './world.ts'

let w: World
beforeAll(async () => {
  w = await world({}, 12)
})
afterAll(() => w.close())
beforeEach(() => {
  w.peers.registry = 'well'
  w.peers.reply = () => undefined
})

const app = (name: string, more: Record<string, unknown> = {}): Party => {
  const made = party(name, 'k1')
  w.peers.records.set(name, record(made, 'EUA', w.peers.url, more))
  return made
}
const status = (by: Party): string => w.message('status', { order: { id: 'none' } }, { consumer_id: by.id })
const ask = (by: Party, body = status(by)) =>
  w.send('status', body, { authorization: header(by, body, w.seconds()) })

/** What one is told who was let in. */
const LET_IN = 'THERE IS NO ORDER OF THIS ID'

describe('the registry', () => {
  it.each(['down', 'garbage', 'huge', 'slow'] as const)(
    'that is %s: UHI-1402, and it is asked again later',
    async how => {
      const by = app(`eua-${how}`)
      w.peers.registry = how
      const started = performance.now()
      expect((await ask(by)).error).toMatchObject({ code: 'UHI-1402', message: 'LOOKUP FAILED' })
      expect(performance.now() - started).toBeLessThan(1500)
      w.peers.registry = 'well'
      w.ctx.pass(2001)
      expect((await ask(by)).error.message).toBe(LET_IN)
    },
  )

  it('is asked once for a subscriber, with a signed question, and by none that come meanwhile', async () => {
    const by = app('eua-many')
    const before = w.peers.lookups.length
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(by)))
    expect(answers.map(one => one.error.message)).toEqual(Array(10).fill(LET_IN))
    const asked = w.peers.lookups.slice(before)
    expect(asked).toEqual([
      {
        subscriber_id: 'eua-many',
        type: 'EUA',
        domain: 'nic2004:85111',
        country: 'IND',
        city: 'std:0484',
        pub_key_id: 'k1',
        authorization: expect.any(String),
      },
    ])
    const { authorization, ...question } = asked[0]
    expect(isSignedBy(w.hspa.publicKey, authorization, Buffer.from(JSON.stringify(question)))).toBe(true)
  })

  it('what it says is held to its validity at each message, and asked for anew after ten minutes', async () => {
    const by = app('eua-ends', { valid_until: new Date(w.ctx.clock() + 60_000).toISOString() })
    expect((await ask(by)).error.message).toBe(LET_IN)
    w.ctx.pass(61_000)
    expect((await ask(by)).error).toMatchObject({ code: 'UHI-1412' })
    w.peers.records.set(by.id, record(by, 'EUA', w.peers.url))
    w.ctx.pass(600_000)
    expect((await ask(by)).error.message).toBe(LET_IN)
  })

  it('a new key under the same id counts within half a minute', async () => {
    await ask(app('eua-rotated'))
    const renewed = app('eua-rotated')
    expect((await ask(renewed)).error).toMatchObject({ code: 'UHI-1405' })
    const before = w.peers.lookups.length
    w.ctx.pass(30_000)
    expect((await ask(renewed)).error.message).toBe(LET_IN)
    expect(w.peers.lookups.length).toBe(before + 1)
  })

  it('a key under signing_public_key counts as one under encr_public_key', async () => {
    const by = party('eua-signing', 'k1')
    const more = { encr_public_key: '', signing_public_key: by.publicKey }
    w.peers.records.set(by.id, [record(by, 'EUA', w.peers.url, more)])
    expect((await ask(by)).error.message).toBe(LET_IN)
  })

  it('remembers a bounded number of strangers, and asks a bounded number of questions at once', async () => {
    let asked = 0
    const key = privateKeyOf(pkcs8(w.hspa.privateKey))!
    const sending = {
      clock: w.ctx.clock,
      signer: { subscriberId: 'a', keyId: 'b', privateKey: key },
      expiresS: 10,
      timeoutMs: 300,
    }
    const lookup = createLookup(sending, `${w.peers.url}/api/v1/networkregistry/lookup`)
    const question = (n: number): Question => ({
      subscriberId: `stranger-${n}`,
      type: 'EUA',
      keyId: 'k',
      domain: 'd',
      city: 'c',
    })
    const before = w.peers.lookups.length
    const found = await Promise.all(Array.from({ length: 100 }, (_, n) => lookup(question(n))))
    asked = w.peers.lookups.length - before
    expect(asked).toBeLessThanOrEqual(20)
    expect(found.filter(one => one === 'failed').length).toBe(100 - asked)
  })
})

describe('a callback', () => {
  const slots = { next: 0 }
  const held = async (): Promise<void> => {
    const context = { transaction_id: `t-${slots.next}` }
    const order = initOrder(SLOT(slots.next++), false, `p${slots.next}@sbx`)
    expect((await w.send('init', w.message('init', { order }, context))).message.ack.status).toBe('ACK')
  }

  it.each([
    ['500', { status: 500 }],
    ['a redirect', { status: 302 }],
    ['garbage', { text: '<html>' }],
    ['NACK', { text: '{"message":{"ack":{"status":"NACK"}},"error":{"code":"UHI-1405"}}' }],
    ['nothing useful', { text: 'null' }],
  ])(
    'answered with %s goes out again, the same bytes under a new signature, until it is ACK',
    async (_, reply) => {
      w.peers.reply = () => reply
      await held()
      const [first, ...others] = await w.deliver()
      expect(others).toEqual([])
      expect(await w.deliver()).toEqual([])
      w.peers.reply = () => undefined
      w.ctx.pass(5001)
      const [second] = await w.deliver()
      expect(second!.body.equals(first!.body)).toBe(true)
      expect(second!.authorization).not.toBe(first!.authorization)
      expect(isSignedBy(w.hspa.publicKey, second!.authorization, second!.body)).toBe(true)
      w.ctx.pass(3_600_000)
      expect(await w.deliver()).toEqual([])
    },
  )

  it('that is never taken is given up after ten attempts', async () => {
    w.peers.reply = () => ({ status: 503 })
    await held()
    let sent = 0
    for (let round = 0; round < 20; round++) {
      sent += (await w.deliver()).length
      w.ctx.pass(5_400_000)
    }
    expect(sent).toBe(10)
  })
})

describe('an address that is not of the public internet', () => {
  let strict: World
  let hosts = 0
  beforeAll(async () => {
    strict = await world({ allowPrivate: false })
  })
  afterAll(() => strict.close())

  it.each([
    'https://127.0.0.1/eua',
    'https://10.0.0.8/eua',
    'https://[::1]/eua',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/eua',
    'https://2130706433/eua',
    'http://eua.example.org/eua',
    'ftp://eua.example.org/eua',
    'https://user:pass@eua.example.org/',
    'not a url',
  ])('%s as consumer_uri is refused', async uri => {
    const by = party(`eua-host-${++hosts}`, 'k1')
    const url = URL.canParse(uri) ? `https://${new URL(uri).host || 'x'}` : ''
    strict.peers.records.set(by.id, record(by, 'EUA', url))
    const body = strict.message(
      'init',
      { order: initOrder(SLOT(0)) },
      { consumer_id: by.id, consumer_uri: uri },
    )
    const answer = await strict.send('init', body, { authorization: header(by, body, strict.seconds()) })
    expect(answer.error.code).toMatch(/^UHI-14(04|15)$/)
    expect(answer.error.path).toBe('/context/consumer_uri')
    expect((await strict.all('Appointment')).length).toBe(0)
  })

  it('a consumer_uri outside of the domain of consumer_id is refused', async () => {
    const by = party('eua.example.org', 'k1')
    strict.peers.records.set(by.id, record(by, 'EUA', 'https://evil.example.com'))
    const body = strict.message(
      'init',
      { order: initOrder(SLOT(0)) },
      { consumer_id: by.id, consumer_uri: 'https://evil.example.com/' },
    )
    const answer = await strict.send('init', body, { authorization: header(by, body, strict.seconds()) })
    expect(answer.error).toMatchObject({ code: 'UHI-1415' })
  })

  it('that a name has come to lead to since is not called', async () => {
    const by = party('eua.example.org', 'k1')
    strict.peers.records.set(by.id, record(by, 'EUA', 'https://api.eua.example.org'))
    strict.ctx.pass(600_001)
    const context = { consumer_id: by.id, consumer_uri: 'https://api.eua.example.org/eua' }
    const body = strict.message('init', { order: initOrder(SLOT(0)) }, context)
    const answer = await strict.send('init', body, { authorization: header(by, body, strict.seconds()) })
    expect(answer.message.ack.status).toBe('ACK')
    const asked: string[] = []
    const handlers = jobHandlers([], { random: () => 0 }, async name => {
      asked.push(name)
      return ['10.1.2.3']
    })
    const done = await dispatch(underRules(strict.ctx), handlers, {
      owner: 'test',
      leaseMs: 1000,
      parallel: 5,
    })
    expect([done.taken, asked, strict.peers.received]).toEqual([1, ['api.eua.example.org'], []])
  })
})
