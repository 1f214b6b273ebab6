import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from '../storage/silent-log.ts'
import { searchOnStorage } from './on-storage.ts'

searchOnStorage('sqlite', async clock => {
  const storage = await openSqlite({ path: ':memory:', sync: 'full', clock, log: silent })
  return { storage, close: () => storage.close() }
})
