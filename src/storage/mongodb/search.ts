/**
 * Search: one `find` for a page, and one aggregate for the count.
 * Sorting by a parameter always descends in the index: ascending order stands inverted in `s`, so in both directions the resources
 * without a value come last by themselves and a page goes on from a key with one range.
 */
import type { Document } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { SearchPlan, SortKey } from '../../search/plan-node.ts'
import type { Cursor, Page, SearchOptions } from '../port.ts'
import { type Asking, ask, type Question } from './ask.ts'
import { merge } from './compile.ts'
import { BODY_FIELDS, type Collections, type ResourceDoc, toStored } from './document.ts'
import { explained, type Made } from './explain.ts'
import { tooSlow } from './failure.ts'
import { searchOf } from './links.ts'
import { nearest } from './places.ts'
import { sortField } from './terms.ts'

/** A field to sort by. */
interface Key {
  path: string
  direction: 1 | -1
  /** Resources may have no value; they come last. */
  missing: boolean
  /** The expression that the field is computed by; absent where it is stored. */
  computed?: Document
}

/** Beyond every distance on earth and before it: resources without a place come last. JSON holds them, as it does not hold infinity. */
const FARTHEST = 1e12
const NEAREST = -1

function keyOfSort(key: SortKey, types: readonly string[], i: number): Key {
  const direction = key.descending ? -1 : 1
  if (key.by === 'distance') {
    const { param, latitude, longitude } = key
    const computed = nearest(param, latitude, longitude, key.descending ? NEAREST : FARTHEST)
    return { path: `far${i}`, direction, missing: false, computed }
  }
  if (key.by !== 'param') {
    if (key.by === 'updated') return { path: 'lu', direction, missing: false }
    if (types.length === 1) return { path: '_id', direction, missing: false }
    const computed = { $arrayElemAt: [{ $split: ['$_id', '/'] }, 1] }
    return { path: 'id', direction, missing: false, computed }
  }
  const paths = [...new Set(key.params.map(param => `${key.descending ? 'sx' : 's'}.${sortField(param)}`))]
  if (paths.length === 1) return { path: paths[0]!, direction: -1, missing: true }
  // Types whose parameters have other names, each in a field of its own.
  return {
    path: `key${i}`,
    direction: -1,
    missing: true,
    computed: { $max: paths.map(path => `$${path}`) },
  }
}

/** Returns the page that the options ask for. Throws FhirError `too-costly`/503 at the deadline, `not-supported` for an unknown node. */
export async function search(
  collections: Collections,
  clock: () => number,
  plan: SearchPlan,
  options: SearchOptions,
  most?: number,
): Promise<Page> {
  const made: Made[] = []
  const on: Asking = {
    resources: collections.resources,
    limits: () => timeLeft(clock, options),
    ...(most === undefined ? {} : { most }),
    ...(options.explain || options.explainAfter !== undefined
      ? { asked: (what, again) => void made.push({ what, again }) }
      : {}),
  }
  const begun = performance.now()
  const question = await searchOf(on, plan.types, plan.where)
  const counted = options.total === 'accurate' ? count(on, question) : undefined
  // Awaited last: a failure meanwhile must not go unhandled.
  counted?.catch(() => {})
  const page: Page =
    options.limit > 0 ? await rows(collections, on, plan, options, question) : { rows: [], more: false }
  if (counted !== undefined) page.total = await counted
  const ms = performance.now() - begun
  const slow = options.explainAfter !== undefined && ms > options.explainAfter
  if (options.explain || slow)
    page.explained = await explained(
      made,
      ms,
      page.rows.length,
      () => timeLeft(clock, options),
      !options.explain,
    )
  return page
}

function timeLeft(clock: () => number, options: SearchOptions): { maxTimeMS?: number } {
  if (options.deadline === undefined) return {}
  const left = Math.floor(options.deadline - clock())
  if (left < 1) throw tooSlow()
  return { maxTimeMS: Math.min(left, 2_000_000_000) }
}

async function count(on: Asking, question: Question): Promise<number> {
  const counting: Question = {
    ...question,
    stages: [...question.stages, { $group: { _id: null, n: { $sum: 1 } } }],
  }
  const found = await ask<{ n: number }>(on, 'count', counting, { projection: { n: 1 } }).toArray()
  return found[0]?.n ?? 0
}

async function rows(
  collections: Collections,
  on: Asking,
  plan: SearchPlan,
  options: SearchOptions,
  question: Question,
): Promise<Page> {
  const keys: Key[] = [
    ...plan.sort.map((key, i) => keyOfSort(key, plan.types, i)),
    { path: 'n', direction: 1, missing: false },
  ]
  const backwards = options.before !== undefined
  const cursor = options.after ?? options.before
  const from = cursor === undefined ? {} : beyond(keys, cursor, backwards)
  const sets = keys.filter(key => key.computed !== undefined)
  const computed: Document[] =
    sets.length === 0
      ? []
      : [{ $set: Object.fromEntries(sets.map(key => [key.path, key.computed])) }, { $match: from }]
  const limit = options.limit + 1
  const found = ask<ResourceDoc>(
    on,
    'search',
    computed.length > 0 ? question : { ...question, match: merge([question.match, from]) },
    {
      computed,
      sort: Object.fromEntries(
        keys.map(key => [key.path, backwards ? (-key.direction as 1 | -1) : key.direction]),
      ),
      limit,
      projection: { ...BODY_FIELDS, ...Object.fromEntries(keys.map(key => [key.path, 1])) },
      // All in the first answer: without it MongoDB sends 101 and asks for another command.
      batchSize: limit + 1,
    },
  )
  const { docs, more } = await taken(found, options)
  if (backwards) docs.reverse()
  const page: Page = { rows: await toStored(docs, collections.chunks), more }
  if (docs.length > 0) {
    page.first = keys.map(key => valueAt(docs[0]!, key.path))
    page.last = keys.map(key => valueAt(docs.at(-1)!, key.path))
  }
  return page
}

/**
 * Returns the documents of the page, and whether there are more: at most `limit`, and no more than `bytes` of text. An answer of the server
 * has 16 MB at most, and the next is asked for only when the page takes more, so what is beyond the page is never held. Texts in chunks
 * are not read here.
 */
async function taken(
  found: AsyncIterable<ResourceDoc> & { close(): Promise<void> },
  { limit, bytes = Number.POSITIVE_INFINITY }: SearchOptions,
): Promise<{ docs: ResourceDoc[]; more: boolean }> {
  const docs: ResourceDoc[] = []
  let size = 0
  for await (const doc of found) {
    size += doc.len ?? (bytes === Number.POSITIVE_INFINITY ? 0 : Buffer.byteLength(doc.text ?? ''))
    if (docs.length === limit || (docs.length > 0 && size > bytes)) {
      await found.close()
      return { docs, more: true }
    }
    docs.push(doc)
  }
  return { docs, more: false }
}

function valueAt(doc: Document, path: string): string | number | null {
  const dot = path.indexOf('.')
  return (dot < 0 ? doc[path] : doc[path.slice(0, dot)]?.[path.slice(dot + 1)]) ?? null
}

/**
 * Returns the condition for standing after the cursor's row, or before it: a step of the first key; or its value and a step of the
 * second; and so on. Throws `value` for a cursor of another shape.
 */
function beyond(keys: readonly Key[], cursor: Cursor, backwards: boolean): Document {
  // An object as a value could be an operator.
  const plain = cursor.every(value => value === null || ['string', 'number'].includes(typeof value))
  if (cursor.length !== keys.length || !plain)
    throw fhirError('value', 'The page link does not belong to this search.')
  const ways: Document[] = []
  const same: Document[] = []
  keys.forEach((key, i) => {
    const value = cursor[i]!
    for (const step of steps(key, value, backwards)) ways.push(merge([...same, step]))
    same.push({ [key.path]: value })
  })
  return ways.length === 1 ? ways[0]! : { $and: [bound(keys[0]!, cursor[0]!, backwards), { $or: ways }] }
}

function steps(key: Key, value: string | number | null, backwards: boolean): Document[] {
  const { path } = key
  const operator = (key.direction === 1) === backwards ? '$lt' : '$gt'
  if (!key.missing) return [{ [path]: { [operator]: value } }]
  if (value === null) return backwards ? [{ [path]: { $gte: '' } }] : []
  return backwards ? [{ [path]: { $gt: value } }] : [{ [path]: { $lt: value } }, { [path]: null }]
}

/** What all ways have in common, so that an index of the first key begins at the cursor. */
function bound(key: Key, value: string | number | null, backwards: boolean): Document {
  const { path } = key
  if (!key.missing) return { [path]: { [(key.direction === 1) === backwards ? '$lte' : '$gte']: value } }
  if (value === null) return backwards ? {} : { [path]: null }
  return backwards ? { [path]: { $gte: value } } : { [path]: { $not: { $gt: value } } }
}
