/**
 * Ids that are made of what they stand for, so that the same input has the same ids: SHA-256 in the form of a UUID of version 8.
 * https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */

import { sha256 } from '@noble/hashes/sha2.js'

const encoder = new TextEncoder()

// JSON keeps the boundaries of the parts: ['ab', 'c'] is not ['a', 'bc'].
const bytesOf = (parts: readonly string[]): Uint8Array<ArrayBuffer> => encoder.encode(JSON.stringify(parts))

/** Returns the UUID of a list of texts, in small letters. */
export const derivedId = async (...parts: readonly string[]): Promise<string> =>
  uuidOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(parts))))

/** Returns the same of short texts, for which the way to another thread and back costs more than the hash. */
export const shortDerivedId = (...parts: readonly string[]): string => uuidOf(sha256(bytesOf(parts)))

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function uuidOf(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  let hex = ''
  for (let i = 0; i < 16; i++) hex += HEX[bytes[i]!]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
