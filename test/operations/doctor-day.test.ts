/** A doctor who is absent or late: the day is moved or cancelled, and everybody is told once, however often it is tried. */
import { describe, expect, it } from 'vitest'
import type { Resource } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { update } from '../../src/interactions/update.ts'
import { dayList } from '../../src/scheduling/day-list.ts'
import { tokensOf } from '../../src/scheduling/token.ts'
import type { Key } from '../../src/storage/port.ts'
import { refusal, type TestContext } from '../interactions/context.ts'
import { appointment, clinic, DOCTOR, plain, set, stored, TODAY, take } from '../scheduling/queue-context.ts'
import { call } from './context.ts'

const PLACE = { type: 'Practitioner', id: 'anjali' }
const DAY = { name: 'day', value: '2026-11-23' }

/** A slot of ten minutes, `i` times ten minutes after 09:00 in Kolkata. */
const slot = (day: string, i: number): Resource => {
  const at = Date.parse(`${day}T03:30:00Z`) + i * 600_000
  return {
    resourceType: 'Slot',
    id: `s-${day}-${i}`,
    schedule: { reference: 'Schedule/anjali' },
    status: 'free',
    start: new Date(at).toISOString(),
    end: new Date(at + 600_000).toISOString(),
  }
}

/** Monday is booked by five patients in six slots; on Tuesday are three free ones. */
async function week(): Promise<TestContext> {
  const ctx = await clinic()
  await update(ctx, 'PractitionerRole', 'anjali', {
    resourceType: 'PractitionerRole',
    id: 'anjali',
    practitioner: { reference: DOCTOR },
  })
  await update(ctx, 'Schedule', 'anjali', {
    resourceType: 'Schedule',
    id: 'anjali',
    actor: [{ reference: 'PractitionerRole/anjali' }],
  })
  for (let i = 0; i < 6; i++) await update(ctx, 'Slot', `s-2026-11-23-${i}`, slot('2026-11-23', i))
  for (let i = 0; i < 3; i++) await update(ctx, 'Slot', `s-2026-11-24-${i}`, slot('2026-11-24', i))
  for (let i = 0; i < 5; i++) {
    const { start, end, id } = slot('2026-11-23', i)
    await update(ctx, 'Appointment', `a${i}`, {
      ...appointment(i + 1),
      id: `a${i}`,
      start: start!,
      end: end!,
      slot: [{ reference: `Slot/${id}` }],
      participant: [
        { actor: { reference: `Patient/p${i + 1}` }, status: 'accepted' },
        { actor: { reference: 'PractitionerRole/anjali' }, status: 'accepted' },
      ],
    })
  }
  return ctx
}

/** Messages of an event by their patient: `p1 doctor-absent`, sorted. */
async function told(ctx: TestContext, ...events: string[]): Promise<string[]> {
  const { rows } = await ctx.storage.history({ type: 'Communication' }, { limit: 1000, total: 'none' })
  return rows
    .filter(({ version }) => version === 1)
    .map(row => JSON.parse(row.text!))
    .map(one => `${one.recipient[0].reference.split('/')[1]} ${one.category[0].coding[0].code}`)
    .filter(one => events.some(event => one.endsWith(event)))
    .sort()
}
const byName = (
  answer: { parameter: { name: string; valueReference?: { reference: string } }[] },
  name: string,
) => answer.parameter.filter(one => one.name === name).map(one => one.valueReference!.reference)
const statuses = (ctx: TestContext, keys: readonly string[]) =>
  Promise.all(keys.map(async key => (await stored(ctx, key)).status))

/** The texts that a patient was sent of an event. */
async function texts(ctx: TestContext, patient: string, event: string): Promise<string[]> {
  const { rows } = await ctx.storage.history({ type: 'Communication' }, { limit: 1000, total: 'none' })
  return rows
    .filter(({ version }) => version === 1)
    .map(row => JSON.parse(row.text!))
    .filter(one => one.recipient[0].reference === patient && one.category[0].coding[0].code === event)
    .map(one => one.payload[0].contentString)
}

describe('$absent', () => {
  it('moves whom it can, cancels the rest, closes the day and tells each once', async () => {
    const ctx = await week()
    const answer = await call(ctx, 'absent', PLACE, [DAY])
    expect(byName(answer, 'moved')).toEqual(['Appointment/a0', 'Appointment/a1', 'Appointment/a2'])
    expect(byName(answer, 'cancelled')).toEqual(['Appointment/a3', 'Appointment/a4'])
    expect(answer.parameter[0]).toEqual({ name: 'blocked', valueInteger: 6 })
    const moved = await stored(ctx, 'Appointment/a1')
    expect([moved.status, moved.start, moved.slot]).toEqual([
      'booked',
      '2026-11-24T03:40:00.000Z',
      [{ reference: 'Slot/s-2026-11-24-1' }],
    ])
    expect((await stored(ctx, 'Appointment/a4')).cancelationReason).toEqual({
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason',
          code: 'prov',
          display: 'Provider',
        },
      ],
    })
    const monday = Array.from({ length: 6 }, (_, i) => `Slot/s-2026-11-23-${i}`)
    expect(new Set(await statuses(ctx, monday))).toEqual(new Set(['busy-unavailable']))
    expect(await told(ctx, 'doctor-absent', 'cancelled', 'rescheduled')).toEqual(
      [1, 2, 3, 4, 5].map(i => `p${i} doctor-absent`),
    )
    const [text] = await texts(ctx, 'Patient/p1', 'doctor-absent')
    expect(text).toMatch(/23 November 2026, 9:00 AM .*New time: .*24 November 2026, 9:00 AM/)
    expect((await texts(ctx, 'Patient/p5', 'doctor-absent'))[0]).not.toContain('New time')
    expect((await stored(ctx, 'PractitionerRole/anjali')).notAvailable).toEqual([
      { description: 'Absent', during: { start: '2026-11-23', end: '2026-11-23' } },
    ])
    const error = await refusal(
      create(ctx, 'Appointment', {
        ...appointment(9),
        start: '2026-11-23T03:30:00Z',
        end: '2026-11-23T03:40:00Z',
        slot: [{ reference: 'Slot/s-2026-11-23-0' }],
      }),
    )
    expect([error.status, error.issues[0]?.rule]).toEqual([409, 'slot-unavailable'])
  })

  it('goes on where it was broken off, after any of its commits, and tells nobody twice', async () => {
    for (const commits of [0, 1, 2, 4, 6]) {
      const ctx = await week()
      let left = commits
      const { storage } = ctx
      const breaking: TestContext = {
        ...ctx,
        storage: Object.assign(Object.create(storage), {
          commit: (one: Parameters<typeof storage.commit>[0]) => {
            if (left-- === 0) throw new Error('killed')
            return storage.commit(one)
          },
        }),
      }
      await expect(call(breaking, 'absent', PLACE, [DAY])).rejects.toThrow('killed')
      await call(ctx, 'absent', PLACE, [DAY])
      const after = await call(ctx, 'absent', PLACE, [DAY])
      expect(plain(after.parameter)).toEqual([{ name: 'blocked', valueInteger: 0 }])
      expect(await told(ctx, 'doctor-absent', 'cancelled', 'rescheduled')).toEqual(
        [1, 2, 3, 4, 5].map(i => `p${i} doctor-absent`),
      )
      expect((await stored(ctx, 'PractitionerRole/anjali')).notAvailable).toHaveLength(1)
    }
  })

  it('pressed twice at once tells nobody twice and moves nobody twice', async () => {
    const ctx = await week()
    await Promise.all([call(ctx, 'absent', PLACE, [DAY]), call(ctx, 'absent', PLACE, [DAY])])
    expect(await told(ctx, 'doctor-absent')).toEqual([1, 2, 3, 4, 5].map(i => `p${i} doctor-absent`))
    expect(
      (
        await statuses(
          ctx,
          [0, 1, 2, 3, 4].map(i => `Appointment/a${i}`),
        )
      ).sort(),
    ).toEqual(['booked', 'booked', 'booked', 'cancelled', 'cancelled'])
  })

  it('without moving cancels all, and their tokens leave the queue', async () => {
    const ctx = await week()
    await take(ctx, 1, 'Appointment/a0', '2026-11-23')
    const answer = await call(ctx, 'absent', PLACE, [DAY, { name: 'move', value: 'false' }])
    expect(byName(answer, 'cancelled')).toHaveLength(5)
    const tokens = await tokensOf(ctx, { owner: DOCTOR as Key, category: 'General', day: '2026-11-23' })
    expect(tokens.map(({ state }) => state)).toEqual(['cancelled'])
  })

  it('passes over slots where the patient is elsewhere, and those that are taken', async () => {
    const ctx = await week()
    await create(ctx, 'Appointment', {
      ...appointment(1),
      start: '2026-11-24T03:30:00Z',
      end: '2026-11-24T03:40:00Z',
      participant: [
        { actor: { reference: 'Patient/p1' }, status: 'accepted' },
        { actor: { reference: 'Practitioner/thomas' }, status: 'accepted' },
      ],
    })
    await call(ctx, 'absent', PLACE, [DAY])
    expect((await stored(ctx, 'Appointment/a0')).start).toBe('2026-11-24T03:40:00.000Z')
    expect((await stored(ctx, 'Appointment/a1')).start).toBe('2026-11-24T03:30:00.000Z')
  })

  it('refuses what is no day, and a day that is over', async () => {
    const ctx = await clinic()
    const rule = async (day: string) => {
      const error = await refusal(call(ctx, 'absent', PLACE, [{ name: 'day', value: day }]))
      return [error.status, error.code]
    }
    expect(await rule('2026-13-01')).toEqual([400, 'value'])
    expect(await rule('2026-11')).toEqual([400, 'value'])
    expect(await rule('2026-11-20')).toEqual([422, 'business-rule'])
  })
})

describe('$late', () => {
  const late = (ctx: TestContext, minutes: number) =>
    call(ctx, 'late', PLACE, [{ name: 'minutes', value: String(minutes) }, DAY])
  const expected = async (ctx: TestContext, i: number) =>
    (
      (await stored(ctx, `Appointment/a${i}`)).extension as
        | { url: string; valueDateTime?: string }[]
        | undefined
    )?.find(({ url }) => url === 'urn:nadi:extension:expected-start')?.valueDateTime

  it('shifts what is expected of all who are still to come, and tells each once for each new time', async () => {
    const ctx = await week()
    await set(ctx, 'Appointment/a0', { status: 'fulfilled' })
    await set(ctx, 'Appointment/a1', { status: 'cancelled' })
    await late(ctx, 20)
    const again = await late(ctx, 20)
    expect(byName(again, 'changed')).toEqual([])
    expect(await Promise.all([0, 1, 2, 3].map(i => expected(ctx, i)))).toEqual([
      undefined,
      undefined,
      '2026-11-23T04:10:00.000Z',
      '2026-11-23T04:20:00.000Z',
    ])
    expect((await stored(ctx, 'Appointment/a2')).start).toBe('2026-11-23T03:50:00.000Z')
    expect(await told(ctx, 'doctor-late')).toEqual(['p3 doctor-late', 'p4 doctor-late', 'p5 doctor-late'])
    expect((await texts(ctx, 'Patient/p3', 'doctor-late'))[0]).toMatch(
      /9:20 AM .*about 20 minutes: .*9:40 AM/,
    )
    await late(ctx, 40)
    expect(await told(ctx, 'doctor-late', 'rescheduled')).toHaveLength(6)
    await late(ctx, 0)
    expect(await expected(ctx, 2)).toBeUndefined()
  })

  it('says nothing of a visit that has been moved to another day since', async () => {
    const ctx = await week()
    await late(ctx, 20)
    await set(ctx, 'Appointment/a0', {
      start: '2026-11-24T03:30:00Z',
      end: '2026-11-24T03:40:00Z',
      slot: [{ reference: 'Slot/s-2026-11-24-0' }],
    })
    const [visit] = await dayList(ctx, DOCTOR, '2026-11-24')
    expect([visit?.progress, visit?.expected]).toEqual(['booked', undefined])
    expect((await dayList(ctx, DOCTOR, '2026-11-23'))[0]?.expected).toBe(Date.UTC(2026, 10, 23, 4, 0))
  })

  it('pressed twice at once tells each once', async () => {
    const ctx = await week()
    await Promise.all([late(ctx, 20), late(ctx, 20), late(ctx, 20)])
    expect(await told(ctx, 'doctor-late')).toHaveLength(5)
  })

  it('concerns who has come, however late it is, and not who has not', async () => {
    const ctx = await clinic()
    const early = { start: '2026-11-21T04:00:00Z', end: '2026-11-21T04:10:00Z' }
    const waits = await create(ctx, 'Appointment', { ...appointment(1), ...early, status: 'arrived' })
    const missed = await create(ctx, 'Appointment', {
      ...appointment(2),
      start: '2026-11-21T04:10:00Z',
      end: '2026-11-21T04:20:00Z',
    })
    const answer = await call(ctx, 'late', PLACE, [
      { name: 'minutes', value: '90' },
      { name: 'day', value: TODAY },
    ])
    expect(byName(answer, 'changed')).toEqual([waits.stored.key])
    expect(missed.created).toBe(true)
  })

  it('is 0 to 720 minutes', async () => {
    const ctx = await clinic()
    expect((await refusal(late(ctx, 721))).code).toBe('value')
    expect((await refusal(late(ctx, -1))).code).toBe('value')
  })
})
