/** The bill of an order that does not come about: cancelled before anything was paid, otherwise somebody is asked to give the money back. */
import type { Context, Pending, Put } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { read } from '../interactions/read.ts'
import { search } from '../interactions/search.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { REFUND, refundTask } from '../scheduling/payment.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { UHI } from './codes.ts'
import { codingOf, objects } from './elements.ts'
import { isOrderInvoice } from './paid.ts'

/** Returns the Invoice of an order, cancelled, where nothing was paid and the commit does not write it itself; else the Task of its refund. */
export async function notOwed(
  ctx: Context,
  appointment: Resource,
  pending: readonly Pending[],
): Promise<Put[]> {
  const keys = objects(appointment.supportingInformation)
    .flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[])
    .filter(key => key.startsWith('Invoice/') && !pending.some(one => one.key === key))
  const puts: Put[] = []
  for (const key of keys) {
    const current = await read(ctx, 'Invoice', key.split('/')[1]!)
    const invoice = resourceOf(current)
    if (!isOrderInvoice(invoice)) continue
    // That the doctor did not come is what the app says: nobody's bill goes away by that alone.
    if (invoice.status === 'issued' && appointment.status === 'cancelled')
      puts.push({ key, current, resource: { ...invoice, status: 'cancelled' } })
    else if (invoice.status === 'balanced' && codingOf(invoice.type, UHI.paymentType)?.code !== 'FREE')
      puts.push(...(await refundOnce(ctx, key)))
  }
  return puts
}

/** Returns the Task that asks to give back what an Invoice brought; none where one was written before. */
export async function refundOnce(ctx: Context, invoice: Key): Promise<Put[]> {
  const { rows } = await search(ctx, 'Task', [
    ['identifier', `${REFUND}|${invoice}`],
    ['_count', '1'],
  ])
  if (rows.length > 0) return []
  return [{ key: `Task/${ctx.newId()}`, current: undefined, resource: refundTask(invoice) }]
}
