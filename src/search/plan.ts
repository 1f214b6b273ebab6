/**
 * From criteria to a plan: what a search asks for, and how its results come back.
 * https://hl7.org/fhir/R4/search.html
 */
import type { Issue } from '../fhir/error.ts'
import { allOf, type PlanContext, refusal, Unsupported, unsupported } from './ask.ts'
import { planCriterion } from './criterion.ts'
import { fingerprintOf } from './fingerprint.ts'
import { type Criterion, type SearchRequest, shown } from './parse.ts'
import type { Node, SearchPlan, SortKey } from './plan-node.ts'
import {
  planCount,
  planElements,
  planPretty,
  planSort,
  planSummary,
  planTotal,
  type ResultParams,
} from './result-params.ts'

export interface SearchLimits {
  /** Parameters in a search; values in all of them together; characters in a value. */
  parameters: number
  values: number
  length: number
  /** Resources on a page when the client names no _count, and at most. */
  pageDefault: number
  pageMax: number
}

export const SEARCH_LIMITS: SearchLimits = {
  parameters: 100,
  values: 1000,
  length: 16_384,
  pageDefault: 20,
  pageMax: 1000,
}

export interface PlanOptions extends PlanContext {
  /** The types searched; empty for the whole system. */
  types: readonly string[]
  /** `Prefer: handling=lenient`: what is not known or not supported is left out and named in `ignored`. */
  lenient?: boolean
  limits?: Partial<SearchLimits>
}

export interface PlannedSearch {
  plan: SearchPlan
  result: ResultParams
  /** The parameters that were applied, in the order sent, for the self link. */
  applied: (readonly [string, string])[]
  /** A warning for each parameter left out. */
  ignored: Issue[]
}

/**
 * Returns the plan of a search.
 *
 * Throws, with status 400 and the expression `http.<name>`: `not-supported` for a parameter or modifier that is unknown or has no meaning,
 * unless `lenient`; `invalid` for a value that the parameter does not take, naming what it takes; `too-costly` beyond the limits.
 */
export function planSearch(request: SearchRequest, options: PlanOptions): PlannedSearch {
  const limits = { ...SEARCH_LIMITS, ...options.limits }
  checkLimits(request, limits)
  const draft: Draft = {
    types: [...new Set(options.types)],
    nodes: [],
    sort: [],
    marks: new Map(),
    seen: new Set(),
    result: {
      count: limits.pageDefault,
      total: undefined,
      summary: 'false',
      elements: undefined,
      pretty: false,
      format: undefined,
    },
  }
  const applied = new Map<Criterion, readonly [string, string]>()
  const ignored: Issue[] = []
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

  const { types, sort, result } = draft
  if (result.elements !== undefined && result.summary !== 'false' && result.summary !== 'count')
    throw refusal(
      { name: '_elements' },
      '"_elements" and "_summary" both choose what is shown; one of them will do.',
    )
  if (result.count === 0) result.summary = 'count'
  const where = allOf(draft.nodes)
  const fingerprint = fingerprintOf(types, where, sort, draft.marks)
  return {
    plan: { types, where, sort, fingerprint },
    result,
    applied: request.flatMap(criterion => (applied.has(criterion) ? [applied.get(criterion)!] : [])),
    ignored,
  }
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
      throw refusal(criterion, `A search takes ${limits.values} values at most.`, 'too-costly')
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
  /** Result parameters that were there already. */
  seen: Set<string>
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
      result.pretty = planPretty(criterion)
      break
    default:
      draft.nodes.push(planCriterion(criterion, draft.types, options, draft.marks))
  }
  return value
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

function applyTypes(draft: Draft, criterion: Criterion, { registry }: PlanOptions): void {
  bare(criterion)
  for (const type of criterion.values)
    if (!registry.types.includes(type))
      throw refusal(criterion, `"${shown(type)}" is not a resource type of R4.`)
  const asked = new Set(criterion.values)
  const both = draft.types.length === 0 ? [...asked] : draft.types.filter(type => asked.has(type))
  // A plan without types is one for all, so that none at all has to be said by a node.
  if (both.length === 0) draft.nodes.push({ kind: 'or', nodes: [] })
  else draft.types = both
}
