/**
 * Ids that are made of what they stand for, so that the same input has the same ids: SHA-256 in the form of a UUID of version 8.
 * https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */

const encoder = new TextEncoder()

/** Returns the UUID of a list of texts, in small letters. */
export async function derivedId(...parts: readonly string[]): Promise<string> {
  // JSON keeps the boundaries of the parts: ['ab', 'c'] is not ['a', 'bc'].
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(JSON.stringify(parts))))
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes.subarray(0, 16), byte => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
