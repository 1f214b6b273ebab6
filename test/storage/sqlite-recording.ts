/** A driver that keeps what it was asked. */
import type { Driver } from '../../src/storage/sqlite/driver.ts'
import type { Sql } from '../../src/storage/sqlite/sql.ts'

export interface Recording extends Driver {
  asked: Sql[]
  batched: Sql[]
}

/** Returns the driver with the statements that it is given, reads and batches apart. */
export function recording(driver: Driver): Recording {
  const asked: Sql[] = []
  const batched: Sql[] = []
  const note = (statements: readonly Sql[]): readonly Sql[] => {
    asked.push(...statements)
    return statements
  }
  return {
    ...driver,
    asked,
    batched,
    read: statements => driver.read(note(statements)),
    readLong: statements => driver.readLong(note(statements)),
    batch: statements => {
      batched.push(...statements)
      return driver.batch(statements)
    },
  }
}
