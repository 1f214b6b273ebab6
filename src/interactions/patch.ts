/**
 * The patch interaction: JSON Patch and FHIRPath Patch.
 * https://hl7.org/fhir/R4/http.html#patch
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { isObject, type Json, parseJson, type Resource } from '../fhir/json.ts'
import { idOf, keyOf, type Live, type Require } from '../storage/port.ts'
import { accept } from './accept.ts'
import { criteriaOf, findMatch, onlyMatch } from './criteria.ts'
import { underCurrent } from './current.ts'
import { applyFhirPathPatch } from './fhirpath-patch.ts'
import { checkType } from './identity.ts'
import { indexRows } from './indexer.ts'
import { applyJsonPatch } from './json-patch.ts'
import { checkOptions, checkWrite } from './preconditions.ts'
import { type LOST, untilSettled } from './race.ts'
import { live } from './read.ts'
import { replace } from './update.ts'
import type { Pairs, WriteOptions, Written } from './written.ts'

/** The parsed body: of `application/json-patch+json`, or a Parameters resource. */
export type Patch = { kind: 'json'; body: Json } | { kind: 'fhirpath'; body: Json }

/**
 * Applies the patch to the current version and stores the result as the next one.
 *
 * Throws `not-found`, `deleted`, 412 where If-Match does not hold, `invalid` for a malformed patch, `processing` (422) where it cannot be
 * applied to this resource, validation's issues where the result is no valid resource, and `conflict` when others kept winning the race.
 */
export async function patch(
  ctx: Context,
  type: string,
  id: string,
  change: Patch,
  options: WriteOptions = {},
): Promise<Written> {
  checkType(ctx, type)
  checkOptions(options)
  return underCurrent(ctx, under =>
    untilSettled(async () => {
      const current = live(await ctx.storage.read(keyOf(type, id)), type, id)
      checkWrite(options, current)
      return store(under, current, change, [])
    }),
  )
}

/** Patches the one resource that matches. Throws as `patch` does, `not-found` for no match, `multiple-matches` (412) for many. */
export async function conditionalPatch(
  ctx: Context,
  type: string,
  pairs: Pairs,
  change: Patch,
  options: WriteOptions = {},
): Promise<Written> {
  checkType(ctx, type)
  return underCurrent(ctx, async under => {
    const criteria = await criteriaOf(under, type, pairs, 'http')
    checkOptions(options)
    return untilSettled(async () => {
      const match = await findMatch(under, criteria)
      if (match === undefined) throw fhirError('not-found', `No ${type} matches the criteria.`)
      checkWrite(options, match)
      return store(under, match, change, [onlyMatch(criteria, match.key)])
    })
  })
}

async function store(
  ctx: Context,
  current: Live,
  change: Patch,
  require: readonly Require[],
): Promise<Written | typeof LOST> {
  const resource = await accept(
    ctx,
    patched(ctx, current, change),
    current.key.slice(0, current.key.indexOf('/')),
  )
  const id = idOf(current.key)
  const index = indexRows(ctx, resource)
  return replace(ctx, { id, resource, index, method: 'PATCH', current, require })
}

/**
 * Returns the resource as the patch makes it, not yet validated.
 *
 * Throws as the patch does, and `business-rule` (422) where it changes the type or the id.
 */
export function patched(ctx: Context, current: Live, change: Patch): Resource {
  const before = parseJson(current.text, Number.POSITIVE_INFINITY) as Resource
  const { resourceType, id } = before
  const after =
    change.kind === 'json'
      ? applyJsonPatch(before, change.body, ctx.settings.limits.depth)
      : applyFhirPathPatch(before, change.body)
  if (!isObject(after) || after.resourceType !== resourceType || after.id !== id)
    throw fhirError('business-rule', 'A patch may change neither the resourceType nor the id.', {
      expression:
        isObject(after) && after.resourceType === resourceType
          ? `${resourceType}.id`
          : `${resourceType}.resourceType`,
    })
  return after as Resource
}
