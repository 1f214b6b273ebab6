/** on_message from an app: the patient writes to the doctor. It becomes a Communication about the appointment. */
import { create } from '../../interactions/create.ts'
import { resourceOf } from '../../scheduling/calendar.ts'
import type { Action } from '../act.ts'
import { needed } from '../act.ts'
import { communicationOf } from '../chat.ts'
import { keyIn, objects } from '../elements.ts'
import { UhiError } from '../error.ts'
import { orderOfTransaction } from '../load-order.ts'
import { cameBefore, once } from '../once.ts'
import { CHAT } from '../order.ts'
import { readShape } from '../shape.ts'

export const onMessage: Action = async act => {
  const { ctx, admitted } = act
  const path = '/message/intent/chat'
  const { intent } = admitted.message
  const raw = objects([intent ?? null])[0]?.chat
  const chat = needed(readShape(raw, CHAT, path), path)
  needed(chat.content?.content_id, `${path}/content/content_id`)
  const type = needed(chat.content?.content_type, `${path}/content/content_type`)
  if (type === 'media') needed(chat.content?.content_mimeType, `${path}/content/content_mimeType`)
  needed(chat.content?.content_value, `${path}/content/content_value`)
  needed(chat.time?.timestamp, `${path}/time/timestamp`)
  const { transactionId, consumerId } = admitted.context
  const stored = await orderOfTransaction(ctx, transactionId, consumerId)
  if (stored === undefined)
    throw new UhiError('UHI-1404', '/context/transaction_id', 'THERE IS NO ORDER IN THIS TRANSACTION')
  const actors = objects(resourceOf(stored).participant).map(one => keyIn(one.actor))
  const patient = actors.find(key => key?.startsWith('Patient/'))
  const practitioner = actors.find(key => key?.startsWith('Practitioner/'))
  if (patient === undefined || practitioner === undefined)
    throw new UhiError('UHI-1403', path, 'NOBODY CAN BE WRITTEN TO ABOUT THIS ORDER')
  const keys = { appointment: stored.key, subject: patient, sender: patient, receiver: practitioner }
  try {
    await create(once(ctx, admitted), 'Communication', communicationOf(chat, keys))
  } catch (error) {
    if (!cameBefore(error)) throw error
  }
}
