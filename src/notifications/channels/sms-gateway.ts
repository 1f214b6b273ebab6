/**
 * Text messages by any provider that takes them in one HTTP request, as those of India do: registered text, principal entity, header.
 * https://docs.fast2sms.com/reference/new-endpoint-1-1, https://docs.msg91.com/sms/send-sms
 *
 * What goes where is said by templates; a value is escaped for the place where it stands, so that none can add a field.
 */
import type { SmsSettings } from '../../config/sms.ts'
import { PLACEHOLDER } from '../../config/sms-gateway.ts'
import type { Channel, Delivery } from '../channel.ts'
import { isSuccess, notAccepted, post } from './post.ts'
import { type Sms, smsOf } from './sms-text.ts'

/** Returns the channel. */
export const createSmsGatewayChannel = (settings: SmsSettings): Channel => ({
  name: 'sms',
  reaches: 'phone',
  async send(delivery, signal) {
    const sms = smsOf(delivery, settings)
    if ('is' in sms) return sms
    const { url = '', body, headers, accepted, refused } = settings.gateway
    const valueNamed = namesOf(delivery, sms, settings)
    const json = body !== undefined && /^\s*[{[]/.test(body)
    const type = json ? 'application/json' : 'application/x-www-form-urlencoded'
    const answer = await post(
      {
        url: filled(url, name => encodeURIComponent(valueNamed(name))),
        headers: { ...(body !== undefined && { 'Content-Type': type }), ...headers },
        ...(body !== undefined && {
          body: json
            ? JSON.stringify(filledTree(JSON.parse(body), valueNamed))
            : filled(body, name => encodeURIComponent(valueNamed(name))),
        }),
        key: delivery.key,
      },
      signal,
    )
    if ('is' in answer) return answer
    if (refused !== undefined && answer.text.includes(refused))
      return { is: 'refused', reason: `Answered ${answer.status} with the sign of a refusal.` }
    if (!isSuccess(answer)) return notAccepted(answer.status)
    return accepted === undefined || answer.text.includes(accepted)
      ? { is: 'accepted' }
      : { is: 'failed', reason: `Answered ${answer.status} without the sign of acceptance.` }
  },
})

function namesOf(delivery: Delivery, sms: Sms, settings: SmsSettings): (name: string) => string {
  const named: Record<string, string | undefined> = {
    to: sms.to,
    digits: sms.to.slice(1),
    text: sms.text,
    key: delivery.key,
    sender: settings.from,
    entity: settings.entity,
    template: sms.template,
    secret: settings.gateway.secret,
    event: delivery.event,
    language: delivery.language,
  }
  return name => named[name] ?? (name.startsWith('var') ? sms.variables[Number(name.slice(3)) - 1] : '') ?? ''
}

const filled = (template: string, valueNamed: (name: string) => string): string =>
  template.replace(PLACEHOLDER, (_, name: string) => valueNamed(name))

/** Fills the strings of a tree, so that a value stays inside the string where it stands. */
function filledTree(tree: unknown, valueNamed: (name: string) => string): unknown {
  if (typeof tree === 'string') return filled(tree, valueNamed)
  if (Array.isArray(tree)) return tree.map(one => filledTree(one, valueNamed))
  if (typeof tree !== 'object' || tree === null) return tree
  return Object.fromEntries(Object.entries(tree).map(([name, one]) => [name, filledTree(one, valueNamed)]))
}
