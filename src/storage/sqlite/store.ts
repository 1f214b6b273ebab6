/** The storage over SQL: one implementation of the port, given an engine as a Driver. */
import { fhirError } from '../../fhir/error.ts'
import type { Node, SearchPlan } from '../../search/plan-node.ts'
import type {
  Capabilities,
  Commit,
  Committed,
  Cursor,
  HistoryOptions,
  HistoryScope,
  Key,
  Page,
  Reindexed,
  SearchOptions,
  Storage,
  Stored,
} from '../port.ts'
import { leaseStatement, outboxDone, outboxPutOff, outboxTake, rememberStatements } from './chores.ts'
import { commitBatch, currentIs, readBefore, refusedCommit } from './commit.ts'
import { holds, NODES, typeIn } from './compile.ts'
import { sqlConcepts } from './concepts.ts'
import { LONG } from './cost.ts'
import { type Driver, Refused, type Row } from './driver.ts'
import { historyQueries } from './history.ts'
import { type Indexed, indexStatements } from './index-tables.ts'
import { boundCursor, type Known, knownIds, unboundPlace } from './known-ids.ts'
import { FOUND_RID } from './page.ts'
import { createProbes } from './probes.ts'
import { searchRows } from './search.ts'
import { raw, type Sql, sql } from './sql.ts'

export interface SqlStorageOptions {
  name: Capabilities['name']
  /** UTF-8 bytes. */
  maxBody: number
  /** UTF-16 units of a body that one row may hold. */
  pieceLength: number
  cancels: boolean
  shared: boolean
  /** The number of the restore that the database came from, 0 for none; undefined where no backup can come under a running server. */
  restored?: number
  /** ms since 1970. */
  clock(): number
  /** Up to this many resources a search gathers and sorts; above, it walks an index that has the order. 4096 where not given. */
  gathers?: number
  /** Microseconds that a search may take of the time of all others; LONG where not given. */
  patience?: number
}

/** Gathering so many costs some milliseconds. */
const GATHERS = 4096

const READ = 'SELECT r.key, v.ver, v.lu, v.method, v.body, v.chunks, v.vid FROM res r CROSS JOIN ver v ON '
const CURRENT = `${READ} v.vid = r.vid WHERE r.key = ?`
const VERSION = `${READ} v.rid = r.rid AND v.ver = ? WHERE r.key = ?`
const SEVERAL = `${READ} v.vid = r.vid WHERE r.key IN (SELECT value FROM json_each(?))`

/** Columns of READ and of what a search finds. */
const [KEY, VER, LU, METHOD, BODY, CHUNKS, VID] = [0, 1, 2, 3, 4, 5, 6]

const storedOf = (row: Row): Stored => ({
  key: row[KEY] as Key,
  version: row[VER] as number,
  at: row[LU] as number,
  method: row[METHOD] as Stored['method'],
  text: row[BODY] === null ? undefined : (row[BODY] as string),
})

/** Returns the storage over an engine whose tables are there. */
export function sqlStorage(driver: Driver, options: SqlStorageOptions): Storage {
  const { clock, maxBody, pieceLength } = options
  const writesIndex = driver.local
  const ids = knownIds(driver, options.restored)
  const probes = createProbes(driver, clock, options.gathers ?? GATHERS)

  /** Fetches what did not fit the rows of `ver`. */
  async function stored(rows: readonly Row[]): Promise<Stored[]> {
    const split = rows.filter(row => (row[CHUNKS] as number) > 0)
    if (split.length === 0) return rows.map(storedOf)
    const vids = JSON.stringify(split.map(row => row[VID]))
    const pieces = await one(
      sql`SELECT vid, body FROM chunk WHERE vid IN (SELECT value FROM json_each(${vids})) ORDER BY vid, n`,
    )
    const rests = new Map<number, string>()
    for (const [vid, body] of pieces as [number, string][]) rests.set(vid, (rests.get(vid) ?? '') + body)
    return rows.map(row => {
      const result = storedOf(row)
      const rest = rests.get(row[VID] as number)
      if (rest !== undefined) result.text += rest
      return result
    })
  }

  async function one(statement: Sql): Promise<Row[]> {
    return (await driver.read([statement]))[0]!
  }

  async function filteredRows(statement: Sql, filter: Node | undefined): Promise<Row[]> {
    // Most reads name a resource only, and need no ids.
    if (filter === undefined) return one(statement)
    return ids.steady(({ terms }) => one(sql`${statement} AND ${holds(filter, raw('r.rid'), terms.known)}`))
  }

  async function page(
    rows: Row[],
    limit: number,
    cursorOf: (row: Row) => Cursor,
    backward = false,
    bounded = false,
  ): Promise<Page> {
    let more = rows.length > limit
    if (more) rows.length = limit
    if (bounded) {
      const fitting = rows.findIndex(row => row[BODY] === null)
      if (fitting >= 0) {
        rows.length = fitting
        more = true
      }
    }
    if (backward) rows.reverse()
    const result: Page = { rows: await stored(rows), more }
    if (rows.length > 0) {
      result.first = cursorOf(rows[0]!)
      result.last = cursorOf(rows.at(-1)!)
    }
    return result
  }

  async function commit(commit: Commit): Promise<Committed> {
    for (const change of commit.changes) if (change.body !== null) refuseLong(change.body.text, maxBody)
    for (let tries = 1; ; tries++) {
      const done = await commitUnder(ids.now(), commit)
      if (done !== AGAIN) return done
      if (tries === MOST_COMMITS)
        throw fhirError('transient', 'The database is being restored from a backup; try again.')
    }
  }

  /** Returns AGAIN where a backup has come since the ids were known, and nothing of the commit depends on what was there before. */
  async function commitUnder({ terms, restored }: Known, commit: Commit): Promise<Committed | typeof AGAIN> {
    const options = { terms: terms.known, restored, now: clock(), pieceLength, writesIndex }
    const batch = commitBatch(commit, options)
    const statements = [...batch.statements, ...terms.learning(batch.newTerms)]
    try {
      // A repeated commit fails on its id, and is answered as the first time.
      const rows = await driver.batch(statements, true)
      terms.learn(batch.newTerms.length > 0 ? rows.at(-1)! : [])
      return { ok: true, at: rows[0]![0]![0] as number }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      if (error.what === 'restored') {
        await ids.look()
        return readBefore(commit) ?? AGAIN
      }
      if (error.what !== 'repeated') return refusedCommit(error, commit)
      const [done] = await one(sql`SELECT at FROM done WHERE id = ${commit.id}`)
      return done === undefined ? AGAIN : { ok: true, at: done[0] as number }
    }
  }

  async function searchUnder(known: Known, plan: SearchPlan, asked: SearchOptions): Promise<Page> {
    const limit = asked.limit === 0 ? 0 : asked.limit + 1
    const place = unboundPlace(asked, known)
    const { rows, total, explained } = await searchRows(
      driver,
      plan,
      { ...asked, ...place, limit },
      { terms: known.terms.known, probes, patience: options.patience ?? LONG },
    )
    const cursorOf = (row: Row): Cursor => boundCursor([...row.slice(FOUND_RID + 1), row[FOUND_RID]!], known)
    const result = await page(
      rows,
      asked.limit,
      cursorOf,
      asked.before !== undefined,
      asked.bytes !== undefined,
    )
    if (total !== undefined) result.total = total
    if (explained !== undefined) result.explained = explained
    return result
  }

  async function historyUnder(known: Known, scope: HistoryScope, options: HistoryOptions): Promise<Page> {
    const asked = { ...options, ...unboundPlace(options, known) }
    const queries = historyQueries(scope, asked, asked.limit + 1, known.terms.known)
    const counting = asked.total === 'accurate' ? [queries.count] : []
    const reading = asked.limit === 0 ? [] : [queries.page]
    const whole = scope.key === undefined && (counting.length > 0 || asked.filter || asked.current)
    const [[latest]] = (whole ? await one(raw('SELECT max(vid) FROM ver')) : [[0]]) as [[number | null]]
    const long = (latest ?? 0) > GATHERS
    const answers = await (long ? driver.readLong : driver.read)([...reading, ...counting])
    const result = await page(asked.limit === 0 ? [] : answers[0]!, asked.limit, row =>
      boundCursor([row[VID] as number], known),
    )
    if (asked.total === 'accurate') result.total = answers.at(-1)![0]![0] as number
    return result
  }

  async function reindex(rows: readonly Reindexed[], epoch: number): Promise<Key[]> {
    const asked = JSON.stringify(rows.map(row => [row.key, row.version]))
    const moved = sql`SELECT j.value->>0 FROM json_each(${asked}) j LEFT JOIN res r ON r.key = j.value->>0 WHERE r.ver IS NOT j.value->>1 OR r.live = 0`
    const indexed: Indexed[] = rows.map(row => ({ ...row, fresh: false }))
    const { terms, restored } = ids.now()
    const { statements, newTerms } = indexStatements(indexed, terms.known, writesIndex)
    const guard = currentIs({ epoch, restored })
    try {
      const answers = await driver.batch([guard, moved, ...statements, ...terms.learning(newTerms)], true)
      terms.learn(newTerms.length > 0 ? answers.at(-1)! : [])
      return answers[1]!.map(row => row[0] as Key)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      if (error.what === 'restored') await ids.look()
      else if (error.what !== 'epoch') throw error
      return rows.map(row => row.key)
    }
  }

  return {
    caps: {
      name: options.name,
      maxBody,
      nodes: NODES,
      cancels: options.cancels,
      shared: options.shared,
    },
    async read(key, { version, filter } = {}) {
      const statement =
        version === undefined ? { text: CURRENT, params: [key] } : { text: VERSION, params: [version, key] }
      const rows = await filteredRows(statement, filter)
      return rows.length === 0 ? undefined : (await stored(rows))[0]
    },
    async readMany(keys, filter) {
      if (keys.length === 0) return new Map()
      const rows = await filteredRows({ text: SEVERAL, params: [JSON.stringify(keys)] }, filter)
      return new Map((await stored(rows)).map(resource => [resource.key, resource]))
    },
    search: (plan, asked) => ids.steady(known => searchUnder(known, plan, asked)),
    history: (scope, asked) => ids.steady(known => historyUnder(known, scope, asked)),
    commit,
    async keep(name, value) {
      const [known] = await one(sql`SELECT value FROM kept WHERE name = ${name}`)
      if (known !== undefined) return known[0] as string
      const [, rows] = await driver.batch(
        [
          sql`INSERT INTO kept (name, value) VALUES (${name}, ${value}) ON CONFLICT (name) DO NOTHING`,
          sql`SELECT value FROM kept WHERE name = ${name}`,
        ],
        true,
      )
      return rows![0]![0] as string
    },
    async remember(name, text, until) {
      await driver.batch(rememberStatements(name, text, until, clock()), true)
    },
    async recall(name) {
      const [row] = await one(sql`SELECT text FROM remembered WHERE name = ${name} AND until > ${clock()}`)
      return row?.[0] as string | undefined
    },
    async counter(name) {
      const [row] = await one(sql`SELECT n FROM counter WHERE name = ${name}`)
      return (row?.[0] as number | undefined) ?? 0
    },
    async scan(after, limit, types, until) {
      const of = types === undefined ? raw('1') : typeIn(types)
      const from = (after?.[0] as number | undefined) ?? 0
      const to = (until?.[0] as number | undefined) ?? Number.MAX_SAFE_INTEGER
      const rows = await one(
        sql`SELECT r.key, v.ver, v.lu, v.method, v.body, v.chunks, v.vid, r.rid FROM (SELECT * FROM res NOT INDEXED WHERE rid > ${from} AND rid <= ${to} AND live = 1 AND ${of} ORDER BY rid LIMIT ${limit + 1}) r CROSS JOIN ver v ON v.vid = r.vid`,
      )
      return page(rows, limit, row => [row[FOUND_RID]!])
    },
    async newest() {
      const last = (await one(raw('SELECT max(rid) FROM res')))[0]![0] as number | null
      return last === null ? undefined : [last]
    },
    reindex,
    async epoch() {
      return (await one(raw(`SELECT value FROM meta WHERE name = 'epoch'`)))[0]![0] as number
    },
    async raiseEpoch(next) {
      const [rows] = await driver.batch([
        sql`UPDATE meta SET value = ${next} WHERE name = 'epoch' AND value < ${next} RETURNING value`,
      ])
      return rows!.length > 0
    },
    async lease(name, owner, ms) {
      const [rows] = await driver.batch([leaseStatement(name, owner, clock(), ms)])
      return rows![0]?.[0] as number | undefined
    },
    outbox: {
      async take(n, owner, ms) {
        const [rows] = await driver.batch([outboxTake(n, owner, clock(), ms)])
        const jobs = rows!.map(([id, kind, due, body, fence]) => ({
          id: id as string,
          kind: kind as string,
          due: due as number,
          body: body as string,
          fence: fence as number,
        }))
        return jobs.sort((a, b) => a.due - b.due)
      },
      async done(id, fence) {
        const [rows] = await driver.batch([outboxDone(id, fence)])
        return rows!.length > 0
      },
      async putOff(id, fence, { due, body }) {
        const [rows] = await driver.batch([outboxPutOff(id, fence, due, body)])
        return rows!.length > 0
      },
    },
    concepts: sqlConcepts(driver, clock),
    async ping() {
      await one(raw('SELECT 1'))
    },
    async gauges() {
      return driver.gauges()
    },
    close: () => driver.close(),
  }
}

/** In the place of an answer: the commit is to be made anew, with the ids that are right now. */
const AGAIN = Symbol('again')

/** Tries of a commit; between them a backup was restored. */
const MOST_COMMITS = 4

/** Throws `too-costly` (413) for a text of more than `most` bytes in UTF-8. */
function refuseLong(text: string, most: number): void {
  if (text.length * 3 <= most) return
  if (text.length <= most && utf8Length(text) <= most) return
  throw fhirError('too-costly', `The resource is larger than the ${most} bytes that this server stores.`)
}

function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    // Either half of a surrogate pair counts 2, so that a pair is 4.
    if (code > 0x7ff && (code < 0xd800 || code > 0xdfff)) length += 2
    else if (code > 0x7f) length++
  }
  return length
}
