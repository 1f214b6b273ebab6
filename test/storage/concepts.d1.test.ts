import { d1Storage } from '../../src/storage/sqlite/d1.ts'
import { conceptsContract } from './concepts.ts'
import { openD1 } from './d1-database.ts'

conceptsContract('d1', async clock => {
  const { db, close } = await openD1('nadi-concepts')
  // Two objects on one database, as two isolates hold it.
  return { storage: d1Storage(db, { clock }), second: d1Storage(db, { clock }), close }
})
