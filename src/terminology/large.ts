/**
 * SNOMED CT, LOINC, ICD-10 and other releases that were loaded, as code systems that are asked.
 * https://hl7.org/fhir/R4/terminologies-systems.html
 */
import type { Context } from '../context.ts'
import { type JsonObject, NumberText } from '../fhir/json.ts'
import type { AskedSystem, ListOptions } from '../fhir/terminology/asked-system.ts'
import { type Concept, text } from '../fhir/terminology/code-system.ts'
import { shown } from '../fhir/terminology/filter.ts'
import { NotListed } from '../fhir/terminology/not-listed.ts'
import { wordsOf } from '../search/words.ts'
import type {
  ConceptCondition,
  Concepts,
  Concept as Loaded,
  PropertyType,
  Release,
} from '../storage/concepts.ts'
import type { Cursor } from '../storage/port.ts'

/** Concepts that one question of the store brings, and that are passed over to come to an offset. */
const PAGE = 1000
const MOST_PASSED = 20_000

/** Returns the release that a canonical names; undefined where none is loaded. */
export async function largeSystem(ctx: Context, canonical: string): Promise<AskedSystem | undefined> {
  const { concepts } = ctx.storage
  const release = await concepts.current(canonical)
  return release && systemOf(concepts, release)
}

function systemOf(concepts: Concepts, release: Release): AskedSystem {
  const { system: url, version, title } = release
  const name = `${url}|${version}`
  const get = async (code: string): Promise<Loaded | undefined> => (await concepts.get(name, [code]))[0]
  return {
    url,
    version,
    title,
    async find(code) {
      const found = await get(code)
      return found && conceptOf(found, release)
    },
    some: async codes => (await concepts.get(name, codes)).map(one => conceptOf(one, release)),
    async selects(filters, code) {
      if (filters.length === 0) return (await get(code)) !== undefined
      const where = [...conditionsOf(filters), { is: 'code', codes: [code] } as const]
      return (await concepts.find(name, [], { limit: 1, where })).concepts.length > 0
    },
    list: options => list(concepts, release, options),
    async around(code, way, most) {
      if (way === 'above') return concepts.ancestors(name, code)
      const codes: string[] = []
      let after: Cursor | undefined
      do {
        const page = await concepts.find(name, [], {
          limit: PAGE,
          where: [{ is: 'descendentOf', code }],
          ...(after && { after }),
        })
        codes.push(...page.concepts.map(one => one.code))
        if (codes.length > most) throw new NotListed(`it has more than ${most} codes`, 'too-costly')
        after = page.more ? page.last : undefined
      } while (after !== undefined)
      return codes
    },
    parents: async code => (await get(code))?.parents ?? [],
    children: async (code, most) =>
      (await concepts.children(name, code, { limit: most })).concepts.map(one => one.code),
  }
}

async function list(
  concepts: Concepts,
  release: Release,
  { filters, codes, text: words = '', activeOnly, offset, limit }: ListOptions,
) {
  const name = `${release.system}|${release.version}`
  const where = conditionsOf(filters)
  if (codes !== undefined) where.push({ is: 'code', codes })
  if (activeOnly) where.push({ is: 'active', active: true })
  if (offset > MOST_PASSED)
    throw new NotListed(`pages begin at ${MOST_PASSED} at most; ask with a filter`, 'too-costly')
  const wanted = wordsOf(words)
  const found: Concept[] = []
  let total: number | undefined
  let passed = 0
  let after: Cursor | undefined
  for (;;) {
    const size = Math.min(PAGE, passed < offset ? offset - passed : limit - found.length)
    const page = await concepts.find(name, wanted, {
      limit: Math.max(size, total === undefined ? 1 : 0),
      where,
      ...(total === undefined && { total: true }),
      ...(after && { after }),
    })
    total ??= page.total ?? 0
    if (passed < offset) passed += page.concepts.length
    else found.push(...page.concepts.slice(0, limit - found.length).map(one => conceptOf(one, release)))
    if (!page.more || found.length >= limit || page.last === undefined) break
    after = page.last
  }
  return { concepts: found, total }
}

/** Throws NotListed for a filter that such a system does not understand. */
function conditionsOf(filters: readonly JsonObject[]): ConceptCondition[] {
  return filters.flatMap(filter => {
    const property = text(filter.property)
    const op = text(filter.op)
    const value = text(filter.value)
    if (property === undefined || op === undefined || value === undefined)
      throw new NotListed('a filter of it lacks its property, op or value')
    const condition = conditionOf(property, op, value)
    if (condition === undefined)
      throw new NotListed(
        `the filter ${shown(`${property} ${op} ${value}`)} is not understood of a loaded release`,
      )
    return condition
  })
}

const isConcept = (property: string): boolean => property === 'concept' || property === 'code'
const listOf = (value: string): string[] => value.split(',').map(one => one.trim())

function conditionOf(property: string, op: string, value: string): ConceptCondition | [] | undefined {
  if (isConcept(property)) {
    if (op === 'is-a') return { is: 'isA', code: value }
    if (op === 'descendent-of') return { is: 'descendentOf', code: value }
    // Of SNOMED CT `concept in 123` means the members of a reference set. https://hl7.org/fhir/R4/snomedct.html#filter
    if (op === 'in' && property === 'concept') return { is: 'memberOf', set: value }
    if (op === 'in') return { is: 'code', codes: listOf(value) }
    return op === '=' ? { is: 'code', codes: [value] } : undefined
  }
  // Post-coordinated expressions are never listed.
  if (property === 'expressions' && op === '=') return []
  if (property === 'parent' && op === '=') return { is: 'childOf', code: value }
  // The answers of a list. https://hl7.org/fhir/R4/loinc.html#4.3.4.2.1
  if (property === 'LIST' && op === '=') return { is: 'memberOf', set: value }
  if (property === 'ancestor' && op === '=') return { is: 'descendentOf', code: value }
  if (property === 'inactive' && op === '=') return { is: 'active', active: value !== 'true' }
  if (op === '=') return { is: 'property', property, values: [value] }
  return op === 'in' ? { is: 'property', property, values: listOf(value) } : undefined
}

const VALUES: Record<PropertyType, (text: string) => JsonObject> = {
  code: text => ({ valueCode: text }),
  string: text => ({ valueString: text }),
  integer: text =>
    /^-?[0-9]{1,10}$/.test(text) ? { valueInteger: new NumberText(text) } : { valueString: text },
  decimal: text =>
    /^-?[0-9]{1,20}(?:\.[0-9]{1,20})?$/.test(text)
      ? { valueDecimal: new NumberText(text) }
      : { valueString: text },
  boolean: text => ({ valueBoolean: text === 'true' }),
  dateTime: text => ({ valueDateTime: text }),
}

/** Returns the concept as those of CodeSystem resources are. */
function conceptOf(
  { code, display, active, properties, designations }: Loaded,
  { system, propertyTypes }: Release,
): Concept {
  const values = new Map(Object.entries(properties).map(([name, list]) => [name, [...list]]))
  const property: JsonObject[] = [...values].flatMap(([name, list]) =>
    list.map(value => ({ code: name, ...VALUES[propertyTypes[name] ?? 'string'](value) })),
  )
  if (!active) {
    values.set('inactive', ['true'])
    property.push({ code: 'inactive', valueBoolean: true })
  }
  return {
    code,
    display,
    properties: values,
    source: {
      code,
      display,
      property,
      designation: designations.map(({ language, use, value }) => ({
        ...(language !== undefined && { language }),
        ...(use !== undefined && { use: { system, code: use } }),
        value,
      })),
    },
  }
}
