/**
 * Messages by the WhatsApp Cloud API: approved templates with parameters, for nobody may be written to freely first.
 * https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates,
 * https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
 *
 * There is no idempotency key. Ours goes along as `biz_opaque_callback_data`, which comes back with each status of the message.
 */
import type { WhatsAppSettings } from '../../config/whatsapp.ts'
import type { Channel } from '../channel.ts'
import { clip, isTelephone, oneLine } from './line.ts'
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
import { templateFor } from './sms-text.ts'

/** Error codes about this message, its template or its receiver; all others (limits, outages, the account) may pass. */
const REFUSED: ReadonlySet<unknown> = new Set([
  100, 131008, 131009, 131021, 131026, 131030, 131045, 131047, 131049, 131050, 131051, 132000, 132001, 132005,
  132007, 132012, 132015, 132016, 132018, 133010,
])

/** Characters of a parameter. */
const MOST = 1000

/** Returns the channel. */
export const createWhatsAppChannel = ({ url, phoneId, token, templates }: WhatsAppSettings): Channel => ({
  name: 'whatsapp',
  reaches: 'phone',
  events: new Set(Object.keys(templates).map(name => name.split(/[./]/, 1)[0] as string)),
  async send(delivery, signal) {
    const { key, language, to, values } = delivery
    if (!isTelephone(to)) return { is: 'refused', reason: 'Not a telephone number.' }
    const template = templateFor(delivery, templates)
    const { languages = {} } = template ?? {}
    const code = languages[language] ?? languages[language.split('-')[0] as string] ?? languages.en
    if (template === undefined || code === undefined)
      return { is: 'refused', reason: 'No approved template for this event.' }
    const parameters = template.values.map(name => ({
      type: 'text',
      // An empty parameter is an error, and so are line ends and tabs.
      text: clip(oneLine(Object.hasOwn(values, name) ? (values[name] as string) : ''), MOST) || '-',
    }))
    const answer = await post(
      {
        url: `${url}/${phoneId}/messages`,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({
          messaging_product: 'whatsapp',
          recipient_type: 'individual',
          to: to.slice(1),
          type: 'template',
          template: {
            name: template.name,
            language: { code },
            ...(parameters.length > 0 && { components: [{ type: 'body', parameters }] }),
          },
          biz_opaque_callback_data: key,
        }),
        key,
      },
      signal,
    )
    if ('is' in answer) return answer
    const { messages, error } = membersOf(answer.text)
    const errorCode = recordOf(error).code
    if (typeof errorCode === 'number')
      return {
        is: REFUSED.has(errorCode) ? 'refused' : 'failed',
        reason: reasonOf(answer.status, errorCode),
      }
    if (!isSuccess(answer)) return notAccepted(answer.status)
    const reference = referenceOf(recordOf(Array.isArray(messages) ? messages[0] : undefined).id)
    return reference === undefined ? NOT_UNDERSTOOD : { is: 'accepted', reference }
  },
})
