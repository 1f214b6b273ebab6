/**
 * Where a result may be called back to: not into the network of the clinic, not at this machine, not at the metadata of a cloud. Names are
 * looked up where the platform can. https://url.spec.whatwg.org/#host-parsing, https://www.iana.org/assignments/iana-ipv4-special-registry,
 * https://www.iana.org/assignments/iana-ipv6-special-registry
 */

/** Returns the addresses of a name. Throws where there is none. */
export type Resolve = (name: string) => Promise<readonly string[]>

export interface CallbackRules {
  /** Whatever stands here is not looked at closer. */
  allowPrivate: boolean
  resolve?: Resolve | undefined
}

/** Names that lead nowhere else. */
const OWN_NAMES = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|home\.arpa|localdomain)$/

/** Returns why an address cannot be called back, undefined where it can. A name that cannot be looked up is judged when it is called. */
export async function refusedCallback(
  address: string,
  { allowPrivate, resolve }: CallbackRules,
): Promise<string | undefined> {
  if (address.length > 2000 || !URL.canParse(address)) return 'is not a URL'
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://'
  if (url.username !== '' || url.password !== '') return 'must not have a user name'
  if (allowPrivate) return undefined
  // The parser has made plain addresses of decimal, octal and hexadecimal ones.
  const host = url.hostname.toLowerCase().replace(/\.$/, '')
  const literal = bytesOf(host.replace(/^\[(.*)\]$/, '$1'))
  if (literal !== undefined) return isPublic(literal) ? undefined : PRIVATE
  if (!host.includes('.') || OWN_NAMES.test(host)) return PRIVATE
  const found = await resolve?.(host).catch(() => [])
  return found?.some(one => !isPublicAddress(one)) ? PRIVATE : undefined
}

const PRIVATE = 'must not be a private address'

/** Returns whether an address as text is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  const bytes = bytesOf(address.replace(/%.*$/, ''))
  return bytes !== undefined && isPublic(bytes)
}

/** Returns the 4 or 16 bytes of an address in its canonical form, undefined for what is none. */
function bytesOf(address: string): number[] | undefined {
  if (/^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(address)) {
    const bytes = address.split('.').map(Number)
    return bytes.every(byte => byte < 256) ? bytes : undefined
  }
  if (!address.includes(':')) return undefined
  const dotted = /^(.*:)([0-9.]+)$/.exec(address)
  const tail = dotted?.[2]?.includes('.') ? bytesOf(dotted[2]) : undefined
  if (dotted?.[2]?.includes('.') && tail === undefined) return undefined
  const hex = (n: number): string => n.toString(16)
  const whole =
    tail === undefined
      ? address
      : `${dotted![1]}${hex(tail[0]! * 256 + tail[1]!)}:${hex(tail[2]! * 256 + tail[3]!)}`
  const [before = '', after, ...more] = whole.split('::')
  if (more.length > 0) return undefined
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const left = groups(before)
  const right = after === undefined ? [] : groups(after)
  const missing = 8 - left.length - right.length
  if (after === undefined ? missing !== 0 : missing < 1) return undefined
  const all = [...left, ...new Array<string>(missing).fill('0'), ...right]
  if (!all.every(group => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return all.flatMap(group => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

/** Address and length of the ranges of IPv4 that are not of the public internet. */
const SPECIAL_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/** Of the global unicast addresses (2000::/3) those that are not of the public internet, or lead to any other address. */
const SPECIAL_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

function isPublic(bytes: readonly number[]): boolean {
  if (bytes.length === 4) return !SPECIAL_V4.some(([from, length]) => isWithin(bytes, from, length))
  // IPv4 inside of IPv6: mapped, and by NAT64.
  if (isWithin(bytes, '::ffff:0:0', 96) || isWithin(bytes, '64:ff9b::', 96)) return isPublic(bytes.slice(12))
  return isWithin(bytes, '2000::', 3) && !SPECIAL_V6.some(([from, length]) => isWithin(bytes, from, length))
}

function isWithin(bytes: readonly number[], from: string, length: number): boolean {
  const range = bytesOf(from)!
  for (let bit = 0; bit < length; bit++) {
    const mask = 128 >> (bit & 7)
    if ((bytes[bit >> 3]! & mask) !== (range[bit >> 3]! & mask)) return false
  }
  return true
}
