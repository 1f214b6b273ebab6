import type { D1Database } from '@cloudflare/workers-types'
import { createTestHarness } from 'wrangler'
import { d1Storage } from '../../src/storage/sqlite/d1.ts'
import { searchOnStorage } from './on-storage.ts'

searchOnStorage('d1', async clock => {
  const harness = createTestHarness({
    workers: [
      {
        config: {
          name: 'nadi-search',
          main: 'test/storage/d1-worker.ts',
          compatibility_date: '2026-10-01',
          d1_databases: [
            {
              binding: 'DB',
              database_name: 'nadi',
              database_id: '00000000-0000-0000-0000-000000000000',
              migrations_dir: 'src/storage/sqlite/migrations',
            },
          ],
        },
      },
    ],
  })
  await harness.listen()
  const worker = harness.getWorker<{ DB: D1Database }>()
  await worker.applyD1Migrations('DB')
  const { DB } = await worker.getEnv()
  return { storage: d1Storage(DB, { clock }), close: () => harness.close() }
})
