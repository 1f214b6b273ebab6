/**
 * A round of indexing: one walk over resources for all that waits to be indexed when it begins. How far it has come is remembered in the
 * store, so that another instance goes on where one has stopped.
 */
import type { IndexJob } from '../context.ts'
import type { Cursor, Storage } from '../storage/port.ts'
import type { IndexRecord } from './index-record.ts'

/**
 * Says: every resource of `types` up to `after` has rows of the last of these epochs or of a later one. That stays true whoever wrote it
 * down, so no lease is needed to believe it.
 */
export interface Round {
  /** The epochs whose jobs are done with it. */
  epochs: readonly number[]
  /** Empty for all. */
  types: readonly string[]
  after?: Cursor
  /** Where it ends: whatever was made later has the rows of who made it. */
  until?: Cursor
  done: number
  total?: number
  failed: number
  error?: string
}

/** What is known of a job when it is done. */
interface Outcome {
  done: number
  total?: number
  failed: number
  finished: number
}

const ROUND = 'index round'
const outcomeName = (epoch: number): string => `index job ${epoch}`

/** Milliseconds that a round that nobody goes on with is remembered, and that an outcome is. */
const ROUND_MS = 30 * 86_400_000
const OUTCOME_MS = 365 * 86_400_000

/** Returns the round under way that does one of these jobs. */
export async function readRound(storage: Storage, pending: readonly number[]): Promise<Round | undefined> {
  const text = await storage.recall(ROUND)
  if (text === undefined) return undefined
  const round = JSON.parse(text) as Round
  return round.epochs.some(epoch => pending.includes(epoch)) ? round : undefined
}

export const writeRound = (storage: Storage, round: Round, now: number): Promise<void> =>
  storage.remember(ROUND, JSON.stringify(round), now + ROUND_MS)

/** Writes down how the jobs of a round ended. */
export async function writeOutcomes(storage: Storage, round: Round, now: number): Promise<void> {
  const { done, total, failed } = round
  const outcome: Outcome = { done, failed, finished: now, ...(total === undefined ? {} : { total }) }
  for (const epoch of round.epochs)
    await storage.remember(outcomeName(epoch), JSON.stringify(outcome), now + OUTCOME_MS)
}

/** Returns what is to be told of the job of an epoch; undefined where it has none. */
export async function jobOf(
  storage: Storage,
  epoch: number,
  { job }: IndexRecord,
  state: { round: Round | undefined; isDone: boolean },
): Promise<IndexJob | undefined> {
  if (job === undefined) return undefined
  const { what, types, at } = job
  const one = { id: epoch, what, types, asked: at }
  const { round } = state
  if (state.isDone) {
    const text = await storage.recall(outcomeName(epoch))
    const outcome = text === undefined ? undefined : (JSON.parse(text) as Outcome)
    const { done = 0, total, failed = 0, finished } = outcome ?? {}
    return { ...one, state: 'done', done, total, failed, ...(finished === undefined ? {} : { finished }) }
  }
  if (round?.epochs.includes(epoch) !== true)
    return { ...one, state: 'waiting', done: 0, total: undefined, failed: 0 }
  const { done, total, failed, error } = round
  return { ...one, state: 'running', done, total, failed, ...(error === undefined ? {} : { error }) }
}
