/**
 * Payments that a payment provider reports: `POST /hspa/payment`, signed with a shared secret. The header is
 * `X-Nadi-Signature: t=<seconds>,v1=<hex of HMAC-SHA256 over "<t>.<body>">`.
 */
import type { Settings } from '../config.ts'
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { isObject, parseJsonBytes } from '../fhir/json.ts'
import { search } from '../interactions/search.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { markPaid } from '../scheduling/payment.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { UHI } from './codes.ts'
import { objects } from './elements.ts'
import { readShape } from './shape.ts'

/** Seconds that a report may be old. */
const FRESH_S = 300

const REPORT = {
  of: {
    order_id: 'text',
    transaction_id: 'text',
    amount: 'decimal',
    currency: 'text',
    status: { one: ['PAID', 'FAILED', 'PENDING'] },
    mode: 'text',
  },
} as const

/** Returns whether the header was made of the body with the secret, not long ago. `now` is ms since 1970. */
export async function isSigned(
  { uhi }: Settings,
  header: string | null,
  body: Uint8Array<ArrayBuffer>,
  now: number,
): Promise<boolean> {
  const match = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? '')
  if (match === null || uhi.paymentSecret === undefined) return false
  const [, time = '', hex = ''] = match
  if (Math.abs(now / 1000 - Number(time)) > FRESH_S) return false
  const utf8 = (text: string) => new TextEncoder().encode(text)
  const key = await crypto.subtle.importKey(
    'raw',
    utf8(uhi.paymentSecret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  )
  const mac = Uint8Array.from(hex.match(/../g)!, pair => Number.parseInt(pair, 16))
  const before = utf8(`${time}.`)
  const signed = new Uint8Array(before.length + body.length)
  signed.set(before)
  signed.set(body, before.length)
  return crypto.subtle.verify('HMAC', key, mac, signed)
}

/**
 * Records a payment that a report tells of: once for each transaction of the provider. A report of anything but PAID changes nothing.
 *
 * Throws `invalid` for a report that lacks something, `not-found` for an unknown order, `business-rule` (422) for another amount.
 */
export async function recordReport(ctx: Context, body: Uint8Array): Promise<void> {
  const json = parseJsonBytes(body, 8)
  const report = isObject(json) ? readShape(json, REPORT, '') : undefined
  const { order_id: orderId, transaction_id: transactionId, amount, status } = report ?? {}
  if (orderId === undefined || transactionId === undefined || amount === undefined || status === undefined)
    throw fhirError('invalid', 'A report has order_id, transaction_id, amount and status.')
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(orderId) || !/^[A-Za-z0-9._:/-]{1,128}$/.test(transactionId))
    throw fhirError('invalid', 'order_id or transaction_id is no id.')
  if (status !== 'PAID') return
  const { rows } = await search(ctx, 'Appointment', [
    ['identifier', `${UHI.order}|${orderId}`],
    ['_count', '1'],
  ])
  const appointment = rows[0] && resourceOf(rows[0])
  const invoice = objects(appointment?.supportingInformation)
    .flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[])
    .find(key => key.startsWith('Invoice/'))
  if (invoice === undefined) throw fhirError('not-found', 'There is no order of this id.')
  try {
    await markPaid(ctx, invoice, {
      isReceived: true,
      amount,
      currency: report?.currency ?? 'INR',
      identifier: { system: UHI.payment, value: transactionId },
      ...(report?.mode !== undefined && { method: report.mode }),
    })
  } catch (error) {
    // The provider repeats what it got no answer to.
    if (!(error instanceof FhirError) || error.code !== 'duplicate') throw error
  }
}
