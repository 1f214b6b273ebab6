import { d1Storage } from '../../src/storage/sqlite/d1.ts'
import { openD1 } from '../storage/d1-database.ts'
import { searchOnStorage } from './on-storage.ts'

searchOnStorage('d1', async clock => {
  const { db, close } = await openD1('nadi-search')
  return { storage: d1Storage(db, { clock }), close }
})
