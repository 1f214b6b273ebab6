/**
 * `$hold`: the time of an appointment is kept until it is booked, cancelled, or the hold runs out.
 * https://profiles.ihe.net/ITI/Scheduling/ITI-116.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { isExpired } from '../scheduling/hold.ts'
import type { Key, Live } from '../storage/port.ts'
import { commitAll, postEntry, putEntry, settled } from './appointment-change.ts'
import { completed, named, namedKey, REFERENCE, REFERENCE_PARAMETER, unheld } from './appointment-named.ts'
import { bookingAnswer, orUnavailable } from './booking-answer.ts'
import type { Operation } from './operation.ts'

export const hold: Operation = {
  name: 'hold',
  definition: 'https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-hold',
  types: ['Appointment'],
  levels: ['type'],
  affectsState: true,
  parameters: [{ ...REFERENCE_PARAMETER, min: 1 }],
  async run(ctx, call) {
    const key = namedKey(ctx, call)
    if (key === undefined)
      throw fhirError('required', `$hold needs ${REFERENCE}.`, { expression: `http.${REFERENCE}` })
    return bookingAnswer(ctx, [await orUnavailable(() => heldOne(ctx, key))])
  },
}

/** Returns the hold: the one that there is while it has not run out, otherwise a new one. */
const heldOne = (ctx: Context, key: Key): Promise<Live> =>
  settled(async () => {
    const { appointment, stored } = await named(ctx, key)
    if (stored !== undefined && appointment.status === 'pending' && !isExpired(appointment, ctx.clock()))
      return stored
    if (stored !== undefined && !['proposed', 'pending'].includes(String(appointment.status)))
      throw fhirError('business-rule', `${key} is ${String(appointment.status)}, and cannot be held.`, {
        expression: 'Appointment.status',
      })
    const next = completed(ctx, { ...unheld(appointment), status: 'pending' })
    const { id: _, ...fresh } = next
    const entry = stored === undefined ? postEntry(fresh as typeof next) : putEntry(next, stored)
    return (await commitAll(ctx, [entry]))[0]!
  })
