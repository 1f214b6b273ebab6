/**
 * Parts of resources: `_summary` and `_elements`, marked SUBSETTED so that nobody takes them for the whole.
 * https://hl7.org/fhir/R4/search.html#summary, https://hl7.org/fhir/R4/search.html#elements
 */
import { type ElementInfo, elementsOf, isPrimitive, jsonName } from '../fhir/definitions/types.ts'
import { fhirError, type IssueCode } from '../fhir/error.ts'
import { isObject, type Json, type JsonObject, parseJson, type Resource, writeJson } from '../fhir/json.ts'
import type { Pairs } from './written.ts'

export type Summary = 'false' | 'true' | 'text' | 'data' | 'count'

/** What is shown of a resource; undefined `elements` shows all. */
export interface Shown {
  summary: Summary
  elements?: readonly string[]
}

const WHOLE: Shown = { summary: 'false' }
const SUMMARIES: readonly string[] = ['false', 'true', 'text', 'data']

/**
 * Returns what a read is to show: https://hl7.org/fhir/R4/http.html#parameters.
 *
 * Throws `invalid` for a value that is none, `not-supported` for a parameter without meaning on a read, unless `lenient`.
 */
export function shownOf(pairs: Pairs, lenient: boolean): Shown {
  if (pairs.length === 0) return WHOLE
  const shown: Shown = { summary: 'false' }
  for (const [name, value] of pairs) {
    const refuse = (code: IssueCode, why: string) =>
      fhirError(code, why, { expression: `http.${name.slice(0, 64)}`, status: 400 })
    if (name === '_summary') {
      if (!SUMMARIES.includes(value))
        throw refuse('invalid', 'On a read _summary is true, text, data or false.')
      shown.summary = value as Summary
    } else if (name === '_elements') {
      const names = value.split(',').map(one => one.trim())
      if (!names.every(one => /^[A-Za-z][A-Za-z0-9]{0,63}$/.test(one)))
        throw refuse('invalid', '_elements are names of elements, by comma.')
      shown.elements = names
    } else if (!lenient)
      throw refuse('not-supported', `The parameter ${name.slice(0, 64)} has no meaning on a read.`)
  }
  return shown
}

const SUBSETTED: JsonObject = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
}

export const showsAll = (shown: Shown): boolean =>
  shown.elements === undefined && (shown.summary === 'false' || shown.summary === 'count')

/** Returns the text as it is stored where all is shown, and else the text of the part, tagged SUBSETTED. */
export function shownText(text: string, shown: Shown): string {
  if (showsAll(shown)) return text
  return writeJson(subset(parseJson(text, Number.POSITIVE_INFINITY) as Resource, shown))
}

/** Returns the part of a resource that is shown, tagged SUBSETTED. Mandatory elements, id and meta are in every part. */
export function subset(resource: Resource, shown: Shown): Resource {
  const type = resource.resourceType
  const { elements, summary } = shown
  let part: JsonObject
  if (elements !== undefined)
    part = pick(resource, type, element => elements.includes(plainName(element)) || isAlways(element), whole)
  else if (summary === 'true') part = pick(resource, type, inSummary, summarized)
  else if (summary === 'text')
    part = pick(resource, type, element => element.name === 'text' || isAlways(element), whole)
  else part = pick(resource, type, element => element.name !== 'text', whole)
  return {
    resourceType: type,
    ...(part.id === undefined ? {} : { id: part.id }),
    ...part,
    meta: tagged(part.meta),
  }
}

const plainName = (element: ElementInfo): string =>
  element.choice ? element.name.slice(0, -3) : element.name
const isAlways = (element: ElementInfo): boolean =>
  element.min > 0 || element.name === 'id' || element.name === 'meta'
const inSummary = (element: ElementInfo): boolean => element.summary || isAlways(element)

type Below = (value: Json, type: string) => Json
const whole: Below = value => value

/** An extension means nothing without its value, and a resource inside is a summary of its own. */
function summarized(value: Json, type: string): Json {
  if (type === 'Extension' || isPrimitive(type)) return value
  if (Array.isArray(value)) return value.map(item => summarized(item, type))
  if (!isObject(value)) return value
  const own = type === 'Resource' && typeof value.resourceType === 'string' ? value.resourceType : type
  const part = pick(value, own, inSummary, summarized)
  // What has only elements outside the summary would become an empty object, which FHIR does not know.
  return Object.keys(part).length > 0 ? part : value
}

function pick(
  object: JsonObject,
  type: string,
  keep: (element: ElementInfo) => boolean,
  below: Below,
): JsonObject {
  const part: JsonObject = {}
  const kept = keptMembers(type, keep)
  for (const name in object) {
    const value = object[name]
    if (value === undefined) continue
    if (name === 'resourceType') part.resourceType = value
    const of = kept.get(name[0] === '_' ? name.slice(1) : name)
    if (of !== undefined) part[name] = name[0] === '_' ? value : below(value, of)
  }
  return part
}

/** Returns the JSON names that are kept, each with its type. */
function keptMembers(type: string, keep: (element: ElementInfo) => boolean): Map<string, string> {
  const names = new Map<string, string>()
  for (const element of elementsOf(type) ?? [])
    if (keep(element)) for (const of of element.types) names.set(jsonName(element, of), of)
  return names
}

function tagged(meta: Json | undefined): JsonObject {
  const before = isObject(meta) ? meta : {}
  const tags = Array.isArray(before.tag) ? before.tag : []
  return { ...before, tag: [...tags, SUBSETTED] }
}
