/** A clinic with a queue, on a store in memory under the rules of the application. */
import { underRules } from '../../src/app.ts'
import { isObject, NumberText, type Resource } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { read } from '../../src/interactions/read.ts'
import { update } from '../../src/interactions/update.ts'
import { resourceOf } from '../../src/scheduling/calendar.ts'
import { tokenTask } from '../../src/scheduling/token.ts'
import { resource, type TestContext, testContext } from '../interactions/context.ts'

/** START of the test clock is 21 November 2026, 10:41 in Kolkata. */
export const TODAY = '2026-11-21'
export const DOCTOR = 'Practitioner/anjali'

export async function clinic(): Promise<TestContext> {
  const ctx = underRules(await testContext()) as TestContext
  await update(
    ctx,
    'Practitioner',
    'anjali',
    resource('{"resourceType":"Practitioner","id":"anjali","name":[{"text":"Dr Anjali Menon"}]}'),
  )
  await update(ctx, 'Practitioner', 'thomas', resource('{"resourceType":"Practitioner","id":"thomas"}'))
  for (let i = 1; i <= 9; i++) await patientOf(ctx, i)
  return ctx
}

export const patientOf = (ctx: TestContext, i: number) =>
  update(
    ctx,
    'Patient',
    `p${i}`,
    resource(`{"resourceType":"Patient","id":"p${i}","name":[{"text":"Patient ${i}"}]}`),
  )

/** An appointment of today, `i` times ten minutes after 11:00 in Kolkata. */
export const appointment = (i: number, members: Record<string, string> = {}): Resource => {
  const at = Date.UTC(2026, 10, 21, 5, 30) + i * 600_000
  return {
    resourceType: 'Appointment',
    status: 'booked',
    start: new Date(at).toISOString(),
    end: new Date(at + 600_000).toISOString(),
    participant: [
      { actor: { reference: `Patient/p${i}` }, status: 'accepted' },
      { actor: { reference: DOCTOR }, status: 'accepted' },
    ],
    ...members,
  }
}

export const book = async (ctx: TestContext, i: number): Promise<string> =>
  (await create(ctx, 'Appointment', appointment(i))).stored.key

/** Stores a token of patient `i` in the doctor's queue; returns its key. */
export async function take(
  ctx: TestContext,
  i: number,
  of: string | undefined = undefined,
  day = TODAY,
): Promise<string> {
  const task = tokenTask({ appointment: of, patient: `Patient/p${i}`, owner: DOCTOR, day })
  return (await create(ctx, 'Task', task)).stored.key
}

export const stored = async (ctx: TestContext, key: string): Promise<Resource> => {
  const [type, id] = key.split('/') as [string, string]
  return resourceOf(await read(ctx, type, id))
}

/** Writes the resource as it is with other members. */
export async function set(ctx: TestContext, key: string, members: Record<string, unknown>): Promise<void> {
  const [type, id] = key.split('/') as [string, string]
  await update(ctx, type, id, { ...(await stored(ctx, key)), ...members } as Resource)
}

/** A tree with plain numbers, to be compared. */
export function plain(value: unknown): unknown {
  if (value instanceof NumberText) return Number(value.text)
  if (Array.isArray(value)) return value.map(plain)
  if (isObject(value as Resource))
    return Object.fromEntries(Object.entries(value as Resource).map(([name, one]) => [name, plain(one)]))
  return value
}

/** Returns the context with something that happens between what the next commit has read and the commit itself. */
export function interrupted(ctx: TestContext, happens: () => Promise<unknown>): TestContext {
  const { storage } = ctx
  let isFirst = true
  return {
    ...ctx,
    storage: Object.assign(Object.create(storage), {
      commit: async (one: Parameters<typeof storage.commit>[0]) => {
        if (isFirst) {
          isFirst = false
          await happens()
        }
        return storage.commit(one)
      },
    }),
  }
}
