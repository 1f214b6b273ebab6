/** Reads on the main thread that leave others their turn. */
import type { Driver, Row } from './driver.ts'
import type { Sql } from './sql.ts'

/** Reads in one go before others get their turn: a loop that only awaits reads would never let the event loop go round. */
const READS_IN_A_ROW = 64

export function inTurns(read: (statements: readonly Sql[]) => Row[][]): Driver['read'] {
  let reads = 0
  return statements => {
    if (++reads % READS_IN_A_ROW !== 0) return read(statements)
    return new Promise<void>(resolve => setImmediate(resolve)).then(() => read(statements))
  }
}
