/**
 * What an include of a compose selects of its code system.
 * https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose.include
 */
import type { Json, JsonObject } from '../json.ts'
import { type Concept, isInactive, objects, text } from './code-system.ts'
import { type Coded, type Codes, coded, fetchSystem, put, toil, tooMany, type Work } from './expand-work.ts'
import { readFilter, shown } from './filter.ts'
import { NotListed } from './not-listed.ts'

/**
 * Returns the codes; `within` are value sets of the same include, which the codes are crossed with.
 *
 * Throws NotListed where they cannot be listed.
 */
export async function ofSystem(
  system: string,
  include: JsonObject,
  work: Work,
  activeOnly: boolean,
  within: readonly Codes[],
): Promise<Codes> {
  const own = text(include.version)
  const version = work.options.version === undefined ? own : work.options.version(system, own)
  const canonical = version === undefined ? system : `${system}|${version}`
  const codes: Codes = new Map()
  const listed = objects(include.concept)
  const filters = objects(include.filter)
  // A list of codes needs no definition of the system, which may be unknown here.
  if (listed.length > 0 && filters.length === 0) {
    const inactive = activeOnly ? await inactiveOf(canonical, listed, work) : undefined
    for (const entry of listed) {
      const code = text(entry.code)
      if (code !== undefined && !inactive?.has(code))
        put(codes, coded(system, version, code, text(entry.display), { entry }), work)
    }
    work.used.add(canonical)
    return codes
  }
  const found = await fetchSystem(canonical, work)
  const only = listed.length > 0 ? listed.flatMap(one => text(one.code) ?? []) : undefined
  if (found === undefined || found.content !== 'complete') {
    const list = await listAsked(canonical, include, work, activeOnly, only, within)
    if (list !== undefined) {
      for (const one of list) put(codes, one, work)
      return codes
    }
  }
  if (found === undefined)
    throw new NotListed(
      `this server has no CodeSystem ${shown(canonical)}; store it here with all its concepts, or load a release of it`,
      'not-found',
    )
  const isPart = found.content === 'fragment' || found.content === 'example'
  if (isPart && work.options.parts) work.partial.add(canonical)
  else if (found.content !== 'complete')
    throw new NotListed(
      `the CodeSystem ${shown(canonical)} on this server is not complete (content is ${shown(found.content)}); store it with all its concepts`,
      'not-found',
    )
  const spent = (steps: number): void => toil(work, steps)
  const selects = filters.map(filter => readFilter(filter, found, spent))
  const chosen = only && new Set(only)
  toil(work, found.concepts.size)
  for (const concept of found.concepts.values()) {
    if (activeOnly && isInactive(concept)) continue
    if (chosen !== undefined && !chosen.has(concept.code)) continue
    if (selects.every(select => select(concept)))
      put(codes, coded(system, version, concept.code, concept.display, { concept }), work)
  }
  work.used.add(found.version === undefined ? system : `${system}|${found.version}`)
  return codes
}

/** Codes of a loaded release that are asked for at once. */
const AT_ONCE = 500

/** Returns which of the listed codes are known not to be active. */
export async function inactiveOf(
  canonical: string,
  listed: readonly { code?: Json }[],
  work: Work,
): Promise<Set<string>> {
  const codes = listed.flatMap(one => text(one.code) ?? [])
  const held = await fetchSystem(canonical, work)
  const isOut = (concept: Concept | undefined): boolean => concept !== undefined && isInactive(concept)
  if (held !== undefined && held.content === 'complete')
    return new Set(codes.filter(code => isOut(held.find(code))))
  const asked = await work.definitions.askedSystem?.(canonical)
  if (asked === undefined) return new Set(codes.filter(code => isOut(held?.find(code))))
  const found = new Set<string>()
  for (let at = 0; at < codes.length; at += AT_ONCE)
    for (const concept of await asked.some(codes.slice(at, at + AT_ONCE)))
      if (isOut(concept)) found.add(concept.code)
  return found
}

/** Returns the codes of a system that is asked, here or elsewhere; undefined where nobody knows it. */
async function listAsked(
  canonical: string,
  include: JsonObject,
  work: Work,
  activeOnly: boolean,
  only: readonly string[] | undefined,
  within: readonly Codes[],
): Promise<readonly Coded[] | undefined> {
  const { definitions, limits, options } = work
  const asked = await definitions.askedSystem?.(canonical)
  if (asked === undefined) {
    const list = await definitions.listElsewhere?.({ include }, options.text)
    if (list !== undefined) work.used.add(canonical)
    return list
  }
  const crossed = [...(within[0]?.values() ?? [])].filter(({ system }) => system === asked.url)
  const codes = only ?? (within.length > 0 ? crossed.map(({ code }) => code) : undefined)
  const { concepts, total } = await asked.list({
    filters: objects(include.filter),
    ...(codes !== undefined && { codes }),
    ...(options.text !== undefined && { text: options.text }),
    activeOnly,
    offset: 0,
    limit: limits.codes + 1,
  })
  if (total > limits.codes) throw tooMany(limits)
  work.used.add(asked.version === undefined ? asked.url : `${asked.url}|${asked.version}`)
  const version = text(include.version)
  return concepts.map(concept => coded(asked.url, version, concept.code, concept.display, { concept }))
}
