/** The SQLite storages that the contracts are held on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from './silent-log.ts'

/** Opens a new file twice, as two server processes do. */
export async function inAFile(clock: () => number) {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-contract-'))
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
}

export async function inMemory(clock: () => number) {
  const storage = await openSqlite({ path: ':memory:', sync: 'full', clock, log: silent })
  return { storage, close: () => storage.close() }
}
