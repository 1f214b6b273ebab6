/**
 * The network registry: whose key is whose. What it says is kept for some minutes, in bounded number; questions on the way are asked once.
 *
 * The documents contradict each other about the key that verifies: the field's name says `signing_public_key`, the reference gateway takes
 * `encr_public_key`. Both are keys that the registry vouches for, so each that is an Ed25519 key counts, the gateway's first.
 */
import { post, type Sending } from './post.ts'
import { publicKeyOf } from './signature.ts'

export type SubscriberType = 'EUA' | 'HSPA' | 'gateway'

/** What is asked. */
export interface Question {
  subscriberId: string
  type: SubscriberType
  keyId: string
  domain: string
  city: string
}

export interface Subscriber {
  /** SUBSCRIBED or another word of the registry. */
  status: string
  /** ms since 1970; NaN where the registry does not say. */
  validFrom: number
  validUntil: number
  /** Where the subscriber is reached, undefined where the registry does not say. */
  url: string | undefined
  /** Ed25519 keys, in the order in which they are tried; empty where there is none. */
  keys: readonly Uint8Array[]
}

/** `unknown`: there is no such subscriber. `failed`: the registry gave no answer that can be understood. */
export type Found = Subscriber | 'unknown' | 'failed'

/** `anew`: what was found half a minute ago and longer is not good enough. */
export type Lookup = (question: Question, anew?: boolean) => Promise<Found>

const KEPT_MS = 10 * 60_000
/** Who is not known may be registered a moment later, and a registry that is down comes back. */
const UNKNOWN_MS = 30_000
const FAILED_MS = 2000
const MOST = 1000
/** Questions that are on their way at once: strangers decide what is asked. */
const MOST_ASKED = 20

/** Returns the lookup, with its own memory. `url` is the registry's. */
export function createLookup(sending: Sending, url: string): Lookup {
  const known = new Map<string, { found: Found; at: number; until: number }>()
  const asked = new Map<string, Promise<Found>>()

  return async (question, anew = false) => {
    const name = JSON.stringify(question)
    const now = sending.clock()
    const kept = known.get(name)
    if (kept !== undefined && kept.until > now && !(anew && kept.at + UNKNOWN_MS <= now)) return kept.found
    const running = asked.get(name)
    if (running !== undefined) return running
    if (asked.size >= MOST_ASKED) return 'failed'
    const asking = ask(sending, url, question).finally(() => asked.delete(name))
    asked.set(name, asking)
    const found = await asking
    known.delete(name)
    const at = sending.clock()
    known.set(name, { found, at, until: at + keptFor(found) })
    // The oldest stands first.
    for (const old of known.keys()) if (known.size > MOST) known.delete(old)
    return found
  }
}

const keptFor = (found: Found): number =>
  found === 'unknown' ? UNKNOWN_MS : found === 'failed' ? FAILED_MS : KEPT_MS

async function ask(sending: Sending, url: string, question: Question): Promise<Found> {
  const body = JSON.stringify({
    subscriber_id: question.subscriberId,
    type: question.type,
    domain: question.domain,
    country: 'IND',
    city: question.city,
    pub_key_id: question.keyId,
  })
  try {
    const { status, json } = await post(sending, url, body)
    if (status === 404) return 'unknown'
    if (status !== 200 || typeof json !== 'object' || json === null) return 'failed'
    return recordIn(json, question, sending.clock())
  } catch {
    return 'failed'
  }
}

type Row = Record<string, unknown>
const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Returns the record of the subscriber and key: the answer is one, a list, or a list as `message`. */
function recordIn(json: object, { subscriberId, keyId, type }: Question, now: number): Found {
  const message = isRow(json) ? json.message : undefined
  const rows = (Array.isArray(json) ? json : Array.isArray(message) ? message : [json])
    .slice(0, 100)
    .filter(isRow)
  const own = rows.filter(
    one =>
      one.subscriber_id === subscriberId &&
      (one.pub_key_id === keyId || one.unique_key_id === keyId) &&
      String(one.type).toLowerCase() === type.toLowerCase(),
  )
  // An older record may stand beside the one that holds.
  const time = (value: unknown): number => (typeof value === 'string' ? Date.parse(value) : Number.NaN)
  const isHeld = (one: Row): boolean =>
    one.status === 'SUBSCRIBED' && time(one.valid_from) <= now && time(one.valid_until) > now
  const row = own.find(isHeld) ?? own[0]
  if (row === undefined)
    return rows.some(one => typeof one.subscriber_id === 'string') || rows.length === 0 ? 'unknown' : 'failed'
  const keys = [row.encr_public_key, row.signing_public_key].flatMap(text =>
    typeof text === 'string' ? (publicKeyOf(text) ?? []) : [],
  )
  return {
    status: String(row.status),
    validFrom: time(row.valid_from),
    validUntil: time(row.valid_until),
    url: typeof row.subscriber_url === 'string' && row.subscriber_url !== '' ? row.subscriber_url : undefined,
    keys,
  }
}
