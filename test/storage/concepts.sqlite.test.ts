import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { conceptsContract } from './concepts.ts'
import { silent } from './silent-log.ts'

conceptsContract('sqlite in a file', async clock => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-concepts-'))
  const path = join(folder, 'nadi.db')
  const storage = await openSqlite({ path, sync: 'full', clock, log: silent })
  const second = await openSqlite({ path, sync: 'full', clock, log: silent })
  return {
    storage,
    second,
    close: async () => {
      await second.close()
      await storage.close()
      rmSync(folder, { recursive: true })
    },
  }
})

conceptsContract('sqlite in memory', async clock => {
  const storage = await openSqlite({ path: ':memory:', sync: 'full', clock, log: silent })
  return { storage, close: () => storage.close() }
})
