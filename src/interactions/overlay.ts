/**
 * The state that a transaction sees: what is stored, with its own pending versions on top of it.
 * https://hl7.org/fhir/R4/http.html#trules
 */
import type { Context } from '../context.ts'
import { type FhirError, fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import type { IndexRow } from '../search/index-row.ts'
import { matches } from '../search/match.ts'
import type { Node, SearchPlan } from '../search/plan-node.ts'
import { idOf, type Key, type Stored, typeOf } from '../storage/port.ts'
import { type Criteria, findMatches } from './criteria.ts'
import { indexRows } from './indexer.ts'

/** A version that the transaction is about to make; without a resource it is a deletion. */
export interface Pending {
  resource: Resource | undefined
  /** Of the resource as it is now; absent until somebody asks. */
  index?: readonly IndexRow[]
}

export interface Overlay {
  pending: Map<Key, Pending>
  types: Map<string, PendingType>
}

/** The pending versions of a type, found by their tokens: a thousand conditional entries would else look through one another. */
interface PendingType {
  keys: Set<Key>
  /** Those whose rows are not among the tokens. */
  fresh: Set<Key>
  /** Parameter and code -> keys that have, or had before they changed, such a row. */
  tokens: Map<string, Set<Key>>
}

export const newOverlay = (): Overlay => ({ pending: new Map(), types: new Map() })

/** Puts a pending version into the overlay, or notes that its resource is another one now. */
export function setPending(overlay: Overlay, key: Key, pending: Pending): void {
  delete pending.index
  overlay.pending.set(key, pending)
  const type = typeOf(key)
  let ofType = overlay.types.get(type)
  if (ofType === undefined) {
    ofType = { keys: new Set(), fresh: new Set(), tokens: new Map() }
    overlay.types.set(type, ofType)
  }
  ofType.keys.add(key)
  ofType.fresh.add(key)
}

/** Returns the codes of which every match has one, each with its parameter; undefined where nothing such can be said. */
function tokensAsked(node: Node): readonly string[] | undefined {
  if (node.kind === 'token') return node.code === undefined ? undefined : [`${node.param}|${node.code}`]
  const below = node.kind === 'and' || node.kind === 'or' ? node.nodes.map(tokensAsked) : []
  if (node.kind === 'and') return below.find(one => one !== undefined)
  return node.kind === 'or' && !below.includes(undefined) ? below.flatMap(one => one ?? []) : undefined
}

/** Returns the refusal of criteria that depend on resources of a type that the transaction writes. */
export const dependsOnWritten = (type: string): FhirError =>
  fhirError(
    'not-supported',
    `The criteria depend on other resources, and this transaction writes ${type}: send what it writes in a transaction of its own.`,
    { status: 400, expression: 'http.url' },
  )

/** Returns the keys of the type that may match: all, where the plan asks for no tokens. */
function candidates(ctx: Context, overlay: Overlay, ofType: PendingType, plan: SearchPlan): Iterable<Key> {
  const asked = tokensAsked(plan.where)
  if (asked === undefined) return ofType.keys
  for (const key of ofType.fresh)
    for (const row of pendingRows(ctx, overlay.pending.get(key)!)) {
      if (row.kind !== 'token') continue
      const token = `${row.param}|${row.code}`
      const keys = ofType.tokens.get(token)
      if (keys === undefined) ofType.tokens.set(token, new Set([key]))
      else keys.add(key)
    }
  ofType.fresh.clear()
  return new Set(asked.flatMap(token => [...(ofType.tokens.get(token) ?? [])]))
}

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

/**
 * Returns what matches the criteria, at most `most` resources.
 *
 * Throws `not-supported` where the criteria look at other resources, by chains, `_has` or hierarchies, and the transaction writes such
 * ones: links between pending resources are not known before all are identified.
 */
export async function findInOverlay(
  ctx: Context,
  overlay: Overlay,
  criteria: Criteria,
  most: number,
): Promise<Found> {
  const { type, plan } = criteria
  for (const one of criteria.related) if (overlay.types.has(one)) throw dependsOnWritten(one)
  const ofType = overlay.types.get(type)
  // However many of the rows found are replaced by pending ones, `most` and one more could remain.
  const page = await findMatches(ctx, criteria, most + (ofType?.keys.size ?? 0))
  const untouched = page.rows
    .filter(row => !overlay.pending.has(row.key))
    .map(row => ({ key: row.key, stored: row as Stored }))
  const own: { key: Key; stored: undefined }[] = []
  for (const key of ofType === undefined ? [] : candidates(ctx, overlay, ofType, plan)) {
    const pending = overlay.pending.get(key)!
    if (pending.resource === undefined) continue
    if (matches(plan, { type, id: idOf(key), at: ctx.clock(), rows: pendingRows(ctx, pending) }))
      own.push({ key, stored: undefined })
  }
  const now = [...untouched, ...own]
  return { before: page.rows.map(row => row.key), now, more: page.more || now.length > most }
}
