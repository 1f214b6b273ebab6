import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { memoryDriver } from '../../src/storage/sqlite/node-memory.ts'
import { type SqlStorageOptions, sqlStorage } from '../../src/storage/sqlite/store.ts'
import { silent } from '../storage/silent-log.ts'
import { agreesWithMatch } from './agree.ts'

agreesWithMatch(
  'sqlite in a file',
  async clock => {
    const folder = mkdtempSync(join(tmpdir(), 'nadi-agree-'))
    const storage = await openSqlite({ path: join(folder, 'nadi.db'), sync: 'normal', clock, log: silent })
    return {
      storage,
      close: async () => {
        await storage.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
  { searches: 600 },
)

const planned = (name: string, options: Pick<SqlStorageOptions, 'gathers' | 'patience'>): void =>
  agreesWithMatch(
    name,
    async clock => {
      const storage = sqlStorage(memoryDriver(), {
        name: 'sqlite',
        maxBody: 1e9,
        pieceLength: 1e9,
        cancels: false,
        shared: false,
        clock,
        ...options,
      })
      return { storage, close: () => storage.close() }
    },
    { searches: 600 },
  )

planned('sqlite, walking the index of the order always', { gathers: 0 })
planned('sqlite, gathering a few, giving up a walk after some steps', { gathers: 3, patience: 1 })
