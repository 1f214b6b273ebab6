/**
 * From criteria to a plan: what each parameter means for the types searched.
 * https://hl7.org/fhir/R4/search.html
 */
import type { Issue } from '../fhir/error.ts'
import {
  type Ask,
  allOf,
  anyOf,
  type PlanContext,
  type Planner,
  refusal,
  Unsupported,
  unsupported,
} from './ask.ts'
import { fingerprintOf } from './fingerprint.ts'
import { planDate, planUpdated } from './params/date.ts'
import { planNumber, planQuantity } from './params/quantity.ts'
import { planReference, planTypedReference } from './params/reference.ts'
import { planContains, planExact, planString } from './params/string.ts'
import { planIdentifier, planOfType, planToken, planTokenText } from './params/token.ts'
import { planAbove, planBelow, planUri } from './params/uri.ts'
import { type Criterion, type SearchRequest, shown, unescapeValue } from './parse.ts'
import type { Node, SearchPlan, SortKey } from './plan-node.ts'
import type { ParamType, SearchParam } from './registry.ts'
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

/** The planners of each type by modifier; '' is none, `Type` any resource type. `missing` and `not` are the same for all. */
const PLANNERS: Partial<Record<ParamType, Readonly<Record<string, Planner>>>> = {
  token: { '': planToken, not: planToken, text: planTokenText, 'of-type': planOfType },
  string: { '': planString, exact: planExact, contains: planContains },
  date: { '': planDate },
  number: { '': planNumber },
  quantity: { '': planQuantity },
  reference: { '': planReference, identifier: planIdentifier, Type: planTypedReference },
  uri: { '': planUri, above: planAbove, below: planBelow },
}

/** Returns the modifiers that parameters of a type may take, `missing` included; `[type]` stands for the name of a resource type. */
export const modifiersOf = (type: ParamType): string[] => {
  const planners = PLANNERS[type]
  if (planners === undefined) return []
  return [
    'missing',
    ...Object.keys(planners).flatMap(name => (name === '' ? [] : name === 'Type' ? ['[type]'] : [name])),
  ]
}

/** Modifiers that have a meaning only on values of certain FHIR types. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  text: ['Coding', 'CodeableConcept', 'Identifier'],
  'of-type': ['Identifier'],
  identifier: ['Reference'],
  '[type]': ['Reference'],
}

/** Returns the modifiers that this parameter takes: those of its type that have a meaning on its values. */
export function paramModifiers(param: SearchParam): string[] {
  if (isColumn(param)) return param.code === '_id' ? ['missing', 'not'] : ['missing']
  return modifiersOf(param.type).filter(name => {
    const needed = Object.hasOwn(NEEDS, name) ? NEEDS[name]! : undefined
    return needed === undefined || param.paths.some(path => needed.includes(path.type))
  })
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
  const search = new Planning(request, options, limits)
  return search.planned()
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

/** Parameters of R4 that the server does not know to do, with what to say of them. */
const NOT_YET = new Set([
  '_has',
  '_include',
  '_revinclude',
  '_contained',
  '_containedType',
  '_list',
  '_filter',
  '_query',
  '_text',
  '_content',
  '_score',
])

class Planning {
  readonly #request: SearchRequest
  readonly #options: PlanOptions
  readonly #limits: SearchLimits
  #types: readonly string[]
  readonly #result: ResultParams
  readonly #nodes: Node[] = []
  readonly #applied: (readonly [string, string])[] = []
  readonly #ignored: Issue[] = []
  /** Texts of criteria whose bounds depend on the time of asking. */
  readonly #marks = new Map<Node, string>()
  #sort: SortKey[] = []

  constructor(request: SearchRequest, options: PlanOptions, limits: SearchLimits) {
    this.#request = request
    this.#options = options
    this.#limits = limits
    this.#types = [...new Set(options.types)]
    this.#result = {
      count: limits.pageDefault,
      total: undefined,
      summary: 'false',
      elements: undefined,
      pretty: false,
      format: undefined,
    }
  }

  planned(): PlannedSearch {
    const seen = new Set<string>()
    // What may be asked depends on the types, wherever _type stands.
    for (const criterion of this.#request) if (criterion.code === '_type') this.#apply(criterion, seen)
    for (const criterion of this.#request) if (criterion.code !== '_type') this.#apply(criterion, seen)
    const order = new Map(this.#request.map((criterion, at) => [`${criterion.name}=${criterion.value}`, at]))
    const place = ([name, value]: readonly [string, string]) => order.get(`${name}=${value}`) ?? 0
    const where = this.#nodes.length === 1 ? this.#nodes[0]! : allOf(this.#nodes)
    const { summary, elements } = this.#result
    if (elements !== undefined && summary !== 'false' && summary !== 'count')
      throw refusal(
        { name: '_elements' },
        '"_elements" and "_summary" both choose what is shown; one of them will do.',
      )
    if (this.#result.count === 0) this.#result.summary = 'count'
    return {
      plan: {
        types: this.#types,
        where,
        sort: this.#sort,
        fingerprint: fingerprintOf(this.#types, where, this.#sort, this.#marks),
      },
      result: this.#result,
      applied: this.#applied.sort((a, b) => place(a) - place(b)),
      ignored: this.#ignored,
    }
  }

  #apply(criterion: Criterion, seen: Set<string>): void {
    try {
      const value = this.#one(criterion, seen)
      this.#applied.push([criterion.name, value ?? criterion.value])
    } catch (error) {
      if (!(error instanceof Unsupported) || !this.#options.lenient) throw error
      for (const issue of error.issues) this.#ignored.push({ ...issue, severity: 'warning' })
    }
  }

  /** Returns the value that was applied where it is not the one sent. */
  #one(criterion: Criterion, seen: Set<string>): string | undefined {
    const { code } = criterion
    switch (code) {
      case '_count':
      case '_sort':
      case '_total':
      case '_summary':
      case '_elements':
      case '_format':
      case '_pretty':
        return this.#resultParam(criterion, seen)
      case '_type':
        this.#typeParam(criterion)
        return undefined
      default:
        this.#nodes.push(this.#criterion(criterion))
        return undefined
    }
  }

  #resultParam(criterion: Criterion, seen: Set<string>): string | undefined {
    const { code } = criterion
    if (criterion.modifier !== undefined || criterion.chain !== undefined)
      throw unsupported(criterion, `"${code}" takes no modifier.`)
    if (seen.has(code)) throw refusal(criterion, `"${code}" stands twice.`)
    seen.add(code)
    const result = this.#result
    switch (code) {
      case '_count':
        result.count = planCount(criterion, this.#limits.pageMax)
        return String(result.count)
      case '_sort':
        this.#sort = planSort(criterion, this.#types, this.#options)
        break
      case '_total':
        result.total = planTotal(criterion)
        break
      case '_summary':
        result.summary = planSummary(criterion)
        break
      case '_elements':
        result.elements = planElements(criterion)
        break
      case '_format':
        result.format = criterion.value
        break
      case '_pretty':
        result.pretty = planPretty(criterion)
    }
    return undefined
  }

  #typeParam(criterion: Criterion): void {
    if (criterion.modifier !== undefined || criterion.chain !== undefined)
      throw unsupported(criterion, '"_type" takes no modifier.')
    const known = new Set(this.#options.registry.types)
    for (const type of criterion.values)
      if (!known.has(type)) throw refusal(criterion, `"${shown(type)}" is not a resource type of R4.`)
    const asked = new Set(criterion.values)
    if (this.#types.length === 0) this.#types = [...asked]
    else if (this.#types.every(type => asked.has(type))) return
    else {
      const both = this.#types.filter(type => asked.has(type))
      if (both.length > 0) this.#types = both
      else this.#nodes.push({ kind: 'or', nodes: [] })
    }
  }

  #criterion(criterion: Criterion): Node {
    const { code, modifier, chain } = criterion
    if (NOT_YET.has(code)) throw unsupported(criterion, `"${code}" is not supported.`)
    const params = this.#paramsOf(criterion)
    if (chain !== undefined)
      throw unsupported(criterion, `Chained parameters such as "${shown(criterion.name)}" are not supported.`)
    if (modifier === 'missing') return this.#missing(criterion, params)
    const values = code === '_id' ? criterion.values.slice(0, 1) : criterion.values
    if (values.length * params.length > this.#limits.values * 5)
      throw refusal(criterion, 'So many values on so many types are too many.', 'too-costly')
    const asks = values.flatMap(value =>
      params.map((param): Ask => ({ param, criterion, value, context: this.#options })),
    )
    const node = anyOf(asks.map(ask => this.#leaf(plannerOf(ask), ask)))
    return modifier === 'not' ? { kind: 'not', node } : node
  }

  #leaf(planner: Planner, ask: Ask): Node {
    const node = planner(ask)
    if (ask.value.startsWith('ap') && (ask.param.type === 'date' || ask.param.code === '_lastUpdated'))
      this.#marks.set(node, `${ask.param.name}=${ask.value}`)
    return node
  }

  /** Returns the parameter of each type searched. */
  #paramsOf(criterion: Criterion): SearchParam[] {
    const { registry } = this.#options
    const types = this.#types.length === 0 ? ['Resource'] : this.#types
    const params = types.map(type => {
      const param = registry.param(type, criterion.code)
      if (param === undefined) throw this.#unknown(criterion, type)
      return param
    })
    const first = params[0]!
    if (params.some(param => param.type !== first.type))
      throw unsupported(criterion, `"${criterion.code}" means different things on the types searched.`)
    if (
      !isColumn(first) &&
      (PLANNERS[first.type] === undefined || params.some(param => param.paths.length === 0))
    )
      throw unsupported(criterion, `"${criterion.code}" is not supported: it is a ${first.type} parameter.`)
    return [...new Map(params.map(param => [param.name, param])).values()]
  }

  #unknown(criterion: Criterion, type: string): Unsupported {
    const { registry } = this.#options
    const code = shown(criterion.code)
    if (this.#types.length === 0)
      return unsupported(
        criterion,
        `"${code}" is not a parameter of all resource types; name the types that it is for with _type.`,
      )
    const codes = registry.params(type).map(param => param.code)
    return unsupported(criterion, `${type} has no search parameter "${code}"; it has ${codes.join(', ')}.`)
  }

  #missing(criterion: Criterion, params: readonly SearchParam[]): Node {
    const value = unescapeValue(criterion.value)
    if (value !== 'true' && value !== 'false')
      throw refusal(criterion, `"${shown(criterion.name)}" is true or false.`)
    const nodes = params.some(isColumn)
      ? []
      : params.flatMap(param => param.rows.map((name): Node => ({ kind: 'present', param: name })))
    const present: Node = params.some(isColumn) ? { kind: 'and', nodes: [] } : anyOf(nodes)
    return value === 'true' ? { kind: 'not', node: present } : present
  }
}

/** `_id` and `_lastUpdated` every resource has; they are not in the index rows. */
const isColumn = (param: SearchParam): boolean => param.code === '_id' || param.code === '_lastUpdated'

/** Returns what plans a value under the criterion's modifier. Throws `not-supported` for a modifier that the parameter does not take. */
function plannerOf({ param, criterion, context }: Ask): Planner {
  const { modifier } = criterion
  if (param.code === '_id' && (modifier === undefined || modifier === 'not')) return planId
  if (param.code === '_lastUpdated' && modifier === undefined) return planUpdated
  const taken = paramModifiers(param)
  const isType = modifier !== undefined && context.registry.types.includes(modifier)
  if (modifier === undefined || taken.includes(isType ? '[type]' : modifier)) {
    const planner = PLANNERS[param.type]?.[isType ? 'Type' : (modifier ?? '')]
    if (planner !== undefined) return planner
  }
  throw unsupported(
    criterion,
    `"${param.code}" does not take the modifier ":${shown(modifier ?? '')}"; as a ${param.type} parameter it takes ${taken.map(name => `:${name}`).join(', ')}.`,
  )
}

/** All the criterion's values at once, as one list is looked up at once. */
const planId: Planner = ({ criterion }) => ({
  kind: 'id',
  ids: [...new Set(criterion.values.map(unescapeValue))],
})
