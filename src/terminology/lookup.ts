/**
 * What is known of one code: its display, designations, properties and place in the hierarchy.
 * https://hl7.org/fhir/R4/codesystem-operation-lookup.html
 */
import type { Json, JsonObject } from '../fhir/json.ts'
import type { AskedSystem } from '../fhir/terminology/asked-system.ts'
import {
  type CodeSystem,
  type Concept,
  type Designation,
  designationsOf,
  objects,
  text,
} from '../fhir/terminology/code-system.ts'
import type { Held } from './definitions.ts'

export interface LookedUp {
  system: string
  version: string | undefined
  /** Of the code system, for people. */
  name: string
  concept: Concept
  definition: string | undefined
  parents: readonly Neighbour[]
  children: readonly Neighbour[]
  /** Displays of the codes that properties have for values. */
  named: ReadonlyMap<string, string>
}

export interface Neighbour {
  code: string
  display: string | undefined
}

/** Codes right below that are named. */
const MOST_CHILDREN = 200

/** Returns what is held of a code; `system` where the code system is not held here, `part` where the code is not in what is held of it, and `code` where there is none such. */
export async function lookUpCode(
  held: Held,
  canonical: string,
  code: string,
): Promise<LookedUp | { missing: 'system' | 'part' | 'code' }> {
  const graph = await held.codeSystem(canonical)
  const concept = graph?.find(code)
  if (graph !== undefined && concept !== undefined && graph.content !== 'supplement') {
    const resource = await held.resource('CodeSystem', canonical)
    return fromGraph(graph, text(resource?.name) ?? text(resource?.title) ?? graph.url, concept)
  }
  const asked = graph?.content === 'complete' ? undefined : await held.askedSystem(canonical)
  const found = await asked?.find(code)
  if (asked !== undefined && found !== undefined) return fromAsked(asked, found)
  const known =
    (graph !== undefined && graph.content === 'complete') || (asked !== undefined && !asked.doubts?.(code))
  const part = (graph?.concepts.size ?? 0) > 0 && graph?.content !== 'supplement'
  return { missing: known ? 'code' : part ? 'part' : 'system' }
}

function fromGraph(graph: CodeSystem, name: string, concept: Concept): LookedUp {
  const neighbours = (codes: readonly string[]): Neighbour[] =>
    codes.slice(0, MOST_CHILDREN).map(code => ({ code, display: graph.concepts.get(code)?.display }))
  return {
    system: graph.url,
    version: graph.version,
    name,
    concept,
    definition: text(concept.source?.definition),
    parents: neighbours(graph.above(concept.code)),
    children: neighbours(graph.below(concept.code)),
    named: new Map(
      codeValues(concept).flatMap(code => {
        const display = graph.concepts.get(code)?.display
        return display === undefined ? [] : [[code, display]]
      }),
    ),
  }
}

async function fromAsked(asked: AskedSystem, concept: Concept): Promise<LookedUp> {
  const named = (codes: readonly string[]): Promise<Neighbour[]> =>
    Promise.all(codes.map(async code => ({ code, display: (await asked.find(code))?.display })))
  const parents = await asked.parents(concept.code)
  const children = await asked.children(concept.code, MOST_CHILDREN)
  return {
    system: asked.url,
    version: asked.version,
    name: asked.title,
    concept,
    definition: undefined,
    parents: await named(parents.slice(0, MOST_CHILDREN)),
    children: await named(children),
    named: new Map(
      (await asked.some(codeValues(concept))).flatMap(({ code, display }) =>
        display === undefined ? [] : [[code, display]],
      ),
    ),
  }
}

const codeValues = (concept: Concept): string[] => {
  const codes = propertiesOf(concept).flatMap(({ value }) => text(value.valueCode) ?? [])
  return [...new Set(codes)].slice(0, MOST_CHILDREN)
}

/**
 * Returns the display in a language, `hi` standing for `hi-IN` too, and `hi-IN` for `hi` where there is none of that region; the concept's own
 * where there is none in it.
 */
export function displayIn(
  concept: Concept | undefined,
  language: string | undefined,
  entry?: JsonObject,
): string | undefined {
  if (language !== undefined) {
    const [own, others] = [designationsOf(entry), designationsOf(concept?.source)]
    for (const wanted of languagesOf(language)) {
      const isWanted = (one: { language?: string }): boolean =>
        one.language !== undefined && speaks(one.language, wanted)
      const [listed, known] = [own.filter(isWanted), others.filter(isWanted)]
      if (listed.length > 0) return bestOf(listed, entry?.display)
      if (concept?.display !== undefined && isWanted(concept)) return concept.display
      if (known.length > 0) return bestOf(known, concept?.display)
    }
  }
  return text(entry?.display) ?? concept?.display
}

/** Uses of designations that a concept is called by, the best first: of R4, of LOINC, and the synonyms of SNOMED CT. */
const NAMES = ['display', 'preferredForLanguage', 'LONG_COMMON_NAME', '900000000000013009']

/** Returns the name among designations of one language: the display itself, or one that is for no other use. */
function bestOf(designations: readonly Designation[], display: Json | undefined): string {
  const by = (is: (one: Designation) => boolean): string | undefined => designations.find(is)?.value
  const named = NAMES.map(name => by(({ use }) => use?.code === name)).find(one => one !== undefined)
  return (
    by(({ value }) => value === display) ??
    by(({ use }) => use === undefined) ??
    named ??
    designations[0]!.value
  )
}

/**
 * Returns the languages of an Accept-Language in their order, most are one code, and after each what it is a part of. RFC 4647, 3.4.
 */
const languagesOf = (language: string): string[] =>
  language.split(',').flatMap(one => {
    const tags = [one.split(';')[0]!.trim().slice(0, 100)]
    for (let at = tags[0]!.lastIndexOf('-'); at > 0; at = tags.at(-1)!.lastIndexOf('-'))
      tags.push(tags.at(-1)!.slice(0, at))
    return tags
  })

export const speaks = (language: string, wanted: string): boolean => {
  const [a, b] = [language.toLowerCase(), wanted.toLowerCase()]
  return a === b || a.startsWith(`${b}-`)
}

/** Returns the property values of a concept as they are written, without those that say where it stands. */
export function propertiesOf(concept: Concept): { code: string; value: JsonObject }[] {
  const listed = objects(concept.source?.property)
  if (listed.length > 0)
    return listed.flatMap(one => {
      const code = text(one.code)
      const member = Object.keys(one).find(name => name.startsWith('value'))
      return code === undefined || member === undefined ? [] : [{ code, value: { [member]: one[member] } }]
    })
  return [...concept.properties].flatMap(([code, values]) =>
    values.map(value => ({
      code,
      value:
        value === 'true' || value === 'false' ? { valueBoolean: value === 'true' } : { valueString: value },
    })),
  )
}
