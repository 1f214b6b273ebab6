/**
 * From criteria to a plan: what a search asks for, and how its results come back.
 * https://hl7.org/fhir/R4/search.html
 */
import type { Issue } from '../fhir/error.ts'
import { allOf, type PlanContext, refusal, Unsupported, unsupported } from './ask.ts'
import { type Compartment, compartmentNode, compartmentTypes } from './compartment.ts'
import { planCriterion } from './criterion.ts'
import { fingerprintOf } from './fingerprint.ts'
import { type PlannedIncludes, planInclude } from './include-params.ts'
import { placeOf } from './params/near.ts'
import { type Criterion, type SearchRequest, shown } from './parse.ts'
import type { Node, SearchPlan, SortKey } from './plan-node.ts'
import type { SearchRegistry } from './registry.ts'
import {
  checkContained,
  planCount,
  planElements,
  planSort,
  planSummary,
  planTotal,
  planTruth,
  type ResultParams,
} from './result-params.ts'

export interface SearchLimits {
  /** Parameters in a search; values in all of them together; characters in a value. */
  parameters: number
  values: number
  length: number
  /** Links in a chain, and in chained `_has`. */
  chain: number
  /** Resources on a page when the client names no _count, and at most. */
  pageDefault: number
  pageMax: number
}

export const SEARCH_LIMITS: SearchLimits = {
  parameters: 100,
  values: 1000,
  length: 16_384,
  chain: 5,
  pageDefault: 20,
  pageMax: 1000,
}

/** Backends need time for every node of a plan, on top of what it finds. */
const NODES_PER_VALUE = 3
/** A parameter that many types share needs so many, however few values a search may have. */
const LEAST_NODES = 1000

export interface PlanOptions extends PlanContext {
  /** The types searched; empty for the whole system. */
  types: readonly string[]
  /** Only resources in this compartment; without `types` all that may be in it. */
  within?: Compartment
  /** `Prefer: handling=lenient`: what is not known or not supported is left out and named in `ignored`. */
  lenient?: boolean
  limits?: Partial<SearchLimits>
}

export interface PlannedSearch {
  plan: SearchPlan
  result: ResultParams
  /** The parameters that were applied, in the order sent, for the self link. */
  applied: (readonly [string, string])[]
  /** A warning for each parameter left out, and for each include that adds nothing. */
  ignored: Issue[]
}

/**
 * Returns the plan of a search.
 *
 * Throws, with status 400 and the expression `http.<name>`: `not-supported` for a parameter or modifier that is unknown or has no meaning,
 * unless `lenient`; `invalid` for a value that the parameter does not take, naming what it takes; `too-costly` beyond the limits. With status
 * 404 `not-supported` for a compartment that there is not, or that a type is never in. Unresolved where a value means what is not known yet.
 */
export function planSearch(request: SearchRequest, options: PlanOptions): PlannedSearch {
  const limits = { ...SEARCH_LIMITS, ...options.limits }
  checkLimits(request, limits)
  const { within, registry } = options
  const draft: Draft = {
    types: typesOf(options),
    nodes: [],
    sort: [],
    marks: new Map(),
    // A value on one type is a node; on many types there are many.
    room: { asks: Math.max(limits.values * NODES_PER_VALUE, LEAST_NODES) },
    seen: new Set(),
    warnings: [],
    result: {
      count: limits.pageDefault,
      total: undefined,
      summary: 'false',
      elements: undefined,
      pretty: false,
      format: undefined,
      includes: [],
      explain: false,
    },
  }
  const applied = new Map<Criterion, readonly [string, string]>()
  const ignored = draft.warnings
  const apply = (criterion: Criterion): void => {
    try {
      applied.set(criterion, [criterion.name, applyTo(draft, criterion, options, limits)])
    } catch (error) {
      if (!(error instanceof Unsupported) || !options.lenient) throw error
      for (const issue of error.issues) ignored.push({ ...issue, severity: 'warning' })
    }
  }
  // What may be asked depends on the types, wherever _type stands.
  for (const criterion of request) if (criterion.code === '_type') apply(criterion)
  for (const criterion of request) if (criterion.code !== '_type') apply(criterion)

  const { types, result } = draft
  const sort = draft.seen.has('_sort') ? draft.sort : nearestFirst([...applied.keys()], types, registry)
  if (result.elements !== undefined && result.summary !== 'false' && result.summary !== 'count')
    throw refusal(
      { name: '_elements' },
      '"_elements" and "_summary" both choose what is shown; one of them will do.',
    )
  if (result.summary === 'text' && result.includes.length > 0)
    throw refusal({ name: '_summary' }, '"_summary=text" cannot be mixed with "_include" and "_revinclude".')
  if (result.count === 0) result.summary = 'count'
  if (within !== undefined) draft.nodes.push(compartmentNode(within, types, registry))
  const where = allOf(draft.nodes)
  const fingerprint = fingerprintOf(types, where, sort, draft.marks)
  return {
    plan: { types, where, sort, fingerprint },
    result,
    applied: request.flatMap(criterion => (applied.has(criterion) ? [applied.get(criterion)!] : [])),
    ignored,
  }
}

/** Places come with the nearest first where the client does not say how. */
function nearestFirst(
  applied: readonly Criterion[],
  types: readonly string[],
  registry: SearchRegistry,
): SortKey[] {
  const near = applied.find(({ code, modifier, chain }) => {
    if (code !== 'near' || modifier !== undefined || chain !== undefined) return false
    return types.every(type => registry.param(type, code)?.type === 'special')
  })
  if (near === undefined) return []
  const { latitude, longitude } = placeOf({ criterion: near, value: near.values[0]! })
  const params = types.flatMap(type => registry.param(type, near.code)!.rows)
  return [{ by: 'distance', param: params[0]!, latitude, longitude, descending: false }]
}

/** In a compartment the types are those that may be in it; what else is asked for is refused there. */
function typesOf({ types, within }: PlanOptions): string[] {
  if (within === undefined || types.length > 0) return [...new Set(types)]
  return [...compartmentTypes(within.type)]
}

function checkLimits(request: SearchRequest, limits: SearchLimits): void {
  if (request.length > limits.parameters)
    throw refusal(
      request[limits.parameters]!,
      `A search takes ${limits.parameters} parameters at most.`,
      'too-costly',
    )
  let values = 0
  for (const criterion of request) {
    values += criterion.values.length
    if (values > limits.values)
      throw refusal(
        criterion,
        `A search takes ${limits.values} values at most, all its parameters together (NADI_OR_LIMIT).`,
        'too-costly',
      )
    if (criterion.value.length > limits.length && criterion.code !== '_id')
      throw refusal(criterion, `A value has ${limits.length} characters at most.`, 'too-costly')
  }
}

/** The plan as far as it is made. */
interface Draft {
  types: readonly string[]
  nodes: Node[]
  sort: SortKey[]
  /** Texts of nodes whose bounds depend on the time of asking. */
  marks: Map<Node, string>
  /** Values times types that may still be asked for. */
  room: { asks: number }
  /** Result parameters that were there already. */
  seen: Set<string>
  warnings: Issue[]
  result: ResultParams
}

/** Returns the value that was applied: for the most part the one sent. */
function applyTo(draft: Draft, criterion: Criterion, options: PlanOptions, limits: SearchLimits): string {
  const { code, value } = criterion
  const { result } = draft
  switch (code) {
    case '_type':
      applyTypes(draft, criterion, options)
      break
    case '_count':
      once(draft, criterion)
      result.count = planCount(criterion, limits.pageMax)
      return String(result.count)
    case '_sort':
      once(draft, criterion)
      draft.sort = planSort(criterion, draft.types, options)
      break
    case '_total':
      once(draft, criterion)
      result.total = planTotal(criterion)
      break
    case '_summary':
      once(draft, criterion)
      result.summary = planSummary(criterion)
      break
    case '_elements':
      once(draft, criterion)
      result.elements = planElements(criterion)
      break
    case '_format':
      once(draft, criterion)
      result.format = value
      break
    case '_pretty':
      once(draft, criterion)
      result.pretty = planTruth(criterion)
      break
    case '_explain':
      once(draft, criterion)
      result.explain = planTruth(criterion)
      break
    case '_contained':
    case '_containedType':
      once(draft, criterion)
      checkContained(criterion)
      break
    case '_include':
    case '_revinclude':
      addIncludes(draft, planInclude(criterion, draft.types, options), criterion)
      break
    default: {
      const planning = { context: options, marks: draft.marks, room: draft.room }
      draft.nodes.push(planCriterion(criterion, draft.types, planning, limits))
    }
  }
  return value
}

const MAX_INCLUDES = 32

function addIncludes(
  { result, warnings }: Draft,
  { includes, idle }: PlannedIncludes,
  criterion: Criterion,
): void {
  const expression = `http.${shown(criterion.name)}`
  for (const diagnostics of idle)
    warnings.push({ severity: 'warning', code: 'informational', diagnostics, expression })
  result.includes = [...result.includes, ...includes]
  if (result.includes.length > MAX_INCLUDES)
    throw refusal(
      criterion,
      `A search takes ${MAX_INCLUDES} of "_include" and "_revinclude" at most.`,
      'too-costly',
    )
}

function once({ seen }: Draft, criterion: Criterion): void {
  bare(criterion)
  if (seen.has(criterion.code)) throw refusal(criterion, `"${criterion.code}" stands twice.`)
  seen.add(criterion.code)
}

function bare(criterion: Criterion): void {
  if (criterion.modifier !== undefined || criterion.chain !== undefined)
    throw unsupported(criterion, `"${criterion.code}" takes no modifier.`)
}

function applyTypes(draft: Draft, criterion: Criterion, { registry, within }: PlanOptions): void {
  bare(criterion)
  for (const type of criterion.values)
    if (!registry.types.includes(type))
      throw refusal(criterion, `"${shown(type)}" is not a resource type of R4.`)
  const asked = new Set(criterion.values)
  // What is never in the compartment is refused in whichever way it is asked for.
  if (within !== undefined) compartmentNode(within, [...asked], registry)
  const both = draft.types.length === 0 ? [...asked] : draft.types.filter(type => asked.has(type))
  // A plan without types is one for all, so that none at all has to be said by a node.
  if (both.length === 0) draft.nodes.push({ kind: 'or', nodes: [] })
  else draft.types = both
}
