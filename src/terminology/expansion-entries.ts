/**
 * The entries of an expansion: what is said of each code, and which stands under which.
 * https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.expansion.contains
 */
import type { JsonObject } from '../fhir/json.ts'
import { type Designation, designationsOf, isAbstract, isInactive } from '../fhir/terminology/code-system.ts'
import { type Coded, keyOfCode } from '../fhir/terminology/expand-work.ts'
import { NotListed } from '../fhir/terminology/not-listed.ts'
import type { Held } from './definitions.ts'
import { displayIn, speaks } from './lookup.ts'

/** What is shown of codes. */
export interface Shown {
  /** Designations are sent; `designations` narrows them to these languages and uses, as `system|code` tokens. */
  includeDesignations?: boolean
  designations?: readonly string[]
  language?: string
}

/** Returns a code as ValueSet.expansion.contains has it. */
export function entryOf(one: Coded, options: Shown): JsonObject {
  const { system, version, code, concept, entry } = one
  const display = displayIn(concept, options.language, entry) ?? one.display
  const designations = options.includeDesignations ? wantedDesignations(one, options.designations ?? []) : []
  return {
    ...(system !== '' && { system }),
    ...((concept !== undefined ? isAbstract(concept) : entry?.abstract === true) && { abstract: true }),
    ...((concept !== undefined ? isInactive(concept) : entry?.inactive === true) && { inactive: true }),
    ...(version !== undefined && { version }),
    code,
    ...(display !== undefined && { display }),
    ...(designations.length > 0 && {
      designation: designations.map(({ language, use, value }) => ({
        ...(language !== undefined && { language }),
        ...(use !== undefined && { use }),
        value,
      })),
    }),
  }
}

function wantedDesignations({ concept, entry }: Coded, tokens: readonly string[]): Designation[] {
  const all = [...designationsOf(entry), ...designationsOf(concept?.source)]
  const once = [...new Map(all.map(one => [JSON.stringify([one.language, one.value]), one])).values()]
  if (tokens.length === 0) return once
  return once.filter(({ language, use }) =>
    tokens.some(token => {
      const bar = token.indexOf('|')
      const [system, code] = bar < 0 ? [undefined, token] : [token.slice(0, bar), token.slice(bar + 1)]
      if (
        (system === undefined || system === 'urn:ietf:bcp:47') &&
        language !== undefined &&
        speaks(language, code)
      )
        return true
      return use !== undefined && use.code === code && (system === undefined || use.system === system)
    }),
  )
}

/**
 * Returns the codes as a forest: each under the first code above it that is in the expansion too.
 *
 * Throws NotListed for one that is too deep.
 */
export async function nest(codes: readonly Coded[], held: Held, options: Shown): Promise<JsonObject[]> {
  const entries = new Map(codes.map(one => [keyOfCode(one.system, one.code), entryOf(one, options)]))
  const under = new Map<string, string>()
  for (const { system, version, code } of codes) {
    const graph = await held.codeSystem(version === undefined ? system : `${system}|${version}`)
    const above = graph?.above(code).find(one => entries.has(keyOfCode(system, one)))
    if (above !== undefined) under.set(keyOfCode(system, code), keyOfCode(system, above))
  }
  cutCircles(under)
  const roots: JsonObject[] = []
  for (const [key, entry] of entries) {
    const above = entries.get(under.get(key) ?? '')
    if (above === undefined) roots.push(entry)
    else if (Array.isArray(above.contains)) above.contains.push(entry)
    else above.contains = [entry]
  }
  return roots
}

/** Levels of a nested expansion: readers of JSON end at some depth. */
const MOST_LEVELS = 24

/** Makes a forest of it: one of each circle is under nothing. Throws NotListed where it is too deep. */
function cutCircles(under: Map<string, string>): void {
  const levels = new Map<string, number>()
  for (const start of under.keys()) {
    const way = new Set<string>()
    let at: string | undefined = start
    while (at !== undefined && !levels.has(at) && !way.has(at)) {
      way.add(at)
      at = under.get(at)
    }
    if (at !== undefined && way.has(at)) under.delete(at)
    for (const key of [...way].reverse()) {
      const above = under.get(key)
      const level = above === undefined ? 1 : (levels.get(above) ?? 0) + 1
      if (level > MOST_LEVELS)
        throw new NotListed(
          `its hierarchy has more than ${MOST_LEVELS} levels; ask for it without excludeNested=false`,
          'too-costly',
        )
      levels.set(key, level)
    }
  }
}
