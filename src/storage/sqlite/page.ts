/** The rows of a page with their texts, and how much text a page holds. */
import type { SearchOptions } from '../port.ts'
import type { Driver, Row } from './driver.ts'
import { raw, type Sql, sql } from './sql.ts'

/** The place of `rid` among the columns of a page; the keys follow. */
export const FOUND_RID = 7

/** How much text the rows of a page may hold. */
interface Room {
  /** Bytes of all together: rows beyond have NULL in the place of the text; the first row has its text always. */
  together?: number
  /** Bytes of each: a row of more has NULL. */
  each?: number
}

/** The rows of a page with their texts; of texts that are too long the length alone is read. */
function page(inner: Sql, { together, each }: Room = {}): Sql {
  const from = sql`FROM (${inner}) i CROSS JOIN res r ON r.rid = i.rid CROSS JOIN ver v ON v.vid = r.vid`
  if (together !== undefined) {
    const size = raw(
      'octet_length(v.body) + CASE v.chunks WHEN 0 THEN 0 ELSE (SELECT sum(octet_length(c.body)) FROM chunk c WHERE c.vid = v.vid) END',
    )
    return sql`SELECT r.key, v.ver, v.lu, v.method, CASE WHEN sum(${size}) OVER (ROWS UNBOUNDED PRECEDING) <= ${together} OR row_number() OVER () = 1 THEN (SELECT b.body FROM ver b WHERE b.vid = v.vid) END, v.chunks, v.vid, i.* ${from}`
  }
  const body =
    each === undefined
      ? raw('v.body')
      : sql`CASE WHEN v.chunks = 0 AND octet_length(v.body) <= ${each} THEN v.body END`
  return sql`SELECT r.key, v.ver, v.lu, v.method, ${body}, v.chunks, v.vid, i.* ${from}`
}

/**
 * Returns the rows of a page that holds so many bytes of text, and those of the other statements. As a rule no text is longer than its
 * share, and that costs nothing; where one is, the page is read anew with a sum.
 */
export async function pageOf(
  read: Driver['read'],
  inner: Sql,
  limit: number,
  bytes: number | undefined,
  deadline: number | undefined,
  statements: readonly Sql[] = [],
): Promise<{ rows: Row[]; others: Row[][] }> {
  const room = bytes === undefined ? {} : { each: Math.floor(bytes / limit) }
  const [rows, ...others] = await read([page(inner, room), ...statements], deadline)
  if (bytes === undefined || rows!.every(row => row[BODY] !== null)) return { rows: rows!, others }
  const [summed] = await read([page(inner, { together: bytes })], deadline)
  return { rows: summed!, others }
}

/** Rows that a page lacks. */
export const wanted = ({ limit }: SearchOptions, rows: readonly Row[]): number =>
  rows.length > 0 && rows.at(-1)![BODY] === null ? 0 : limit - rows.length

const BODY = 4

/** Bytes that a page has left; 0 still lets a first row through. */
export const left = ({ bytes }: SearchOptions, rows: readonly Row[]): number | undefined =>
  bytes === undefined
    ? undefined
    : rows.reduce((rest, row) => rest - new TextEncoder().encode(row[BODY] as string).length, bytes)

/** The first row of a page has its text whatever its size; that of a second read may be too much. */
export const cutFirst = (more: Row[], options: SearchOptions, before: readonly Row[]): Row[] => {
  const first = more[0]
  const rest = left(options, before)
  if (first === undefined || before.length === 0 || rest === undefined) return more
  const { length } = new TextEncoder().encode(first[BODY] as string)
  return length <= rest ? more : more.map(row => row.with(BODY, null))
}
