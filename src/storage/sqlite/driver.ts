/** What the SQL storage needs from an engine: `node.ts` gives it over node:sqlite, `d1.ts` over a D1 binding. */
import type { Param, Sql } from './sql.ts'

/** Column values in the order of the SELECT. */
export type Row = Param[]

/** A condition that a batch checks does not hold; `what` is the text that was inserted into the table `abort`, or `repeated`. */
export class Refused extends Error {
  readonly what: string
  constructor(what: string) {
    super(`the batch was refused: ${what}`)
    this.name = 'Refused'
    this.what = what
  }
}

export interface Driver {
  /** A read costs microseconds, no round trip; and batches may hold INDEX_ROWS (`index-tables.ts`). */
  readonly local: boolean
  /** Returns the rows of each statement, all read from one state of the database. */
  read(statements: readonly Sql[], deadline?: number): Row[][] | Promise<Row[][]>
  /** As `read`, with the number of rows that the engine read for it; absent where it does not count them. */
  examine?(statements: readonly Sql[]): Promise<{ rows: Row[][]; examined: number }>
  /**
   * Runs a statement that may take long, where the engine can away from the event loop, and ends it at the deadline (ms since 1970).
   *
   * Throws FhirError `too-costly` with status 503 at the deadline.
   */
  readLong(statements: readonly Sql[], deadline?: number): Row[][] | Promise<Row[][]>
  /**
   * Runs the statements as one atom and returns the rows of each once they are durable.
   *
   * `repeatable`: running it twice does no harm, so it may be tried again when the answer was lost.
   *
   * Throws Refused where a condition does not hold, FhirError `transient` where the database cannot be reached.
   */
  batch(statements: readonly Sql[], repeatable?: boolean): Promise<Row[][]>
  gauges(): Record<string, number> | Promise<Record<string, number>>
  close(): Promise<void>
}

/** Returns what an engine's error message says of a refused batch, undefined where it tells of something else. */
export function refusalIn(message: string): string | undefined {
  // A commit id is unique in `done`.
  if (message.includes('UNIQUE constraint failed: done.id')) return 'repeated'
  return /\babort:([a-z]+(?::\d+)?)/.exec(message)?.[1]
}
