/**
 * A commit: one insert where it only creates one resource, a transaction otherwise. Its id stands in every version that it made, so what a
 * lost acknowledgement left unknown is read back and never done twice.
 * https://www.mongodb.com/docs/manual/core/transactions-in-applications/
 */
import { type ClientSession, type MongoClient, MongoError, type TransactionOptions } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { InTurn } from '../../lib/turns.ts'
import { type Commit, type Committed, typeOf } from '../port.ts'
import { isConflict, isDuplicate, isTimeout, isUnreachable, spoken } from './failure.ts'
import { COMMIT_COMMAND, type Instances, type Ticket } from './instances.ts'
import { criteriaSlot, matching } from './require.ts'
import type { Views } from './schema.ts'
import { doneBefore } from './settle.ts'
import { type Prepared, prepareChanges, stampedVersion } from './version.ts'
import { Again, newDocument, type Refusal, Refused, type Writer, write } from './write.ts'

/** What a commit works on. */
export interface Committer extends Writer {
  client: MongoClient
  instances: Instances
  views: Views
  inTurn: InTurn
}

/** Milliseconds after which a commit that keeps meeting others gives up. */
const PATIENCE = 20_000
const BACKOFF_MOST = 150

const TRANSACTION: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
  maxCommitTimeMS: COMMIT_COMMAND,
}

/** Commits as the port says. Throws FhirError `too-costly` for a body that is too large, `transient` where the store cannot be reached. */
export async function commitOnce(on: Committer, commit: Commit): Promise<Committed> {
  const prepared = prepareChanges(commit.changes, commit.id)
  const result = await on.inTurn(wantedBy(commit), async waited => {
    const late = waited ? await overtaken(on, commit) : undefined
    if (late !== undefined)
      return (await doneBefore(on.collections, commit, performance.now() + PATIENCE)) ?? late
    return attempts(on, commit, prepared)
  })
  if (result.ok) for (const change of commit.changes) on.views.want(typeOf(change.key))
  return result
}

/** Names that two commits of one process should not fight over. */
function wantedBy(commit: Commit): string[] {
  const names = new Set<string>()
  for (const change of commit.changes) {
    if (change.version > 1) names.add(change.key)
    for (const claim of change.claims) names.add(`claim ${claim}`)
  }
  for (const one of commit.require) {
    if (one.is === 'matches')
      for (const guard of [one.guard, ...(one.also ?? [])]) names.add(criteriaSlot(guard))
    else if (one.is === 'counter') names.add(`counter ${one.name}`)
  }
  return [...names]
}

/**
 * Returns the refusal of a commit that another of this process overtook while it waited, undefined where it may still succeed. A
 * transaction would say the same, with five commands for one.
 */
async function overtaken(on: Committer, commit: Commit): Promise<Refusal | undefined> {
  for (const [index, one] of commit.require.entries())
    if (one.is === 'matches' && !(await matching(on.collections, one, {})))
      return { ok: false, reason: 'require', index }
  const updates = commit.changes.filter(change => change.version > 1)
  if (updates.length === 0) return undefined
  const ids = updates.map(change => change.key as string)
  const docs = await on.collections.resources.find({ _id: { $in: ids } }, { projection: { v: 1 } }).toArray()
  const behind = updates.find(change => docs.some(doc => doc._id === change.key && doc.v >= change.version))
  return behind && { ok: false, reason: 'version', key: behind.key }
}

async function attempts(on: Committer, commit: Commit, prepared: readonly Prepared[]): Promise<Committed> {
  const until = performance.now() + PATIENCE
  const tickets: Ticket[] = []
  let known = true
  let from = commit.at
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        const ticket = await on.instances.begin(from, commit.epoch)
        tickets.push(ticket)
        const result = await attemptOnce(on, commit, prepared, ticket)
        known = true
        if (result.ok) return result
        return (await doneBefore(on.collections, commit, until)) ?? result
      } catch (error) {
        if (error instanceof Again && performance.now() < until) {
          from = error.from
          continue
        }
        const unsettled = isUnreachable(error) || isTimeout(error)
        if (unsettled) known = false
        if (!(unsettled || isConflict(error)) || performance.now() > until)
          throw error instanceof Again
            ? fhirError('transient', 'The write met too many others.')
            : spoken(error)
        const most = Math.min(BACKOFF_MOST, 2 ** Math.min(attempt, 10))
        await new Promise(resolve => setTimeout(resolve, 1 + Math.random() * most))
      }
    }
  } finally {
    const end = (): void => {
      for (const ticket of tickets) ticket.end()
    }
    // What may still become visible keeps the floor down until its command has certainly ended.
    if (known) end()
    else setTimeout(end, COMMIT_COMMAND).unref()
  }
}

async function attemptOnce(
  on: Committer,
  commit: Commit,
  prepared: readonly Prepared[],
  ticket: Ticket,
): Promise<Committed> {
  if (commit.epoch < on.instances.epoch()) return { ok: false, reason: 'epoch' }
  const only = prepared[0]
  const plain =
    only !== undefined &&
    prepared.length === 1 &&
    commit.require.length === 0 &&
    only.change.version === 1 &&
    only.change.body !== null &&
    only.change.claims.length === 0 &&
    !only.large
  return plain ? insertOne(on, commit, only, ticket.at) : inTransaction(on, commit, prepared, ticket)
}

async function insertOne(on: Committer, commit: Commit, prepared: Prepared, at: number): Promise<Committed> {
  const { key } = prepared.change
  const doc = newDocument(on, commit, (await stampedVersion(prepared, at)).fields, key, true)
  try {
    await on.collections.resources.insertOne(doc, { maxTimeMS: COMMIT_COMMAND })
    return { ok: true, at }
  } catch (error) {
    if (isDuplicate(error)) return { ok: false, reason: 'version', key }
    throw error
  }
}

async function inTransaction(
  on: Committer,
  commit: Commit,
  prepared: readonly Prepared[],
  ticket: Ticket,
): Promise<Committed> {
  const { at } = ticket
  const session = on.client.startSession()
  try {
    session.startTransaction(TRANSACTION)
    await write(on, commit, prepared, at, session)
    if (!(await ticket.renew())) throw new Again(commit.at)
    await committed(session)
    return { ok: true, at }
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction().catch(() => {})
    if (error instanceof Refused) return error.refusal
    throw error
  } finally {
    await session.endSession()
  }
}

/** Commits, and asks again while the outcome is not known: the server answers the same as the first time. */
async function committed(session: ClientSession): Promise<void> {
  const until = performance.now() + COMMIT_COMMAND
  for (;;) {
    try {
      await session.commitTransaction()
      return
    } catch (error) {
      const unknown = error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult')
      if (!unknown || performance.now() > until) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}
