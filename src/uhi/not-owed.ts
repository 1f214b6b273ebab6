/** The bill of an order that is cancelled before anything was paid. */
import type { Context, Pending, Put } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { read } from '../interactions/read.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { objects } from './elements.ts'
import { isOrderInvoice } from './paid.ts'

/** Returns the Invoice of an order, cancelled, where nothing was paid and the commit does not write it itself. */
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
    if (isOrderInvoice(invoice) && invoice.status === 'issued')
      puts.push({ key, current, resource: { ...invoice, status: 'cancelled' } })
  }
  return puts
}
