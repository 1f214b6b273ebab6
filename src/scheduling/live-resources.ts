/** Resources of the calendar by their keys, and by a search. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import { checkGranted } from '../interactions/identity.ts'
import { readEach } from '../interactions/read-each.ts'
import { plannedSearch } from '../interactions/search.ts'
import type { Pairs } from '../interactions/written.ts'
import { type Key, type Live, typeOf } from '../storage/port.ts'

/** Returns those that are there, by key, in the order asked. Throws `forbidden` for a type that the caller may not read. */
export async function liveResources(ctx: Context, keys: readonly Key[]): Promise<Map<Key, Resource>> {
  const found = new Map<Key, Resource>()
  for (const type of new Set(keys.map(typeOf))) checkGranted(ctx, 'read', type)
  for await (const row of readEach(ctx, [...new Set(keys)])) found.set(row.key, treeOf(row))
  return found
}

/**
 * Returns what a search finds, by key.
 *
 * Throws as a search does; `too-costly` (400) for more than `most`.
 */
export async function searched(
  ctx: Context,
  type: string,
  pairs: Pairs,
  most: number,
): Promise<Map<Key, Resource>> {
  const { plan } = await plannedSearch(ctx, type, pairs, {})
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const page = await ctx.storage.search(plan, { limit: most, total: 'none', deadline })
  if (page.more)
    throw fhirError(
      'too-costly',
      `More than ${most} resources of type ${type} come into question: ask for less.`,
      {
        status: 400,
      },
    )
  return new Map((page.rows as Live[]).map(row => [row.key, treeOf(row)]))
}

const treeOf = (row: Live): Resource => parseJson(row.text, Number.POSITIVE_INFINITY) as Resource
