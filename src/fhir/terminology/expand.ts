/**
 * The codes of a value set: its compose worked out, or the expansion it carries. Pure: who calls gives what fetches the definitions.
 * https://hl7.org/fhir/R4/valueset.html#compositions, https://hl7.org/fhir/R4/valueset.html#expansion
 */
import { isObject, type JsonObject, type Resource } from '../json.ts'
import { objects, text } from './code-system.ts'
import {
  type Coded,
  type Codes,
  checkSize,
  coded,
  type Definitions,
  EXPAND_LIMITS,
  type ExpandLimits,
  type ExpandOptions,
  fetchSystem,
  keyOfCode,
  put,
  spend,
  toil,
  type Work,
} from './expand-work.ts'
import { shown } from './filter.ts'
import { inactiveOf, ofSystem } from './include-system.ts'
import { NotListed } from './not-listed.ts'
import { isPartial } from './stored-expansion.ts'

/** The codes, each once; or a sentence that says why they cannot be listed, and how to mend it. */
export type Expansion =
  | {
      codes: readonly Coded[]
      used: ReadonlySet<string>
      /** Code systems of which only a part is held; without `ExpandOptions.parts` none. */
      partial: ReadonlySet<string>
    }
  | { unknown: string; kind: NotListed['kind'] }

/** Returns the codes of the value set that a canonical, or the resource itself, names; `used` has the systems they came from, as `url|version`. */
export async function expandValueSet(
  valueSet: string | Resource,
  definitions: Definitions,
  limits: ExpandLimits = EXPAND_LIMITS,
  options: ExpandOptions = {},
): Promise<Expansion> {
  const work: Work = {
    definitions,
    limits,
    options,
    fetched: 0,
    steps: 0,
    done: new Map(),
    used: new Set(),
    partial: new Set(),
  }
  try {
    const codes =
      typeof valueSet === 'string' ? await codesOf(valueSet, work, []) : await worked(valueSet, work, [])
    return { codes: [...codes.values()], used: work.used, partial: work.partial }
  } catch (error) {
    if (!(error instanceof NotListed)) throw error
    const name = typeof valueSet === 'string' ? valueSet : (text(valueSet.url) ?? 'that was sent')
    return {
      unknown: `The codes of the value set ${shown(name)} cannot be listed: ${error.message}.`,
      kind: error.kind,
    }
  }
}

/** `way` is the value sets that lead here, outermost first. */
async function codesOf(canonical: string, work: Work, way: readonly string[]): Promise<Codes> {
  const known = work.done.get(canonical)
  if (known !== undefined) return known
  if (way.includes(canonical)) throw new NotListed(`${shown(canonical)} includes itself`)
  if (way.length >= work.limits.depth)
    throw new NotListed(`value sets include each other more than ${work.limits.depth} deep`)
  spend(work)
  const { definitions, options } = work
  const found =
    (await definitions.valueSet(canonical)) ??
    (await definitions.listElsewhere?.({ valueSet: canonical }, way.length === 0 ? options.text : undefined))
  if (found === undefined)
    throw new NotListed(
      way.length === 0
        ? 'this server has no such ValueSet; store it here'
        : `it includes ${shown(canonical)}, and this server has no such ValueSet; store it here`,
      'not-found',
    )
  const codes = isList(found)
    ? new Map(found.map(one => [keyOfCode(one.system, one.code), one]))
    : await worked(found, work, [...way, canonical])
  checkSize(codes, work)
  work.done.set(canonical, codes)
  return codes
}

export const isList = (found: Resource | readonly Coded[]): found is readonly Coded[] => Array.isArray(found)

/** Returns the codes of the compose; where that cannot be worked out, of the expansion that is stored with it. */
async function worked(valueSet: Resource, work: Work, way: readonly string[]): Promise<Codes> {
  const { compose, expansion } = valueSet
  if (isObject(compose)) {
    try {
      return await composed(compose, work, way)
    } catch (error) {
      if (!(error instanceof NotListed) || !isObject(expansion)) throw error
    }
  }
  if (isObject(expansion)) return expanded(expansion, work)
  throw new NotListed(
    `${shown(way.at(-1) ?? text(valueSet.url) ?? '')} has neither a compose nor an expansion`,
  )
}

async function composed(compose: JsonObject, work: Work, way: readonly string[]): Promise<Codes> {
  const activeOnly = compose.inactive === false
  const codes: Codes = new Map()
  for (const include of objects(compose.include)) {
    const all = await included(include, work, way, activeOnly)
    const imported = activeOnly && text(include.system) === undefined
    const selected = imported ? await activeOf(all, work) : all
    toil(work, selected.size)
    for (const [key, one] of selected) codes.set(key, one)
    checkSize(codes, work)
  }
  for (const exclude of objects(compose.exclude)) {
    // Of a system that nobody knows here, codes of other systems need no more to be known.
    toil(work, codes.size)
    const system = text(exclude.system)
    if (system !== undefined && ![...codes.values()].some(one => one.system === system)) continue
    const selected = await included(exclude, work, way, false)
    toil(work, selected.size)
    const others: Coded[] = []
    for (const [key, one] of selected) if (!codes.delete(key)) others.push(one)
    await excludeAnyCase(codes, others, work)
  }
  return codes
}

/** Returns the codes of value sets, which may have inactive ones, without those. */
async function activeOf(codes: Codes, work: Work): Promise<Codes> {
  const bySystem = new Map<string, Coded[]>()
  for (const one of codes.values()) {
    const canonical = one.version === undefined ? one.system : `${one.system}|${one.version}`
    const known = bySystem.get(canonical)
    if (known === undefined) bySystem.set(canonical, [one])
    else known.push(one)
  }
  const active: Codes = new Map(codes)
  for (const [canonical, some] of bySystem) {
    const inactive = canonical === '' ? new Set() : await inactiveOf(canonical, some, work)
    for (const { system, code, entry } of some)
      if (inactive.has(code) || entry?.inactive === true) active.delete(keyOfCode(system, code))
  }
  return active
}

/** Takes out codes that are excluded in another case, where their system says that case does not matter. */
async function excludeAnyCase(codes: Codes, excluded: readonly Coded[], work: Work): Promise<void> {
  const folded = new Map<string, Set<string>>()
  for (const { system, code } of excluded) {
    const known = folded.get(system)
    if (known === undefined) folded.set(system, new Set([code.toLowerCase()]))
    else known.add(code.toLowerCase())
  }
  if (folded.size === 0) return
  toil(work, codes.size)
  const anyCase = new Map<string, boolean>()
  for (const [key, { system, code }] of codes) {
    if (!folded.get(system)?.has(code.toLowerCase())) continue
    const known = anyCase.get(system) ?? (await fetchSystem(system, work))?.caseSensitive === false
    anyCase.set(system, known)
    if (known) codes.delete(key)
  }
}

/** What an include, or exclude, selects: the codes of its system that are in each of its value sets. */
async function included(
  include: JsonObject,
  work: Work,
  way: readonly string[],
  activeOnly: boolean,
): Promise<Codes> {
  const system = text(include.system)
  const sets = Array.isArray(include.valueSet) ? include.valueSet : []
  const parts: Codes[] = []
  for (const one of sets) {
    const canonical = text(one)
    if (canonical === undefined) throw new NotListed('an include of it names a value set without an address')
    parts.push(await codesOf(canonical, work, way))
  }
  // What the system says of a code is more than what the value sets say.
  if (system !== undefined) parts.unshift(await ofSystem(system, include, work, activeOnly, parts))
  const [first, ...rest] = parts
  if (first === undefined) throw new NotListed('an include of it has neither a system nor a valueSet')
  if (rest.length === 0) return first
  toil(work, first.size * rest.length)
  return new Map([...first].filter(([key]) => rest.every(part => part.has(key))))
}

/** Returns the codes of a stored expansion. Throws NotListed for one that is a part only. */
export const expandedCodes = (expansion: JsonObject, limits: ExpandLimits): Codes =>
  expanded(expansion, { limits })

function expanded(expansion: JsonObject, work: Pick<Work, 'limits'>): Codes {
  const codes: Codes = new Map()
  let entries = 0
  const open = objects(expansion.contains)
  for (let at = 0; at < open.length; at++) {
    const one = open[at]!
    entries++
    const code = text(one.code)
    if (code !== undefined && one.abstract !== true) {
      const entry = one.contains === undefined ? one : { ...one, contains: undefined }
      put(codes, coded(text(one.system) ?? '', text(one.version), code, text(one.display), { entry }), work)
    }
    for (const below of objects(one.contains)) open.push(below)
  }
  if (isPartial(expansion, entries))
    throw new NotListed('the expansion that is stored with it is a part of the whole only')
  return codes
}
