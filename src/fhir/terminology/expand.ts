/**
 * The codes of a value set: its compose worked out, or the expansion it carries. Pure: who calls gives what fetches the definitions.
 * https://hl7.org/fhir/R4/valueset.html#compositions, https://hl7.org/fhir/R4/valueset.html#expansion
 */
import { isObject, type Json, type JsonObject, type Resource } from '../json.ts'
import type { AskedSystem } from './asked-system.ts'
import { type CodeSystem, type Concept, isInactive, objects, text } from './code-system.ts'
import { readFilter, shown } from './filter.ts'
import type { AskedCode, Verdict } from './member.ts'
import { NotListed } from './not-listed.ts'
import { isPartial } from './stored-expansion.ts'

/** A code as an expansion lists it. */
export interface Coded {
  /** '' where there is none. */
  system: string
  code: string
  version?: string
  display?: string
  /** Its concept, where the code system was looked at. */
  concept?: Concept
  /** Its entry in the include of a compose that lists it, or in an expansion: designations stand there. */
  entry?: JsonObject
}

/** Where definitions come from; `canonical` is `url`, or `url|version`. */
export interface Definitions {
  /** Returns a ValueSet resource, or codes that are known without one; undefined where there is neither. */
  valueSet(canonical: string): Promise<Resource | readonly Coded[] | undefined>
  codeSystem(canonical: string): Promise<CodeSystem | undefined>
  /** Returns a code system that is asked code by code. */
  askedSystem?(canonical: string): Promise<AskedSystem | undefined>
  /** Returns what another server says of a code; undefined where it cannot tell. */
  elsewhere?(question: Elsewhere): Promise<Verdict | undefined>
  /** Returns the codes that another server has for a value set, or for an include; `text` narrows them. */
  listElsewhere?(
    what: { valueSet: string } | { include: JsonObject },
    text: string | undefined,
  ): Promise<readonly Coded[] | undefined>
}

/** A question about one code: of a value set by its canonical, or of one include of a compose. */
export type Elsewhere = AskedCode & ({ valueSet: string } | { include: JsonObject })

export interface ExpandLimits {
  codes: number
  /** Value sets within value sets. */
  depth: number
  /** Value sets and code systems that are fetched. */
  definitions: number
  /** Looks at a code, a value or a character of it; some 100 ns each. */
  steps: number
}

export const EXPAND_LIMITS: ExpandLimits = { codes: 10_000, depth: 16, definitions: 200, steps: 10_000_000 }

/** The codes, each once; or a sentence that says why they cannot be listed, and how to mend it. */
export type Expansion =
  | {
      codes: readonly Coded[]
      used: ReadonlySet<string>
      /** Code systems of which only a part is held; without `ExpandOptions.parts` none. */
      partial: ReadonlySet<string>
    }
  | { unknown: string; kind: NotListed['kind'] }

export interface ExpandOptions {
  /** Returns the version of a system that is taken, where the include says `own`, or none. May throw. */
  version?(system: string, own: string | undefined): string | undefined
  /** Words that loaded releases and other servers are asked with; codes that lack them may come all the same. */
  text?: string
  /** Code systems of which a part is held stand for what they have. */
  parts?: boolean
}

type Codes = Map<string, Coded>

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

interface Work {
  definitions: Definitions
  limits: ExpandLimits
  options: ExpandOptions
  used: Set<string>
  partial: Set<string>
  fetched: number
  steps: number
  /** Value sets that are worked out. */
  done: Map<string, Codes>
}

export const keyOfCode = (system: string, code: string): string => `${system}|${code}`

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

/** Adds a code. Throws NotListed where there are too many. */
function put(codes: Codes, one: Coded, work: Pick<Work, 'limits'>): void {
  codes.set(keyOfCode(one.system, one.code), one)
  checkSize(codes, work)
}

const coded = (
  system: string,
  version: string | undefined,
  code: string,
  display: string | undefined,
  from: Pick<Coded, 'concept' | 'entry'>,
): Coded => ({
  system,
  code,
  ...(version !== undefined && { version }),
  ...(display !== undefined && { display }),
  ...(from.concept !== undefined && { concept: from.concept }),
  ...(from.entry !== undefined && { entry: from.entry }),
})

/** `within`: value sets of the same include, which the codes are crossed with. */
async function ofSystem(
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
async function inactiveOf(
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

async function fetchSystem(canonical: string, work: Work) {
  spend(work)
  return work.definitions.codeSystem(canonical)
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

function checkSize(codes: Codes, { limits }: Pick<Work, 'limits'>): void {
  if (codes.size > limits.codes) throw tooMany(limits)
}

const tooMany = ({ codes }: ExpandLimits) => new NotListed(`it has more than ${codes} codes`, 'too-costly')

function spend(work: Work): void {
  if (++work.fetched > work.limits.definitions)
    throw new NotListed(
      `it is made of more than ${work.limits.definitions} value sets and code systems`,
      'too-costly',
    )
}

/** What is worked out at once keeps the server from everything else. */
function toil(work: Work, steps: number): void {
  work.steps += steps
  if (work.steps > work.limits.steps)
    throw new NotListed(
      'its filters and includes are too much work for the size of the code systems',
      'too-costly',
    )
}
