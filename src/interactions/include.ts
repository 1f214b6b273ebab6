/**
 * Resources that come along with those that match: what they refer to, and what refers to them.
 * https://hl7.org/fhir/R4/search.html#include, https://hl7.org/fhir/R4/search.html#revinclude
 */
import { isGranted } from '../auth/grants.ts'
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import type { Include } from '../search/include-params.ts'
import type { Node } from '../search/plan-node.ts'
import { type Explained, type Key, type Live, typeOf } from '../storage/port.ts'
import {
  addWants,
  businessVersion,
  newWants,
  nodesOf,
  refers,
  urlParam,
  type Wants,
} from './include-wants.ts'
import { indexRowsOfText } from './indexer.ts'
import { readEach } from './read-each.ts'

export interface IncludeOptions {
  /** ms since 1970: no level begins after it. */
  deadline: number
  /** Characters of resources that the answer still holds. */
  room: number
  explain: boolean
}

export interface Included {
  /** Level by level, in the order of the resources that brought them. */
  rows: readonly Live[]
  explained: readonly Explained[]
}

/** What is looked for at most in one search, and versions read at once. */
const MOST_NODES = 20_000
const VERSIONS_AT_ONCE = 16

/** The page so far. */
interface Found {
  rows: Live[]
  /** Matches and includes: `Patient/1 3`. */
  seen: Set<string>
  /** Those of them that are the current version. */
  current: Set<Key>
  room: number
  explained: Explained[]
}

const versionOf = ({ key, version }: Live): string => `${key} ${version}`

/**
 * Returns the resources that the includes add to the matches of a page, each version once, none that is a match. What is not there, is
 * deleted or is on another server is left out. A reference to a version brings that version of a resource that is not deleted.
 *
 * Throws `too-costly` (400) for more resources than the limit or than one answer holds, and (503) when time has run out.
 */
export async function included(
  ctx: Context,
  matches: readonly Live[],
  includes: readonly Include[],
  options: IncludeOptions,
): Promise<Included> {
  const found: Found = {
    rows: [],
    seen: new Set(matches.map(versionOf)),
    current: new Set(matches.map(({ key }) => key)),
    room: options.room,
    explained: [],
  }
  let apply = includes
  for (let level = matches; level.length > 0 && apply.length > 0; ) {
    if (ctx.clock() > options.deadline)
      throw tooCostly('Finding the includes takes too long: ask for fewer of them.', 503)
    const wants = newWants()
    for (const row of level) addWants(ctx, wants, row, apply)
    const [current, versions, definitions, referring] = await Promise.all([
      readCurrent(ctx, wants, found),
      readVersions(ctx, wants, found),
      searchUrls(ctx, wants, found, options),
      searchReferring(ctx, wants, found, options),
    ])
    level = [
      ...add(ctx, found, current, true),
      ...add(ctx, found, versions, false),
      ...add(ctx, found, definitions, true),
      ...add(ctx, found, referring, true),
    ]
    apply = includes.filter(({ iterate }) => iterate)
  }
  return found
}

const tooCostly = (why: string, status = 400) =>
  fhirError('too-costly', why, { status, expression: 'http._include' })

const tooLarge = () =>
  tooCostly('The includes are too large for one page: ask for fewer matches with _count.')

const tooMany = (ctx: Context) =>
  tooCostly(
    `The includes add more than ${ctx.settings.limits.includes} resources to this page (NADI_INCLUDE_LIMIT): ask for fewer matches with _count, or for fewer includes.`,
  )

/** Adds what is not on the page yet, and returns it. */
function add(ctx: Context, found: Found, rows: readonly Live[], isCurrent: boolean): Live[] {
  const added: Live[] = []
  for (const row of rows) {
    if (found.seen.has(versionOf(row)) || !isGranted(ctx.principal.grants, 'read', typeOf(row.key))) continue
    found.seen.add(versionOf(row))
    if (isCurrent) found.current.add(row.key)
    found.room -= row.text.length
    found.rows.push(row)
    added.push(row)
  }
  if (found.rows.length > ctx.settings.limits.includes) throw tooMany(ctx)
  if (added.length > 0 && found.room < 0) throw tooLarge()
  return added
}

/** Returns the current versions that are there. */
async function readCurrent(ctx: Context, { keys }: Wants, found: Found): Promise<Live[]> {
  const asked = [...keys.keys()].filter(key => !found.current.has(key))
  const rows: Live[] = []
  let { room } = found
  for await (const row of readEach(ctx, asked)) {
    if (!isOfVersion(row, keys.get(row.key)!)) continue
    rows.push(row)
    room -= row.text.length
    // The rest is not read where these are too many already: `add` says so.
    if (room < 0 || found.rows.length + rows.length > ctx.settings.limits.includes + found.seen.size) break
  }
  return rows
}

/** Whether one of the business versions will do; '' is any. */
function isOfVersion({ text }: Live, versions: ReadonlySet<string>): boolean {
  if (versions.has('')) return true
  return versions.has(businessVersion(text))
}

/** Returns the versions that are there, of resources that are there still: what was deleted does not come back by its history. */
async function readVersions(ctx: Context, { versions }: Wants, found: Found): Promise<Live[]> {
  const wanted = [...versions.values()].slice(0, ctx.settings.limits.includes + 1)
  const live = new Set(found.current)
  const unknown = [...new Set(wanted.map(({ key }) => key))].filter(key => !live.has(key))
  for await (const { key } of readEach(ctx, unknown)) live.add(key)
  const asked = wanted.filter(({ key }) => live.has(key))
  const rows: Live[] = []
  let { room } = found
  for (let at = 0; at < asked.length; at += VERSIONS_AT_ONCE) {
    const part = asked.slice(at, at + VERSIONS_AT_ONCE)
    const stored = await Promise.all(part.map(({ key, version }) => ctx.storage.read(key, { version })))
    for (const row of stored) {
      if (row?.text === undefined) continue
      rows.push(row as Live)
      room -= row.text.length
    }
    if (room < 0) break
  }
  return rows
}

/** Returns the definitions that have these canonical URLs. */
async function searchUrls(
  ctx: Context,
  { urls }: Wants,
  found: Found,
  options: IncludeOptions,
): Promise<Live[]> {
  const types = new Set<string>()
  const nodes: Node[] = []
  for (const [url, { types: of }] of urls)
    for (const type of of) {
      types.add(type)
      nodes.push({ kind: 'uri', param: urlParam(ctx, type)!, match: 'equals', value: url })
    }
  const rows = await searchAny(ctx, [...types], nodes, found, options)
  return rows.filter(row => {
    const { url } = parseJson(row.text, Number.POSITIVE_INFINITY) as Resource
    const asked = typeof url === 'string' ? urls.get(url) : undefined
    return asked === undefined || isOfVersion(row, asked.versions)
  })
}

/** Returns what refers to the level. */
async function searchReferring(
  ctx: Context,
  { reverse }: Wants,
  found: Found,
  options: IncludeOptions,
): Promise<Live[]> {
  const types = new Set(reverse.map(({ type }) => type))
  const rows = await searchAny(ctx, [...types], reverse.flatMap(nodesOf), found, options)
  const versioned = new Set(reverse.flatMap(one => (one.versions === undefined ? [] : [one.type])))
  return rows.filter(row => {
    const type = typeOf(row.key)
    if (!versioned.has(type)) return true
    const index = indexRowsOfText(ctx, row.text)
    return reverse.some(one => one.type === type && index.some(each => refers(one, each)))
  })
}

/** Returns the resources of these types for which one of the nodes holds, as far as the page can take them. */
async function searchAny(
  ctx: Context,
  types: readonly string[],
  nodes: readonly Node[],
  found: Found,
  { deadline, explain }: IncludeOptions,
): Promise<Live[]> {
  if (nodes.length === 0) return []
  if (nodes.length > MOST_NODES)
    throw tooCostly('What refers to so many resources is too much to look for: ask for fewer with _count.')
  const where: Node = { kind: 'or', nodes }
  const plan = { types, where, sort: [], fingerprint: fingerprintOf(types, where, []) }
  // Those that are on the page already do not count, wherever they stand.
  const limit = ctx.settings.limits.includes - found.rows.length + found.seen.size + 1
  const page = await ctx.storage.search(plan, {
    limit,
    total: 'none',
    deadline,
    bytes: Math.max(found.room, 1),
    explain,
  })
  if (page.explained !== undefined) found.explained.push(page.explained)
  if (page.more) throw page.rows.length < limit ? tooLarge() : tooMany(ctx)
  return page.rows as Live[]
}
