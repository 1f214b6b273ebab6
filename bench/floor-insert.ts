/**
 * The floor of the writes: bare SQLite inserting the rows that Nadi stored, body and index rows alike, and nothing else: no HTTP, no
 * JSON, no validation, no extraction. A process of its own, so that its CPU time is its own.
 *
 *   node bench/floor-insert.ts FILE        prints {"create": ..., "bulk": ...} in CPU-ms per resource
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

/** CPU-ms per resource, and how many of them were inserted. */
export interface InsertFloor {
  create: { resources: number; cpuMsPerOperation: number }
  bulk: { resources: number; cpuMsPerOperation: number }
}

type Row = SQLInputValue[]
interface Insert {
  table: string
  row: Row
}

/** Eight clients wait for their creates at once, so no more than eight can share a disk flush; a bundle holds about 240. */
const PER_COMMIT = { create: 8, bulk: 240 }
const MOST = { create: 5000, bulk: 20_000 }

/** Returns the floors of the resources that are in a SQLite file of Nadi's: its Patients, and what was stored last. */
export function insertFloor(file: string): InsertFloor {
  const source = new DatabaseSync(file, { readOnly: true })
  const schema = source
    .prepare(
      // Full-text indexes, and the tables that SQLite makes for them, are no part of the floor.
      `WITH fts AS (SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%')
       SELECT sql FROM sqlite_master m WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
         AND NOT EXISTS (SELECT 1 FROM fts WHERE m.name = fts.name OR m.name GLOB fts.name || '_*')`,
    )
    .all()
    .map(({ sql }) => String(sql))
  const insertsOf = reader(source)
  const rids = (sql: string, most: number) =>
    source
      .prepare(sql)
      .all(most)
      .map(({ rid }) => Number(rid))
  const patients = rids("SELECT rid FROM res WHERE key GLOB 'Patient/*' AND ver = 1 LIMIT ?", MOST.create)
  const last = rids('SELECT rid FROM (SELECT rid FROM res ORDER BY rid DESC LIMIT ?) ORDER BY rid', MOST.bulk)
  const result = {
    create: time(schema, patients.map(insertsOf), PER_COMMIT.create),
    bulk: time(schema, last.map(insertsOf), PER_COMMIT.bulk),
  }
  source.close()
  return result
}

/** Returns the function that reads all rows of a resource; rows of the string dictionary come with the first that refers to them. */
function reader(source: DatabaseSync): (rid: number) => Insert[] {
  const prepare = (sql: string) => {
    const statement = source.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }
  const tables = source
    .prepare(
      "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) i WHERE m.type = 'table' AND i.name = 'rid'",
    )
    .all()
    .map(({ name }) => String(name))
  const selects = tables.map(table => ({ table, select: prepare(`SELECT * FROM ${table} WHERE rid = ?`) }))
  const strings = prepare('SELECT sv.* FROM sv JOIN str ON str.sid = sv.sid WHERE str.rid = ?')
  return rid => [
    ...strings.all(rid).map(row => ({ table: 'sv', row: row as unknown as Row })),
    ...selects.flatMap(({ table, select }) =>
      select.all(rid).map(row => ({ table, row: row as unknown as Row })),
    ),
  ]
}

function time(schema: readonly string[], resources: readonly Insert[][], perCommit: number) {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-floor-'))
  const db = new DatabaseSync(join(folder, 'floor.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536')
  for (const statement of schema) db.exec(statement)
  const prepared = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  const insert = ({ table, row }: Insert) => {
    let statement = prepared.get(table)
    if (!statement) {
      statement = db.prepare(`INSERT OR IGNORE INTO ${table} VALUES (${row.map(() => '?').join(', ')})`)
      prepared.set(table, statement)
    }
    statement.run(...row)
  }
  const before = process.cpuUsage()
  for (let i = 0; i < resources.length; i += perCommit) {
    db.exec('BEGIN')
    for (const inserts of resources.slice(i, i + perCommit)) for (const one of inserts) insert(one)
    db.exec('COMMIT')
  }
  const { user, system } = process.cpuUsage(before)
  db.close()
  rmSync(folder, { recursive: true })
  return { resources: resources.length, cpuMsPerOperation: (user + system) / 1000 / resources.length }
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(insertFloor(process.argv[2] ?? '')))
