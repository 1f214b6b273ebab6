/** The contract of Care UHI on SQLite. */
import { describe } from 'vitest'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { careUhiSuite } from './care-uhi.suite.ts'

describe('Care UHI on SQLite', () => {
  careUhiSuite((clock, log) => openSqlite({ path: ':memory:', sync: 'normal', clock, log }))
})
