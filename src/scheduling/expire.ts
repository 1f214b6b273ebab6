/**
 * Housekeeping of the calendar, at each tick: holds that have run out are cancelled, so that their slots are shown free, and the waitlist
 * moves on. Who may book what is decided without it, by the time of the commit.
 */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { etag } from '../interactions/preconditions.ts'
import { update } from '../interactions/update.ts'
import { idOf, type Key, type Live } from '../storage/port.ts'
import { planFor, resourceOf } from './calendar.ts'
import { expired, isExpired } from './hold.ts'
import { offerFreeTimes, type WaitlistMoves } from './waitlist.ts'

/** Holds that are looked at in one go. */
const MOST_HOLDS = 1000

export interface Released extends WaitlistMoves {
  /** Keys of the holds that ended. */
  released: Key[]
}

/** Cancels the holds that have run out, then offers what is free to those who wait. `now` is ms since 1970. */
export async function releaseExpired(ctx: Context, now: number): Promise<Released> {
  const plan = planFor('Appointment', { kind: 'token', param: 'Appointment.status', code: 'pending' })
  const page = await ctx.storage.search(plan, { limit: MOST_HOLDS, total: 'none' })
  const released: Key[] = []
  for (const stored of page.rows as Live[]) {
    const appointment = resourceOf(stored)
    if (!isExpired(appointment, now)) continue
    try {
      await update(ctx, 'Appointment', idOf(stored.key), expired(appointment), { ifMatch: etag(stored) })
      released.push(stored.key)
    } catch (error) {
      // It was booked just now, or another server was faster.
      if (!(error instanceof FhirError) || error.status >= 500) throw error
      ctx.log.warn('hold', { appointment: stored.key, code: error.code })
    }
  }
  return { released, ...(await offerFreeTimes(ctx, now)) }
}
