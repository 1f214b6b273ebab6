/** Whole servers that are killed at a step of a delivery, beside one that goes on: on one SQLite file, and on MongoDB. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Step } from '../../src/notifications/dispatch.ts'
import { type RunningServer, startServer } from '../runtime/server.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { booking, type CountingPeers, PEOPLE, startCountingPeers } from './counting-peers.ts'

const mongo = await startMongo()
const folder = mkdtempSync(join(tmpdir(), 'nadi-servers-'))
let peers: CountingPeers
beforeAll(async () => {
  peers = await startCountingPeers({ hangEvery: 1000 })
})
afterAll(async () => {
  await peers.close()
  if (!('skip' in mongo)) await mongo.stop()
  rmSync(folder, { recursive: true })
})

const put = (base: string, resource: { resourceType: string; id: string }): Promise<Response> =>
  fetch(`${base}/${resource.resourceType}/${resource.id}`, {
    method: 'PUT',
    body: JSON.stringify(resource),
    headers: { 'Content-Type': 'application/fhir+json' },
  })

/** Returns the keys of messages in any of these states, as the peers name them. */
async function told(base: string, query: string): Promise<string[]> {
  const { entry = [] } = await (await fetch(`${base}/Communication?_count=1000&${query}`)).json()
  return entry.map(
    ({ resource }: { resource: { id: string; medium: { coding: { code: string }[] }[] } }) =>
      `${resource.medium[0]?.coding[0]?.code} ${resource.id}`,
  )
}

async function survive(storage: string, store: string, steps: readonly Step[]): Promise<void> {
  const start = (name: string, step?: Step): Promise<RunningServer> =>
    startServer({
      env: {
        NADI_STORAGE: storage,
        NADI_TEST_LEASE_MS: '4500',
        ...peers.env(name),
        ...(step !== undefined && { NADI_TEST_CRASH: step }),
      },
    })
  const survivor = await start(`${store}-survivor`)
  try {
    for (const one of PEOPLE) expect((await put(survivor.base, one)).status).toBe(201)
    for (const [n, step] of steps.entries()) {
      const victim = await start(`${store}-${step}`, step)
      await put(victim.base, booking(n, store)).catch(() => {})
      const deadline = Date.now() + 10_000
      while (victim.process.signalCode === null && Date.now() < deadline)
        await new Promise(resolve => setTimeout(resolve, 10))
      expect([step, victim.process.signalCode]).toEqual([step, 'SIGKILL'])
    }
    const deadline = Date.now() + 30_000
    while ((await told(survivor.base, 'status:not=completed')).length > 0 && Date.now() < deadline)
      await new Promise(resolve => setTimeout(resolve, 50))
    expect(await told(survivor.base, 'status:not=completed')).toEqual([])
    const keys = await told(survivor.base, 'status=completed')
    // One may have met its end over what another left, before it had booked.
    const { total } = await (await fetch(`${survivor.base}/Appointment?_summary=count`)).json()
    expect(total).toBeGreaterThan(0)
    expect(keys).toHaveLength(2 * total)
    const mine = [...peers.accepted].filter(([, [first]]) => first?.startsWith(store))
    expect(mine.map(([key]) => key).sort()).toEqual(keys.sort())
    for (const [, by] of mine) {
      expect(new Set(by).size).toBe(by.length)
      expect(by.slice(0, -1)).not.toContain(`${store}-survivor`)
    }
  } finally {
    await survivor.kill9()
  }
}

it('two servers on one SQLite file: one is killed after it sent, the other loses nothing', async () => {
  await survive(`sqlite:${join(folder, 'nadi.db')}`, 'sqlite', ['after-send'])
}, 60_000)

if ('skip' in mongo) it.skip(`on MongoDB: ${mongo.skip}`, () => {})
else
  it('servers on one MongoDB database: killed at each step, the one that is left loses nothing', async () => {
    await survive(mongo.uri, 'mongodb', ['after-commit', 'after-lease', 'after-send', 'before-record'])
  }, 90_000)
