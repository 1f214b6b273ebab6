/** SQLite on Node: readers on the main thread, one writer thread. https://nodejs.org/docs/latest-v24.x/api/sqlite.html */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Log } from '../../lib/log.ts'
import type { Storage } from '../port.ts'
import type { Driver, Row } from './driver.ts'
import { type Connection, connect, readAll } from './node-connection.ts'
import { type Outcome, runGroup } from './node-group.ts'
import { migrate } from './node-schema.ts'
import { settle, startWriter } from './node-writer-thread.ts'
import type { Sql } from './sql.ts'
import { sqlStorage } from './store.ts'

export interface SqliteOptions {
  /** `./data/nadi.db`, or `:memory:` for a database that ends with the process. */
  path: string
  /** full: what was acknowledged survives a power cut. normal: it survives the end of the process. */
  sync: 'full' | 'normal'
  /** ms since 1970. */
  clock(): number
  log: Log
}

const MAX_BODY = 64 * 1024 * 1024

/** Pages of 4 KiB: the log grows to 40 MB before it is copied into the database, so that pages written often are copied once. */
const CHECKPOINT_PAGES = 10_000

/**
 * Returns the storage in a database file, made with its folder where there is none.
 *
 * Throws with a sentence for a person when the file cannot be opened, is no database of Nadi, or is of a newer schema.
 */
export async function openSqlite(options: SqliteOptions): Promise<Storage> {
  const driver = options.path === ':memory:' ? memoryDriver() : fileDriver(options)
  return sqlStorage(driver, {
    name: 'sqlite',
    maxBody: MAX_BODY,
    pieceLength: Number.POSITIVE_INFINITY,
    cancels: false,
    shared: options.path !== ':memory:',
    clock: options.clock,
  })
}

function fileDriver({ path, sync, log }: SqliteOptions): Driver {
  mkdirSync(dirname(path), { recursive: true })
  prepareFile(path)
  const reading = connect(path, { readOnly: true })
  const writer = startWriter({ path, sync, checkpointPages: CHECKPOINT_PAGES }, log)
  const read = inTurns(statements => readAll(reading, statements))
  return {
    local: true,
    read,
    readLong: read,
    batch: writer.batch,
    gauges: () => ({
      ...writer.gauges(),
      nadi_storage_database_bytes: sizeOf(path),
      nadi_storage_log_bytes: sizeOf(`${path}-wal`),
    }),
    async close() {
      await writer.close()
      reading.close()
    },
  }
}

/** Reads in one go before others get their turn: a loop that only awaits reads would never let the event loop go round. */
const READS_IN_A_ROW = 64

function inTurns(read: (statements: readonly Sql[]) => Row[][]): Driver['read'] {
  let reads = 0
  return statements => {
    if (++reads % READS_IN_A_ROW !== 0) return read(statements)
    return new Promise<void>(resolve => setImmediate(resolve)).then(() => read(statements))
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Makes the file a database in WAL mode with the tables of this version. */
function prepareFile(path: string): void {
  const connection = connect(path, { sync: 'full' })
  try {
    walMode(connection, path)
    migrate(connection, path)
  } finally {
    connection.close()
  }
}

/** The switch to WAL needs the file alone for a moment; another process that starts may have it. */
function walMode({ db }: Connection, path: string): void {
  const start = Date.now()
  for (;;) {
    try {
      const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
      if (mode !== 'wal')
        throw new Error(`The folder of ${path} allows no write-ahead log (it has ${String(mode)}).`)
      return
    } catch (error) {
      const busy = ((error as { errcode?: number }).errcode ?? 0) & 0xff
      if (busy !== 5 || Date.now() - start > 10_000) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

/** Nothing to flush and nobody to share with: one connection on this thread. */
function memoryDriver(): Driver {
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
