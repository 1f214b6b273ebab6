/** cancel: the patient cancels. The answer is on_cancel; what is cancelled or over already is told as it is. */

import { withExtension } from '../../scheduling/hold.ts'
import { LIVE } from '../../search/busy.ts'
import type { Action } from '../act.ts'
import { changeOrder, needed, orderIn, unfit } from '../act.ts'
import { CANCELLATION, PATIENT_REASONS, TAG, UHI, UHI_EXTENSION } from '../codes.ts'
import { UhiError } from '../error.ts'
import { stateOf } from '../from-fhir.ts'

const TAGS = '/message/order/fulfillment/tags'

export const cancel: Action = async act => {
  const { id, state, fulfillment } = orderIn(act)
  if (needed(state, '/message/order/state') !== 'CANCELLED')
    throw new UhiError('UHI-1404', '/message/order/state', 'THE STATE MUST BE CANCELLED')
  const by = needed(fulfillment?.tags?.[TAG.cancelledBy], `${TAGS}/${TAG.cancelledBy}`)
  if (by !== 'patient')
    throw new UhiError('UHI-1404', `${TAGS}/${TAG.cancelledBy}`, 'AN APP CANCELS FOR THE PATIENT ONLY')
  const reason = fulfillment?.tags?.[TAG.cancelReason]
  const known: readonly string[] = PATIENT_REASONS
  if (reason !== undefined && !known.includes(reason))
    throw new UhiError('UHI-1404', `${TAGS}/${TAG.cancelReason}`, 'IT IS NO REASON OF A PATIENT')
  await changeOrder(act, id, 'on_cancel', appointment => {
    if (stateOf(appointment) === 'APPOINTMENT_STARTED') throw unfit()
    if (!LIVE.has(String(appointment.status))) return undefined
    return {
      ...withExtension(appointment, UHI_EXTENSION.brokenBy, { valueCode: by }),
      status: 'cancelled',
      cancelationReason: {
        coding: [
          { system: CANCELLATION, code: 'pat', display: 'Patient' },
          ...(reason === undefined ? [] : [{ system: UHI.reason, code: reason }]),
        ],
      },
    }
  })
}
