/**
 * Parameters that say how results come back: count, order, total, summary, elements.
 * https://hl7.org/fhir/R4/search.html#return
 */
import { type PlanContext, refusal, unsupported } from './ask.ts'
import type { Include } from './include-params.ts'
import type { Criterion } from './parse.ts'
import type { ParamName, SortKey } from './plan-node.ts'
import type { SearchParam } from './registry.ts'

export type Summary = 'true' | 'text' | 'data' | 'count' | 'false'

export interface ResultParams {
  /** Resources on a page; 0 only counts. */
  count: number
  /** What `_total` asks for; undefined where the client does not say. */
  total: 'none' | 'estimate' | 'accurate' | undefined
  summary: Summary
  elements: readonly string[] | undefined
  pretty: boolean
  format: string | undefined
  /** In the order they came. */
  includes: readonly Include[]
  /** `_explain`: the answer says how the search was done. */
  explain: boolean
}

export const RESULT_PARAMS = [
  '_count',
  '_sort',
  '_total',
  '_summary',
  '_elements',
  '_format',
  '_pretty',
  '_include',
  '_revinclude',
  '_contained',
  '_explain',
] as const

const SUMMARIES: readonly string[] = ['true', 'text', 'data', 'count', 'false']
const TOTALS: readonly string[] = ['none', 'estimate', 'accurate']

/** Returns the _count asked for, at most `max`. Throws `invalid` for what is no whole number. */
export function planCount(criterion: Criterion, max: number): number {
  if (!/^[0-9]{1,9}$/.test(criterion.value))
    throw refusal(criterion, '"_count" takes a whole number, 0 for the total alone.')
  return Math.min(Number(criterion.value), max)
}

export function planTotal(criterion: Criterion): 'none' | 'estimate' | 'accurate' {
  if (!TOTALS.includes(criterion.value)) throw refusal(criterion, `"_total" is one of ${TOTALS.join(', ')}.`)
  return criterion.value as 'none' | 'estimate' | 'accurate'
}

export function planSummary(criterion: Criterion): Summary {
  if (!SUMMARIES.includes(criterion.value))
    throw refusal(criterion, `"_summary" is one of ${SUMMARIES.join(', ')}.`)
  return criterion.value as Summary
}

export function planElements(criterion: Criterion): string[] {
  const names = criterion.values.map(name => name.trim())
  if (!names.every(name => /^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name)))
    throw refusal(
      criterion,
      '"_elements" takes names of elements at the root of the resource, parted by commas.',
    )
  return [...new Set(names)]
}

/** Returns the truth that `_pretty` or `_explain` asks for. */
export function planTruth(criterion: Criterion): boolean {
  if (criterion.value !== 'true' && criterion.value !== 'false')
    throw refusal(criterion, `"${criterion.code}" is true or false.`)
  return criterion.value === 'true'
}

/** Throws `not-supported` for anything but `_contained=false`, which R4 has where nothing is said. */
export function checkContained(criterion: Criterion): void {
  if (criterion.code === '_contained' && criterion.value === 'false') return
  throw unsupported(
    criterion,
    `"${criterion.code}" is not supported: contained resources are not searched, and matches are never contained ones.`,
  )
}

const MAX_SORT_KEYS = 8

/**
 * Returns the sort that `_sort` asks for on these types; `types` is empty for all.
 *
 * Throws `not-supported` for a parameter that a type has not or that has no order, `invalid` for too many.
 */
export function planSort(criterion: Criterion, types: readonly string[], context: PlanContext): SortKey[] {
  if (criterion.values.length > MAX_SORT_KEYS)
    throw refusal(criterion, `"_sort" takes ${MAX_SORT_KEYS} parameters at most.`, 'too-costly')
  return criterion.values.map(value => {
    const descending = value.startsWith('-')
    const code = descending ? value.slice(1) : value
    if (code === '_id') return { by: 'id', descending }
    if (code === '_lastUpdated') return { by: 'updated', descending }
    const coded = new Set<ParamName>()
    const params = (types.length === 0 ? ['Resource'] : types).map(type => {
      const param = context.registry.param(type, code)
      if (param === undefined || !isSortable(param)) throw unsortable(criterion, code, type, context)
      if (isCoded(param)) coded.add(param.rows[0]!)
      return param.rows[0]!
    })
    const key = { by: 'param', params: [...new Set(params)], descending } as const
    return coded.size === 0 ? key : { ...key, coded: [...coded] }
  })
}

/** References, contact points and what all resources share sort by nothing that means anything to a person: their rows are spared. */
export const isSortable = (param: SearchParam): boolean =>
  param.rows.length === 1 &&
  param.name.includes('.') &&
  param.type !== 'reference' &&
  param.type !== 'special' &&
  param.type !== 'composite' &&
  param.paths.some(path => path.type !== 'ContactPoint')

/** Whether the sort keys are the codes of the token rows. Contact points have codes that are no sort keys. */
export const isCoded = (param: SearchParam): boolean =>
  param.type === 'token' && param.paths.every(path => path.type !== 'ContactPoint')

function unsortable(criterion: Criterion, code: string, type: string, { registry }: PlanContext) {
  const codes = registry
    .params(type)
    .filter(isSortable)
    .map(param => param.code)
  return unsupported(
    criterion,
    `${type} cannot be sorted by "${code.slice(0, 64)}"; it can by _id, _lastUpdated, ${codes.join(', ')}.`,
  )
}
