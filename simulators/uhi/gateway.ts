/** The gateway: forwards searches to providers and catalogs to the patient app under its own signature, and keeps the audit copies. */
import { ack, nack } from './answer.ts'
import { type Misbehaviour, misbehavedHeader } from './misbehave.ts'
import type { Party } from './party.ts'
import { judgeSender, type Registry } from './registry.ts'
import { digestOf } from './signature.ts'
import { type Arrived, type Posted, parsed, post, type Route } from './wire.ts'

export interface Audit {
  action: string
  transaction: string
  order?: string
  /** Digest of the bytes; an exact copy has the digest of its callback. */
  digest: string
  by?: string
  problems: string[]
}

/** The documents name both. */
export type GatewayHeader = 'x-gateway-authorization' | 'proxy-authorization'

export interface Gateway {
  party: Party
  audits: Audit[]
  /** What providers answered to forwarded searches, by message id. */
  forwarded: Record<string, Posted[]>
  /** How the next forwarded search misbehaves, and the header that carries its signature. */
  next: { ways: Misbehaviour[]; header: GatewayHeader }
}

/** As it should be. */
export const PLAIN: Gateway['next'] = { ways: [], header: 'x-gateway-authorization' }

interface Envelope {
  context?: Record<string, string>
  message?: { order?: { id?: string } }
}

const seconds = (now: number): number => Math.floor(now / 1000)

/** The routes of the gateway under `/api/v1/uhi/`. */
export function gatewayRoute(gateway: Gateway, registry: Registry, say: (line: string) => void): Route {
  const forward = async (url: string, body: string, { ways, header: name } = PLAIN): Promise<Posted> => {
    const { header, body: sent } = misbehavedHeader(gateway.party, body, seconds(Date.now()), ways, registry)
    const headers: Record<string, string> = header === undefined ? {} : { [name]: header }
    return post(url, sent, headers)
  }
  return async (arrived: Arrived) => {
    const what = arrived.url.pathname.split('/').at(-1) ?? ''
    const text = arrived.body.toString('utf8')
    const envelope = parsed(text) as Envelope | undefined
    const context = envelope?.context
    if (!context) return nack('UHI-1411', 'INVALID JSON', '/Gateway')
    const { by, problems } = judgeSender(registry, arrived, 'authorization', Date.now())
    if (/^on_(confirm|update|cancel|status)_audit$/.test(what)) {
      const action = what.replace(/_audit$/, '')
      if (context.action !== action) problems.push(`the copy on ${what} says action ${context.action}`)
      if (by !== context.provider_id) problems.push(`${by} signed a copy of ${context.provider_id}`)
      const order = envelope?.message?.order?.id
      gateway.audits.push({
        action,
        transaction: `${context.transaction_id}`,
        ...(order === undefined ? {} : { order }),
        digest: digestOf(arrived.body),
        ...(by === undefined ? {} : { by }),
        problems,
      })
      say(`gateway: ${what} of order ${order} by ${by}${wrong(problems)}`)
      return problems.length > 0 ? nack('UHI-1405', 'INVALID SIGNATURE', '/AuditService') : ack()
    }
    if (problems.length > 0) {
      say(`gateway: refused ${what} of ${by ?? 'nobody'}${wrong(problems)}`)
      return nack('UHI-1405', 'INVALID SIGNATURE', '/RequesterService')
    }
    if (what === 'search') {
      const providers = registry.subscribers.filter(
        one => one.type === 'HSPA' && one.domain === context.domain && one.status === 'SUBSCRIBED',
      )
      const { next } = gateway
      gateway.next = PLAIN
      const answers = await Promise.all(
        providers.map(one =>
          forward(`${one.subscriber_url}/search`, text, next).catch(error => ({
            status: 0,
            text: String(error),
            json: undefined,
          })),
        ),
      )
      gateway.forwarded[`${context.message_id}`] = answers
      say(
        `gateway: forwarded a search to ${providers.length} providers: ${answers.map(one => one.text).join(' ')}`,
      )
      return ack()
    }
    if (what === 'on_search') {
      if (by !== context.provider_id) return nack('UHI-1408', 'HEADER VERIFICATION FAILED', '/Gateway')
      const answer = await forward(`${context.consumer_uri}/on_search`, text)
      say(`gateway: forwarded on_search of ${by}, HTTP ${answer.status}`)
      return answer.status === 200 ? ack() : nack('UHI-1409', 'EUA FAILURE', '/Gateway')
    }
    return { status: 404, json: { error: arrived.url.pathname } }
  }
}

const wrong = (problems: string[]): string => (problems.length === 0 ? '' : `: WRONG: ${problems.join('; ')}`)
