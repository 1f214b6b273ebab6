import { afterAll, describe, it } from 'vitest'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { silent } from '../storage/silent-log.ts'
import { agreesWithMatch } from './agree.ts'

const server = await startMongo()

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it('random searches', () => {}))
else {
  afterAll(() => server.stop())
  let databases = 0
  agreesWithMatch(
    'mongodb',
    async clock => {
      const uri = new URL(server.uri)
      uri.pathname += `_${databases++}`
      const storage = await openMongo(uri.href, { clock, log: silent })
      return { storage, close: () => storage.close() }
    },
    { searches: 200 },
  )
}
