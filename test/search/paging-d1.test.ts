import { d1Storage } from '../../src/storage/sqlite/d1.ts'
import { openD1 } from '../storage/d1-database.ts'
import { pagingSuite } from './paging.suite.ts'

pagingSuite(
  'D1',
  async () => {
    const { db, close } = await openD1('nadi-paging')
    return { storages: [d1Storage(db, { clock: Date.now })], close }
  },
  { patients: 400, locations: 250, count: 50, pause: 25 },
)
