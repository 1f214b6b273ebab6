/**
 * E-mail by SendGrid. https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
 *
 * Accepted is 202 with an empty body. There is no idempotency key: ours is the Message-ID and a custom argument, which comes back with
 * each event of the message.
 */
import type { MailSettings } from '../../config/mail.ts'
import { toBase64 } from '../../lib/base64.ts'
import type { Channel } from '../channel.ts'
import { addressOf, fileName, mediaType } from './address.ts'
import { clip, oneLine, plain } from './line.ts'
import { isSuccess, notAccepted, post } from './post.ts'

/** Returns the channel. */
export const createSendGridChannel = ({ from, sendgrid }: MailSettings): Channel => ({
  name: 'email',
  reaches: 'email',
  async send({ key, event, to, subject, text, attachments }, signal) {
    const email = addressOf(to)
    if (email === undefined) return { is: 'refused', reason: 'Not an e-mail address.' }
    const sender = from?.address ?? ''
    const utf8 = new TextEncoder()
    const answer = await post(
      {
        url: `${sendgrid.url}/v3/mail/send`,
        headers: { Authorization: `Bearer ${sendgrid.key}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({
          personalizations: [{ to: [{ email }], custom_args: { nadi_key: key, nadi_event: event } }],
          from: { email: sender, ...(from?.name && { name: from.name }) },
          subject: clip(oneLine(subject), 250) || '-',
          content: [{ type: 'text/plain', value: plain(text) || '-' }],
          headers: {
            'Message-ID': `<${key}@${sender.slice(sender.indexOf('@') + 1)}>`,
            'Auto-Submitted': 'auto-generated',
          },
          ...(attachments.length > 0 && {
            attachments: attachments.map(one => ({
              filename: fileName(one.name),
              type: mediaType(one.type).split(';', 1)[0],
              content: toBase64(utf8.encode(one.text)),
              disposition: 'attachment',
            })),
          }),
        }),
        key,
      },
      signal,
    )
    if ('is' in answer) return answer
    return isSuccess(answer) ? { is: 'accepted' } : notAccepted(answer.status)
  },
})
