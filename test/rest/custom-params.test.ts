/** Custom search parameters on Node: two servers on one SQLite file, and two on one MongoDB database. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { startServer } from '../runtime/server.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { customParamsSuite } from './custom-params.suite.ts'

describe('custom search parameters of two servers on one SQLite file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-params-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const env = { NADI_STORAGE: `sqlite:${join(folder, 'nadi.db')}`, NADI_SYNC: 'normal' }
  customParamsSuite(() => startServer({ env }), 6000)
})

const mongo = await startMongo()
if ('skip' in mongo) it.skip(`custom search parameters on MongoDB: ${mongo.skip}`, () => {})
else
  describe('custom search parameters of two servers on one MongoDB database', () => {
    afterAll(() => mongo.stop())
    customParamsSuite(() => startServer({ env: { NADI_STORAGE: mongo.uri } }), 100)
  })
