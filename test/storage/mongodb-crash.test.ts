/**
 * Kills -9 in the middle of concurrent commits: 50 of a writing process, 4 of the database server beneath one. Nothing acknowledged is
 * lost, nothing is half done.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import type { Key, Storage } from '../../src/storage/port.ts'
import { startMongo } from './mongodb-server.ts'
import { silent } from './silent-log.ts'

const PROCESS_KILLS = 50
const SERVER_KILLS = 4

// A server that may be killed.
const server = await startMongo({ own: true })
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** A writing process and what it has told. */
interface Writer {
  process: ChildProcess
  /** The last round that each writer told as acknowledged. */
  told: Map<string, number>
  /** Resolves when it has told so many rounds. */
  reached(rounds: number): Promise<void>
  ended: Promise<void>
  errors: string
}

function startWriter(uri: string, name: string, type: string): Writer {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'mongodb-writer.ts'), uri, name, type], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const told = new Map<string, number>()
  let lines = 0
  let rest = ''
  let notify = (): void => {}
  const writer: Writer = {
    process: child,
    told,
    errors: '',
    ended: new Promise(resolve => child.once('close', () => resolve())),
    reached: async rounds => {
      while (lines < rounds) {
        if (child.exitCode !== null) throw new Error(`the writer ended by itself: ${writer.errors}`)
        await new Promise<void>(resolve => {
          notify = resolve
          setTimeout(resolve, 200)
        })
      }
    },
  }
  child.stderr!.on('data', (data: Buffer) => {
    writer.errors += data
  })
  child.stdout!.on('data', (data: Buffer) => {
    const parts = (rest + data).split('\n')
    rest = parts.pop()!
    for (const line of parts) {
      const [who, round] = line.split(' ')
      if (round === undefined) continue
      lines++
      told.set(who!, Number(round))
    }
    notify()
  })
  return writer
}

if ('skip' in server) describe.skip(`mongodb crash: ${server.skip}`, () => it('the crashes', () => {}))
else
  describe('mongodb crash', () => {
    let storage: Storage
    let client: MongoClient
    beforeAll(async () => {
      storage = await openMongo(server.uri, { clock: Date.now, log: silent })
      client = new MongoClient(server.uri)
    })
    afterAll(async () => {
      await storage.close()
      await client.close()
      await server.stop()
    })

    /** Checks all that one writing process left behind against what it told. */
    const check = async (type: string, told: ReadonlyMap<string, number>): Promise<number> => {
      const resources = await client
        .db()
        .collection<{ _id: string; v: number; lu: number; pending?: { id: string }[] }>('resources')
        .find({ t: type })
        .toArray()
      const byKey = new Map(resources.map(doc => [doc._id, doc]))
      const jobIds = new Set(resources.flatMap(doc => (doc.pending ?? []).map(job => job.id)))
      const writers = new Set([...byKey.keys()].map(key => /\/(.*?-\d+)-/.exec(key)![1]!))
      for (const who of told.keys()) writers.add(who.replace('-single', ''))
      let commits = 0
      for (const who of writers) {
        const head: Key = `${type}/${who}-head`
        const rounds = byKey.get(head)?.v ?? 0
        commits += rounds
        // Nothing acknowledged is lost; at most the one under way is there untold.
        expect(rounds, who).toBeGreaterThanOrEqual(told.get(who) ?? 0)
        expect(rounds, who).toBeLessThanOrEqual((told.get(who) ?? 0) + 1)
        // Nothing is half done: head, counter, leaves, jobs and history say the same.
        expect(await storage.counter(who)).toBe(rounds)
        const leaves = [...byKey.keys()].filter(key => key.startsWith(`${type}/${who}-leaf-`))
        expect(leaves.length, who).toBe(rounds)
        expect([...jobIds].filter(id => id.startsWith(`${who}-job-`)).length, who).toBe(rounds)
        const versions: number[] = []
        const page = await storage.history({ key: head }, { limit: 10_000, total: 'none' })
        for (const row of page.rows) {
          versions.push(row.version)
          expect(row.text).toContain(`"versionId":"${row.version}"`)
        }
        expect(versions, who).toEqual(Array.from({ length: rounds }, (_, i) => rounds - i))
        const last = byKey.get(`${type}/${who}-leaf-${rounds}`)
        if (rounds > 0) expect(last!.lu).toBe(byKey.get(head)!.lu)
        const singles = [...byKey.keys()].filter(key => key.startsWith(`${type}/${who}-single-`)).length
        expect(singles, who).toBeGreaterThanOrEqual(told.get(`${who}-single`) ?? 0)
        expect(singles, who).toBeLessThanOrEqual((told.get(`${who}-single`) ?? 0) + 1)
      }
      return commits
    }

    it(`${PROCESS_KILLS} kills of a writing process`, async () => {
      let next = startWriter(server.uri, 'k0', 'KillA')
      const all = new Map<string, number>()
      for (let kill = 0; kill < PROCESS_KILLS; kill++) {
        const writer = next
        // The next one starts up meanwhile, and writes into the crash of this one.
        if (kill + 1 < PROCESS_KILLS) next = startWriter(server.uri, `k${kill + 1}`, 'KillA')
        await writer.reached(5 + ((kill * 7) % 20))
        writer.process.kill('SIGKILL')
        await writer.ended
        expect(writer.errors).toBe('')
        for (const [who, round] of writer.told) all.set(who, round)
      }
      expect(await check('KillA', all)).toBeGreaterThan(PROCESS_KILLS * 4)
    }, 240_000)

    it(`${SERVER_KILLS} kills of the database server beneath a writing process`, async () => {
      const writer = startWriter(server.uri, 's', 'KillB')
      let rounds = 0
      for (let kill = 0; kill < SERVER_KILLS; kill++) {
        rounds = [...writer.told.values()].reduce((sum, n) => sum + n, 0) + 40 + kill * 5
        await writer.reached(rounds)
        await server.kill9()
        await sleep(kill * 10)
        await server.restart()
      }
      await writer.reached(rounds + 40)
      writer.process.kill('SIGKILL')
      await writer.ended
      expect(writer.errors).toBe('')
      expect(await check('KillB', writer.told)).toBeGreaterThan(SERVER_KILLS * 8)
    }, 240_000)
  })
