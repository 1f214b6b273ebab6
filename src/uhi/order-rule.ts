/**
 * What holds for orders of UHI whoever writes them: a visit in person begins with its PIN or an override, and what is paid is booked.
 */
import type { Context, Pending, Put, Ruling, WriteRule } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { search } from '../interactions/search.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { isExpired } from '../scheduling/hold.ts'
import { refundTask } from '../scheduling/payment.ts'
import { AUTHORIZATION, authorizationOf, mayWriteAuthorization } from '../scheduling/pin.ts'
import type { Key } from '../storage/port.ts'
import { booked, isAgreed } from './confirmed.ts'
import { extension } from './elements.ts'
import { isOnline } from './from-fhir.ts'
import { isOrder } from './load-order.ts'
import { isPrepaid } from './paid.ts'

/** Comes before the rule of booking, which judges what this one adds. */
export const uhiOrderRule: WriteRule = { types: new Set(['Appointment', 'Invoice']), judge }

async function judge(ctx: Context, pending: readonly Pending[]): Promise<Ruling> {
  const puts: Put[] = []
  for (const { key, before, after } of pending) {
    if (after === undefined) continue
    if (key.startsWith('Invoice/')) {
      if (before !== undefined && before.status !== 'balanced' && after.status === 'balanced')
        puts.push(...(await paid(ctx, key, after)))
    } else if (isOrder(after) && before !== undefined) {
      checkPin(ctx, key, before, after)
    }
  }
  return { puts }
}

const STARTED: ReadonlySet<unknown> = new Set(['checked-in', 'fulfilled'])
const OPENED: ReadonlySet<unknown> = new Set(['VERIFIED', 'HSPA_OVERRIDE'])

function checkPin(ctx: Context, key: Key, before: Resource, after: Resource): void {
  const refuse = (diagnostics: string, expression: string): FhirError =>
    new FhirError('business-rule', [
      { severity: 'error', code: 'business-rule', diagnostics, expression, rule: 'visit-pin' },
    ])
  const was = authorizationOf(before)
  const same =
    JSON.stringify(extension(before, AUTHORIZATION) ?? null) ===
    JSON.stringify(extension(after, AUTHORIZATION) ?? null)
  if (was !== undefined && !same && !mayWriteAuthorization(ctx, key))
    throw refuse(
      'What has become of the PIN of a visit is written by $verify-pin alone.',
      'Appointment.extension',
    )
  if (isOnline(after) || STARTED.has(before.status) || !STARTED.has(after.status)) return
  if (!OPENED.has(authorizationOf(after)?.status))
    throw refuse('The visit begins with its PIN, or with an override: $verify-pin.', 'Appointment.status')
}

/** Returns the appointment of an order that was paid in time, booked; of one that was paid too late, what asks for the refund. */
async function paid(ctx: Context, invoice: Key, after: Resource): Promise<Put[]> {
  if (!isPrepaid(after)) return []
  const { rows } = await search(ctx, 'Appointment', [
    ['supporting-info', invoice],
    ['status', 'pending'],
    ['_count', '2'],
  ])
  const stored = rows[0]
  if (stored === undefined) return []
  const appointment = resourceOf(stored)
  if (!isOrder(appointment)) return []
  if (isExpired(appointment, ctx.clock()))
    return [{ key: `Task/${ctx.newId()}`, current: undefined, resource: refundTask(invoice) }]
  if (!isAgreed(appointment)) return []
  return [{ key: stored.key, current: stored, resource: booked(appointment) }]
}
