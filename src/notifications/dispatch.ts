/**
 * Work that commits have left to be done: jobs of the outbox, taken by lease, so that several servers share them and a crash loses none.
 */
import type { Context } from '../context.ts'
import { faultOf } from '../lib/fault.ts'
import type { Job } from '../storage/port.ts'

/** A job with the fencing number of its lease, and until when that is held, ms since 1970. */
export interface Leased extends Job {
  fence: number
  until: number
}

/** What came of a job: it is done, or is tried again at a time with this body. */
export type Outcome = { is: 'done' } | { is: 'later'; due: number; body: string }

/** Does one job of a kind. What it throws is tried again. */
export type Handler = (ctx: Context, job: Leased) => Promise<Outcome>

/** Named places at which tests end the process. */
export type Step = 'after-commit' | 'after-lease' | 'after-send' | 'before-record'

export interface DispatchOptions {
  /** Names this process among others. */
  owner: string
  /** Milliseconds of a lease: longer than any handler takes. */
  leaseMs: number
  /** Jobs at a time. */
  parallel: number
  /** Called at named steps; tests alone give it. */
  at?: (step: Step) => void
}

/** Handlers by the kind of job. */
export type Handlers = Readonly<Record<string, Handler>>

/** Jobs at a time; milliseconds that the longest of them takes beside the attempt to send a message; and what recording may take. */
const PARALLEL = 16
const LONGEST_MS = 30_000
const MARGIN_MS = 15_000

/** Returns how a process takes jobs: under leases that are longer than any attempt. */
export const dispatchOptions = (ctx: Context): DispatchOptions => ({
  owner: ctx.newId(),
  leaseMs: Math.max(ctx.settings.messages.sendMs, LONGEST_MS) + MARGIN_MS,
  parallel: PARALLEL,
})

/** Milliseconds until a job that nobody can do, or that failed unexpectedly, is looked at again. */
const AGAIN_MS = 60_000

/**
 * Takes due jobs once and does them. Returns how many were taken, and when the next of those put off is due, ms since 1970.
 *
 * Throws where the store cannot be reached.
 */
export async function dispatch(
  ctx: Context,
  handlers: Handlers,
  options: DispatchOptions,
): Promise<{ taken: number; next: number | undefined }> {
  const { owner, leaseMs, parallel, at } = options
  const until = ctx.clock() + leaseMs
  const jobs = await ctx.storage.outbox.take(parallel, owner, leaseMs)
  if (jobs.length > 0) at?.('after-lease')
  const nexts = await Promise.all(jobs.map(job => doOne(ctx, handlers, { ...job, until })))
  const times = nexts.filter(time => time !== undefined)
  return { taken: jobs.length, next: times.length === 0 ? undefined : Math.min(...times) }
}

async function doOne(ctx: Context, handlers: Handlers, job: Leased): Promise<number | undefined> {
  const { outbox } = ctx.storage
  const handler = Object.hasOwn(handlers, job.kind) ? handlers[job.kind] : undefined
  let outcome: Outcome
  if (handler === undefined) {
    ctx.log.warn('a job of a kind that this server does not know waits', { job: job.id, kind: job.kind })
    outcome = { is: 'later', due: ctx.clock() + AGAIN_MS, body: job.body }
  } else
    try {
      outcome = await handler(ctx, job)
    } catch (error) {
      ctx.log.error('a job failed', { job: job.id, kind: job.kind, error: faultOf(error) })
      outcome = { is: 'later', due: ctx.clock() + AGAIN_MS, body: job.body }
    }
  // Who has lost the lease has lost the job: another does what is left of it.
  if (outcome.is === 'done') await outbox.done(job.id, job.fence)
  else if (await outbox.putOff(job.id, job.fence, outcome)) return outcome.due
  return undefined
}

export interface Dispatcher {
  /** Says that there may be work. */
  wake(): void
  /** Returns after the jobs at hand; no more are taken. */
  stop(): Promise<void>
}

/** Milliseconds between two looks where nobody says that there is work: another server may have left it. */
const LOOK_MS = 5000
const MOST_DUES = 1000
/** Milliseconds after a failure of the store. */
const FAILED_MS = 5000

/** Does jobs in the background until it is stopped. Woken, it looks at once. A slow peer holds up its own job alone. */
export function startDispatch(ctx: Context, handlers: Handlers, options: DispatchOptions): Dispatcher {
  const { owner, leaseMs, parallel, at } = options
  const running = new Set<Promise<void>>()
  let stopped = false
  let woken = true
  let wake = (): void => {}
  let complained = false
  /** Whether the last look found as much as it asked for. */
  let isMore = false
  /** When those put off here are due. A look every LOOK_MS finds what is forgotten. */
  let dues: number[] = []
  const next = (): number => Math.min(...dues, Number.POSITIVE_INFINITY)

  const rouse = (): void => {
    woken = true
    wake()
  }
  const pause = (ms: number): Promise<void> =>
    new Promise(resolve => {
      if (stopped || woken) return resolve()
      const timer = setTimeout(resolve, ms)
      ;(timer as { unref?(): void }).unref?.()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const run = (job: Leased): void => {
    const one: Promise<void> = doOne(ctx, handlers, job)
      .then(due => {
        if (due !== undefined && dues.length < MOST_DUES) dues.push(due)
      })
      .catch(error => complain(error))
      .finally(() => {
        running.delete(one)
        // Half of the places free is the time for one look at many jobs.
        if (isMore && running.size <= parallel / 2) rouse()
        else if (dues.length > 0) wake()
      })
    running.add(one)
  }
  const complain = (error: unknown): void => {
    if (!complained && !stopped)
      ctx.log.warn('the outbox cannot be reached at the moment', { error: faultOf(error) })
    complained = true
  }
  const work = async (): Promise<void> => {
    while (!stopped) {
      woken = false
      if (running.size > parallel / 2) {
        await pause(LOOK_MS)
        continue
      }
      try {
        const now = ctx.clock()
        dues = dues.filter(due => due > now)
        const until = now + leaseMs
        const free = parallel - running.size
        const jobs = await ctx.storage.outbox.take(free, owner, leaseMs)
        isMore = jobs.length === free
        complained = false
        if (jobs.length > 0) at?.('after-lease')
        for (const job of jobs) run({ ...job, until })
        if (!isMore) await pause(Math.max(1, Math.min(LOOK_MS, next() - ctx.clock())))
      } catch (error) {
        complain(error)
        await pause(FAILED_MS)
      }
    }
    await Promise.all(running)
  }
  const ended = work()
  return {
    wake: rouse,
    stop() {
      stopped = true
      wake()
      return ended
    },
  }
}
