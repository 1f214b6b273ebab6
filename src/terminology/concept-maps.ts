/**
 * The concept maps that a question without one may be about: by the systems and value sets that they lead between.
 * https://hl7.org/fhir/R4/conceptmap.html#search
 */
import { compareVersions } from '../conformance/canonical.ts'
import { searchPages } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import { builtInDefinition, builtInNames } from '../fhir/definitions/terminology.ts'
import { type Json, parseJson, type Resource } from '../fhir/json.ts'
import { objects, text } from '../fhir/terminology/code-system.ts'
import { anyOf } from '../search/ask.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import { tokenText } from '../search/params/token.ts'
import { checkTime } from './definitions.ts'

/** Maps of the store that are looked at. */
const MOST_MAPS = 100

export interface MapQuestion {
  system: string | undefined
  targetSystem: string | undefined
  /** Value sets. */
  source: string | undefined
  target: string | undefined
  reverse: boolean
}

/** Returns the maps, those of the store first, which also stand for those of the same url that are there at start. */
export async function conceptMapsFor(
  ctx: Context,
  question: MapQuestion,
  deadline: number,
): Promise<Resource[]> {
  const stored = await storedMaps(ctx, question, deadline)
  const urls = new Set(stored.map(({ url }) => url))
  const found = inForce(stored).filter(one => one.status !== 'retired' && fits(one, question))
  for (const name of builtInNames()) {
    const [type, url = ''] = name.split('|')
    if (type !== 'ConceptMap' || urls.has(url)) continue
    const map = await builtInDefinition('ConceptMap', url)
    if (map !== undefined && fits(map, question)) found.push(map)
  }
  return found
}

async function storedMaps(
  ctx: Context,
  { system, reverse }: MapQuestion,
  deadline: number,
): Promise<Resource[]> {
  if (system === undefined) return []
  checkTime(ctx, deadline)
  const rows = ctx.registry.param('ConceptMap', reverse ? 'target-system' : 'source-system')?.rows ?? []
  const where = anyOf(
    rows.map(param => ({ kind: 'uri', param, match: 'equals', value: tokenText(system) }) as const),
  )
  const plan = {
    types: ['ConceptMap'],
    where,
    sort: [],
    fingerprint: fingerprintOf(['ConceptMap'], where, []),
  }
  const found: Resource[] = []
  for await (const { rows } of searchPages(ctx, plan, { limit: MOST_MAPS, deadline })) {
    for (const row of rows) found.push(parseJson(row.text, Number.POSITIVE_INFINITY) as Resource)
    if (found.length >= MOST_MAPS) break
  }
  return found
}

/** Returns of each url the map that is in force: as with all definitions, the active one of the highest version. */
function inForce(maps: readonly Resource[]): Resource[] {
  const best = new Map<Json | Resource, Resource>()
  for (const one of maps) {
    const name = one.url ?? one
    const known = best.get(name)
    if (known === undefined || isAbove(one, known)) best.set(name, one)
  }
  return [...best.values()]
}

function isAbove(one: Resource, other: Resource): boolean {
  const active = Number(one.status === 'active') - Number(other.status === 'active')
  if (active !== 0) return active > 0
  return compareVersions(text(one.version)?.slice(0, 100) ?? '', text(other.version)?.slice(0, 100) ?? '') > 0
}

function fits(map: Resource, { system, targetSystem, source, target, reverse }: MapQuestion): boolean {
  const [from, to] = reverse ? [target, source] : [source, target]
  const set = (side: 'source' | 'target') => text(map[`${side}Uri`]) ?? text(map[`${side}Canonical`])
  const isSet = (asked: string | undefined, own: string | undefined): boolean =>
    asked === undefined || own === undefined || own.split('|')[0] === asked.split('|')[0]
  if (!isSet(from, set('source')) || !isSet(to, set('target'))) return false
  return objects(map.group).some(group => {
    const [own, other] = reverse ? [group.target, group.source] : [group.source, group.target]
    return (
      (system === undefined || own === system) &&
      (targetSystem === undefined || other === undefined || other === targetSystem)
    )
  })
}
