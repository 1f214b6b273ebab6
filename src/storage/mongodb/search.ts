/**
 * Search: one `find` for a page, and one aggregate for the count.
 * Sorting by a parameter always descends in the index: ascending order stands inverted in `s`, so in both directions the resources
 * without a value come last by themselves and a page goes on from a key with one range.
 */
import type { Document, Filter } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { SearchPlan, SortKey } from '../../search/plan-node.ts'
import type { Cursor, Page, SearchOptions } from '../port.ts'
import { compileSearch, merge } from './compile.ts'
import { BODY_FIELDS, type Collections, type ResourceDoc, toStored } from './document.ts'
import { tooSlow } from './failure.ts'
import { sortField } from './terms.ts'

/** A field to sort by. */
interface Key {
  path: string
  direction: 1 | -1
  /** Resources may have no value; they come last. */
  missing: boolean
}

/** The logical id, computed where several types are sorted by it. */
const ID = 'id'

function keyOfSort(key: SortKey, types: readonly string[]): Key {
  if (key.by !== 'param') {
    const path = key.by === 'updated' ? 'lu' : types.length === 1 ? '_id' : ID
    return { path, direction: key.descending ? -1 : 1, missing: false }
  }
  const fields = new Set(key.params.map(sortField))
  if (fields.size !== 1)
    throw fhirError('not-supported', 'MongoDB storage sorts by one parameter code for all types together.')
  const [field] = fields
  return { path: key.descending ? `sx.${field}` : `s.${field}`, direction: -1, missing: true }
}

/** Returns the page that the options ask for. Throws FhirError `too-costly`/503 at the deadline, `not-supported` for an unknown node. */
export async function search(
  collections: Collections,
  clock: () => number,
  plan: SearchPlan,
  options: SearchOptions,
): Promise<Page> {
  const where = compileSearch(plan.types, plan.where)
  const counted =
    options.total === 'accurate' ? count(collections, where, timeLeft(clock, options)) : undefined
  // Awaited last: a failure meanwhile must not go unhandled.
  counted?.catch(() => {})
  const page =
    options.limit > 0 ? await rows(collections, clock, plan, options, where) : { rows: [], more: false }
  return counted === undefined ? page : { ...page, total: await counted }
}

function timeLeft(clock: () => number, options: SearchOptions): { maxTimeMS?: number } {
  if (options.deadline === undefined) return {}
  const left = Math.floor(options.deadline - clock())
  if (left < 1) throw tooSlow()
  return { maxTimeMS: Math.min(left, 2_000_000_000) }
}

async function count(
  collections: Collections,
  where: Filter<ResourceDoc>,
  limits: Document,
): Promise<number> {
  const counted = await collections.resources
    .aggregate<{ n: number }>([{ $match: where }, { $group: { _id: null, n: { $sum: 1 } } }], limits)
    .toArray()
  return counted[0]?.n ?? 0
}

async function rows(
  collections: Collections,
  clock: () => number,
  plan: SearchPlan,
  options: SearchOptions,
  where: Filter<ResourceDoc>,
): Promise<Page> {
  const keys = [
    ...plan.sort.map(key => keyOfSort(key, plan.types)),
    { path: 'n', direction: 1, missing: false } as const,
  ]
  const backwards = options.before !== undefined
  const cursor = options.after ?? options.before
  const from = cursor === undefined ? {} : beyond(keys, cursor, backwards)
  const sort = Object.fromEntries(keys.map(key => [key.path, backwards ? -key.direction : key.direction]))
  const wanted = { ...BODY_FIELDS, ...Object.fromEntries(keys.map(key => [key.path, 1])) }
  const limit = options.limit + 1
  // All in the first answer: without batchSize MongoDB sends 101 and asks for another command.
  const limits = { ...timeLeft(clock, options), batchSize: limit + 1 }
  const computed = keys.some(key => key.path === ID)
  const found = computed
    ? collections.resources.aggregate<ResourceDoc>(
        [
          { $match: where },
          { $set: { [ID]: { $arrayElemAt: [{ $split: ['$_id', '/'] }, 1] } } },
          { $match: from },
          { $sort: sort },
          { $limit: limit },
          { $project: wanted },
        ],
        { ...limits, allowDiskUse: true },
      )
    : collections.resources
        .find<ResourceDoc>(merge([where, from]), { ...limits, projection: wanted })
        .sort(sort as Record<string, 1 | -1>)
        .limit(limit)
  const docs = await found.toArray()
  const more = docs.length > options.limit
  if (more) docs.pop()
  if (backwards) docs.reverse()
  const page: Page = { rows: await toStored(docs, collections.chunks), more }
  if (docs.length > 0) {
    page.first = keys.map(key => valueAt(docs[0]!, key.path))
    page.last = keys.map(key => valueAt(docs.at(-1)!, key.path))
  }
  return page
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
  if (cursor.length !== keys.length) throw fhirError('value', 'The page link does not belong to this search.')
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
