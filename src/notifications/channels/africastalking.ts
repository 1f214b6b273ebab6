/**
 * Text messages by Africa's Talking. http://docs.africastalking.com/sms/sending, https://developers.africastalking.com/docs/sms/sending/bulk
 *
 * The answer tells of each number by a status code; there is no idempotency key.
 */
import type { SmsSettings } from '../../config/sms.ts'
import type { Channel } from '../channel.ts'
import {
  isSuccess,
  membersOf,
  NOT_UNDERSTOOD,
  notAccepted,
  post,
  reasonOf,
  recordOf,
  referenceOf,
} from './post.ts'
import { smsOf } from './sms-text.ts'

/** Processed, Sent, Queued. */
const ACCEPTED: ReadonlySet<unknown> = new Set([100, 101, 102])
/** InvalidPhoneNumber, UnsupportedNumberType, UserInBlacklist, CouldNotRoute, DoNotDisturbRejection, RejectedByGateway. */
const REFUSED: ReadonlySet<unknown> = new Set([403, 404, 406, 407, 409, 502])

/** Returns the channel. */
export const createAfricasTalkingChannel = (settings: SmsSettings): Channel => ({
  name: 'sms',
  reaches: 'phone',
  async send(delivery, signal) {
    const sms = smsOf(delivery, settings)
    if ('is' in sms) return sms
    const { url, user = '', key = '' } = settings.africastalking
    const body = new URLSearchParams({ username: user, to: sms.to, message: sms.text })
    if (settings.from !== undefined) body.set('from', settings.from)
    const answer = await post(
      {
        url: `${url}/version1/messaging`,
        headers: {
          apiKey: key,
          Accept: 'application/json',
          'Content-Type': 'application/x-www-form-urlencoded',
        },
        body: body.toString(),
        key: delivery.key,
      },
      signal,
    )
    if ('is' in answer) return answer
    if (!isSuccess(answer)) return notAccepted(answer.status)
    const { Recipients } = recordOf(membersOf(answer.text).SMSMessageData)
    const { statusCode, messageId } = recordOf(Array.isArray(Recipients) ? Recipients[0] : undefined)
    if (typeof statusCode !== 'number') return NOT_UNDERSTOOD
    if (ACCEPTED.has(statusCode)) {
      const reference = referenceOf(messageId)
      return { is: 'accepted', ...(reference !== undefined && { reference }) }
    }
    return { is: REFUSED.has(statusCode) ? 'refused' : 'failed', reason: reasonOf(answer.status, statusCode) }
  },
})
