/** Work for the outbox that no change of a resource is the cause of. */
import type { Context } from '../context.ts'
import type { Job, Require } from '../storage/port.ts'
import { Outdated, underCurrent } from './current.ts'

/**
 * Leaves jobs to be done, once for each name: a counter of that name is set with them. Returns false where that was done before.
 *
 * Throws `transient` where the store cannot be reached.
 */
export const leaveWork = (ctx: Context, name: string, jobs: readonly Job[]): Promise<boolean> =>
  underCurrent(ctx, async under => {
    const done = await under.storage.commit({
      id: under.newId(),
      at: under.clock(),
      epoch: under.registry.epoch,
      changes: [],
      require: [firstOf(name)],
      outbox: jobs,
    })
    if (done.ok && jobs.length > 0) under.announce?.()
    if (!done.ok && done.reason === 'epoch') throw new Outdated()
    return done.ok
  })

/** Forgets that something was done under a name: it could be done again. */
export const forgetWork = (ctx: Context, name: string): Promise<void> =>
  underCurrent(ctx, async under => {
    const done = await under.storage.commit({
      id: under.newId(),
      at: under.clock(),
      epoch: under.registry.epoch,
      changes: [],
      require: [{ is: 'counter', name, seen: 1, next: 0 }],
      outbox: [],
    })
    if (!done.ok && done.reason === 'epoch') throw new Outdated()
  })

/** Returns whether work was left, or something else done, under a name. */
export const isLeft = async (ctx: Context, name: string): Promise<boolean> =>
  (await ctx.storage.counter(name)) > 0

/** Returns what a commit requires to be the first, and the only one, under a name. */
export const firstOf = (name: string): Require => ({ is: 'counter', name, seen: 0, next: 1 })
