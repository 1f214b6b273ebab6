/**
 * The expansion of a value set as it is sent: filtered, sorted, paged, with designations and hierarchy.
 * https://hl7.org/fhir/R4/valueset-operation-expand.html
 */
import { fhirError } from '../fhir/error.ts'
import { isObject, type JsonObject, NumberText, type Resource } from '../fhir/json.ts'
import {
  type Concept,
  designationsOf,
  isAbstract,
  isInactive,
  objects,
  text,
} from '../fhir/terminology/code-system.ts'
import { expandValueSet } from '../fhir/terminology/expand.ts'
import { type Coded, EXPAND_LIMITS, keyOfCode } from '../fhir/terminology/expand-work.ts'
import { NotListed } from '../fhir/terminology/not-listed.ts'
import { wordsOf } from '../search/words.ts'
import type { Held } from './definitions.ts'
import { entryOf, nest, type Shown } from './expansion-entries.ts'

export interface ExpansionOptions extends Shown {
  /** Every word begins a word of the display, a designation or the code. */
  filter?: string
  offset?: number
  count?: number
  activeOnly?: boolean
  /** Codes stand under those they are below of. */
  nested?: boolean
  /** Without concepts that only group others. */
  excludeNotForUi?: boolean
  /** Systems, as `url` or `url|version`. */
  excludeSystems?: readonly string[]
  systemVersions?: readonly string[]
  checkVersions?: readonly string[]
  forceVersions?: readonly string[]
}

export interface Expanded {
  total: number
  contains: JsonObject[]
  /** `url|version` of the systems that the codes came from. */
  used: readonly string[]
  /** More codes belong to it than are known here. */
  unclosed: boolean
  offset: number | undefined
}

/** Codes that are worked out for one expansion, and those that are sent at once without paging. */
const LIMITS = { ...EXPAND_LIMITS, codes: 100_000, steps: 3_000_000 }
const MOST_SENT = 10_000

/**
 * Returns the part of the expansion that was asked for.
 *
 * Throws NotListed where the codes cannot be listed, or are too many; FhirError `business-rule` for a version that was ruled out.
 */
export async function expansionOf(
  held: Held,
  valueSet: Resource,
  options: ExpansionOptions,
): Promise<Expanded> {
  const { filter, offset, count, nested } = options
  const words = filter === undefined ? [] : wordsOf(filter)
  const quick = nested ? undefined : await pageOfOneSystem(held, valueSet, options)
  if (quick !== undefined) return quick
  const expansion = await expandValueSet(valueSet, held, LIMITS, {
    version: versionBy(options),
    parts: true,
    ...(words.length > 0 && { text: filter! }),
  })
  if ('unknown' in expansion) throw new NotListed(reason(expansion.unknown), expansion.kind)
  const needsAll =
    words.length > 0 || options.activeOnly === true || options.excludeNotForUi === true || nested === true
  let codes = expansion.codes.filter(one => !isExcluded(one, options.excludeSystems ?? []))
  if (needsAll) codes = await described(codes, held)
  codes = codes.filter(one => isWanted(one, options) && (words.length === 0 || hasWords(one, words)))
  // A list of codes says no version, and what is said besides does.
  const used = [...expansion.used].filter(
    (one, _, all) => one.includes('|') || !all.some(other => other.startsWith(`${one}|`)),
  )
  const total = codes.length
  const unclosed = expansion.partial.size > 0
  if (nested) {
    if (total > MOST_SENT && count !== 0) throw tooMany(total)
    const contains = count === 0 ? [] : nest(codes, held, options)
    return { total, contains: await contains, used, unclosed, offset: undefined }
  }
  const from = offset ?? 0
  if (count === undefined && total - from > MOST_SENT) throw tooMany(total)
  const page = codes.slice(from, count === undefined ? undefined : from + Math.min(count, MOST_SENT))
  const shown = needsAll ? page : await described(page, held)
  return {
    total,
    contains: shown.map(one => entryOf(one, options)),
    used,
    unclosed,
    offset: offset === undefined && count === undefined ? undefined : from,
  }
}

const tooMany = (total: number) =>
  new NotListed(
    `it has ${total} codes, more than are sent at once: page with count and offset, or send a filter`,
    'too-costly',
  )

/** The sentence of an expansion begins with what has been said already. */
const reason = (sentence: string): string =>
  sentence.replace(/^.*? cannot be listed: /s, '').replace(/\.$/, '')

/** Returns a page of a value set that is part of one loaded system, without bringing the others; undefined for all others. */
async function pageOfOneSystem(
  held: Held,
  valueSet: Resource,
  options: ExpansionOptions,
): Promise<Expanded | undefined> {
  const { compose } = valueSet
  if (!isObject(compose)) return undefined
  const includes = objects(compose.include)
  const [include] = includes
  if (includes.length !== 1 || objects(compose.exclude).length > 0 || include === undefined) return undefined
  const system = text(include.system)
  if (system === undefined || include.valueSet !== undefined || include.concept !== undefined)
    return undefined
  const version = versionBy(options)(system, text(include.version))
  const canonical = version === undefined ? system : `${system}|${version}`
  const graph = await held.codeSystem(canonical)
  if (graph?.content === 'complete') return undefined
  const asked = await held.askedSystem(canonical)
  if (asked === undefined) return undefined
  const { offset = 0, count } = options
  const coded = {
    system: asked.url,
    code: '',
    ...(asked.version !== undefined && { version: asked.version }),
  }
  if (isExcluded(coded, options.excludeSystems ?? []))
    return { total: 0, contains: [], used: [], unclosed: false, offset: undefined }
  const { concepts, total } = await asked.list({
    filters: objects(include.filter),
    ...(options.filter !== undefined && { text: options.filter }),
    activeOnly: options.activeOnly === true || compose.inactive === false,
    offset,
    limit: Math.min(count ?? MOST_SENT, MOST_SENT),
  })
  if (count === undefined && total - offset > MOST_SENT) throw tooMany(total)
  return {
    total,
    contains: concepts.map(concept => entryOf({ system: asked.url, code: concept.code, concept }, options)),
    unclosed: false,
    used: [asked.version === undefined ? asked.url : `${asked.url}|${asked.version}`],
    offset: options.offset === undefined && count === undefined ? undefined : offset,
  }
}

type VersionOf = (system: string, own: string | undefined) => string | undefined

function versionBy({
  systemVersions = [],
  checkVersions = [],
  forceVersions = [],
}: ExpansionOptions): VersionOf {
  const named = (list: readonly string[], system: string): string | undefined =>
    list.find(one => one.startsWith(`${system}|`))?.slice(system.length + 1)
  return (system, own) => {
    const forced = named(forceVersions, system)
    if (forced !== undefined) return forced
    const checked = named(checkVersions, system)
    if (checked !== undefined && own !== undefined && own !== checked)
      throw fhirError(
        'business-rule',
        `The value set takes ${system} in version ${own}, and check-system-version allows ${checked} only.`,
        { expression: 'http.check-system-version' },
      )
    return own ?? checked ?? named(systemVersions, system)
  }
}

const isExcluded = ({ system, version, concept: _ }: Coded, excluded: readonly string[]): boolean =>
  excluded.some(one => one === system || (version !== undefined && one === `${system}|${version}`))

function isWanted({ concept, entry }: Coded, { activeOnly, excludeNotForUi }: ExpansionOptions): boolean {
  if (activeOnly && ((concept !== undefined && isInactive(concept)) || entry?.inactive === true)) return false
  return !(excludeNotForUi && ((concept !== undefined && isAbstract(concept)) || entry?.abstract === true))
}

function hasWords({ code, display, concept, entry }: Coded, words: readonly string[]): boolean {
  const texts = [code, display ?? '', concept?.display ?? '']
  for (const source of [entry, concept?.source])
    for (const { value } of designationsOf(source)) texts.push(value)
  const own = texts.flatMap(wordsOf)
  const whole = code.toLowerCase()
  return words.every(word => whole.startsWith(word) || own.some(one => one.startsWith(word)))
}

/** Codes of a loaded system that are asked for at once. */
const AT_ONCE = 500

/** Returns the codes with their concepts, as far as these are held. */
async function described(codes: readonly Coded[], held: Held): Promise<Coded[]> {
  const missing = new Map<string, string[]>()
  for (const { system, version, code, concept } of codes) {
    if (concept !== undefined || system === '') continue
    const canonical = version === undefined ? system : `${system}|${version}`
    const known = missing.get(canonical)
    if (known === undefined) missing.set(canonical, [code])
    else known.push(code)
  }
  if (missing.size === 0) return [...codes]
  const found = new Map<string, Concept>()
  for (const [canonical, list] of missing) {
    const graph = await held.codeSystem(canonical)
    const asked = graph?.content === 'complete' ? undefined : await held.askedSystem(canonical)
    for (let at = 0; at < list.length; at += AT_ONCE) {
      const some = list.slice(at, at + AT_ONCE)
      const concepts =
        graph !== undefined
          ? some.flatMap(code => graph.find(code) ?? [])
          : asked === undefined
            ? []
            : await asked.some(some)
      for (const concept of concepts) found.set(keyOfCode(canonical, concept.code), concept)
    }
  }
  return codes.map(one => {
    const canonical = one.version === undefined ? one.system : `${one.system}|${one.version}`
    const concept = one.concept ?? found.get(keyOfCode(canonical, one.code))
    return concept === undefined ? one : { ...one, concept }
  })
}

const UNCLOSED = 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed'

/** Returns the value set with its expansion in the place of its definition, which comes along where that is wanted. */
export function withExpansion(
  valueSet: Resource,
  { total, contains, offset, used, unclosed }: Expanded,
  { identifier, timestamp, parameters, includeDefinition }: ExpansionFacts,
): Resource {
  const { resourceType, id, meta, url, version, name, title, status, compose } = valueSet
  const number = (value: number) => new NumberText(String(value))
  return {
    ...(includeDefinition
      ? valueSet
      : {
          resourceType,
          ...(id !== undefined && { id }),
          ...(meta !== undefined && { meta }),
          ...(url !== undefined && { url }),
          ...(version !== undefined && { version }),
          ...(name !== undefined && { name }),
          ...(title !== undefined && { title }),
        }),
    status: status ?? 'active',
    ...(includeDefinition && compose !== undefined && { compose }),
    expansion: {
      ...(unclosed && { extension: [{ url: UNCLOSED, valueBoolean: true }] }),
      identifier,
      timestamp,
      total: number(total),
      ...(offset !== undefined && { offset: number(offset) }),
      parameter: [
        ...parameters,
        ...used.map(one => ({ name: one.includes('|') ? 'version' : 'used-codesystem', valueUri: one })),
      ],
      ...(contains.length > 0 && { contains }),
    },
  } as Resource
}

export interface ExpansionFacts {
  /** A URI of its own for each expansion. */
  identifier: string
  timestamp: string
  /** The parameters that the expansion depends on. */
  parameters: readonly JsonObject[]
  includeDefinition: boolean
}
