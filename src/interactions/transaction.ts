/**
 * The transaction interaction: all entries in one commit, or none.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { mapLinks } from '../fhir/links.ts'
import {
  type Change,
  idOf,
  type Key,
  keyOf,
  type Method,
  type Require,
  type Stored,
} from '../storage/port.ts'
import { accept } from './accept.ts'
import type { BundleOptions } from './batch.ts'
import { bundleLinks, type Identity, linkAddress } from './bundle-links.ts'
import { changeOf, commit, deletionOf, liveOf, storedOf } from './commit.ts'
import { resolveReferences } from './conditional-references.ts'
import { criteriaOf, multipleMatches } from './criteria.ts'
import { tooMany } from './delete.ts'
import { type Entry, entriesOf, errorInEntry, patchOf, readEntry } from './entry.ts'
import { answerGet, checkNoParameters } from './entry-get.ts'
import { deletedEntry, failedEntry, writtenEntry } from './entry-response.ts'
import { checkId, checkType } from './identity.ts'
import { indexRowsOfText } from './indexer.ts'
import { findInOverlay, type Overlay, type Pending, pendingRows } from './overlay.ts'
import { patched } from './patch.ts'
import { checkIfMatch, ifMatchVersions } from './preconditions.ts'
import { LOST, untilSettled } from './race.ts'
import type { Live } from './read.ts'
import { live } from './read.ts'
import { dangling, liveTargets, stillReferenced, unreferenced } from './references.ts'
import { plannedSearch } from './search.ts'
import { checkMatchId, checkSameId, takenId } from './update.ts'
import { vread } from './vread.ts'

/** An entry that writes, as it came: checked once, and the same in every attempt. */
interface Asked {
  entry: Entry
  /** The body of a POST or PUT, validated. */
  resource: Resource | undefined
  /** The id that it gets where a new one is needed. */
  newId: string
}

/** A write as one attempt has worked it out. */
interface Write {
  entry: Entry
  key: Key
  current: Stored | undefined
  method: Method
  pending: Pending
}

/** What one attempt knows. */
interface Attempt {
  overlay: Overlay
  writes: Write[]
  /** What the commit must find, and the entry that asks for it. */
  require: { require: Require; entry: Entry }[]
  identities: Map<string, Identity>
  /** Entries that write nothing: a conditional create that found its resource, a deletion of what is not there. */
  found: Map<number, Live>
  current: Map<Key, Stored>
}

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
  checkFullUrls(entries)
  const asked = entries
    .filter(entry => entry.method !== 'GET' && entry.method !== 'HEAD')
    .map(entry => inEntrySync(entry.index, () => ask(ctx, entry)))
  for (const entry of entries) if (isGet(entry)) inEntrySync(entry.index, () => checkGet(ctx, entry, options))
  return untilSettled(() => attempt(ctx, raw, entries, asked, options))
}

const isGet = (entry: Entry): boolean => entry.method === 'GET' || entry.method === 'HEAD'

function inEntrySync<T>(index: number, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw errorInEntry(error, index)
  }
}

async function inEntry<T>({ index }: Entry, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw errorInEntry(error, index)
  }
}

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
function ask(ctx: Context, entry: Entry): Asked {
  const { method, target, ifMatch } = entry
  checkType(ctx, target.type)
  if (ifMatch !== undefined) ifMatchVersions(ifMatch)
  if (target.id !== '') checkId(target.id, 'http.url')
  const newId = ctx.newId()
  if (method !== 'POST' && method !== 'PUT') return { entry, resource: undefined, newId }
  const resource = accept(ctx, entry.resource!, target.type, { conditionalReferences: true })
  if (method === 'PUT' && target.id !== '') checkSameId(resource, target.id)
  if (method === 'PUT' && target.id === '' && resource.id !== undefined)
    checkId(String(resource.id), `${target.type}.id`)
  return { entry, resource, newId }
}

/** Throws where a GET could never be answered, before anything is stored. */
function checkGet(ctx: Context, entry: Entry, options: BundleOptions): void {
  const { type, id, history, version, pairs, metadata } = entry.target
  if (metadata) return
  if (type !== '') checkType(ctx, type)
  if (id !== '' && (!history || version !== '')) checkNoParameters(entry, options)
  else if (!history) plannedSearch(ctx, type || undefined, pairs, options.lenient === true)
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

  const changes: Change[] = []
  for (const write of state.writes)
    inEntrySync(write.entry.index, () => changes.push(...prepare(ctx, state, write)))
  const gets = entries.filter(isGet)
  for (const entry of gets) await inEntry(entry, () => foresee(ctx, state, entry))

  let at = 0
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
  }
  const answers = new Array<BundleEntry>(raw.length)
  answerWrites(ctx, state, asked, changes, at, options, answers)
  for (const entry of gets) {
    // Everything is stored: a search that fails now can fail for itself only.
    answers[entry.index] = await answerGet(ctx, entry, options).catch(error =>
      failedEntry(errorInEntry(error, entry.index)),
    )
  }
  return answers
}

/** Reads the current versions of all resources that are named by id, in one go. */
async function begin(ctx: Context, asked: readonly Asked[]): Promise<Attempt> {
  const keys = asked.flatMap(({ entry: { target } }) =>
    target.id === '' ? [] : [keyOf(target.type, target.id)],
  )
  const state: Attempt = {
    overlay: new Map(),
    writes: [],
    require: [],
    identities: new Map(),
    found: new Map(),
    current: keys.length === 0 ? new Map() : new Map(await ctx.storage.readMany([...new Set(keys)])),
  }
  // Identities that need no search are known from the start, so that criteria see resources whose links are rewritten.
  for (const { entry, newId } of asked) {
    const { method, target } = entry
    if (method === 'POST' && entry.ifNoneExist === undefined) know(state, entry, keyOf(target.type, newId), 1)
    if ((method === 'PUT' || method === 'PATCH') && target.id !== '') {
      const key = keyOf(target.type, target.id)
      know(state, entry, key, (state.current.get(key)?.version ?? 0) + 1)
    }
  }
  return state
}

function know(state: Attempt, { fullUrl, target }: Entry, key: Key, version: number): void {
  if (fullUrl === undefined) return
  state.identities.set(linkAddress(fullUrl), { type: target.type, id: idOf(key), version })
}

/** Finds out which resource an entry is about, and puts what it makes of it into the overlay. */
async function identify(ctx: Context, state: Attempt, one: Asked): Promise<void> {
  const { entry } = one
  switch (entry.method) {
    case 'DELETE':
      return identifyDeletion(ctx, state, entry)
    case 'POST':
      return identifyCreate(ctx, state, one)
    case 'PUT':
      return identifyUpdate(ctx, state, one)
    default:
      return identifyPatch(ctx, state, one)
  }
}

function write(
  state: Attempt,
  entry: Entry,
  key: Key,
  current: Stored | undefined,
  resource: Resource | undefined,
): void {
  const pending: Pending = { resource }
  state.writes.push({ entry, key, current, method: entry.method as Method, pending })
  // A second write of one resource is refused later, when all identities are known.
  if (!state.overlay.has(key)) state.overlay.set(key, pending)
  if (resource !== undefined) know(state, entry, key, (current?.version ?? 0) + 1)
}

async function identifyDeletion(ctx: Context, state: Attempt, entry: Entry): Promise<void> {
  const { type, id, pairs } = entry.target
  if (id !== '') {
    const key = keyOf(type, id)
    const current = state.current.get(key)
    checkIfMatch(entry.ifMatch, current)
    write(state, entry, key, current, undefined)
    return
  }
  const most = ctx.settings.limits.entries
  const found = await find(ctx, state, entry, pairs, most)
  if (found.more) throw tooMany(most)
  if (found.now.length === 0) checkIfMatch(entry.ifMatch, undefined)
  for (const { key, stored } of found.now) {
    checkIfMatch(entry.ifMatch, stored)
    write(state, entry, key, stored, undefined)
  }
}

async function identifyCreate(
  ctx: Context,
  state: Attempt,
  { entry, resource, newId }: Asked,
): Promise<void> {
  const { type } = entry.target
  if (entry.ifNoneExist !== undefined) {
    const match = await findOne(ctx, state, entry, entry.ifNoneExist)
    if (match !== undefined) {
      const before = match.stored
      if (before !== undefined) state.found.set(entry.index, before as Live)
      know(state, entry, match.key, before?.version ?? versionMade(state, match.key))
      if (before === undefined) state.writes.push({ ...writeOf(state, match.key), entry })
      return
    }
  }
  write(state, entry, keyOf(type, newId), undefined, linked(state, entry, resource!))
}

async function identifyUpdate(
  ctx: Context,
  state: Attempt,
  { entry, resource, newId }: Asked,
): Promise<void> {
  const { type, id, pairs } = entry.target
  const body = resource!
  if (id !== '') {
    const current = state.current.get(keyOf(type, id))
    checkIfMatch(entry.ifMatch, current)
    write(state, entry, keyOf(type, id), current, linked(state, entry, body))
    return
  }
  const match = await findOne(ctx, state, entry, pairs)
  checkIfMatch(entry.ifMatch, match?.stored)
  if (match !== undefined) {
    checkMatchId(body, idOf(match.key))
    write(state, entry, match.key, match.stored, linked(state, entry, body))
    return
  }
  const own = (body.id as string | undefined) ?? newId
  const current = body.id === undefined ? undefined : await ctx.storage.read(keyOf(type, own))
  if (current?.text !== undefined) throw takenId(type, own)
  write(state, entry, keyOf(type, own), current, linked(state, entry, body))
}

async function identifyPatch(ctx: Context, state: Attempt, { entry }: Asked): Promise<void> {
  const { type, id, pairs } = entry.target
  const change = patchOf(ctx, entry)
  let key = keyOf(type, id)
  let stored = state.current.get(key)
  if (id === '') {
    const match = await findOne(ctx, state, entry, pairs)
    if (match === undefined) throw fhirError('not-found', `No ${type} matches the criteria.`)
    key = match.key
    stored = match.stored
  }
  if (state.overlay.has(key)) throw overlapping(key)
  const current = live(stored, type, idOf(key))
  checkIfMatch(entry.ifMatch, current)
  const resource = accept(ctx, patched(ctx, current, change), type, { conditionalReferences: true })
  write(state, entry, key, current, linked(state, entry, resource))
}

/** Returns what matches an entry's criteria in the transaction's view; the commit checks that the stored part of it still holds. */
async function find(
  ctx: Context,
  state: Attempt,
  entry: Entry,
  pairs: Entry['target']['pairs'],
  most: number,
) {
  const place = entry.ifNoneExist === undefined ? 'http.url' : 'http.ifNoneExist'
  const criteria = criteriaOf(ctx, entry.target.type, pairs, place)
  const found = await findInOverlay(ctx, state.overlay, criteria, most)
  const { plan, guard } = criteria
  if (!found.more) state.require.push({ require: { is: 'matches', plan, keys: found.before, guard }, entry })
  return found
}

async function findOne(ctx: Context, state: Attempt, entry: Entry, pairs: Entry['target']['pairs']) {
  const found = await find(ctx, state, entry, pairs, 1)
  // What a conditional update or patch would have hit before the transaction is its identity too.
  const other = entry.method === 'POST' ? undefined : found.before.find(key => state.overlay.has(key))
  if (other !== undefined) throw overlapping(other)
  if (found.more) throw multipleMatches(entry.target.type)
  return found.now[0]
}

const linked = (state: Attempt, entry: Entry, resource: Resource): Resource =>
  state.identities.size === 0 ? resource : mapLinks(resource, bundleLinks(state.identities, entry.fullUrl))

const writeOf = (state: Attempt, key: Key): Write => state.writes.find(one => one.key === key)!
const versionMade = (state: Attempt, key: Key): number => (writeOf(state, key).current?.version ?? 0) + 1

const overlapping = (key: Key) =>
  fhirError('invalid', `Another entry of the transaction is about ${key} too.`, { status: 400 })

/** Throws `invalid` where two entries write one resource. */
function checkOverlap(writes: readonly Write[]): void {
  const seen = new Map<Key, Pending>()
  for (const { key, pending, entry } of writes) {
    const other = seen.get(key)
    if (other !== undefined && other !== pending) throw errorInEntry(overlapping(key), entry.index)
    seen.set(key, pending)
  }
}

/** Rewrites links now that all identities are known, then resolves conditional references against what has come of it. */
async function link(ctx: Context, state: Attempt): Promise<void> {
  const replace = (write: Write, resource: Resource): void => {
    if (resource !== write.pending.resource) Object.assign(write.pending, { resource, index: undefined })
  }
  const writes = state.writes.filter(write => write.pending.resource !== undefined)
  for (const write of writes) replace(write, linked(state, write.entry, write.pending.resource!))
  const known = new Map<string, Promise<Key>>()
  for (const write of writes)
    await inEntry(write.entry, async () => {
      const { resource, targets } = await resolveReferences(
        ctx,
        state.overlay,
        write.pending.resource!,
        known,
      )
      for (const key of targets)
        if (!state.overlay.has(key)) state.require.push({ require: { is: 'live', key }, entry: write.entry })
      replace(write, resource)
    })
}

/** Returns the change of a write: none where there is nothing to delete, or where another entry makes it. */
function prepare(ctx: Context, state: Attempt, write: Write): Change[] {
  const { entry, key, current, method, pending } = write
  if (writeOf(state, key) !== write) return []
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
  return [
    changeOf(ctx, { key, id: idOf(key), version: (current?.version ?? 0) + 1, method, resource, index }),
  ]
}

/** Throws where a read would fail after the transaction: it fails the transaction before. */
async function foresee(ctx: Context, state: Attempt, entry: Entry): Promise<void> {
  const { type, id, version, history } = entry.target
  if (id === '') return
  const key = keyOf(type, id)
  const pending = state.overlay.get(key)
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
  for (const { entry } of asked) {
    const found = state.found.get(entry.index)
    const own = state.writes.filter(write => write.entry === entry)
    const changed = own.flatMap(({ key }) => made.get(key) ?? [])
    if (found !== undefined)
      answers[entry.index] = writtenEntry(ctx, { stored: found, created: false }, prefer)
    else if (entry.method === 'DELETE')
      answers[entry.index] = deletedEntry({ stored: changed.map(change => storedOf(change, at)) }, prefer)
    else {
      const write = own[0]!
      const created = writeOf(state, write.key).entry === entry && write.current?.text === undefined
      answers[entry.index] = writtenEntry(ctx, { stored: liveOf(changed[0]!, at), created }, prefer)
    }
  }
}
