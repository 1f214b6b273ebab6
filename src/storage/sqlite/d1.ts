/** Cloudflare D1 as an engine: its batch of statements is the atom. https://developers.cloudflare.com/d1/worker-api/d1-database/ */
import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types'
import { FhirError, fhirError } from '../../fhir/error.ts'
import type { Storage } from '../port.ts'
import { forgetStatement, trigramStatements, wordStatements } from './chores.ts'
import { type Driver, Refused, type Row, refusalIn } from './driver.ts'
import type { Sql } from './sql.ts'
import { sqlStorage } from './store.ts'

const MAX_BODY = 16 * 1024 * 1024

/** UTF-16 units: at most 1.2 MB in UTF-8, where a row may have 2. */
const PIECE = 400_000

/** D1 takes 100 bound parameters. */
const MOST_PARAMS = 100

/** Returns the storage in a D1 database that has the migrations. */
export function d1Storage(db: D1Database, options: { clock(): number }): Storage {
  return sqlStorage(d1Driver(db), {
    name: 'd1',
    maxBody: MAX_BODY,
    pieceLength: PIECE,
    cancels: false,
    shared: true,
    clock: options.clock,
  })
}

function d1Driver(db: D1Database): Driver {
  const bind = (statement: Sql): D1PreparedStatement => {
    const { text, params } = fewParams(statement)
    return db.prepare(text).bind(...params)
  }
  const run = async (statements: readonly Sql[]): Promise<Row[][]> => {
    if (statements.length === 1) return [await bind(statements[0]!).raw<Row>()]
    const results = await db.batch(statements.map(bind))
    return results.map(result => rowsOf(result.results))
  }
  const read = (statements: readonly Sql[]): Promise<Row[][]> => again(() => run(statements))
  let commits = 0
  return {
    local: false,
    read,
    readLong: read,
    examine: statements =>
      again(async () => {
        const results = await db.batch(statements.map(bind))
        const examined = results.reduce((sum, { meta }) => sum + (meta.rows_read ?? 0), 0)
        return { rows: results.map(result => rowsOf(result.results)), examined }
      }),
    async batch(statements, repeatable = false) {
      const tended = [...statements, ...chores(commits)]
      const rows = await (repeatable ? again(() => run(tended)) : once(() => run(tended)))
      commits++
      return rows.slice(0, statements.length)
    },
    gauges: () => ({ nadi_storage_commits: commits }),
    async close() {},
  }
}

/** A Worker has no time of its own between requests: a commit now and then does what is to be done beside it. */
const chores = (commits: number): readonly Sql[] =>
  commits % 16 === 0
    ? [...trigramStatements, ...wordStatements, ...(commits % 64 === 0 ? [forgetStatement] : [])]
    : []

const rowsOf = (results: unknown[]): Row[] => results.map(row => Object.values(row as Record<string, never>))

/** Returns the statement with its parameters in one JSON array where D1 would refuse their number. */
export function fewParams(statement: Sql): Sql {
  if (statement.params.length <= MOST_PARAMS) return statement
  let i = 0
  // Our texts hold no question mark but for parameters, and none of the long ones are numbered.
  const text = statement.text.replace(/\?/g, () => `(?1->>${i++})`)
  return { text, params: [JSON.stringify(statement.params)] }
}

async function once<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw failure(error)
  }
}

/** ms before the second try and the third. */
const PAUSES = [20, 150]

/** Connections to D1 are lost now and then; https://developers.cloudflare.com/d1/best-practices/retry-queries/ */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await once(work)
    } catch (error) {
      if (!(error instanceof FhirError) || error.code !== 'transient') throw error
      await new Promise(resolve => setTimeout(resolve, pause))
    }
  }
  return once(work)
}

function failure(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error)
  const refused = refusalIn(message)
  if (refused !== undefined) return new Refused(refused)
  if (/Expression tree is too large|statement too long/.test(message))
    return fhirError(
      'too-costly',
      'The search is too large for D1: ask for fewer alternatives, or chains of fewer links.',
      { cause: error, status: 400 },
    )
  const bug = /SQLITE_(ERROR|CONSTRAINT|MISMATCH|RANGE|MISUSE)/.test(message)
  return bug ? error : fhirError('transient', 'The database cannot be reached; try again.', { cause: error })
}
