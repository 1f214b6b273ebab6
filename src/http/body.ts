/** The body of a request, read within a limit. */

import type { Settings } from '../config.ts'
import { fhirError } from '../fhir/error.ts'
import { type Json, parseJsonBytes } from '../fhir/json.ts'

/**
 * Returns the bytes of the body, decompressed.
 *
 * Throws `too-costly` (413) as soon as they are seen to be more than `limit`, `not-supported` (415) for an unknown Content-Encoding,
 * `structure` for compressed data that is none, and `incomplete` where the client went away.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (announced !== null && Number(announced) > limit) throw tooLarge(limit)
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity' || encoding === '') {
    if (announced === null) return gather(request.body, limit)
    try {
      return new Uint8Array(await request.arrayBuffer())
    } catch (cause) {
      throw goneAway(cause)
    }
  }
  const format = encoding === 'x-gzip' ? 'gzip' : encoding
  if (format !== 'gzip' && format !== 'deflate')
    throw fhirError('not-supported', 'A body may be compressed with gzip or deflate, or not at all.', {
      status: 415,
      expression: 'http.Content-Encoding',
    })
  if (request.body === null) return new Uint8Array()
  return gather(request.body.pipeThrough(new DecompressionStream(format)), limit, format)
}

async function gather(
  stream: ReadableStream<Uint8Array> | null,
  limit: number,
  format?: string,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  const reader = stream?.getReader()
  if (reader === undefined) return new Uint8Array()
  for (;;) {
    let step: ReadableStreamReadResult<Uint8Array>
    try {
      step = await reader.read()
    } catch (cause) {
      if (format === undefined) throw goneAway(cause)
      throw fhirError('structure', `The body cannot be decompressed: it is not ${format}.`, { cause })
    }
    if (step.done) break
    length += step.value.byteLength
    if (length > limit) {
      // Not awaited: a client that stalls would hold the answer up.
      reader.cancel().catch(() => {})
      throw tooLarge(limit)
    }
    pieces.push(step.value)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.byteLength
  }
  return bytes
}

const tooLarge = (limit: number) =>
  fhirError('too-costly', `The body is larger than ${limit} bytes, the most that this server takes.`)

const goneAway = (cause: unknown) =>
  fhirError('incomplete', 'The request ended before its body was complete.', { cause })

/** Returns the tree of a JSON body. Throws as `readBody` and `parseJsonBytes` do, and `structure` for an empty one. */
export async function readJson(request: Request, limits: Settings['limits']): Promise<Json> {
  return jsonOf(await readBody(request, limits.body), limits)
}

/** Returns the tree of JSON bytes. Throws as `parseJsonBytes` does, and `structure` for none. */
export function jsonOf(bytes: Uint8Array, limits: Settings['limits']): Json {
  if (bytes.length === 0) throw fhirError('structure', 'The request has no body.')
  return parseJsonBytes(bytes, limits.depth)
}

/** Returns the text of a form. Throws `invalid` for one that is not UTF-8. */
export function formText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim()
  } catch {
    throw fhirError('invalid', 'The form is not UTF-8.')
  }
}
