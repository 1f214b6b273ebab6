/**
 * How a question is put to the server: as a find where that can tell it, else as an aggregation.
 * https://www.mongodb.com/docs/manual/core/query-optimization/
 */
import type { AggregationCursor, ClientSession, Collection, Document, FindCursor } from 'mongodb'
import { merge } from './compile.ts'
import type { ResourceDoc } from './document.ts'

/** What is searched: documents that match, and that come through the stages where there are any. */
export interface Question {
  match: Document
  /** Of an aggregation; they keep the order. */
  stages: Document[]
  /** The alternatives in `match` are all that an index can begin with. */
  spread?: boolean
}

type Found<T extends Document> = FindCursor<T> | AggregationCursor<T>

/** How questions are asked. */
export interface Asking {
  resources: Collection<ResourceDoc>
  session?: ClientSession
  /** Options of every command, made when it is sent. */
  limits?(): { maxTimeMS?: number }
  /** More resources at the far end of a chain than this are not put in a filter; 10,000 where it is absent. */
  most?: number
  /** Looks each candidate up: for questions about few resources that are known by their ids. */
  singly?: boolean
  /** Hears of each search that is made; the function makes it once more, with no limits. */
  asked?(what: string, again: () => Found<Document>): void
}

/** What a search returns of the documents found. */
export interface Shape {
  projection: Document
  sort?: Record<string, 1 | -1>
  limit?: number
  batchSize?: number
  /** Fields computed for the sort, and what narrows by them. */
  computed?: Document[]
}

/** Returns a cursor over what the question finds: a find where that can tell it, else an aggregation. */
export function ask<T extends Document>(
  on: Asking,
  what: string,
  question: Question,
  shape: Shape,
): Found<T> {
  const { projection, sort, limit, batchSize, computed = [] } = shape
  const match = question.spread ? spread(question.match) : question.match
  const { session } = on
  const make = (options: Document): Found<T> => {
    const all = { ...options, ...(session ? { session } : {}), ...(batchSize ? { batchSize } : {}) }
    if (question.stages.length === 0 && computed.length === 0) {
      const found = on.resources.find<T>(match, { ...all, projection })
      if (sort) found.sort(sort)
      return limit === undefined ? found : found.limit(limit)
    }
    return on.resources.aggregate<T>(
      [
        { $match: match },
        ...computed,
        ...(sort ? [{ $sort: sort }] : []),
        // After the sort: as many are looked up as the page needs.
        ...question.stages,
        ...(limit === undefined ? [] : [{ $limit: limit }]),
        { $project: projection },
      ],
      { ...all, allowDiskUse: true },
    )
  }
  // An aggregation is explained with read concern local only.
  on.asked?.(what, () => make({ readConcern: { level: 'local' } }))
  return make(on.limits?.() ?? {})
}

/**
 * Returns the same filter with the first alternatives that each name terms outermost. Beside other conditions MongoDB may take another
 * index and check the alternatives on every document; outermost, each of them is planned for itself.
 */
function spread(match: Document): Document {
  const parts = Object.entries(match).flatMap(([name, value]) =>
    name === '$and' ? (value as Document[]) : [{ [name]: value }],
  )
  const at = parts.findIndex(part => part.$or?.every((one: Document) => one.ix !== undefined))
  if (at < 0) return match
  const others = parts.filter((_, i) => i !== at)
  return { $or: (parts[at]!.$or as Document[]).map(one => merge([one, ...others])) }
}
