/** A D1 database inside workerd, with the migrations applied, held from outside through wrangler's harness. */
import type { D1Database } from '@cloudflare/workers-types'
import { createTestHarness } from 'wrangler'

/** Returns a fresh database; `name` keeps the Workers of test files apart. */
export async function openD1(name: string): Promise<{ db: D1Database; close(): Promise<void> }> {
  const harness = createTestHarness({
    workers: [
      {
        config: {
          name,
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
  return { db: DB, close: () => harness.close() }
}
