/** The contract of Care UHI on MongoDB. */
import { afterAll, describe, it } from 'vitest'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { careUhiSuite } from './care-uhi.suite.ts'

const mongo = await startMongo()

if ('skip' in mongo) {
  it.skip(`Care UHI on MongoDB: ${mongo.skip}`, () => {})
} else {
  afterAll(() => mongo.stop())
  describe('Care UHI on MongoDB', () => {
    careUhiSuite((clock, log) => openMongo(mongo.uri, { clock, log }), { brief: true })
  })
}
