/**
 * Brings the search index to the rules of this server when it starts (`search/index-fingerprint.ts`: format, folding, zone, base URL) and
 * keeps it at work while it runs: custom search parameters, and what `$reindex` asks for.
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { type Budget, buildStep } from '../interactions/index-build.ts'
import { type OpenIndex, openLiveIndex } from '../interactions/live-index.ts'
import { indexFingerprint } from '../search/index-fingerprint.ts'

const WAIT_MS = 500

/** A context under the search parameters in force. */
export interface Indexed extends Context {
  live: OpenIndex
}

/**
 * Returns a context whose registry has the index epoch in force, after the index is whole but for custom parameters, which are built while
 * the server runs. `baseUrl` is the one that was set, '' where it is made of the address: two servers on one store may listen on different
 * ports.
 *
 * Throws `transient` where the index is not whole within the budget; the next call goes on from there.
 */
export async function bringIndexUpToDate(ctx: Context, baseUrl: string, budget?: Budget): Promise<Indexed> {
  const fingerprint = indexFingerprint({ ...ctx.settings, baseUrl })
  const live = await openLiveIndex(ctx, { fingerprint })
  const started = ctx.tick()
  let waiting = false
  while (!(await live.isWhole())) {
    await live.takeOver()
    const left = (budget?.ms ?? Number.POSITIVE_INFINITY) - (ctx.tick() - started)
    const stepped = left > 0 ? await buildStep(ctx, live, { ...budget, ms: left }) : 'more'
    if (budget !== undefined && stepped !== 'idle' && !(await live.isWhole())) throw await beingMade(live)
    if (stepped !== 'elsewhere') continue
    if (!waiting) ctx.log.info('another server makes the index; waiting for it')
    waiting = true
    await new Promise(resolve => setTimeout(resolve, WAIT_MS))
  }
  await live.reconcile()
  return { ...ctx, storage: live.storage, registry: live.registry(), live }
}

async function beingMade(live: OpenIndex) {
  const running = (await live.jobs()).find(({ state }) => state === 'running')
  const far =
    running === undefined ? '' : `: ${running.done} of ${running.total ?? 'some'} resources are done`
  return fhirError('transient', `The search index is being made anew${far}. Try again soon.`)
}

/** Milliseconds between two looks at the epoch, between two comparisons with the store, of one piece of work, and after a failure. */
const TIMES = { look: 2000, compare: 30_000, step: 2000, failed: 5000 }

/** Does all that there is to do for the index, and waits for what another server does. */
export async function finishIndexing(ctx: Indexed): Promise<void> {
  for (;;) {
    const stepped = await buildStep(ctx, ctx.live, { ms: Number.POSITIVE_INFINITY })
    if (stepped === 'idle') return
    if (stepped === 'elsewhere') await new Promise(resolve => setTimeout(resolve, WAIT_MS))
  }
}

/** Does a piece of what there is to do for the index, where nothing runs between requests. A failure is logged. */
export async function indexAStep(ctx: Indexed, budget: Budget): Promise<void> {
  try {
    await ctx.live.reconcile(TIMES.compare)
    await buildStep(ctx, ctx.live, budget)
  } catch (error) {
    complain(ctx, error)
  }
}

const complain = (ctx: Context, error: unknown): void =>
  ctx.log.warn('the index cannot be kept up to date at the moment', { error: (error as Error).name })

/** Keeps the index at work in the background. Returns what ends that, after the page at hand. */
export function keepIndexing(ctx: Indexed, times = TIMES): () => Promise<void> {
  const { live } = ctx
  let stopped = false
  let wake = (): void => {}
  let woken = false
  let complained = false
  live.onChange(() => {
    woken = true
    wake()
  })
  const pause = (ms: number): Promise<void> =>
    new Promise(resolve => {
      if (stopped) return resolve()
      const timer = setTimeout(resolve, ms)
      ;(timer as { unref?(): void }).unref?.()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const work = async (): Promise<void> => {
    while (!stopped) {
      try {
        woken = false
        await live.reconcile(times.compare)
        const budget = { ms: times.step, gentle: true, stopping: () => stopped }
        const stepped = await buildStep(ctx, live, budget)
        complained = false
        if (stepped !== 'more' && !woken) await pause(times.look)
      } catch (error) {
        if (!complained && !stopped) complain(ctx, error)
        complained = true
        await pause(times.failed)
      }
    }
  }
  const ended = work()
  return () => {
    stopped = true
    wake()
    return ended
  }
}
