/**
 * GET and HEAD entries: read, vread, search and history inside a Bundle.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import type { Compartment } from '../search/compartment.ts'
import { type HistoryScope, keyOf, type Live } from '../storage/port.ts'
import type { BundleOptions } from './batch.ts'
import type { Entry } from './entry.ts'
import { bundleEntryOf, notModifiedEntry, readEntryOf } from './entry-response.ts'
import { history, historyBundle } from './history.ts'
import { notModified } from './preconditions.ts'
import { read } from './read.ts'
import { search } from './search.ts'
import { searchBundle } from './search-bundle.ts'
import { type Shown, shownOf, shownText } from './subset.ts'
import { vread } from './vread.ts'

/** Returns the answer of a GET or HEAD entry. Throws as the interaction does. */
export async function answerGet(ctx: Context, entry: Entry, options: BundleOptions): Promise<BundleEntry> {
  const { type, id, inside, version, history: asksHistory, pairs } = entry.target
  const withBody = entry.method === 'GET'
  if (entry.target.metadata) {
    if (options.metadata === undefined)
      throw fhirError('not-supported', 'There is no CapabilityStatement here.')
    return bundleEntryOf(await options.metadata(), withBody)
  }
  if (id !== '' && inside === '' && (!asksHistory || version !== '')) {
    const shown = shownOf(pairs, options.lenient === true)
    const row = await (version === '' ? read(ctx, type, id) : vread(ctx, type, id, version))
    return answerRead(ctx, entry, shown, row)
  }
  if (asksHistory) {
    return bundleEntryOf(historyBundle(ctx, await history(ctx, scopeOf(entry), pairs, options)), withBody)
  }
  const { lenient = false } = options
  const { type: asked, compartment } = searchOf(entry)
  return bundleEntryOf(searchBundle(ctx, await search(ctx, asked, pairs, { lenient, compartment })), withBody)
}

/** Returns where an entry searches; without a type, all types. */
export function searchOf({ target: { type, id, inside } }: Entry): {
  type: string | undefined
  compartment: Compartment | undefined
} {
  if (inside === '') return { type: type || undefined, compartment: undefined }
  return { type: inside === '*' ? undefined : inside, compartment: { type, id } }
}

/** Returns whose history an entry asks for. */
export const scopeOf = ({ target: { type, id } }: Entry): HistoryScope =>
  id !== '' ? { key: keyOf(type, id) } : type !== '' ? { type } : {}

function answerRead(ctx: Context, entry: Entry, shown: Shown, row: Live): BundleEntry {
  const { ifNoneMatch, ifModifiedSince, method } = entry
  const conditions = {
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifModifiedSince === undefined ? {} : { ifModifiedSince }),
  }
  if (notModified(row, conditions)) return notModifiedEntry(row)
  return readEntryOf(ctx, { ...row, text: shownText(row.text, shown) }, method === 'GET')
}
