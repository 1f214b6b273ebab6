/** `$mark-paid`, an operation of this server: the clerk has taken the money for a bill. What waits for it is booked. */

import { read } from '../interactions/read.ts'
import { markPaid as record } from '../scheduling/payment.ts'
import { keyOf } from '../storage/port.ts'
import { answerWith } from './appointment-change.ts'
import { type Operation, textOf } from './operation.ts'

/** PaymentReconciliation.identifier: the number of a receipt or of a card payment. */
export const RECEIPT = 'urn:nadi:payment-reference'

export const markPaid: Operation = {
  name: 'mark-paid',
  definition: 'urn:nadi:operation:invoice-mark-paid',
  types: ['Invoice'],
  levels: ['instance'],
  affectsState: true,
  parameters: [
    { name: 'method', type: 'string', min: 0, max: 1 },
    { name: 'reference', type: 'string', min: 0, max: 1 },
  ],
  async run(ctx, call) {
    const method = textOf(call, 'method')
    const reference = textOf(call, 'reference')
    await record(ctx, keyOf('Invoice', call.id), {
      ...(method !== undefined && { method }),
      ...(reference !== undefined && { identifier: { system: RECEIPT, value: reference } }),
    })
    return answerWith(await read(ctx, 'Invoice', call.id))
  },
}
