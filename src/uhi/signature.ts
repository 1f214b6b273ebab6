/**
 * Signatures of UHI: Ed25519 over the base64 of a BLAKE2b-512 hash of the signing string, which holds such a hash of the body.
 * The header's value is a JSON string, and S has single spaces: not as Beckn has it.
 * https://github.com/NHA-ABDM/UHI (docs/Signing UHI APIs)
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { fromBase64, toBase64 } from '../lib/base64.ts'

/** What a signature header says. Times are texts of seconds since 1970. */
export interface SignatureHeader {
  subscriberId: string
  keyId: string
  created: string
  expires: string
  /** Base64. */
  signature: string
}

/** Who signs. */
export interface Signer {
  subscriberId: string
  keyId: string
  /** The 32 bytes. */
  privateKey: Uint8Array
}

/** DER of SubjectPublicKeyInfo and of PKCS8 around an Ed25519 key: https://www.rfc-editor.org/rfc/rfc8410 */
const SPKI = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
const PKCS8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]

const HEADERS = '(created) (expires) digest'
const LONGEST_HEADER = 4096
/** Seconds: what is valid for longer could come again when its message is forgotten. */
const LONGEST_VALID = 86_400

function keyBytes(text: string, prefix: readonly number[]): Uint8Array | undefined {
  const bytes = fromBase64(text)
  if (bytes?.length === 32) return bytes
  if (bytes?.length !== prefix.length + 32) return undefined
  return prefix.every((byte, i) => bytes[i] === byte) ? bytes.subarray(prefix.length) : undefined
}

/** Returns the 32 bytes of a public key in base64 (SPKI DER, or bare); undefined where it is no Ed25519 key. */
export const publicKeyOf = (text: string): Uint8Array | undefined => keyBytes(text, SPKI)

/** Returns the 32 bytes of a private key in base64 (PKCS8 DER, or bare); undefined where it is no Ed25519 key. */
export const privateKeyOf = (text: string): Uint8Array | undefined => keyBytes(text, PKCS8)

const hashed = (bytes: Uint8Array): string => toBase64(blake2b(bytes, { dkLen: 64 }))
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Returns the digest of a body: base64 of its BLAKE2b-512. */
export const digestOf = (body: Uint8Array): string => hashed(body)

/** Returns the bytes that are signed. */
export const signedBytes = (created: string, expires: string, digest: string): Uint8Array =>
  utf8(hashed(utf8(`(created): ${created} (expires): ${expires} digest: BLAKE-512=${digest}`)))

/** Returns the value of the Authorization header for a body. `created` and `expires` are seconds since 1970. */
export function sign(signer: Signer, body: Uint8Array, created: number, expires: number): string {
  const bytes = signedBytes(String(created), String(expires), digestOf(body))
  return JSON.stringify({
    headers: HEADERS,
    expires: String(expires),
    signature: toBase64(ed25519.sign(bytes, signer.privateKey)),
    created: String(created),
    keyId: `${signer.subscriberId}|${signer.keyId}|ed25519`,
    algorithm: 'ed25519',
  })
}

/** Returns what a header says, undefined where it is no signature header of UHI. */
export function readSignature(header: string): SignatureHeader | undefined {
  if (header.length > LONGEST_HEADER) return undefined
  let value: unknown
  try {
    value = JSON.parse(header)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { headers, algorithm, keyId, created, expires, signature } = value as Record<string, unknown>
  if (headers !== HEADERS || algorithm !== 'ed25519' || typeof keyId !== 'string') return undefined
  const parts = keyId.split('|')
  if (parts.length !== 3 || parts[2] !== 'ed25519') return undefined
  const [subscriberId = '', key = ''] = parts
  if (!isName(subscriberId) || !isName(key)) return undefined
  if (!isSeconds(created) || !isSeconds(expires) || typeof signature !== 'string') return undefined
  return { subscriberId, keyId: key, created, expires, signature }
}

const isName = (text: string): boolean => /^[A-Za-z0-9._:/@-]{1,128}$/.test(text)
const isSeconds = (value: unknown): value is string =>
  typeof value === 'string' && /^[1-9][0-9]{0,11}$/.test(value)

/** Returns whether the key made this signature for this body. */
export const verifies = (header: SignatureHeader, body: Uint8Array, publicKey: Uint8Array): boolean =>
  verifiesBytes(header, signedBytes(header.created, header.expires, digestOf(body)), publicKey)

/** Returns whether the key made this signature for what `signedBytes` has made of the body. */
export function verifiesBytes(header: SignatureHeader, bytes: Uint8Array, publicKey: Uint8Array): boolean {
  const signature = fromBase64(header.signature)
  if (signature?.length !== 64) return false
  try {
    return ed25519.verify(signature, bytes, publicKey, { zip215: false })
  } catch {
    return false
  }
}

/** Returns why the times of a header do not hold at this moment, undefined where they do. `now` in ms since 1970, `skew` in seconds. */
export function untimely(header: SignatureHeader, now: number, skew: number): string | undefined {
  const created = Number(header.created)
  const expires = Number(header.expires)
  if (created * 1000 > now + skew * 1000) return 'CREATED IN THE FUTURE'
  if (expires * 1000 < now - skew * 1000) return 'EXPIRED'
  if (expires < created) return 'EXPIRES BEFORE IT WAS CREATED'
  if (expires - created > LONGEST_VALID) return 'VALID FOR MORE THAN A DAY'
  return undefined
}
