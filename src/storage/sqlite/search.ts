/**
 * One page of a search. We choose the way, because SQLite here has no statistics of value frequencies. Conditions that have an index are
 * counted up to a cap. What few meet is gathered, and the rest checked per resource; where all are common, the index of the order asked is
 * walked, for so many steps, since common things are met soon; and where they are not met together, everything is gathered elsewhere.
 */
import type { Node, SearchPlan, SortKey } from '../../search/plan-node.ts'
import type { Explained, SearchOptions } from '../port.ts'
import { conditions, find, foundBy } from './compile.ts'
import { CHEAP, gatherCost, stepCost } from './cost.ts'
import type { Driver, Row } from './driver.ts'
import { explained, watched } from './explain.ts'
import { listed } from './found.ts'
import type { Terms } from './index-tables.ts'
import { beyond, type Ordering, orderBy, ordering } from './order.ts'
import { cutFirst, left, pageOf, wanted } from './page.ts'
import { FURTHER, type Probes } from './probes.ts'
import { join, raw, type Sql, sql, TRUE } from './sql.ts'
import { type Choice, inOrderOfMaking, type Part, type Query, walkBySort } from './walk.ts'
import { windowFind, windows } from './windows.ts'

/** Below this many the driver is taken without looking further. */
const FEW = 64

export interface SearchResult {
  /** The columns of `page`. */
  rows: Row[]
  total: number | undefined
  explained?: Explained
}

interface Context {
  driver: Driver
  query: Query
  options: SearchOptions
  probes: Probes
  /** Microseconds. */
  patience: number
}

/** Returns up to `limit` rows in the direction of the page, nearest to the cursor first, and the total when asked. */
export async function searchRows(
  engine: Driver,
  plan: SearchPlan,
  options: SearchOptions,
  { terms, probes, patience }: { terms: Terms; probes: Probes; patience: number },
): Promise<SearchResult> {
  const { types, nodes } = conditions(plan)
  const backward = options.before !== undefined
  const place = { cursor: options.before ?? options.after, backward }
  const query: Query = { plan, types, nodes, terms, place }
  const total = options.total === 'accurate' ? 0 : undefined
  if (types?.length === 0) return { rows: [], total, ...nothing(options) }

  const { explain = false, explainAfter } = options
  const watching = explain || explainAfter !== undefined ? watched(engine, explain) : undefined
  const start = watching === undefined ? 0 : performance.now()
  const context: Context = { driver: watching ?? engine, query, options, probes, patience }
  const chosen = await choose(context)
  const done = await run(context, chosen)
  if (watching === undefined) return done
  const ms = Math.round((performance.now() - start) * 100) / 100
  if (!explain && ms <= explainAfter!) return done
  return { ...done, explained: await explained(engine, watching, said(context, done), ms) }
}

const nothing = ({ explain }: SearchOptions): { explained?: Explained } =>
  explain ? { explained: { driver: 'none: no resource can be of these types', plans: [], ms: 0 } } : {}

interface Chosen {
  /** What to begin with. */
  choice: Choice
  candidates: readonly Choice[]
}

/** Returns the find to begin with; none where there is none better than the list of all. */
async function choose({ driver, query, options, probes }: Context): Promise<Chosen> {
  const { plan, types, nodes, terms } = query
  const candidates: Choice[] = []
  for (const node of nodes) {
    const found = find(node, types ?? [], terms)
    if (found !== undefined)
      candidates.push({ find: found, node, selective: false, count: Number.POSITIVE_INFINITY })
  }
  if (nodes.length > 1 || !candidates[0]?.find?.ordered)
    for (const window of windows(nodes)) {
      const found = windowFind(window, terms)
      if (found !== undefined)
        candidates.push({ find: found, node: undefined, selective: false, count: Number.POSITIVE_INFINITY })
    }
  if (candidates.length === 0)
    return {
      choice: { find: undefined, node: undefined, selective: false, count: Number.POSITIVE_INFINITY },
      candidates,
    }
  candidates.sort((a, b) => a.find!.rank - b.find!.rank)
  const first = candidates[0]!
  // Nothing to choose: an index in the order of rid, read to the end of the page.
  if (candidates.length === 1 && plan.sort.length === 0 && first.find!.ordered && options.total === 'none')
    return { choice: first, candidates }
  if (candidates.length === 1 && options.few === true)
    return { choice: { ...first, selective: true, count: FEW }, candidates }

  let best: Choice | undefined
  const groups = driver.local ? candidates.map(one => [one]) : [candidates.slice(0, 8)]
  for (const group of groups) {
    const counts = await probes.count(group.map(one => one.find!))
    for (const [i, one] of group.entries()) {
      const count = counts[i]!
      if (count < probes.capOf(one.find!) && count < (best?.count ?? Number.POSITIVE_INFINITY))
        best = { ...one, selective: true, count }
    }
    if (best !== undefined && best.count <= FEW) break
  }
  if (best !== undefined) return { choice: best, candidates }
  const walkable = plan.sort.length === 0 ? candidates.find(one => one.find!.ordered) : undefined
  return { choice: walkable ?? first, candidates }
}

interface Done extends SearchResult {
  begun: Choice
  /** What the page was read by. */
  way: string
  /** The page was looked for in vain along the way that it would have been quick by. */
  fellBack: boolean
  long: boolean
}

/** Microseconds that gathering takes, for a page or for a count. */
const costOfGathering = (
  { query: { nodes, plan } }: Context,
  { count, node, find }: Choice,
  keys: boolean,
): number =>
  gatherCost(
    count,
    nodes.filter(one => one !== node),
    find?.ordered !== undefined,
    keys ? plan.sort.length : 0,
  )

/** Microseconds until a page is full, where what is found stands evenly along the way; a part of the patience where that is not worth asking. */
async function walkingCost(
  { options, probes, query, patience }: Context,
  { count }: Choice,
  [first]: readonly Part[],
): Promise<number> {
  const cheap = first!.within === undefined && query.nodes.length > 0 ? patience : patience * CHEAP
  if (count === 0) return Number.POSITIVE_INFINITY
  const steps = (options.limit * (await probes.size())) / count
  return Math.max(cheap, steps * stepCost(first!.filters, first!.ordered))
}

async function run(context: Context, chosen: Chosen): Promise<Done> {
  const { choice } = chosen
  const { driver, query, options, probes, patience } = context
  const { limit, bytes, deadline } = options
  const { plan } = query
  const counting = options.total === 'accurate' ? [count(query, choice)] : []
  const cost = choice.selective ? costOfGathering(context, choice, limit > 0) : Number.POSITIVE_INFINITY
  /** Whether it is much to go through all resources; that nothing narrows it is no matter while they are few. */
  const many = async (): Promise<boolean> => {
    const all = listed(query.types)
    const [n] = await probes.count([all])
    return n! >= probes.capOf(all) || gatherCost(n!, query.nodes, true, plan.sort.length) > patience
  }

  const walk = walkParts(query, choice)
  const way = (part: Part | undefined, long: boolean, fellBack = false) => ({
    begun: choice,
    way: part?.along ?? 'count',
    long,
    fellBack,
  })
  const gathers =
    walk === undefined || (choice.selective && cost <= (await walkingCost(context, choice, walk)))
  if (limit === 0 || counting.length > 0 || gathers) {
    const parts = limit === 0 ? [] : gathers || choice.selective ? [gathered(query, choice)] : walk
    const long = cost > patience && (await many())
    const read = long ? driver.readLong : driver.read
    const first = parts[0]
    const { rows, others } = first
      ? await pageOf(read, first.rows(limit), limit, bytes, deadline, counting)
      : { rows: [], others: await read(counting, deadline) }
    const total = others[0]?.[0]?.[0] as number | undefined
    await readOn(context, parts[1], rows, read)
    return { rows, total, ...way(first, long) }
  }

  const [first, second] = walk as [Part, Part?]
  if (first.within === undefined && (first.filters.length > 0 || plan.sort.length > 1) && (await many())) {
    const { rows } = await pageOf(driver.readLong, first.rows(limit), limit, bytes, deadline)
    await readOn(context, second, rows, driver.readLong)
    return { rows, total: undefined, ...way(first, true) }
  }
  const rows = await stepwise(context, first, limit, bytes)
  if (rows === undefined) return fallBack(context, chosen, walk, cost)
  if (second !== undefined && wanted(options, rows) > 0) {
    const more = await stepwise(context, second, wanted(options, rows), left(options, rows))
    if (more === undefined) return fallBack(context, chosen, walk, cost)
    rows.push(...cutFirst(more, options, rows))
  }
  return { rows, total: undefined, ...way(first, false) }
}

/** A walk by a key that not all resources have goes on among those that lack it. */
async function readOn(
  { options }: Context,
  part: Part | undefined,
  rows: Row[],
  read: Driver['read'],
): Promise<void> {
  const limit = part === undefined ? 0 : wanted(options, rows)
  if (part === undefined || limit <= 0) return
  const more = await pageOf(read, part.rows(limit), limit, left(options, rows), options.deadline)
  rows.push(...cutFirst(more.rows, options, rows))
}

/** Returns the rows of a walk; undefined where they are too far apart. */
async function stepwise(
  { driver, options, patience }: Context,
  part: Part,
  limit: number,
  bytes: number | undefined,
): Promise<Row[] | undefined> {
  const { deadline } = options
  if (part.within === undefined)
    return (await pageOf(driver.read, part.rows(limit), limit, bytes, deadline)).rows
  const steps = Math.max(4 * limit, Math.floor(patience / stepCost(part.filters, part.ordered)))
  const { rows } = await pageOf(driver.read, part.within(limit, steps), limit, bytes, deadline)
  if (rows.length >= limit) return rows
  const [places] = await driver.read([part.places!(steps)], deadline)
  return (places![0]![0] as number) < steps ? rows : undefined
}

/** What is rarely met together: gathered by what fewest meet, or walked to the end where nothing is known to be few. */
async function fallBack(
  context: Context,
  { choice, candidates }: Chosen,
  walk: readonly Part[],
  cost: number,
): Promise<Done> {
  const { driver, query, options, probes, patience } = context
  const { limit, bytes, deadline } = options
  let begin = choice
  if (!choice.selective && candidates.length > 0) {
    const counts = await probes.countFurther(
      candidates.map(one => one.find!),
      deadline,
    )
    const fewest = Math.min(...counts)
    const at = counts.indexOf(fewest)
    if (fewest < FURTHER) begin = { ...candidates[at]!, selective: true, count: fewest }
  }
  const parts = begin.selective ? [gathered(query, begin)] : walk
  const long = cost > patience
  const read = long ? driver.readLong : driver.read
  const { rows } = await pageOf(read, parts[0]!.rows(limit), limit, bytes, deadline)
  await readOn(context, parts[1], rows, read)
  return { rows, total: undefined, begun: begin, way: parts[0]!.along, long, fellBack: true }
}

function walkParts(query: Query, choice: Choice): Part[] | undefined {
  if (query.plan.sort.length > 0) return walkBySort(query)
  return [inOrderOfMaking(query, choice)]
}

function count({ types, nodes, terms }: Query, { find, node }: Choice): Sql {
  return sql`SELECT count(*) FROM (${foundBy(find, node, types, nodes, terms)})`
}

/** All that is found, with its keys, sorted. */
function gathered(query: Query, choice: Choice): Part {
  const { plan, place } = query
  const { find: found, node } = choice
  const rids = foundBy(found, node, query.types, query.nodes, query.terms)
  const columns = plan.sort.map((key, i) => sql`, ${ordering(key, raw('f.rid')).expr} AS k${raw(String(i))}`)
  const keys = plan.sort.map((key, i) => keyColumn(key, `k${i}`))
  const from = place.cursor === undefined ? TRUE : beyond(keys, 'g.rid', place.cursor, place.backward)
  const order = orderBy(keys, 'g.rid', place.backward)
  const filters = query.nodes.filter(one => one !== node)
  const along = 'gathered'
  const ordered = found?.ordered !== undefined
  if (columns.length === 0)
    return {
      rows: limit => sql`SELECT g.rid AS rid FROM (${rids}) g WHERE ${from} ORDER BY ${order} LIMIT ${limit}`,
      along,
      filters,
      ordered,
    }
  return {
    rows: limit =>
      sql`WITH g AS MATERIALIZED (SELECT f.rid AS rid${join(columns, '')} FROM (${rids}) f) SELECT * FROM g WHERE ${from} ORDER BY ${order} LIMIT ${limit}`,
    along,
    filters,
    ordered,
  }
}

const keyColumn = (key: SortKey, column: string): Ordering => ({
  expr: raw(column),
  descending: key.descending,
  nullable: key.by === 'param' || key.by === 'distance',
})

/** Returns the account of the way in words, and what would make it faster. */
function said({ query, options }: Context, done: Done): Pick<Explained, 'driver' | 'hint'> {
  const choice = done.begun
  const about = (node: Node | undefined, found: Choice['find']): string => {
    const param = found?.param ?? (node !== undefined && 'param' in node ? node.param : undefined)
    return `${node?.kind ?? 'range'}${param === undefined ? '' : ` ${param}`}`
  }
  const counted = choice.selective
    ? `${choice.count} ${choice.count === 1 ? 'row' : 'rows'} counted`
    : 'more rows than were counted'
  const gathering = done.way === 'gathered' || done.way === 'count'
  const begun =
    choice.find === undefined ? 'the list of all resources' : `${about(choice.node, choice.find)}, ${counted}`
  const driver = gathering
    ? `${done.way}: ${begun}`
    : choice.find?.ordered && query.plan.sort.length === 0
      ? `walked in order: ${about(choice.node, choice.find)}`
      : `walked in order: ${done.way}`
  const hints: string[] = []
  if (query.nodes.length > 0 && choice.find === undefined)
    hints.push(
      'No condition has an index to begin with: add one that says what is wanted, such as a code, a reference or a date.',
    )
  else if (done.fellBack)
    hints.push('The conditions are common each, and rarely met together: add one that fewer resources meet.')
  else if (options.total === 'accurate' && done.long)
    hints.push('Counting reads every match: without a total (_total=none) a page is enough.')
  else if (done.long && query.plan.sort.length > 0)
    hints.push(
      'Many matches are sorted: add a condition that fewer resources meet, or sort by one parameter only.',
    )
  return { driver, ...(hints.length === 0 ? {} : { hint: hints.join(' ') }) }
}
