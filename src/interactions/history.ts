/**
 * The history interaction on an instance, a type and the system.
 * https://hl7.org/fhir/R4/http.html#history
 */
import type { Context } from '../context.ts'
import { type BundleEntry, type BundleLink, bundleText } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import {
  type HistoryOptions,
  type HistoryScope,
  idOf,
  type Stored,
  stampText,
  typeOf,
} from '../storage/port.ts'
import { fittingPage } from './answer-size.ts'
import { openPlace, sealPlace } from './cursors.ts'
import { checkType, checkUnlimited } from './identity.ts'
import { countOf, linkOf, periodOf } from './paging.ts'
import { etag } from './preconditions.ts'
import type { Pairs } from './written.ts'

export interface HistoryResult {
  /** Newest first; those without text are deletions. */
  rows: readonly Stored[]
  /** Those of them that made a deleted resource live again, as far as the page tells. */
  revived: ReadonlySet<Stored>
  total?: number
  /** `self`, and `next` where there is more. */
  links: readonly BundleLink[]
}

/**
 * Returns a page of versions. Parameters: `_since`, `_at`, `_count`, and the cursor of a `next` link. Those of presentation
 * (`_format`, `_pretty`) are the caller's to take out.
 *
 * Throws `not-supported` (404) for an unknown type, `not-found` for an id that never was, `invalid` for a bad or unknown parameter
 * (unless `lenient`, which leaves unknown ones out of the `self` link).
 */
export async function history(
  ctx: Context,
  scope: HistoryScope,
  pairs: Pairs,
  options: { lenient?: boolean } = {},
): Promise<HistoryResult> {
  const { path, binding, request } = readHistory(ctx, scope, pairs, options)
  // One resource has few versions; to count those of a whole type or system may cost more than the page.
  const counts = scope.key !== undefined || request.count === 0
  const query: HistoryOptions = { limit: request.count, total: counts ? 'accurate' : 'none' }
  if (request.since !== undefined) query.since = request.since
  if (request.current !== undefined) query.current = request.current
  if (request.cursor !== undefined) query.after = (await openPlace(ctx, binding, request.cursor)).cursor

  const page = await fittingPage(ctx, query.limit, limit => ctx.storage.history(scope, { ...query, limit }))
  if (page.rows.length === 0 && scope.key !== undefined && (await ctx.storage.read(scope.key)) === undefined)
    throw fhirError('not-found', `There is no ${scope.key}.`)
  const links: BundleLink[] = [linkOf(ctx, 'self', path, request.applied)]
  if (page.more && page.last !== undefined && request.count > 0) {
    const cursor = await sealPlace(ctx, binding, { way: 'after', cursor: page.last })
    links.push(linkOf(ctx, 'next', path, [...request.applied, ['_cursor', cursor]]))
  }
  const whole = request.cursor === undefined && !page.more ? page.rows.length : undefined
  const total = page.total ?? whole
  return {
    rows: page.rows,
    revived: revivedOf(page.rows),
    links,
    ...(total === undefined ? {} : { total }),
  }
}

/** Returns the versions whose predecessor on the page is a deletion. */
function revivedOf(rows: readonly Stored[]): Set<Stored> {
  const deleted = new Set(rows.filter(row => row.text === undefined).map(row => `${row.key} ${row.version}`))
  return new Set(rows.filter(row => row.text !== undefined && deleted.has(`${row.key} ${row.version - 1}`)))
}

/** Throws as `history` does for its parameters, without asking for anything: for who must know beforehand that they are sound. */
export async function checkHistory(
  ctx: Context,
  scope: HistoryScope,
  pairs: Pairs,
  options: { lenient?: boolean } = {},
): Promise<void> {
  const { binding, request } = readHistory(ctx, scope, pairs, options)
  if (request.cursor !== undefined) await openPlace(ctx, binding, request.cursor)
}

interface HistoryRequest {
  count: number
  since: number | undefined
  current: { lo: number; hi: number } | undefined
  cursor: string | undefined
  applied: Pairs
}

/** Returns what is asked for, the path of its links, and what its cursors are bound to. */
function readHistory(ctx: Context, scope: HistoryScope, pairs: Pairs, options: { lenient?: boolean }) {
  const type = scope.key === undefined ? scope.type : typeOf(scope.key)
  if (type === undefined) checkUnlimited(ctx)
  else checkType(ctx, type)
  const path = `${scope.key ?? scope.type ?? ''}/_history`.replace(/^\//, '')
  const request = readHistoryPairs(ctx, pairs, options.lenient === true)
  const binding = `history ${path} ${request.applied.filter(([name]) => name !== '_count').join('&')}`
  return { path, binding, request }
}

function readHistoryPairs(ctx: Context, pairs: Pairs, lenient: boolean): HistoryRequest {
  const seen = new Map<string, string>()
  const applied: (readonly [string, string])[] = []
  for (const [name, value] of pairs) {
    if (value === '') continue
    if (name !== '_count' && name !== '_since' && name !== '_at' && name !== '_cursor') {
      if (lenient) continue
      throw fhirError('not-supported', `History has no parameter ${name.slice(0, 64)}.`, {
        expression: `http.${name.slice(0, 64)}`,
      })
    }
    if (seen.has(name)) throw fhirError('invalid', `${name} stands twice.`, { expression: `http.${name}` })
    seen.set(name, value)
    if (name !== '_cursor') applied.push([name, value])
  }
  const since = seen.get('_since')
  const at = seen.get('_at')
  return {
    count: countOf(ctx, seen.get('_count')),
    since: since === undefined ? undefined : periodOf(ctx, '_since', since).lo,
    current: at === undefined ? undefined : periodOf(ctx, '_at', at),
    cursor: seen.get('_cursor'),
    applied,
  }
}

/** Returns the history Bundle as text. */
export function historyBundle(ctx: Context, result: HistoryResult): string {
  const { baseUrl } = ctx.settings
  return bundleText({
    type: 'history',
    lastUpdated: stampText(ctx.clock()),
    ...(result.total === undefined ? {} : { total: result.total }),
    links: result.links,
    entries: result.rows.map(row => historyEntry(baseUrl, row, result.revived.has(row))),
  })
}

function historyEntry(baseUrl: string, row: Stored, revived: boolean): BundleEntry {
  const type = typeOf(row.key)
  const { method } = row
  const request = { method, url: method === 'POST' ? type : `${type}/${idOf(row.key)}` }
  const status = row.text === undefined ? '204' : row.version === 1 || revived ? '201' : '200'
  return {
    fullUrl: `${baseUrl}/${row.key}`,
    ...(row.text === undefined ? {} : { resource: row.text }),
    request,
    response: { status, etag: etag(row), lastModified: stampText(row.at) },
  }
}
