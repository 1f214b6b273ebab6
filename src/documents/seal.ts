/**
 * Documents encrypted for one reader: a compact JWE under the reader's RSA key.
 * https://www.rfc-editor.org/rfc/rfc7516, https://www.rfc-editor.org/rfc/rfc7518#section-4.3
 */
import { CompactEncrypt, importJWK, importSPKI, type JWK } from 'jose'
import { FhirError, fhirError } from '../fhir/error.ts'

const ALGORITHM = 'RSA-OAEP-256'

/** Content encryptions that may be asked for; the first is taken where none is. */
export const ENCRYPTIONS = ['A128GCM', 'A256GCM'] as const
export type Encryption = (typeof ENCRYPTIONS)[number]

/** Bits of the shortest RSA key that is taken. */
const SHORTEST = 2048
/** Characters of the longest key text: an RSA key of 16384 bits has some 3000. */
const LONGEST = 20_000

/**
 * Returns the compact JWE of a document's JSON text. `publicKey` is a JWK as JSON text, an SPKI in PEM, or its base64 without armour.
 *
 * Throws `invalid` for what is no public RSA key of 2048 bits or more, or one under which the text would not be hidden.
 */
export async function seal(
  text: string,
  publicKey: string,
  enc: Encryption = ENCRYPTIONS[0],
): Promise<string> {
  const key = await keyOf(publicKey.trim())
  const sealing = new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader({
    alg: ALGORITHM,
    enc,
    cty: 'application/fhir+json',
  })
  try {
    return await sealing.encrypt(key)
  } catch (error) {
    throw wrong('no key that encrypts', error)
  }
}

const wrong = (why: string, cause?: unknown) =>
  fhirError('invalid', `publicKey is ${why}. It is the JWK, PEM or base64 DER (SPKI) of a public RSA key.`, {
    expression: 'http.publicKey',
    cause,
  })

async function keyOf(text: string): Promise<CryptoKey> {
  if (text.length > LONGEST) throw wrong('too long')
  let key: CryptoKey | Uint8Array
  try {
    key = text.startsWith('{')
      ? await importJWK(jwkOf(text), ALGORITHM)
      : await importSPKI(pemOf(text), ALGORITHM)
  } catch (error) {
    throw error instanceof FhirError ? error : wrong('no key that can be read', error)
  }
  if (!(key instanceof CryptoKey)) throw wrong('no key of RSA')
  const { name, modulusLength, publicExponent } = key.algorithm as RsaHashedKeyAlgorithm
  if (!name.startsWith('RSA')) throw wrong('no key of RSA')
  if (modulusLength < SHORTEST) throw wrong(`of ${modulusLength} bits, and shorter than ${SHORTEST}`)
  if (!isSound(publicExponent)) throw wrong('of an exponent that hides nothing, or is none')
  return key
}

/** An exponent is odd, from 3 to 32 bits: under 1 the text would stand there as it is. `bytes`: the highest first. */
function isSound(bytes: Uint8Array): boolean {
  const exponent = bytes.subarray(bytes.findIndex(byte => byte !== 0))
  if (!bytes.some(byte => byte !== 0) || exponent.length > 4) return false
  return exponent.at(-1)! % 2 === 1 && (exponent.length > 1 || exponent[0]! >= 3)
}

const PRIVATE = 'a private key, which nobody else should have'

/** Only what makes a public RSA key is taken: what else stands in the JWK has no say. */
function jwkOf(text: string): JWK {
  const { kty, n, e, d } = JSON.parse(text) as JWK
  if (d !== undefined) throw wrong(PRIVATE)
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string') throw new Error('not a public RSA key')
  return { kty, n, e }
}

function pemOf(text: string): string {
  if (/^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw wrong(PRIVATE)
  return text.startsWith('-----')
    ? text
    : `-----BEGIN PUBLIC KEY-----\n${text.replace(/\s+/g, '')}\n-----END PUBLIC KEY-----`
}
