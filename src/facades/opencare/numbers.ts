/** The integer ids of the API: Identifiers on the resources, given once each, from a counter that moves in the same commit. */
import type { Context, Principal } from '../../context.ts'
import { fhirError } from '../../fhir/error.ts'
import { isObject, parseJson, type Resource } from '../../fhir/json.ts'
import { changeOf, commit } from '../../interactions/commit.ts'
import { underCurrent } from '../../interactions/current.ts'
import { indexRows } from '../../interactions/indexer.ts'
import { LOST, untilSettled } from '../../interactions/race.ts'
import type { Proposed } from '../../interactions/write-rules.ts'
import { planFor, resourceOf } from '../../scheduling/calendar.ts'
import type { Node } from '../../search/plan-node.ts'
import {
  type Cursor,
  idOf,
  type Key,
  type Live,
  type Require,
  stampText,
  typeOf,
} from '../../storage/port.ts'
import { KINDS, type Kind, systemOf, TYPE_OF } from './codes.ts'
import { together } from './together.ts'
import { numberOf, withNumber } from './translate.ts'

/** Numbering is the server's own work: it changes nothing that its asker could be kept from. */
const NUMBERING: Principal = { id: 'opencare-ids' }

/** Numbers that are looked at once for being free, and resources that one commit numbers. */
const MOST_AT_ONCE = 200
const MOST_IN_COMMIT = 100

const KIND_OF = new Map(KINDS.map(kind => [TYPE_OF[kind], kind]))

const isNumbered = (kind: Kind, numbers: readonly number[]): Node => ({
  kind: 'or',
  nodes: numbers.map(number => ({
    kind: 'token',
    param: `${TYPE_OF[kind]}.identifier`,
    system: systemOf(kind),
    code: String(number),
  })),
})

/** Returns the resource with the integer id; of several that were loaded with one id, the oldest. Undefined where there is none. */
export async function numbered(ctx: Context, kind: Kind, number: number): Promise<Live | undefined> {
  const plan = planFor(TYPE_OF[kind], isNumbered(kind, [number]))
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const { rows } = await ctx.storage.search(plan, { limit: 1, total: 'none', deadline })
  return rows[0] as Live | undefined
}

/**
 * Returns the next free integer ids, with the requirement that nobody has taken them meanwhile. Ids that stand on resources already, such as
 * those of another server that were loaded, are passed over.
 *
 * Throws `transient` where free ones are too far away.
 */
async function freeNumbers(
  ctx: Context,
  kind: Kind,
  count: number,
): Promise<{ numbers: number[]; require: Require }> {
  const name = `opencare ${kind}`
  const seen = await ctx.storage.counter(name)
  const numbers: number[] = []
  let next = seen
  for (let size = count; numbers.length < count; size = Math.min(MOST_AT_ONCE, size * 2)) {
    const candidates = Array.from({ length: size }, (_, i) => next + 1 + i)
    const plan = planFor(TYPE_OF[kind], isNumbered(kind, candidates))
    const found = await ctx.storage.search(plan, {
      limit: size * 2,
      total: 'none',
      deadline: ctx.clock() + ctx.settings.limits.searchMs,
    })
    const taken = new Set(found.rows.flatMap(row => allNumbers(kind, resourceOf(row as Live))))
    for (const number of candidates) {
      if (numbers.length === count) break
      next = number
      if (!taken.has(number)) numbers.push(number)
    }
    if (next - seen > 1e7) throw fhirError('transient', 'No free integer id was found.')
  }
  return { numbers, require: { is: 'counter', name, seen, next } }
}

const allNumbers = (kind: Kind, resource: Resource): number[] =>
  (Array.isArray(resource.identifier) ? resource.identifier : []).flatMap(one =>
    isObject(one) && one.system === systemOf(kind) ? [Number(one.value)] : [],
  )

/**
 * Returns the resources by their keys, each with an integer id: who has none gets one now, and an appointment that does not say when it was
 * made says so then too. Resources that are gone meanwhile are left out.
 */
export async function withNumbers(ctx: Context, rows: readonly Live[]): Promise<Map<Key, Live>> {
  const all = new Map(rows.map(row => [row.key, row]))
  const bare = rows.filter(lacksNumber).map(row => row.key)
  if (bare.length === 0) return all
  const { rules: _, ...rest } = ctx
  // No rule is about identifiers, and none may refuse what was stored before it was made.
  const own: Context = { ...rest, principal: NUMBERING }
  await together(ctx.storage, bare, MOST_IN_COMMIT, keys => numberAll(own, keys))
  for (const [key, row] of await ctx.storage.readMany(bare))
    if (row.text === undefined) all.delete(key)
    else all.set(key, row as Live)
  return all
}

function lacksNumber(row: Live): boolean {
  const kind = KIND_OF.get(typeOf(row.key))
  if (kind === undefined) return false
  // Most have one, which is seen without a tree of the whole resource.
  return !row.text.includes(systemOf(kind)) || numberOf(kind, resourceOf(row)) === undefined
}

const numberAll = (ctx: Context, keys: readonly Key[]): Promise<true> =>
  underCurrent(ctx, under => untilSettled(() => attempt(under, keys)))

async function attempt(ctx: Context, keys: readonly Key[]): Promise<true | typeof LOST> {
  const current = await ctx.storage.readMany(keys)
  const missing = [...current.values()].filter(
    row => row.text !== undefined && lacksNumber(row as Live),
  ) as Live[]
  if (missing.length === 0) return true
  const require: Require[] = []
  const proposed: Proposed[] = []
  for (const [type, rows] of Map.groupBy(missing, row => typeOf(row.key))) {
    const kind = KIND_OF.get(type)!
    const free = await freeNumbers(ctx, kind, rows.length)
    require.push(free.require)
    for (const [i, current] of rows.entries()) {
      const { key, version } = current
      const resource = withNumber(kind, await withCreated(ctx, current), free.numbers[i]!)
      const index = indexRows(ctx, resource)
      proposed.push(
        changeOf(ctx, { key, id: idOf(key), version: version + 1, method: 'PUT', resource, index, current }),
      )
    }
  }
  return (await commit(ctx, proposed, require)).ok ? true : LOST
}

async function withCreated(ctx: Context, row: Live): Promise<Resource> {
  const resource = parseJson(row.text, Number.POSITIVE_INFINITY) as Resource
  if (resource.resourceType !== 'Appointment' || resource.created !== undefined) return resource
  const first = row.version === 1 ? row : await ctx.storage.read(row.key, { version: 1 })
  return { ...resource, created: stampText(first?.at ?? row.at) }
}

/** A line of the table of integer ids. */
export interface Numbered {
  kind: Kind
  number: number
  key: Key
}

/** Yields the integer ids of a kind, oldest resource first. */
export async function* numbersOf(ctx: Context, kind: Kind): AsyncGenerator<Numbered> {
  const where: Node = { kind: 'token', param: `${TYPE_OF[kind]}.identifier`, system: systemOf(kind) }
  for await (const row of each(ctx, TYPE_OF[kind], where)) {
    const number = numberOf(kind, resourceOf(row))
    if (number !== undefined) yield { kind, number, key: row.key }
  }
}

/** Gives an integer id to every resource of a kind that has none. Returns how many got one. */
export async function numberEvery(ctx: Context, kind: Kind, shown?: Node): Promise<number> {
  let count = 0
  let bare: Live[] = []
  const flush = async (): Promise<void> => {
    await withNumbers(ctx, bare)
    count += bare.length
    bare = []
  }
  for await (const row of each(ctx, TYPE_OF[kind], shown ?? { kind: 'and', nodes: [] })) {
    if (lacksNumber(row)) bare.push(row)
    if (bare.length === MOST_IN_COMMIT) await flush()
  }
  await flush()
  return count
}

async function* each(ctx: Context, type: string, where: Node): AsyncGenerator<Live> {
  const plan = planFor(type, where)
  let after: Cursor | undefined
  for (;;) {
    const page = await ctx.storage.search(plan, {
      limit: MOST_AT_ONCE,
      total: 'none',
      ...(after === undefined ? {} : { after }),
    })
    yield* page.rows as Live[]
    if (!page.more || page.last === undefined) return
    after = page.last
  }
}
