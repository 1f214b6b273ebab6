/**
 * The batch interaction: every entry on its own.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { FhirError } from '../fhir/error.ts'
import type { Json, JsonObject, Resource } from '../fhir/json.ts'
import { faultOf } from '../lib/fault.ts'
import { checkRoom, fitting, type Room, roomOf } from './answer-size.ts'
import { create } from './create.ts'
import { conditionalDelete, remove } from './delete.ts'
import { type Entry, entriesOf, errorInEntry, noOperation, patchOf, readEntry } from './entry.ts'
import { answerGet } from './entry-get.ts'
import { bundleEntryOf, deletedEntry, failedEntry, type Return, writtenEntry } from './entry-response.ts'
import { conditionalPatch, patch } from './patch.ts'
import { conditionalUpdate, update } from './update.ts'
import type { Pairs } from './written.ts'

export type { Return } from './entry-response.ts'

export interface BundleOptions {
  /** minimal where the client does not say: a transaction of a thousand entries is not sent back. */
  return?: Return | undefined
  lenient?: boolean
  /** Returns the text of the CapabilityStatement, for an entry that asks for it; what stands in it only the HTTP layer knows. */
  metadata?: () => Promise<string>
  /**
   * Returns the answer of an operation that changes nothing, the text of a resource; which there are only the layers above know. Throws as
   * the operation does.
   */
  operate?: (ctx: Context, asked: AskedOperation) => Promise<{ text: string; status: number }>
}

/** An operation as an entry asks for it. */
export interface AskedOperation {
  method: 'GET' | 'HEAD' | 'POST'
  /** Below the base: `ValueSet/$expand`. */
  path: string
  pairs: Pairs
  resource: Json | undefined
}

/** How many entries are at work at once: storage writes them in one go where it can. */
const AT_ONCE = 16

/**
 * Returns the entries of the response, in the order of the request. A failed entry has its status and outcome; the rest go on.
 *
 * Throws `too-costly` for more entries than the limit, validation's issues for a Bundle that is malformed apart from its resources.
 */
export async function batch(
  ctx: Context,
  bundle: Resource,
  options: BundleOptions = {},
): Promise<BundleEntry[]> {
  const raw = entriesOf(ctx, bundle)
  const answers = new Array<BundleEntry>(raw.length)
  const room = roomOf(ctx)
  let group: number[] = []
  let kind = ''
  const touched = new Set<string>()
  const flush = async (): Promise<void> => {
    const numbers = group
    group = []
    touched.clear()
    await Promise.all(
      numbers.map(async index => (answers[index] = await one(ctx, raw[index]!, index, options, room))),
    )
  }
  for (const [index, entry] of raw.entries()) {
    // Entries should not depend on each other; those that do are met in the order in which they stand.
    const { method, url } = requestOf(entry)
    const next = method === 'GET' || method === 'HEAD' ? 'read' : 'write'
    const alone = method !== 'POST' && url.includes('?')
    if (group.length === AT_ONCE || next !== kind || touched.has(url) || alone) await flush()
    kind = next
    group.push(index)
    if (method !== 'POST') touched.add(url)
    if (alone && next === 'write') await flush()
  }
  await flush()
  return answers
}

function requestOf(entry: JsonObject): { method: string; url: string } {
  const { method, url } = (entry.request ?? {}) as { method?: unknown; url?: unknown }
  return { method: String(method), url: String(url) }
}

async function one(
  ctx: Context,
  raw: JsonObject,
  index: number,
  options: BundleOptions,
  room: Room,
): Promise<BundleEntry> {
  try {
    const entry = readEntry(ctx, raw, index)
    const isRead = entry.method === 'GET' || entry.method === 'HEAD' || entry.target.operation !== ''
    if (isRead) checkRoom(room)
    return fitting(room, await answer(ctx, entry, options), isRead)
  } catch (error) {
    if (!(error instanceof FhirError)) ctx.log.error('unexpected error', { index, error: faultOf(error) })
    return failedEntry(errorInEntry(error, index))
  }
}

async function answer(ctx: Context, entry: Entry, options: BundleOptions): Promise<BundleEntry> {
  const { method, target, resource, ifMatch, ifNoneExist } = entry
  const { type, id, pairs } = target
  const prefer = options.return ?? 'minimal'
  const write = ifMatch === undefined ? {} : { ifMatch }
  if (target.operation !== '') return operated(ctx, entry, options)
  switch (method) {
    case 'GET':
    case 'HEAD':
      return answerGet(ctx, entry, options)
    case 'POST':
      return writtenEntry(ctx, await create(ctx, type, resource!, ifNoneExist && { ifNoneExist }), prefer)
    case 'PUT':
      return writtenEntry(
        ctx,
        id !== ''
          ? await update(ctx, type, id, resource!, write)
          : await conditionalUpdate(ctx, type, pairs, resource!, write),
        prefer,
      )
    case 'PATCH': {
      const change = patchOf(ctx, entry)
      const written =
        id !== ''
          ? await patch(ctx, type, id, change, write)
          : await conditionalPatch(ctx, type, pairs, change, write)
      return writtenEntry(ctx, written, prefer)
    }
    case 'DELETE':
      return deletedEntry(
        id !== '' ? await remove(ctx, type, id, write) : await conditionalDelete(ctx, type, pairs, write),
        prefer,
      )
  }
}

/** Throws `not-supported` where operations are not served. */
async function operated(ctx: Context, entry: Entry, { operate }: BundleOptions): Promise<BundleEntry> {
  const { method, target, resource } = entry
  if (operate === undefined || method === 'PUT' || method === 'PATCH' || method === 'DELETE')
    throw noOperation()
  const asked = { method, path: target.operation, pairs: target.pairs, resource }
  const { text, status } = await operate(ctx, asked)
  return bundleEntryOf(text, method !== 'HEAD', status)
}
