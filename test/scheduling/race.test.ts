/** The race for two slots through two server processes on one SQLite file, and on one MongoDB database. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { startServer } from '../runtime/server.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { RACE_ENV, raceSuite } from './race.suite.ts'

const two = (env: Record<string, string>) => async () => {
  const servers = await Promise.all([startServer({ env }), startServer({ env })])
  return {
    bases: servers.map(server => server.base),
    stop: async () => {
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

describe('two servers on one SQLite file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-race-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const storage = { NADI_STORAGE: `sqlite:${join(folder, 'nadi.db')}`, NADI_SYNC: 'normal' }
  raceSuite(two({ ...storage, ...RACE_ENV }))
})

const mongo = await startMongo()
if ('skip' in mongo) it.skip(`the race on MongoDB: ${mongo.skip}`, () => {})
else
  describe('two servers on one MongoDB database', () => {
    afterAll(() => mongo.stop())
    raceSuite(two({ NADI_STORAGE: mongo.uri, ...RACE_ENV }))
  })
