/**
 * Every message posted to one address as its FHIR Communication, signed.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, https://hl7.org/fhir/R4/communication.html
 *
 * The Communication holds no secrets, as it is stored; `NADI_WEBHOOK_SECRETS=on` puts the whole text into its payload.
 */
import type { WebhookSettings } from '../../config/webhook.ts'
import { isObject, parseJson, writeJson } from '../../fhir/json.ts'
import { fromBase64, toBase64 } from '../../lib/base64.ts'
import { SYSTEM } from '../../scheduling/codes.ts'
import type { Channel, Delivery } from '../channel.ts'
import { isSuccess, post, reasonOf } from './post.ts'

/** Returns the channel. `clock`: ms since 1970 UTC. */
export const createWebhookChannel = (
  { url = '', secret, secrets }: WebhookSettings,
  { clock }: { clock(): number },
): Channel => ({
  name: 'webhook',
  reaches: 'none',
  async send(delivery, signal) {
    const { key, event } = delivery
    const body = bodyOf(delivery, secrets)
    const time = String(Math.floor(clock() / 1000))
    const answer = await post(
      {
        url,
        headers: {
          'Content-Type': 'application/fhir+json; charset=utf-8',
          'webhook-id': key,
          'webhook-timestamp': time,
          ...(secret !== undefined && {
            'webhook-signature': `v1,${await signature(secret, `${key}.${time}.${body}`)}`,
          }),
          'nadi-event': event,
        },
        body,
        key,
      },
      signal,
    )
    if ('is' in answer) return answer
    if (isSuccess(answer)) return { is: 'accepted' }
    // Gone: the receiver wants no more of them. All else is tried again.
    return { is: answer.status === 410 ? 'refused' : 'failed', reason: reasonOf(answer.status) }
  },
})

function bodyOf({ key, event, text, communication }: Delivery, secrets: boolean): string {
  const stored = communication === undefined ? undefined : parseJson(communication)
  const resource = isObject(stored)
    ? stored
    : {
        resourceType: 'Communication',
        identifier: [{ system: SYSTEM.messageKey, value: key }],
        status: 'in-progress',
        category: [{ coding: [{ system: SYSTEM.event, code: event }] }],
      }
  return writeJson(secrets ? { ...resource, payload: [{ contentString: text }] } : resource)
}

/** Returns the signature in base64. A secret that begins with `whsec_` is base64 after it; any other is text. */
export async function signature(secret: string, content: string): Promise<string> {
  const utf8 = new TextEncoder()
  const raw = secret.startsWith('whsec_') ? fromBase64(secret.slice(6)) : undefined
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', raw ?? utf8.encode(secret), hmac, false, ['sign'])
  return toBase64(new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8.encode(content))))
}
