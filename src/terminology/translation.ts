/**
 * What a concept map makes of a code, in both directions.
 * https://hl7.org/fhir/R4/conceptmap-operation-translate.html, https://hl7.org/fhir/R4/conceptmap.html#unmapped
 */
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import { objects, text } from '../fhir/terminology/code-system.ts'
import { NotListed } from '../fhir/terminology/not-listed.ts'
import type { Held } from './definitions.ts'

export interface TranslateQuestion {
  system: string | undefined
  version: string | undefined
  code: string
  targetSystem: string | undefined
  reverse: boolean
  /** What else is known, which some mappings depend on: element and the codes, or the text, of its value. */
  dependencies: readonly {
    element: string
    values: readonly { system: string | undefined; value: string }[]
  }[]
}

export interface Match {
  equivalence: string
  concept?: JsonObject
  products: readonly { element: string; concept: JsonObject }[]
  /** Canonical of the map. */
  source: string | undefined
}

export interface Translated {
  matches: readonly Match[]
  /** Elements whose values would tell more. */
  missing: ReadonlySet<string>
}

/** Maps that lead to other maps; elements and targets that are looked at. */
const MOST_MAPS = 5
const MOST_STEPS = 1_000_000

/** The same relation seen from the other side. https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html */
const INVERSE: Readonly<Record<string, string>> = {
  wider: 'narrower',
  narrower: 'wider',
  subsumes: 'specializes',
  specializes: 'subsumes',
}

/** Returns all matches of the maps, each once, in their order. */
export async function translated(
  held: Held,
  maps: readonly Resource[],
  question: TranslateQuestion,
): Promise<Translated> {
  const work: Work = { held, question, missing: new Set(), steps: 0 }
  const matches: Match[] = []
  for (const map of maps) matches.push(...(await inMap(map, work, 1)))
  const once = new Map(
    matches.map(one => [JSON.stringify([one.equivalence, one.concept, one.products, one.source]), one]),
  )
  return { matches: [...once.values()], missing: work.missing }
}

interface Work {
  held: Held
  question: TranslateQuestion
  missing: Set<string>
  steps: number
}

async function inMap(map: Resource, work: Work, level: number): Promise<Match[]> {
  const { reverse } = work.question
  const source = text(map.url)
  const matches: Match[] = []
  for (const group of objects(map.group)) {
    if (!isGroup(group, work.question)) continue
    const leads = leadsTo(group, work.question)
    if (!reverse) matches.push(...(await forwards(group, work, source, level, leads)))
    else if (leads) matches.push(...backwards(group, work, source))
  }
  return matches
}

function isGroup(group: JsonObject, { system, version, reverse }: TranslateQuestion): boolean {
  const from = text(reverse ? group.target : group.source)
  const own = text(reverse ? group.targetVersion : group.sourceVersion)
  if (system !== undefined && from !== undefined && from !== system) return false
  return version === undefined || own === undefined || own === version
}

/** Whether the group gives codes of the system that is wanted; the maps that it refers to may, where it does not. */
function leadsTo(group: JsonObject, { targetSystem, reverse }: TranslateQuestion): boolean {
  const to = text(reverse ? group.source : group.target)
  return targetSystem === undefined || to === undefined || to === targetSystem
}

async function forwards(
  group: JsonObject,
  work: Work,
  source: string | undefined,
  level: number,
  leads: boolean,
): Promise<Match[]> {
  const { question } = work
  const matches: Match[] = []
  let known = false
  for (const element of objects(group.element)) {
    spend(work)
    if (element.code !== question.code) continue
    known = true
    if (!leads) continue
    const targets = objects(element.target)
    // An element without a target says that there is none.
    if (targets.length === 0) matches.push({ equivalence: 'unmatched', products: [], source })
    for (const target of targets) {
      spend(work)
      if (!depends(target, work)) continue
      const code = text(target.code)
      matches.push({
        equivalence: text(target.equivalence) ?? 'equivalent',
        ...(code !== undefined && {
          concept: coding(text(group.target), text(group.targetVersion), code, text(target.display)),
        }),
        products: valuesOf(target.product),
        source,
      })
    }
  }
  if (known) return matches
  const refers = isObject(group.unmapped) && group.unmapped.mode === 'other-map'
  return leads || refers ? unmapped(group, work, source, level) : []
}

/** Returns the values of other elements that a mapping depends on, or makes. */
const valuesOf = (list: Json | undefined): Match['products'] =>
  objects(list).flatMap(one => {
    const element = text(one.property)
    const value = text(one.value)
    if (element === undefined || value === undefined) return []
    return [{ element, concept: coding(text(one.system), undefined, value, text(one.display)) }]
  })

async function unmapped(
  group: JsonObject,
  work: Work,
  source: string | undefined,
  level: number,
): Promise<Match[]> {
  const { unmapped } = group
  if (!isObject(unmapped)) return []
  const [target, version] = [text(group.target), text(group.targetVersion)]
  const match = (equivalence: string, code: string, display?: string): Match => ({
    equivalence,
    concept: coding(target, version, code, display),
    products: [],
    source,
  })
  const code = text(unmapped.code)
  switch (unmapped.mode) {
    case 'provided':
      return [match('equal', work.question.code)]
    case 'fixed':
      return code === undefined ? [] : [match('inexact', code, text(unmapped.display))]
    case 'other-map': {
      const url = text(unmapped.url)
      if (url === undefined || level >= MOST_MAPS) return []
      const other = await work.held.resource('ConceptMap', url)
      return other === undefined ? [] : inMap(other, work, level + 1)
    }
    default:
      return []
  }
}

function backwards(group: JsonObject, work: Work, source: string | undefined): Match[] {
  const matches: Match[] = []
  for (const element of objects(group.element)) {
    const code = text(element.code)
    for (const target of objects(element.target)) {
      spend(work)
      if (code === undefined || target.code !== work.question.code) continue
      const equivalence = text(target.equivalence) ?? 'equivalent'
      matches.push({
        equivalence: INVERSE[equivalence] ?? equivalence,
        concept: coding(text(group.source), text(group.sourceVersion), code, text(element.display)),
        // What the mapping depends on is what comes out beside the code, in this direction.
        products: valuesOf(target.dependsOn),
        source,
      })
    }
  }
  return matches
}

/** Returns whether what the mapping depends on is as it says; what was not sent is noted. */
function depends(target: JsonObject, { question, missing }: Work): boolean {
  let holds = true
  for (const one of objects(target.dependsOn)) {
    const property = text(one.property)
    const value = text(one.value)
    if (property === undefined || value === undefined) continue
    const sent = question.dependencies.filter(({ element }) => element === property)
    if (sent.length === 0) missing.add(property)
    const system = text(one.system)
    const isSame = (its: { system: string | undefined; value: string }): boolean =>
      its.value === value && (system === undefined || its.system === undefined || its.system === system)
    if (!sent.some(({ values }) => values.some(isSame))) holds = false
  }
  return holds
}

function spend(work: Work): void {
  if (++work.steps > MOST_STEPS) throw new NotListed('the concept maps are too large', 'too-costly')
}

const coding = (
  system: string | undefined,
  version: string | undefined,
  code: string,
  display: string | undefined,
): JsonObject => ({
  ...(system !== undefined && { system }),
  ...(version !== undefined && { version }),
  code,
  ...(display !== undefined && { display }),
})
