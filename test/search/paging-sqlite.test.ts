import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from '../storage/silent-log.ts'
import { pagingSuite } from './paging.suite.ts'

pagingSuite(
  'two instances on one SQLite file',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nadi-paging-'))
    const path = join(folder, 'nadi.db')
    const options = { path, sync: 'normal', clock: Date.now, log: silent } as const
    const storages = [await openSqlite(options), await openSqlite(options)]
    return {
      storages,
      close: async () => {
        for (const storage of storages) await storage.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
  { patients: 3000, locations: 1000, count: 100, pause: 2 },
)
