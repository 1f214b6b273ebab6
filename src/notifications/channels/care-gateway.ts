/**
 * The push of the Care UHI plugin: patients with an ABHA are told by a gateway. https://github.com/ohcnetwork/ccm_uhi
 *
 * Its texts are the set `care-gateway` of templates. Tasks about bookings are tried three times and those of queues twice, 5 s apart.
 */
import type { CareGatewaySettings } from '../../config/care-gateway.ts'
import type { Log } from '../../lib/log.ts'
import type { Channel } from '../channel.ts'
import { createLogChannel } from './log.ts'
import { isSuccess, post, reasonOf } from './post.ts'

/** What the gateway calls our events. */
const FOR_TYPE: Readonly<Record<string, string>> = {
  booked: 'Booking',
  rescheduled: 'Booking',
  cancelled: 'Cancellation',
  'reminder-1h': 'Reminder',
  queue: 'QueueManagement',
}

/** Returns the channel; one that only logs where sending is off. */
export function createCareGatewayChannel(
  { url = '', send, timeoutMs }: CareGatewaySettings,
  { log }: { log: Log },
): Channel {
  const channel = {
    name: 'care-gateway',
    reaches: 'abha',
    templates: 'care-gateway',
    tries: event => (event === 'queue' ? 2 : 3),
    waitMs: 5000,
    events: new Set(Object.keys(FOR_TYPE)),
    async send({ key, event, to, text }, signal) {
      const answer = await post(
        {
          url,
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({
            requestid: key.toUpperCase(),
            fortype: FOR_TYPE[event] ?? event,
            patientid: to,
            notificationmessage: text,
          }),
          key,
          timeoutMs,
        },
        signal,
      )
      if ('is' in answer) return answer
      return isSuccess(answer) ? { is: 'accepted' } : { is: 'failed', reason: reasonOf(answer.status) }
    },
  } satisfies Channel
  return send ? channel : { ...channel, send: createLogChannel(log, channel).send }
}
