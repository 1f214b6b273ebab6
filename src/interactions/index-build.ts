/**
 * Makes index rows of resources that are there already, while others read and write. One instance works at a time, under a lease; what it
 * has done is remembered in the store (`index-round.ts`), so that after a crash another goes on from there.
 */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import type { IndexRow } from '../search/index-row.ts'
import type { Node } from '../search/plan-node.ts'
import { createRegistry, type SearchRegistry } from '../search/registry.ts'
import { type Reindexed, type Stored, typeOf } from '../storage/port.ts'
import { Outdated } from './current.ts'
import { type Round, readRound, writeOutcomes, writeRound } from './index-round.ts'
import { indexRowsOfText } from './indexer.ts'
import type { OpenIndex } from './live-index.ts'

export interface Budget {
  /** Milliseconds and pages after which the step ends. */
  ms: number
  pages?: number
  /** Rests after each page as long as the page took: writers and readers come first. */
  gentle?: boolean
  /** Returns true when the process wants to end. */
  stopping?: () => boolean
}

/** `idle`: nothing is left to do; `elsewhere`: another instance is at it; `more`: the budget was used up. */
export type Stepped = 'idle' | 'elsewhere' | 'more'

/** Milliseconds that an instance has for a page before another may take over; it says that it is there when a third has passed. */
const LEASE_MS = 15_000
/** Resources on a page: as many as are some hundred kilobytes, UTF-16 units, and take some hundred ms. */
const PAGE = { least: 4, first: 32, most: 256, small: 128_000, large: 1_000_000, quick: 60, slow: 250 }
/** Milliseconds between two notes of how far a round has come. */
const NOTE_MS = 200
/** Milliseconds of computing after which others get their turn. */
const SLICE_MS = 8
const REST_MS = 200
const COUNT_MS = 10_000

/** Does a piece of what is to be indexed. Throws what the store throws; how far it came is remembered. */
export async function buildStep(ctx: Context, index: OpenIndex, budget: Budget): Promise<Stepped> {
  const { inner: storage, owner } = index
  const begun = ctx.tick()
  const { epoch } = await index.refresh()
  // Another server has begun an epoch under other rules, which this one cannot serve.
  if ((await storage.epoch()) > epoch && (await index.refresh()).epoch === epoch) return 'elsewhere'
  const pending = (await index.pending()).filter(one => one <= index.registry().epoch)
  if (pending.length === 0) return 'idle'
  if ((await storage.lease('index', owner, LEASE_MS)) === undefined) return 'elsewhere'
  let held = ctx.tick()
  let noted = held
  let limit = PAGE.first
  let pages = 0
  const round = (await readRound(storage, pending)) ?? (await newRound(ctx, index, pending))
  const types = round.types.length === 0 ? undefined : round.types
  delete round.error
  try {
    for (;;) {
      const start = ctx.tick()
      const page = await storage.scan(round.after, limit, types, round.until)
      round.failed += await renew(ctx, index, page.rows)
      round.done += page.rows.length
      const letters = page.rows.reduce((sum, row) => sum + (row.text?.length ?? 0), 0)
      const took = ctx.tick() - start
      if (letters > PAGE.large || took > PAGE.slow) limit = Math.max(PAGE.least, limit >> 1)
      else if (letters < PAGE.small && took < PAGE.quick) limit = Math.min(PAGE.most, limit * 2)
      if (!page.more || page.last === undefined) break
      round.after = page.last
      const now = ctx.tick()
      if (budget.stopping?.() || now - begun > budget.ms || ++pages === budget.pages) {
        await writeRound(storage, round, ctx.clock())
        // Where nothing runs between requests, another instance may get the next one.
        if (budget.pages !== undefined) await storage.lease('index', owner, 0)
        return 'more'
      }
      if (now - noted > NOTE_MS) {
        await writeRound(storage, round, ctx.clock())
        noted = now
      }
      if (now - held > LEASE_MS / 3) {
        if ((await storage.lease('index', owner, LEASE_MS)) === undefined) return 'elsewhere'
        held = now
      }
      if (budget.gentle) await rest(Math.min(REST_MS, took))
    }
  } catch (error) {
    round.error = error instanceof FhirError ? error.message : 'An unexpected error; the log says more.'
    await writeRound(storage, round, ctx.clock()).catch(() => {})
    throw error
  }
  await writeOutcomes(storage, round, ctx.clock())
  for (const epoch of round.epochs) await index.finish(epoch)
  ctx.log.info('indexed', { epochs: round.epochs.join(), done: round.done, failed: round.failed })
  if ((await index.pending()).length > 0) return 'more'
  // Run out at once: whoever starts next need not wait for it.
  await storage.lease('index', owner, 0)
  return 'idle'
}

/** Begins a round for all that is pending. */
async function newRound(ctx: Context, index: OpenIndex, pending: readonly number[]): Promise<Round> {
  const { inner: storage } = index
  // Returns only when no instance commits under an older epoch any more, so that the walk misses nothing.
  await storage.raiseEpoch(index.registry().epoch)
  const types = await index.typesOfJobs(pending)
  const round: Round = { epochs: pending, types, done: 0, failed: 0 }
  const until = await storage.newest()
  if (until !== undefined) round.until = until
  const total = await count(ctx, index, types)
  if (total !== undefined) round.total = total
  await writeRound(storage, round, ctx.clock())
  ctx.log.info('indexing', { epochs: pending.join(), types: types.join(), total })
  return round
}

async function count(
  ctx: Context,
  { inner }: OpenIndex,
  types: readonly string[],
): Promise<number | undefined> {
  const where: Node = { kind: 'and', nodes: [] }
  const plan = { types, where, sort: [], fingerprint: fingerprintOf(types, where, []) }
  try {
    const deadline = ctx.clock() + COUNT_MS
    return (await inner.search(plan, { limit: 0, total: 'accurate', deadline })).total
  } catch (error) {
    if (error instanceof FhirError && error.code === 'too-costly') return undefined
    throw error
  }
}

/** Makes the rows of these versions. What has moved on meanwhile has rows of who wrote it. Returns how many could not be indexed. */
async function renew(ctx: Context, index: OpenIndex, stored: readonly Stored[]): Promise<number> {
  const { inner: storage } = index
  let failed = 0
  let left = stored.filter(one => one.text !== undefined)
  while (left.length > 0) {
    const under = { ...ctx, registry: index.registry() }
    const { rows, unfit } = await rowsOf(under, left)
    let refused: ReadonlySet<string>
    try {
      refused = new Set(await storage.reindex(rows, under.registry.epoch))
    } catch (error) {
      if (!isOfResource(error)) throw error
      if (left.length === 1) {
        ctx.log.warn('a resource cannot be indexed', { type: typeOf(left[0]!.key), error: error.code })
        return failed + 1
      }
      // One of them it is; the rest need not suffer for it.
      for (const one of left) failed += await renew(ctx, index, [one])
      return failed
    }
    for (const key of unfit) if (!refused.has(key)) failed++
    if (refused.size === 0) break
    // Refused are all where the epoch has moved on, and each that has.
    const { epoch } = under.registry
    if ((await index.refresh()).epoch === epoch && (await storage.epoch()) > epoch) throw new Outdated()
    const now = await storage.readMany(left.filter(({ key }) => refused.has(key)).map(({ key }) => key))
    left = left.filter(({ key, version }) => refused.has(key) && now.get(key)?.version === version)
  }
  return failed
}

/** A resource that does not fit into the index is refused for what it is; everything else may pass. */
const isOfResource = (error: unknown): error is FhirError =>
  error instanceof FhirError && error.status < 500 && error.status !== 409

/** Returns the rows, and the keys of those for which they could not all be made. */
async function rowsOf(
  ctx: Context,
  stored: readonly Stored[],
): Promise<{ rows: Reindexed[]; unfit: Set<string> }> {
  const rows: Reindexed[] = []
  const unfit = new Set<string>()
  let since = ctx.tick()
  for (const one of stored) {
    let index = indexOf(ctx, one)
    if (index === undefined) {
      unfit.add(one.key)
      // A parameter that somebody defines must not take away what the resource was found by.
      index = indexOf({ ...ctx, registry: ofR4() }, one) ?? []
    }
    rows.push({ key: one.key, version: one.version, index })
    if (ctx.tick() - since < SLICE_MS) continue
    await rest(0)
    since = ctx.tick()
  }
  return { rows, unfit }
}

/** Returns undefined for one that cannot be indexed: too large for a parameter, or stored without validation. */
function indexOf(ctx: Context, stored: Stored): readonly IndexRow[] | undefined {
  try {
    return indexRowsOfText(ctx, stored.text)
  } catch (error) {
    ctx.log.warn('a resource cannot be indexed', { type: typeOf(stored.key), error: (error as Error).name })
    return undefined
  }
}

let r4: SearchRegistry | undefined

const ofR4 = (): SearchRegistry => {
  r4 ??= createRegistry()
  return r4
}

const rest = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
