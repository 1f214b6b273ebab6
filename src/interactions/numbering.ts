/**
 * Whole numbers as business identifiers, for clients that know resources by such: given once each, from a counter that moves in the commit
 * that writes them.
 */
import type { Context, Principal } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { isObject, parseJson, type Resource } from '../fhir/json.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import type { Node, SearchPlan } from '../search/plan-node.ts'
import { type Cursor, idOf, type Key, type Live, type Require, typeOf } from '../storage/port.ts'
import { changeOf, commit } from './commit.ts'
import { underCurrent } from './current.ts'
import { indexRows } from './indexer.ts'
import { LOST, untilSettled } from './race.ts'
import { together } from './together.ts'
import type { Proposed } from './write-rules.ts'

/** The numbers of one type of resource, in the eyes of one kind of client. */
export interface Series {
  type: string
  /** Identifier.system. */
  system: string
  /** The name of its counter. */
  counter: string
  /** Returns the resource with what else it gets with its number; `made` returns when it was first stored, ms since 1970. */
  complete?(resource: Resource, made: () => Promise<number>): Promise<Resource>
}

/** Numbering is the server's own work: it changes nothing that its asker could be kept from. */
const NUMBERING: Principal = { id: 'numbering' }

/** Numbers that are looked at once for being free, and resources that one commit numbers. */
const MOST_AT_ONCE = 200
const MOST_IN_COMMIT = 100

const planOf = (type: string, where: Node): SearchPlan => ({
  types: [type],
  where,
  sort: [],
  fingerprint: fingerprintOf([type], where, []),
})

const resourceOf = (row: Live): Resource => parseJson(row.text, Number.POSITIVE_INFINITY) as Resource

/** Returns the number that a resource has, undefined where it has none yet. */
export function numberIn(resource: Resource | undefined, system: string): number | undefined {
  const identifiers = Array.isArray(resource?.identifier) ? resource.identifier : []
  for (const one of identifiers)
    if (isObject(one) && one.system === system && /^[1-9][0-9]{0,14}$/.test(String(one.value)))
      return Number(one.value)
  return undefined
}

/** Returns a copy of the resource with the number: where one was promised, else as a second name for what came by another door. */
function withNumber(resource: Resource, system: string, number: number): Resource {
  const value = String(number)
  const others = Array.isArray(resource.identifier) ? resource.identifier : []
  const at = others.findIndex(one => isObject(one) && one.system === system && one.value === undefined)
  const identifier =
    at === -1 ? [...others, { use: 'secondary', system, value }] : others.with(at, { system, value })
  return { ...resource, identifier }
}

const isNumbered = ({ type, system }: Series, numbers: readonly number[]): Node => ({
  kind: 'or',
  nodes: numbers.map(number => ({
    kind: 'token',
    param: `${type}.identifier`,
    system,
    code: String(number),
  })),
})

/** Returns the resource with the number; of several that were loaded with one number, the oldest. Undefined where there is none. */
export async function numbered(ctx: Context, series: Series, number: number): Promise<Live | undefined> {
  const plan = planOf(series.type, isNumbered(series, [number]))
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const { rows } = await ctx.storage.search(plan, { limit: 1, total: 'none', deadline })
  return rows[0] as Live | undefined
}

/**
 * Returns the next free numbers, with the requirement that nobody has taken them meanwhile. Numbers that stand on resources already, such as
 * those of another server that were loaded, are passed over.
 *
 * Throws `transient` where free ones are too far away.
 */
async function freeNumbers(
  ctx: Context,
  series: Series,
  count: number,
): Promise<{ numbers: number[]; require: Require }> {
  const seen = await ctx.storage.counter(series.counter)
  const numbers: number[] = []
  let next = seen
  for (let size = count; numbers.length < count; size = Math.min(MOST_AT_ONCE, size * 2)) {
    const candidates = Array.from({ length: size }, (_, i) => next + 1 + i)
    const found = await ctx.storage.search(planOf(series.type, isNumbered(series, candidates)), {
      limit: size * 2,
      total: 'none',
      deadline: ctx.clock() + ctx.settings.limits.searchMs,
    })
    const taken = new Set(found.rows.flatMap(row => allNumbers(resourceOf(row as Live), series.system)))
    for (const number of candidates) {
      if (numbers.length === count) break
      next = number
      if (!taken.has(number)) numbers.push(number)
    }
    if (next - seen > 1e7) throw fhirError('transient', 'No free number was found.')
  }
  return { numbers, require: { is: 'counter', name: series.counter, seen, next } }
}

const allNumbers = (resource: Resource, system: string): number[] =>
  (Array.isArray(resource.identifier) ? resource.identifier : []).flatMap(one =>
    isObject(one) && one.system === system ? [Number(one.value)] : [],
  )

const seriesOf = (all: readonly Series[], key: Key): Series | undefined =>
  all.find(({ type }) => type === typeOf(key))

function lacksNumber(all: readonly Series[], row: Live): boolean {
  const series = seriesOf(all, row.key)
  if (series === undefined) return false
  // Most have one, which is seen without a tree of the whole resource.
  return !row.text.includes(series.system) || numberIn(resourceOf(row), series.system) === undefined
}

/**
 * Returns the resources by their keys, each with a number of the series of its type: who has none gets one now. Resources that are gone
 * meanwhile are left out; those of other types come back as they are.
 */
export async function withNumbers(
  ctx: Context,
  all: readonly Series[],
  rows: readonly Live[],
): Promise<Map<Key, Live>> {
  const found = new Map(rows.map(row => [row.key, row]))
  const bare = rows.filter(row => lacksNumber(all, row)).map(row => row.key)
  if (bare.length === 0) return found
  const { rules: _, ...rest } = ctx
  // No rule is about identifiers, and none may refuse what was stored before it was made.
  const own: Context = { ...rest, principal: NUMBERING }
  await together(ctx.storage, bare, MOST_IN_COMMIT, keys =>
    underCurrent(own, under => untilSettled(() => attempt(under, all, keys))),
  )
  const now = await ctx.storage.readMany(bare)
  for (const key of bare) {
    const row = now.get(key)
    if (row?.text === undefined) found.delete(key)
    else found.set(key, row as Live)
  }
  return found
}

async function attempt(
  ctx: Context,
  all: readonly Series[],
  keys: readonly Key[],
): Promise<true | typeof LOST> {
  const rows = [...(await ctx.storage.readMany(keys)).values()]
  const missing = rows.filter(row => row.text !== undefined && lacksNumber(all, row as Live)) as Live[]
  if (missing.length === 0) return true
  const require: Require[] = []
  const proposed: Proposed[] = []
  for (const [series, bare] of Map.groupBy(missing, row => seriesOf(all, row.key)!)) {
    const free = await freeNumbers(ctx, series, bare.length)
    require.push(free.require)
    for (const [i, current] of bare.entries()) {
      const { key, version } = current
      const whole = withNumber(resourceOf(current), series.system, free.numbers[i]!)
      const resource = (await series.complete?.(whole, () => madeAt(ctx, current))) ?? whole
      const index = indexRows(ctx, resource)
      proposed.push(
        changeOf(ctx, { key, id: idOf(key), version: version + 1, method: 'PUT', resource, index, current }),
      )
    }
  }
  return (await commit(ctx, proposed, require)).ok ? true : LOST
}

async function madeAt(ctx: Context, row: Live): Promise<number> {
  const first = row.version === 1 ? row : await ctx.storage.read(row.key, { version: 1 })
  return first?.at ?? row.at
}

/** Yields the numbers of a series with the keys of their resources, oldest resource first. */
export async function* numbersOf(ctx: Context, { type, system }: Series): AsyncGenerator<[number, Key]> {
  for await (const row of each(ctx, type, { kind: 'token', param: `${type}.identifier`, system })) {
    const number = numberIn(resourceOf(row), system)
    if (number !== undefined) yield [number, row.key]
  }
}

/** Gives a number to every resource of a series for which the node holds and that has none. Returns how many got one. */
export async function numberEvery(ctx: Context, series: Series, node: Node): Promise<number> {
  let count = 0
  let bare: Live[] = []
  const flush = async (): Promise<void> => {
    await withNumbers(ctx, [series], bare)
    count += bare.length
    bare = []
  }
  for await (const row of each(ctx, series.type, node)) {
    if (lacksNumber([series], row)) bare.push(row)
    if (bare.length === MOST_IN_COMMIT) await flush()
  }
  await flush()
  return count
}

async function* each(ctx: Context, type: string, where: Node): AsyncGenerator<Live> {
  const plan = planOf(type, where)
  let after: Cursor | undefined
  for (;;) {
    const from = after === undefined ? {} : { after }
    const page = await ctx.storage.search(plan, { limit: MOST_AT_ONCE, total: 'none', ...from })
    yield* page.rows as Live[]
    if (!page.more || page.last === undefined) return
    after = page.last
  }
}
