/**
 * The search parameters that the server knows, compiled for one index epoch.
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */
import definitions from '../fhir/definitions/generated/search-parameters.json' with { type: 'json' }
import { type Composite, compositeOf, rowsKey } from './composite.ts'
import { alternatives, RESOURCE_TYPES, type TypedPath, typedPaths } from './expression.ts'
import type { ParamName } from './plan-node.ts'
import { writes } from './walk.ts'

export type ParamType =
  | 'token'
  | 'string'
  | 'date'
  | 'number'
  | 'quantity'
  | 'reference'
  | 'uri'
  | 'composite'
  | 'special'

export interface SearchParam {
  /** As it stands in a URL: `family`. */
  code: string
  /** The resource type it is defined on, `Resource` or `DomainResource` for those that all have. */
  base: string
  /** Its name in the index: `Patient.family`, `_tag`. */
  name: ParamName
  type: ParamType
  /** Canonical URL of the SearchParameter. */
  url: string
  /** Only the alternatives for `base`. */
  expression: string
  /** Resource types that a reference parameter may point to. */
  targets: readonly string[]
  /** Of a reference: types among its targets whose resources have a place in one another, and by which of their parameters. */
  hierarchies?: readonly { type: string; param: ParamName }[]
  /** Where its values stand in a resource of the type, each with its FHIR type; empty for composite, special and unsupported ones. */
  paths: readonly TypedPath[]
  /**
   * The names whose rows are this parameter's rows: its own, or those of the parameters that it is the union of (`combo-code` is `code` and
   * `component-code`), which then has no rows of its own.
   */
  rows: readonly ParamName[]
  /** Of a custom one: its index is not complete yet. */
  building?: boolean
  /** Of a composite parameter that can be searched by: what it is made of. */
  composite?: Composite
  /** Why it cannot be searched by, to follow a colon: "its expression ... is not understood on Patient". */
  problem?: string
}

export interface SearchRegistry {
  epoch: number
  /** Returns the parameter, or undefined where the type has none of that code. Those of Resource and DomainResource count for every type. */
  param(type: string, code: string): SearchParam | undefined
  /** Returns all parameters of a type, those of Resource and DomainResource included, by code. */
  params(type: string): readonly SearchParam[]
  /** All concrete R4 resource types, sorted. */
  types: readonly string[]
}

/** What a parameter is made from: a SearchParameter resource, compacted. */
export interface ParamDefinition {
  code: string
  type: string
  base: readonly string[]
  expression: string
  target: readonly string[]
  url: string
  /**
   * Of a custom one: the index epoch from which on its rows are made. It is part of its name in the index (`Patient.tribe@7`), so that rows
   * of another definition under the same code are never taken for its own.
   */
  version?: string
  /** Of a custom one: the resources that were there before it are not all indexed yet. */
  building?: boolean
  /** Of a composite: for each part the canonical URL of its parameter, and its expression relative to the composite's. */
  component?: readonly ComponentDefinition[]
}

export interface ComponentDefinition {
  definition: string
  expression: string
}

/**
 * Returns the registry of R4's own parameters and of `custom` ones, which win over those of the same code. `epoch` rises whenever custom
 * parameters change. Types are compiled when they are first asked for.
 */
export function createRegistry(custom: readonly ParamDefinition[] = [], epoch = 0): SearchRegistry {
  const byBase = new Map<string, ParamDefinition[]>()
  for (const definition of [...(definitions as ParamDefinition[]), ...custom])
    for (const base of definition.base) {
      const list = byBase.get(base)
      if (list === undefined) byBase.set(base, [definition])
      else list.push(definition)
    }
  const compiled = new Map<string, Map<string, SearchParam>>()
  const ofType = (type: string): Map<string, SearchParam> => {
    let params = compiled.get(type)
    if (params === undefined) {
      params = compile(type, byBase)
      // Any text may be asked for; only names of types are kept.
      if (byBase.has(type)) compiled.set(type, params)
    }
    return params
  }
  return {
    epoch,
    types: RESOURCE_TYPES,
    param: (type, code) => ofType(type).get(code),
    params: type => [...ofType(type).values()],
  }
}

/**
 * Returns why a parameter of this definition could not be searched by on a type, beside R4's and these others; undefined where it can. To
 * follow a colon.
 */
export const problemWith = (
  definition: ParamDefinition,
  base: string,
  others: readonly ParamDefinition[] = [],
): string | undefined => createRegistry([...others, definition]).param(base, definition.code)?.problem

/** Types that have no narrative, extensions or contained resources, and so none of DomainResource's parameters. */
const PLAIN_RESOURCES = new Set(['Bundle', 'Binary', 'Parameters', 'Resource'])

function compile(
  type: string,
  byBase: ReadonlyMap<string, readonly ParamDefinition[]>,
): Map<string, SearchParam> {
  const bases = PLAIN_RESOURCES.has(type) ? ['Resource'] : ['Resource', 'DomainResource']
  if (!bases.includes(type)) bases.push(type)
  const definitions = new Map<SearchParam, ParamDefinition>()
  const found = bases.flatMap(base =>
    (byBase.get(base) ?? []).map(definition => {
      const one = param(definition, base)
      definitions.set(one, definition)
      return one
    }),
  )
  found.sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0))
  const params = new Map(found.map(one => [one.code, one]))
  const byExpression = new Map<string, SearchParam>()
  for (const one of params.values()) {
    // What R4's own parameters are answered by does not depend on custom ones.
    if (isCustom(one)) continue
    if (one.paths.length > 0 && !byExpression.has(meaning(one))) byExpression.set(meaning(one), one)
  }
  for (const one of params.values()) if (!isCustom(one)) one.rows = rowsOf(one, byExpression)
  compileComposites(params, definitions)
  return params
}

function compileComposites(
  params: ReadonlyMap<string, SearchParam>,
  definitions: ReadonlyMap<SearchParam, ParamDefinition>,
): void {
  const composites = [...params.values()].filter(one => one.type === 'composite')
  const ofR4 = [...params.values()].filter(one => !isCustom(one))
  for (const one of composites) {
    const known = isCustom(one) ? [...params.values()] : ofR4
    const found = compositeOf(one, definitions.get(one)?.component ?? [], known)
    if ('problem' in found) one.problem = found.problem
    else one.composite = found
  }
  // Those that ask about the resource itself besides share the rows of those that do not: `combo-code-value-quantity`.
  const owners = new Map<string, ParamName>()
  for (const whole of [false, true])
    for (const one of composites) {
      const within = one.composite?.within
      if (within === undefined || isCustom(one) || (one.composite?.whole !== undefined) !== whole) continue
      const owner = owners.get(rowsKey(within))
      if (owner === undefined) owners.set(rowsKey(within), within.name)
      else one.composite = { ...one.composite!, within: { ...within, name: owner } }
    }
}

/** R4's own names have no @. */
const isCustom = ({ name }: SearchParam): boolean => name.includes('@')

function param(definition: ParamDefinition, base: string): SearchParam {
  const common = base === 'Resource' || base === 'DomainResource'
  const own = alternatives(definition.expression).filter(part => {
    const start = /^[A-Z]\w*(?=[.[]|$)/.exec(part)?.[0]
    return start === undefined || start === base
  })
  const paramType = definition.type as ParamType
  // Their rows would be the row of the resource itself.
  const isColumn = definition.code === '_id' || definition.code === '_lastUpdated'
  const indexed = paramType !== 'composite' && paramType !== 'special' && !isColumn
  const version = definition.version === undefined ? '' : `@${definition.version}`
  const name = `${common ? '' : `${base}.`}${definition.code}${version}`
  const ways = indexed ? own.map(part => typedPaths(part, base)) : []
  const one: SearchParam = {
    code: definition.code,
    base,
    name,
    type: paramType,
    url: definition.url,
    expression: own.join(' | '),
    targets: definition.target,
    paths: ways.flatMap(way => way ?? []),
    rows: [name],
    ...(definition.building === true && { building: true }),
  }
  if (paramType === 'reference' && one.paths.some(path => path.type === 'Reference'))
    one.hierarchies = hierarchiesOf(one)
  const problem =
    indexed && definition.expression !== '' ? problemOf(one, own[ways.indexOf(undefined)]) : undefined
  return problem === undefined ? one : { ...one, problem }
}

/** Codes under which R4 has what a resource is part of: Location, Organization, Encounter, Procedure and others. */
const PART_OF = new Set(['partof', 'part-of', 'parent'])

/** For each type the parameter by which its resources are parts of one another. */
const HIERARCHIES = new Map(
  (definitions as ParamDefinition[]).flatMap(({ code, base, target, type }) =>
    type === 'reference' && PART_OF.has(code)
      ? base.flatMap((one): [string, ParamName][] => (target.includes(one) ? [[one, `${one}.${code}`]] : []))
      : [],
  ),
)

/** What may refer to anything is no hierarchy. */
const MANY_TARGETS = 20

function hierarchiesOf({ targets, base, name }: SearchParam): { type: string; param: ParamName }[] {
  return targets.flatMap(type => {
    const own = type === base && targets.length < MANY_TARGETS ? name : undefined
    const param = HIERARCHIES.get(type) ?? own
    return param === undefined ? [] : { type, param }
  })
}

/** `unread` is the first alternative that is not understood. */
function problemOf(one: SearchParam, unread: string | undefined): string | undefined {
  if (one.expression === '') return `it has no expression for ${one.base}`
  if (unread !== undefined) return `its expression "${unread}" is not understood on ${one.base}`
  if (!one.paths.some(path => writes(one, path)))
    return `its expression leads to no values that a ${one.type} parameter searches`
  return undefined
}

/** Rows that would stand in the index twice are kept once: an Observation's quantity and its code need half the rows. */
function rowsOf(one: SearchParam, byExpression: ReadonlyMap<string, SearchParam>): readonly ParamName[] {
  const whole = byExpression.get(meaning(one))
  if (whole !== undefined && whole !== one) return [whole.name]
  const parts = one.expression.split(' | ')
  if (parts.length < 2) return [one.name]
  return cover(one, new Set(parts), byExpression) ?? [one.name]
}

/** Bundle's `message` and `composition` have one expression and differ in what it may lead to. */
const meaning = (one: SearchParam): string => `${one.type} ${one.targets.join()} ${one.expression}`

/** Returns the names of parameters whose alternatives together are exactly `parts`. */
function cover(
  one: SearchParam,
  parts: Set<string>,
  byExpression: ReadonlyMap<string, SearchParam>,
): ParamName[] | undefined {
  const names: ParamName[] = []
  for (const candidate of byExpression.values()) {
    if (candidate === one || candidate.type !== one.type || candidate.type === 'reference') continue
    const own = candidate.expression.split(' | ')
    if (own.length >= one.expression.split(' | ').length || !own.every(part => parts.has(part))) continue
    for (const part of own) parts.delete(part)
    names.push(candidate.name)
    if (parts.size === 0) return names
  }
  return undefined
}
