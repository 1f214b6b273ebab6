/**
 * Cursors as clients hold them: sealed, since they contain names and birth dates, and bound to the search, the asker and the index.
 * https://www.w3.org/TR/WebCryptoAPI/#aes-gcm
 */
import { fhirError } from '../fhir/error.ts'
import { fromBase64, toBase64 } from '../lib/base64.ts'

/** Where a page ended, as `storage/port.ts` has it. */
export type CursorValues = readonly (string | number | null)[]

/** What a cursor is good for. */
export interface CursorScope {
  /** The plan's fingerprint. */
  fingerprint: string
  /** The principal's id. */
  principal: string
  /** See `index-fingerprint.ts`. */
  index: string
  /** A page that follows the cursor, or one that ends before it. */
  direction: 'after' | 'before'
}

/** The name that the key is kept under in storage. */
export const CURSOR_KEY = 'cursor-key'

const VERSION = 1
const IV_BYTES = 12
const encoder = new TextEncoder()

/** Returns a new key as text, to be kept under CURSOR_KEY: what `storage.keep` returns is then imported. */
export function newCursorKey(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
}

/** Returns the key of the text that storage keeps. */
export function importCursorKey(text: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', fromBase64Url(text), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** Returns the cursor as text that a URL can hold unescaped. */
export async function sealCursor(values: CursorValues, scope: CursorScope, key: CryptoKey): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: boundTo(scope) },
    key,
    encoder.encode(JSON.stringify(values)),
  )
  const bytes = new Uint8Array(1 + IV_BYTES + sealed.byteLength)
  bytes[0] = VERSION
  bytes.set(iv, 1)
  bytes.set(new Uint8Array(sealed), 1 + IV_BYTES)
  return toBase64Url(bytes)
}

/**
 * Returns the values of a cursor.
 *
 * Throws `invalid` (400) for one that was changed, that belongs to another search, principal or direction, or that was made before the
 * index was built anew.
 */
export async function openCursor(text: string, scope: CursorScope, key: CryptoKey): Promise<CursorValues> {
  if (text.length > 16_384 || !/^[A-Za-z0-9_-]+$/.test(text)) throw unusable()
  const bytes = fromBase64Url(text)
  if (bytes.length <= 1 + IV_BYTES || bytes[0] !== VERSION) throw unusable()
  const iv = bytes.subarray(1, 1 + IV_BYTES)
  try {
    const opened = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv, additionalData: boundTo(scope) },
      key,
      bytes.subarray(1 + IV_BYTES),
    )
    return JSON.parse(new TextDecoder().decode(opened)) as CursorValues
  } catch {
    throw unusable()
  }
}

const unusable = () =>
  fhirError('invalid', 'The page link is not good for this search any more: begin again at the first page.', {
    expression: 'http._cursor',
    status: 400,
  })

const boundTo = ({ fingerprint, principal, index, direction }: CursorScope): Uint8Array<ArrayBuffer> =>
  encoder.encode(JSON.stringify([VERSION, fingerprint, principal, index, direction]))

const toBase64Url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  fromBase64(text.replaceAll('-', '+').replaceAll('_', '/')) ?? new Uint8Array()
