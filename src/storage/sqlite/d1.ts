/** Cloudflare D1 as an engine: its batch of statements is the atom. https://developers.cloudflare.com/d1/worker-api/d1-database/ */
import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types'
import { fhirError } from '../../fhir/error.ts'
import type { Storage } from '../port.ts'
import { forgetStatement, trigramStatements } from './chores.ts'
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
  return sqlStorage(d1Driver(db, options.clock), {
    name: 'd1',
    maxBody: MAX_BODY,
    pieceLength: PIECE,
    cancels: false,
    shared: true,
    clock: options.clock,
  })
}

function d1Driver(db: D1Database, clock: () => number): Driver {
  const bind = (statement: Sql): D1PreparedStatement => {
    const { text, params } = fewParams(statement)
    return db.prepare(text).bind(...params)
  }
  const read = async (statements: readonly Sql[]): Promise<Row[][]> => {
    try {
      if (statements.length === 1) return [await bind(statements[0]!).raw<Row>()]
      const results = await db.batch(statements.map(bind))
      return results.map(result => rowsOf(result.results))
    } catch (error) {
      throw failure(error)
    }
  }
  let commits = 0
  return {
    local: false,
    read,
    readLong: read,
    async batch(statements) {
      try {
        const tended = [...statements, ...chores(commits, clock())]
        const results = await db.batch(tended.map(bind))
        commits++
        return results.slice(0, statements.length).map(result => rowsOf(result.results))
      } catch (error) {
        throw failure(error)
      }
    },
    gauges: () => ({ nadi_storage_commits: commits }),
    async close() {},
  }
}

/** A Worker has no time of its own between requests: a commit now and then does what is to be done beside it. */
const chores = (commits: number, now: number): readonly Sql[] =>
  commits % 16 === 0 ? [...trigramStatements, ...(commits % 64 === 0 ? [forgetStatement(now)] : [])] : []

const rowsOf = (results: unknown[]): Row[] => results.map(row => Object.values(row as Record<string, never>))

/** Returns the statement with its parameters in one JSON array where D1 would refuse their number. */
export function fewParams(statement: Sql): Sql {
  if (statement.params.length <= MOST_PARAMS) return statement
  let i = 0
  // Our texts hold no question mark but for parameters, and none of the long ones are numbered.
  const text = statement.text.replace(/\?/g, () => `(?1->>${i++})`)
  return { text, params: [JSON.stringify(statement.params)] }
}

function failure(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error)
  const refused = refusalIn(message)
  if (refused !== undefined) return new Refused(refused)
  const bug = /SQLITE_(ERROR|CONSTRAINT|MISMATCH|RANGE|MISUSE)/.test(message)
  return bug ? error : fhirError('transient', 'The database cannot be reached; try again.', { cause: error })
}
