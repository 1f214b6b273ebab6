/**
 * `_filter`: comparisons of search parameters, joined by and, or, not.
 * https://hl7.org/fhir/R4/search_filter.html
 */
import { allOf, anyOf, type PlanContext, refusal, unsupported } from './ask.ts'
import { type Filter, FilterFault, type Operator, parseFilter } from './filter-syntax.ts'
import { fold } from './fold.ts'
import { isColumn, presence } from './modifiers.ts'
import { dateAsked } from './params/date.ts'
import { furtherWords } from './params/string.ts'
import { type Criterion, parseName, shown } from './parse.ts'
import type { Bound, Node, Valued } from './plan-node.ts'
import type { ParamType, SearchParam } from './registry.ts'
import { type Asked, type Planning, planValues, takeRoom } from './values.ts'

interface Filtering {
  planning: Planning
  /** Comparisons in a filter. */
  most: number
  /** Follows the links of a path to the parameter at its end. */
  compare(criterion: Criterion, asked: Asked): Node
}

/** How an operator is planned: as a prefix of the value, as a modifier of the parameter ('' none), or in a way of its own. */
type How =
  | { prefix: Operator }
  | { modifier: string }
  | { match: Extract<Node, { kind: 'string' }>['match'] }
  | { own: 'overlap' | 'within' }
  | { not: Operator }

const PREFIXED = Object.fromEntries(
  (['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb'] as const).map(prefix => [prefix, { prefix }]),
) as Partial<Record<Operator, How>>

/** The operators of each type, beside `pr`, which all have. */
const OPERATORS: Partial<Record<ParamType, Partial<Record<Operator, How>>>> = {
  string: {
    eq: { match: 'equals' },
    ne: { not: 'eq' },
    co: { modifier: 'contains' },
    sw: { modifier: '' },
    ew: { match: 'ends' },
    gt: { match: '>' },
    lt: { match: '<' },
    ge: { match: '>=' },
    le: { match: '<=' },
  },
  number: PREFIXED,
  quantity: PREFIXED,
  date: { ...PREFIXED, co: { own: 'within' }, po: { own: 'overlap' } },
  token: {
    eq: { modifier: '' },
    ne: { not: 'eq' },
    // The value subsumes a concept in the set: what lies below the value is found.
    ss: { modifier: 'below' },
    sb: { modifier: 'above' },
    in: { modifier: 'in' },
    ni: { modifier: 'not-in' },
  },
  reference: { re: { modifier: '' } },
  uri: { eq: { modifier: '' }, ne: { not: 'eq' } },
  composite: { eq: { modifier: '' } },
}

/**
 * Returns the node of a filter.
 *
 * Throws `invalid` for what is no filter and for values that a parameter does not take, `not-supported` for unknown parameters and operators
 * that a parameter does not take, `too-costly` for one that is too deep or too long.
 */
export function planFilter(criterion: Criterion, filtering: Filtering): Node {
  if (criterion.modifier !== undefined || criterion.chain !== undefined)
    throw unsupported(criterion, '"_filter" takes no modifier.')
  let filter: Filter
  try {
    filter = parseFilter(criterion.value, filtering.most)
  } catch (error) {
    if (!(error instanceof FilterFault)) throw error
    throw refusal(criterion, error.message, error.costly ? 'too-costly' : 'invalid')
  }
  return planned(filter, criterion, filtering)
}

function planned(filter: Filter, criterion: Criterion, filtering: Filtering): Node {
  switch (filter.is) {
    case 'and':
    case 'or':
      return { kind: filter.is, nodes: filter.parts.map(part => planned(part, criterion, filtering)) }
    case 'not':
      return { kind: 'not', node: planned(filter.of, criterion, filtering) }
    case 'compare': {
      const { path, operator, value } = filter
      if (/(?:^|[.:])_list$/.test(path)) throw unsupported(criterion, '"_list" cannot stand in a filter.')
      const name = parseName(path)
      const one: Criterion = { name: criterion.name, value, values: [value], ...name }
      return filtering.compare(one, (at, params) => comparison(at, params, operator, filtering))
    }
  }
}

function comparison(
  criterion: Criterion,
  params: readonly SearchParam[],
  operator: Operator,
  filtering: Filtering,
): Node {
  const { planning } = filtering
  const { code, modifier, value } = criterion
  const { type } = params[0]!
  if (modifier !== undefined)
    throw unsupported(
      criterion,
      `In a filter the operator stands in the place of the modifier ":${shown(modifier)}" of "${code}".`,
    )
  const operators = params.every(param => param.paths.length > 0 || isColumn(param) || type === 'composite')
    ? OPERATORS[type]
    : undefined
  if (operators === undefined) throw unsupported(criterion, `"${code}" cannot stand in a filter.`)
  takeRoom(criterion, params.length, planning)
  if (operator === 'pr') return present(criterion, params)
  const how = operators[operator]
  if (how === undefined)
    throw unsupported(
      criterion,
      `"${code}" does not take the operator "${operator}"; as a ${type} parameter it takes ${[...Object.keys(operators), 'pr'].join(', ')}.`,
    )
  const asked = (one: Partial<Criterion>): Node => planValues({ ...criterion, ...one }, params, planning)
  if ('not' in how)
    return anyOf(params.map(param => unequal(param, comparison(criterion, [param], how.not, filtering))))
  if ('prefix' in how) return asked({ values: [how.prefix + spelled(type, value)] })
  if (type === 'token' && operator === 'eq') return asked({ values: casings(spelled(type, value), params) })
  if ('modifier' in how)
    return asked({ values: [spelled(type, value)], modifier: how.modifier === '' ? undefined : how.modifier })
  if ('match' in how) return textsOf(criterion, params, how.match)
  return datesOf(criterion, params, how.own, planning.context)
}

function present(criterion: Criterion, params: readonly SearchParam[]): Node {
  if (criterion.value !== 'true' && criterion.value !== 'false')
    throw refusal(criterion, 'The value of the operator "pr" is true or false.')
  const node = anyOf(params.map(presence))
  return criterion.value === 'true' ? node : { kind: 'not', node }
}

/** A value of the parameter for which `equal` does not hold, whatever its other values. */
function unequal(param: SearchParam, equal: Node): Node {
  const none = allOf([presence(param), { kind: 'not', node: equal }])
  const leaves = alternatives(equal)
  if (!leaves.every(isValued)) return none
  const from = leaves.flatMap(one => [one, ...companions(param, one)])
  const differing = param.rows.map(
    (name): Node => ({ kind: 'differs', param: name, from: from.filter(one => one.param === name) }),
  )
  // A companion may be a value in its own right, which shows where the value itself is not there.
  return anyOf(from.length === leaves.length ? differing : [none, ...differing])
}

const alternatives = (node: Node): readonly Node[] =>
  node.kind === 'or' ? node.nodes.flatMap(alternatives) : [node]

const isValued = (node: Node): node is Valued =>
  node.kind === 'token' || node.kind === 'uri' || node.kind === 'string'

/** Returns the leaves of the further rows that the index has for the same value. */
function companions(param: SearchParam, leaf: Valued): Valued[] {
  if (leaf.kind === 'string') return furtherWords(param, leaf.value).map(value => ({ ...leaf, value }))
  if (leaf.kind !== 'uri' || !param.paths.some(({ type }) => type === 'canonical')) return []
  const at = leaf.value.lastIndexOf('|')
  return [at > 0 ? { ...leaf, value: leaf.value.slice(0, at) } : { ...leaf, match: 'versions' }]
}

function textsOf(
  criterion: Criterion,
  params: readonly SearchParam[],
  match: Extract<Node, { kind: 'string' }>['match'],
): Node {
  const value = fold(criterion.value)
  if (value === '') throw refusal(criterion, `"${criterion.code}" takes a text to search for.`)
  return anyOf(
    params.flatMap(param => param.rows.map((name): Node => ({ kind: 'string', param: name, match, value }))),
  )
}

/** Dates whose period overlaps with that of the value, or has all of it within. */
function datesOf(
  criterion: Criterion,
  params: readonly SearchParam[],
  how: 'overlap' | 'within',
  { zone }: PlanContext,
): Node {
  const { lo, hi } = dateAsked(criterion, criterion.value, zone)
  const bounds: Bound<number>[] =
    how === 'overlap'
      ? [
          { end: 'lo', op: '<', value: hi },
          { end: 'hi', op: '>', value: lo },
        ]
      : [
          { end: 'lo', op: '<=', value: lo },
          { end: 'hi', op: '>=', value: hi },
        ]
  return anyOf(
    params.flatMap((param): Node[] =>
      isColumn(param)
        ? [{ kind: 'updated', bounds: bounds.map(ofInstant) }]
        : param.rows.map(name => ({ kind: 'date', param: name, bounds })),
    ),
  )
}

/** An instant's period is one millisecond long. */
const ofInstant = ({ end, op, value }: Bound<number>): Bound<number> =>
  end === 'lo' ? { end, op, value } : { end: 'lo', op, value: value - 1 }

const SYSTEMS: Readonly<Record<string, string>> = {
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
  rxnorm: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  ucum: 'http://unitsofmeasure.org',
}

/** Returns a value as the same parameter takes it outside of a filter: escaped, and with the systems that R4 gives a short name. */
function spelled(type: ParamType, value: string): string {
  if (type === 'string') return value.replace(/[,$|\\]/g, '\\$&')
  if (type === 'token')
    return value.replace(/^(loinc|snomed|rxnorm|ucum)\|/, (_, name: string) => `${SYSTEMS[name]}|`)
  if (type === 'quantity') return value.replace('|ucum|', `|${SYSTEMS.ucum}|`)
  return value
}

/** Returns a token with its code as it was sent and in the cases that codes are written in: without a scan no index can ask for any. */
function casings(value: string, params: readonly SearchParam[]): string[] {
  if (params.some(isColumn)) return [value]
  const at = value.lastIndexOf('|') + 1
  const code = value.slice(at)
  const lower = code.toLowerCase()
  const codes = params.every(({ paths }) => paths.every(({ type }) => type === 'boolean'))
    ? [lower]
    : [code, lower, code.toUpperCase(), lower.replace(/^./u, first => first.toUpperCase())]
  return [...new Set(codes)].map(one => value.slice(0, at) + one)
}
