/**
 * Large code systems in SQL tables (`schema.ts`): one row for a concept, and one full-text index that holds the words of its names beside
 * marks for its ancestors, properties and reference sets, so that every question is an intersection of its lists.
 * https://sqlite.org/fts5.html
 */
import { fhirError } from '../../fhir/error.ts'
import { conceptQuestion } from '../concept-terms.ts'
import {
  type Concept,
  type ConceptPage,
  type ConceptRow,
  type Concepts,
  type FindOptions,
  type Release,
  systemAndVersion,
} from '../concepts.ts'
import { columnsOf, conceptOf, READ_COLUMNS, releaseOf } from './concept-rows.ts'
import { matchOf } from './concept-words.ts'
import { type Driver, Refused, type Row } from './driver.ts'
import { all, raw, type Sql, sql, TRUE } from './sql.ts'

/** A concept's number holds its release, the length of its display and the place in the load: `SPAN * release + PLACES * length + place`. */
const PLACES = 2 ** 26
const LENGTHS = 2 ** 7
const SPAN = LENGTHS * PLACES

/** UTF-16 units of rows in one batch: a few milliseconds of the writer's time for each 100,000. */
const MOST_TEXT = 400_000

/** Rows that are removed in one batch. */
const SWEPT = 500

/** Beginnings of words shorter than this are of very many words. */
const SHORT = 3
/** What may take long runs in a process of its own where there is one, for so long at most. */
const PATIENCE_MS = 10_000

const RELEASE = 'rel, system, version, title, state, at, concepts, designations, types'

/** Returns the store of concepts over an engine. `clock` gives ms since 1970. */
export function sqlConcepts(driver: Driver, clock: () => number): Concepts {
  const one = async (statement: Sql): Promise<Row[]> => (await driver.read([statement]))[0]!

  /** The release that a text means, as a row `r` to join with. */
  const meant = (text: string): Sql => {
    const { system, version } = systemAndVersion(text)
    const which =
      version === undefined
        ? sql`state = 'current'`
        : sql`state IN ('current', 'kept') AND version = ${version}`
    return sql`(SELECT rel FROM release WHERE system = ${system} AND ${which} ORDER BY rel DESC LIMIT 1) r`
  }

  async function releases(where: Sql): Promise<Release[]> {
    const rows = await one(sql`SELECT ${raw(RELEASE)} FROM release WHERE ${where} ORDER BY rel DESC`)
    return rows.map(releaseOf)
  }

  /** Deletes what removed releases have left, a piece at a time, so that others can write between. */
  async function sweep(gone: readonly Release[]): Promise<void> {
    for (const { id } of gone) {
      const some = sql`SELECT cid FROM concept WHERE cid >= ${id * SPAN} AND cid < ${(id + 1) * SPAN} ORDER BY cid LIMIT ${SWEPT}`
      for (;;) {
        const [, deleted] = await driver.batch(
          [
            sql`DELETE FROM concept_index WHERE rowid IN (${some})`,
            sql`DELETE FROM concept WHERE cid IN (${some}) RETURNING 1`,
          ],
          true,
        )
        if (deleted!.length < SWEPT) break
      }
      await driver.batch([sql`DELETE FROM release WHERE rel = ${id}`], true)
    }
  }

  const isLoading = (id: number): Sql =>
    sql`INSERT INTO abort (what) SELECT 'loading' WHERE NOT EXISTS (SELECT 1 FROM release WHERE rel = ${id} AND state = 'loading')`

  async function whileLoading(statements: readonly Sql[]): Promise<Row[][]> {
    try {
      return await driver.batch(statements, true)
    } catch (error) {
      if (!(error instanceof Refused) || error.what !== 'loading') throw error
      throw fhirError(
        'conflict',
        'The release is not being loaded: another load has begun since, or it is finished.',
      )
    }
  }

  async function writePiece(id: number, rows: string, codes: string, count: Counted): Promise<void> {
    const there = sql`FROM concept WHERE rel = ${id} AND code IN (SELECT value FROM json_each(${codes}))`
    const row = (place: number) => raw(`j.value->>${place}`)
    await whileLoading([
      isLoading(id),
      sql`UPDATE release SET concepts = concepts + ${count.concepts} - (SELECT count(*) ${there}), designations = designations + ${count.designations} - (SELECT coalesce(sum(names), 0) ${there}) WHERE rel = ${id}`,
      sql`DELETE FROM concept_index WHERE rowid IN (SELECT cid ${there})`,
      sql`DELETE ${there}`,
      sql`INSERT INTO concept (cid, rel, code, active, names, parents, body) SELECT ${id} * ${raw(String(SPAN))} + ${row(1)} * ${raw(String(PLACES))} + r.written + j.key, ${id}, ${row(0)}, ${row(2)}, ${row(3)}, j.value->4, j.value->5 FROM (SELECT written FROM release WHERE rel = ${id}) r, json_each(${rows}) j`,
      sql`INSERT INTO concept_index (rowid, words) SELECT c.cid, ${row(6)} FROM json_each(${rows}) j CROSS JOIN concept c ON c.rel = ${id} AND c.code = ${row(0)}`,
      sql`UPDATE release SET written = written + ${count.concepts} WHERE rel = ${id}`,
    ])
  }

  async function find(
    system: string,
    words: readonly string[],
    { after, limit, where, total }: FindOptions,
  ): Promise<ConceptPage> {
    const asked = conceptQuestion(words, where)
    if (asked.none) return { concepts: [], more: false, ...(total ? { total: 0 } : {}) }
    const match = matchOf(asked)
    const conditions: Sql[] = [
      ...(asked.active === undefined ? [] : [sql`c.active = ${asked.active ? 1 : 0}`]),
      ...asked.not.map(code => sql`c.code <> ${code}`),
    ]
    // As a number of its own: joined with the release, the full-text index would not give its rows in their order. No release is -1.
    const rel = sql`coalesce((SELECT rel FROM ${meant(system)}), -1)`
    const first = sql`${rel} * ${raw(String(SPAN))}`
    // To the full-text index a number that is no integer is none at all, and D1 makes such. Of another release: nothing, which
    // `checkPlace` explains.
    const start =
      after === undefined
        ? sql`${first} - 1`
        : sql`CASE ${rel} WHEN ${Math.floor((after[0] as number) / SPAN)} THEN CAST(${after[0]!} AS INTEGER) ELSE ${first} + ${raw(String(SPAN))} END`
    const from = (begin: Sql): Sql => {
      const range = (name: string) =>
        sql`${raw(name)} > ${begin} AND ${raw(name)} < ${first} + ${raw(String(SPAN))}`
      if (asked.codes !== undefined) {
        const held =
          match === undefined
            ? TRUE
            : sql`EXISTS (SELECT 1 FROM concept_index f WHERE f.rowid = c.cid AND concept_index MATCH ${match})`
        return sql`FROM concept c WHERE c.rel = ${rel} AND c.code IN (SELECT value FROM json_each(${JSON.stringify(asked.codes)})) AND ${range('+c.cid')} AND ${all([...conditions, held])}`
      }
      if (match === undefined) return sql`FROM concept c WHERE ${range('c.cid')} AND ${all(conditions)}`
      return sql`FROM concept_index f CROSS JOIN concept c ON c.cid = f.rowid WHERE concept_index MATCH ${match} AND ${range('f.rowid')} AND ${all(conditions)}`
    }
    const order = raw(match === undefined || asked.codes !== undefined ? 'c.cid' : 'f.rowid')
    const page = sql`SELECT ${raw(READ_COLUMNS)}, c.cid ${from(start)} ORDER BY ${order} LIMIT ${limit + 1}`
    // The concepts themselves are read only where they tell something.
    const whole = sql`${first} - 1`
    const count =
      match !== undefined && conditions.length === 0 && asked.codes === undefined
        ? sql`SELECT count(*) FROM concept_index f WHERE concept_index MATCH ${match} AND f.rowid > ${whole} AND f.rowid < ${first} + ${raw(String(SPAN))}`
        : sql`SELECT count(*) ${from(whole)}`
    const statements = total ? [page, count] : [page]
    const heavy = total === true || words.length > 2 || words.some(word => word.length < SHORT)
    const [rows, counted] = heavy
      ? await driver.readLong(statements, clock() + PATIENCE_MS)
      : await driver.read(statements)
    const more = rows!.length > limit
    if (more) rows!.length = limit
    if (rows!.length === 0 && after !== undefined) await checkPlace(system, after[0] as number)
    return {
      concepts: rows!.map(conceptOf),
      more,
      ...(rows!.length > 0 ? { last: [rows!.at(-1)!.at(-1)!] } : {}),
      ...(total ? { total: counted![0]![0] as number } : {}),
    }
  }

  /** A page that is empty because its release is gone must not pass for the end. */
  async function checkPlace(system: string, cid: number): Promise<void> {
    const release = await current(system)
    if (release?.id !== Math.floor(cid / SPAN))
      throw fhirError(
        'conflict',
        'Another release of the code system is current since the last page: begin again.',
      )
  }

  const current = async (text: string): Promise<Release | undefined> =>
    (await releases(sql`rel = (SELECT rel FROM ${meant(text)})`))[0]

  return {
    releases: () => releases(TRUE),
    current,
    async begin({ system, version, title }) {
      await driver.batch([sql`UPDATE release SET state = 'removed' WHERE state = 'loading'`], true)
      await sweep(await releases(sql`state = 'removed'`))
      const [rows] = await driver.batch([
        sql`INSERT INTO release (system, version, title, state, at, written, concepts, designations, types) VALUES (${system}, ${version}, ${title}, 'loading', ${clock()}, 0, 0, 0, '{}') RETURNING ${raw(RELEASE)}`,
      ])
      return releaseOf(rows![0]!)
    },
    async write(id, rows) {
      for (const piece of pieces(rows)) {
        const codes = JSON.stringify(piece.codes)
        await writePiece(id, `[${piece.texts.join(',')}]`, codes, piece)
      }
    },
    async finish(id, { keep = false, propertyTypes = {} } = {}) {
      const mine = sql`(SELECT system, version FROM release WHERE rel = ${id}) m`
      const [, , , rows] = await whileLoading([
        isLoading(id),
        sql`UPDATE release SET state = CASE WHEN ${keep ? 1 : 0} AND version <> (SELECT m.version FROM ${mine}) THEN 'kept' ELSE 'removed' END WHERE state = 'current' AND system = (SELECT m.system FROM ${mine})`,
        sql`UPDATE release SET state = 'removed' WHERE state = 'kept' AND (system, version) = (SELECT m.system, m.version FROM ${mine})`,
        sql`UPDATE release SET state = 'current', types = ${JSON.stringify(propertyTypes)} WHERE rel = ${id} RETURNING ${raw(RELEASE)}`,
      ])
      await sweep(await releases(sql`state = 'removed'`))
      return releaseOf(rows![0]!)
    },
    async remove(text) {
      const { system, version } = systemAndVersion(text)
      const which = version === undefined ? TRUE : sql`version = ${version}`
      const gone = await releases(sql`system = ${system} AND state IN ('current', 'kept') AND ${which}`)
      const ids = JSON.stringify(gone.map(({ id }) => id))
      await driver.batch(
        [sql`UPDATE release SET state = 'removed' WHERE rel IN (SELECT value FROM json_each(${ids}))`],
        true,
      )
      await sweep(gone)
      return gone
    },
    async get(system, codes) {
      const rows = await one(
        sql`SELECT ${raw(READ_COLUMNS)} FROM ${meant(system)} CROSS JOIN concept c ON c.rel = r.rel WHERE c.code IN (SELECT value FROM json_each(${JSON.stringify(codes)}))`,
      )
      const found = new Map(rows.map(row => [row[0] as string, row]))
      return [...new Set(codes)].flatMap((code): Concept[] => {
        const row = found.get(code)
        return row === undefined ? [] : [conceptOf(row)]
      })
    },
    async ancestors(system, code) {
      const rows = await one(
        sql`WITH RECURSIVE up (rel, code, steps) AS (SELECT r.rel, ${code}, 0 FROM ${meant(system)} UNION SELECT up.rel, p.value, steps + 1 FROM up CROSS JOIN concept c ON c.rel = up.rel AND c.code = up.code CROSS JOIN json_each(c.parents) p WHERE steps < ${MOST_STEPS}) SELECT code, min(steps) AS near FROM up WHERE steps > 0 AND code <> ${code} GROUP BY code ORDER BY near, code`,
      )
      return rows.map(row => row[0] as string)
    },
    children: (system, code, options) =>
      find(system, [], { ...options, where: [...(options.where ?? []), { is: 'childOf', code }] }),
    find,
  }
}

/** Deeper than any code system; a circle ends here. */
const MOST_STEPS = 100

interface Counted {
  concepts: number
  designations: number
}

interface Piece extends Counted {
  codes: string[]
  /** A row each, as JSON. */
  texts: string[]
}

/** Yields the rows in pieces that a batch takes, the last of several of one code only. */
function* pieces(rows: readonly ConceptRow[]): Generator<Piece> {
  const last = new Map(rows.map(row => [row.code, row]))
  const empty = (): Piece => ({ codes: [], texts: [], concepts: 0, designations: 0 })
  let piece = empty()
  let length = 0
  for (const row of last.values()) {
    const text = columnsOf(row, LENGTHS - 1)
    if (length + text.length > MOST_TEXT && piece.concepts > 0) {
      yield piece
      piece = empty()
      length = 0
    }
    piece.codes.push(row.code)
    piece.texts.push(text)
    piece.concepts++
    piece.designations += row.designations.length
    length += text.length
  }
  if (piece.concepts > 0) yield piece
}
