/**
 * Text messages by Twilio. https://www.twilio.com/docs/messaging/api/message-resource
 *
 * There is no idempotency key for messages, so a repeat after a crash is a second message. Its error codes change and are not to be
 * programmed against (https://www.twilio.com/en-us/changelog), so the HTTP status decides; the code is told.
 */
import type { SmsSettings } from '../../config/sms.ts'
import { toBase64 } from '../../lib/base64.ts'
import type { Channel } from '../channel.ts'
import { isSuccess, membersOf, NOT_UNDERSTOOD, notAccepted, post } from './post.ts'
import { smsOf } from './sms-text.ts'

/** Returns the channel. */
export const createTwilioChannel = (settings: SmsSettings): Channel => ({
  name: 'sms',
  reaches: 'phone',
  async send(delivery, signal) {
    const sms = smsOf(delivery, settings)
    if ('is' in sms) return sms
    const { url, account, token } = settings.twilio
    const from = settings.from ?? ''
    const body = new URLSearchParams({
      To: sms.to,
      Body: sms.text,
      [/^MG[0-9a-f]{32}$/.test(from) ? 'MessagingServiceSid' : 'From']: from,
    })
    const answer = await post(
      {
        url: `${url}/2010-04-01/Accounts/${account}/Messages.json`,
        headers: {
          Authorization: `Basic ${toBase64(new TextEncoder().encode(`${account}:${token}`))}`,
          'Content-Type': 'application/x-www-form-urlencoded',
        },
        body: body.toString(),
        key: delivery.key,
      },
      signal,
    )
    if ('is' in answer) return answer
    const { sid, code } = membersOf(answer.text)
    if (!isSuccess(answer)) return notAccepted(answer.status, code)
    return typeof sid === 'string' && /^[A-Z]{2}[0-9a-f]{32}$/.test(sid)
      ? { is: 'accepted', reference: sid }
      : NOT_UNDERSTOOD
  },
})
