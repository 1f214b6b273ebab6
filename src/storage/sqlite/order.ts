/** The order of a search as SQL: key expressions, ORDER BY and the keyset condition that a page begins or ends with. */
import { fhirError } from '../../fhir/error.ts'
import type { SortKey } from '../../search/plan-node.ts'
import type { Cursor } from '../port.ts'
import { nameId } from './names.ts'
import { distanceOf } from './near.ts'
import { join, type Param, raw, type Sql, sql } from './sql.ts'

/** One key of an order; resources without a value come last in both directions. */
export interface Ordering {
  expr: Sql
  descending: boolean
  /** There are resources without a value. */
  nullable: boolean
}

/** Where a page stands: after a row, or before it. */
export interface Place {
  cursor: Cursor | undefined
  backward: boolean
}

const paramIn = (params: readonly string[]): Sql =>
  params.length === 1
    ? sql`p = ${nameId(params[0]!)}`
    : sql`p IN (SELECT value FROM json_each(${JSON.stringify(params.map(nameId))}))`

/** The condition that a row of `srt` holds the key that counts in the direction asked (parts: `schema.ts`). */
export const partOf = (column: string, descending: boolean): Sql =>
  raw(descending ? `${column} % 2 = 0` : `${column} < 2`)

/** Whether the parameter's keys are the codes of its rows in `tok`. */
export const isCoded = (key: SortKey, param: string): boolean =>
  key.by === 'param' && (key.coded?.includes(param) ?? false)

/** Returns the key of the resource `rid`: the value that comes first in the direction asked. */
export function ordering(key: SortKey, rid: Sql): Ordering {
  const { descending } = key
  switch (key.by) {
    case 'updated':
      return { expr: sql`(SELECT lu FROM res WHERE rid = ${rid})`, descending, nullable: false }
    case 'id':
      return {
        expr: sql`(SELECT substr(key, instr(key, '/') + 1) FROM res WHERE rid = ${rid})`,
        descending,
        nullable: false,
      }
    case 'distance':
      return { expr: distanceOf(key.param, key, rid), descending, nullable: true }
    case 'param': {
      const first = raw(descending ? 'max' : 'min')
      const coded = key.params.filter(param => isCoded(key, param))
      const others = key.params.filter(param => !isCoded(key, param))
      const selects: Sql[] = []
      if (others.length > 0)
        selects.push(
          sql`SELECT ${first}(key) AS k FROM srt INDEXED BY srt_rid WHERE rid = ${rid} AND ${paramIn(others)} AND ${partOf('part', descending)}`,
        )
      if (coded.length > 0)
        selects.push(
          sql`SELECT ${first}(code) AS k FROM tok INDEXED BY tok_rid WHERE rid = ${rid} AND ${paramIn(coded)} AND code > ''`,
        )
      const expr =
        selects.length === 1
          ? sql`(${selects[0]!})`
          : sql`(SELECT ${first}(k) FROM (${join(selects, ' UNION ALL ')}))`
      return { expr, descending, nullable: true }
    }
  }
}

export function orderBy(keys: readonly Ordering[], rid: string, backward: boolean): Sql {
  const parts: Sql[] = []
  for (const { expr, descending, nullable } of keys) {
    if (nullable) parts.push(sql`${expr} IS NULL${raw(backward ? ' DESC' : '')}`)
    parts.push(sql`${expr}${raw(descending !== backward ? ' DESC' : '')}`)
  }
  parts.push(raw(`${rid}${backward ? ' DESC' : ''}`))
  return join(parts, ', ')
}

/**
 * Returns the condition that a row stands after the cursor, or before it when `backward`.
 *
 * Throws `invalid` for a cursor of another order.
 */
export function beyond(keys: readonly Ordering[], rid: string, cursor: Cursor, backward: boolean): Sql {
  expectKeys(cursor, keys.length)
  const last = sql`${raw(`${rid} ${backward ? '<' : '>'}`)} ${cursor[keys.length] as Param}`
  return keys.reduceRight<Sql>((rest, key, i) => beyondKey(key, cursor[i] as Param, backward, rest), last)
}

/** Throws `invalid` for a cursor that has not this many keys. */
export function expectKeys(cursor: Cursor, keys: number): void {
  if (cursor.length !== keys + 1) throw fhirError('invalid', 'The page belongs to another search.')
}

function beyondKey(
  { expr, descending, nullable }: Ordering,
  value: Param,
  backward: boolean,
  rest: Sql,
): Sql {
  if (value === null)
    return backward ? sql`(${expr} IS NOT NULL OR ${rest})` : sql`(${expr} IS NULL AND ${rest})`
  const compare = raw(descending !== backward ? '<' : '>')
  const missing = nullable && !backward ? sql` OR ${expr} IS NULL` : raw('')
  return sql`(${expr} ${compare} ${value}${missing} OR (${expr} = ${value} AND ${rest}))`
}
