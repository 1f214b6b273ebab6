/** What time itself brings about: requests that come due, holds that run out, the waitlist. Driven by a scheduler, on every server. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { etag } from '../interactions/preconditions.ts'
import { update } from '../interactions/update.ts'
import { faultOf } from '../lib/fault.ts'
import { planFor } from '../scheduling/calendar.ts'
import { SYSTEM } from '../scheduling/codes.ts'
import { releaseExpired } from '../scheduling/expire.ts'
import { DATE_MIN, type Node } from '../search/plan-node.ts'
import { type Cursor, idOf, type Live } from '../storage/port.ts'
import { resourceOf } from './reading.ts'
import { isOpen } from './request.ts'

const LEASE = 'tick'
/** Longer than a tick takes; one that takes longer still does nothing twice, for each commit checks what it has read. */
const LEASE_MS = 120_000

const SEEN = 'tick seen'
/** Milliseconds that the last tick is remembered for, and by which two ticks overlap. */
const SEEN_MS = 400 * 86_400_000
const OVERLAP_MS = 3_600_000

/** Requests that are read at once. */
const PAGE = 200

export interface Ticked {
  /** Requests whose time had come. */
  requests: number
  /** Holds that had run out. */
  released: number
}

/**
 * Does what is due at `now`, ms since 1970. Returns undefined where another server is at it. What fails is logged, and done by the next
 * tick.
 *
 * Throws where the store cannot be reached.
 */
export async function tick(ctx: Context, now: number): Promise<Ticked | undefined> {
  const owner = ctx.newId()
  if ((await ctx.storage.lease(LEASE, owner, LEASE_MS)) === undefined) return undefined
  try {
    const at = { ...ctx, clock: () => now }
    const requests = await tellDue(at, now)
    const { released } = await releaseExpired(at, now)
    return { requests, released: released.length }
  } finally {
    // Whoever comes next need not wait.
    await ctx.storage.lease(LEASE, owner, 0)
  }
}

/** Writes each open request whose time has come once more: the rule makes Communications of it, or revokes it. */
async function tellDue(ctx: Context, now: number): Promise<number> {
  const seen = Number((await ctx.storage.recall(SEEN)) ?? Number.NaN)
  const from = Number.isNaN(seen) ? DATE_MIN : Math.min(seen, now) - OVERLAP_MS
  let count = 0
  let failed = 0
  const plan = planFor('CommunicationRequest', due(from, now))
  for (let cursor: Cursor | undefined; ; ) {
    const page = await ctx.storage.search(plan, {
      limit: PAGE,
      total: 'none',
      ...(cursor === undefined ? {} : { after: cursor }),
    })
    for (const row of page.rows as Live[]) {
      const resource = resourceOf(row)
      if (!isOpen(resource)) continue
      try {
        await update(ctx, 'CommunicationRequest', idOf(row.key), resource, { ifMatch: etag(row) })
        count++
      } catch (error) {
        // Somebody was faster.
        if (error instanceof FhirError && error.status === 412) continue
        if (error instanceof FhirError && error.code === 'transient') throw error
        failed++
        ctx.log.error('a message that is due cannot be told', { request: row.key, error: faultOf(error) })
      }
    }
    if (!page.more || page.last === undefined) break
    cursor = page.last
  }
  if (failed === 0) await ctx.storage.remember(SEEN, String(now), now + SEEN_MS)
  return count
}

const OCCURRENCE = 'CommunicationRequest.occurrence'

const due = (from: number, now: number): Node => ({
  kind: 'and',
  nodes: [
    { kind: 'token', param: 'CommunicationRequest.status', code: 'active' },
    { kind: 'token', param: 'CommunicationRequest.category', system: SYSTEM.event },
    {
      kind: 'or',
      nodes: [
        {
          kind: 'date',
          param: OCCURRENCE,
          bounds: [
            { end: 'lo', op: '<=', value: now },
            { end: 'lo', op: '>=', value: from },
          ],
        },
        // A period is not indexed; what has none of both was told at once, so that these are few.
        { kind: 'not', node: { kind: 'present', param: OCCURRENCE } },
      ],
    },
  ],
})
