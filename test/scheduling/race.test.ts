/** The race for two slots through two server processes on one SQLite file, and on one MongoDB database. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { startServer } from '../runtime/server.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { raceSuite } from './race.suite.ts'

const two = (storage: Record<string, string>) => async (more: Record<string, string>) => {
  const env = { ...storage, ...more }
  const servers = await Promise.all([startServer({ env }), startServer({ env })])
  return {
    bases: servers.map(server => server.base),
    stop: async () => {
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

/** Three times that on MongoDB: its server, too, runs on the two cores that the other tests share (docs/scheduling.md has the figure without them). */
const LOSERS_KNOW_MS = 5000

describe('two servers on one SQLite file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-race-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const storage = { NADI_STORAGE: `sqlite:${join(folder, 'nadi.db')}`, NADI_SYNC: 'normal' }
  raceSuite(two(storage), LOSERS_KNOW_MS)
})

const mongo = await startMongo()
if ('skip' in mongo) it.skip(`the race on MongoDB: ${mongo.skip}`, () => {})
else
  describe('two servers on one MongoDB database', () => {
    afterAll(() => mongo.stop())
    raceSuite(two({ NADI_STORAGE: mongo.uri }), 3 * LOSERS_KNOW_MS)
  })
