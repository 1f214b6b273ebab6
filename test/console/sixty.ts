/** A day of sixty patients at a clinic, in the middle of the morning, served from this process. */
import { serve } from '@hono/node-server'
import { createApp, underRules } from '../../src/app.ts'
import type { Resource } from '../../src/fhir/json.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import { tokenTask } from '../../src/scheduling/token.ts'
import { type Step, step } from '../../src/scheduling/token-steps.ts'
import { type TestContext, testContext } from '../interactions/context.ts'

/** START of the test clock is 10:41 in Kolkata. */
export const TODAY = '2026-11-21'
const FIRST = Date.UTC(2026, 10, 21, 3, 0)
const MINUTES = 8

const GIVEN =
  'Aisha Biju Chitra Devika Eldho Fathima Gopika Hari Indira Jaison Kavya Latha Manoj Neethu Omana'
const FAMILY = 'Nair Kurian Pillai Varghese Menon'
const names = GIVEN.split(' ').flatMap(given => FAMILY.split(' ').map(family => `${given} ${family}`))
export const LONG = 'Padmanabhan Sankaranarayanan Thirumulpad Kizhakkeveettil Puthenpurackal'
export const HOSTILE = '<img src=x onerror=alert(1)>'

/** Returns patient `i`, 1 to 60: one has a long name, one a name in Malayalam, and one a name that is markup. */
const patient = (i: number): Resource => {
  const text = i === 7 ? LONG : i === 12 ? 'മീര നായർ' : i === 33 ? HOSTILE : names[i]!
  return {
    resourceType: 'Patient',
    id: `p${i}`,
    name: [{ text }],
    gender: i % 3 === 0 ? 'male' : 'female',
    birthDate: i === 20 ? '2026-03-02' : `${1940 + ((i * 7) % 75)}-05-14`,
  }
}

/** 1 to 14 are done, 15 and 16 did not come, 17 is with the doctor, 18 is called, 19 skipped, 20 to 31 wait, 32 was cancelled. */
const statusOf = (i: number): string =>
  i <= 14 ? 'fulfilled' : i <= 16 ? 'noshow' : i <= 31 ? 'arrived' : i === 32 ? 'cancelled' : 'booked'

const appointment = (i: number): Resource => {
  const at = FIRST + (i - 1) * MINUTES * 60_000
  const expected =
    i >= 20 ? [{ url: 'urn:nadi:extension:expected-start', valueDateTime: time(at + 20 * 60_000) }] : []
  return {
    resourceType: 'Appointment',
    id: `a${i}`,
    status: 'booked',
    start: time(at),
    end: time(at + MINUTES * 60_000),
    ...(expected.length > 0 && { extension: expected }),
    participant: [
      { actor: { reference: `Patient/p${i}` }, status: 'accepted' },
      { actor: { reference: 'Practitioner/anjali' }, status: 'accepted' },
    ],
  }
}
const time = (at: number): string => new Date(at).toISOString()
const put = (resource: Resource) => ({
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${String(resource.id)}` },
})
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

export async function clinicOfSixty(): Promise<TestContext> {
  const ctx = underRules(await testContext({ limits: { entries: 1000 } })) as TestContext
  await update(ctx, 'Practitioner', 'anjali', {
    resourceType: 'Practitioner',
    id: 'anjali',
    name: [{ text: 'Dr Anjali Menon' }],
  })
  await update(ctx, 'Schedule', 'anjali', {
    resourceType: 'Schedule',
    id: 'anjali',
    actor: [{ reference: 'Practitioner/anjali' }],
  })
  const store = (entry: object[]) =>
    transaction(ctx, { resourceType: 'Bundle', type: 'transaction', entry } as unknown as Resource)
  await store([...numbers(1, 60), 61, 62].map(i => put(patient(i))))
  await store(numbers(1, 60).map(i => put(appointment(i))))
  const token = (i: number, of: string | undefined) => ({
    ...tokenTask({ appointment: of, patient: `Patient/p${i}`, owner: 'Practitioner/anjali', day: TODAY }),
    id: `t${i}`,
  })
  await store(numbers(1, 50).map(i => put(token(i, `Appointment/a${i}`))))
  await store([61, 62].map(i => put(token(i, undefined))))
  await store(
    numbers(1, 60)
      .filter(i => statusOf(i) !== 'booked')
      .map(i => put({ ...appointment(i), status: statusOf(i) })),
  )
  const done: [number, Step][] = [
    [17, 'serve'],
    [19, 'skip'],
    [18, 'call'],
  ]
  for (const [i, what] of done) await step(ctx, `t${i}`, what)
  return ctx
}

export interface Served {
  base: string
  /** Ends the server; connections too. */
  stop(): Promise<void>
}

/** Serves the application on a port; 0 for any. */
export function served(ctx: TestContext, port = 0): Promise<Served> {
  const app = createApp({ ctx, metrics: createMetrics('0.0.0'), urlLimit: 8192 })
  return new Promise(resolve => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, info =>
      resolve({
        base: `http://127.0.0.1:${info.port}`,
        stop: () =>
          new Promise<void>(done => {
            server.close(() => done())
            ;(server as import('node:http').Server).closeAllConnections()
          }),
      }),
    )
  })
}
