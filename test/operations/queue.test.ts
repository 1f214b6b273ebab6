/** The queue at a desk: tokens and rescans, call next, steps and undo, with clerks at work at once. */
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/fhir/json.ts'
import { queueNotices } from '../../src/scheduling/queue.ts'
import { type Told, tokenOf, tokensOf, toldOf } from '../../src/scheduling/token.ts'
import type { Key } from '../../src/storage/port.ts'
import { refusal, type TestContext } from '../interactions/context.ts'
import {
  book,
  clinic,
  DOCTOR,
  interrupted,
  patientOf,
  plain,
  set,
  stored,
  TODAY,
  take,
} from '../scheduling/queue-context.ts'
import { call } from './context.ts'

const DESK = { type: 'Practitioner', id: 'anjali' }
const QUEUE = { owner: DOCTOR as Key, category: 'General', day: TODAY }
const patientParam = (i: number) => ({ name: 'patient', value: { reference: `Patient/p${i}` } })
const step = (ctx: TestContext, key: string, what: string, before?: string) =>
  call(ctx, 'queue-step', { type: 'Task', id: key.split('/')[1]! }, [
    { name: 'step', value: what },
    ...(before === undefined ? [] : [{ name: 'before', value: { reference: before } }]),
  ])
const rule = async (promise: Promise<unknown>) => {
  const error = await refusal(promise)
  return [error.status, error.issues[0]?.rule ?? error.code]
}
const printed = (task: { identifier: { value: string }[] }) => task.identifier[0]!.value

/** The queue as `$queue` says it: `next 2: GC-1 called, GC-2 waiting; aside GC-3`. */
async function line(ctx: TestContext): Promise<string> {
  const answer = await call(ctx, 'queue', DESK, [{ name: 'category', value: 'General' }])
  const parts = answer.parameter[0].part as {
    name: string
    part?: { name: string; [value: string]: unknown }[]
  }[]
  const next = (parts.find(({ name }) => name === 'next') as unknown as { valuePositiveInt: number })
    .valuePositiveInt
  const tokens = parts
    .filter(({ name }) => name === 'token')
    .map(({ part }) => Object.fromEntries(part!.map(({ name, ...value }) => [name, Object.values(value)[0]])))
  const inLine = tokens.filter(({ position }) => position !== undefined)
  expect(inLine.map(({ position }) => position)).toEqual(inLine.map((_, i) => i + 1))
  const aside = tokens.filter(({ position }) => position === undefined)
  return `next ${next}: ${inLine.map(({ token, state }) => `${token} ${state}`).join(', ')}${aside.map(({ token }) => `; aside ${token}`).join('')}`
}

describe('$token', () => {
  it('gives the patient of an appointment a token of its practitioner and day, and a rescan the same', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const place = { type: 'Appointment', id: of.split('/')[1]! }
    const first = await call(ctx, 'token', place)
    const again = await call(ctx, 'token', place)
    const atTheDesk = await call(ctx, 'token', DESK, [patientParam(1)])
    expect([printed(first), first.groupIdentifier.value, first.focus.reference]).toEqual([
      'GC-1',
      'Practitioner/anjali|General|2026-11-21',
      of,
    ])
    expect([again.id, atTheDesk.id]).toEqual([first.id, first.id])
  })

  it('gives one token to rescans that race, with and without an appointment', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const [bySix, ofSix] = await Promise.all([
      Promise.all(Array.from({ length: 6 }, () => call(ctx, 'token', DESK, [patientParam(2)]))),
      Promise.all(
        Array.from({ length: 6 }, () => call(ctx, 'token', { type: 'Appointment', id: of.split('/')[1]! })),
      ),
    ])
    expect(new Set(bySix.map(({ id }) => id)).size).toBe(1)
    expect(new Set(ofSix.map(({ id }) => id)).size).toBe(1)
    expect((await tokensOf(ctx, QUEUE)).map(({ number }) => number).sort()).toEqual([1, 2])
  })

  it('at the desk is for the appointment that the patient has that day, and for none of another doctor', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const focus = async (i: number, id: string) =>
      (await call(ctx, 'token', { type: 'Practitioner', id }, [patientParam(i)])).focus?.reference
    expect([await focus(1, 'anjali'), await focus(1, 'thomas'), await focus(2, 'anjali')]).toEqual([
      of,
      undefined,
      undefined,
    ])
  })

  it('gives a new one when the first was served, on another day and in another category', async () => {
    const ctx = await clinic()
    const first = await call(ctx, 'token', DESK, [patientParam(1)])
    await step(ctx, `Task/${first.id}`, 'complete')
    const category = { name: 'category', value: 'Eye Care' }
    const others = [
      await call(ctx, 'token', DESK, [patientParam(1)]),
      await call(ctx, 'token', DESK, [patientParam(1), { name: 'day', value: '2026-11-22' }]),
      await call(ctx, 'token', DESK, [patientParam(1), category]),
      await call(ctx, 'token', DESK, [patientParam(2), category, { name: 'shorthand', value: 'EYE' }]),
    ]
    expect(others.map(printed)).toEqual(['GC-2', 'GC-1', 'EC-1', 'EYE-2'])
    ctx.pass(24 * 3_600_000)
    expect((await call(ctx, 'token', DESK, [patientParam(1)])).id).toBe(others[1].id)
  })

  it('refuses what names no patient, no day and no category', async () => {
    const ctx = await clinic()
    expect(await rule(call(ctx, 'token', DESK))).toEqual([400, 'required'])
    expect(
      await rule(
        call(ctx, 'token', DESK, [{ name: 'patient', value: { reference: 'Practitioner/anjali' } }]),
      ),
    ).toEqual([400, 'value'])
    expect(
      await rule(call(ctx, 'token', DESK, [{ name: 'patient', value: { reference: 'Patient/none' } }])),
    ).toEqual([404, 'not-found'])
    for (const day of ['2026-02-30', '2026', 'x'])
      expect(await rule(call(ctx, 'token', DESK, [patientParam(1), { name: 'day', value: day }]))).toEqual([
        400,
        'value',
      ])
    for (const category of ['a|b', 'x'.repeat(65)])
      expect(
        await rule(call(ctx, 'token', DESK, [patientParam(1), { name: 'category', value: category }])),
      ).toEqual([400, 'value'])
  })
})

describe('$queue and the steps', () => {
  it('say who stands where as tokens are called, skipped, recalled, served and completed', async () => {
    const ctx = await clinic()
    const [one, two, three] = [await take(ctx, 1), await take(ctx, 2), await take(ctx, 3)] as [
      string,
      string,
      string,
    ]
    expect(await line(ctx)).toBe('next 1: GC-1 waiting, GC-2 waiting, GC-3 waiting')
    expect(printed(await call(ctx, 'call-next', DESK))).toBe('GC-1')
    expect(await line(ctx)).toBe('next 2: GC-1 called, GC-2 waiting, GC-3 waiting')
    await step(ctx, one, 'skip')
    expect(await line(ctx)).toBe('next 1: GC-2 waiting, GC-3 waiting; aside GC-1')
    await step(ctx, two, 'serve')
    await step(ctx, one, 'recall')
    expect(await line(ctx)).toBe('next 2: GC-1 called, GC-2 serving, GC-3 waiting')
    await step(ctx, two, 'complete')
    await step(ctx, one, 'serve')
    await step(ctx, one, 'complete')
    expect(await line(ctx)).toBe('next 1: GC-3 waiting')
    expect(await rule(step(ctx, one, 'call'))).toEqual([422, 'token-transition'])
    expect(await rule(step(ctx, three, 'dance'))).toEqual([400, 'value'])
    await step(ctx, three, 'complete')
    expect(await rule(call(ctx, 'call-next', DESK))).toEqual([404, 'not-found'])
  })

  it('put a token ahead of all who wait, or of one of them, again and again', async () => {
    const ctx = await clinic()
    const keys: string[] = []
    for (let i = 1; i <= 4; i++) keys.push(await take(ctx, i))
    await step(ctx, keys[0]!, 'call')
    await step(ctx, keys[3]!, 'put-ahead')
    expect(await line(ctx)).toBe('next 2: GC-1 called, GC-4 waiting, GC-2 waiting, GC-3 waiting')
    await step(ctx, keys[2]!, 'put-ahead', keys[1])
    expect(await line(ctx)).toBe('next 2: GC-1 called, GC-4 waiting, GC-3 waiting, GC-2 waiting')
    // Each time there is half as much room behind the one that is called.
    for (let i = 0; i < 15; i++) for (const key of [keys[1]!, keys[2]!]) await step(ctx, key, 'put-ahead')
    expect(await line(ctx)).toBe('next 2: GC-1 called, GC-3 waiting, GC-2 waiting, GC-4 waiting')
    await take(ctx, 5)
    expect(await line(ctx)).toBe(
      'next 2: GC-1 called, GC-3 waiting, GC-2 waiting, GC-4 waiting, GC-5 waiting',
    )
    expect(await rule(step(ctx, keys[0]!, 'put-ahead'))).toEqual([422, 'token-transition'])
    expect(await rule(step(ctx, keys[1]!, 'put-ahead', keys[0]))).toEqual([422, 'token-queue'])
  })

  it('of two clerks who press call-next at once call nobody twice and skip nobody', async () => {
    const ctx = await clinic()
    for (let i = 1; i <= 8; i++) await take(ctx, i)
    const called = await Promise.all(Array.from({ length: 6 }, () => call(ctx, 'call-next', DESK)))
    expect(called.map(printed).sort()).toEqual(['GC-1', 'GC-2', 'GC-3', 'GC-4', 'GC-5', 'GC-6'])
  })

  it('that are clicked twice change nothing', async () => {
    const ctx = await clinic()
    const key = await take(ctx, 1)
    const first = await step(ctx, key, 'call')
    expect((await step(ctx, key, 'call')).meta).toEqual(first.meta)
    ctx.pass(60_000)
    const again = await step(ctx, key, 'recall')
    expect([again.status, again.lastModified]).toEqual(['ready', '2026-11-21T05:12:00.000Z'])
  })
})

describe('undo', () => {
  it.each([
    ['call', 'waiting'],
    ['skip', 'waiting'],
    ['serve', 'waiting'],
    ['complete', 'waiting'],
  ])('takes a mistaken %s back, once', async (what, state) => {
    const ctx = await clinic()
    const key = await take(ctx, 1)
    await step(ctx, key, what)
    await step(ctx, key, 'undo')
    expect(tokenOf(key as Key, await stored(ctx, key))?.state).toBe(state)
    expect(await rule(step(ctx, key, 'undo'))).toEqual([422, 'token-undo'])
    await step(ctx, key, 'call')
    await step(ctx, key, 'undo')
    expect(await line(ctx)).toBe('next 1: GC-1 waiting')
  })

  it('brings back the state before, not the first one, and the place in the queue', async () => {
    const ctx = await clinic()
    const [one, two] = [await take(ctx, 1), await take(ctx, 2)] as [string, string]
    await step(ctx, one, 'serve')
    await step(ctx, one, 'complete')
    await step(ctx, one, 'undo')
    expect((await stored(ctx, one)).status).toBe('in-progress')
    await take(ctx, 3)
    await step(ctx, two, 'call')
    await step(ctx, two, 'undo')
    const three = (await tokensOf(ctx, QUEUE)).find(({ number }) => number === 3)!.key
    await step(ctx, three, 'put-ahead')
    expect(await line(ctx)).toBe('next 2: GC-1 serving, GC-3 waiting, GC-2 waiting')
    await step(ctx, three, 'undo')
    expect(await line(ctx)).toBe('next 2: GC-1 serving, GC-2 waiting, GC-3 waiting')
  })

  it('is refused where nothing was done, and where the appointment is over', async () => {
    const ctx = await clinic()
    const of = await book(ctx, 1)
    const key = await take(ctx, 1, of)
    expect(await rule(step(ctx, key, 'undo'))).toEqual([422, 'token-undo'])
    await set(ctx, of, { status: 'cancelled' })
    expect(await rule(step(ctx, key, 'undo'))).toEqual([422, 'token-appointment'])
  })
})

describe('what patients are told of the queue', () => {
  /** Notices of every version, in the order made: `GC-1 next@1`. */
  async function told(ctx: TestContext): Promise<string[]> {
    const { rows } = await ctx.storage.history({ type: 'Task' }, { limit: 1000, total: 'none' })
    const known = new Set<string>()
    return rows.reverse().flatMap(row => {
      const task = parseJson(row.text!) as never
      const all = toldOf(task).map(({ notice, position }) => `${printed(task)} ${notice}@${position}`)
      const fresh = all.filter(one => !known.has(one))
      for (const one of fresh) known.add(one)
      return fresh
    })
  }

  it('is each of the three once, whatever is clicked', async () => {
    const ctx = await clinic()
    const keys: string[] = []
    for (let i = 1; i <= 7; i++) keys.push(await take(ctx, i))
    expect(await told(ctx)).toEqual(['GC-1 next@1', 'GC-5 fifth@5'])
    await call(ctx, 'call-next', DESK)
    await step(ctx, keys[0]!, 'undo')
    await call(ctx, 'call-next', DESK)
    await step(ctx, keys[0]!, 'recall')
    expect((await told(ctx)).slice(2)).toEqual(['GC-1 called@1', 'GC-2 next@2'])
    await step(ctx, keys[0]!, 'complete')
    expect((await told(ctx)).slice(4)).toEqual(['GC-6 fifth@5'])
  })

  it('is the fifth place alone where the fifth is called too, and the call in the next pass', async () => {
    const ctx = await clinic()
    const keys: string[] = []
    for (let i = 1; i <= 4; i++) keys.push(await take(ctx, i))
    const fifth = tokenOf('Task/x', await stored(ctx, keys[0]!))!
    const tokens = [1, 2, 3, 4, 5].map(order => ({
      ...fifth,
      key: `Task/${order}` as Key,
      order,
      number: order,
      state: order === 5 ? ('called' as const) : ('waiting' as const),
      told: [] as Told[],
    }))
    const shown = (all: typeof tokens) =>
      queueNotices(all, false).map(({ token, told: { notice, position } }) => [token.key, notice, position])
    expect(shown(tokens)).toEqual([
      ['Task/2', 'next', 2],
      ['Task/5', 'fifth', 5],
    ])
    const after = tokens.map(one =>
      one.order === 5
        ? { ...one, told: [{ notice: 'fifth' as const, position: 5, early: false }] as Told[] }
        : one,
    )
    expect(shown(after)).toContainEqual(['Task/5', 'called', 5])
  })

  it('is told though somebody else leaves the queue between the look and the commit', async () => {
    const ctx = await clinic()
    const keys: string[] = []
    for (let i = 1; i <= 5; i++) keys.push(await take(ctx, i))
    await take(
      interrupted(ctx, () => step(ctx, keys[0]!, 'complete')),
      6,
    )
    expect(await told(ctx)).toContain('GC-6 fifth@5')
  })

  it('days before is for the Care gateway alone, and is told to everybody on the day', async () => {
    const ctx = await clinic()
    const messages = async () => {
      const { rows } = await ctx.storage.history({ type: 'Communication' }, { limit: 100, total: 'none' })
      return rows.flatMap(row =>
        row.text?.includes('queue') ? [JSON.parse(row.text).payload[0].contentString] : [],
      )
    }
    const key = await take(ctx, 1, undefined, '2026-11-22')
    expect(toldOf(await stored(ctx, key))).toEqual([{ notice: 'next', position: 1, early: true }])
    await take(ctx, 2, undefined, '2026-11-22')
    expect(await messages()).toEqual([])
    ctx.pass(24 * 3_600_000)
    await take(ctx, 3)
    expect(toldOf(await stored(ctx, key))).toHaveLength(1)
    await take(ctx, 3, undefined, '2026-11-22')
    expect(toldOf(await stored(ctx, key))[1]).toEqual({ notice: 'next', position: 1, early: false })
    expect(new Set(await messages())).toEqual(new Set(['Token GC-1: you are next.']))
  })

  it('does not look at a long queue for who joins at its end', async () => {
    const ctx = await clinic()
    for (let i = 10; i <= 30; i++) await patientOf(ctx, i)
    for (let i = 10; i <= 29; i++) await take(ctx, i)
    const { storage } = ctx
    let rows = 0
    const counting: TestContext = {
      ...ctx,
      storage: Object.assign(Object.create(storage), {
        search: async (...asked: Parameters<typeof storage.search>) => {
          const page = await storage.search(...asked)
          rows += page.rows.length
          return page
        },
      }),
    }
    await take(counting, 30)
    expect(rows).toBe(5)
    expect(plain(await told(ctx))).toEqual(['GC-1 next@1', 'GC-5 fifth@5'])
  })
})
