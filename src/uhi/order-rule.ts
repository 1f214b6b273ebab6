/**
 * What holds for orders of UHI whoever writes them: a visit in person begins with its PIN or an override, and what is paid is booked.
 */
import type { Context, Pending, Put, Ruling, WriteRule } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { search } from '../interactions/search.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { isExpired } from '../scheduling/hold.ts'
import { AUTHORIZATION, authorizationOf, mayWriteAuthorization } from '../scheduling/pin.ts'
import { keysOf } from '../search/busy.ts'
import type { Key, Live, Require } from '../storage/port.ts'
import { UHI } from './codes.ts'
import { booked, isAgreed, withPinOfDay } from './confirmed.ts'
import { extension, objects } from './elements.ts'
import { isOnline } from './from-fhir.ts'
import { isOrder } from './load-order.ts'
import { refundOnce } from './not-owed.ts'
import { isOrderInvoice, isPrepaid } from './paid.ts'

/** Comes before the rule of booking, which judges what this one adds. */
export const uhiOrderRule: WriteRule = { types: new Set(['Appointment', 'Invoice']), judge }

async function judge(ctx: Context, pending: readonly Pending[]): Promise<Ruling> {
  const puts: Put[] = []
  const require: Require[] = []
  const add = (ruling: Ruling): void => {
    puts.push(...(ruling.puts ?? []))
    require.push(...(ruling.require ?? []))
  }
  for (const { key, before, after } of pending) {
    if (after === undefined) continue
    if (key.startsWith('Invoice/')) {
      if (before !== undefined && before.status !== 'balanced' && after.status === 'balanced')
        add(await paid(ctx, key, after))
    } else if (before !== undefined && (isOrder(before) || isOrder(after))) {
      checkIds(before, after)
      checkPin(ctx, key, before, after)
      const is = pinned(before, after)
      if (is !== after) puts.push({ key, current: undefined, resource: is })
      if (after.status === 'pending' && isAgreed(after)) add(await awaited(ctx, key, after, pending))
    }
  }
  return { puts, require }
}

const IDS = [UHI.order, UHI.consumer, UHI.transaction]

/** Throws `business-rule` where an order becomes another, or an appointment an order. */
function checkIds(before: Resource, after: Resource): void {
  const valuesOf = (resource: Resource, system: string) =>
    JSON.stringify(
      objects(resource.identifier)
        .filter(one => one.system === system)
        .map(one => one.value),
    )
  if (IDS.every(system => valuesOf(before, system) === valuesOf(after, system))) return
  throw new FhirError('business-rule', [
    {
      severity: 'error',
      code: 'business-rule',
      diagnostics: 'Whose order of UHI an appointment is does not change.',
      expression: 'Appointment.identifier',
      rule: 'uhi-order',
    },
  ])
}

const COMING: ReadonlySet<unknown> = new Set(['booked', 'arrived'])

/** Returns the order with a PIN of its day, by whichever door it was booked or moved. */
function pinned(before: Resource, after: Resource): Resource {
  if (!COMING.has(after.status)) return after
  const isNew = authorizationOf(after) === undefined
  return isNew || before.start !== after.start ? withPinOfDay(after) : after
}

/** Returns what follows when the patient has agreed and the order waits for its payment, which may come at the same moment. */
async function awaited(
  ctx: Context,
  key: Key,
  appointment: Resource,
  pending: readonly Pending[],
): Promise<Ruling> {
  if (isExpired(appointment, ctx.clock())) return {}
  const keys = objects(appointment.supportingInformation).flatMap(one => keysOf(one, ctx.settings.baseUrl))
  const invoiceKey = keys.find(one => one.startsWith('Invoice/')) as Key | undefined
  if (invoiceKey === undefined || pending.some(one => one.key === invoiceKey)) return {}
  const stored = await ctx.storage.read(invoiceKey)
  if (stored?.text === undefined) return {}
  const invoice = resourceOf(stored as Live)
  if (!isOrderInvoice(invoice) || !isPrepaid(invoice)) return {}
  const require: Require[] = [{ is: 'version', key: invoiceKey, version: stored.version }]
  if (invoice.status !== 'balanced') return { require }
  return { require, puts: [{ key, current: undefined, resource: booked(appointment) }] }
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
async function paid(ctx: Context, invoice: Key, after: Resource): Promise<Ruling> {
  if (!isPrepaid(after)) return {}
  const { rows } = await search(ctx, 'Appointment', [
    ['supporting-info', invoice],
    ['status', 'pending'],
    ['_count', '2'],
  ])
  const stored = rows[0]
  if (stored === undefined) return {}
  const appointment = resourceOf(stored)
  if (!isOrder(appointment)) return {}
  if (isExpired(appointment, ctx.clock())) return { puts: await refundOnce(ctx, invoice) }
  // The patient may be agreeing at this moment.
  if (!isAgreed(appointment))
    return { require: [{ is: 'version', key: stored.key, version: stored.version }] }
  return { puts: [{ key: stored.key, current: stored, resource: booked(appointment) }] }
}
