/**
 * One page of a search. We choose the driving index, because SQLite here has no statistics of value frequencies: candidates are counted
 * up to a cap; the fewest win, the other conditions are checked per resource, and where nothing is selective the order's own index is walked.
 */
import type { SearchPlan, SortKey } from '../../search/plan-node.ts'
import type { SearchOptions } from '../port.ts'
import { conditions, find, foundBy } from './compile.ts'
import type { Driver, Row } from './driver.ts'
import { listed } from './found.ts'
import type { Terms } from './index-tables.ts'
import { beyond, type Ordering, orderBy, ordering } from './order.ts'
import type { Probes } from './probes.ts'
import { join, raw, type Sql, sql, TRUE } from './sql.ts'
import { type Choice, inOrderOfMaking, type Part, page, type Query, walkBySort } from './walk.ts'

/** Below this many the driver is taken without looking further. */
const FEW = 64
export interface SearchResult {
  /** FOUND, rid, then the sort keys. */
  rows: Row[]
  total: number | undefined
}

/** Returns up to `limit` rows in the direction of the page, nearest to the cursor first, and the total when asked. */
export async function searchRows(
  driver: Driver,
  plan: SearchPlan,
  options: SearchOptions,
  { terms, probes }: { terms: Terms; probes: Probes },
): Promise<SearchResult> {
  const { types, nodes } = conditions(plan)
  const backward = options.before !== undefined
  const place = { cursor: options.before ?? options.after, backward }
  const query: Query = { plan, types, nodes, terms, place }
  if (types?.length === 0) return { rows: [], total: options.total === 'accurate' ? 0 : undefined }

  const choice = await choose(driver.local, probes, query, options)
  const counting = options.total === 'accurate' ? [count(query, choice)] : []
  const walk = choice.selective || plan.sort.length === 0 ? undefined : walkBySort(query)
  const parts =
    options.limit === 0
      ? []
      : (walk ?? [plan.sort.length === 0 ? inOrderOfMaking(query, choice) : gathered(query, choice)])
  const long = await isLong(probes, query, choice, walk !== undefined, counting.length > 0)
  const read = long ? driver.readLong : driver.read

  const first = parts[0]
  const answers = await read([...(first ? [first(options.limit)] : []), ...counting], options.deadline)
  const rows = first ? answers[0]! : []
  // A walk by a key that not all resources have goes on among those that lack it.
  if (parts[1] && rows.length < options.limit)
    rows.push(...(await read([parts[1](options.limit - rows.length)], options.deadline))[0]!)
  const total = counting.length > 0 ? (answers.at(-1)![0]![0] as number) : undefined
  return { rows, total }
}

/** Returns the find to begin with; undefined where there is none better than the list of all. */
async function choose(
  local: boolean,
  probes: Probes,
  { plan, types, nodes, terms }: Query,
  options: SearchOptions,
): Promise<Choice> {
  const candidates: Choice[] = []
  for (const node of nodes) {
    const found = find(node, types ?? [], terms)
    if (found !== undefined) candidates.push({ find: found, node, selective: false, count: probes.cap })
  }
  if (candidates.length === 0)
    return { find: undefined, node: undefined, selective: false, count: probes.cap }
  candidates.sort((a, b) => a.find!.rank - b.find!.rank)
  const first = candidates[0]!
  // Nothing to choose: an index in the order of rid, read to the end of the page.
  if (candidates.length === 1 && plan.sort.length === 0 && first.find!.ordered && options.total === 'none')
    return first

  let best: Choice | undefined
  let fewest = probes.cap
  const groups = local ? candidates.map(one => [one]) : [candidates.slice(0, 8)]
  for (const group of groups) {
    const counts = await probes.count(group.map(one => one.find!))
    for (let i = 0; i < group.length; i++)
      if (counts[i]! < fewest) {
        fewest = counts[i]!
        best = group[i]!
      }
    if (fewest <= FEW) break
  }
  if (best !== undefined) return { ...best, selective: true, count: fewest }
  const walkable = plan.sort.length === 0 ? candidates.find(one => one.find!.ordered) : undefined
  return walkable ?? first
}

/** Steps of some microseconds that one search may take of the time of all others. */
const MOST_STEPS = 4096

/** Returns whether a search may take so long that it should not run where it holds up others. */
async function isLong(
  probes: Probes,
  query: Query,
  choice: Choice,
  walking: boolean,
  counting: boolean,
): Promise<boolean> {
  const { nodes, plan } = query
  const filters = nodes.length - (choice.node === undefined ? 0 : 1)
  if (choice.selective) return choice.count * (1 + filters + 2 * plan.sort.length) > MOST_STEPS
  const sorting = plan.sort.length > 0 && !walking
  if (!counting && filters === 0 && !sorting) return false
  // That nothing narrows it is no matter while there are few resources.
  const [n] = await probes.count([listed(query.types)])
  return n! >= probes.cap
}

function count({ types, nodes, terms }: Query, { find, node }: Choice): Sql {
  return sql`SELECT count(*) FROM (${foundBy(find, node, types, nodes, terms)})`
}

/** All that is found, with its keys, sorted. */
function gathered(query: Query, choice: Choice): Part {
  const { plan, place } = query
  const { find: found, node } = choice
  const rids = foundBy(found, node, query.types, query.nodes, query.terms)
  const columns = plan.sort.map((key, i) => sql`${ordering(key, raw('f.rid')).expr} AS k${raw(String(i))}`)
  const keys = plan.sort.map((key, i) => keyColumn(key, `k${i}`))
  const from = place.cursor === undefined ? TRUE : beyond(keys, 'g.rid', place.cursor, place.backward)
  const order = orderBy(keys, 'g.rid', place.backward)
  return limit =>
    page(
      sql`WITH g AS MATERIALIZED (SELECT f.rid AS rid, ${join(columns, ', ')} FROM (${rids}) f) SELECT * FROM g WHERE ${from} ORDER BY ${order} LIMIT ${limit}`,
    )
}

const keyColumn = (key: SortKey, column: string): Ordering => ({
  expr: raw(column),
  descending: key.descending,
  nullable: key.by === 'param' || key.by === 'distance',
})
