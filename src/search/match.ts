/**
 * The search plan evaluated in memory on the index rows of one resource: it means exactly what the compilers mean.
 * https://hl7.org/fhir/R4/search.html
 */
import { fhirError } from '../fhir/error.ts'
import { compareUtf8 } from './fold.ts'
import type { IndexRow } from './index-row.ts'
import type { Bound, Node, ParamName, SearchPlan, SortKey } from './plan-node.ts'

/** A resource as the index knows it. */
export interface Indexed {
  type: string
  id: string
  /** lastUpdated, ms since 1970. */
  at: number
  rows: readonly IndexRow[]
}

/** Returns whether the plan, or a node of one, holds for the resource. */
export function matches(plan: SearchPlan | Node, resource: Indexed): boolean {
  if ('where' in plan)
    return (plan.types.length === 0 || plan.types.includes(resource.type)) && holds(plan.where, resource)
  return holds(plan, resource)
}

function holds(node: Node, resource: Indexed): boolean {
  switch (node.kind) {
    case 'and':
      return node.nodes.every(one => holds(one, resource))
    case 'or':
      return node.nodes.some(one => holds(one, resource))
    case 'not':
      return !holds(node.node, resource)
    case 'type':
      return node.types.includes(resource.type)
    case 'id':
      return node.ids.includes(resource.id)
    case 'updated':
      return node.bounds.every(({ op, value }) => compare(resource.at, op, value))
    case 'chain':
    case 'has':
    case 'word':
    case 'near':
      throw fhirError('not-supported', `In memory there is no search for ${node.kind} yet.`)
    default:
      return resource.rows.some(row => row.param === node.param && rowHolds(node, row))
  }
}

type Leaf = Exclude<Extract<Node, { param: ParamName }>, { kind: 'word' | 'near' }>

function rowHolds(node: Leaf, row: IndexRow): boolean {
  switch (node.kind) {
    case 'present':
      return true
    case 'token':
      return (
        row.kind === 'token' &&
        (node.code === undefined || row.code === node.code) &&
        (node.system === undefined || row.system === node.system)
      )
    case 'string':
      return row.kind === 'string' && stringHolds(node, row)
    case 'uri':
      return row.kind === 'uri' && uriHolds(node.match, row.value, node.value)
    case 'date':
      return row.kind === 'date' && node.bounds.every(bound => compare(row[bound.end], bound.op, bound.value))
    case 'quantity':
      return (
        row.kind === 'quantity' &&
        row.unit === node.unit &&
        node.bounds.every(bound => compare(row[bound.end], bound.op, bound.value))
      )
    case 'reference':
      return (
        row.kind === 'reference' &&
        row.id === node.id &&
        (node.type === undefined || row.type === node.type) &&
        (node.version === undefined || row.version === node.version)
      )
  }
}

function stringHolds(
  node: Extract<Leaf, { kind: 'string' }>,
  row: Extract<IndexRow, { kind: 'string' }>,
): boolean {
  switch (node.match) {
    case 'starts':
      return row.folded.startsWith(node.value)
    case 'contains':
      return row.folded.includes(node.value)
    case 'equals':
      return row.folded === node.value
    case 'exact':
      return row.exact === node.value
  }
}

function uriHolds(match: 'equals' | 'below' | 'above', row: string, value: string): boolean {
  if (row === value) return true
  if (match === 'below') return row.startsWith(`${value}/`)
  return match === 'above' && value.startsWith(row.endsWith('/') ? row : `${row}/`)
}

/** Decimal keys are ASCII, so that `<` is their bytewise order. */
function compare<V extends string | number>(left: V, op: Bound<V>['op'], right: V): boolean {
  switch (op) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

/**
 * Returns the order of two resources under the plan's sort; 0 where the backend's internal id decides. Resources without a value come last
 * in both directions.
 */
export function compareBySort(plan: SearchPlan): (a: Indexed, b: Indexed) => number {
  return (a, b) => {
    for (const key of plan.sort) {
      const order = compareBy(key, a, b)
      if (order !== 0) return order
    }
    return 0
  }
}

function compareBy(key: SortKey, a: Indexed, b: Indexed): number {
  const direction = key.descending ? -1 : 1
  if (key.by === 'distance') return 0
  if (key.by !== 'param') return direction * (key.by === 'id' ? compareUtf8(a.id, b.id) : a.at - b.at)
  const left = sortValue(a.rows, key.params, key.descending)
  const right = sortValue(b.rows, key.params, key.descending)
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? 1 : -1
  return direction * compareUtf8(left, right)
}

/** Returns the value that a resource is sorted by: its largest when descending, its smallest else. */
export function sortValue(
  rows: readonly IndexRow[],
  params: readonly ParamName[],
  descending: boolean,
): string | undefined {
  let found: string | undefined
  for (const row of rows) {
    if (row.kind !== 'sort' || !params.includes(row.param)) continue
    const value = descending ? row.max : row.min
    if (found === undefined || (descending ? compareUtf8(value, found) > 0 : compareUtf8(value, found) < 0))
      found = value
  }
  return found
}
