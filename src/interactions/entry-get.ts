/**
 * GET and HEAD entries: read, vread, search and history inside a Bundle.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import { type HistoryScope, keyOf } from '../storage/port.ts'
import type { BundleOptions } from './batch.ts'
import type { Entry } from './entry.ts'
import { bundleEntryOf, notModifiedEntry, readEntryOf } from './entry-response.ts'
import { history, historyBundle } from './history.ts'
import { notModified } from './preconditions.ts'
import { type Live, read } from './read.ts'
import { search, searchBundle } from './search.ts'
import { vread } from './vread.ts'

/** Returns the answer of a GET or HEAD entry. Throws as the interaction does. */
export async function answerGet(ctx: Context, entry: Entry, options: BundleOptions): Promise<BundleEntry> {
  const { type, id, version, history: asksHistory, pairs } = entry.target
  const withBody = entry.method === 'GET'
  if (entry.target.metadata) {
    if (options.metadata === undefined)
      throw fhirError('not-supported', 'There is no CapabilityStatement here.')
    return bundleEntryOf(options.metadata(), withBody)
  }
  if (id !== '' && (!asksHistory || version !== '')) {
    checkNoParameters(entry, options)
    return answerRead(
      ctx,
      entry,
      await (version === '' ? read(ctx, type, id) : vread(ctx, type, id, version)),
    )
  }
  if (asksHistory) {
    const scope: HistoryScope = id !== '' ? { key: keyOf(type, id) } : type !== '' ? { type } : {}
    return bundleEntryOf(historyBundle(ctx, await history(ctx, scope, pairs, options)), withBody)
  }
  return bundleEntryOf(searchBundle(ctx, await search(ctx, type || undefined, pairs, options)), withBody)
}

/** Returns the answer of a read or vread of this version. */
export function answerRead(ctx: Context, entry: Entry, row: Live): BundleEntry {
  const { ifNoneMatch, ifModifiedSince, method } = entry
  const conditions = {
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifModifiedSince === undefined ? {} : { ifModifiedSince }),
  }
  return notModified(row, conditions) ? notModifiedEntry(row) : readEntryOf(ctx, row, method === 'GET')
}

/** Throws `not-supported` where a read has parameters: none has a meaning there. */
export function checkNoParameters(entry: Entry, { lenient }: { lenient?: boolean }): void {
  if (entry.target.pairs.length > 0 && lenient !== true)
    throw fhirError('not-supported', 'A read takes no parameters.', { expression: 'http.url' })
}
