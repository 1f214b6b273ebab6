/** Whether a message may come in: whose it is, whether it is fresh and whole, and where its answer may go. */
import type { Settings } from '../config.ts'
import { FhirError } from '../fhir/error.ts'
import { isObject, type Json, type JsonObject, parseJsonBytes } from '../fhir/json.ts'
import { type Resolve, refusedCallback } from '../http/private-address.ts'
import { DOMAINS } from './codes.ts'
import { UhiError } from './error.ts'
import { CONTEXT } from './order.ts'
import type { Lookup, Subscriber, SubscriberType } from './registry.ts'
import type { Self } from './self.ts'
import { readShape } from './shape.ts'
import {
  digestOf,
  readSignature,
  type SignatureHeader,
  signedBytes,
  untimely,
  verifiesBytes,
} from './signature.ts'
import { durationOf } from './time.ts'

/** A message that is let in. */
export interface Admitted {
  context: {
    domain: string
    city: string
    action: string
    consumerId: string
    consumerUri: string
    transactionId: string
    messageId: string
  }
  /** `message` of the body. */
  message: JsonObject
  /** It came through the gateway, and is answered there. */
  byGateway: boolean
}

export interface Gate {
  settings: Settings
  self: Self
  lookup: Lookup
  /** Looks names up, where the platform can. */
  resolve?: Resolve | undefined
  /** ms since 1970. */
  clock(): number
}

const DEEPEST = 32
const HEADER = '/RequesterService'

/**
 * Returns the message of a request to `/{action}`.
 *
 * Throws UhiError with the code of the first check that fails; nothing has been changed then.
 */
export async function admit(
  gate: Gate,
  action: string,
  headers: Headers,
  body: Uint8Array,
): Promise<Admitted> {
  const { settings, self } = gate
  // The documents name both; the second where the first is absent.
  const gatewayHeader = headers.get('x-gateway-authorization') ?? headers.get('proxy-authorization')
  const byGateway = gatewayHeader !== null && action === 'search'
  const header = byGateway ? gatewayHeader : headers.get('authorization')
  if (header === null) throw new UhiError('UHI-1401', HEADER, 'AUTHORIZATION HEADER MISSING')
  const signature = readSignature(header)
  if (signature === undefined) throw new UhiError('UHI-1408', HEADER, 'HEADER VERIFICATION FAILED')
  const late = untimely(signature, gate.clock(), settings.uhi.skewS)
  if (late !== undefined) throw new UhiError('UHI-1408', HEADER, `HEADER VERIFICATION FAILED: ${late}`)

  const { context, message } = bodyOf(body)
  checkContext(gate, action, context)
  if (!byGateway && signature.subscriberId !== context.consumerId)
    throw new UhiError('UHI-1412', '/context/consumer_id', 'THE SIGNATURE IS NOT OF THE CONSUMER')
  const type = byGateway ? 'gateway' : 'EUA'
  let subscriber = await subscriberOf(gate, signature, type, context)
  // Hashed once, for bodies are large, and only where the sender is known.
  const bytes = signedBytes(signature.created, signature.expires, digestOf(body))
  // Who has changed the key is not kept out for as long as the old one is remembered.
  if (!isSignedBy(subscriber, signature, bytes))
    subscriber = await subscriberOf(gate, signature, type, context, true)
  if (subscriber.keys.length === 0) throw new UhiError('UHI_1410', HEADER, 'INVALID KEY')
  if (!isSignedBy(subscriber, signature, bytes)) throw new UhiError('UHI-1405', HEADER, 'INVALID SIGNATURE')
  if (!byGateway) await checkCallback(gate, context, subscriber)
  if (!byGateway && context.providerId === undefined)
    throw new UhiError('UHI-1404', '/context/provider_id', '/context/provider_id IS MISSING')
  if (context.providerId !== undefined && context.providerId !== self.signer.subscriberId)
    throw new UhiError('UHI-1413', '/context/provider_id', 'THIS IS ANOTHER PROVIDER')
  return { context, message, byGateway }
}

const isSignedBy = ({ keys }: Subscriber, signature: SignatureHeader, bytes: Uint8Array): boolean =>
  keys.some(key => verifiesBytes(signature, bytes, key))

interface Read {
  context: Admitted['context'] & {
    providerId: string | undefined
    timestamp: string
    ttl: string | undefined
  }
  message: JsonObject
}

function bodyOf(bytes: Uint8Array): Read {
  let body: Json
  try {
    body = parseJsonBytes(bytes, DEEPEST)
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    throw new UhiError('UHI-1411', '/', 'INVALID JSON')
  }
  if (!isObject(body)) throw new UhiError('UHI-1404', '/', 'THE BODY MUST BE AN OBJECT')
  const context = readShape(body.context, CONTEXT, '/context') ?? {}
  const need = (name: keyof typeof context): string => {
    const value = context[name]
    if (value === undefined) throw new UhiError('UHI-1404', `/context/${name}`, `/context/${name} IS MISSING`)
    return value
  }
  const read = {
    domain: need('domain'),
    city: need('city'),
    action: need('action'),
    consumerId: need('consumer_id'),
    consumerUri: need('consumer_uri'),
    transactionId: need('transaction_id'),
    messageId: need('message_id'),
    providerId: context.provider_id,
    timestamp: need('timestamp'),
    ttl: context.ttl,
  }
  need('country')
  need('core_version')
  if (!isObject(body.message)) throw new UhiError('UHI-1404', '/message', '/message IS MISSING')
  return { context: read, message: body.message }
}

const NAME = /^[A-Za-z0-9._:/@-]{1,128}$/

function checkContext({ settings, clock }: Gate, action: string, context: Read['context']): void {
  const fault = (name: string, message: string) => new UhiError('UHI-1404', `/context/${name}`, message)
  if (context.action !== action) throw fault('action', 'THE ACTION IS NOT THAT OF THE ADDRESS')
  if (!DOMAINS.has(context.domain)) throw fault('domain', 'THIS HSPA OFFERS CONSULTATIONS ONLY')
  if (!/^(std:[0-9]{2,8}|\*)$/.test(context.city))
    throw fault('city', '/context/city MUST BE std: AND A CODE')
  for (const [name, value] of [
    ['consumer_id', context.consumerId],
    ['transaction_id', context.transactionId],
    ['message_id', context.messageId],
  ] as const)
    if (!NAME.test(value)) throw fault(name, `/context/${name} IS NOT AN ID`)
  // RFC 3339 has a zone; a time without one, as the documents' examples have, is India's.
  const zoned = /(Z|[+-][0-9]{2}:?[0-9]{2})$/i.test(context.timestamp)
  const at = Date.parse(zoned ? context.timestamp : `${context.timestamp}+05:30`)
  if (Number.isNaN(at) || !TIMESTAMP.test(context.timestamp))
    throw fault('timestamp', '/context/timestamp IS NOT A TIME')
  const now = clock()
  const skew = settings.uhi.skewS * 1000
  if (at > now + skew + FORWARD_MS) throw fault('timestamp', 'THE MESSAGE IS FROM THE FUTURE')
  if (context.ttl === undefined) return
  const ttl = durationOf(context.ttl)
  if (ttl === undefined) throw fault('ttl', '/context/ttl MUST BE A DURATION AS PT30S')
  if (at + ttl < now - skew) throw fault('ttl', 'THE MESSAGE CAME TOO LATE')
}

const TIMESTAMP = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}/i

/** The examples mix zones: what is India's time may be called UTC. The signature says when it was made. */
const FORWARD_MS = 330 * 60_000

async function subscriberOf(
  { lookup, clock, settings }: Gate,
  signature: SignatureHeader,
  type: SubscriberType,
  { domain, city }: Read['context'],
  anew = false,
): Promise<Subscriber> {
  const question = {
    subscriberId: signature.subscriberId,
    keyId: signature.keyId,
    type,
    domain,
    city: city === '*' ? settings.uhi.city : city,
  }
  const found = await lookup(question, anew)
  if (found === 'failed') throw new UhiError('UHI-1402', '/NetworkRegistry', 'LOOKUP FAILED')
  if (found === 'unknown') throw new UhiError('UHI-1406', '/NetworkRegistry', 'NOT REGISTERED')
  const now = clock()
  // Written so that times that the registry does not say hold never.
  if (found.status !== 'SUBSCRIBED' || !(found.validFrom <= now) || !(found.validUntil > now))
    throw new UhiError('UHI-1412', '/NetworkRegistry', 'THE SUBSCRIPTION IS NOT VALID')
  return found
}

/** The consumer_uri is under the domain of the consumer_id, where that is one, and at the host that the registry names. */
async function checkCallback(
  { settings, resolve }: Gate,
  { consumerId, consumerUri }: Read['context'],
  subscriber: Subscriber,
): Promise<void> {
  const fault = (message: string) => new UhiError('UHI-1415', '/context/consumer_uri', message)
  const { allowPrivate } = settings.uhi
  const refused = await refusedCallback(consumerUri, { allowPrivate, resolve })
  if (refused !== undefined) throw fault(`THE ADDRESS ${refused.toUpperCase()}`)
  const { hostname, protocol } = new URL(consumerUri)
  // The action is written behind it.
  if (/[?#]/.test(consumerUri)) throw fault('THE ADDRESS MUST HAVE NO QUERY')
  if (protocol !== 'https:' && !allowPrivate) throw fault('THE ADDRESS MUST BEGIN WITH https://')
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(consumerId) && /\.[a-z]{2,}$/i.test(consumerId)) {
    const domain = consumerId.toLowerCase()
    if (hostname !== domain && !hostname.endsWith(`.${domain}`))
      throw fault('IT IS NOT OF THE DOMAIN OF consumer_id')
  }
  if (subscriber.url === undefined) return
  const registered = URL.canParse(subscriber.url) ? new URL(subscriber.url).hostname : undefined
  if (registered !== hostname) throw fault('THE REGISTRY NAMES ANOTHER HOST')
}
