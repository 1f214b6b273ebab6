/** The network registry: a signed lookup of participants by id, key, type, domain and place. */

import { nack } from './answer.ts'
import type { Subscriber } from './party.ts'
import { judgeSignature, readHeader } from './signature.ts'
import { type Answer, type Arrived, parsed, type Route } from './wire.ts'

export interface Registry {
  subscribers: Subscriber[]
  /** How often a lookup was answered, by subscriber id. */
  lookups: Record<string, number>
}

const LOOKUP_FIELDS = ['subscriber_id', 'type', 'domain', 'country', 'city', 'pub_key_id'] as const

/** The trusted record of a key now, or why there is none. */
export function trusted(
  registry: Registry,
  subscriberId: string,
  keyId: string,
  now: number,
): Subscriber | string {
  const record = registry.subscribers.find(
    one => one.subscriber_id === subscriberId && one.pub_key_id === keyId,
  )
  if (record === undefined) return `${subscriberId}|${keyId} is not in the registry`
  if (record.status !== 'SUBSCRIBED') return `${subscriberId} is ${record.status}`
  if (now < Date.parse(record.valid_from) || now >= Date.parse(record.valid_until))
    return `the registration of ${subscriberId} is not valid now`
  return record
}

/** Everything wrong with the signature on what arrived under a header, and who signed it. */
export function judgeSender(
  registry: Registry,
  arrived: Pick<Arrived, 'headers' | 'body'>,
  headerName: string,
  now: number,
): { by?: string; problems: string[] } {
  const value = arrived.headers[headerName]
  const { header, problems } = readHeader(Array.isArray(value) ? value[0] : value)
  if (header === undefined) return { problems }
  const record = trusted(registry, header.subscriberId, header.keyId, now)
  if (typeof record === 'string') return { by: header.subscriberId, problems: [...problems, record] }
  const wrong = judgeSignature(header, arrived.body, record.encr_public_key, Math.floor(now / 1000))
  return { by: header.subscriberId, problems: [...problems, ...wrong] }
}

/** POST networkregistry/lookup: one record as an object, several as an array, 404 where none fits. */
export function lookupRoute(registry: Registry, say: (line: string) => void): Route {
  return (arrived): Answer => {
    const asked = parsed(arrived.body.toString('utf8')) as Record<string, unknown> | undefined
    if (asked === undefined || typeof asked !== 'object' || asked === null)
      return nack('UHI-1411', 'INVALID JSON', '/NetworkRegistry')
    const { by, problems } = judgeSender(registry, arrived, 'authorization', Date.now())
    if (problems.length > 0) {
      say(`registry: refused a lookup by ${by ?? 'nobody'}: ${problems.join('; ')}`)
      return nack('UHI-1405', 'INVALID SIGNATURE', '/NetworkRegistry')
    }
    const found = registry.subscribers.filter(one =>
      LOOKUP_FIELDS.every(
        name =>
          asked[name] === undefined ||
          (name === 'type'
            ? `${asked[name]}`.toUpperCase() === one.type.toUpperCase()
            : asked[name] === one[name]),
      ),
    )
    const id = `${asked.subscriber_id}`
    registry.lookups[id] = (registry.lookups[id] ?? 0) + 1
    say(`registry: ${by} asked for ${id}, ${found.length} found`)
    if (found.length === 0) return { status: 404, json: { message: 'No record found!' } }
    return { status: 200, json: found.length === 1 ? found[0] : found }
  }
}
