/** A database in memory as an engine. */
import { forgetStatement, trigramStatements, wordStatements } from './chores.ts'
import type { Driver } from './driver.ts'
import { connect, readAll } from './node-connection.ts'
import { type Outcome, runGroup } from './node-group.ts'
import { migrate } from './node-schema.ts'
import { inTurns } from './node-turns.ts'
import { settle } from './node-writer-thread.ts'

/** Commits between looks at the trigram index. */
const TEND_EVERY = 256

/** Nothing to flush and nobody to share with: one connection on this thread. */
export function memoryDriver(): Driver {
  const connection = connect(':memory:')
  migrate(connection, ':memory:')
  const figures = { commits: 0, refused: 0 }
  const read = inTurns(statements => readAll(connection, statements))
  return {
    local: true,
    read,
    readLong: read,
    batch: statements =>
      new Promise((resolve, reject) => {
        const outcome = runGroup(connection, [statements])[0] as Outcome
        if ('rows' in outcome) figures.commits++
        else figures.refused++
        if (figures.commits % TEND_EVERY === 0)
          runGroup(connection, [trigramStatements, wordStatements, [forgetStatement]])
        settle({ statements, resolve, reject }, outcome)
      }),
    gauges: () => ({
      nadi_storage_write_queue: 0,
      nadi_storage_commits: figures.commits,
      nadi_storage_commits_refused: figures.refused,
    }),
    async close() {
      connection.close()
    },
  }
}
