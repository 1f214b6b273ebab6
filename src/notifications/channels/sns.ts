/**
 * Text messages by AWS SNS. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html,
 * https://docs.aws.amazon.com/sns/latest/dg/channels-sms-senderid-india.html
 *
 * MessageDeduplicationId is for FIFO topics only; a message to a number has no idempotency key. The key goes along as
 * `amz-sdk-invocation-id`, which names a call and stays the same in its attempts.
 */
import type { SmsSettings } from '../../config/sms.ts'
import type { Channel } from '../channel.ts'
import { isSuccess, NOT_UNDERSTOOD, notAccepted, post, reasonOf } from './post.ts'
import { signed } from './sigv4.ts'
import { smsOf } from './sms-text.ts'

/** Errors of Publish that another attempt cannot change. */
const REFUSED = /^(?:InvalidParameter|InvalidParameterValue|ParameterValueInvalid|OptedOut|Validation)/

/** Returns the channel. `clock`: ms since 1970 UTC. */
export const createSnsChannel = (settings: SmsSettings, { clock }: { clock(): number }): Channel => ({
  name: 'sms',
  reaches: 'phone',
  async send(delivery, signal) {
    const sms = smsOf(delivery, settings)
    if ('is' in sms) return sms
    const { region, id = '', secret = '' } = settings.sns
    const url = `${settings.sns.url ?? `https://sns.${region}.amazonaws.com`}/`
    const body = new URLSearchParams({
      Action: 'Publish',
      Version: '2010-03-31',
      PhoneNumber: sms.to,
      Message: sms.text,
    })
    const attributes = {
      'AWS.SNS.SMS.SMSType': 'Transactional',
      'AWS.SNS.SMS.SenderID': settings.from,
      'AWS.MM.SMS.EntityId': settings.entity,
      'AWS.MM.SMS.TemplateId': sms.template,
    }
    let n = 0
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) continue
      const entry = `MessageAttributes.entry.${++n}`
      body.set(`${entry}.Name`, name)
      body.set(`${entry}.Value.DataType`, 'String')
      body.set(`${entry}.Value.StringValue`, value)
    }
    const request = {
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'amz-sdk-invocation-id': delivery.key,
      },
      body: body.toString(),
    } as const
    const headers = await signed(request, { id, secret, region, service: 'sns' }, clock())
    const answer = await post({ url, headers, body: request.body, key: delivery.key }, signal)
    if ('is' in answer) return answer
    if (isSuccess(answer)) {
      const reference = /<MessageId>([0-9a-fA-F-]{36})<\/MessageId>/.exec(answer.text)?.[1]
      return reference === undefined ? NOT_UNDERSTOOD : { is: 'accepted', reference }
    }
    const code = /<Code>([A-Za-z.]{1,60})<\/Code>/.exec(answer.text)?.[1]
    if (code === undefined) return notAccepted(answer.status)
    return { is: REFUSED.test(code) ? 'refused' : 'failed', reason: reasonOf(answer.status, code) }
  },
})
