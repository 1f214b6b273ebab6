/** Connections to a database file, with prepared statements kept. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Row } from './driver.ts'
import type { Param, Sql } from './sql.ts'

export interface Connection {
  readonly db: DatabaseSync
  /** Returns the rows of a statement; none where it gives none. */
  run(text: string, params: readonly Param[]): Row[]
  close(): void
}

/** Searches differ in shape, not only in values: this many shapes stay prepared. */
const MOST_STATEMENTS = 400

interface Prepared {
  statement: StatementSync
  hasRows: boolean
}

/** KiB of page cache: what a group of commits changes should fit; readers read the mapped file. */
const CACHE_KIB = { writing: 12 * 1024, reading: 8 * 1024 }

/** Opens a connection to a file, or to a new database in memory. */
export function connect(
  path: string,
  options: { sync?: 'full' | 'normal'; readOnly?: boolean; mapped?: boolean } = {},
): Connection {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  db.exec(
    `PRAGMA cache_size = -${options.readOnly ? CACHE_KIB.reading : CACHE_KIB.writing}; PRAGMA temp_store = MEMORY`,
  )
  if (options.sync !== undefined) db.exec(`PRAGMA synchronous = ${options.sync}`)
  // As much as SQLite maps: it is the system's memory, not ours.
  if (path !== ':memory:' && options.mapped !== false) db.exec('PRAGMA mmap_size = 2147418112')
  if (options.readOnly) db.exec('PRAGMA query_only = 1')
  const prepared = new Map<string, Prepared>()

  const prepare = (text: string): Prepared => {
    const statement = db.prepare(text)
    statement.setReturnArrays(true)
    const one = { statement, hasRows: statement.columns().length > 0 }
    if (prepared.size >= MOST_STATEMENTS) prepared.delete(prepared.keys().next().value!)
    prepared.set(text, one)
    return one
  }

  return {
    db,
    run(text, params) {
      const { statement, hasRows } = prepared.get(text) ?? prepare(text)
      if (hasRows) return statement.all(...params) as unknown as Row[]
      statement.run(...params)
      return NONE
    },
    close: () => db.close(),
  }
}

const NONE: Row[] = []

/** Returns the rows of each statement, all from one state of the database. */
export function readAll(connection: Connection, statements: readonly Sql[]): Row[][] {
  if (statements.length === 1) return [connection.run(statements[0]!.text, statements[0]!.params)]
  connection.db.exec('BEGIN')
  try {
    return statements.map(one => connection.run(one.text, one.params))
  } finally {
    connection.db.exec('COMMIT')
  }
}
