/** How a search was done, for people. */
import type { Explained } from '../port.ts'
import type { Driver, Row } from './driver.ts'
import type { Sql } from './sql.ts'

/** A driver that keeps the reads of one search. */
export interface Watched extends Driver {
  readonly reads: Sql[]
  /** Rows read, where the engine counts them. */
  examined: number | undefined
}

/** Returns what keeps the reads; `counting`: rows read are counted where the engine can, which takes another way through it. */
export function watched(driver: Driver, counting: boolean): Watched {
  const reads: Sql[] = []
  const note =
    (read: Driver['read']): Driver['read'] =>
    async (statements, deadline) => {
      reads.push(...statements)
      if (!counting || driver.examine === undefined) return read(statements, deadline)
      const { rows, examined } = await driver.examine(statements)
      watching.examined = (watching.examined ?? 0) + examined
      return rows
    }
  const watching: Watched = {
    ...driver,
    read: note(driver.read),
    readLong: note(driver.readLong),
    reads,
    examined: undefined,
  }
  return watching
}

/** Returns the account of what was read; `ms` is what it took. */
export async function explained(
  driver: Driver,
  { reads, examined }: Watched,
  said: Pick<Explained, 'driver' | 'hint'>,
  ms: number,
): Promise<Explained> {
  const plans: string[] = []
  for (const { text, params } of reads) {
    const [rows] = await driver.read([{ text: `EXPLAIN QUERY PLAN ${text}`, params }])
    plans.push(planText(rows!))
  }
  return { ...said, plans, ms, ...(examined === undefined ? {} : { examined }) }
}

/** Rows of id, parent, nothing, and what is done: one line each, below its parent. */
function planText(rows: readonly Row[]): string {
  const depths = new Map<unknown, number>()
  return rows
    .map(([id, parent, , detail]) => {
      const depth = (depths.get(parent) ?? -1) + 1
      depths.set(id, depth)
      return `${'  '.repeat(depth)}${detail}`
    })
    .join('\n')
}
