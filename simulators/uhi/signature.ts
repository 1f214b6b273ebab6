/** Signatures of UHI: Ed25519 over the base64 of BLAKE2b-512 of a line that holds the digest of the body; the header is JSON. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'

const blake = (bytes: Uint8Array | string): string => createHash('blake2b512').update(bytes).digest('base64')

/** The digest of a body: base64 of BLAKE2b-512 of its bytes. */
export const digestOf = (body: Uint8Array | string): string => blake(body)

/** What is signed, as ASCII; `created` and `expires` are Unix seconds, `digest` is of `digestOf`. */
export const signedText = (created: number | string, expires: number | string, digest: string): string =>
  blake(`(created): ${created} (expires): ${expires} digest: BLAKE-512=${digest}`)

/** The base64 signature of `text` by a base64 PKCS8 Ed25519 key. */
export function signText(text: string, pkcs8: string): string {
  const key = createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' })
  return sign(null, Buffer.from(text, 'ascii'), key).toString('base64')
}

/** Whether the base64 `signature` of `text` is of the base64 SPKI Ed25519 key; false where either cannot be read. */
export function isSignedBy(text: string, signature: string, spki: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
    return verify(null, Buffer.from(text, 'ascii'), key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

export interface Signing {
  subscriberId: string
  keyId: string
  /** Base64 PKCS8. */
  privateKey: string
}

/** The value of an Authorization header for a body, with `created` and `expires` in Unix seconds. */
export function authorization(
  by: Signing,
  body: Uint8Array | string,
  created: number,
  expires: number,
): string {
  return JSON.stringify({
    headers: '(created) (expires) digest',
    expires: `${expires}`,
    signature: signText(signedText(created, expires, digestOf(body)), by.privateKey),
    created: `${created}`,
    keyId: `${by.subscriberId}|${by.keyId}|ed25519`,
    algorithm: 'ed25519',
  })
}

export interface ReadHeader {
  subscriberId: string
  keyId: string
  created: string
  expires: string
  signature: string
}

/** What a header says, with everything that is wrong in its form. */
export function readHeader(value: string | undefined): { header?: ReadHeader; problems: string[] } {
  if (value === undefined || value === '') return { problems: ['the signature header is missing'] }
  let said: Record<string, unknown>
  try {
    said = JSON.parse(value)
  } catch {
    return { problems: ['the signature header is not JSON'] }
  }
  const problems: string[] = []
  const expected = { headers: '(created) (expires) digest', algorithm: 'ed25519' }
  for (const [name, text] of Object.entries(expected))
    if (said[name] !== text)
      problems.push(`the header's ${name} is ${JSON.stringify(said[name])}, not ${text}`)
  for (const name of ['created', 'expires', 'signature', 'keyId'])
    if (typeof said[name] !== 'string')
      return { problems: [...problems, `the header's ${name} is no string`] }
  const { created, expires, signature, keyId } = said as Record<string, string>
  const [subscriberId, key, algorithm, ...rest] = keyId!.split('|')
  if (!subscriberId || !key || algorithm !== 'ed25519' || rest.length > 0)
    return { problems: [...problems, `the keyId ${keyId} is not <subscriber>|<key>|ed25519`] }
  return {
    header: { subscriberId, keyId: key, created: created!, expires: expires!, signature: signature! },
    problems,
  }
}

/** What is wrong with a header that was signed for `body` by the key `spki`, at `now` (Unix seconds). */
export function judgeSignature(header: ReadHeader, body: Uint8Array, spki: string, now: number): string[] {
  const problems: string[] = []
  const [created, expires] = [Number(header.created), Number(header.expires)]
  if (!/^\d{1,12}$/.test(header.created) || !/^\d{1,12}$/.test(header.expires))
    problems.push('created and expires are not Unix seconds')
  if (expires <= created) problems.push('expires is not after created')
  if (created > now + 1) problems.push('created lies in the future')
  if (expires <= now - 1) problems.push('the signature has expired')
  if (!isSignedBy(signedText(header.created, header.expires, digestOf(body)), header.signature, spki))
    problems.push('the signature does not fit the body and the key')
  return problems
}
