/** What a whole plan finds, as a select of internal ids. */
import type { Node, SearchPlan } from '../../search/plan-node.ts'
import type { Key } from '../port.ts'
import { type Find, find, holds, typeIn } from './compile.ts'
import type { Terms } from './index-tables.ts'
import { all, raw, type Sql, sql, TRUE } from './sql.ts'

/** The parts of a plan that must all hold, in one list, and the types that they leave. */
export interface Conditions {
  /** undefined: all types. */
  types: readonly string[] | undefined
  nodes: readonly Node[]
}

/** Returns the conditions of a plan without `and` in `and` and without `type` nodes. */
export function conditions(plan: Pick<SearchPlan, 'types' | 'where'>): Conditions {
  let types: readonly string[] | undefined = plan.types.length === 0 ? undefined : plan.types
  const nodes: Node[] = []
  const visit = (node: Node): void => {
    if (node.kind === 'and') node.nodes.forEach(visit)
    else if (node.kind === 'type') types = types?.filter(type => node.types.includes(type)) ?? node.types
    else nodes.push(node)
  }
  visit(plan.where)
  return { types, nodes }
}

/** True where every resource that has a row of the parameter is of one of the types. */
export function implies(param: string | undefined, types: readonly string[] | undefined): boolean {
  if (types === undefined) return true
  const dot = param?.indexOf('.') ?? -1
  return dot > 0 && types.includes(param!.slice(0, dot))
}

/** Returns the select of the rids that a plan finds, each once, in no order. */
export function found(plan: Pick<SearchPlan, 'types' | 'where'>, terms: Terms): Sql {
  const { types, nodes } = conditions(plan)
  const finds = nodes
    .map(node => ({ node, find: find(node, types ?? [], terms) }))
    .filter(one => one.find !== undefined)
    .sort((a, b) => a.find!.rank - b.find!.rank)
  return foundBy(finds[0]?.find, finds[0]?.node, types, nodes, terms)
}

/** Returns the select of all live resources of the types. */
export const listed = (types: readonly string[] | undefined): Find => ({
  select: sql`SELECT rid FROM res WHERE live = 1 AND ${types === undefined ? TRUE : typeIn(types)}`,
  unique: true,
  rank: 9,
})

/** As `found`, beginning with the find given, or with the list of all resources of the types. */
export function foundBy(
  first: Find | undefined,
  firstNode: Node | undefined,
  types: readonly string[] | undefined,
  nodes: readonly Node[],
  terms: Terms,
): Sql {
  if (types?.length === 0) return raw('SELECT rid FROM res WHERE 0')
  const filters = nodes.filter(node => node !== firstNode)
  if (first === undefined) {
    const where = all([
      types === undefined ? TRUE : typeIn(types),
      // Not by the table's own name: conditions of a resource's columns read `res` themselves.
      ...filters.map(node => holds(node, raw('l.rid'), terms)),
    ])
    return sql`SELECT l.rid AS rid FROM res l WHERE l.live = 1 AND ${where}`
  }
  const where = all([
    implies(first.param, types) ? TRUE : holds({ kind: 'type', types: types! }, raw('f.rid'), terms),
    ...filters.map(node => holds(node, raw('f.rid'), terms)),
  ])
  const distinct = first.unique ? raw('') : raw('DISTINCT ')
  return sql`SELECT ${distinct}f.rid AS rid FROM (${first.select}) f WHERE ${where}`
}

/** Returns the condition that the live matches of the plan are exactly these. */
export function matches(plan: SearchPlan, keys: readonly Key[], terms: Terms): Sql {
  const rids = found(plan, terms)
  if (keys.length === 0) return sql`NOT EXISTS (${rids})`
  const wanted = [...new Set(keys)]
  // One more than wanted is enough to know.
  return sql`(SELECT count(*) = ${wanted.length} AND total(r.key IN (SELECT value FROM json_each(${JSON.stringify(wanted)}))) = ${wanted.length} FROM (SELECT rid FROM (${rids}) LIMIT ${wanted.length + 1}) f CROSS JOIN res r ON r.rid = f.rid)`
}
