/** What is sent: whole Bundles as they stand in their files, and single resources in groups. Texts are sent as they were read. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { isObject, type Json, parseJson, writeJson } from '../../fhir/json.ts'
import { type InputFile, isNdjson } from './files.ts'

/** Resources and characters in one group. */
const GROUP = 250
const GROUP_CHARS = 4_000_000

/** One resource, or entry of a Bundle, and where it stands: `line 7`, `entry 3`, '' for a file that is one resource. */
export interface Piece {
  place: string
  /** JSON text. */
  text: string
  type: string
  id: string | undefined
}

export type Parcel =
  /** A transaction or batch, sent as it is. */
  | { kind: 'bundle'; file: string; place: string; text: string; count: number }
  | { kind: 'group'; file: string; pieces: Piece[] }
  /** Nothing to send, but something to say. */
  | { kind: 'unreadable'; file: string; place: string; reason: string }

/** Yields what a file holds; NDJSON is read line by line. `onBytes` hears of bytes read from disk. */
export async function* parcelsOf(file: InputFile, onBytes: (n: number) => void): AsyncGenerator<Parcel> {
  const source = createReadStream(file.path)
  source.on('data', chunk => onBytes(chunk.length))
  let stream: Readable = source
  if (/\.gz$/i.test(file.path)) {
    stream = source.pipe(createGunzip())
    source.on('error', error => stream.destroy(error))
  }
  try {
    if (isNdjson(file.path)) yield* groups(file.path, lines(file.path, stream))
    else yield* groups(file.path, document(file.path, await wholeText(stream)))
  } catch (error) {
    yield { kind: 'unreadable', file: file.path, place: '', reason: (error as Error).message }
  }
}

type Found = Piece | Exclude<Parcel, { kind: 'group' }>

/** Yields Bundles as they come and gathers single resources into groups. */
async function* groups(file: string, found: AsyncIterable<Found> | Iterable<Found>): AsyncGenerator<Parcel> {
  let pieces: Piece[] = []
  let chars = 0
  for await (const one of found) {
    if ('kind' in one) {
      yield one
      continue
    }
    pieces.push(one)
    chars += one.text.length
    if (pieces.length >= GROUP || chars >= GROUP_CHARS) {
      yield { kind: 'group', file, pieces }
      pieces = []
      chars = 0
    }
  }
  if (pieces.length > 0) yield { kind: 'group', file, pieces }
}

async function* lines(file: string, stream: Readable): AsyncGenerator<Found> {
  let number = 0
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    const text = number === 1 ? line.replace(/^\uFEFF/, '') : line
    if (text.trim() !== '') yield* take(file, `line ${number}`, text)
  }
}

function document(file: string, text: string): Iterable<Found> {
  return take(file, '', text.replace(/^\uFEFF/, ''))
}

/** Yields what one JSON text is: a Bundle to send as it is, the resources in a collection, or one resource. */
function* take(file: string, place: string, text: string): Generator<Found> {
  let seen: unknown
  try {
    // Only looked at: what is sent is the text.
    seen = JSON.parse(text)
  } catch (error) {
    yield { kind: 'unreadable', file, place, reason: (error as Error).message }
    return
  }
  const { resourceType, type, id, entry } = (seen ?? {}) as Record<string, unknown>
  if (typeof resourceType !== 'string') {
    yield { kind: 'unreadable', file, place, reason: 'it is no FHIR resource: resourceType is missing' }
    return
  }
  const entries = Array.isArray(entry) ? entry.length : 0
  if (resourceType === 'Bundle' && (type === 'transaction' || type === 'batch'))
    yield { kind: 'bundle', file, place, text, count: entries }
  else if (resourceType === 'Bundle' && (type === 'collection' || type === 'searchset'))
    yield* resourcesIn(place, text)
  else yield { place, text, type: resourceType, id: typeof id === 'string' ? id : undefined }
}

function* resourcesIn(place: string, text: string): Generator<Piece> {
  const bundle = parseJson(text)
  const entries: Json[] = isObject(bundle) && Array.isArray(bundle.entry) ? bundle.entry : []
  for (const [index, entry] of entries.entries()) {
    const resource = isObject(entry) ? entry.resource : undefined
    if (!isObject(resource)) continue
    const { resourceType, id } = resource
    yield {
      place: `${place === '' ? '' : `${place}, `}entry ${index}`,
      text: writeJson(resource),
      type: String(resourceType),
      id: typeof id === 'string' ? id : undefined,
    }
  }
}

async function wholeText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks))
}

/** Returns the Bundle of a group: each resource is put under its id, or posted where it has none. */
export function groupBundle(type: 'transaction' | 'batch', pieces: readonly Piece[]): string {
  const entries = pieces.map(piece => {
    const request =
      piece.id === undefined
        ? { method: 'POST', url: piece.type }
        : { method: 'PUT', url: `${piece.type}/${encodeURIComponent(piece.id)}` }
    return `{"resource":${piece.text},"request":${JSON.stringify(request)}}`
  })
  return `{"resourceType":"Bundle","type":"${type}","entry":[${entries.join(',')}]}`
}
