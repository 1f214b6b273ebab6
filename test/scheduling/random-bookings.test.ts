/** Random bookings through two server processes on one SQLite file, and on one MongoDB database. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { startServer } from '../runtime/server.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { randomBookingsSuite } from './random-bookings.suite.ts'

/** `NADI_TEST_BOOKINGS=10000` makes the long run of docs/scheduling.md. */
const COUNT = Number(process.env.NADI_TEST_BOOKINGS ?? 1200)

const two = (env: Record<string, string>) => async () => {
  const servers = [await startServer({ env }), await startServer({ env })]
  return {
    bases: servers.map(server => server.base),
    stop: async () => {
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

describe('two servers on one SQLite file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-bookings-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const env = {
    NADI_STORAGE: `sqlite:${join(folder, 'nadi.db')}`,
    NADI_SYNC: 'normal',
    NADI_NOTIFICATIONS: 'off',
  }
  randomBookingsSuite(two(env), { count: COUNT, ordered: true })
})

const mongo = await startMongo()
if ('skip' in mongo) it.skip(`random bookings on MongoDB: ${mongo.skip}`, () => {})
else
  describe('two servers on one MongoDB database', () => {
    afterAll(() => mongo.stop())
    randomBookingsSuite(two({ NADI_STORAGE: mongo.uri, NADI_NOTIFICATIONS: 'off' }), {
      count: Math.min(COUNT, process.env.NADI_TEST_BOOKINGS === undefined ? 400 : COUNT),
      ordered: false,
    })
  })
