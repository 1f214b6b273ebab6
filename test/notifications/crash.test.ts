/**
 * Instances that are killed at each named step of a delivery, again and again, while another goes on; mail server and provider fail, hang,
 * are slow and answer garbage meanwhile. The peers count what they accepted, and from whom.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from '../storage/silent-log.ts'
import { booking, type CountingPeers, PEOPLE, startCountingPeers } from './counting-peers.ts'
import type { CrashOptions, End } from './crash-child.ts'

const KILLS = 20
const STEPS: readonly End[] = ['after-commit', 'after-lease', 'after-send', 'before-record']
/** Kills between the record and the end of the job. */
const LATE_KILLS = 5
/** Processes that are on their way to their end at a time; one more lives on. */
const AT_ONCE = 2

let folder: string
let path: string
let peers: CountingPeers
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nadi-deliveries-'))
  path = join(folder, 'nadi.db')
  peers = await startCountingPeers({ hangEvery: 80 })
})
afterAll(async () => {
  await peers.close()
  rmSync(folder, { recursive: true })
})

/** Starts an instance; `name` is by which the peers know it. */
function start(name: string, step?: End) {
  const options: CrashOptions = {
    path,
    ...(step !== undefined && { step }),
    leaseMs: 4500,
    // Who is to be killed is to have the message.
    lookMs: step === undefined ? 300 : 5,
    env: { NADI_VALIDATE: 'off', ...peers.env(name) },
  }
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'crash-child.ts'), JSON.stringify(options)],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const gone = once(child, 'close').then(([code, signal]) => ({ code, signal }) as const)
  return {
    gone,
    kill: () => child.kill('SIGKILL'),
    /** Returns the next line; undefined where it has ended. */
    next: async () =>
      ((await lines.next()).value as string | undefined) ?? (errors ? `ended: ${errors}` : undefined),
    write: (resource: object) => child.stdin.write(`${JSON.stringify(resource)}\n`),
  }
}

it('kill -9 at each step of a delivery loses no message, and repeats one at most once a kill, with the same key', async () => {
  const survivor = start('survivor')
  expect(await survivor.next()).toBe('ready')
  for (const one of PEOPLE) {
    survivor.write(one)
    expect(await survivor.next()).toBe('written')
  }

  const times = (step: End, count: number) =>
    Array.from({ length: count }, (_, n) => ({ step, name: `${step}-${n}` }))
  const victims = [...STEPS.flatMap(step => times(step, KILLS)), ...times('after-record', LATE_KILLS)]
  const left = [...victims]
  let booked = 0
  const run = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      const victim = start(one.name, one.step)
      // It may meet its end at once over a message that another has left.
      expect([undefined, 'ready']).toContain(await victim.next())
      let ended: Awaited<typeof victim.gone> | undefined
      // The survivor may be quicker now and then.
      for (let tries = 0; ended === undefined && tries < 10; tries++) {
        const by = one.step === 'after-commit' ? victim : survivor
        by.write(booking(booked++))
        ended = await Promise.race([
          victim.gone,
          new Promise<undefined>(resolve => setTimeout(resolve, 1500, undefined)),
        ])
      }
      if (ended === undefined) victim.kill()
      expect({ ...one, ...ended }).toEqual({ ...one, code: null, signal: 'SIGKILL' })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))

  const db = new DatabaseSync(path, { readOnly: true })
  const waiting = () => db.prepare('SELECT count(*) AS n FROM outbox').get()!.n as number
  for (const deadline = Date.now() + 30_000; waiting() > 0 && Date.now() < deadline; )
    await new Promise(resolve => setTimeout(resolve, 50))
  survivor.kill()
  await survivor.gone
  expect(waiting()).toBe(0)
  db.close()
  const storage = await openSqlite({ path, sync: 'normal', clock: Date.now, log: silent })
  const texts = async (type: string) =>
    (await storage.scan(undefined, 10_000, [type])).rows.map(({ text }) => JSON.parse(text ?? ''))
  const appointments = await texts('Appointment')
  const communications = await texts('Communication')
  await storage.close()

  // Nothing is lost: whatever was booked is told by both channels, as far as our own record goes and at the receiving end.
  expect(appointments.length).toBeGreaterThanOrEqual(STEPS.length * KILLS - KILLS)
  expect(communications).toHaveLength(2 * appointments.length)
  expect(communications.filter(({ status }) => status !== 'completed')).toEqual([])
  const keys = communications.map(({ id, medium }) => `${medium[0].coding[0].code} ${id}`)
  expect([...peers.accepted.keys()].sort()).toEqual(keys.sort())

  // Whoever delivered before another did was killed before it wrote that down; nobody delivers twice.
  const repeats = [...peers.accepted.values()].flatMap(by => by.slice(0, -1))
  for (const by of peers.accepted.values()) expect(new Set(by).size).toBe(by.length)
  const early = [/^after-commit/, /^after-lease/]
  expect([...peers.accepted.values()].flat().filter(by => early.some(step => step.test(by)))).toEqual([])
  expect(repeats).not.toContain('survivor')
  // What is recorded is not sent again, though its job is still there.
  const lasts = new Set([...peers.accepted.values()].map(by => by.at(-1)))
  for (const { name } of times('after-record', LATE_KILLS)) expect([...lasts]).toContain(name)
  // The kills did fall between acceptance and record.
  expect(new Set(repeats).size).toBeGreaterThan(KILLS)
}, 120_000)
