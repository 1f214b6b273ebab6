/**
 * A CodeSystem as a graph of its concepts: what is above and below a code, and what its properties say.
 * https://hl7.org/fhir/R4/codesystem.html#hierarchy
 */
import { isObject, type Json, type JsonObject, NumberText, type Resource } from '../json.ts'

/** One concept of a code system. */
export interface Concept {
  code: string
  display: string | undefined
  /** Of the display, where its code system says it. */
  language?: string
  /** Values by the code of the property, as text. */
  properties: Map<string, string[]>
  /** The concept as its CodeSystem has it: definition, designations, and the types of property values. */
  source?: JsonObject
}

export interface CodeSystem {
  url: string
  version: string | undefined
  /** `complete` where every code of the system is in the resource. */
  content: string
  /** false only where the resource says so. */
  caseSensitive: boolean
  concepts: ReadonlyMap<string, Concept>
  /** Returns the concept of a code; where the system says that case does not matter, in any case. */
  find(code: string): Concept | undefined
  /** Codes of properties and filters that the resource declares, and those that R4 knows for every code system. */
  declared: ReadonlySet<string>
  /** Returns the codes one step above (or below) by subsumption. */
  above(code: string): readonly string[]
  below(code: string): readonly string[]
}

/** Properties that R4 defines for every code system, by their URIs: https://hl7.org/fhir/R4/codesystem-concept-properties.html. */
const PROPERTIES = 'http://hl7.org/fhir/concept-properties#'

/** Properties whose value is a code above, or below, the concept. */
const UP = new Set(['parent', 'subsumedBy'])
const DOWN = new Set(['child', 'subsumes'])

/** `subsumes` as an extension of a concept: https://hl7.org/fhir/R4/extension-codesystem-subsumes.html. */
const SUBSUMES = 'http://hl7.org/fhir/StructureDefinition/codesystem-subsumes'

/**
 * Returns the code system that a CodeSystem resource defines. Nested concepts are below the one they stand in where hierarchyMeaning is
 * `is-a` or not said; `parent`, `child`, `subsumedBy` and `subsumes` properties count always.
 */
export function readCodeSystem(resource: Resource): CodeSystem {
  const concepts = new Map<string, Concept>()
  const up = new Map<string, Set<string>>()
  const down = new Map<string, Set<string>>()
  const link = (above: string, below: string): void => {
    if (above === below) return
    add(up, below, above)
    add(down, above, below)
  }
  const names = propertyNames(resource)
  const language = text(resource.language)
  const nests = resource.hierarchyMeaning === undefined || resource.hierarchyMeaning === 'is-a'

  // A stack instead of recursion: nesting is bounded by the depth of JSON, but not by this function. The last is taken first, so that
  // concepts come in the order of the text.
  const open: { concept: JsonObject; parent: string | undefined }[] = []
  const push = (list: readonly JsonObject[], parent: string | undefined): void => {
    for (let at = list.length - 1; at >= 0; at--) open.push({ concept: list[at]!, parent })
  }
  push(objects(resource.concept), undefined)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { concept, parent } = next
    const code = text(concept.code)
    if (code === undefined) continue
    if (parent !== undefined && nests) link(parent, code)
    const known = concepts.get(code) ?? {
      code,
      display: text(concept.display),
      ...(language !== undefined && { language }),
      properties: new Map(),
      source: concept,
    }
    concepts.set(code, known)
    for (const property of objects(concept.property)) {
      const own = text(property.code)
      const value = propertyValue(property)
      if (own === undefined || value === undefined) continue
      const name = names.get(own) ?? own
      // Filters name a property as its system does; what R4 knows by its URI is known by that name too.
      for (const each of new Set([own, name])) {
        const values = known.properties.get(each)
        if (values === undefined) known.properties.set(each, [value])
        else values.push(value)
      }
      if (UP.has(name)) link(value, code)
      if (DOWN.has(name)) link(code, value)
    }
    for (const extension of objects(concept.extension))
      if (extension.url === SUBSUMES && typeof extension.valueCode === 'string')
        link(code, extension.valueCode)
    push(objects(concept.concept), code)
  }
  const filters = objects(resource.filter).flatMap(filter => text(filter.code) ?? [])
  let folded: Map<string, Concept> | undefined
  return {
    url: text(resource.url) ?? '',
    version: text(resource.version),
    content: text(resource.content) ?? '',
    caseSensitive: resource.caseSensitive !== false,
    concepts,
    find(code) {
      const known = concepts.get(code)
      if (known !== undefined || resource.caseSensitive !== false) return known
      folded ??= new Map([...concepts.values()].map(one => [one.code.toLowerCase(), one]))
      return folded.get(code.toLowerCase())
    },
    declared: new Set([...names.keys(), ...names.values(), ...filters]),
    above: code => [...(up.get(code) ?? [])],
    below: code => [...(down.get(code) ?? [])],
  }
}

/** Returns the code, and all above or below it by subsumption. A circle is walked once; `spend` is told the steps taken, and may throw. */
export function closure(
  system: CodeSystem,
  code: string,
  way: 'above' | 'below',
  spend: (steps: number) => void = () => {},
): Set<string> {
  const found = new Set([code])
  // A Set is walked in the order of insertion, those added on the way included.
  for (const one of found) {
    const next = system[way](one)
    spend(next.length + 1)
    for (const each of next) found.add(each)
  }
  return found
}

/** Returns what a property is called here: the name that R4 has for it, where its URI is one of R4's. */
function propertyNames(resource: Resource): Map<string, string> {
  const names = new Map<string, string>()
  for (const property of objects(resource.property)) {
    const code = text(property.code)
    const uri = text(property.uri) ?? ''
    if (code !== undefined) names.set(code, uri.startsWith(PROPERTIES) ? uri.slice(PROPERTIES.length) : code)
  }
  return names
}

function propertyValue(property: JsonObject): string | undefined {
  for (const name in property) {
    if (!name.startsWith('value')) continue
    const value = property[name]
    if (typeof value === 'string') return value
    if (typeof value === 'boolean') return String(value)
    if (value instanceof NumberText) return value.text
    if (isObject(value)) return text(value.code)
  }
  return undefined
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([value]))
  else known.add(value)
}

export const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** Returns the objects of a list; none where the value is no list. */
export const objects = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []

export const isInactive = ({ properties }: Concept): boolean =>
  properties.get('inactive')?.includes('true') === true ||
  properties.get('status')?.some(status => status === 'retired' || status === 'inactive') === true

/** A concept that only groups others: https://hl7.org/fhir/R4/codesystem.html#status. */
export const isAbstract = ({ properties }: Concept): boolean =>
  properties.get('notSelectable')?.includes('true') === true ||
  properties.get('abstract')?.includes('true') === true

/** Another text of a concept. */
export interface Designation {
  language?: string
  use?: JsonObject
  value: string
}

/** Returns the designations of a concept as its CodeSystem, or a value set's include, lists them. */
export const designationsOf = (source: JsonObject | undefined): Designation[] =>
  objects(source?.designation).flatMap(({ language, use, value }) => {
    if (typeof value !== 'string') return []
    return [
      {
        ...(typeof language === 'string' && { language }),
        ...(isObject(use) && { use }),
        value,
      },
    ]
  })
