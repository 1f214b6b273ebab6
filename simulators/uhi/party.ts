/** Participants of the network: what the registry knows of each, and the keys of those that the simulator plays. */
import { generateKeyPairSync } from 'node:crypto'
import type { Signing } from './signature.ts'

/** One record of the network registry, with UHI's names. */
export interface Subscriber {
  participant_id: string
  subscriber_id: string
  country: string
  city: string
  domain: string
  unique_key_id: string
  pub_key_id: string
  signing_public_key: string
  encr_public_key: string
  valid_from: string
  valid_until: string
  status: string
  type: string
  subscriber_url: string
}

export interface Party extends Signing {
  record: Subscriber
}

const DAY = 86_400_000

/** A record with everything filled in that was not given. */
export function subscriber(given: Partial<Subscriber> & { subscriber_id: string }, now: number): Subscriber {
  const key = given.encr_public_key ?? given.signing_public_key ?? ''
  const keyId = given.pub_key_id ?? 'k1'
  return {
    participant_id: given.subscriber_id,
    country: 'IND',
    city: 'std:011',
    domain: 'nic2004:85111',
    unique_key_id: keyId,
    pub_key_id: keyId,
    signing_public_key: key,
    encr_public_key: key,
    valid_from: new Date(now - DAY).toISOString(),
    valid_until: new Date(now + 365 * DAY).toISOString(),
    status: 'SUBSCRIBED',
    type: 'EUA',
    subscriber_url: '',
    ...given,
  }
}

/** A participant with a fresh key pair. */
export function newParty(subscriberId: string, type: string, url: string, now: number): Party {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  const record = subscriber(
    {
      subscriber_id: subscriberId,
      pub_key_id: `${type.toLowerCase()}-k1`,
      type,
      subscriber_url: url,
      encr_public_key: spki,
    },
    now,
  )
  return {
    subscriberId,
    keyId: record.pub_key_id,
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    record,
  }
}
