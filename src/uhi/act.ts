/** What an action of UHI works with, and what several of them do. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { LOST, untilSettled } from '../interactions/race.ts'
import { update } from '../interactions/update.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import type { Job, Live } from '../storage/port.ts'
import type { Admitted } from './admit.ts'
import { UHI } from './codes.ts'
import { identifierOf } from './elements.ts'
import { errorOfRule, UhiError } from './error.ts'
import { orderFrom } from './from-fhir.ts'
import { type Addressee, callback, tellOrder } from './job.ts'
import { addresseeOf, graphOfStored, storedOrder } from './load-order.ts'
import { cameBefore, leave, once } from './once.ts'
import { ORDER, type Order, spelled } from './order.ts'
import type { Self } from './self.ts'
import { readShape } from './shape.ts'

export interface Act {
  /** As the limited principal of this door, under the rules. */
  ctx: Context
  self: Self
  admitted: Admitted
}

/** Returns ACK by returning. Throws UhiError for a NACK; nothing has been changed then. */
export type Action = (act: Act) => Promise<void>

export const orderIn = ({ admitted }: Act): Order => {
  const order = readShape(admitted.message.order, ORDER, '/message/order')
  if (order === undefined) throw new UhiError('UHI-1404', '/message/order', '/message/order IS MISSING')
  return spelled(order)
}

/** Returns the refusal of what the state of an order does not allow. */
export const unfit = (): UhiError =>
  new UhiError(
    'UHI-1403',
    '/message/order/state',
    'THE ORDER IS IN A STATE THAT DOES NOT ALLOW IT',
    'BOOKING',
  )

export function needed<T>(value: T | undefined, path: string): T {
  if (value === undefined) throw new UhiError('UHI-1404', path, `${path} IS MISSING`)
  return value
}

/**
 * Returns the order that a message is about.
 *
 * Throws `UHI-1404` where this app has booked no such order, or in another transaction.
 */
export async function orderAsked({ ctx, admitted }: Act, orderId: string | undefined): Promise<Live> {
  const { consumerId, transactionId } = admitted.context
  const found = await storedOrder(ctx, needed(orderId, '/message/order/id'), consumerId)
  if (found === undefined) throw new UhiError('UHI-1404', '/message/order/id', 'THERE IS NO ORDER OF THIS ID')
  if (identifierOf(resourceOf(found), UHI.transaction) !== transactionId)
    throw new UhiError('UHI-1404', '/context/transaction_id', 'THE ORDER IS OF ANOTHER TRANSACTION')
  return found
}

/** Returns the jobs that tell an order as it is stored. */
export async function told(act: Act, stored: Live, action: string): Promise<Job[]> {
  const { ctx, self } = act
  const appointment = resourceOf(stored)
  const graph = await graphOfStored(ctx, stored.key, appointment)
  return tellOrder(ctx, self, action, askerOf(act, appointment), orderFrom(graph, ''))
}

const askerOf = ({ ctx, admitted }: Act, appointment: Resource): Addressee => ({
  ...addresseeOf(ctx, appointment),
  messageId: admitted.context.messageId,
})

/**
 * Changes the Appointment of an order once for a message: `change` makes the next version of what is stored, or undefined where only `said`
 * is to be told. What the rules of booking refuse is told with `action` and its error.
 *
 * Throws what `change` throws.
 */
export async function changeOrder(
  act: Act,
  orderId: string | undefined,
  action: string,
  change: (appointment: Resource, stored: Live) => Resource | undefined | Promise<Resource | undefined>,
): Promise<void> {
  const { ctx, self, admitted } = act
  await untilSettled(async () => {
    const stored = await orderAsked(act, orderId)
    const next = await change(resourceOf(stored), stored)
    if (next === undefined) {
      await leave(ctx, admitted, await told(act, stored, action))
      return undefined
    }
    const ifMatch = `W/"${stored.version}"`
    try {
      await update(once(ctx, admitted), 'Appointment', String(next.id), next, { ifMatch })
    } catch (error) {
      if (cameBefore(error)) return undefined
      if (!(error instanceof FhirError)) throw error
      if (error.status === 412) return LOST
      const why = errorOfRule(error)
      if (why === undefined) throw error
      await leave(ctx, admitted, [
        callback(ctx, self, action, askerOf(act, resourceOf(stored)), {
          message: { order: { id: orderId } },
          error: why,
        }),
      ])
    }
    return undefined
  })
}
