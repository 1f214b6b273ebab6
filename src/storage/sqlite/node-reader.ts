/** A process that runs long searches for the server: it can be killed at a deadline, where a thread in SQLite cannot. */

import type { Row } from './driver.ts'
import { connect, readAll } from './node-connection.ts'
import type { Sql } from './sql.ts'

export interface ReaderQuestion {
  statements: readonly Sql[]
}

export type ReaderAnswer = { rows: Row[][] } | { error: string }

const connection = connect(process.argv[2]!, { readOnly: true })

process.on('message', ({ statements }: ReaderQuestion) => {
  let answer: ReaderAnswer
  try {
    answer = { rows: readAll(connection, statements) }
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) }
  }
  process.send!(answer)
})
// The server is gone: nobody waits for an answer.
process.on('disconnect', () => process.exit(0))
