/**
 * Referential integrity, where the setting asks for it: what the commit must find so that no reference leads nowhere.
 * https://hl7.org/fhir/R4/references.html
 */
import type { Context } from '../context.ts'
import { type FhirError, fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { placeOfReference } from '../fhir/links.ts'
import { parseReference } from '../fhir/reference.ts'
import { ANY_REFERENCE, type IndexRow } from '../search/index-row.ts'
import { type Key, keyOf, type Require } from '../storage/port.ts'

const isEnforced = (ctx: Context): boolean => ctx.settings.references === 'enforce'

/** Returns the resources of ours that index rows refer to. */
function targetsOf(index: readonly IndexRow[]): Set<Key> {
  const keys = new Set<Key>()
  for (const row of index)
    if (row.kind === 'reference' && row.param === ANY_REFERENCE && row.type !== '')
      keys.add(keyOf(row.type, row.id))
  return keys
}

/**
 * Returns what must be live for a version with these index rows. What the version before referred to already is not asked for again, so
 * that a resource whose target went before the setting was turned on can still be corrected.
 */
export function liveTargets(
  ctx: Context,
  key: Key,
  index: readonly IndexRow[],
  before: () => readonly IndexRow[],
): Require[] {
  if (!isEnforced(ctx)) return []
  const keys = targetsOf(index)
  keys.delete(key)
  if (keys.size > 0) for (const known of targetsOf(before())) keys.delete(known)
  return Array.from(keys, target => ({ is: 'live', key: target }))
}

/** Returns what must hold for a deletion. */
export const unreferenced = (ctx: Context, key: Key): Require[] =>
  isEnforced(ctx) ? [{ is: 'unreferenced', key }] : []

/** Returns the error for a reference that leads nowhere, its expression the place of the reference. */
export function dangling(ctx: Context, resource: Resource, target: Key): FhirError {
  const expression = placeOfReference(resource, text => {
    const to = parseReference(text, ctx.settings.baseUrl)
    return to.kind === 'local' && keyOf(to.type, to.id) === target
  })
  return fhirError('business-rule', `${target} is referred to, and there is no such resource.`, {
    status: 422,
    ...(expression === undefined ? {} : { expression }),
  })
}

/** Returns the error for a deletion that would leave references leading nowhere; names one resource that refers to it. */
export async function stillReferenced(ctx: Context, key: Key): Promise<FhirError> {
  const by = await referrerOf(ctx, key)
  return fhirError('conflict', `${key} cannot be deleted: ${by ?? 'another resource'} refers to it.`)
}

/** Returns another resource that refers to this one; undefined where there is none. */
export async function referrerOf(ctx: Context, key: Key): Promise<Key | undefined> {
  const [type, id] = key.split('/') as [string, string]
  const plan = {
    types: [],
    where: { kind: 'reference', param: ANY_REFERENCE, type, id } as const,
    sort: [],
    fingerprint: `${ANY_REFERENCE}=${key}`,
  }
  const page = await ctx.storage.search(plan, { limit: 2, total: 'none' })
  return page.rows.find(row => row.key !== key)?.key
}
