/** Batches written in groups: one transaction and one disk flush for all that wait. */
import { type Row, refusalIn } from './driver.ts'
import { INDEX_ROWS } from './index-tables.ts'
import type { Connection } from './node-connection.ts'
import { forgetTexts, noticeRestore, writeIndex } from './node-index.ts'
import type { Param, Sql } from './sql.ts'

/** What became of a batch. `rows` holds those of the statements that give any, by their place. */
export type Outcome =
  | { rows: [place: number, rows: Row[]][] }
  | { refused: string }
  | { failed: string; transient: boolean }

const BUSY = 5
const LOCKED = 6
/** ENOSPC and the like: the caller may try again, the batch is no bug. */
const TRANSIENT = new Set([BUSY, LOCKED, 8, 10, 13, 14])
/** How long another process may hold the write lock. */
const PATIENCE_MS = 30_000

const NONE: readonly Param[] = []

const pause = new Int32Array(new SharedArrayBuffer(4))

const codeOf = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) & 0xff

function failure(error: unknown): Outcome {
  return {
    failed: error instanceof Error ? error.message : String(error),
    transient: TRANSIENT.has(codeOf(error)),
  }
}

/** Begins a transaction that writes; waits for another process in small steps, because SQLite's own waits grow to 100 ms. */
function begin(connection: Connection): void {
  const start = Date.now()
  for (let step = 1; ; step = Math.min(step + 1, 10)) {
    try {
      connection.run('BEGIN IMMEDIATE', NONE)
      break
    } catch (error) {
      if (codeOf(error) !== BUSY || Date.now() - start > PATIENCE_MS) throw error
      Atomics.wait(pause, 0, 0, step)
    }
  }
  try {
    noticeRestore(connection)
  } catch (error) {
    undo(connection)
    throw error
  }
}

/** Runs each batch whole or not at all and returns what became of them, when all that succeeded are durable. */
export function runGroup(connection: Connection, batches: readonly (readonly Sql[])[]): Outcome[] {
  try {
    begin(connection)
  } catch (error) {
    return batches.map(() => failure(error))
  }
  // Savepoints copy each page that is changed, and most groups hold no batch that is refused.
  return runTogether(connection, batches) ?? runApart(connection, batches)
}

/** Runs the batches in the transaction that has begun; undefined, with nothing done, where one of several does not succeed. */
function runTogether(connection: Connection, batches: readonly (readonly Sql[])[]): Outcome[] | undefined {
  try {
    const outcomes = batches.map(batch => ({ rows: rowsOf(connection, batch) }))
    connection.run('COMMIT', NONE)
    return outcomes
  } catch (error) {
    undo(connection)
    return batches.length === 1 ? [unsuccessful(error)] : undefined
  }
}

/** Runs the batches in one transaction with a savepoint for each. */
function runApart(connection: Connection, batches: readonly (readonly Sql[])[]): Outcome[] {
  try {
    begin(connection)
  } catch (error) {
    return batches.map(() => failure(error))
  }
  const outcomes: Outcome[] = []
  const { db } = connection
  for (const batch of batches) {
    // Disk full and the like end the whole transaction; what came before is lost with it.
    if (!db.isTransaction) break
    outcomes.push(runBatch(connection, batch))
  }
  try {
    if (!db.isTransaction) throw new Error('the transaction was ended by the database')
    connection.run('COMMIT', NONE)
    return outcomes
  } catch (error) {
    undo(connection)
    return batches.map((_, i) => {
      const outcome = outcomes[i]
      return outcome && 'failed' in outcome ? outcome : { ...failure(error), transient: true }
    }) as Outcome[]
  }
}

function undo(connection: Connection): void {
  forgetTexts(connection)
  if (connection.db.isTransaction) connection.db.exec('ROLLBACK')
}

function unsuccessful(error: unknown): Outcome {
  const refused = refusalIn(error instanceof Error ? error.message : '')
  return refused === undefined ? failure(error) : { refused }
}

/** Returns the rows of the statements that give any, by their place. */
function rowsOf(connection: Connection, batch: readonly Sql[]): [place: number, rows: Row[]][] {
  const rows: [number, Row[]][] = []
  for (let i = 0; i < batch.length; i++) {
    const { text, params } = batch[i]!
    if (text === INDEX_ROWS) {
      writeIndex(connection, params[0] as string)
      continue
    }
    const found = connection.run(text, params)
    if (found.length > 0) rows.push([i, found])
  }
  return rows
}

function runBatch(connection: Connection, batch: readonly Sql[]): Outcome {
  const { db } = connection
  connection.run('SAVEPOINT batch', NONE)
  try {
    const rows = rowsOf(connection, batch)
    connection.run('RELEASE batch', NONE)
    return { rows }
  } catch (error) {
    forgetTexts(connection)
    if (db.isTransaction) db.exec('ROLLBACK TO batch; RELEASE batch')
    return unsuccessful(error)
  }
}
