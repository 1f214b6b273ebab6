/**
 * The search parameters in force, as people define them while servers run. The SearchParameters in the store are compared with the record of
 * the index epoch (`index-record.ts`); where they differ, a new epoch begins. From then on every commit of every instance carries the new
 * parameters, because storage refuses those of an older epoch; what was there before is indexed in the background (`index-build.ts`).
 */

import { searchPages } from '../conformance/search-pages.ts'
import type { Context, IndexJob, LiveIndex } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import { customNames, newVersion, sinceOf } from '../search/custom-names.ts'
import { claimsOf, readSearchParameter } from '../search/custom-params.ts'
import { fingerprintName, recordName, wholeName } from '../search/index-fingerprint.ts'
import { parseSearch } from '../search/parse.ts'
import { planSearch } from '../search/plan.ts'
import type { ParamName, SearchPlan } from '../search/plan-node.ts'
import { createRegistry, type SearchRegistry } from '../search/registry.ts'
import type { Storage } from '../storage/port.ts'
import { Outdated } from './current.ts'
import { MOST_PARAMS } from './custom-param.ts'
import {
  type CustomParam,
  type IndexRecord,
  readRecord,
  sameDefinition,
  sinceVersion,
} from './index-record.ts'
import { jobOf, readRound } from './index-round.ts'

/** A LiveIndex as who keeps it alive sees it. */
export interface OpenIndex extends LiveIndex {
  /** The storage without the checks that `storage` makes. */
  inner: Storage
  /** Names this instance to the others. */
  owner: string
  /** The storage for interactions: a search that asks an index which is not complete is refused, never answered in part. */
  storage: Storage
  epoch(): number
  record(): IndexRecord
  /** Whether the store's index was made under the rules of this server, and is complete but for custom parameters. */
  isWhole(): Promise<boolean>
  /** Begins a new epoch under the rules of this server, where that of the store has others. */
  takeOver(): Promise<void>
  /**
   * Compares the SearchParameters in the store with those in force, and begins a new epoch where they differ. With `every` nothing is done
   * before so many ms have passed since the last time.
   */
  reconcile(every?: number): Promise<void>
  /** Returns the epochs whose job is not done, oldest first. */
  pending(): Promise<number[]>
  /** Returns the types that the jobs of these epochs index together; empty for all. */
  typesOfJobs(epochs: readonly number[]): Promise<string[]>
  /** Notes that the job of an epoch is done. */
  finish(epoch: number): Promise<void>
  /** Called whenever there may be something to do. */
  onChange(listener: () => void): void
}

export interface LiveOptions {
  /** The rules of this server. */
  fingerprint: string
}

/** Milliseconds that a write waits for its SearchParameter to be in force; it comes into force in any case. */
const PATIENCE_MS = 3000
/** Jobs that are shown when they are done. */
const SHOWN = 20
const PAGE = 100
/** Of all definitions together, which stand in one record; D1 keeps 2 MB in a row. */
const MOST_LETTERS = 600_000
/** Tries to begin an epoch while others begin theirs. */
const ATTEMPTS = 20

/** Returns the index of a store as it stands. Throws what the store throws. */
export async function openLiveIndex(
  ctx: Pick<Context, 'storage' | 'settings' | 'log' | 'clock' | 'newId'>,
  options: LiveOptions,
): Promise<OpenIndex> {
  const { storage: inner, log, clock, newId } = ctx
  const { fingerprint } = options
  const whole = new Set<number>([0])
  const records = new Map<number, IndexRecord>()
  let epoch = -1
  let record: IndexRecord = { id: '', fingerprint, rebuilt: 0, params: [], pending: [] }
  let registry = createRegistry([], 0)
  let listener = (): void => {}
  /** Parameters that the registry holds to be unfinished. */
  let unfinished = 0
  let warned = ''
  let compared = 0

  const recordOf = async (of: number): Promise<IndexRecord> => {
    const known = records.get(of)
    if (known !== undefined) return known
    const read = await readRecord(inner, of, fingerprint)
    if (records.size > 8 * SHOWN) records.clear()
    records.set(of, read)
    return read
  }
  const isDone = async (of: number): Promise<boolean> => {
    if (!whole.has(of) && (await inner.counter(wholeName(of))) > 0) whole.add(of)
    return whole.has(of)
  }
  const building = (one: CustomParam): boolean => !whole.has(sinceVersion(one))

  async function refresh(): Promise<SearchRegistry> {
    const now = await inner.epoch()
    const next = await recordOf(now)
    // Rows of other rules are another server's; what this one writes is refused until it is started anew.
    if (next.fingerprint !== fingerprint) return registry
    for (const one of new Set(next.params.filter(building).map(sinceVersion))) await isDone(one)
    const left = next.params.filter(building).length
    // Another call may have come further meanwhile.
    if (now > epoch || (now === epoch && left < unfinished)) {
      epoch = now
      record = next
      unfinished = left
      const params = record.params.map(one => ({ ...one, building: building(one) }))
      registry = createRegistry(params, epoch)
      listener()
    }
    return registry
  }

  /**
   * Begins the next epoch with what `change` makes of the record in force; where it returns undefined, none. Returns the epoch begun.
   *
   * Throws `transient` where others are always faster.
   */
  async function begin(
    change: (record: IndexRecord, next: number) => Promise<Omit<IndexRecord, 'id'> | undefined>,
  ): Promise<number | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await inner.epoch()
      const changed = await change(await recordOf(before), before + 1)
      if (changed === undefined) return undefined
      const proposed: IndexRecord = { ...changed, id: newId() }
      const kept = JSON.parse(
        await inner.keep(recordName(before + 1), JSON.stringify(proposed)),
      ) as IndexRecord
      await inner.keep(fingerprintName(before + 1), kept.fingerprint)
      await inner.raiseEpoch(before + 1)
      await refresh()
      if (kept.id === proposed.id) return before + 1
    }
    throw fhirError('transient', 'Other servers keep changing the search parameters. Try again.')
  }

  async function pendingOf(of: IndexRecord): Promise<number[]> {
    const asked = new Set([...of.pending, of.rebuilt, ...of.params.map(sinceVersion)])
    const open: number[] = []
    for (const one of asked) if (!(await isDone(one))) open.push(one)
    return open.sort((a, b) => a - b)
  }
  const pending = async (): Promise<number[]> => pendingOf(await recordOf(await inner.epoch()))

  async function reconcile(every = 0): Promise<void> {
    if (every > 0 && clock() - compared < every) return
    compared = clock()
    const begun = await begin(async (current, next) => {
      if (current.fingerprint !== fingerprint) return undefined
      const wanted = await activeParams()
      const params = wanted.map((one): CustomParam => {
        const same = current.params.find(known => known.key === one.key && sameDefinition(known, one))
        return { ...one, version: same?.version ?? newVersion(one.code, one.base, next) }
      })
      const added = params.filter(one => sinceVersion(one) === next)
      if (added.length === 0 && params.length === current.params.length) return undefined
      const open = await pendingOf(current)
      const { rebuilt } = current
      if (added.length === 0) return { fingerprint, rebuilt, params, pending: open }
      const types = typesOfBases(added.flatMap(one => one.base))
      const what = added.map(one => one.code).join(', ')
      return { fingerprint, rebuilt, params, pending: [...open, next], job: { what, types, at: clock() } }
    })
    if (begun !== undefined)
      log.info('search parameters have changed', { epoch: begun, custom: record.params.length })
  }

  /** Reads the active SearchParameters, oldest first; of two with one code on a type the older one counts. */
  async function activeParams(): Promise<Omit<CustomParam, 'version'>[]> {
    const { zone, baseUrl } = ctx.settings
    const { plan } = planSearch(parseSearch([['status', 'active']]), {
      types: ['SearchParameter'],
      registry: createRegistry(),
      zone,
      baseUrl,
      now: clock(),
    })
    const found: Omit<CustomParam, 'version'>[] = []
    const claimed = new Set<string>()
    const left: string[] = []
    let letters = 0
    const pages = searchPages({ storage: inner, settings: ctx.settings }, plan, { limit: PAGE })
    for await (const { rows } of pages)
      for (const { key, text } of rows) {
        const read = readSearchParameter(parseJson(text, Number.POSITIVE_INFINITY) as Resource)
        if ('refusals' in read) left.push(key)
        else if (read.definition !== undefined) {
          const claims = claimsOf(read.definition)
          const one = { key, ...read.definition }
          const { length } = JSON.stringify(one)
          const isFull = found.length === MOST_PARAMS || letters + length > MOST_LETTERS
          if (isFull || claims.some(claim => claimed.has(claim))) left.push(key)
          else {
            found.push(one)
            letters += length
          }
          for (const claim of claims) claimed.add(claim)
        }
      }
    const names = left.join(', ')
    if (names !== warned && names !== '')
      log.warn('SearchParameters that are stored cannot be indexed', { resources: names.slice(0, 1000) })
    warned = names
    return found
  }

  async function jobs(): Promise<IndexJob[]> {
    const last = await inner.epoch()
    const open = await pending()
    const round = await readRound(inner, open)
    const shown: IndexJob[] = []
    const from = Math.min(last - SHOWN, ...open)
    for (let of = last; of > 0 && of >= from && shown.length < 5 * SHOWN; of--) {
      const state = { round, isDone: !open.includes(of) }
      const job = await jobOf(inner, of, await recordOf(of), state)
      if (job !== undefined) shown.push(job)
    }
    return shown
  }

  async function reindex(what: string, types: readonly string[]): Promise<IndexJob> {
    let same: IndexJob | undefined
    const begun = await begin(async (current, next) => {
      same = (await jobs()).find(job => job.what === what && job.state !== 'done')
      if (same !== undefined) return undefined
      const { id: _, ...rest } = current
      return { ...rest, pending: [...(await pendingOf(current)), next], job: { what, types, at: clock() } }
    })
    listener()
    return same ?? (await jobs()).find(job => job.id === begun)!
  }

  async function checkWhole(plan: SearchPlan): Promise<void> {
    for (const name of customNames(plan)) {
      const since = sinceOf(name)!
      if (await isDone(since)) continue
      const round = await readRound(inner, [since])
      const far =
        round === undefined
          ? 'it begins soon'
          : `${round.done} of ${round.total ?? 'some'} resources are done`
      throw fhirError(
        'transient',
        `The search parameter "${codeOf(name)}" is being indexed: ${far}. Until then a search by it would answer in part. Try again later; GET [base]/$reindex-status shows the progress.`,
        { expression: `http.${codeOf(name)}` },
      )
    }
  }

  /** What was answered under parameters that are gone, or have another meaning by now, may be a part. */
  async function checkInForce(plan: SearchPlan): Promise<void> {
    const names = customNames(plan)
    if (names.length === 0) return
    if ((await inner.epoch()) !== epoch) await refresh()
    const known = new Set(record.params.flatMap(namesOf))
    if (!names.every(name => known.has(name))) throw new Outdated()
  }

  const storage: Storage = {
    ...inner,
    async search(plan, asked) {
      await checkWhole(plan)
      const page = await inner.search(plan, asked)
      await checkInForce(plan)
      return page
    },
    async commit(commit) {
      for (const one of commit.require) if (one.is === 'matches') await checkWhole(one.plan)
      return inner.commit(commit)
    },
    async gauges() {
      const open = await pending()
      const round = open.length === 0 ? undefined : await readRound(inner, open)
      return {
        ...(await inner.gauges()),
        nadi_index_epoch: epoch,
        nadi_index_custom_parameters: record.params.length,
        nadi_index_jobs_open: open.length,
        nadi_index_resources_done: round?.done ?? 0,
        nadi_index_resources_total: round?.total ?? 0,
      }
    },
  }

  await refresh()
  return {
    inner,
    owner: newId(),
    storage,
    epoch: () => epoch,
    record: () => record,
    registry: () => registry,
    refresh,
    reconcile,
    pending,
    reindex,
    jobs,
    checkWhole,
    count: () => record.params.length,
    async changed() {
      let timer: ReturnType<typeof setTimeout> | undefined
      const work = reconcile().catch(error => {
        // Whoever looks next finds the difference.
        log.warn('search parameters could not be brought into force yet', { error: (error as Error).name })
      })
      const late = new Promise<void>(resolve => {
        timer = setTimeout(resolve, PATIENCE_MS)
      })
      await Promise.race([work, late])
      clearTimeout(timer)
    },
    async isWhole() {
      const current = await recordOf(await inner.epoch())
      return current.fingerprint === fingerprint && (await isDone(current.rebuilt))
    },
    async takeOver() {
      await begin(async (current, next) => {
        if (current.fingerprint === fingerprint) return undefined
        log.info('the index is made anew', { from: current.fingerprint, to: fingerprint })
        const open = await pendingOf(current)
        const job = { what: 'all', types: [], at: clock() }
        return { fingerprint, rebuilt: next, params: current.params, pending: [...open, next], job }
      })
      await refresh()
    },
    typesOf(key) {
      const own = record.params.find(one => one.key === key)
      return own && typesOfBases(own.base)
    },
    async typesOfJobs(epochs) {
      const types = new Set<string>()
      for (const of of epochs) {
        const { job } = await recordOf(of)
        // Where it is not written down, everything is meant: the whole index, or parameters from before a backup was restored.
        if (job === undefined || job.types.length === 0) return []
        for (const type of job.types) types.add(type)
      }
      return [...types].sort()
    },
    async finish(of) {
      for (;;) {
        const counter = { is: 'counter', name: wholeName(of), seen: 0, next: 1 } as const
        const under = await inner.epoch()
        const intent = { id: newId(), at: clock(), epoch: under, changes: [], require: [counter], outbox: [] }
        const done = await inner.commit(intent)
        // Refused for the counter, another instance has said so already.
        if (done.ok || done.reason !== 'epoch') break
      }
      await refresh()
    },
    onChange(next) {
      listener = next
    },
  }
}

/** Returns the names of a custom parameter in the index, one for each base. */
function namesOf({ code, base, version }: CustomParam): ParamName[] {
  const common = base.some(one => one === 'Resource' || one === 'DomainResource')
  return [...base.map(one => `${one}.${code}@${version}`), ...(common ? [`${code}@${version}`] : [])]
}

/** Returns the resource types of bases; empty for all. */
const typesOfBases = (bases: readonly string[]): string[] =>
  bases.includes('Resource') || bases.includes('DomainResource') ? [] : [...new Set(bases)].sort()

const codeOf = (name: ParamName): string => /([^.]*)@/.exec(name)?.[1] ?? name
