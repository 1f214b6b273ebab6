/**
 * The search plan evaluated in memory on the index rows of one resource: it means exactly what the compilers mean.
 * https://hl7.org/fhir/R4/search.html
 */
import { fhirError } from '../fhir/error.ts'
import { distance } from './distance.ts'
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

/** The other live resources, which chains lead to. */
export interface World {
  get(type: string, id: string): Indexed | undefined
  all(types: readonly string[]): Iterable<Indexed>
}

/**
 * Returns whether the plan, or a node of one, holds for the resource.
 *
 * Throws `not-supported` where it has to be known what other resources say, and there is no `world`.
 */
export function matches(plan: SearchPlan | Node, resource: Indexed, world?: World): boolean {
  if ('where' in plan)
    return (
      (plan.types.length === 0 || plan.types.includes(resource.type)) && holds(plan.where, resource, world)
    )
  return holds(plan, resource, world)
}

function holds(node: Node, resource: Indexed, world: World | undefined): boolean {
  switch (node.kind) {
    case 'and':
      return node.nodes.every(one => holds(one, resource, world))
    case 'or':
      return node.nodes.some(one => holds(one, resource, world))
    case 'not':
      return !holds(node.node, resource, world)
    case 'type':
      return node.types.includes(resource.type)
    case 'id':
      return node.ids.includes(resource.id)
    case 'updated':
      return node.bounds.every(({ op, value }) => compare(resource.at, op, value))
    case 'chain':
      return chainHolds(node, resource, known(world))
    case 'has':
      return hasHolds(node, resource, known(world))
    default:
      return resource.rows.some(row => row.param === node.param && rowHolds(node, row))
  }
}

function known(world: World | undefined): World {
  if (world !== undefined) return world
  throw fhirError(
    'not-supported',
    'Criteria about other resources (chains, _has, _list) cannot be judged while a transaction is under way: name the resource by parameters of its own.',
  )
}

function chainHolds(node: Extract<Node, { kind: 'chain' }>, resource: Indexed, world: World): boolean {
  const leadsTo = (target: Indexed | undefined): boolean =>
    target !== undefined && node.types.includes(target.type) && holds(node.node, target, world)
  return resource.rows.some(row => {
    if (row.kind !== 'reference' || row.id === '' || !node.params.includes(row.param)) return false
    if (row.type !== '') return leadsTo(world.get(row.type, row.id))
    if (!node.canonical) return false
    for (const target of world.all(node.types)) if (hasUrl(target, row.id) && leadsTo(target)) return true
    return false
  })
}

const hasUrl = ({ type, rows }: Indexed, url: string): boolean =>
  rows.some(row => row.kind === 'uri' && row.param === `${type}.url` && row.value === url)

function hasHolds(node: Extract<Node, { kind: 'has' }>, resource: Indexed, world: World): boolean {
  for (const one of world.all([node.type])) {
    const refers = one.rows.some(
      row =>
        row.kind === 'reference' &&
        row.type === resource.type &&
        row.id === resource.id &&
        node.params.includes(row.param),
    )
    if (refers && holds(node.node, one, world)) return true
  }
  return false
}

type Leaf = Extract<Node, { param: ParamName }>

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
    case 'differs':
      return row.kind === node.from[0]!.kind && !node.from.some(one => rowHolds(one, row))
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
    case 'word':
      return (
        row.kind === 'words' &&
        row.words.some(word => (node.prefix ? word.startsWith(node.word) : word === node.word))
      )
    case 'near':
      return row.kind === 'position' && distance(node, row) <= node.metres
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
    case 'ends':
      return row.folded.endsWith(node.value)
    case 'equals':
      return row.folded === node.value
    case 'exact':
      return row.exact === node.value
    default:
      return compare(compareUtf8(row.folded, node.value), node.match, 0)
  }
}

function uriHolds(match: Extract<Leaf, { kind: 'uri' }>['match'], row: string, value: string): boolean {
  if (row === value) return true
  if (match === 'versions') return row.startsWith(`${value}|`)
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
  if (key.by === 'distance')
    return lastWithout(nearest(key, a), nearest(key, b), (x, y) => direction * (x - y))
  if (key.by !== 'param') return direction * (key.by === 'id' ? compareUtf8(a.id, b.id) : a.at - b.at)
  return lastWithout(
    sortValue(a.rows, key.params, key.descending),
    sortValue(b.rows, key.params, key.descending),
    (x, y) => direction * compareUtf8(x, y),
  )
}

function lastWithout<V>(
  left: V | undefined,
  right: V | undefined,
  order: (left: V, right: V) => number,
): number {
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? 1 : -1
  return order(left, right)
}

/** Returns the distance in metres of the nearest position of a resource; undefined where it has none. */
export function nearest(
  key: Extract<SortKey, { by: 'distance' }>,
  { rows }: Pick<Indexed, 'rows'>,
): number | undefined {
  const distances = rows.flatMap(row =>
    row.kind === 'position' && row.param === key.param ? [distance(key, row)] : [],
  )
  return distances.length === 0 ? undefined : Math.min(...distances)
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
