/** Files of a record: PDF and images, known by their first bytes and never by what they are called. https://mimesniff.spec.whatwg.org/ */
import { fhirError } from '../../fhir/error.ts'
import { fromBase64, toBase64 } from '../../lib/base64.ts'

export interface File {
  contentType: string
  /** Base64. */
  data: string
  title: string | undefined
}

/** Bytes of one file at most; a document holds it in base64. */
export const LARGEST_FILE = 10_000_000
export const MOST_FILES = 20

const SIGNATURES: readonly [contentType: string, bytes: readonly (number | null)[]][] = [
  ['application/pdf', [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38, null, 0x61]],
  ['image/webp', [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50]],
  ['image/tiff', [0x49, 0x49, 0x2a, 0x00]],
  ['image/tiff', [0x4d, 0x4d, 0x00, 0x2a]],
]

/** Returns the media type that the bytes begin as; undefined for what is no PDF or image. */
export const sniff = (bytes: Uint8Array): string | undefined =>
  SIGNATURES.find(([, signature]) =>
    signature.every((byte, index) => byte === null || bytes[index] === byte),
  )?.[0]

/**
 * Returns the file of base64 or a data URL. `stated`: the media type that its sender names.
 *
 * Throws `invalid` (422) for what is no base64, no PDF or image, or another type than was stated; `too-costly` for a larger one.
 */
export function fileOf(source: string, place: string, stated?: string, title?: string): File {
  const wrong = (why: string) =>
    fhirError('invalid', `${place} ${why}.`, { status: 422, expression: `http.${place}` })
  const url = /^data:([^;,]*)(?:;[^,]*)?,/.exec(source.slice(0, 200))
  const base64 = url === null ? source : source.slice(url[0].length)
  if (base64.length > LARGEST_FILE * 1.4)
    throw fhirError('too-costly', `${place} is larger than ${LARGEST_FILE} bytes.`, {
      expression: `http.${place}`,
    })
  const bytes = fromBase64(base64)
  if (bytes === undefined || bytes.length === 0) throw wrong('is no base64 of a file, and no data URL')
  const contentType = sniff(bytes)
  if (contentType === undefined) throw wrong('is no PDF, PNG, JPEG, GIF, WebP or TIFF')
  const named = (stated ?? url?.[1] ?? '').split(';')[0]!.trim().toLowerCase()
  if (named !== '' && named !== contentType && named !== 'application/octet-stream')
    throw wrong(`is called ${named.slice(0, 64)} and is ${contentType}`)
  return { contentType, data: toBase64(bytes), title }
}
