/**
 * The state that a transaction sees: what is stored, with its own pending versions on top of it.
 * https://hl7.org/fhir/R4/http.html#trules
 */
import type { Context } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import type { IndexRow } from '../search/index-row.ts'
import { matches } from '../search/match.ts'
import { idOf, type Key, type Stored, typeOf } from '../storage/port.ts'
import { type Criteria, findMatches } from './criteria.ts'
import { indexRows } from './indexer.ts'

/** A version that the transaction is about to make; without a resource it is a deletion. */
export interface Pending {
  resource: Resource | undefined
  /** Of the resource as it is now; absent until somebody asks. */
  index?: readonly IndexRow[]
}

export type Overlay = Map<Key, Pending>

/** Returns the index rows of a pending version, made when they are first asked for. */
export function pendingRows(ctx: Context, pending: Pending): readonly IndexRow[] {
  pending.index ??= pending.resource === undefined ? [] : indexRows(ctx, pending.resource)
  return pending.index
}

export interface Found {
  /** The stored resources that match, whatever the transaction does with them: what the commit must still find. */
  before: readonly Key[]
  /** The resources that match in the transaction's own view; those that are pending are not stored yet. */
  now: readonly { key: Key; stored: Stored | undefined }[]
  /** More than `most` match; then neither list is complete. */
  more: boolean
}

/** Returns what matches the criteria, at most `most` resources. */
export async function findInOverlay(
  ctx: Context,
  overlay: Overlay,
  criteria: Criteria,
  most: number,
): Promise<Found> {
  const { type, plan } = criteria
  const touched = [...overlay].filter(([key]) => typeOf(key) === type)
  // However many of the rows found are replaced by pending ones, `most` and one more could remain.
  const page = await findMatches(ctx, criteria, most + touched.length)
  const untouched = page.rows
    .filter(row => !overlay.has(row.key))
    .map(row => ({ key: row.key, stored: row as Stored }))
  const own = touched.flatMap(([key, pending]) =>
    pending.resource !== undefined &&
    matches(plan, { type, id: idOf(key), at: ctx.clock(), rows: pendingRows(ctx, pending) })
      ? [{ key, stored: undefined }]
      : [],
  )
  const now = [...untouched, ...own]
  return { before: page.rows.map(row => row.key), now, more: page.more || now.length > most }
}
