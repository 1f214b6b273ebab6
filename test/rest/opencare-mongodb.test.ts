/** The appointment API of OpenCare on MongoDB. */
import { afterAll, describe, it } from 'vitest'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { openCareSuite } from './opencare.suite.ts'

const mongo = await startMongo()

if ('skip' in mongo) {
  it.skip(`OpenCare on MongoDB: ${mongo.skip}`, () => {})
} else {
  afterAll(() => mongo.stop())
  describe('OpenCare on MongoDB', () => {
    openCareSuite((clock, log) => openMongo(mongo.uri, { clock, log }), { brief: true })
  })
}
