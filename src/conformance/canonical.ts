/**
 * Definitions on this server by their canonical addresses.
 * https://hl7.org/fhir/R4/references.html#canonical
 */
import type { Context } from '../context.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import { parseReference } from '../fhir/reference.ts'
import { allOf, anyOf } from '../search/ask.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import { stringToken, tokenText } from '../search/params/token.ts'
import type { Node } from '../search/plan-node.ts'
import { keyOf, type Live, type Storage } from '../storage/port.ts'
import { searchPages } from './search-pages.ts'

/** Types that are found by their url and version. */
export type DefinitionType = 'ValueSet' | 'CodeSystem' | 'ConceptMap'

/** Versions of one definition that are compared. */
const MOST_VERSIONS = 100

/**
 * Returns the definition that a canonical names: `url`, `url|version`, `Type/id`, or the address of a resource of this server. Where several
 * resources have the url and no version is asked for, it is the active one of the highest version, and of those the last one updated.
 * Undefined where there is none. Throws `too-costly` (503) where that is not known at the deadline, ms since 1970.
 */
export async function definitionOf(
  ctx: Context,
  type: DefinitionType | 'StructureDefinition',
  canonical: string,
  deadline = ctx.clock() + ctx.settings.limits.searchMs,
): Promise<Resource | undefined> {
  const bar = canonical.lastIndexOf('|')
  const url = bar < 0 ? canonical : canonical.slice(0, bar)
  const version = bar < 0 ? undefined : canonical.slice(bar + 1)
  const parsed = parseReference(url, ctx.settings.baseUrl)
  const local = parsed.kind === 'local' && parsed.type === type ? parsed : undefined
  if (local !== undefined) {
    const found = await ctx.storage.read(keyOf(type, local.id))
    if (found?.text !== undefined) {
      const resource = resourceOf(ctx, found as Live)
      if (version === undefined || resource.version === version) return resource
    }
  }
  const rows = (code: string) => ctx.registry.param(type, code)?.rows ?? []
  const where: Node[] = [
    anyOf(rows('url').map(param => ({ kind: 'uri', param, match: 'equals', value: tokenText(url) }))),
  ]
  if (version !== undefined)
    where.push(anyOf(rows('version').map(param => ({ kind: 'token', param, code: stringToken(version) }))))
  const node = allOf(where)
  const plan = { types: [type], where: node, sort: [], fingerprint: fingerprintOf([type], node, []) }
  let best: Candidate | undefined
  let left = MOST_VERSIONS
  for await (const { rows: found } of searchPages(ctx, plan, { limit: MOST_VERSIONS, deadline })) {
    for (const row of found.slice(0, left)) {
      const candidate = { resource: resourceOf(ctx, row), at: row.at }
      if (version !== undefined && candidate.resource.version !== version) continue
      if (best === undefined || isNewer(candidate, best)) best = candidate
    }
    left -= found.length
    if (left <= 0) break
  }
  return best?.resource
}

/** Characters of the texts whose trees are kept: a code system of megabytes takes longer to parse than to ask. */
const MOST_KEPT = 16_000_000

interface Kept {
  trees: Map<string, { resource: Resource; length: number }>
  length: number
}

const kept = new WeakMap<Storage, Kept>()

/** Returns the tree of a version, which never changes: nobody may write into it. */
function resourceOf({ storage }: Context, { key, version, at, text }: Live): Resource {
  const name = `${key} ${version} ${at}`
  const cache = kept.get(storage) ?? { trees: new Map(), length: 0 }
  kept.set(storage, cache)
  const known = cache.trees.get(name)
  const one = known ?? {
    resource: parseJson(text, Number.POSITIVE_INFINITY) as Resource,
    length: text.length,
  }
  // What was asked for last stands last, and what stands first goes first.
  if (known === undefined) cache.length += one.length
  else cache.trees.delete(name)
  cache.trees.set(name, one)
  for (const [oldest, { length }] of cache.trees) {
    if (cache.length <= MOST_KEPT) break
    cache.trees.delete(oldest)
    cache.length -= length
  }
  return one.resource
}

type Candidate = { resource: Resource; at: number }

function isNewer(a: Candidate, b: Candidate): boolean {
  const active = Number(isActive(a)) - Number(isActive(b))
  if (active !== 0) return active > 0
  const versions = compareVersions(versionOf(a), versionOf(b))
  return versions !== 0 ? versions > 0 : a.at > b.at
}

const isActive = ({ resource }: Candidate): boolean => resource.status === 'active'
const versionOf = ({ resource }: Candidate): string =>
  typeof resource.version === 'string' ? resource.version.slice(0, 100) : ''

/** Returns below 0, 0 or above 0: runs of digits are compared as numbers (`4.10` is above `4.9`, `20240101` above `20231231`). */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i], right[i]]
    if (x === y) continue
    // What goes on is above what ends: 1.2.1 is above 1.2.
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1
    const [m, n] = [Number(x), Number(y)]
    if (Number.isNaN(m) || Number.isNaN(n)) return x < y ? -1 : 1
    if (m !== n) return m - n
  }
  return 0
}

const partsOf = (version: string): string[] => version.match(/[0-9]{1,15}|[^0-9.]+/g) ?? []
