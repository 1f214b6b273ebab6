/**
 * The update interaction, update as create, and the conditional update.
 * https://hl7.org/fhir/R4/http.html#update
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Json, Resource } from '../fhir/json.ts'
import type { IndexRow } from '../search/index-row.ts'
import { idOf, keyOf, type Method, type Require, type Stored } from '../storage/port.ts'
import { accept } from './accept.ts'
import { changeOf, commit, liveOf } from './commit.ts'
import { criteriaOf, findMatch, nothingMatches, onlyMatch } from './criteria.ts'
import { underCurrent } from './current.ts'
import { checkId, checkType } from './identity.ts'
import { indexRows, indexRowsOfText } from './indexer.ts'
import { checkOptions, checkWrite } from './preconditions.ts'
import { LOST, untilSettled } from './race.ts'
import { dangling, liveTargets } from './references.ts'
import type { Pairs, WriteOptions, Written } from './written.ts'

/**
 * Stores the next version of a resource; the first one where the id is new, and a live one again where it was deleted (`created`).
 * A body that changes nothing makes a version too.
 *
 * Throws validation's issues, `invalid` where the body's id is not the URL's, 412 where If-Match does not hold.
 */
export async function update(
  ctx: Context,
  type: string,
  id: string,
  body: Json,
  options: WriteOptions = {},
): Promise<Written> {
  checkType(ctx, type)
  checkId(id, 'http.id')
  checkOptions(options)
  const resource = await accept(ctx, body, type)
  checkSameId(resource, id)
  return underCurrent(ctx, async under => {
    const index = indexRows(under, resource)
    return untilSettled(async () => {
      const current = await ctx.storage.read(keyOf(type, id))
      checkWrite(options, current)
      return replace(under, { id, resource, index, method: 'PUT', current, require: [] })
    })
  })
}

/** Throws `invalid` where the body's id is not that of the URL: R4 asks for both, and for them to be one. */
export function checkSameId(resource: Resource, id: string): void {
  if (resource.id === id) return
  const why = resource.id === undefined ? 'has no id' : 'has another id than the URL'
  throw fhirError('invalid', `The body ${why}.`, { expression: `${resource.resourceType}.id` })
}

interface Replacement {
  id: string
  resource: Resource
  index: readonly IndexRow[]
  method: Method
  current: Stored | undefined
  /** What the commit must find beside the version. */
  require: readonly Require[]
}

/**
 * Stores a version over the one that was found.
 *
 * Returns LOST where it is no longer current, or where what is required does not hold. Throws `business-rule` (422) for a dangling reference.
 */
export async function replace(ctx: Context, replacement: Replacement): Promise<Written | typeof LOST> {
  const { id, resource, index, method, current } = replacement
  const key = keyOf(resource.resourceType, id)
  const targets = liveTargets(ctx, key, index, () => indexRowsOfText(ctx, current?.text))
  const require = [...replacement.require, ...targets]
  const version = (current?.version ?? 0) + 1
  const change = changeOf(ctx, { key, id, version, method, resource, index, current })
  const done = await commit(ctx, [change], require)
  if (done.ok) return { stored: liveOf(done.change(change), done.at), created: current?.text === undefined }
  const refused = done.reason === 'require' ? require[done.index] : undefined
  if (refused?.is === 'live') throw dangling(ctx, resource, refused.key)
  return LOST
}

/**
 * Updates the one resource that matches; creates where none does (under the body's id, if it has one).
 *
 * Throws as `update` does, `multiple-matches` (412), `invalid` where the body's id is not that of the match or for criteria that say
 * nothing, `conflict` where the body's id belongs to a resource that does not match.
 */
export async function conditionalUpdate(
  ctx: Context,
  type: string,
  pairs: Pairs,
  body: Json,
  options: WriteOptions = {},
): Promise<Written> {
  checkType(ctx, type)
  return underCurrent(ctx, under => conditionalUpdateUnder(under, type, pairs, body, options))
}

async function conditionalUpdateUnder(
  ctx: Context,
  type: string,
  pairs: Pairs,
  body: Json,
  options: WriteOptions,
): Promise<Written> {
  const criteria = await criteriaOf(ctx, type, pairs, 'http')
  checkOptions(options)
  const resource = await accept(ctx, body, type)
  const asked = resource.id
  if (asked !== undefined) checkId(asked as string, `${type}.id`)
  const index = indexRows(ctx, resource)
  const newId = ctx.newId()
  return untilSettled(async () => {
    const match = await findMatch(ctx, criteria)
    checkWrite(options, match)
    const method = 'PUT'
    if (match !== undefined) {
      checkMatchId(resource, idOf(match.key))
      const require = [onlyMatch(criteria, match.key)]
      return replace(ctx, { id: idOf(match.key), resource, index, method, current: match, require })
    }
    const id = (asked as string | undefined) ?? newId
    const current = asked === undefined ? undefined : await ctx.storage.read(keyOf(type, id))
    if (current?.text !== undefined) throw takenId(type, id)
    return replace(ctx, { id, resource, index, method, current, require: [nothingMatches(criteria)] })
  })
}

/** Throws `invalid` where the body has an id that is not that of the resource which matched. */
export function checkMatchId(resource: Resource, id: string): void {
  if (resource.id !== undefined && resource.id !== id)
    throw fhirError('invalid', 'The body has another id than the resource that matches.', {
      expression: `${resource.resourceType}.id`,
    })
}

/** Returns the error for an update as create onto a resource that does not match the criteria. */
export const takenId = (type: string, id: string) =>
  fhirError('conflict', `Nothing matches, and ${type}/${id} exists: it does not match.`, {
    expression: `${type}.id`,
  })
