import { describe, expect, it } from 'vitest'
import { underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { fhirError } from '../../src/fhir/error.ts'
import { update } from '../../src/interactions/update.ts'
import type { Channel, Sent } from '../../src/notifications/channel.ts'
import { createDeliver, waitOf } from '../../src/notifications/deliver.ts'
import {
  type DispatchOptions,
  dispatch,
  dispatchOptions,
  startDispatch,
} from '../../src/notifications/dispatch.ts'
import { resource } from '../interactions/context.ts'
import { accepting, type Clinic, openClinic, plain, visit } from './clinic.ts'

const MONDAY = '2026-11-23T10:00:00+05:30'

interface Communication {
  id: string
  status: string
  statusReason?: { text: string }
  sent?: string
  identifier: { system: string; value: string }[]
  extension?: { url: string; valuePositiveInt: number }[]
}

/** A channel that answers in turn with these; an answer 'never' does not come. */
function answering(...answers: (Sent | 'never' | Error)[]): Channel & { keys: string[] } {
  const keys: string[] = []
  return {
    name: 'sms',
    reaches: 'phone',
    keys,
    send({ key }) {
      keys.push(key)
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!
      if (answer instanceof Error) return Promise.reject(answer)
      return answer === 'never' ? new Promise(() => {}) : Promise.resolve(answer)
    },
  }
}

/** A clinic in which the patient alone is told of one booking. */
async function booked(channel: Channel): Promise<Clinic> {
  const clinic = await openClinic([channel])
  await clinic.put({ resourceType: 'Practitioner', id: 'menon', name: [{ text: 'Dr Menon' }] })
  await clinic.put(visit('a', MONDAY))
  return clinic
}

const run = (ctx: Context, channel: Channel, options: Partial<DispatchOptions> = {}) =>
  dispatch(
    ctx,
    { message: createDeliver([channel], { random: () => 0.5 }) },
    { ...dispatchOptions(ctx), ...options },
  )

const only = async (clinic: Clinic): Promise<Communication> => {
  const all = plain((await clinic.all('Communication')) as never) as Communication[]
  expect(all).toHaveLength(1)
  return all[0]!
}

const attempts = ({ extension = [] }: Communication): number | undefined =>
  extension.find(({ url }) => url === 'urn:nadi:extension:message-attempts')?.valuePositiveInt

describe('one message', () => {
  it('is completed with the time, the attempt and the name that the peer gave it, and is not sent again', async () => {
    const channel = answering({ is: 'accepted', reference: 'SM-77' })
    const clinic = await booked(channel)
    clinic.ctx.pass(1000)
    expect(await run(clinic.ctx, channel)).toEqual({ taken: 1, next: undefined })
    const one = await only(clinic)
    expect([one.status, one.sent, attempts(one)]).toEqual(['completed', '2026-11-21T05:11:01.000Z', 1])
    expect(one.identifier).toContainEqual({ system: 'urn:nadi:peer-reference', value: 'SM-77' })
    clinic.ctx.pass(3_600_000)
    expect((await run(clinic.ctx, channel)).taken).toBe(0)
    expect(channel.keys).toEqual([one.id])
    expect(
      await clinic.all('Communication', { status: 'completed', sent: 'gt2026-11-21T05:11:00Z' }),
    ).toHaveLength(1)
  })

  it('is tried again with the same key after a growing wait, in progress meanwhile, until it is accepted', async () => {
    const busy = { is: 'failed', reason: 'Answered 503.' } as const
    const channel = answering(busy, busy, { is: 'accepted' })
    const clinic = await booked(channel)
    const start = clinic.ctx.clock()
    // Half of the wait and half of the rest: 5 s, then 10 s.
    expect((await run(clinic.ctx, channel)).next).toBe(start + 3750)
    expect(await only(clinic)).toMatchObject({
      status: 'in-progress',
      statusReason: { text: 'Answered 503.' },
    })
    clinic.ctx.pass(3749)
    expect((await run(clinic.ctx, channel)).taken).toBe(0)
    clinic.ctx.pass(1)
    expect((await run(clinic.ctx, channel)).next).toBe(start + 3750 + 7500)
    clinic.ctx.pass(7500)
    await run(clinic.ctx, channel)
    const one = await only(clinic)
    expect([one.status, one.statusReason, attempts(one)]).toEqual(['completed', undefined, 3])
    expect(channel.keys).toEqual([one.id, one.id, one.id])
  })

  it('is stopped with the reason after the last attempt, and at once where it is refused', async () => {
    const channel = answering({ is: 'failed', reason: 'No connection.' })
    const clinic = await booked({ ...channel, tries: () => 3, waitMs: 5000 })
    for (let i = 0; i < 5; i++) {
      await run(clinic.ctx, { ...channel, tries: () => 3, waitMs: 5000 })
      clinic.ctx.pass(5000)
    }
    expect(channel.keys).toHaveLength(3)
    expect(await only(clinic)).toMatchObject({
      status: 'stopped',
      statusReason: { text: 'No connection. Given up after attempt 3.' },
    })

    const refusing = answering({ is: 'refused', reason: 'The number is not in use.' })
    const other = await booked(refusing)
    await run(other.ctx, refusing)
    expect(await only(other)).toMatchObject({
      status: 'stopped',
      statusReason: { text: 'The number is not in use.' },
    })
    other.ctx.pass(86_400_000)
    expect((await run(other.ctx, refusing)).taken).toBe(0)
  })

  it('a channel that does not answer, or fails, is a failed attempt', async () => {
    const channel = answering('never', new TypeError('secret text'), { is: 'accepted' })
    const clinic = await booked(channel)
    clinic.ctx.settings = {
      ...clinic.ctx.settings,
      messages: { ...clinic.ctx.settings.messages, sendMs: 20 },
    }
    await run(clinic.ctx, channel)
    expect((await only(clinic)).statusReason?.text).toBe('No answer in time.')
    clinic.ctx.pass(60_000)
    await run(clinic.ctx, channel)
    expect((await only(clinic)).statusReason?.text).toBe('The channel failed: TypeError.')
    clinic.ctx.pass(60_000)
    await run(clinic.ctx, channel)
    expect((await only(clinic)).status).toBe('completed')
  })

  it('is not sent when its time is over, or somebody has closed it, or its channel is gone', async () => {
    const channel = accepting('sms', 'phone')
    const late = await booked(channel)
    late.ctx.pass(Date.parse(MONDAY) - late.ctx.clock())
    await run(late.ctx, channel)
    expect(await only(late)).toMatchObject({
      status: 'stopped',
      statusReason: { text: 'It was not sent in time.' },
    })

    const closed = await booked(channel)
    const one = await only(closed)
    await update(
      closed.ctx,
      'Communication',
      one.id,
      resource(JSON.stringify({ ...one, status: 'entered-in-error' })),
    )
    expect((await run(closed.ctx, channel)).taken).toBe(1)
    expect((await only(closed)).status).toBe('entered-in-error')
    expect(await closed.ctx.storage.outbox.take(10, 'test', 1)).toEqual([])

    const gone = await booked(channel)
    await run(gone.ctx, accepting('email', 'email'))
    expect((await only(gone)).statusReason?.text).toBe('The channel sms is not set up.')
    expect(channel.sent).toEqual([])
  })

  it('is not sent again where what came of it cannot be written down, and that ends', async () => {
    const channel = accepting('sms', 'phone')
    const clinic = await booked(channel)
    let refusals = 0
    clinic.ctx.rules = [
      {
        types: new Set(['Communication']),
        judge: () => {
          refusals++
          throw fhirError('business-rule', 'No.')
        },
      },
    ]
    for (let i = 0; i < 5; i++) {
      await run(clinic.ctx, channel)
      clinic.ctx.pass(60_000)
    }
    expect(channel.sent).toHaveLength(1)
    expect(refusals).toBeGreaterThan(1)
    clinic.ctx.rules = []
    await run(clinic.ctx, channel)
    expect(await only(clinic)).toMatchObject({ status: 'completed', sent: '2026-11-21T05:11:00.000Z' })

    const lasting = await booked(channel)
    lasting.ctx.rules = [{ types: new Set(['Communication']), judge: () => Promise.reject(new Error('bug')) }]
    await run(lasting.ctx, channel)
    lasting.ctx.pass(7 * 86_400_000)
    expect((await run(lasting.ctx, channel)).taken).toBe(1)
    lasting.ctx.pass(7 * 86_400_000)
    expect((await run(lasting.ctx, channel)).taken).toBe(0)
    expect(channel.sent).toHaveLength(2)
  })

  it('a booking that is cancelled or moved while nothing can be sent is not told after it', async () => {
    for (const after of [{ status: 'cancelled' }, { start: '2026-11-24T10:00:00+05:30' }]) {
      const channel = answering({ is: 'failed', reason: 'No connection.' }, { is: 'accepted' })
      const clinic = await booked(channel)
      await run(clinic.ctx, channel)
      const { id } = await only(clinic)
      clinic.ctx.pass(3_600_000)
      const { start = MONDAY, ...more } = after as { start?: string }
      await clinic.put(visit('a', start, more))
      await run(clinic.ctx, channel)
      const all = plain((await clinic.all('Communication')) as never) as Communication[]
      expect(all.find(one => one.id === id)).toMatchObject({
        status: 'stopped',
        statusReason: { text: 'The appointment has changed since.' },
      })
      expect(all.filter(({ status }) => status === 'completed')).toHaveLength(1)
      expect(channel.keys).toHaveLength(2)
    }
  })

  it('waits half as long at least and as long at most as the doubled wait, an hour at most', async () => {
    const { ctx } = await openClinic()
    expect([0, 0.999].map(random => waitOf(ctx, {}, 1, random))).toEqual([2500, 4998])
    expect(waitOf(ctx, {}, 4, 0)).toBe(20_000)
    expect(waitOf(ctx, {}, 30, 0.999)).toBeLessThanOrEqual(3_600_000)
    expect(waitOf(ctx, { waitMs: 5000 }, 9, 0)).toBe(5000)
  })
})

it('a peer that answers nothing does not keep the messages of other channels waiting', async () => {
  const mail: Channel = { name: 'email', reaches: 'email', send: () => new Promise(() => {}) }
  const sms = accepting('sms', 'phone')
  const clinic = await openClinic([mail])
  const { ctx } = clinic
  for (let i = 0; i < 40; i++)
    await clinic.put(visit(`a${i}`, new Date(Date.parse(MONDAY) + i * 1_800_000).toISOString()))
  const patience = (sendMs: number) => {
    ctx.settings = { ...ctx.settings, messages: { ...ctx.settings.messages, sendMs } }
  }
  const deliver = createDeliver([mail, sms])
  patience(20)
  await dispatch(ctx, { message: deliver }, dispatchOptions(ctx))
  ctx.pass(1000)
  const other: Context = { ...ctx, rules: underRules(ctx, [sms]).rules! }
  await update(other, 'Appointment', 'b', resource(JSON.stringify(visit('b', '2026-11-25T10:00:00+05:30'))))
  patience(2000)
  const dispatcher = startDispatch(ctx, { message: deliver }, dispatchOptions(ctx))
  await expect.poll(() => sms.sent.length, { timeout: 1500 }).toBe(2)
  await dispatcher.stop()
})

describe('several servers', () => {
  it('two that take at once send each message once', async () => {
    const channel = accepting('sms', 'phone')
    const clinic = await openClinic([channel])
    for (let i = 0; i < 20; i++)
      await clinic.put(visit(`a${i}`, new Date(Date.parse(MONDAY) + i * 1_800_000).toISOString()))
    const both = ['one', 'two'].map(async owner => {
      for (let i = 0; i < 10; i++) await run(clinic.ctx, channel, { owner, parallel: 4 })
    })
    await Promise.all(both)
    expect(channel.sent).toHaveLength(40)
    expect(new Set(channel.sent.map(({ key }) => key)).size).toBe(40)
    expect(await clinic.all('Communication', { status: 'completed' })).toHaveLength(40)
  })

  it('what a server that died had taken is taken over when the lease has run out, and sent under the same key', async () => {
    const channel = accepting('sms', 'phone')
    const clinic = await booked(channel)
    const crash = (at: string) => (step: string) => {
      if (step === at) throw new Error('killed')
    }
    await expect(run(clinic.ctx, channel, { at: crash('after-lease') })).rejects.toThrow('killed')
    expect((await run(clinic.ctx, channel)).taken).toBe(0)
    clinic.ctx.pass(dispatchOptions(clinic.ctx).leaseMs)
    await run(clinic.ctx, channel)
    expect(channel.sent).toHaveLength(1)
    expect((await only(clinic)).status).toBe('completed')
  })

  it('a server whose lease is nearly over, because it was held up, does not send', async () => {
    const channel = accepting('sms', 'phone')
    const clinic = await booked(channel)
    const { sendMs } = clinic.ctx.settings.messages
    await run(clinic.ctx, channel, {
      at: () => clinic.ctx.pass(dispatchOptions(clinic.ctx).leaseMs - sendMs),
    })
    expect(channel.sent).toEqual([])
    await run(clinic.ctx, channel)
    expect(channel.sent).toHaveLength(1)
  })

  it('a job of an unknown kind, and one whose handler fails, is kept', async () => {
    const { ctx } = await openClinic()
    const epoch = await ctx.storage.epoch()
    const outbox = ['strange', 'failing'].map(kind => ({ id: kind, kind, due: 0, body: '{}' }))
    await ctx.storage.commit({ id: 'c', at: 0, epoch, changes: [], require: [], outbox })
    const failing = () => Promise.reject(new Error('broken'))
    expect(await dispatch(ctx, { failing }, dispatchOptions(ctx))).toEqual({
      taken: 2,
      next: ctx.clock() + 60_000,
    })
    ctx.pass(60_000)
    expect(await ctx.storage.outbox.take(10, 'test', 1)).toHaveLength(2)
  })
})

it('in the background it delivers as soon as it is woken, and stops after what is at hand', async () => {
  let release = (): void => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const channel = accepting('sms', 'phone')
  const slow: Channel = {
    ...channel,
    send: async (delivery, signal) => held.then(() => channel.send(delivery, signal)),
  }
  const clinic = await openClinic([slow])
  const { ctx } = clinic
  const work = startDispatch(ctx, { message: createDeliver([slow]) }, dispatchOptions(ctx))
  await new Promise(resolve => setTimeout(resolve, 20))
  await clinic.put(visit('a', MONDAY))
  work.wake()
  await new Promise(resolve => setTimeout(resolve, 20))
  const stopped = work.stop()
  release()
  await stopped
  expect(channel.sent).toHaveLength(2)
  expect(await clinic.all('Communication', { status: 'completed' })).toHaveLength(2)
})
