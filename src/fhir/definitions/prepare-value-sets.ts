/**
 * The codes of a value set, where they can be listed.
 * https://hl7.org/fhir/R4/valueset.html#compositions
 */

export interface ValueSet {
  url: string
  compose?: { include: Include[]; exclude?: Include[] }
}

interface Include {
  system?: string
  concept?: { code: string }[]
  filter?: { property: string; op: string; value: string }[]
  valueSet?: string[]
}

export interface CodeSystem {
  url: string
  content: string
  concept?: Concept[]
}

interface Concept {
  code: string
  concept?: Concept[]
}

/** Codes by the canonical url of their code system. */
export type Systems = Record<string, string[]>

/** Returns the codes of a value set by system, sorted, or undefined where they cannot be listed from what is published. */
export function expandValueSet(
  url: string,
  valueSet: (url: string) => ValueSet | undefined,
  codeSystem: (url: string) => CodeSystem | undefined,
): Systems | undefined {
  const compose = valueSet(url)?.compose
  if (compose === undefined || compose.exclude !== undefined) return undefined
  const systems = new Map<string, Set<string>>()
  for (const include of compose.include) {
    if (include.filter !== undefined) return undefined
    const parts = include.valueSet
      ? include.valueSet.map(canonical => expandValueSet(canonical.split('|')[0]!, valueSet, codeSystem))
      : [included(include, codeSystem)]
    // Several value sets in one include are their intersection, which no required binding of R4 uses.
    if (parts.length !== 1 || parts[0] === undefined || (include.valueSet && include.system)) return undefined
    for (const [system, codes] of Object.entries(parts[0])) {
      const known = systems.get(system) ?? new Set()
      for (const code of codes) known.add(code)
      systems.set(system, known)
    }
  }
  return Object.fromEntries(
    [...systems].sort(([a], [b]) => (a < b ? -1 : 1)).map(([system, codes]) => [system, [...codes].sort()]),
  )
}

function included(
  include: Include,
  codeSystem: (url: string) => CodeSystem | undefined,
): Systems | undefined {
  if (include.concept !== undefined)
    return { [include.system!]: include.concept.map(concept => concept.code) }
  const definition = codeSystem(include.system!)
  if (definition?.content !== 'complete') return undefined
  const codes: string[] = []
  const walk = (concepts: readonly Concept[]): void => {
    for (const concept of concepts) {
      codes.push(concept.code)
      walk(concept.concept ?? [])
    }
  }
  walk(definition.concept ?? [])
  return { [include.system!]: codes }
}
