/** What a change stores: the fields of its document, and the chunks of a large text. */
import { fhirError } from '../../fhir/error.ts'
import { isObject, parseJson, type Resource } from '../../fhir/json.ts'
import { type Change, type Job, stamped, stampText, typeOf } from '../port.ts'
import { type ChunkDoc, INLINE_BYTES, toChunks } from './chunks.ts'
import { type PendingJob, type ResourceDoc, versionId } from './document.ts'
import { indexFields, MAX_KEYS } from './index-fields.ts'
import { toNative } from './native.ts'

/** The largest body, UTF-8 bytes. */
export const MAX_BODY = 64 * 1024 * 1024
/** The most that the index terms of one resource may take of its document, UTF-16 units. */
const MAX_TERMS = 4 * 1024 * 1024
/** All fields of a version but those that stay with the resource: `_id`, `n` and `pending`. Absent ones are to be removed. */
export type VersionFields = Omit<ResourceDoc, '_id' | 'n' | 'pending'>

/** A change made ready, all but its stamp. */
export interface Prepared {
  change: Change
  fields: Omit<VersionFields, 'lu'>
  /** The text stands in chunks. */
  large: boolean
}

/** Returns the changes made ready. Throws FhirError `too-costly` for a body or an index that is too large. */
export function prepareChanges(changes: readonly Change[], commitId: string): Prepared[] {
  return changes.map(change => prepareChange(change, commitId))
}

function prepareChange(change: Change, commitId: string): Prepared {
  const { key, body } = change
  const fields: Omit<VersionFields, 'lu'> = {
    t: body === null ? `-${typeOf(key)}` : typeOf(key),
    v: change.version,
    m: change.method,
    c: commitId,
  }
  if (change.claims.length > 0) fields.cl = [...new Set(change.claims)]
  if (body === null) return { change, fields, large: false }
  // A UTF-16 unit is three bytes at most, so short texts need no counting.
  const bytes = body.text.length * 3 <= INLINE_BYTES ? 0 : Buffer.byteLength(body.text)
  if (bytes > MAX_BODY)
    throw fhirError('too-costly', `The resource has ${bytes} bytes; this server stores ${MAX_BODY} at most.`)
  Object.assign(fields, indexFields(key, change.index))
  const size = sizeOf(fields.ix!) + sizeOf(fields.w?.map(long => long.v) ?? [])
  if (size > MAX_TERMS || fields.ix!.length > MAX_KEYS)
    throw fhirError('too-costly', 'The resource has more searchable values than one resource may have.')
  const large = bytes > INLINE_BYTES
  if (!large) {
    const tree = parseJson(body.text, 1000)
    const native = isObject(tree) ? toNative(tree as Resource) : undefined
    if (native !== undefined) fields.resource = native
  }
  return { change, fields, large }
}

const sizeOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length + 16, 0)

/** Returns the fields and the chunks of the change with its stamp, ms since 1970. */
export async function stampedVersion(
  prepared: Prepared,
  at: number,
): Promise<{ fields: VersionFields; chunks: ChunkDoc[] }> {
  const { change, fields, large } = prepared
  if (change.body === null) return { fields: { ...fields, lu: at }, chunks: [] }
  const text = stamped(change.body, at)
  if (!large) {
    const version: VersionFields = { ...fields, lu: at, text }
    const { resource } = fields
    // The stamp may differ from the one that the body came with.
    if (resource?.meta !== undefined)
      version.resource = { ...resource, meta: { ...resource.meta, lastUpdated: stampText(at) } }
    return { fields: version, chunks: [] }
  }
  const chunks = await toChunks(versionId(change.key, change.version), text)
  return { fields: { ...fields, lu: at, chunks: chunks.length, len: Buffer.byteLength(text) }, chunks }
}

export const toPending = (jobs: readonly Job[]): PendingJob[] =>
  jobs.map(({ id, kind, due, body }) => ({ id, kind, due, body, until: 0, fence: 0 }))

/** Returns internal ids in the order of their making: nine digits of time in base 36, then a count and six digits of the process, so that two never make the same. */
export function createOrder(process: string): (at: number) => string {
  let last = 0
  let count = 0
  const tag = process.slice(-6)
  return at => {
    if (at > last) {
      last = at
      count = 0
    }
    count++
    return last.toString(36).padStart(9, '0') + count.toString(36).padStart(5, '0') + tag
  }
}

/** All fields that a version may leave out. */
export const OPTIONAL_FIELDS = [
  'text',
  'chunks',
  'len',
  'resource',
  'ix',
  'd',
  'w',
  'g',
  's',
  'sx',
  'cl',
] as const
