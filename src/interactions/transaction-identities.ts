/**
 * Which resource each entry of a transaction is about, and what it makes of it.
 * https://hl7.org/fhir/R4/http.html#trules
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { mapLinks } from '../fhir/links.ts'
import { idOf, type Key, keyOf, type Live, type Method, type Require, type Stored } from '../storage/port.ts'
import { accept } from './accept.ts'
import { bundleLinks, type Identity, linkAddress } from './bundle-links.ts'
import { resolveReferences } from './conditional-references.ts'
import { criteriaOf, multipleMatches } from './criteria.ts'
import { mostDeleted, tooMany } from './delete.ts'
import { type Entry, errorInEntry, inEntry, patchOf } from './entry.ts'
import {
  dependsOnWritten,
  findInOverlay,
  newOverlay,
  type Overlay,
  type Pending,
  setPending,
} from './overlay.ts'
import { patched } from './patch.ts'
import { checkIfMatch } from './preconditions.ts'
import { live } from './read.ts'
import { checkMatchId, takenId } from './update.ts'
import type { Pairs } from './written.ts'

/** An entry that writes, as it came: checked once, and the same in every attempt. */
export interface Asked {
  entry: Entry
  /** The body of a POST or PUT, validated. */
  resource: Resource | undefined
  /** The id that it gets where a new one is needed. */
  newId: string
}

/** A write as one attempt has worked it out. */
export interface Write {
  entry: Entry
  key: Key
  current: Stored | undefined
  method: Method
  pending: Pending
  /** Some reference of it is a search. */
  searches: boolean
  /** Its links are others than those that it came with. */
  relinked: boolean
}

/** What one attempt knows. */
export interface Attempt {
  overlay: Overlay
  /** How many entries write resources of a type. */
  writers: Map<string, number>
  writes: Write[]
  /** The write that makes the next version of a resource. */
  making: Map<Key, Write>
  /** Some identities were not known from the start, so that links have to be rewritten once more. */
  searched: boolean
  /** What the commit must find, and the entry that asks for it. */
  require: { require: Require; entry: Entry }[]
  identities: Map<string, Identity>
  /** Entries that write nothing: a conditional create that found its resource, a deletion of what is not there. */
  found: Map<number, Live>
  current: Map<Key, Stored>
  /** Stored resources that the criteria of all entries have found, one by one. */
  matched: number
}

/** Reads the current versions of all resources that are named by id, in one go. */
export async function begin(ctx: Context, asked: readonly Asked[]): Promise<Attempt> {
  const keys = asked.flatMap(({ entry: { target } }) =>
    target.id === '' ? [] : [keyOf(target.type, target.id)],
  )
  const state: Attempt = {
    overlay: newOverlay(),
    writers: new Map(),
    writes: [],
    making: new Map(),
    searched: false,
    require: [],
    identities: new Map(),
    found: new Map(),
    matched: 0,
    current: keys.length === 0 ? new Map() : new Map(await ctx.storage.readMany([...new Set(keys)])),
  }
  // Identities that need no search are known from the start, so that criteria see resources whose links are rewritten.
  for (const { entry, newId } of asked) {
    const { method, target } = entry
    state.writers.set(target.type, (state.writers.get(target.type) ?? 0) + 1)
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
export async function identify(ctx: Context, state: Attempt, one: Asked): Promise<void> {
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
  const made: Write = {
    entry,
    key,
    current,
    method: entry.method as Method,
    pending,
    searches: false,
    relinked: false,
  }
  state.writes.push(made)
  // A second write of one resource is refused later, when all identities are known.
  if (!state.overlay.pending.has(key)) {
    setPending(state.overlay, key, pending)
    state.making.set(key, made)
  }
  if (resource === undefined) return
  know(state, entry, key, (current?.version ?? 0) + 1)
  rewrite(state, made)
}

/** Rewrites the links of a pending resource as far as identities are known, and notes whether it has references that are searches. */
function rewrite(state: Attempt, write: Write): void {
  const links = bundleLinks(state.identities, write.entry.fullUrl)
  const resource = mapLinks(write.pending.resource!, (text, kind) => {
    if (kind === 'reference' && text.includes('?')) write.searches = true
    return links(text, kind)
  })
  put(state, write, resource)
}

function put({ overlay }: Attempt, write: Write, resource: Resource): void {
  const { key, pending } = write
  if (resource === pending.resource) return
  write.relinked = true
  pending.resource = resource
  // One of two writes of a resource is not in the overlay, and is refused in the end.
  if (overlay.pending.get(key) === pending) setPending(overlay, key, pending)
  else delete pending.index
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
  const found = await find(ctx, state, entry, pairs, mostDeleted(ctx))
  if (found.more) throw tooMany(ctx, type)
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
      if (before === undefined) state.writes.push({ ...state.making.get(match.key)!, entry })
      return
    }
  }
  write(state, entry, keyOf(type, newId), undefined, resource!)
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
    write(state, entry, keyOf(type, id), current, body)
    return
  }
  const match = await findOne(ctx, state, entry, pairs)
  checkIfMatch(entry.ifMatch, match?.stored)
  if (match !== undefined) {
    checkMatchId(body, idOf(match.key))
    write(state, entry, match.key, match.stored, body)
    return
  }
  const own = (body.id as string | undefined) ?? newId
  const current = body.id === undefined ? undefined : await ctx.storage.read(keyOf(type, own))
  if (current?.text !== undefined) throw takenId(type, own)
  write(state, entry, keyOf(type, own), current, body)
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
  if (state.overlay.pending.has(key)) throw overlapping(key)
  const current = live(stored, type, idOf(key))
  checkIfMatch(entry.ifMatch, current)
  const resource = await accept(ctx, patched(ctx, current, change), type, { links: 'open' })
  write(state, entry, key, current, resource)
}

/** Criteria find one resource each, as a rule; a deletion may find as many as there may be entries. */
const MATCHES_PER_ENTRY = 4

/** Returns what matches an entry's criteria in the transaction's view; the commit checks that the stored part of it still holds. */
async function find(ctx: Context, state: Attempt, entry: Entry, pairs: Pairs, most: number) {
  state.searched = true
  const place = entry.ifNoneExist === undefined ? 'http.url' : 'http.ifNoneExist'
  const criteria = await criteriaOf(ctx, entry.target.type, pairs, place)
  // Whatever the order of the entries, the answer is the same.
  for (const type of criteria.related)
    if ((state.writers.get(type) ?? 0) > (type === criteria.type ? 1 : 0)) throw dependsOnWritten(type)
  const found = await findInOverlay(ctx, state.overlay, criteria, most)
  // What a conditional update, patch or deletion would have hit before the transaction is its identity too.
  const other = entry.method === 'POST' ? undefined : found.before.find(key => state.overlay.pending.has(key))
  if (other !== undefined) throw overlapping(other)
  // Entries whose criteria all find what another deletes would each read and guard all of it.
  state.matched += found.before.length
  const enough = ctx.settings.limits.entries * MATCHES_PER_ENTRY
  if (state.matched > enough)
    throw fhirError('too-costly', `The criteria of the entries find more than ${enough} resources together.`)
  const { plan, guard } = criteria
  if (!found.more) state.require.push({ require: { is: 'matches', plan, keys: found.before, guard }, entry })
  return found
}

async function findOne(ctx: Context, state: Attempt, entry: Entry, pairs: Pairs) {
  const found = await find(ctx, state, entry, pairs, 1)
  if (found.more) throw multipleMatches(entry.target.type)
  return found.now[0]
}

/** Returns the version that the transaction makes of a resource. */
export const versionMade = (state: Attempt, key: Key): number =>
  (state.making.get(key)?.current?.version ?? 0) + 1

const overlapping = (key: Key) =>
  fhirError('invalid', `Another entry of the transaction is about ${key} too.`, { status: 400 })

/** Throws `invalid` where two entries write one resource. */
export function checkOverlap(writes: readonly Write[]): void {
  const seen = new Map<Key, Pending>()
  for (const { key, pending, entry } of writes) {
    const other = seen.get(key)
    if (other !== undefined && other !== pending) throw errorInEntry(overlapping(key), entry.index)
    seen.set(key, pending)
  }
}

/**
 * Rewrites links now that all identities are known, then resolves conditional references against what has come of it, and checks the
 * resources as they are then. Throws what `accept` throws.
 */
export async function link(ctx: Context, state: Attempt): Promise<void> {
  const writes = [...state.making.values()].filter(write => write.pending.resource !== undefined)
  if (state.searched) for (const write of writes) rewrite(state, write)
  const known = new Map<string, Promise<Key>>()
  for (const write of writes) {
    if (!write.searches) continue
    await inEntry(write.entry, async () => {
      const before = write.pending.resource!
      const { resource, targets } = await resolveReferences(ctx, state.overlay, before, known)
      for (const key of targets)
        if (!state.overlay.pending.has(key))
          state.require.push({ require: { is: 'live', key }, entry: write.entry })
      put(state, write, resource)
    })
  }
  for (const { entry, key, pending, relinked } of writes)
    if (relinked || ctx.settings.validate === 'profile')
      await inEntry(entry, () =>
        accept(ctx, pending.resource!, key.slice(0, key.indexOf('/')), { links: 'resolved' }),
      )
}
