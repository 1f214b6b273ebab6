/**
 * Whether a code is in a value set, without listing the value set: in, out, or not to be told from what is held here.
 * https://hl7.org/fhir/R4/valueset.html#compositions
 */
import { isObject, type JsonObject, type Resource } from '../json.ts'
import { type CodeSystem, type Concept, isInactive, objects, text } from './code-system.ts'
import { expandedCodes, isList } from './expand.ts'
import { type Coded, type Definitions, EXPAND_LIMITS, type ExpandLimits } from './expand-work.ts'
import { readFilter, shown } from './filter.ts'
import { NotListed } from './not-listed.ts'

export interface AskedCode {
  /** Undefined: whatever system of the value set has the code. */
  system: string | undefined
  code: string
  /** The version of the system. */
  version?: string
}

export interface In {
  is: 'in'
  system: string
  code: string
  version?: string
  /** As the value set calls it, or the code system. */
  display?: string
  concept?: Concept
  /** What the value set says of the code itself: designations stand there. */
  entry?: JsonObject
}

/** `plain`: `why` says no more than that the value set does not have the code. */
interface Out {
  is: 'out'
  why: string
  plain?: true
}

/** `why` is a sentence without its full stop. */
export type Verdict = In | Out | { is: 'unknown'; why: string; system?: string }

/** Returns whether the code is in the value set that a canonical, or the resource itself, names. */
export async function memberOf(
  valueSet: string | Resource,
  asked: AskedCode,
  definitions: Definitions,
  limits: ExpandLimits = EXPAND_LIMITS,
): Promise<Verdict> {
  const work: Work = { definitions, limits, fetched: 0, steps: 0, verdicts: new Map() }
  try {
    return typeof valueSet === 'string'
      ? await inNamed(valueSet, asked, work, [])
      : await inResource(valueSet, asked, work, [])
  } catch (error) {
    if (!(error instanceof NotListed)) throw error
    return { is: 'unknown', why: error.message }
  }
}

interface Work {
  definitions: Definitions
  limits: ExpandLimits
  fetched: number
  steps: number
  verdicts: Map<string, Verdict>
}

function spend(work: Work): void {
  if (++work.fetched > work.limits.definitions)
    throw new NotListed(`it is made of more than ${work.limits.definitions} value sets and code systems`)
}

const toil = (work: Work, steps: number): void => {
  work.steps += steps
  if (work.steps > work.limits.steps)
    throw new NotListed('its filters and includes are too much work for the size of the code systems')
}

const out = (why: string): Verdict => ({ is: 'out', why })
const unknown = (why: string, system?: string): Verdict => ({
  is: 'unknown',
  why,
  ...(system !== undefined && { system }),
})

async function inNamed(
  canonical: string,
  asked: AskedCode,
  work: Work,
  way: readonly string[],
): Promise<Verdict> {
  if (way.includes(canonical)) throw new NotListed(`${shown(canonical)} includes itself`)
  if (way.length >= work.limits.depth)
    throw new NotListed(`value sets include each other more than ${work.limits.depth} deep`)
  // An include may have told the system of a bare code, which another include has not.
  const key = JSON.stringify([canonical, asked.system, asked.code])
  const known = work.verdicts.get(key)
  if (known !== undefined) return known
  spend(work)
  const found = await work.definitions.valueSet(canonical)
  const verdict =
    found === undefined
      ? ((await work.definitions.elsewhere?.({ valueSet: canonical, ...asked })) ??
        unknown(`this server has no ValueSet ${shown(canonical)}`))
      : isList(found)
        ? inList(found, asked, canonical)
        : await inResource(found, asked, work, [...way, canonical])
  work.verdicts.set(key, verdict)
  return verdict
}

const notIn = (asked: AskedCode, name: string): Verdict => ({
  is: 'out',
  plain: true,
  why: `the code ${shown(asked.code)}${asked.system === undefined ? '' : ` of ${shown(asked.system)}`} is not in the value set ${name === '' ? 'that was sent' : shown(name)}`,
})

function inList(list: Iterable<Coded>, asked: AskedCode, name: string): Verdict {
  const found: Coded[] = []
  for (const one of list)
    if (one.code === asked.code && (asked.system === undefined || one.system === asked.system))
      found.push(one)
  if (found.length === 0) return notIn(asked, name)
  if (new Set(found.map(({ system }) => system)).size > 1)
    return out(
      `${asked.code} stands for ${found.length} codes of the value set ${shown(name)}: send the system`,
    )
  return { is: 'in', ...found[0]! }
}

async function inResource(
  valueSet: Resource,
  asked: AskedCode,
  work: Work,
  way: readonly string[],
): Promise<Verdict> {
  const { compose, expansion } = valueSet
  const name = text(valueSet.url) ?? way.at(-1) ?? ''
  const composed = isObject(compose) ? await inCompose(compose, asked, work, way, name) : undefined
  if (composed !== undefined && (composed.is !== 'unknown' || !isObject(expansion))) return composed
  if (isObject(expansion))
    try {
      return inList(expandedCodes(expansion, work.limits).values(), asked, name)
    } catch (error) {
      if (!(error instanceof NotListed) || composed === undefined) throw error
      return composed
    }
  return composed ?? unknown(`${shown(name)} has neither a compose nor an expansion`)
}

async function inCompose(
  compose: JsonObject,
  asked: AskedCode,
  work: Work,
  way: readonly string[],
  name: string,
): Promise<Verdict> {
  const verdict = await inAny(objects(compose.include), asked, work, way, name)
  if (verdict.is === 'out') return verdict
  const exact: AskedCode =
    verdict.is === 'in' ? { ...asked, system: verdict.system, code: verdict.code } : asked
  const excluded = await inAny(objects(compose.exclude), exact, work, way, name)
  if (excluded.is === 'in') return notIn(asked, name)
  if (excluded.is === 'unknown') return excluded
  if (verdict.is === 'in' && compose.inactive === false) {
    const concept = verdict.concept ?? (await conceptOf(verdict, work))
    if ((concept !== undefined && isInactive(concept)) || verdict.entry?.inactive === true)
      return out(`${verdict.code} is not active, and the value set ${shown(name)} has active codes only`)
  }
  return verdict
}

async function conceptOf({ system, version, code }: In, work: Work): Promise<Concept | undefined> {
  spend(work)
  const canonical = version === undefined ? system : `${system}|${version}`
  const held = await work.definitions.codeSystem(canonical)
  if (held !== undefined) return held.find(code)
  return (await work.definitions.askedSystem?.(canonical))?.find(code)
}

async function inAny(
  includes: readonly JsonObject[],
  asked: AskedCode,
  work: Work,
  way: readonly string[],
  name: string,
): Promise<Verdict> {
  let open: Verdict | undefined
  const found: In[] = []
  for (const include of includes) {
    const verdict = await inInclude(include, asked, work, way, name)
    if (verdict.is === 'in') {
      if (asked.system !== undefined) return verdict
      found.push(verdict)
    } else if (verdict.is === 'unknown') open ??= verdict
    else if (includes.length === 1) return verdict
  }
  if (new Set(found.map(({ system }) => system)).size > 1)
    return out(`${asked.code} is in several systems of the value set ${shown(name)}: send the system`)
  return found[0] ?? open ?? notIn(asked, name)
}

async function inInclude(
  include: JsonObject,
  asked: AskedCode,
  work: Work,
  way: readonly string[],
  name: string,
): Promise<Verdict> {
  const system = text(include.system)
  const sets = Array.isArray(include.valueSet) ? include.valueSet : []
  if (system === undefined && sets.length === 0)
    throw new NotListed('an include of it has neither a system nor a valueSet')
  let verdict: Verdict | undefined
  if (system !== undefined) {
    verdict = await inSystem(system, include, asked, work, name)
    if (verdict.is === 'out') return verdict
  }
  let exact = verdict?.is === 'in' ? { ...asked, system: verdict.system, code: verdict.code } : asked
  for (const one of sets) {
    const canonical = text(one)
    if (canonical === undefined) throw new NotListed('an include of it names a value set without an address')
    const inSet = await inNamed(canonical, exact, work, way)
    if (inSet.is === 'out') return notIn(asked, name)
    if (inSet.is === 'in') exact = { ...asked, system: inSet.system, code: inSet.code }
    if (verdict === undefined || (verdict.is === 'in' && inSet.is === 'unknown')) verdict = inSet
  }
  return verdict!
}

async function inSystem(
  system: string,
  include: JsonObject,
  asked: AskedCode,
  work: Work,
  name: string,
): Promise<Verdict> {
  if (asked.system !== undefined && asked.system !== system) return notIn(asked, name)
  const own = text(include.version)
  if (own !== undefined && asked.version !== undefined && own !== asked.version) return notIn(asked, name)
  const version = own ?? asked.version
  const listed = objects(include.concept)
  const filters = objects(include.filter)
  if (listed.length > 0 && filters.length === 0) {
    toil(work, listed.length)
    const one =
      listed.find(({ code }) => code === asked.code) ??
      (await otherCase(system, listed, asked, work, version))
    if (one === undefined) return notIn(asked, name)
    const display = text(one.display)
    return { ...found(system, String(one.code), version, display), entry: one }
  }
  spend(work)
  const canonical = version === undefined ? system : `${system}|${version}`
  const held = await work.definitions.codeSystem(canonical)
  if (held !== undefined && isWhole(held)) return inHeld(held, system, filters, listed, asked, work, name)
  const large = await work.definitions.askedSystem?.(canonical)
  if (large !== undefined) {
    if (listed.length > 0 && !listed.some(({ code }) => code === asked.code)) return notIn(asked, name)
    const concept = await large.find(asked.code)
    if (concept === undefined && large.doubts?.(asked.code))
      return unknown(`whether ${asked.code} is a code of ${shown(system)} is not known here`, system)
    if (concept === undefined)
      return out(`${shown(asked.code)} is no code of the code system ${shown(system)}`)
    if (!(await large.selects(filters, concept.code))) return notIn(asked, name)
    return found(system, concept.code, large.version, concept.display, concept)
  }
  if (held !== undefined && isPart(held) && filters.length === 0) {
    // A part of a system says for certain only what is in it.
    const concept = held.find(asked.code)
    if (concept !== undefined) return found(system, concept.code, held.version, concept.display, concept)
  }
  const elsewhere = await work.definitions.elsewhere?.({ include, ...asked, system })
  if (elsewhere !== undefined) return elsewhere
  return unknown(
    held === undefined
      ? `this server has no CodeSystem ${shown(canonical)}`
      : `the CodeSystem ${shown(canonical)} on this server is not complete (content is ${shown(held.content)})`,
    system,
  )
}

const isWhole = ({ content }: CodeSystem): boolean => content === 'complete'
const isPart = ({ content }: CodeSystem): boolean => content === 'fragment' || content === 'example'

function inHeld(
  held: CodeSystem,
  system: string,
  filters: readonly JsonObject[],
  listed: readonly JsonObject[],
  asked: AskedCode,
  work: Work,
  name: string,
): Verdict {
  const concept = held.find(asked.code)
  if (concept === undefined) return out(`${shown(asked.code)} is no code of the code system ${shown(system)}`)
  if (listed.length > 0 && !listed.some(({ code }) => held.find(text(code) ?? '') === concept))
    return notIn(asked, name)
  for (const filter of filters)
    if (!readFilter(filter, held, steps => toil(work, steps))(concept)) return notIn(asked, name)
  return found(system, concept.code, held.version, concept.display, concept)
}

/** Returns the listed concept whose code differs in case alone, where its system says that this does not matter. */
async function otherCase(
  system: string,
  listed: readonly JsonObject[],
  asked: AskedCode,
  work: Work,
  version: string | undefined,
): Promise<JsonObject | undefined> {
  const folded = asked.code.toLowerCase()
  const near = listed.find(({ code }) => typeof code === 'string' && code.toLowerCase() === folded)
  if (near === undefined) return undefined
  spend(work)
  const held = await work.definitions.codeSystem(version === undefined ? system : `${system}|${version}`)
  const meant = held?.find(asked.code)
  return meant !== undefined && meant === held?.find(String(near.code)) ? near : undefined
}

const found = (
  system: string,
  code: string,
  version: string | undefined,
  display: string | undefined,
  concept?: Concept,
): In => ({
  is: 'in',
  system,
  code,
  ...(version !== undefined && { version }),
  ...(display !== undefined && { display }),
  ...(concept !== undefined && { concept }),
})
