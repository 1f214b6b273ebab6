/** Index rows as statements: one JSON parameter per table and commit, joined to `res` by key and version. */
import type { IndexRow } from '../../search/index-row.ts'
import type { Key } from '../port.ts'
import { nameId } from './names.ts'
import type { Sql } from './sql.ts'

/** The index rows that one version of a resource shall have. `fresh`: it has none yet. */
export interface Indexed {
  key: Key
  version: number
  index: readonly IndexRow[]
  fresh: boolean
}

type Value = string | number
export type Cells = readonly Value[]

/** Ids of `term` that are known to be committed. */
export type Terms = ReadonlyMap<string, number>

interface Table {
  name: string
  /** Without rid, in the order of the cells. */
  columns: readonly string[]
  /** How each column is made from the cells; the cell itself where it is not named. */
  made?: Partial<Record<string, string>>
  /** The place of the cell that is a term. */
  term?: number
}

const term = (cell: number): string =>
  `CASE typeof(j.value->>${cell}) WHEN 'integer' THEN j.value->>${cell} ELSE (SELECT id FROM term WHERE text = j.value->>${cell}) END`

/** The index tables of one row per index row; the strings have a dictionary besides. */
export const TABLES: readonly Table[] = [
  { name: 'tok', columns: ['p', 'code', 'sys'], made: { sys: term(2) }, term: 2 },
  { name: 'uri', columns: ['p', 'value'] },
  { name: 'dat', columns: ['p', 'lo', 'hi'] },
  { name: 'qty', columns: ['p', 'unit', 'lo', 'hi'], made: { unit: term(1) }, term: 1 },
  { name: 'ref', columns: ['p', 'id', 'type', 'version'] },
  { name: 'srt', columns: ['p', 'key', 'part'] },
  { name: 'wrd', columns: ['p', 'words'] },
  { name: 'pos', columns: ['p', 'lat', 'lon'] },
]

const EACH = 'json_each(?1) c CROSS JOIN res r ON r.key = c.value->>0 AND r.ver = c.value->>1'
const ROWS = `${EACH} CROSS JOIN json_each(c.value, '$[2]') j`
const TOUCHED = `rid IN (SELECT r.rid FROM ${EACH})`

interface Statements {
  insert: readonly string[]
  remove: string
}

function statementsOf(table: Table): Statements {
  const columns = ['rid', ...table.columns].join(', ')
  const cells = table.columns.map((column, cell) => table.made?.[column] ?? `j.value->>${cell}`)
  const select = `SELECT r.rid, ${cells.join(', ')} FROM ${ROWS}`
  return {
    insert: [`INSERT INTO ${table.name} (${columns}) ${select} WHERE true ON CONFLICT DO NOTHING`],
    remove: `DELETE FROM ${table.name} WHERE ${TOUCHED} AND (${columns}) NOT IN (${select})`,
  }
}

const STRINGS: Statements = (() => {
  const select =
    `SELECT r.rid, sv.p, sv.sid FROM ${ROWS} ` +
    'CROSS JOIN sv ON sv.p = j.value->>0 AND sv.folded = j.value->>2 AND sv.exact = j.value->>1'
  return {
    insert: [
      'INSERT INTO sv (p, exact, folded) SELECT j.value->>0, j.value->>1, j.value->>2 ' +
        "FROM json_each(?1) c CROSS JOIN json_each(c.value, '$[2]') j WHERE true ON CONFLICT DO NOTHING",
      `INSERT INTO str (rid, p, sid) ${select} WHERE true ON CONFLICT DO NOTHING`,
    ],
    remove: `DELETE FROM str WHERE ${TOUCHED} AND (rid, p, sid) NOT IN (${select})`,
  }
})()

const STATEMENTS = new Map<string, Statements>([
  ...TABLES.map(table => [table.name, statementsOf(table)] as const),
  ['str', STRINGS],
])

const NEW_TERMS =
  'INSERT INTO term (text) SELECT value FROM json_each(?1) WHERE true ON CONFLICT (text) DO NOTHING'

/** Keys of the marks in `srt` (`schema.ts`): before all others. */
export const SEVERAL = ''
export const WIDE = '\u0001'

/** The id of the empty term: no system, any unit. */
export const NO_TERM = 0

/** Returns the rows of a resource by table, as cells. */
function cellsOf(index: readonly IndexRow[], termOf: (text: string) => Value): Map<string, Cells[]> {
  const tables = new Map<string, Cells[]>()
  const put = (table: string, cells: Cells): void => {
    const rows = tables.get(table)
    if (rows === undefined) tables.set(table, [cells])
    else rows.push(cells)
  }
  const seen = new Map<string, Value>()
  /** Returns whether another value was seen under the name. */
  const isAnother = (name: string, value: Value): boolean => {
    const before = seen.get(name)
    if (before === undefined) seen.set(name, value)
    return before !== undefined && before !== value
  }
  for (const row of index) {
    const p = nameId(row.param)
    switch (row.kind) {
      case 'token':
        put('tok', [p, row.code, termOf(row.system)])
        break
      case 'string':
        put('str', [p, row.exact, row.folded])
        break
      case 'uri':
        put('uri', [p, row.value])
        break
      case 'date':
        put('dat', [p, row.lo, row.hi])
        if (isAnother(row.param, row.lo)) put('srt', [p, SEVERAL, 5])
        break
      case 'quantity':
        put('qty', [p, termOf(row.unit), row.lo, row.hi])
        if (isAnother(`${row.param} ${row.unit}`, row.lo)) put('srt', [p, SEVERAL, 5])
        if (row.lo !== row.hi) put('srt', [p, WIDE, 5])
        break
      case 'reference':
        put('ref', [p, row.id, nameId(row.type), row.version])
        break
      case 'words':
        if (row.words.length > 0) put('wrd', [p, textOf(row.words)])
        break
      case 'position':
        put('pos', [p, row.latitude, row.longitude])
        break
      case 'sort':
        // Read from the rows of the tokens themselves.
        if (row.of === 'token') break
        if (row.min === row.max) put('srt', [p, row.min, 0])
        else {
          put('srt', [p, row.min, 1])
          put('srt', [p, row.max, 2])
        }
    }
  }
  return tables
}

/** UTF-16 units: a row and a parameter of D1 hold that much in the longest UTF-8. Words beyond are not found. */
const MOST_WORDS = 500_000

function textOf(words: readonly string[]): string {
  const text = ` ${words.join(' ')} `
  return text.length <= MOST_WORDS ? text : text.slice(0, text.lastIndexOf(' ', MOST_WORDS) + 1)
}

/** In the place of statements where the engine writes index rows itself: its parameter is an IndexPayload in JSON. */
export const INDEX_ROWS = '-- index rows'

export type IndexPayload = readonly (readonly [
  key: Key,
  version: number,
  fresh: boolean,
  tables: readonly (readonly [table: string, rows: readonly Cells[]])[],
])[]

/** About a megabyte of JSON goes into one parameter: D1 takes two at most. */
const PAYLOAD = 500_000

type Part = readonly [key: Key, version: number, rows: readonly Cells[]]

/** Returns JSON arrays of the parts. */
function payloads(parts: readonly (Part | IndexPayload[number])[]): string[] {
  const texts: string[] = []
  let text = ''
  for (const part of parts) {
    const json = JSON.stringify(part)
    if (text !== '' && text.length + json.length > PAYLOAD) {
      texts.push(`[${text}]`)
      text = ''
    }
    text += text === '' ? json : `,${json}`
  }
  if (text !== '') texts.push(`[${text}]`)
  return texts
}

export interface IndexStatements {
  statements: Sql[]
  /** Terms that were not known to be stored; after the commit they are. */
  newTerms: string[]
}

/**
 * Returns the statements that give each resource exactly its index rows, writing only those that differ. `itself`: the engine knows
 * INDEX_ROWS.
 */
export function indexStatements(
  resources: readonly Indexed[],
  terms: Terms,
  itself: boolean,
): IndexStatements {
  const unknown = new Set<string>()
  const termOf = (text: string): Value => {
    if (text === '') return NO_TERM
    const id = terms.get(text)
    if (id === undefined) unknown.add(text)
    return id ?? text
  }

  const inserts = new Map<string, Part[]>()
  const removes = new Map<string, Part[]>()
  const all: IndexPayload[number][] = []
  for (const { key, version, index, fresh } of resources) {
    const tables = cellsOf(index, termOf)
    if (itself) {
      all.push([key, version, fresh, [...tables]])
      continue
    }
    for (const [table, rows] of tables) push(inserts, table, [key, version, rows])
    if (!fresh)
      for (const table of STATEMENTS.keys()) push(removes, table, [key, version, tables.get(table) ?? []])
  }

  const newTerms = [...unknown]
  const statements: Sql[] = []
  if (newTerms.length > 0) statements.push({ text: NEW_TERMS, params: [JSON.stringify(newTerms)] })
  for (const text of payloads(all)) statements.push({ text: INDEX_ROWS, params: [text] })
  for (const [table, { insert, remove }] of STATEMENTS) {
    for (const text of payloads(removes.get(table) ?? [])) statements.push({ text: remove, params: [text] })
    for (const text of payloads(inserts.get(table) ?? []))
      for (const one of insert) statements.push({ text: one, params: [text] })
  }
  return { statements, newTerms }
}

function push(map: Map<string, Part[]>, table: string, part: Part): void {
  const parts = map.get(table)
  if (parts === undefined) map.set(table, [part])
  else parts.push(part)
}
