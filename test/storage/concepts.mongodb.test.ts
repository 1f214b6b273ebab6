import { describe, it } from 'vitest'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { conceptsContract } from './concepts.ts'
import { startMongo } from './mongodb-server.ts'
import { silent } from './silent-log.ts'

const server = await startMongo()

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it('large code systems', () => {}))
else
  conceptsContract('mongodb', async clock => {
    const uri = server.uri
    const storage = await openMongo(uri, { clock, log: silent })
    const second = await openMongo(uri, { clock, log: silent })
    return {
      storage,
      second,
      close: async () => {
        await second.close()
        await storage.close()
        await server.stop()
      },
    }
  })
