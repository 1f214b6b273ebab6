import { describe, it } from 'vitest'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { silent } from '../storage/silent-log.ts'
import { searchOnStorage } from './on-storage.ts'

const server = await startMongo()

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it('search', () => {}))
else
  searchOnStorage('mongodb', async clock => {
    const storage = await openMongo(server.uri, { clock, log: silent })
    return {
      storage,
      close: async () => {
        await storage.close()
        await server.stop()
      },
    }
  })
