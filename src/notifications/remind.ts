/** Reminders by hand: of all visits within some hours, whatever the time of their own reminders. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { plannedSearch } from '../interactions/search.ts'
import { update } from '../interactions/update.ts'
import { faultOf } from '../lib/fault.ts'
import { type Cursor, idOf, type Live } from '../storage/port.ts'
import { resourceOf } from './reading.ts'
import { remindNow } from './reminders.ts'

const HOUR = 3_600_000
/** Appointments that are read at once. */
const PAGE = 200

/**
 * Reminds of the booked visits that begin within so many hours and were not reminded of before; they are not reminded of again at the time
 * of that reminder. Returns how many.
 */
export async function remindWithin(ctx: Context, hours: number): Promise<number> {
  const now = ctx.clock()
  const { plan } = await plannedSearch(
    ctx,
    'Appointment',
    [
      ['status', 'booked'],
      ['date', `gt${new Date(now).toISOString()}`],
      ['date', `le${new Date(now + hours * HOUR).toISOString()}`],
    ],
    {},
  )
  let count = 0
  for (let cursor: Cursor | undefined; ; ) {
    const page = await ctx.storage.search(plan, {
      limit: PAGE,
      total: 'none',
      ...(cursor === undefined ? {} : { after: cursor }),
    })
    for (const row of page.rows as Live[]) {
      try {
        const reminder = await remindNow(ctx, row.key, resourceOf(row))
        if (reminder === undefined) continue
        await update(ctx, 'CommunicationRequest', idOf(reminder.key), reminder.request)
        count++
      } catch (error) {
        // One visit that cannot be reminded of keeps nobody else from it.
        if (!(error instanceof FhirError) || error.code === 'transient') throw error
        ctx.log.error('a visit cannot be reminded of', { appointment: row.key, error: faultOf(error) })
      }
    }
    if (!page.more || page.last === undefined) return count
    cursor = page.last
  }
}
