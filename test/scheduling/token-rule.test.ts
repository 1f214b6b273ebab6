/** Tokens: numbers, states and what follows from appointments, by whichever interaction. */
import { describe, expect, it } from 'vitest'
import { create } from '../../src/interactions/create.ts'
import { remove } from '../../src/interactions/delete.ts'
import { update } from '../../src/interactions/update.ts'
import { queueName, tokenOf, tokensOf, tokenTask } from '../../src/scheduling/token.ts'
import type { Key } from '../../src/storage/port.ts'
import { refusal } from '../interactions/context.ts'
import {
  appointment,
  book,
  clinic,
  DOCTOR,
  interrupted,
  plain,
  set,
  stored,
  TODAY,
  take,
} from './queue-context.ts'

const rule = async (promise: Promise<unknown>) => {
  const error = await refusal(promise)
  return [error.status, error.issues[0]?.rule]
}
const queue = { owner: DOCTOR as Key, category: 'General', day: TODAY }
const numberIn = (task: unknown) =>
  (plain(task) as { extension: { url: string; valuePositiveInt?: number }[] }).extension.find(
    ({ url }) => url === 'urn:nadi:extension:token-number',
  )?.valuePositiveInt

describe('numbers', () => {
  it('are 1, 2, 3 in each queue, category and day, printed with their shorthand', async () => {
    const ctx = await clinic()
    const keys = [await take(ctx, 1), await take(ctx, 2), await take(ctx, 3, undefined, '2026-11-22')]
    const other = await create(
      ctx,
      'Task',
      tokenTask({ patient: 'Patient/p4', owner: DOCTOR, category: 'Eye Care', day: TODAY }),
    )
    const tasks = await Promise.all([...keys, other.stored.key].map(key => stored(ctx, key)))
    expect(tasks.map(task => (task.identifier as { value: string }[])[0]!.value)).toEqual([
      'GC-1',
      'GC-2',
      'GC-1',
      'EC-1',
    ])
    expect(tasks.map(numberIn)).toEqual([1, 2, 1, 1])
  })

  it('have neither gaps nor doubles when sixty are taken at once and some are refused', async () => {
    const ctx = await clinic()
    const tokens = Array.from({ length: 60 }, (_, i) => take(ctx, (i % 9) + 1))
    const bad = Array.from({ length: 10 }, () =>
      create(ctx, 'Task', {
        ...tokenTask({ patient: 'Patient/p1', owner: DOCTOR, day: TODAY }),
        status: 'completed',
      }).catch(() => undefined),
    )
    await Promise.all([...tokens, ...bad])
    const numbers = (await tokensOf(ctx, queue)).map(({ number }) => number!)
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
  })

  it('are refused from a client, and cannot be changed', async () => {
    const ctx = await clinic()
    const task = tokenTask({ patient: 'Patient/p1', owner: DOCTOR, day: TODAY })
    const numbered = { ...task, identifier: [{ system: 'urn:nadi:token', value: 'GC-7' }] }
    expect(await rule(create(ctx, 'Task', numbered))).toEqual([422, 'token-number'])
    const key = await take(ctx, 1)
    const other = [{ system: 'urn:nadi:token', value: 'GC-9' }]
    expect(await rule(set(ctx, key, { identifier: other }))).toEqual([422, 'token-number'])
    await set(ctx, key, { identifier: undefined, extension: undefined, priority: 'urgent' })
    const after = await stored(ctx, key)
    expect([numberIn(after), (after.identifier as { value: string }[])[0]!.value, after.priority]).toEqual([
      1,
      'GC-1',
      'urgent',
    ])
  })

  it('are not given in a queue that is none, or that is not the owner’s', async () => {
    const ctx = await clinic()
    const task = tokenTask({ patient: 'Patient/p1', owner: DOCTOR, day: TODAY })
    const named = (value: string) => ({ ...task, groupIdentifier: { system: 'urn:nadi:queue', value } })
    for (const value of [
      'x',
      `${DOCTOR}|General|2026-02-30`,
      `${DOCTOR}|General`,
      'Patient/p1|General|2026-11-21',
    ])
      expect(await rule(create(ctx, 'Task', named(value)))).toEqual([400, 'token-queue'])
    expect(
      await rule(create(ctx, 'Task', named(queueName({ ...queue, owner: 'Practitioner/thomas' })))),
    ).toEqual([422, 'token-queue'])
    const key = await take(ctx, 1)
    const moved = { groupIdentifier: { system: 'urn:nadi:queue', value: `${DOCTOR}|General|2026-11-22` } }
    expect(await rule(set(ctx, key, moved))).toEqual([422, 'token-queue'])
  })
})

describe('states', () => {
  it('follow the table, and say the state in words and when it was served', async () => {
    const ctx = await clinic()
    const key = await take(ctx, 1)
    await set(ctx, key, { status: 'ready' })
    ctx.pass(60_000)
    await set(ctx, key, { status: 'in-progress' })
    ctx.pass(300_000)
    await set(ctx, key, { status: 'completed' })
    const task = await stored(ctx, key)
    expect([task.businessStatus, task.executionPeriod, task.lastModified]).toEqual([
      { coding: [{ system: 'urn:nadi:codes:token-status', code: 'completed' }] },
      { start: '2026-11-21T05:12:00.000Z', end: '2026-11-21T05:17:00.000Z' },
      '2026-11-21T05:17:00.000Z',
    ])
    expect(await rule(set(ctx, key, { status: 'requested' }))).toEqual([422, 'token-transition'])
    expect(await rule(set(ctx, key, { status: 'draft' }))).toEqual([422, 'token-transition'])
    // The state before the last step: a mistaken click is taken back.
    await set(ctx, key, { status: 'in-progress' })
    expect((await stored(ctx, key)).executionPeriod).toEqual({ start: '2026-11-21T05:12:00.000Z' })
  })
})

describe('a token that is deleted', () => {
  it('leaves the queue, which is told; its number is not given again', async () => {
    const ctx = await clinic()
    const [first] = [await take(ctx, 1), await take(ctx, 2)]
    await remove(ctx, 'Task', first!.split('/')[1]!)
    const [second] = await tokensOf(ctx, queue)
    expect(second?.told.map(({ notice }) => notice)).toEqual(['next'])
    expect((await stored(ctx, await take(ctx, 3))).identifier).toContainEqual({
      system: 'urn:nadi:token',
      value: 'GC-3',
    })
  })
})

describe('the appointment of a token', () => {
  it.each([
    ['cancelled', 'cancelled', 'cancelled'],
    ['entered-in-error', 'cancelled', 'cancelled'],
    ['fulfilled', 'completed', 'completed'],
    ['noshow', 'failed', 'closed'],
  ])('that becomes %s takes it out of the queue in the same commit', async (status, taskStatus, state) => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const key = await take(ctx, 1, of)
    await set(ctx, of, { status })
    const task = await stored(ctx, key)
    expect([task.status, tokenOf(key as Key, task)?.state]).toEqual([taskStatus, state])
    expect((task.meta as { lastUpdated: string }).lastUpdated).toBe(
      ((await stored(ctx, of)).meta as { lastUpdated: string }).lastUpdated,
    )
  })

  it('brings it back when somebody given up on arrives after all', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const key = await take(ctx, 1, of)
    await set(ctx, of, { status: 'noshow' })
    await set(ctx, of, { status: 'arrived' })
    expect((await stored(ctx, key)).status).toBe('requested')
  })

  it('takes it along when it is moved to another day', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    await take(ctx, 2)
    const key = await take(ctx, 1, of)
    await set(ctx, of, { start: '2026-11-23T05:30:00Z', end: '2026-11-23T05:40:00Z' })
    expect((await stored(ctx, key)).status).toBe('cancelled')
    const [moved] = await tokensOf(ctx, { ...queue, day: '2026-11-23' })
    expect([moved?.number, moved?.state, moved?.task.focus]).toEqual([1, 'waiting', { reference: of }])
  })

  it('has one token in a queue, and none when it is over', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const raced = await Promise.all(
      [1, 2, 3].map(() => take(ctx, 1, of).catch(error => error.issues[0].rule)),
    )
    expect(raced.filter(one => one === 'token-exists')).toHaveLength(2)
    await set(ctx, of, { status: 'cancelled' })
    expect(await rule(take(ctx, 1, of))).toEqual([422, 'token-appointment'])
  })

  it('leaves no token behind, though it is cancelled while one is taken', async () => {
    const ctx = await clinic()
    const bookings = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(i => book(ctx, i)))
    await Promise.all(
      bookings.flatMap((of, i) => [
        take(ctx, i + 1, of).catch(() => undefined),
        set(ctx, of, { status: 'cancelled' }),
      ]),
    )
    expect((await tokensOf(ctx, queue)).filter(({ state }) => state !== 'cancelled')).toEqual([])
  })

  it('is looked at again when it is cancelled between the look and the commit', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const meanwhile = interrupted(ctx, () => set(ctx, of, { status: 'cancelled' }))
    expect(await rule(take(meanwhile, 1, of))).toEqual([422, 'token-appointment'])
    expect(await tokensOf(ctx, queue)).toEqual([])
  })

  it('that was only held and has run out leaves no token behind when somebody else books the time', async () => {
    const ctx = await clinic()
    const held = (await create(ctx, 'Appointment', { ...appointment(1), status: 'pending' })).stored.key
    const key = await take(ctx, 1, held)
    ctx.pass(16 * 60_000)
    await create(ctx, 'Appointment', {
      ...appointment(2),
      start: appointment(1).start!,
      end: appointment(1).end!,
    })
    expect([(await stored(ctx, held)).status, (await stored(ctx, key)).status]).toEqual([
      'cancelled',
      'cancelled',
    ])
  })

  it('cannot be changed for one that is over, or has a token', async () => {
    const ctx = await clinic()
    const [over, other] = [await book(ctx, 1), await book(ctx, 2)] as [string, string]
    await set(ctx, over, { status: 'cancelled' })
    await take(ctx, 2, other)
    const key = await take(ctx, 3)
    expect(await rule(set(ctx, key, { focus: { reference: over } }))).toEqual([422, 'token-appointment'])
    expect(await rule(set(ctx, key, { focus: { reference: other } }))).toEqual([409, 'token-exists'])
    await set(ctx, key, { focus: { reference: await book(ctx, 3) } })
  })

  it('that is deleted takes it out of the queue', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const key = await take(ctx, 1, of)
    const [, id] = of.split('/')
    await remove(ctx, 'Appointment', id!)
    expect((await stored(ctx, key)).status).toBe('cancelled')
  })

  it('books without a token at no cost of the queue', async () => {
    const ctx = await clinic()
    await update(ctx, 'Appointment', 'a', { ...appointment(1), id: 'a' })
    expect(await ctx.storage.counter(`queue ${queueName(queue)}`)).toBe(0)
  })
})
