/**
 * The transaction interaction: all entries in one commit, or none.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { type Change, idOf, keyOf, type Require } from '../storage/port.ts'
import { accept } from './accept.ts'
import { checkRoom, fitting, roomOf } from './answer-size.ts'
import type { BundleOptions } from './batch.ts'
import { linkAddress } from './bundle-links.ts'
import { changeOf, commit, deletionOf, liveOf, storedOf } from './commit.ts'
import { underCurrent } from './current.ts'
import { type Entry, entriesOf, errorInEntry, inEntry, inEntrySync, noOperation, readEntry } from './entry.ts'
import { answerGet, scopeOf, searchOf } from './entry-get.ts'
import { deletedEntry, failedEntry, writtenEntry } from './entry-response.ts'
import { checkHistory } from './history.ts'
import { checkId, checkType } from './identity.ts'
import { indexRowsOfText } from './indexer.ts'
import { pendingRows } from './overlay.ts'
import { ifMatchVersions } from './preconditions.ts'
import { LOST, untilSettled } from './race.ts'
import { live } from './read.ts'
import { dangling, liveTargets, stillReferenced, unreferenced } from './references.ts'
import { plannedSearch } from './search.ts'
import { shownOf } from './subset.ts'
import {
  type Asked,
  type Attempt,
  begin,
  checkOverlap,
  identify,
  link,
  versionMade,
  type Write,
} from './transaction-identities.ts'
import { checkSameId } from './update.ts'
import { vread } from './vread.ts'
import type { Proposed } from './write-rules.ts'

/**
 * Returns the entries of the response, in the order of the request, after all is stored.
 *
 * Throws what the first failing entry throws, its expression begun with `Bundle.entry[i]`; nothing is stored then.
 */
export async function transaction(
  ctx: Context,
  bundle: Resource,
  options: BundleOptions = {},
): Promise<BundleEntry[]> {
  const raw = entriesOf(ctx, bundle)
  const entries = raw.map((entry, index) => inEntrySync(index, () => readEntry(ctx, entry, index)))
  for (const entry of entries)
    inEntrySync(entry.index, () => {
      if (entry.target.operation !== '') throw noOperation()
    })
  checkFullUrls(entries)
  const asked: Asked[] = []
  for (const entry of entries) if (!isGet(entry)) asked.push(await inEntry(entry, () => ask(ctx, entry)))
  return underCurrent(ctx, async under => {
    for (const entry of entries) if (isGet(entry)) await inEntry(entry, () => checkGet(under, entry, options))
    return untilSettled(() => attempt(under, raw, entries, asked, options))
  })
}

const isGet = (entry: Entry): boolean => entry.method === 'GET' || entry.method === 'HEAD'

/** Throws `invalid` where two entries have one fullUrl (bdl-7): links to it would have no one meaning. */
function checkFullUrls(entries: readonly Entry[]): void {
  const seen = new Set<string>()
  for (const { fullUrl, index } of entries) {
    if (fullUrl === undefined) continue
    const address = linkAddress(fullUrl)
    if (seen.has(address))
      throw fhirError('invalid', 'Another entry has the same fullUrl.', {
        expression: `Bundle.entry[${index}].fullUrl`,
      })
    seen.add(address)
  }
}

/** Checks what can be checked without looking at what is stored. */
async function ask(ctx: Context, entry: Entry): Promise<Asked> {
  const { method, target, ifMatch } = entry
  checkType(ctx, target.type)
  if (ifMatch !== undefined) ifMatchVersions(ifMatch)
  if (target.id !== '') checkId(target.id, 'http.url')
  const newId = ctx.newId()
  if (method !== 'POST' && method !== 'PUT') return { entry, resource: undefined, newId }
  const resource = await accept(ctx, entry.resource!, target.type, { links: 'open' })
  if (method === 'PUT' && target.id !== '') checkSameId(resource, target.id)
  if (method === 'PUT' && target.id === '' && resource.id !== undefined)
    checkId(String(resource.id), `${target.type}.id`)
  return { entry, resource, newId }
}

/** Throws where a GET could never be answered, before anything is stored. */
async function checkGet(ctx: Context, entry: Entry, options: BundleOptions): Promise<void> {
  const { type, id, inside, history, version, pairs, metadata } = entry.target
  if (metadata) return
  if (type !== '') checkType(ctx, type)
  if (id !== '' && inside === '' && (!history || version !== '')) shownOf(pairs, options.lenient === true)
  else if (history) await checkHistory(ctx, scopeOf(entry), pairs, options)
  else {
    const { type: asked, compartment } = searchOf(entry)
    await plannedSearch(ctx, asked, pairs, { lenient: options.lenient === true, compartment })
  }
}

async function attempt(
  ctx: Context,
  raw: readonly JsonObject[],
  entries: readonly Entry[],
  asked: readonly Asked[],
  options: BundleOptions,
): Promise<BundleEntry[] | typeof LOST> {
  const state = await begin(ctx, asked)
  for (const method of ['DELETE', 'POST', 'PUT'] as const)
    for (const one of asked) {
      const own = one.entry.method === 'PATCH' ? 'PUT' : one.entry.method
      if (own === method) await inEntry(one.entry, () => identify(ctx, state, one))
    }
  checkOverlap(state.writes)
  await link(ctx, state)

  const changes: Proposed[] = []
  for (const write of state.writes)
    inEntrySync(write.entry.index, () => changes.push(...prepare(ctx, state, write)))
  const gets = entries.filter(isGet)
  for (const entry of gets) await inEntry(entry, () => foresee(ctx, state, entry))

  let at = 0
  let stored: readonly Change[] = []
  if (changes.length > 0) {
    const done = await commit(
      ctx,
      changes,
      state.require.map(({ require }) => require),
    )
    if (!done.ok) {
      if (done.reason === 'require') await explain(ctx, state, done.index)
      return LOST
    }
    at = done.at
    stored = changes.map(done.change)
  }
  const answers = new Array<BundleEntry>(raw.length)
  answerWrites(ctx, state, asked, stored, at, options, answers)
  const room = roomOf(ctx)
  for (const { entry } of asked) answers[entry.index] = fitting(room, answers[entry.index]!, false)
  for (const entry of gets) {
    // Everything is stored: a search that fails now can fail for itself only.
    answers[entry.index] = await inEntry(entry, async () => {
      checkRoom(room)
      return answerGet(ctx, entry, options)
    }).then(answer => fitting(room, answer, true), failedEntry)
  }
  return answers
}

/** Returns the change of a write: none where there is nothing to delete, or where another entry makes it. */
function prepare(ctx: Context, state: Attempt, write: Write): Proposed[] {
  const { entry, key, current, method, pending } = write
  if (state.making.get(key) !== write) return []
  const require = (more: readonly Require[]) =>
    state.require.push(...more.map(one => ({ require: one, entry })))
  const { resource } = pending
  if (resource === undefined) {
    if (current?.text === undefined) return []
    require(unreferenced(ctx, key))
    return [deletionOf(current)]
  }
  const index = pendingRows(ctx, pending)
  require(liveTargets(ctx, key, index, () => indexRowsOfText(ctx, current?.text)))
  const version = (current?.version ?? 0) + 1
  return [changeOf(ctx, { key, id: idOf(key), version, method, resource, index, current })]
}

/** Throws where a read would fail after the transaction: it fails the transaction before. */
async function foresee(ctx: Context, state: Attempt, entry: Entry): Promise<void> {
  const { type, id, inside, version, history } = entry.target
  if (id === '' || inside !== '') return
  const key = keyOf(type, id)
  const pending = state.overlay.pending.get(key)
  if (history && version === '') {
    if (pending?.resource === undefined && (await ctx.storage.read(key)) === undefined)
      throw fhirError('not-found', `There is no ${key}.`)
    return
  }
  if (version !== '') {
    if (pending?.resource === undefined || version !== String(versionMade(state, key)))
      await vread(ctx, type, id, version)
    return
  }
  if (pending === undefined) live(await ctx.storage.read(key), type, id)
  else if (pending.resource === undefined) throw fhirError('deleted', `The transaction deletes ${key}.`)
}

/** Throws the error for a refused requirement that no new attempt can meet. */
async function explain(ctx: Context, state: Attempt, index: number): Promise<void> {
  const { require, entry } = state.require[index]!
  if (require.is === 'live') {
    const resource = state.writes.find(write => write.entry === entry)?.pending.resource
    if (resource !== undefined && ctx.settings.references === 'enforce')
      throw errorInEntry(dangling(ctx, resource, require.key), entry.index)
  }
  if (require.is === 'unreferenced') throw errorInEntry(await stillReferenced(ctx, require.key), entry.index)
}

function answerWrites(
  ctx: Context,
  state: Attempt,
  asked: readonly Asked[],
  changes: readonly Change[],
  at: number,
  options: BundleOptions,
  answers: BundleEntry[],
): void {
  const prefer = options.return ?? 'minimal'
  const made = new Map(changes.map(change => [change.key, change]))
  const writes = Map.groupBy(state.writes, write => write.entry)
  for (const { entry } of asked) {
    const found = state.found.get(entry.index)
    const own = writes.get(entry) ?? []
    const changed = own.flatMap(({ key }) => made.get(key) ?? [])
    if (found !== undefined)
      answers[entry.index] = writtenEntry(ctx, { stored: found, created: false }, prefer)
    else if (entry.method === 'DELETE')
      answers[entry.index] = deletedEntry({ stored: changed.map(change => storedOf(change, at)) }, prefer)
    else {
      const write = own[0]!
      const created = state.making.get(write.key) === write && write.current?.text === undefined
      answers[entry.index] = writtenEntry(ctx, { stored: liveOf(changed[0]!, at), created }, prefer)
    }
  }
}
