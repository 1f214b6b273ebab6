/** A copy of a database, made while it is used. https://www.sqlite.org/backup.html */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup } from 'node:sqlite'
import { connect } from './node-connection.ts'
import { schemaVersion } from './node-schema.ts'
import { SCHEMA_VERSION } from './schema.ts'

/** Pages copied at a time; between them the caller's progress is told. */
const STEP = 256

/** Told after each step: pages copied and pages in all. */
export type Progress = (done: number, of: number) => void

/**
 * Copies the database as it is at this moment to a new file, while others read and write it.
 *
 * Throws with a sentence when there is no database, the target exists, or the copy fails; nothing is left at the target then.
 */
export async function backupSqlite(source: string, target: string, onProgress?: Progress): Promise<void> {
  if (!existsSync(source)) throw new Error(`There is no database at ${source}.`)
  if (existsSync(target)) throw new Error(`${target} exists already: name another file, or remove it first.`)
  mkdirSync(dirname(target), { recursive: true })
  const part = `${target}.part`
  try {
    await copy(source, part, onProgress)
    check(part)
    flush(part)
    renameSync(part, target)
    flush(dirname(target))
  } finally {
    remove(part)
  }
}

/** Copies the state of this moment to a file that is replaced. */
export async function copy(source: string, target: string, onProgress: Progress | undefined): Promise<void> {
  remove(target)
  const { db } = connect(source, { readOnly: true })
  try {
    // A snapshot held open: without it every write of another process would start the copy again.
    db.exec('BEGIN')
    db.prepare('SELECT count(*) FROM meta').get()
    await backup(db, target, {
      rate: STEP,
      progress: ({ totalPages, remainingPages }) => onProgress?.(totalPages - remainingPages, totalPages),
    })
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}

/** Throws with a sentence where the file is no whole database of Nadi that this version can open. */
export function check(path: string): void {
  const fault = (what: string): Error => new Error(`${path} cannot be used: ${what}.`)
  let connection: ReturnType<typeof connect>
  let version: number
  try {
    connection = connect(path, { readOnly: true })
    version = schemaVersion(connection)
  } catch (error) {
    throw fault(error instanceof Error ? error.message : String(error))
  }
  try {
    if (version === 0) throw fault('it is empty')
    if (version > SCHEMA_VERSION)
      throw fault(`it has schema version ${version}, this Nadi knows versions up to ${SCHEMA_VERSION}`)
    const [first] = connection.db.prepare('PRAGMA integrity_check(1)').all()
    if (first?.integrity_check !== 'ok') throw fault(`it is damaged: ${String(first?.integrity_check)}`)
  } finally {
    connection.close()
  }
}

/** Returns when the file, or the entries of the folder, are on the disk. */
export function flush(path: string): void {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
}

/** Removes a database with its log. */
export function remove(path: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true })
}
