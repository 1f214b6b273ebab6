/** Makes a file a database with a write-ahead log and the tables of this version. */

import type { Connection } from './node-connection.ts'
import { MIGRATIONS, SCHEMA_VERSION } from './schema.ts'

/** The database was written by a newer Nadi. */
export class NewerSchema extends Error {}

/** Returns the schema version of a database: 0 for an empty one. Throws where it is a database of something else. */
export function schemaVersion({ db }: Connection): number {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  if (tables.length === 0) return 0
  if (!tables.some(table => table.name === 'meta') || !tables.some(table => table.name === 'res'))
    throw new Error('the file is a database, but not one of Nadi')
  return Number(db.prepare("SELECT value FROM meta WHERE name = 'schema'").get()?.value)
}

/**
 * Brings the tables to this version's schema, one migration after the other, each whole.
 *
 * Throws NewerSchema when a newer Nadi has been there.
 */
export function migrate(connection: Connection, path: string): void {
  const { db } = connection
  for (;;) {
    db.exec('BEGIN IMMEDIATE')
    try {
      const version = schemaVersion(connection)
      if (version > SCHEMA_VERSION)
        throw new NewerSchema(
          `The database ${path} has schema version ${version}, this Nadi knows versions up to ${SCHEMA_VERSION}: start the newer Nadi, or restore a backup made by this one.`,
        )
      const next = MIGRATIONS.find(migration => migration.version > version)
      if (next === undefined) {
        db.exec('ROLLBACK')
        return
      }
      for (const statement of next.statements) db.exec(statement)
      db.prepare("UPDATE meta SET value = ? WHERE name = 'schema'").run(next.version)
      db.exec('COMMIT')
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

/**
 * Switches the database to a write-ahead log. That needs the file alone for a moment; another process that starts may have it.
 *
 * Throws where the folder allows none.
 */
export function walMode({ db }: Connection, path: string): void {
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
