/**
 * StructureDefinitions by canonical, as snapshots: those stored on this server before those that come with it.
 * https://hl7.org/fhir/R4/profiling.html, https://hl7.org/fhir/R4/references.html#canonical
 */
import type { Context } from '../context.ts'
import { readStructure } from '../fhir/definitions/read-structure.ts'
import { snapshotOf } from '../fhir/definitions/snapshot.ts'
import type { Structure } from '../fhir/definitions/structure.ts'
import { builtInStructure } from '../fhir/definitions/structures.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { isObject, type Resource } from '../fhir/json.ts'
import type { Storage } from '../storage/port.ts'
import { definitionOf } from './canonical.ts'

/** What other instances have stored is in force after so many ms. */
const FRESH_MS = 1000
/** Elements of all snapshots kept, and of the definitions that are known as they are stored; what is not there counts for one. */
const MOST_ELEMENTS = 150_000
/** Canonicals of which is known whether and how they are stored. */
const MOST_KNOWN = 20_000
/** Longer ones name nothing. */
const LONGEST_CANONICAL = 2000

/** A definition as it is stored or built in, or why it cannot be read. */
type Raw = Structure | FhirError | undefined

interface Known {
  /** The generation in which this was looked up. */
  generation: number
  /** Which version of which resource it is; undefined for what is built in or nowhere. */
  stamp: string | undefined
  raw: Raw
}

interface Made {
  /** The generation in which all that it was made of was last found unchanged. */
  generation: number
  /** What it was made of, itself included, by canonical. */
  from: ReadonlyMap<string, Raw>
  snapshot: Raw
}

interface Cache {
  /** Moves on with each change of a StructureDefinition that is known here. */
  generation: number
  /** The latest change in the store, and when it was looked at, ms since 1970. */
  latest: string | undefined
  looked: number
  known: Map<string, Known>
  made: Map<string, Made>
  /** The elements of what is made, and of what is known. */
  elements: { made: number; known: number }
}

const caches = new WeakMap<Storage, Cache>()

function cacheOf(storage: Storage): Cache {
  const known = caches.get(storage)
  if (known !== undefined) return known
  const made: Cache = {
    generation: 0,
    latest: undefined,
    looked: Number.NEGATIVE_INFINITY,
    known: new Map(),
    made: new Map(),
    elements: { made: 0, known: 0 },
  }
  caches.set(storage, made)
  return made
}

/** To be called after a commit that wrote StructureDefinitions: the next validation on this instance sees them. */
export function structuresChanged(storage: Storage): void {
  cacheOf(storage).generation++
}

/**
 * Returns the snapshot of the definition that a canonical names, with or without version; undefined where there is none. It is the same
 * object for as long as neither the definition nor any that its snapshot is made of changes, so that what is compiled from it can be kept
 * by it. A change that another instance has stored is in force about a second later. The types of R4 themselves are always those built in.
 *
 * Throws what readStructure and snapshotOf throw for a definition that cannot be used, and `too-costly` (503) at the deadline, ms since 1970.
 */
export async function structureOf(
  ctx: Context,
  canonical: string,
  deadline = ctx.clock() + ctx.settings.limits.searchMs,
): Promise<Structure | undefined> {
  const builtIn = builtInStructure(canonical)
  if (builtIn?.snapshot) return builtIn
  if (canonical.length > LONGEST_CANONICAL) return undefined
  const cache = cacheOf(ctx.storage)
  await look(ctx, cache)
  const { generation } = cache
  const kept = cache.made.get(canonical)
  const made =
    kept !== undefined && (kept.generation === generation || (await isUnchanged(ctx, cache, kept, deadline)))
      ? kept
      : await make(ctx, cache, canonical, deadline)
  // A change in the meantime is for the next who asks to find.
  made.generation = Math.max(made.generation, generation)
  if (made.snapshot instanceof FhirError) throw made.snapshot
  return made.snapshot
}

/** Looks at most once in FRESH_MS whether anybody has changed a StructureDefinition. Who asks meanwhile gets what was known. */
async function look({ storage, clock }: Context, cache: Cache): Promise<void> {
  const now = clock()
  const before = cache.looked
  if (now >= before && now - before < FRESH_MS) return
  cache.looked = now
  try {
    const scope = { type: 'StructureDefinition' }
    const { rows } = await storage.history(scope, { limit: 1, total: 'none' })
    const latest = rows.map(({ key, version, at }) => `${key} ${version} ${at}`).join()
    if (latest !== cache.latest) cache.generation++
    cache.latest = latest
  } catch (error) {
    cache.looked = Number.NEGATIVE_INFINITY
    throw error
  }
}

async function isUnchanged(ctx: Context, cache: Cache, made: Made, deadline: number): Promise<boolean> {
  for (const [canonical, raw] of made.from)
    if ((await rawOf(ctx, cache, canonical, deadline)) !== raw) return false
  return true
}

async function make(ctx: Context, cache: Cache, canonical: string, deadline: number): Promise<Made> {
  if (ctx.clock() > deadline) throw tooLate()
  // A resource may name a thousand profiles; what is known of them already is found without ever waiting for anything.
  await new Promise(resolve => setTimeout(resolve, 0))
  const { generation } = cache
  const from = new Map<string, Raw>()
  const find = async (wanted: string): Promise<Structure | undefined> => {
    const raw = await rawOf(ctx, cache, wanted, deadline)
    from.set(wanted, raw)
    if (raw instanceof FhirError) throw raw
    return raw
  }
  let snapshot: Raw
  try {
    const structure = await find(canonical)
    snapshot = structure && (await snapshotOf(structure, find))
  } catch (error) {
    // What is wrong with a definition stays wrong until it changes; a store that is away does not stay so.
    if (!(error instanceof FhirError) || error.status !== 422) throw error
    snapshot = error
  }
  // Somebody else may have made the same meanwhile, and handed it out.
  const other = cache.made.get(canonical)
  if (other !== undefined && sameParts(other.from, from)) return other
  const made: Made = { generation, from, snapshot }
  keep(cache, canonical, made)
  return made
}

const sameParts = (a: ReadonlyMap<string, Raw>, b: ReadonlyMap<string, Raw>): boolean =>
  a.size === b.size && [...a].every(([canonical, raw]) => b.has(canonical) && b.get(canonical) === raw)

function keep(cache: Cache, canonical: string, made: Made): void {
  drop(cache, canonical)
  cache.made.set(canonical, made)
  cache.elements.made += weight(made)
  for (const oldest of cache.made.keys()) {
    if (cache.elements.made <= MOST_ELEMENTS || oldest === canonical) break
    drop(cache, oldest)
  }
}

function drop(cache: Cache, canonical: string): void {
  const made = cache.made.get(canonical)
  if (made === undefined) return
  cache.made.delete(canonical)
  cache.elements.made -= weight(made)
}

/** What a snapshot was made of is held with it. */
const weight = ({ snapshot, from }: Made): number =>
  [...from.values()].reduce((sum, raw) => sum + (raw === snapshot ? 0 : sizeOf(raw)), sizeOf(snapshot))

/** Elements; those of what comes with the server are there anyway. */
const sizeOf = (raw: Raw): number =>
  raw === undefined || raw instanceof FhirError || builtInStructure(raw.url) === raw ? 1 : raw.elements.length

const tooLate = () =>
  fhirError('too-costly', 'The profiles that are needed could not be found in time.', { status: 503 })

/** Returns the definition as it is stored, or as it comes with the server; the same object while it is the same version. */
async function rawOf(ctx: Context, cache: Cache, canonical: string, deadline: number): Promise<Raw> {
  const builtIn = builtInStructure(canonical)
  if (builtIn?.snapshot) return builtIn
  const { generation } = cache
  const before = cache.known.get(canonical)
  if (before?.generation === generation) return before.raw
  if (ctx.clock() > deadline) throw tooLate()
  const stored = await definitionOf(ctx, 'StructureDefinition', canonical, deadline)
  const stamp = stored && stampOf(stored)
  const last = cache.known.get(canonical)
  const same = last !== undefined && last.stamp === stamp && last.raw !== undefined
  const raw = same ? last.raw : stored === undefined ? builtIn : read(stored)
  // Another look has begun later, and knows better.
  if (last !== undefined && last.generation > generation) return raw
  forget(cache, canonical)
  cache.known.set(canonical, { generation, stamp, raw })
  cache.elements.known += sizeOf(raw)
  for (const oldest of cache.known.keys()) {
    if (cache.known.size <= MOST_KNOWN && cache.elements.known <= MOST_ELEMENTS) break
    if (oldest !== canonical) forget(cache, oldest)
  }
  return raw
}

function forget(cache: Cache, canonical: string): void {
  const known = cache.known.get(canonical)
  if (known === undefined) return
  cache.known.delete(canonical)
  cache.elements.known -= sizeOf(known.raw)
}

function read(resource: Resource): Structure | FhirError {
  try {
    return readStructure(resource)
  } catch (error) {
    if (error instanceof FhirError) return error
    throw error
  }
}

const stampOf = ({ id, meta }: Resource): string =>
  isObject(meta) ? `${id} ${meta.versionId} ${meta.lastUpdated}` : `${id}`
