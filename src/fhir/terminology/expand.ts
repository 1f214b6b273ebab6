/**
 * The codes of a value set: its compose worked out, or the expansion it carries. Pure: who calls gives what fetches the definitions.
 * https://hl7.org/fhir/R4/valueset.html#compositions, https://hl7.org/fhir/R4/valueset.html#expansion
 */
import { isObject, type JsonObject, NumberText, type Resource } from '../json.ts'
import type { AskedSystem } from './asked-system.ts'
import { type CodeSystem, isInactive, objects, text } from './code-system.ts'
import { readFilter, shown } from './filter.ts'
import type { AskedCode, Verdict } from './member.ts'
import { NotListed } from './not-listed.ts'

/** A code as an expansion lists it. */
export interface Coded {
  /** '' where there is none. */
  system: string
  code: string
  version?: string
  display?: string
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
export type Expansion = { codes: readonly Coded[] } | { unknown: string }

type Codes = Map<string, Coded>

/** Returns the codes of the value set that a canonical names. */
export async function expandValueSet(
  canonical: string,
  definitions: Definitions,
  limits: ExpandLimits = EXPAND_LIMITS,
): Promise<Expansion> {
  const work: Work = { definitions, limits, fetched: 0, steps: 0, done: new Map() }
  try {
    return { codes: [...(await codesOf(canonical, work, [])).values()] }
  } catch (error) {
    if (!(error instanceof NotListed)) throw error
    return { unknown: `The codes of the value set ${shown(canonical)} cannot be listed: ${error.message}.` }
  }
}

interface Work {
  definitions: Definitions
  limits: ExpandLimits
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
  const found = await work.definitions.valueSet(canonical)
  if (found === undefined)
    throw new NotListed(
      way.length === 0
        ? 'this server has no such ValueSet; store it here'
        : `it includes ${shown(canonical)}, and this server has no such ValueSet; store it here`,
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
  throw new NotListed(`${shown(way.at(-1)!)} has neither a compose nor an expansion`)
}

async function composed(compose: JsonObject, work: Work, way: readonly string[]): Promise<Codes> {
  const activeOnly = compose.inactive === false
  const codes: Codes = new Map()
  for (const include of objects(compose.include)) {
    const selected = await included(include, work, way, activeOnly)
    toil(work, selected.size)
    for (const [key, one] of selected) codes.set(key, one)
    checkSize(codes, work)
  }
  for (const exclude of objects(compose.exclude)) {
    const selected = await included(exclude, work, way, false)
    toil(work, selected.size)
    for (const key of selected.keys()) codes.delete(key)
  }
  return codes
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
  if (system !== undefined) parts.push(await ofSystem(system, include, work, activeOnly))
  const [first, ...rest] = parts
  if (first === undefined) throw new NotListed('an include of it has neither a system nor a valueSet')
  if (rest.length === 0) return first
  toil(work, first.size * rest.length)
  return new Map([...first].filter(([key]) => rest.every(part => part.has(key))))
}

interface Found {
  system: string
  code: string
  version: string | undefined
  display: string | undefined
}

/** Adds a code. Throws NotListed where there are too many. */
function put(codes: Codes, { system, code, version, display }: Found, work: Pick<Work, 'limits'>): void {
  codes.set(keyOfCode(system, code), {
    system,
    code,
    ...(version === undefined ? {} : { version }),
    ...(display === undefined ? {} : { display }),
  })
  checkSize(codes, work)
}

async function ofSystem(
  system: string,
  include: JsonObject,
  work: Work,
  activeOnly: boolean,
): Promise<Codes> {
  const version = text(include.version)
  const codes: Codes = new Map()
  const add = (code: string, display: string | undefined): void => {
    put(codes, { system, code, version, display }, work)
  }
  const listed = objects(include.concept)
  const filters = objects(include.filter)
  // A list of codes needs no definition of the system, which may be unknown here.
  if (listed.length > 0 && filters.length === 0) {
    const known = activeOnly ? await fetchSystem(system, version, work) : undefined
    for (const one of listed) {
      const code = text(one.code)
      const concept = code === undefined ? undefined : known?.concepts.get(code)
      if (code !== undefined && !(concept !== undefined && isInactive(concept))) add(code, text(one.display))
    }
    return codes
  }
  const found = await fetchSystem(system, version, work)
  if (found === undefined)
    throw new NotListed(`this server has no CodeSystem ${shown(system)}; store it here with all its concepts`)
  if (found.content !== 'complete')
    throw new NotListed(
      `the CodeSystem ${shown(system)} on this server is not complete (content is ${shown(found.content)}); store it with all its concepts`,
    )
  const spent = (steps: number): void => toil(work, steps)
  const selects = filters.map(filter => readFilter(filter, found, spent))
  const only = listed.length > 0 ? new Set(listed.map(one => text(one.code))) : undefined
  toil(work, found.concepts.size)
  for (const concept of found.concepts.values()) {
    if (activeOnly && isInactive(concept)) continue
    if (only !== undefined && !only.has(concept.code)) continue
    if (selects.every(select => select(concept))) add(concept.code, concept.display)
  }
  return codes
}

async function fetchSystem(system: string, version: string | undefined, work: Work) {
  spend(work)
  return work.definitions.codeSystem(version === undefined ? system : `${system}|${version}`)
}

const UNCLOSED = 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed'
const TOO_COSTLY = 'http://hl7.org/fhir/StructureDefinition/valueset-toocostly'

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
      const [system, version, display] = [text(one.system) ?? '', text(one.version), text(one.display)]
      put(codes, { system, code, version, display }, work)
    }
    for (const below of objects(one.contains)) open.push(below)
  }
  const { total, offset } = expansion
  const partial =
    (total instanceof NumberText && Number(total.text) > entries) ||
    (offset instanceof NumberText && Number(offset.text) > 0) ||
    objects(expansion.extension).some(
      ({ url, valueBoolean }) => (url === UNCLOSED || url === TOO_COSTLY) && valueBoolean !== false,
    )
  if (partial) throw new NotListed('the expansion that is stored with it is a part of the whole only')
  return codes
}

function checkSize(codes: Codes, { limits }: Pick<Work, 'limits'>): void {
  if (codes.size > limits.codes) throw new NotListed(`it has more than ${limits.codes} codes`)
}

function spend(work: Work): void {
  if (++work.fetched > work.limits.definitions)
    throw new NotListed(`it is made of more than ${work.limits.definitions} value sets and code systems`)
}

/** What is worked out at once keeps the server from everything else. */
function toil(work: Work, steps: number): void {
  work.steps += steps
  if (work.steps > work.limits.steps)
    throw new NotListed('its filters and includes are too much work for the size of the code systems')
}
