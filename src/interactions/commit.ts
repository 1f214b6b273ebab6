/** From a checked resource to a committed version. */
import { structuresChanged } from '../conformance/structures.ts'
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import type { IndexRow } from '../search/index-row.ts'
import {
  type Change,
  type Commit,
  type Committed,
  type Job,
  type Key,
  type Live,
  type Method,
  type Require,
  type Stored,
  stamped,
  stampText,
  typeOf,
} from '../storage/port.ts'
import { codesChanged } from '../terminology/warm.ts'
import { bodyOf } from './body.ts'
import { Outdated } from './current.ts'
import { paramClaims } from './custom-param.ts'
import { checkGranted } from './identity.ts'
import { LOST, untilSettled } from './race.ts'
import { applyRules, isRuled, type Proposed } from './write-rules.ts'

/** Types that answers about codes are worked out of. */
const CODES: ReadonlySet<string> = new Set(['CodeSystem', 'ValueSet'])

/** A version about to be made. */
export interface Draft {
  key: Key
  id: string
  /** The one it makes. */
  version: number
  method: Method
  resource: Resource
  index: readonly IndexRow[]
  /** What it replaces; undefined where nothing stood there. */
  current: Stored | undefined
}

/** Returns the change that stores a draft. Throws `business-rule` (422) for an active SearchParameter that cannot be indexed. */
export function changeOf(ctx: Context, draft: Draft): Proposed {
  const { key, id, version, method, resource, index, current } = draft
  const claims = resource.resourceType === 'SearchParameter' ? paramClaims(ctx, resource) : []
  const body = bodyOf(resource, id, version, ctx.clock())
  return { key, version, method, body, index, claims, resource, current }
}

/** Returns the change that deletes the version found. */
export const deletionOf = (stored: Stored): Proposed => ({
  key: stored.key,
  version: stored.version + 1,
  method: 'DELETE',
  body: null,
  index: [],
  claims: [],
  resource: undefined,
  current: stored,
})

/** Returns a committed change as it is stored. */
export function storedOf(change: Change, at: number): Stored {
  const { key, version, method, body } = change
  if (body === null) return { key, version, at, method, text: undefined }
  // Most commits are stored with the stamp they came with, and a copy of the text costs more than a look at it.
  const same = body.text.startsWith(stampText(at), body.stampAt)
  return { key, version, at, method, text: same ? body.text : stamped(body, at) }
}

/** Returns a committed change that is no deletion. */
export const liveOf = (change: Change, at: number): Live => storedOf(change, at) as Live

/** A commit that was refused for a race or a requirement, which is the caller's to judge. */
export type Refused = Extract<Committed, { reason: 'require' | 'version' }>

/** A commit that is stored. */
export interface Made {
  ok: true
  /** The stamp of every change. */
  at: number
  /** Returns a change as it was stored: write rules may have made another body of it. */
  change(proposed: Proposed): Change
}

/**
 * Commits the changes, with what the write rules of the context add to them. Returns what was stored, or why the caller's own changes or
 * requirements were refused; a race that only the rules have lost is tried again here.
 *
 * Throws `business-rule` (422) where an active SearchParameter has the code of another, Outdated where the search parameters have just
 * changed, `forbidden` for a type that the principal may not write, what a rule throws, and `conflict` where rules lose every race.
 */
export async function commit(
  ctx: Context,
  proposed: readonly Proposed[],
  require: readonly Require[],
): Promise<Made | Refused> {
  for (const { key } of proposed) checkGranted(ctx, 'write', typeOf(key))
  if (!isRuled(ctx, proposed)) {
    const done = await commitOnce(ctx, proposed, require, [])
    return done.ok ? { ...done, change: same } : done
  }
  const own = new Set(proposed.map(({ key }) => key))
  return inTurn(ctx, proposed, async () => {
    const ruled = await applyRules(ctx, proposed)
    const done = await commitOnce(ctx, ruled.changes, [...require, ...ruled.require], ruled.outbox)
    if (done.ok) {
      const made = new Map(ruled.changes.map(change => [change.key, change]))
      return { ...done, change: (one: Proposed) => made.get(one.key)! }
    }
    const isOwn = done.reason === 'require' ? done.index < require.length : own.has(done.key)
    return isOwn ? done : LOST
  })
}

/** Returns what the first attempt returns that is not LOST, in its turn where the rules know what others want too. */
function inTurn<T>(
  ctx: Context,
  proposed: readonly Proposed[],
  attempt: () => Promise<T | typeof LOST>,
): Promise<T> {
  if (ctx.inTurn === undefined) return untilSettled(attempt)
  const after = proposed.flatMap(({ resource }) => resource ?? [])
  const names = (ctx.rules ?? []).flatMap(rule => rule.contends?.(ctx, after) ?? [])
  return ctx.inTurn([...new Set(names)], () => untilSettled(attempt))
}

const same = (change: Change): Change => change

async function commitOnce(
  ctx: Context,
  changes: readonly Change[],
  require: readonly Require[],
  outbox: readonly Job[],
): Promise<{ ok: true; at: number } | Refused> {
  const { storage, registry } = ctx
  const intent: Commit = {
    id: ctx.newId(),
    at: ctx.clock(),
    epoch: registry.epoch,
    changes,
    require,
    outbox,
  }
  const done = await storage.commit(intent).catch(error => {
    // The acknowledgement may be all that was lost; the id lets the same intent be told twice and done once.
    if (!(error instanceof FhirError) || error.code !== 'transient') throw error
    return storage.commit(intent)
  })
  if (done.ok && outbox.length > 0) ctx.announce?.()
  if (done.ok && changes.some(({ key }) => typeOf(key) === 'SearchParameter')) await ctx.live?.changed()
  if (done.ok && changes.some(({ key }) => typeOf(key) === 'StructureDefinition')) structuresChanged(storage)
  if (done.ok && changes.some(({ key }) => CODES.has(typeOf(key)))) codesChanged(storage)
  if (done.ok || done.reason === 'require' || done.reason === 'version') return done
  if (done.reason === 'claim')
    throw fhirError(
      'business-rule',
      'Another active SearchParameter defines the same code on the same resource type: update or retire that one.',
      { expression: 'SearchParameter.code' },
    )
  throw new Outdated()
}
