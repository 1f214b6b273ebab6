/** Ways in which a sender misbehaves on command, all in the signature, the bytes or the time. */
import type { Party } from './party.ts'
import type { Registry } from './registry.ts'
import { authorization, type Signing } from './signature.ts'

export const MISBEHAVIOURS = [
  /** Signed in time, sent when `expires` has passed. */
  'late',
  /** The same bytes and the same header twice at once. */
  'twice',
  /** The same body again under a new signature. */
  'again',
  /** Held back until the next request has been answered. */
  'out-of-order',
  'bad-signature',
  /** Created and expired an hour ago. */
  'expired',
  /** Created an hour from now. */
  'future-created',
  /** The order id is one that nobody knows. */
  'unknown-order',
  'body-changed',
  /** Signed by another participant's key under our own key id. */
  'other-key',
  /** Signed well by another registered participant in our name. */
  'other-subscriber',
  'unregistered',
  'no-signature',
  'broken-header',
  'broken-json',
] as const
export type Misbehaviour = (typeof MISBEHAVIOURS)[number]

const HOUR = 3600
const LIFETIME = 10

/** The header and the body that really go out at `now` (Unix seconds); the header is undefined where none is sent. */
export function misbehavedHeader(
  by: Party,
  body: string,
  now: number,
  ways: readonly Misbehaviour[],
  registry: Registry & { strangers?: Party[] },
  lifetime = LIFETIME,
): { header: string | undefined; body: string } {
  const has = (way: Misbehaviour): boolean => ways.includes(way)
  const sent = has('broken-json') ? body.slice(0, -2) : body
  const shift = has('expired') ? -HOUR : has('future-created') ? HOUR : 0
  const stranger = registry.strangers?.[0]
  let signing: Signing = by
  if (stranger && has('other-key')) signing = { ...by, privateKey: stranger.privateKey }
  if (stranger && has('other-subscriber')) signing = stranger
  if (has('unregistered')) signing = { ...by, subscriberId: `nobody.${by.subscriberId}` }
  let header: string | undefined = authorization(signing, sent, now + shift, now + shift + lifetime)
  if (has('bad-signature')) {
    const said = JSON.parse(header)
    const bytes = Buffer.from(said.signature, 'base64')
    bytes[7]! ^= 1
    header = JSON.stringify({ ...said, signature: bytes.toString('base64') })
  }
  if (has('broken-header')) header = `Signature ${header.slice(1, 40)}`
  if (has('no-signature')) header = undefined
  return { header, body: has('body-changed') ? sent.replace('"core_version"', ' "core_version"') : sent }
}
