/**
 * What a booking costs beside a plain transaction of as many resources, and on a full day beside an empty one: CPU ms of the process,
 * threads included, without HTTP.
 *
 * node --max-semi-space-size=6 --heap-growing-percent=100 bench/bookings.ts [days], the flags being those of `npm start`
 */
import { underRules } from '../src/app.ts'
import { readConfig, settingsOf } from '../src/config.ts'
import { type Context, systemContext } from '../src/context.ts'
import { parseJson, type Resource } from '../src/fhir/json.ts'
import { create } from '../src/interactions/create.ts'
import { transaction } from '../src/interactions/transaction.ts'
import type { Commit } from '../src/storage/port.ts'
import { openSqlite } from '../src/storage/sqlite/node.ts'

const [rounds = 3] = process.argv.slice(2).map(Number)
const DOCTORS = 20
const FULL = 100
const MINUTES = 5
const silent = { level: 'silent', debug() {}, info() {}, warn() {}, error() {} } as never

async function open(): Promise<Context> {
  const storage = await openSqlite({ path: ':memory:', sync: 'normal', clock: Date.now, log: silent })
  const settings = settingsOf(readConfig({}), 8080)
  return systemContext({ storage, settings, log: silent, version: 'bench' })
}

const tree = (value: object): Resource => parseJson(JSON.stringify(value)) as Resource
const bundle = (resources: readonly object[]): Resource =>
  tree({
    resourceType: 'Bundle',
    type: 'transaction',
    entry: resources.map(resource => {
      const { resourceType, id } = resource as { resourceType: string; id: string }
      return { resource, request: { method: 'PUT', url: `${resourceType}/${id}` } }
    }),
  })

const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
async function each(work: readonly (() => Promise<unknown>)[]): Promise<number> {
  const before = cpu()
  for (const one of work) await one()
  return (cpu() - before) / work.length
}

const start = Math.ceil(Date.now() / 864e5) * 864e5 + 2 * 864e5
const at = (day: number, place: number): string =>
  new Date(start + day * 864e5 + 3.5 * 36e5 + place * MINUTES * 60_000).toISOString()
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const slotId = (day: number, doctor: number, place: number): string => `s${day}-${doctor}-${place}`

const slots = (day: number, doctor: number, count: number): object[] =>
  range(count).map(place => ({
    resourceType: 'Slot',
    id: slotId(day, doctor, place),
    schedule: { reference: `Schedule/d${doctor}` },
    status: 'free',
    start: at(day, place),
    end: at(day, place + 1),
  }))

let patients = 0
const appointment = (day: number, doctor: number, place: number): Resource =>
  tree({
    resourceType: 'Appointment',
    status: 'booked',
    start: at(day, place),
    end: at(day, place + 1),
    slot: [{ reference: `Slot/${slotId(day, doctor, place)}` }],
    participant: [`Patient/p${patients++ % 1000}`, `Practitioner/d${doctor}`].map(reference => ({
      actor: { reference },
      status: 'accepted',
    })),
  })

async function clinic(ctx: Context): Promise<void> {
  const name = [{ text: 'Somebody', given: ['Some'], family: 'Body' }]
  const telecom = [{ system: 'phone', value: '+919800000000' }]
  const doctors = range(DOCTORS).flatMap(n => [
    { resourceType: 'Practitioner', id: `d${n}`, name },
    { resourceType: 'PractitionerRole', id: `r${n}`, practitioner: { reference: `Practitioner/d${n}` } },
    {
      resourceType: 'Schedule',
      id: `d${n}`,
      actor: [{ reference: `Practitioner/d${n}` }, { reference: `PractitionerRole/r${n}` }],
    },
  ])
  await transaction(ctx, bundle(doctors))
  await transaction(
    ctx,
    bundle(range(1000).map(n => ({ resourceType: 'Patient', id: `p${n}`, name, telecom }))),
  )
}

const plainCtx = await open()
const ctx = await open()
for (const one of [plainCtx, ctx]) await clinic(one)
const written: Commit[] = []
const noted: Context = {
  ...ctx,
  storage: {
    ...ctx.storage,
    commit: intent => {
      written.push(intent)
      return ctx.storage.commit(intent)
    },
  },
}
const ruled = underRules(noted)

/** Takes what is to be delivered out of the outbox, as a dispatcher would: unmeasured, since `bench/deliveries.ts` measures that. */
async function deliverAll(): Promise<void> {
  const { outbox } = ctx.storage
  for (;;) {
    const jobs = await outbox.take(1000, 'bench', 60_000)
    if (jobs.length === 0) return
    for (const { id, fence } of jobs) await outbox.done(id, fence)
  }
}

let day = 0
/** Returns CPU ms of a booking on a day of so many for each practitioner. */
async function bookings(perDoctor: number, days: number): Promise<number> {
  const work: (() => Promise<unknown>)[] = []
  for (const last = day + days; day < last; day++) {
    for (const doctor of range(DOCTORS)) await transaction(ctx, bundle(slots(day, doctor, perDoctor)))
    const today = day
    for (const place of range(perDoctor))
      for (const doctor of range(DOCTORS)) {
        const body = appointment(today, doctor, place)
        work.push(() => create(ruled, 'Appointment', body))
      }
  }
  await deliverAll()
  return each(work)
}

/** Returns CPU ms of a transaction that writes what a booking has written, without rules. */
async function plain(commits: readonly Commit[]): Promise<number> {
  const bundles = commits.map(({ changes }) =>
    bundle(changes.map(({ body }) => JSON.parse(body!.text) as object)),
  )
  return each(bundles.map(body => () => transaction(plainCtx, body)))
}

await bookings(10, 2)
await plain(written.splice(0))
for (const round of range(rounds)) {
  const thin = await bookings(1, 50)
  written.splice(0)
  const full = await bookings(FULL, 1)
  const commits = written.splice(0)
  const resources = commits.reduce((sum, { changes }) => sum + changes.length, 0) / commits.length
  const beside = await plain(commits)
  console.log(
    `| ${round + 1} | resources of a booking ${resources.toFixed(1)} | at 20 a day ${thin.toFixed(2)} ms | at 2,000 a day ${full.toFixed(2)} ms (${(full / thin).toFixed(2)} times) | plain transaction ${beside.toFixed(2)} ms (${(full / beside).toFixed(2)} times) |`,
  )
}
process.exit(0)
