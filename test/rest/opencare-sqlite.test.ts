/** The appointment API of OpenCare on SQLite. */
import { describe } from 'vitest'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { openCareSuite } from './opencare.suite.ts'

describe('OpenCare on SQLite', () => {
  openCareSuite((clock, log) => openSqlite({ path: ':memory:', sync: 'normal', clock, log }))
})
