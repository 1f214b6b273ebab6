/** The rule for Appointments that end a wait: who is booked at a time that was offered waits no longer. */
import type { Context, Pending, Put, Ruling, WriteRule } from '../context.ts'
import { type Key, type Live, typeOf } from '../storage/port.ts'
import { resourceOf } from './calendar.ts'
import { cancelledFor, entryOf, REASON, wasOffered } from './offer.ts'

/** An entry of the waitlist ends in the commit that books what was offered for it. */
export const waitlistRule: WriteRule = { types: new Set(['Appointment']), judge }

/** Who comes at once has taken the offer too. */
const TAKEN: ReadonlySet<unknown> = new Set(['booked', 'arrived', 'checked-in'])

async function judge(ctx: Context, pending: readonly Pending[]): Promise<Ruling> {
  const puts: Put[] = []
  for (const { key, before, after } of pending) {
    if (typeOf(key) !== 'Appointment' || before?.status !== 'pending' || !TAKEN.has(after?.status)) continue
    // What was offered is stored, whatever a client leaves out of what it sends.
    if (!wasOffered(before)) continue
    const entry = entryOf(ctx, before)
    const put = entry === undefined ? undefined : await ended(ctx, pending, entry)
    if (put !== undefined) puts.push(put)
  }
  return { puts }
}

async function ended(ctx: Context, pending: readonly Pending[], key: Key): Promise<Put | undefined> {
  const own = pending.find(one => one.key === key)
  const current = await ctx.storage.read(key)
  const resource = own?.after ?? (current?.text === undefined ? undefined : resourceOf(current as Live))
  if (resource?.status !== 'waitlist') return undefined
  return { key, current, resource: cancelledFor(resource, REASON.waitServed) }
}
