import { d1Storage } from '../../src/storage/sqlite/d1.ts'
import { openD1 } from '../storage/d1-database.ts'
import { agreesWithMatch } from './agree.ts'

agreesWithMatch(
  'd1',
  async clock => {
    const { db, close } = await openD1('nadi-agree')
    return { storage: d1Storage(db, { clock }), close }
  },
  { searches: 160 },
)
