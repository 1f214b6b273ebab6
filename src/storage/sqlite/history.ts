/** Versions newest first: vid orders them, because commits are serial and their stamps never run backwards. */
import type { HistoryOptions, HistoryScope } from '../port.ts'
import { holds } from './compile.ts'
import type { Terms } from './index-tables.ts'
import { nameId } from './names.ts'
import { all, raw, type Sql, sql, TRUE } from './sql.ts'

/** The columns of a version; as those of a search, with vid in the place of rid. */
const COLUMNS = raw('r.key, v.ver, v.lu, v.method, v.body, v.chunks, v.vid, v.vid AS cursor')

export interface HistoryQueries {
  page: Sql
  count: Sql
}

/** Returns the select of `limit` versions and that of their number. */
export function historyQueries(
  scope: HistoryScope,
  options: HistoryOptions,
  limit: number,
  terms: Terms,
): HistoryQueries {
  const conditions: Sql[] = []
  if (options.since !== undefined) conditions.push(sql`v.vid >= ${firstAt(options.since)}`)
  if (options.current !== undefined) {
    const { lo, hi } = options.current
    conditions.push(
      sql`v.vid < ${firstAt(hi)}`,
      sql`(v.lu >= ${lo} OR NOT EXISTS (SELECT 1 FROM ver n WHERE n.rid = v.rid AND n.ver = v.ver + 1 AND n.lu <= ${lo}))`,
    )
  }
  if (options.filter !== undefined) conditions.push(holds(options.filter, raw('v.rid'), terms))
  const after = options.after === undefined ? TRUE : sql`v.vid < ${options.after[0]!}`

  const from =
    scope.key !== undefined
      ? sql`res r CROSS JOIN ver v INDEXED BY ver_rid ON v.rid = r.rid WHERE r.key = ${scope.key}`
      : scope.type !== undefined
        ? sql`ver v INDEXED BY ver_type CROSS JOIN res r ON r.rid = v.rid WHERE v.type = ${nameId(scope.type)}`
        : raw('ver v NOT INDEXED CROSS JOIN res r ON r.rid = v.rid WHERE 1')
  // To count needs no resource, and an index of versions is a fraction of their texts.
  const counted =
    scope.key !== undefined
      ? from
      : scope.type !== undefined
        ? sql`ver v INDEXED BY ver_type WHERE v.type = ${nameId(scope.type)}`
        : raw('ver v WHERE 1')
  // Of one resource the order of versions is that of vid, and ver_rid has it.
  const order = raw(scope.key !== undefined ? 'v.ver DESC' : 'v.vid DESC')
  return {
    page: sql`SELECT ${COLUMNS} FROM ${from} AND ${all([...conditions, after])} ORDER BY ${order} LIMIT ${limit}`,
    count: sql`SELECT count(*) FROM ${counted} AND ${all(conditions)}`,
  }
}

/** The first vid stamped at or after a time, by halving. */
const firstAt = (at: number): Sql =>
  sql`(WITH RECURSIVE h (lo, hi) AS (SELECT 0, COALESCE((SELECT max(vid) FROM ver), 0) + 1 UNION ALL SELECT CASE WHEN (SELECT lu FROM ver WHERE vid >= (lo + hi) / 2 ORDER BY vid LIMIT 1) < ${at} THEN (lo + hi) / 2 ELSE lo END, CASE WHEN (SELECT lu FROM ver WHERE vid >= (lo + hi) / 2 ORDER BY vid LIMIT 1) < ${at} THEN hi ELSE (lo + hi) / 2 END FROM h WHERE hi - lo > 1) SELECT hi FROM h WHERE hi - lo = 1)`
