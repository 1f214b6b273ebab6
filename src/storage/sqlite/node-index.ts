/**
 * Index rows written one by one with prepared statements: in the process itself that takes half the time of one statement per table, and
 * of an update only what differs is touched.
 */
import type { Row } from './driver.ts'
import { type Cells, type IndexPayload, TABLES } from './index-tables.ts'
import { RESTORED } from './known-ids.ts'
import type { Connection } from './node-connection.ts'

/** Texts remembered with their ids; the dictionary has no deletions, so a known id stays right until a backup is restored. */
const MOST_TEXTS = 20_000
/** UTF-16 units: longer texts are hardly met again. */
const LONGEST_TEXT = 100

const texts = new WeakMap<Connection, Map<string, number>>()

/** Forgets ids that were given in a transaction that came to nothing. */
export const forgetTexts = (connection: Connection): void => void texts.delete(connection)

const restores = new WeakMap<Connection, unknown>()

/** Forgets ids from before a restore. To be called in each transaction before anything is written. */
export function noticeRestore(connection: Connection): void {
  const restored = connection.run(RESTORED, [])[0]?.[0]
  if (restored === restores.get(connection)) return
  restores.set(connection, restored)
  forgetTexts(connection)
}

type Cell = Cells[number]

interface Statements {
  read: string
  insert: string
  remove: string
}

const statementsOf = (table: string, columns: readonly string[]): Statements => ({
  read: `SELECT ${columns.join(', ')} FROM ${table} INDEXED BY ${table}_rid WHERE rid = ?`,
  insert: `INSERT INTO ${table} (rid, ${columns.join(', ')}) VALUES (?${', ?'.repeat(columns.length)}) ON CONFLICT DO NOTHING`,
  remove: `DELETE FROM ${table} WHERE rid = ?${columns.map(column => ` AND ${column} = ?`).join('')}`,
})

const STATEMENTS = new Map<string, Statements>([
  ...TABLES.map(({ name, columns }) => [name, statementsOf(name, columns)] as const),
  ['str', statementsOf('str', ['p', 'sid'])],
])

/** The place of a term among the cells of a table. */
const TERM_AT = new Map(
  TABLES.filter(table => table.term !== undefined).map(table => [table.name, table.term!]),
)

const RID = 'SELECT rid FROM res WHERE key = ? AND ver = ?'
const TERM = 'SELECT id FROM term WHERE text = ?'
const TEXT = 'SELECT sid FROM sv WHERE p = ? AND folded = ? AND exact = ?'
const NEW_TEXT = 'INSERT INTO sv (p, exact, folded) VALUES (?, ?, ?) RETURNING sid'

/** Gives each resource of the payload that is at its version exactly its index rows. */
export function writeIndex(connection: Connection, payload: string): void {
  for (const [key, version, fresh, tables] of JSON.parse(payload) as IndexPayload) {
    const rid = connection.run(RID, [key, version])[0]?.[0] as number | undefined
    if (rid === undefined) continue
    if (fresh)
      for (const [table, rows] of tables) add(connection, table, rid, stored(connection, table, rows))
    else {
      const wanted = new Map(tables)
      for (const table of STATEMENTS.keys()) replace(connection, table, rid, wanted.get(table) ?? [])
    }
  }
}

function add(connection: Connection, table: string, rid: number, rows: readonly Cells[]): void {
  const { insert } = STATEMENTS.get(table)!
  for (const cells of rows) connection.run(insert, [rid, ...cells])
}

function replace(connection: Connection, table: string, rid: number, rows: readonly Cells[]): void {
  const { read, remove } = STATEMENTS.get(table)!
  const before: Row[] = connection.run(read, [rid])
  if (before.length === 0 && rows.length === 0) return
  const missing = new Map(stored(connection, table, rows).map(cells => [JSON.stringify(cells), cells]))
  // Removed before anything is added: a text that is stored otherwise than it was given would be removed after it.
  for (const cells of before)
    if (!missing.delete(JSON.stringify(cells))) connection.run(remove, [rid, ...cells])
  add(connection, table, rid, [...missing.values()])
}

/** Returns the rows as they are stored: texts and terms by their ids. */
function stored(connection: Connection, table: string, rows: readonly Cells[]): readonly Cells[] {
  if (table === 'str') return rows.map(([p, exact, folded]) => [p!, textId(connection, p!, exact!, folded!)])
  const at = TERM_AT.get(table)
  if (at === undefined) return rows
  return rows.map(cells => {
    if (typeof cells[at] === 'number') return cells
    return cells.with(at, connection.run(TERM, [cells[at]!])[0]![0] as number)
  })
}

function textId(connection: Connection, p: Cell, exact: Cell, folded: Cell): Cell {
  const known = knownTexts(connection)
  const short = String(exact).length + String(folded).length <= LONGEST_TEXT
  const name = short ? `${p}\n${folded}\n${exact}` : ''
  const before = short ? known.get(name) : undefined
  if (before !== undefined) return before
  const found = connection.run(TEXT, [p, folded, exact])[0]
  const [sid] = (found ?? connection.run(NEW_TEXT, [p, exact, folded])[0]) as [number]
  if (short) {
    if (known.size >= MOST_TEXTS) known.delete(known.keys().next().value!)
    known.set(name, sid)
  }
  return sid
}

function knownTexts(connection: Connection): Map<string, number> {
  let known = texts.get(connection)
  if (known === undefined) {
    known = new Map()
    texts.set(connection, known)
  }
  return known
}
