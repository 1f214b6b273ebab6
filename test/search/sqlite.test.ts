import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { memoryDriver } from '../../src/storage/sqlite/node-memory.ts'
import { sqlStorage } from '../../src/storage/sqlite/store.ts'
import { silent } from '../storage/silent-log.ts'
import { searchOnStorage } from './on-storage.ts'

searchOnStorage('sqlite', async clock => {
  const storage = await openSqlite({ path: ':memory:', sync: 'full', clock, log: silent })
  return { storage, close: () => storage.close() }
})

searchOnStorage('sqlite, walking the index of the order always', async clock => {
  const storage = sqlStorage(memoryDriver(), {
    name: 'sqlite',
    maxBody: 1e9,
    pieceLength: 1e9,
    cancels: false,
    shared: false,
    clock,
    gathers: 0,
  })
  return { storage, close: () => storage.close() }
})
