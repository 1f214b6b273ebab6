/**
 * Binary in its own format instead of FHIR's: https://hl7.org/fhir/R4/binary.html#rest.
 * What is stored here may be hostile to whoever opens it, so it is never shown in a browser with this server's rights.
 */

import { fhirError } from '../fhir/error.ts'
import { isObject, type Json, type JsonObject, parseJson } from '../fhir/json.ts'
import { fromBase64, toBase64 } from '../lib/base64.ts'
import type { Live } from '../storage/port.ts'
import { acceptRanges, isFhirJson, parseMediaType } from './negotiate.ts'

/** Returns whether a body of this Content-Type is the content itself and no Binary resource. */
export function isRawBinary(contentType: string | null): boolean {
  const media = parseMediaType(contentType ?? '')
  return media !== undefined && !isFhirJson(media)
}

/**
 * Returns whether the JSON sent to Binary is a Binary resource. All other JSON, FHIR's included, is content like any other:
 * https://hl7.org/fhir/R4/binary.html#rest.
 */
export const isBinary = (body: Json): boolean => isObject(body) && body.resourceType === 'Binary'

/**
 * Returns the Binary resource of a raw body; X-Security-Context becomes securityContext.
 *
 * Throws `invalid` for an X-Security-Context that is no reference.
 */
export function binaryFrom(bytes: Uint8Array, headers: Headers, id?: string): JsonObject {
  const binary: JsonObject = { resourceType: 'Binary' }
  if (id !== undefined) binary.id = id
  // The element is a code, which has no two spaces in a row.
  binary.contentType = headers.get('content-type')!.trim().replace(/\s+/g, ' ')
  const context = headers.get('x-security-context')
  if (context !== null) {
    if (
      !/^(?:https?:\/\/\S+\/)?[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.test(
        context,
      )
    )
      throw fhirError('invalid', 'X-Security-Context must be a reference such as Patient/1.', {
        expression: 'http.X-Security-Context',
      })
    binary.securityContext = { reference: context }
  }
  if (bytes.length > 0) binary.data = toBase64(bytes)
  return binary
}

/**
 * Returns the content of a Binary with its headers, or undefined where the client names a FHIR format in Accept.
 *
 * Throws `not-supported` with status 406 where it accepts neither.
 */
export function rawBinary(
  stored: Live,
  accept: string | null,
): { bytes: Uint8Array<ArrayBuffer>; headers: Record<string, string> } | undefined {
  const ranges = acceptRanges(accept ?? '*/*')
  if (ranges.some(range => range.type === 'application/fhir+json')) return undefined
  const binary = parseJson(stored.text)
  const fields = isObject(binary) ? binary : {}
  const contentType = typeof fields.contentType === 'string' ? fields.contentType : ''
  const media = parseMediaType(contentType)
  const type = media?.type ?? 'application/octet-stream'
  const wild = `${type.slice(0, type.indexOf('/'))}/*`
  if (!ranges.some(range => range.type === '*/*' || range.type === type || range.type === wild)) {
    if (ranges.some(isFhirJson)) return undefined
    throw fhirError(
      'not-supported',
      `This Binary is ${type}; it can be had as that or as application/fhir+json.`,
      {
        status: 406,
        expression: 'http.Accept',
      },
    )
  }
  const bytes = typeof fields.data === 'string' ? fromBase64(fields.data) : new Uint8Array()
  if (bytes === undefined) return undefined
  const context = isObject(fields.securityContext) ? fields.securityContext.reference : undefined
  const headers: Record<string, string> = {
    'Content-Type': media !== undefined && /^[\x20-\x7e]+$/.test(contentType) ? contentType : type,
    'Content-Length': String(bytes.length),
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Content-Disposition': 'attachment',
    Vary: 'Accept',
  }
  if (typeof context === 'string' && /^[\x21-\x7e]+$/.test(context)) headers['X-Security-Context'] = context
  return { bytes, headers }
}
