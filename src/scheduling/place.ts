/**
 * Places with what they are part of, and the zone that their clocks are in.
 * https://hl7.org/fhir/R4/location.html, http://hl7.org/fhir/StructureDefinition/timezone
 */
import type { Context } from '../context.ts'
import { isZone } from '../fhir/instant.ts'
import type { Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { liveResources } from './live-resources.ts'

const TIMEZONE = 'http://hl7.org/fhir/StructureDefinition/timezone'

/** A room, a floor, a building, a campus; what is part of itself ends here too. */
const MOST_LEVELS = 8

/** Returns each Location that is live, with all that it is part of behind it. */
export async function placesOf(ctx: Context, keys: readonly string[]): Promise<Map<string, Resource[]>> {
  const known = new Map<string, Resource>()
  let wanted = new Set(keys.filter(key => key.startsWith('Location/')))
  for (let level = 0; level < MOST_LEVELS && wanted.size > 0; level++) {
    const found = await liveResources(ctx, [...wanted] as Key[])
    for (const [key, place] of found) known.set(key, place)
    wanted = new Set(
      [...found.values()].flatMap(place => parentOf(ctx, place)).filter(key => !known.has(key)),
    )
  }
  const places = new Map<string, Resource[]>()
  for (const key of keys) if (known.has(key)) places.set(key, chainOf(ctx, key, known))
  return places
}

const parentOf = (ctx: Context, place: Resource): string[] =>
  keysOf(place.partOf, ctx.settings.baseUrl).filter(key => key.startsWith('Location/'))

function chainOf(ctx: Context, key: string, known: ReadonlyMap<string, Resource>): Resource[] {
  const chain: Resource[] = []
  for (let at: string | undefined = key; at !== undefined && chain.length < MOST_LEVELS; ) {
    const place = known.get(at)
    if (place === undefined || chain.includes(place)) break
    chain.push(place)
    at = parentOf(ctx, place)[0]
  }
  return chain
}

/** Returns the IANA zone of a place, that of the server where nothing else is said, or nothing that the runtime knows. */
export function zoneOf(ctx: Context, chain: readonly Resource[]): string {
  for (const place of chain)
    for (const { url, valueCode } of objects(place.extension))
      if (url === TIMEZONE && typeof valueCode === 'string' && isZone(valueCode)) return valueCode
  return ctx.settings.zone
}

/** Returns the zone of the first of these that is a Location with one; else that of the server. */
export async function zoneAt(ctx: Context, keys: readonly string[]): Promise<string> {
  const chains = [...(await placesOf(ctx, keys)).values()]
  return zoneOf(ctx, chains.flat())
}
