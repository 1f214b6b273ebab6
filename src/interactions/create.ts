/**
 * The create interaction, and the conditional create.
 * https://hl7.org/fhir/R4/http.html#create
 */
import type { Context } from '../context.ts'
import type { Json } from '../fhir/json.ts'
import { keyOf, type Require } from '../storage/port.ts'
import { accept } from './accept.ts'
import { changeOf, commit, liveOf } from './commit.ts'
import { type Criteria, criteriaOf, findMatch, nothingMatches } from './criteria.ts'
import { underCurrent } from './current.ts'
import { checkType } from './identity.ts'
import { indexRows } from './indexer.ts'
import { LOST, untilSettled } from './race.ts'
import { dangling, liveTargets } from './references.ts'
import type { Pairs, Written } from './written.ts'

/**
 * Stores a new resource under an id of ours, whatever id the body has. With `ifNoneExist` it is stored only where nothing matches the
 * criteria; where one does, that one is returned with `created` false.
 *
 * Throws validation's issues (`structure`, `value`, ...), `multiple-matches` (412), `invalid` for criteria that say nothing.
 */
export async function create(
  ctx: Context,
  type: string,
  body: Json,
  options: { ifNoneExist?: Pairs } = {},
): Promise<Written> {
  checkType(ctx, type)
  return underCurrent(ctx, under => createUnder(under, type, body, options))
}

async function createUnder(
  ctx: Context,
  type: string,
  body: Json,
  options: { ifNoneExist?: Pairs },
): Promise<Written> {
  const criteria =
    options.ifNoneExist && (await criteriaOf(ctx, type, options.ifNoneExist, 'http.If-None-Exist'))
  const resource = await accept(ctx, body, type)
  const id = ctx.newId()
  const key = keyOf(type, id)
  const index = indexRows(ctx, resource)
  const targets = liveTargets(ctx, key, index, () => [])
  const require: Require[] = criteria === undefined ? targets : [nothingMatches(criteria), ...targets]

  return untilSettled(async number => {
    // The commit itself checks that nothing matches: only who is refused has to search.
    const found = criteria !== undefined && number > 0 ? await existing(ctx, criteria) : undefined
    if (found !== undefined) return found
    const change = changeOf(ctx, { key, id, version: 1, method: 'POST', resource, index, current: undefined })
    const done = await commit(ctx, [change], require)
    if (done.ok) return { stored: liveOf(done.change(change), done.at), created: true }
    const refused = done.reason === 'require' ? require[done.index] : undefined
    if (refused?.is === 'live') throw dangling(ctx, resource, refused.key)
    return LOST
  })
}

async function existing(ctx: Context, criteria: Criteria): Promise<Written | undefined> {
  const found = await findMatch(ctx, criteria)
  return found && { stored: found, created: false }
}
