/** What write rules add to a commit: preconditions, further versions, and work for the outbox. */
import type { Context, Pending, Put, Ruling } from '../context.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import { type Change, idOf, type Job, type Key, type Require, type Stored, typeOf } from '../storage/port.ts'
import { bodyOf } from './body.ts'
import { indexRows } from './indexer.ts'

/** A change with what it was made of, for the rules. */
export interface Proposed extends Change {
  /** Undefined for a deletion. */
  resource: Resource | undefined
  /** The version before, where it was read. */
  current: Stored | undefined
}

export interface Ruled {
  changes: readonly Change[]
  require: readonly Require[]
  outbox: readonly Job[]
}

/** Returns whether some rule is about a type that the changes write. */
export const isRuled = ({ rules }: Context, changes: readonly Change[]): boolean =>
  rules !== undefined &&
  changes.some(({ key }) => {
    const type = typeOf(key)
    return rules.some(rule => rule.types.has(type))
  })

/**
 * Returns the changes as the rules want them, those of the caller first and in their order, with what the rules require and leave to be done.
 *
 * Throws what a rule throws, and as `indexRows` does.
 */
export async function applyRules(ctx: Context, proposed: readonly Proposed[]): Promise<Ruled> {
  const made = new Map<Key, { change: Change; pending: Pending }>()
  for (const one of proposed) made.set(one.key, { change: one, pending: pendingOf(one) })
  const require: Require[] = []
  const outbox: Job[] = []
  for (const rule of ctx.rules ?? []) {
    const all = [...made.values()].map(({ pending }) => pending)
    if (!all.some(({ key }) => rule.types.has(typeOf(key)))) continue
    const ruling: Ruling = await rule.judge(ctx, all)
    require.push(...(ruling.require ?? []))
    outbox.push(...(ruling.outbox ?? []))
    for (const put of ruling.puts ?? []) add(ctx, made, put)
  }
  return { changes: [...made.values()].map(({ change }) => change), require, outbox }
}

const parsed = (stored: Stored | undefined): Resource | undefined =>
  stored?.text === undefined ? undefined : (parseJson(stored.text, Number.POSITIVE_INFINITY) as Resource)

const pendingOf = ({ key, method, resource, current }: Proposed): Pending => ({
  key,
  method,
  before: parsed(current),
  after: resource,
})

function add(
  ctx: Context,
  made: Map<Key, { change: Change; pending: Pending }>,
  { key, current, resource }: Put,
): void {
  const earlier = made.get(key)
  const version = earlier?.change.version ?? (current?.version ?? 0) + 1
  const method =
    earlier?.pending.method ?? (resource === undefined ? 'DELETE' : current === undefined ? 'POST' : 'PUT')
  made.set(key, {
    pending: { key, method, before: earlier?.pending.before ?? parsed(current), after: resource },
    change: {
      key,
      version,
      method,
      body: resource === undefined ? null : bodyOf(resource, idOf(key), version, ctx.clock()),
      index: resource === undefined ? [] : indexRows(ctx, resource),
      claims: earlier?.change.claims ?? [],
    },
  })
}
