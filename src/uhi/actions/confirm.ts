/** confirm: the patient has agreed to the terms. The answer is on_confirm; of what is paid in advance once it is paid. */
import { expired, isExpired } from '../../scheduling/hold.ts'
import type { Action } from '../act.ts'
import { changeOrder, needed, orderIn, unfit } from '../act.ts'
import { booked, waiting, withTerms } from '../confirmed.ts'
import { UhiError } from '../error.ts'
import { stateOf, termsOf } from '../from-fhir.ts'
import { graphOfStored } from '../load-order.ts'
import { isDone } from '../once.ts'
import { isPrepaid, isUnpaid } from '../paid.ts'
import { agreed, disagreement } from '../terms.ts'

export const confirm: Action = async act => {
  const { ctx } = act
  const { id, terms } = orderIn(act)
  needed(terms, '/message/order/terms')
  if (await isDone(ctx, act.admitted)) return
  await changeOrder(act, id, 'on_confirm', async (appointment, stored) => {
    const proposed = termsOf(appointment) ?? []
    const why = disagreement(proposed, terms)
    if (why !== undefined) throw new UhiError('UHI-1404', '/message/order/terms', why)
    const state = stateOf(appointment)
    // on_confirm says CONFIRMED or FAILED and nothing else.
    if (state === 'CONFIRMED' || state === 'FAILED') return undefined
    if (state !== undefined) throw unfit()
    const agreedTo = withTerms(appointment, agreed(proposed, terms ?? []))
    if (isExpired(appointment, ctx.clock())) return expired(agreedTo)
    const { invoice } = await graphOfStored(ctx, stored.key, appointment)
    return isPrepaid(invoice) && isUnpaid(invoice)
      ? waiting(agreedTo, act.admitted.context.messageId)
      : booked(agreedTo)
  })
}
