/**
 * History: the current versions of `resources` and the superseded ones of `history`, merged newest first.
 * https://hl7.org/fhir/R4/http.html#history
 */
import type { Document } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { Node } from '../../search/plan-node.ts'
import { type Cursor, type HistoryOptions, type HistoryScope, type Page, typeOf } from '../port.ts'
import { ask } from './ask.ts'
import { merge } from './compile.ts'
import { BODY_FIELDS, type BodyDoc, type Collections, toStored } from './document.ts'
import type { Instances } from './instances.ts'
import { questionOf } from './links.ts'

/** Returns a page of versions, newest first. A cursor is the stamp and the internal id of its row. */
export async function history(
  collections: Collections,
  instances: Instances,
  scope: HistoryScope,
  options: HistoryOptions,
): Promise<Page> {
  const mark = scope.key === undefined ? await instances.watermark() : undefined
  const span = spanOf(options, mark)
  const total = options.total === 'accurate' ? await count(collections, scope, options, span) : undefined
  const page = options.limit > 0 ? await rows(collections, scope, options, span) : { rows: [], more: false }
  return total === undefined ? page : { ...page, total }
}

function spanOf(options: HistoryOptions, mark: number | undefined): Document[] {
  const span: Document[] = []
  if (mark !== undefined) span.push({ lu: { $lte: mark } })
  if (options.since !== undefined) span.push({ lu: { $gte: options.since } })
  if (options.current !== undefined) span.push({ lu: { $lt: options.current.hi } })
  return span
}

/** Returns the conditions on current and on superseded versions. */
function conditions(
  scope: HistoryScope,
  options: HistoryOptions,
  span: readonly Document[],
): { resources: Document; history: Document } {
  const { key, type } = scope
  const was = options.current === undefined ? [] : [{ until: { $gt: options.current.lo } }]
  const all = (parts: Document[]): Document => (parts.length === 0 ? {} : { $and: parts })
  return {
    resources: all([
      ...(key === undefined ? [] : [{ _id: key }]),
      ...(type === undefined || key !== undefined ? [] : [{ t: { $in: [type, `-${type}`] } }]),
      ...span,
    ]),
    history: all([
      ...(key === undefined ? [] : [{ k: key }]),
      ...(type === undefined || key !== undefined ? [] : [{ t: type }]),
      ...was,
      ...span,
    ]),
  }
}

async function rows(
  collections: Collections,
  scope: HistoryScope,
  options: HistoryOptions,
  span: readonly Document[],
): Promise<Page> {
  const docs: BodyDoc[] = []
  let { after } = options
  for (;;) {
    const page = await versions(collections, scope, { ...options, after }, span)
    docs.push(
      ...(options.filter === undefined ? page : await visible(collections, scope, page, options.filter)),
    )
    if (page.length <= options.limit || docs.length > options.limit) break
    after = cursorOf(page.at(-1)!)
  }
  const more = docs.length > options.limit
  docs.length = Math.min(docs.length, options.limit)
  const page: Page = { rows: await toStored(docs, collections.chunks), more }
  if (docs.length > 0) {
    page.first = cursorOf(docs[0]!)
    page.last = cursorOf(docs.at(-1)!)
  }
  return page
}

const cursorOf = (doc: BodyDoc): Cursor => [doc.lu, doc.n]

/**
 * Returns one version more than the limit, where there are as many. The current versions are read first: an update between the two reads
 * moves a version from the first to the second, where it would then be seen twice, but never missed.
 */
async function versions(
  collections: Collections,
  scope: HistoryScope,
  options: Omit<HistoryOptions, 'after'> & { after?: Cursor | undefined },
  span: readonly Document[],
): Promise<BodyDoc[]> {
  const { after } = options
  if (after !== undefined && after.length !== 2)
    throw fhirError('value', 'The page link does not belong to this history.')
  const from =
    after === undefined
      ? []
      : [
          { lu: { $lte: after[0] } },
          { $or: [{ lu: { $lt: after[0] } }, { lu: after[0], n: { $lt: after[1] } }] },
        ]
  const where = conditions(scope, options, [...span, ...from])
  const limit = options.limit + 1
  const current = await collections.resources
    .find<BodyDoc>(where.resources, { projection: BODY_FIELDS, batchSize: limit + 1 })
    .sort({ lu: -1, n: -1 })
    .limit(limit)
    .toArray()
  const past = await collections.history
    .find<BodyDoc>(where.history, { projection: { ...BODY_FIELDS, k: 1 }, batchSize: limit + 1 })
    .sort({ lu: -1, n: -1 })
    .limit(limit)
    .toArray()
  const known = new Set(current.map(doc => `${doc._id}/${doc.v}`))
  return [...current, ...past.filter(doc => !known.has(doc._id))]
    .sort((a, b) => b.lu - a.lu || (a.n < b.n ? 1 : -1))
    .slice(0, limit)
}

/** Leaves out the versions of resources for whose current version the filter does not hold. */
async function visible(
  collections: Collections,
  scope: HistoryScope,
  docs: readonly BodyDoc[],
  filter: Node,
): Promise<BodyDoc[]> {
  const keys = [...new Set(docs.map(doc => doc.k ?? doc._id))]
  const type = scope.key === undefined ? scope.type : typeOf(scope.key)
  const on = { resources: collections.resources, singly: true }
  const question = await questionOf(on, type === undefined ? [] : [type], filter)
  const match = merge([{ _id: { $in: keys } }, question.match])
  const shape = { projection: { _id: 1 }, batchSize: keys.length + 1 }
  const seen = await ask<{ _id: string }>(on, 'filter', { ...question, match }, shape).toArray()
  const shown = new Set(seen.map(doc => doc._id))
  return docs.filter(doc => shown.has(doc.k ?? doc._id))
}

async function count(
  collections: Collections,
  scope: HistoryScope,
  options: HistoryOptions,
  span: readonly Document[],
): Promise<number> {
  const where = conditions(scope, options, span)
  if (options.filter !== undefined) {
    const type = scope.key === undefined ? scope.type : typeOf(scope.key)
    const on = { resources: collections.resources, singly: true }
    const filter = await questionOf(on, type === undefined ? [] : [type], options.filter)
    const passing = [{ $match: filter.match }, ...filter.stages]
    const counting = [{ $count: 'n' }]
    const [now] = await collections.resources
      .aggregate<{ n: number }>([{ $match: where.resources }, ...passing, ...counting])
      .toArray()
    const [past] = await collections.history
      .aggregate<{ n: number }>([
        { $match: where.history },
        {
          $lookup: {
            from: 'resources',
            localField: 'k',
            foreignField: '_id',
            pipeline: [...passing, { $project: { _id: 1 } }],
            as: 'now',
          },
        },
        { $match: { 'now.0': { $exists: true } } },
        ...counting,
      ])
      .toArray()
    return (now?.n ?? 0) + (past?.n ?? 0)
  }
  const [current, past] = await Promise.all([
    collections.resources.countDocuments(where.resources),
    collections.history.countDocuments(where.history),
  ])
  return current + past
}
