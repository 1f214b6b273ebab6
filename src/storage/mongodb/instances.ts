/**
 * The server processes on one store, in one document that each updates at a beat: what each promises about its stamps and its index epoch.
 *
 * Commits become visible out of the order of their stamps. An instance's floor promises that no commit of its own with an earlier stamp
 * becomes visible from now on; the type and system history stop at the least floor, the watermark. `high` is the latest stamp known to
 * an instance; floors rise to it, so stamps follow the fastest clock and no clock needs to be right. `horizon` is the latest stamp
 * that any history has shown; who joins stamps from there on. `generation` counts the joins: a horizon is published only on the
 * generation that it was computed from. docs/scaling.md tells it at length.
 */
import { randomBytes } from 'node:crypto'
import type { Collection, Document } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { Log } from '../../lib/log.ts'
import type { Collections } from './document.ts'
import { isDuplicate } from './failure.ts'

/** Milliseconds. */
export interface Timing {
  /** From beat to beat while anybody writes, and while nobody does. */
  fast: number
  slow: number
  /** So long an instance counts as busy after its last commit. */
  busy: number
  /** A commit wants the own last beat to be younger than this, or renews it. */
  renew: number
  /** An instance without a beat for so long is dropped by the others. */
  dead: number
  /** A history waits at most so long for the watermark to reach what was committed before it was asked. */
  patience: number
}

/** A commit's command ends within this (ms, `maxTimeMS`); `renew` and this together are less than `dead`. */
export const COMMIT_COMMAND = 5000

const TIMING: Timing = { fast: 200, slow: 1000, busy: 2000, renew: 3000, dead: 10_000, patience: 3000 }

interface Member {
  seq: number
  floor: number
  high: number
  busy: boolean
  /** No commit of a lower index epoch becomes visible from this instance. */
  epoch: number
  label?: string
}

interface Clock {
  generation: number
  horizon: number
  epoch: number
  members: Record<string, Member>
}

/** A commit under way. */
export interface Ticket {
  /** The stamp to be used, ms since 1970. */
  at: number
  /** Renews the own beat where it is old; false where the others went on without this instance since the ticket was given. */
  renew(): Promise<boolean>
  /** The outcome is known. */
  end(): void
}

export interface Instances {
  /** The index epoch as of the last beat. */
  epoch(): number
  /** Returns a stamp not before `at`, kept below the floor until the ticket ends; renews the own beat where it is old. */
  begin(at: number, epoch: number): Promise<Ticket>
  /** Work under an index epoch begins that stamps nothing: a raise of the epoch waits until the function returned is called. */
  hold(epoch: number): Promise<() => void>
  /** Returns the stamp up to which a type or system history may show versions, waiting a little to include what was committed before. */
  watermark(): Promise<number>
  /** Raises the index epoch; false when it stands there or higher. Either way it waits until every instance commits under it. */
  raiseEpoch(next: number): Promise<boolean>
  gauges(): Record<string, number>
  close(): Promise<void>
}

const CLOCK = 'clock'
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Joins the instances of the store. */
export async function joinInstances(
  collections: Collections,
  log: Log,
  label?: string,
  timing: Timing = TIMING,
): Promise<Instances> {
  const { fast, slow, busy: busyTime, renew, dead, patience } = timing
  const id = `i${randomBytes(8).toString('hex')}`
  const instances = collections.instances as Collection<Document & { _id: string }>
  const tickets = new Set<{ floor: number; epoch: number }>()
  /** When this process saw another's beat change last, by its own monotonic clock. */
  const seen = new Map<string, { seq: number; when: number }>()
  let clock: Clock = { generation: 0, horizon: 0, epoch: 0, members: {} }
  let seq = 0
  /** Stamps given out from now on are not before this. */
  let promise = 0
  let high = 0
  /** Monotonic times. */
  let beatAt = 0
  let busyUntil = 0
  let beating: Promise<void> | undefined
  /** The beat that tells the others of the first commit after a pause. */
  let waking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let warned = false
  let joins = 0

  const ownFloor = (): number => {
    let floor = high
    for (const ticket of tickets) floor = Math.min(floor, ticket.floor)
    return floor
  }
  const ownEpoch = (): number => {
    let epoch = clock.epoch
    for (const ticket of tickets) epoch = Math.min(epoch, ticket.epoch)
    return epoch
  }
  const others = (): [string, Member][] => Object.entries(clock.members).filter(([name]) => name !== id)
  const member = (): Member => {
    const floor = ownFloor()
    promise = Math.max(promise, floor)
    const busy = tickets.size > 0 || performance.now() < busyUntil
    return { seq: ++seq, floor, high, busy, epoch: ownEpoch(), ...(label === undefined ? {} : { label }) }
  }
  const learn = (doc: Document, sentAt: number): void => {
    const next = doc as unknown as Clock
    const { horizon, epoch } = clock
    // Answers may come out of order; what was promised to others by a later one stays.
    if ((next.members[id]?.seq ?? 0) >= (clock.members[id]?.seq ?? 0)) clock = next
    clock.horizon = Math.max(horizon, next.horizon)
    clock.epoch = Math.max(epoch, next.epoch)
    // After a silence of our own nobody can be blamed for theirs.
    if (sentAt - beatAt > renew) for (const one of seen.values()) one.when = sentAt
    beatAt = Math.max(beatAt, sentAt)
    high = Math.max(high, clock.horizon)
    for (const [name, other] of others()) {
      high = Math.max(high, other.high)
      if (seen.get(name)?.seq !== other.seq) seen.set(name, { seq: other.seq, when: sentAt })
    }
    for (const name of seen.keys()) if (!(name in clock.members)) seen.delete(name)
  }

  const join = async (): Promise<void> => {
    const own = `members.${id}`
    const joined = [
      {
        $set: {
          generation: { $add: [{ $ifNull: ['$generation', 0] }, 1] },
          horizon: { $ifNull: ['$horizon', 0] },
          epoch: { $ifNull: ['$epoch', 0] },
          [own]: {
            seq: { $literal: ++seq },
            floor: { $ifNull: ['$horizon', 0] },
            high: { $ifNull: ['$horizon', 0] },
            busy: { $literal: false },
            epoch: { $ifNull: ['$epoch', 0] },
          },
        },
      },
    ]
    for (let attempt = 0; ; attempt++) {
      const sentAt = performance.now()
      try {
        const options = { upsert: true, returnDocument: 'after' } as const
        const doc = await instances.findOneAndUpdate({ _id: CLOCK }, joined, options)
        if (doc !== null) {
          learn(doc, sentAt)
          break
        }
      } catch (error) {
        if (!isDuplicate(error)) throw error
      }
      // Two that are the first at the same moment.
      if (attempt > 20) throw fhirError('transient', 'This server could not join the others on the database.')
      await sleep(attempt)
    }
    promise = Math.max(promise, clock.horizon)
    joins++
    await learnLatest()
  }

  /** Who left without a word may have committed after its last beat. */
  const learnLatest = async (): Promise<void> => {
    const latest = await collections.resources
      .find({}, { projection: { lu: 1 } })
      .sort({ lu: -1 })
      .limit(1)
      .toArray()
    high = Math.max(high, latest[0]?.lu ?? 0)
  }

  /** Publishes this instance's state and learns that of the others; false when `horizon` was computed from an older generation. */
  const publish = async (horizon?: number): Promise<boolean> => {
    const filter: Document = { _id: CLOCK, [`members.${id}`]: { $exists: true } }
    if (horizon !== undefined) filter.generation = clock.generation
    const update: Document = { $set: { [`members.${id}`]: member() } }
    if (horizon !== undefined) update.$max = { horizon }
    const sentAt = performance.now()
    const doc = await instances.findOneAndUpdate(filter, update, { returnDocument: 'after' })
    if (doc !== null) {
      learn(doc, sentAt)
      return true
    }
    if (horizon === undefined) {
      log.warn('this instance was taken for dead and joins again')
      await join()
    }
    return false
  }

  const dropDead = async (): Promise<void> => {
    for (const [name, other] of others()) {
      if (beatAt - (seen.get(name)?.when ?? beatAt) < dead) continue
      const dropped = await instances.updateOne(
        { _id: CLOCK, [`members.${name}.seq`]: other.seq },
        { $unset: { [`members.${name}`]: '' }, $inc: { generation: 1 } },
      )
      if (dropped.modifiedCount > 0) log.warn('an instance without a beat was dropped', { instance: name })
      await learnLatest()
    }
  }

  /** One beat at a time; who asks during one gets that one, which is young enough. */
  const beat = (): Promise<void> => {
    beating ??= (async () => {
      try {
        await publish()
        await dropDead()
      } finally {
        beating = undefined
      }
    })()
    return beating
  }
  /** A beat that began after now. */
  const freshBeat = async (): Promise<void> => {
    await beating?.catch(() => {})
    await beat()
  }

  const schedule = (): void => {
    if (closed) return
    const writing =
      performance.now() < busyUntil || tickets.size > 0 || others().some(([, other]) => other.busy)
    timer = setTimeout(() => void tick(), writing ? fast : slow)
    timer.unref()
  }
  const tick = async (): Promise<void> => {
    clearTimeout(timer)
    try {
      await beat()
      warned = false
    } catch (error) {
      if (!warned && !closed) log.warn('the beat of this instance failed', { error: (error as Error).name })
      warned = true
    }
    clearTimeout(timer)
    schedule()
  }

  const wake = async (): Promise<void> => {
    try {
      await freshBeat()
    } finally {
      waking = undefined
      clearTimeout(timer)
      schedule()
    }
  }

  await join()
  schedule()

  return {
    epoch: () => clock.epoch,

    begin: async (at, epoch) => {
      while (performance.now() - beatAt > renew) await freshBeat()
      if (others().length > 0) {
        // The others wait for the beats of who says that it is busy, so that is said before the first commit.
        if (performance.now() > busyUntil) waking ??= wake()
        busyUntil = performance.now() + busyTime
        await waking
      }
      // Nothing is awaited from here to the registration.
      busyUntil = performance.now() + busyTime
      const stamp = Math.max(at, promise)
      const entry = { floor: stamp, epoch }
      tickets.add(entry)
      high = Math.max(high, stamp)
      const joined = joins
      const ticket: Ticket = {
        at: stamp,
        renew: async () => {
          while (performance.now() - beatAt > renew) await freshBeat()
          return joins === joined
        },
        end: () => tickets.delete(entry),
      }
      return ticket
    },

    hold: async epoch => {
      while (performance.now() - beatAt > renew) await freshBeat()
      const entry = { floor: Number.POSITIVE_INFINITY, epoch }
      tickets.add(entry)
      return () => tickets.delete(entry)
    },

    watermark: async () => {
      const target = high
      // Commits that begin now are stamped after those that are waited for.
      promise = Math.max(promise, target)
      const until = performance.now() + patience
      // Who has just written says so at once; who is busy may have committed since its last beat.
      if (others().length > 0) await freshBeat()
      const busy = new Map(
        others().flatMap(([name, other]) => (other.busy ? [[name, other.seq] as const] : [])),
      )
      for (;;) {
        const mark = others().reduce((least, [, other]) => Math.min(least, other.floor), ownFloor())
        const heard = [...busy].every(([name, old]) => clock.members[name]?.seq !== old)
        if ((mark >= target && heard) || performance.now() > until) {
          promise = Math.max(promise, mark)
          if (mark <= clock.horizon || (await publish(mark))) return mark
          await freshBeat()
        } else if (others().length === 0) await sleep(3)
        else {
          await freshBeat()
          if (performance.now() < until) await sleep(fast / 8)
        }
      }
    },

    raiseEpoch: async next => {
      const raised = await instances.findOneAndUpdate(
        { _id: CLOCK, epoch: { $lt: next } },
        { $set: { epoch: next } },
        { returnDocument: 'after' },
      )
      // Whoever raised it may have ended before all had followed.
      if (raised !== null) clock.epoch = Math.max(clock.epoch, next)
      do {
        await freshBeat()
        if (Object.values(clock.members).every(one => one.epoch >= next)) break
        await sleep(fast / 4)
      } while (!closed)
      return raised !== null
    },

    gauges: () => ({
      nadi_storage_instances: Object.keys(clock.members).length,
      nadi_storage_commits_in_flight: tickets.size,
      nadi_storage_beat_age_ms: Math.round(performance.now() - beatAt),
    }),

    close: async () => {
      closed = true
      clearTimeout(timer)
      const until = performance.now() + COMMIT_COMMAND
      while ((tickets.size > 0 || beating !== undefined) && performance.now() < until) await sleep(5)
      // With an outcome unknown the others wait until this instance counts as dead.
      if (tickets.size > 0) return
      const leave = { $unset: { [`members.${id}`]: '' }, $max: { horizon: high } }
      await Promise.race([instances.updateOne({ _id: CLOCK }, leave).catch(() => {}), sleep(COMMIT_COMMAND)])
    },
  }
}
