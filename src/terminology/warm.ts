/**
 * What was worked out of value sets, kept for as long as no definition in the store has changed: it is looked at once a second.
 * https://hl7.org/fhir/R4/terminology-service.html
 */
import type { Context } from '../context.ts'
import type { Storage } from '../storage/port.ts'

/** Milliseconds for which a change that another instance has stored may go unnoticed. */
const FRESH_MS = 1000

/** Milliseconds after which all is worked out anew: what another server said may have changed. */
const MOST_AGE_MS = 3_600_000

/** Codes of listed value sets, and verdicts on single codes. */
const MOST_CODES = 300_000
const MOST_VERDICTS = 20_000

/** A value set as a list, by system and code; `ask`: it cannot be listed, or not here. */
export type Warmed =
  | { codes: ReadonlyMap<string, ReadonlyMap<string, string | undefined>>; size: number }
  | 'ask'

export interface Warm<V> {
  sets: Map<string, Warmed>
  verdicts: Map<string, V>
}

interface Kept {
  warm: Warm<unknown>
  state: string
  /** When it was begun, and when the store was looked at last; ms since 1970. */
  since: number
  at: number
  looking: Promise<void> | undefined
}

const kept = new WeakMap<Storage, Kept>()

/** Returns what is known, empty after a change of a definition in the store. */
export async function warmOf<V>(ctx: Context): Promise<Warm<V>> {
  let one = kept.get(ctx.storage)
  if (one === undefined) {
    one = { warm: empty(), state: '', since: 0, at: Number.NEGATIVE_INFINITY, looking: undefined }
    kept.set(ctx.storage, one)
  }
  const known = one
  const age = ctx.clock() - known.at
  if (age < 0 || age >= FRESH_MS) {
    known.looking ??= look(ctx, known).finally(() => {
      known.looking = undefined
    })
    await known.looking
  }
  return known.warm as Warm<V>
}

/** To be called after a commit that wrote ValueSets or CodeSystems: the next question on this instance sees them. */
export function codesChanged(storage: Storage): void {
  const known = kept.get(storage)
  if (known === undefined) return
  // Who is at work on the old one still writes into that, and nobody reads it any more.
  known.warm = empty()
  known.at = Number.NEGATIVE_INFINITY
}

async function look(ctx: Context, known: Kept): Promise<void> {
  const at = ctx.clock()
  const state = await stateOf(ctx)
  if (state !== known.state || at - known.since >= MOST_AGE_MS) {
    known.warm = empty()
    known.since = at
  }
  known.state = state
  known.at = at
}

const empty = (): Warm<unknown> => ({ sets: new Map(), verdicts: new Map() })

/** Returns a text that is another one after every change of a definition. */
async function stateOf({ storage, settings }: Context): Promise<string> {
  const newest = async (type: string): Promise<string> => {
    const [row] = (await storage.history({ type }, { limit: 1, total: 'none' })).rows
    return row === undefined ? '' : `${row.key} ${row.version} ${row.at}`
  }
  const [systems, sets, releases] = await Promise.all([
    newest('CodeSystem'),
    newest('ValueSet'),
    storage.concepts.releases(),
  ])
  const held = releases.map(({ id, state }) => `${id} ${state}`)
  return [systems, sets, ...held, settings.terminologyUrl ?? ''].join('\n')
}

/** Keeps a list; the oldest go where there are too many codes. */
export function keepSet(warm: Warm<unknown>, name: string, set: Warmed): void {
  warm.sets.set(name, set)
  let size = 0
  for (const one of warm.sets.values()) size += sizeOf(one)
  for (const [oldest, one] of warm.sets) {
    if (size <= MOST_CODES || oldest === name) break
    warm.sets.delete(oldest)
    size -= sizeOf(one)
  }
}

const sizeOf = (set: Warmed): number => (set === 'ask' ? 1 : set.size + 1)

/** Keeps a verdict; the oldest goes where there are too many. */
export function keepVerdict<V>({ verdicts }: Warm<V>, name: string, verdict: V): void {
  verdicts.set(name, verdict)
  if (verdicts.size > MOST_VERDICTS) verdicts.delete(verdicts.keys().next().value!)
}
