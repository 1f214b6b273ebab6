/**
 * Large code systems in two collections: `releases`, and `concepts` with all that a concept is found by in one array, beside the number of
 * its release. docs/terminology-releases.md shows them to people.
 */
import type { Document, MongoClient } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import { type ConceptQuestion, conceptQuestion, conceptTerms } from '../concept-terms.ts'
import {
  type Concept,
  type ConceptPage,
  type ConceptRow,
  type Concepts,
  type FindOptions,
  type Release,
  systemAndVersion,
} from '../concepts.ts'
import type { Collections, ConceptDoc, ReleaseDoc } from './document.ts'
import { isDuplicate, speaking } from './failure.ts'

const PLACES = 2 ** 26
const MOST_LENGTH = 127
const BATCH = 500
const SWEPT = 2000
/** The largest character: above all that begin with the same. */
const HIGHEST = '\u{10ffff}'

const FIELDS = { w: 0 } as const
const COUNTER = 'concept releases'

const idOf = (release: number, code: string): string => `${release}|${code}`

const releaseOf = (doc: ReleaseDoc): Release => ({
  id: doc._id,
  system: doc.system,
  version: doc.version,
  title: doc.title,
  state: doc.state,
  at: doc.at,
  concepts: doc.concepts,
  designations: doc.designations,
  propertyTypes: doc.types,
})

const conceptOf = (doc: Omit<ConceptDoc, 'w'>): Concept => ({
  code: doc.code,
  display: doc.display,
  active: doc.active,
  parents: doc.parents,
  properties: Object.fromEntries(doc.properties),
  designations: doc.designations,
  sets: doc.sets,
})

/** Returns the store of concepts over the collections. `clock` gives ms since 1970. */
export function mongoConcepts(client: MongoClient, collections: Collections, clock: () => number): Concepts {
  const { releases, concepts, counters } = collections

  async function meant(text: string): Promise<ReleaseDoc | undefined> {
    const { system, version } = systemAndVersion(text)
    const which = version === undefined ? { state: 'current' as const } : { state: SHOWN, version }
    return (
      await releases
        .find({ system, ...which })
        .sort({ _id: -1 })
        .limit(1)
        .toArray()
    )[0]
  }

  async function sweep(gone: readonly number[]): Promise<void> {
    for (const r of gone) {
      for (;;) {
        const some = await concepts
          .find({ r }, { projection: { _id: 1 } })
          .limit(SWEPT)
          .toArray()
        if (some.length === 0) break
        await concepts.deleteMany({ _id: { $in: some.map(({ _id }) => _id) } })
      }
      await releases.deleteOne({ _id: r })
    }
  }

  const sweepRemoved = async (): Promise<void> =>
    sweep((await releases.find({ state: 'removed' }).toArray()).map(({ _id }) => _id))

  async function checkLoading(id: number): Promise<ReleaseDoc> {
    const release = await releases.findOne({ _id: id, state: 'loading' })
    if (release === null) throw notLoading()
    return release
  }

  async function write(id: number, rows: readonly ConceptRow[]): Promise<void> {
    const last = [...new Map(rows.map(row => [row.code, row])).values()]
    if (last.length === 0) await checkLoading(id)
    for (let i = 0; i < last.length; i += BATCH) {
      const some = last.slice(i, i + BATCH)
      const before = await releases.findOneAndUpdate(
        { _id: id, state: 'loading' },
        { $inc: { written: some.length } },
      )
      if (before === null) throw notLoading()
      const docs = some.map((row, n) => docOf(id, row, before.written + n))
      try {
        await concepts.insertMany(docs, { ordered: false })
      } catch (error) {
        if (!isDuplicate(error)) throw error
        // Written before, by this load or by a try whose answer was lost.
        const writes = docs.map(doc => ({
          replaceOne: { filter: { _id: doc._id }, replacement: doc, upsert: true },
        }))
        await concepts.bulkWrite(writes, { ordered: false })
      }
    }
  }

  async function find(
    system: string,
    words: readonly string[],
    { after, limit, where, total }: FindOptions,
  ): Promise<ConceptPage> {
    const asked = conceptQuestion(words, where)
    const release = await meant(system)
    const place = after as readonly [number, number] | undefined
    if (place !== undefined && place[0] !== release?._id) throw replaced()
    if (asked.none || release === undefined)
      return { concepts: [], more: false, ...(total ? { total: 0 } : {}) }
    const filter = filterOf(release._id, asked)
    const page = place === undefined ? filter : { ...filter, o: { $gt: place[1] } }
    const docs = await concepts
      .find(page, { projection: FIELDS, batchSize: Math.min(limit + 2, 1000), allowDiskUse: true })
      .sort({ o: 1 })
      .limit(limit + 1)
      .toArray()
    const more = docs.length > limit
    if (more) docs.length = limit
    return {
      concepts: docs.map(conceptOf),
      more,
      ...(docs.length > 0 ? { last: [release._id, docs.at(-1)!.o] } : {}),
      ...(total ? { total: await concepts.countDocuments(filter) } : {}),
    }
  }

  async function finish(id: number, options: Parameters<Concepts['finish']>[1] = {}): Promise<Release> {
    const release = await checkLoading(id)
    const { system, version } = release
    const counted = await concepts
      .aggregate([
        { $match: { r: id } },
        { $group: { _id: null, concepts: { $sum: 1 }, names: { $sum: { $size: '$designations' } } } },
      ])
      .toArray()
    const { concepts: count, names } = counted[0] ?? { concepts: 0, names: 0 }
    const session = client.startSession()
    try {
      await session.withTransaction(async () => {
        await releases.updateMany(
          { system, version, state: { $in: ['current', 'kept'] } },
          { $set: { state: 'removed' }, $unset: { only: '' } },
          { session },
        )
        await releases.updateMany(
          { system, state: 'current' },
          { $set: { state: options.keep ? 'kept' : 'removed' }, $unset: { only: '' } },
          { session },
        )
        const done = await releases.updateOne(
          { _id: id, state: 'loading' },
          {
            $set: {
              state: 'current',
              only: system,
              types: options.propertyTypes ?? {},
              concepts: count,
              designations: names,
            },
          },
          { session },
        )
        if (done.matchedCount === 0) throw notLoading()
      })
    } finally {
      await session.endSession()
    }
    await sweepRemoved()
    return releaseOf((await releases.findOne({ _id: id }))!)
  }

  const listed = async (): Promise<Release[]> => {
    const docs = await releases.find({}).sort({ _id: -1 }).toArray()
    return Promise.all(
      docs.map(async doc =>
        doc.state === 'loading'
          ? { ...releaseOf(doc), concepts: await concepts.countDocuments({ r: doc._id }) }
          : releaseOf(doc),
      ),
    )
  }

  return {
    releases: () => speaking(listed),
    current: system =>
      speaking(async () => {
        const doc = await meant(system)
        return doc === undefined ? undefined : releaseOf(doc)
      }),
    begin: ({ system, version, title }) =>
      speaking(async () => {
        await releases.updateMany({ state: 'loading' }, { $set: { state: 'removed' } })
        await sweepRemoved()
        const id = await nextNumber(counters)
        const doc: ReleaseDoc = {
          _id: id,
          system,
          version,
          title,
          state: 'loading',
          at: clock(),
          written: 0,
          types: {},
          concepts: 0,
          designations: 0,
        }
        await releases.insertOne(doc)
        return releaseOf(doc)
      }),
    write: (id, rows) => speaking(() => write(id, rows)),
    finish: (id, options) => speaking(() => finish(id, options)),
    remove: text =>
      speaking(async () => {
        const { system, version } = systemAndVersion(text)
        const gone = await releases
          .find({ system, state: SHOWN, ...(version === undefined ? {} : { version }) })
          .sort({ _id: -1 })
          .toArray()
        const ids = gone.map(({ _id }) => _id)
        await releases.updateMany({ _id: { $in: ids } }, { $set: { state: 'removed' }, $unset: { only: '' } })
        await sweep(ids)
        return gone.map(releaseOf)
      }),
    get: (system, codes) =>
      speaking(async () => {
        const release = await meant(system)
        if (release === undefined || codes.length === 0) return []
        const ids = [...new Set(codes)].map(code => idOf(release._id, code))
        const docs = await concepts
          .find({ _id: { $in: ids } }, { projection: FIELDS, batchSize: 1000 })
          .toArray()
        const found = new Map(docs.map(doc => [doc._id, doc]))
        return ids.flatMap(id => (found.has(id) ? [conceptOf(found.get(id)!)] : []))
      }),
    ancestors: (system, code) =>
      speaking(async () => {
        const release = await meant(system)
        if (release === undefined) return []
        const near: string[] = []
        const seen = new Set([code])
        for (let level = [code]; level.length > 0; ) {
          const docs = await concepts
            .find(
              { _id: { $in: level.map(one => idOf(release._id, one)) } },
              { projection: { parents: 1 }, batchSize: 1000 },
            )
            .toArray()
          level = [...new Set(docs.flatMap(doc => doc.parents))].filter(one => !seen.has(one)).sort()
          for (const one of level) seen.add(one)
          near.push(...level)
        }
        return near
      }),
    children: (system, code, options) =>
      speaking(() =>
        find(system, [], { ...options, where: [...(options.where ?? []), { is: 'childOf', code }] }),
      ),
    find: (system, words, options) => speaking(() => find(system, words, options)),
  }
}

const SHOWN: Document = { $in: ['current', 'kept'] }

const notLoading = () =>
  fhirError('conflict', 'The release is not being loaded: another load has begun since, or it is finished.')

const replaced = () =>
  fhirError('conflict', 'Another release of the code system is current since the last page: begin again.')

function docOf(r: number, row: ConceptRow, place: number): ConceptDoc {
  const { code, display, active, parents, properties, designations, sets } = row
  return {
    _id: idOf(r, code),
    r,
    o: Math.min(display.length, MOST_LENGTH) * PLACES + place,
    code,
    display,
    active,
    parents,
    // Names of properties may have dots and dollars.
    properties: Object.entries(properties),
    designations,
    sets,
    w: conceptTerms(row),
  }
}

function filterOf(r: number, { words, terms, codes, not, active }: ConceptQuestion): Document {
  const parts: Document[] = [
    ...terms.map(group => ({ w: group.length === 1 ? group[0] : { $in: group } })),
    ...words.map(word => ({ w: { $elemMatch: { $gte: word, $lt: word + HIGHEST } } })),
    ...(codes === undefined ? [] : [{ _id: { $in: codes.map(code => idOf(r, code)) } }]),
    ...not.map(code => ({ _id: { $ne: idOf(r, code) } })),
    ...(active === undefined ? [] : [{ active }]),
  ]
  // The ids say the release; with `r` as well another index than theirs could be taken.
  if (codes !== undefined) return { $and: parts }
  return parts.length === 0 ? { r } : { r, $and: parts }
}

async function nextNumber(counters: Collections['counters']): Promise<number> {
  for (let attempt = 0; ; attempt++)
    try {
      const counted = await counters.findOneAndUpdate(
        { _id: COUNTER },
        { $inc: { n: 1 } },
        { upsert: true, returnDocument: 'after' },
      )
      return counted!.n
    } catch (error) {
      if (!isDuplicate(error) || attempt > 5) throw error
    }
}
