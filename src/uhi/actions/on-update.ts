/** on_update from an app: the doctor did not come. It is the one state that an app may set. */

import { withExtension } from '../../scheduling/hold.ts'
import { instantOf } from '../../search/busy.ts'
import type { Action } from '../act.ts'
import { changeOrder, needed, orderIn } from '../act.ts'
import { UHI_EXTENSION } from '../codes.ts'
import { UhiError } from '../error.ts'
import { stateOf } from '../from-fhir.ts'

export const onUpdate: Action = async act => {
  const { ctx } = act
  const { id, state } = orderIn(act)
  if (needed(state, '/message/order/state') !== 'DOCTOR_NO_SHOW')
    throw new UhiError('UHI-1404', '/message/order/state', 'AN APP MAY SET DOCTOR_NO_SHOW ONLY')
  await changeOrder(act, id, 'on_update', appointment => {
    if (stateOf(appointment) !== 'CONFIRMED') return undefined
    if ((instantOf(appointment.start) ?? Number.POSITIVE_INFINITY) > ctx.clock())
      throw new UhiError('UHI-1404', '/message/order/state', 'THE VISIT HAS NOT BEGUN YET')
    return {
      ...withExtension(appointment, UHI_EXTENSION.brokenBy, { valueCode: 'doctor' }),
      status: 'noshow',
    }
  })
}
