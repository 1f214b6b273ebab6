/**
 * The delete interaction, and the conditional delete, single and multiple.
 * https://hl7.org/fhir/R4/http.html#delete
 */
import type { Context } from '../context.ts'
import { type FhirError, fhirError } from '../fhir/error.ts'
import { keyOf, type Require, type Stored } from '../storage/port.ts'
import { commit, deletionOf, storedOf } from './commit.ts'
import { criteriaOf, findMatches, multipleMatches } from './criteria.ts'
import { underCurrent } from './current.ts'
import { checkType } from './identity.ts'
import { checkOptions, checkWrite } from './preconditions.ts'
import { LOST, untilSettled } from './race.ts'
import { stillReferenced, unreferenced } from './references.ts'
import type { Deleted, Pairs, WriteOptions } from './written.ts'

/**
 * Deletes a resource; its history stays. Nothing happens where it never existed or is deleted already.
 *
 * Throws 412 where If-Match does not hold, `conflict` where live resources refer to it and references are enforced.
 */
export async function remove(
  ctx: Context,
  type: string,
  id: string,
  options: WriteOptions = {},
): Promise<Deleted> {
  checkType(ctx, type)
  checkOptions(options)
  return underCurrent(ctx, under =>
    untilSettled(async () => {
      const current = await ctx.storage.read(keyOf(type, id))
      checkWrite(options, current)
      if (current?.text === undefined) return { stored: [] }
      return deleteAll(under, [current], [])
    }),
  )
}

/**
 * Deletes what matches in one commit: one resource, or all of them where the setting `conditionalDelete` is `multiple`.
 *
 * Throws `multiple-matches` (412) where many match and only one may, `too-costly` (412) where they are more than one commit takes,
 * `invalid` for criteria that say nothing.
 */
export async function conditionalDelete(
  ctx: Context,
  type: string,
  pairs: Pairs,
  options: WriteOptions = {},
): Promise<Deleted> {
  checkType(ctx, type)
  return underCurrent(ctx, under => conditionalDeleteUnder(under, type, pairs, options))
}

async function conditionalDeleteUnder(
  ctx: Context,
  type: string,
  pairs: Pairs,
  options: WriteOptions,
): Promise<Deleted> {
  const criteria = await criteriaOf(ctx, type, pairs, 'http')
  checkOptions(options)
  const most = mostDeleted(ctx)
  return untilSettled(async () => {
    const { rows, more } = await findMatches(ctx, criteria, most)
    if (more) throw tooMany(ctx, type)
    if (options.ifMatch !== undefined && rows.length === 0) checkWrite(options, undefined)
    for (const row of rows) checkWrite(options, row)
    if (rows.length === 0) return { stored: [] }
    const keys = rows.map(row => row.key)
    return deleteAll(ctx, rows, [{ is: 'matches', plan: criteria.plan, keys, guard: criteria.guard }])
  })
}

/** Returns how many resources one conditional delete may delete. */
export const mostDeleted = (ctx: Context): number =>
  ctx.settings.conditionalDelete === 'multiple' ? ctx.settings.limits.entries : 1

/** Returns the error for more matches than one conditional delete may delete. */
export const tooMany = (ctx: Context, type: string): FhirError =>
  ctx.settings.conditionalDelete === 'single'
    ? multipleMatches(type)
    : fhirError(
        'too-costly',
        `More than ${mostDeleted(ctx)} resources match: delete them in several steps.`,
        { status: 412 },
      )

async function deleteAll(
  ctx: Context,
  rows: readonly Stored[],
  found: readonly Require[],
): Promise<Deleted | typeof LOST> {
  const changes = rows.map(deletionOf)
  const require = [...found, ...rows.flatMap(row => unreferenced(ctx, row.key))]
  const done = await commit(ctx, changes, require)
  if (done.ok) return { stored: changes.map(change => storedOf(change, done.at)) }
  const refused = done.reason === 'require' ? require[done.index] : undefined
  if (refused?.is === 'unreferenced') throw await stillReferenced(ctx, refused.key)
  return LOST
}
