/**
 * Collections, indexes and the view of each resource type, made at start; several servers may start together.
 * https://www.mongodb.com/docs/manual/indexes/
 */
import type { Db, IndexDescription } from 'mongodb'
import type { Log } from '../../lib/log.ts'
import type { Collections } from './document.ts'
import { codeOf } from './failure.ts'

/** The version of this layout. A higher one in the database belongs to a later Nadi. */
export const SCHEMA_VERSION = 1

/**
 * Sorts that are walked by an index, so that the first page of a large result comes at once; others sort what was found. Each has an
 * index for either direction, kept for documents of its type only; MongoDB has 64 indexes a collection at most.
 */
export const SORTED: readonly [type: string, code: string][] = [
  ['Appointment', 'date'],
  ['Claim', 'created'],
  ['Communication', 'sent'],
  ['Composition', 'date'],
  ['Condition', 'onset-date'],
  ['Condition', 'recorded-date'],
  ['DiagnosticReport', 'date'],
  ['DocumentReference', 'date'],
  ['Encounter', 'date'],
  ['Immunization', 'date'],
  ['Invoice', 'date'],
  ['MedicationDispense', 'whenhandedover'],
  ['MedicationRequest', 'authoredon'],
  ['Observation', 'date'],
  ['Patient', 'birthdate'],
  ['Patient', 'family'],
  ['Patient', 'given'],
  ['Patient', 'name'],
  ['Practitioner', 'family'],
  ['Procedure', 'date'],
  ['ServiceRequest', 'authored'],
  ['Slot', 'start'],
  ['Task', 'authored-on'],
]

const RESOURCE_INDEXES: IndexDescription[] = [
  { key: { ix: 1, n: 1 } },
  { key: { n: 1 } },
  { key: { t: 1, n: 1 } },
  { key: { lu: 1, n: 1 } },
  { key: { t: 1, lu: 1, n: 1 } },
  { key: { t: 1, lu: -1, n: 1 } },
  { key: { 'pending.due': 1 }, sparse: true },
  { key: { 'pending.id': 1 }, sparse: true },
  ...SORTED.flatMap(([type, code]) =>
    [`s.${code}`, `sx.${code}`].map(field => ({
      name: `${type} ${field}`,
      key: { t: 1, [field]: -1, n: 1 } as const,
      partialFilterExpression: { t: type },
    })),
  ),
]

const INDEXES: Partial<Record<keyof Collections, IndexDescription[]>> = {
  resources: RESOURCE_INDEXES,
  history: [{ key: { k: 1, lu: -1 } }, { key: { t: 1, lu: -1, n: -1 } }, { key: { lu: -1, n: -1 } }],
  commits: [
    { key: { when: 1 }, expireAfterSeconds: 86_400 },
    { key: { 'pending.due': 1 }, sparse: true },
    { key: { 'pending.id': 1 }, sparse: true },
  ],
  releases: [{ key: { only: 1 }, unique: true, sparse: true }],
  concepts: [{ key: { r: 1, o: 1 } }, { key: { r: 1, w: 1, o: 1 } }],
  // A day late, so that a clock of the database that runs ahead takes nothing away too early.
  remembered: [{ key: { until: 1 }, expireAfterSeconds: 86_400 }],
}

const NAMES: readonly (keyof Collections)[] = [
  'resources',
  'history',
  'chunks',
  'commits',
  'counters',
  'guards',
  'claims',
  'leases',
  'kept',
  'remembered',
  'releases',
  'concepts',
  'instances',
]

const EXISTS = 48
/** Another server builds the same index, or the collection changed meanwhile. */
const BUSY = new Set([112, 117, 276, 285])

export function collectionsOf(db: Db): Collections {
  return Object.fromEntries(NAMES.map(name => [name, db.collection(name)])) as unknown as Collections
}

/** Makes what is missing. Throws where the database was written by a later version, or where it does not let us. */
export async function prepare(db: Db, collections: Collections): Promise<void> {
  const there = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(one => one.name))
  // Made beforehand: a transaction that makes a collection conflicts with its neighbours.
  for (const name of NAMES) if (!there.has(name)) await created(db, name)
  for (const [name, indexes] of Object.entries(INDEXES)) await indexed(db, name, indexes)
  const kept = await collections.kept.findOneAndUpdate(
    { _id: 'schema' },
    { $setOnInsert: { value: String(SCHEMA_VERSION) } },
    { upsert: true, returnDocument: 'after' },
  )
  if (Number(kept?.value) > SCHEMA_VERSION)
    throw new Error(
      `The database has schema version ${kept?.value}; this Nadi knows versions up to ${SCHEMA_VERSION}. Start a later one.`,
    )
}

async function created(
  db: Db,
  name: string,
  options: { viewOn?: string; pipeline?: object[] } = {},
): Promise<void> {
  try {
    await db.createCollection(name, options)
  } catch (error) {
    if (codeOf(error) !== EXISTS) throw error
  }
}

async function indexed(db: Db, name: string, indexes: IndexDescription[]): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await db.collection(name).createIndexes(indexes)
      return
    } catch (error) {
      if (!BUSY.has(codeOf(error) ?? 0) || attempt > 20) throw error
      await new Promise(resolve => setTimeout(resolve, 50 * (attempt + 1)))
    }
  }
}

export interface Views {
  /** Makes the view of a type in the background when it is not there yet. */
  want(type: string): void
  /** Resolves when none is being made. */
  settled(): Promise<void>
}

/** Returns the views `Patient`, `Observation`, ...: one for each type that has ever been stored, for people in mongosh. */
export async function typeViews(db: Db, collections: Collections, log: Log): Promise<Views> {
  const views = new Set(
    (await db.listCollections({ type: 'view' }, { nameOnly: true }).toArray()).map(one => one.name),
  )
  const making = new Set<Promise<void>>()
  const want = (type: string): void => {
    if (views.has(type) || !/^[A-Z][A-Za-z0-9]*$/.test(type)) return
    views.add(type)
    const made = created(db, type, {
      viewOn: 'resources',
      pipeline: [{ $match: { t: type } }],
    }).catch((error: Error) => {
      // Nothing of ours reads the views; the next start tries again.
      log.warn('the view of a resource type could not be made', { type, error: error.name })
    })
    const done = made.finally(() => making.delete(done))
    making.add(done)
  }
  for (const type of await collections.resources.distinct('t')) want(type)
  const settled = async (): Promise<void> => {
    await Promise.all(making)
  }
  return { want, settled }
}
