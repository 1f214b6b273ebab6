/** SQLite on Node: readers on the main thread, one writer thread. https://nodejs.org/docs/latest-v24.x/api/sqlite.html */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Log } from '../../lib/log.ts'
import type { Storage } from '../port.ts'
import type { Driver } from './driver.ts'
import { restoredNumber } from './known-ids.ts'
import { connect, readAll } from './node-connection.ts'
import { memoryDriver } from './node-memory.ts'
import { createReaders } from './node-readers.ts'
import { migrate, walMode } from './node-schema.ts'
import { inTurns } from './node-turns.ts'
import { startWriter } from './node-writer-thread.ts'
import { sqlStorage } from './store.ts'

export interface SqliteOptions {
  /** `./data/nadi.db`, or `:memory:` for a database that ends with the process. */
  path: string
  /** full: what was acknowledged survives a power cut. normal: it survives the end of the process. */
  sync: 'full' | 'normal'
  /** false: the file is not mapped into memory, for a process whose memory is counted; searches take longer. */
  mapped?: boolean
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
  const inFile = options.path !== ':memory:'
  const driver = inFile ? fileDriver(options) : memoryDriver()
  const restored = inFile ? { restored: await restoredNumber(driver) } : {}
  return sqlStorage(driver, {
    ...restored,
    name: 'sqlite',
    maxBody: MAX_BODY,
    pieceLength: Number.POSITIVE_INFINITY,
    cancels: inFile,
    shared: inFile,
    clock: options.clock,
  })
}

function fileDriver({ path, sync, mapped = true, clock, log }: SqliteOptions): Driver {
  mkdirSync(dirname(path), { recursive: true })
  prepareFile(path)
  const reading = connect(path, { readOnly: true, mapped })
  const writer = startWriter({ path, sync, checkpointPages: CHECKPOINT_PAGES, mapped }, log)
  const readers = createReaders({ path, clock })
  return {
    local: true,
    read: inTurns(statements => readAll(reading, statements)),
    readLong: readers.run,
    batch: writer.batch,
    gauges: () => ({
      ...writer.gauges(),
      ...readers.gauges(),
      nadi_storage_database_bytes: sizeOf(path),
      nadi_storage_log_bytes: sizeOf(`${path}-wal`),
    }),
    async close() {
      readers.close()
      await writer.close()
      reading.close()
    },
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
