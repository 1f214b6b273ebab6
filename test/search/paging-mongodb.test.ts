import { describe, it } from 'vitest'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { silent } from '../storage/silent-log.ts'
import { pagingSuite } from './paging.suite.ts'

const server = await startMongo()

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it('pages', () => {}))
else
  pagingSuite(
    'two instances on one MongoDB',
    async () => {
      const options = { clock: Date.now, log: silent }
      const storages = [await openMongo(server.uri, options), await openMongo(server.uri, options)]
      return {
        storages,
        close: async () => {
          for (const storage of storages) await storage.close()
          await server.stop()
        },
      }
    },
    { patients: 1500, locations: 600, count: 100, pause: 2 },
  )
