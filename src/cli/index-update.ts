/**
 * Makes the index anew where it was made under other rules: another format, folding, zone or base URL (`search/index-fingerprint.ts`).
 * Each index epoch has its fingerprint; an epoch above 0 is whole when its counter stands at 1. What an instance of an older epoch
 * commits meanwhile is refused by storage, so no row of old rules slips in.
 */
import type { Context } from '../context.ts'
import { indexRowsOfText } from '../interactions/indexer.ts'
import { fingerprintName, indexFingerprint, wholeName } from '../search/index-fingerprint.ts'
import type { IndexRow } from '../search/index-row.ts'
import { createRegistry } from '../search/registry.ts'
import { type Cursor, type Stored, typeOf } from '../storage/port.ts'

const PAGE = 100
/** Milliseconds that an instance has for a page before another may take over. */
const LEASE_MS = 60_000
const WAIT_MS = 500
const LOG_EVERY = 10_000

/**
 * Returns a context whose registry has the index epoch in force, after the index is whole. `baseUrl` is the one that was set, '' where
 * it is made of the address: two servers on one store may listen on different ports.
 */
export async function bringIndexUpToDate(ctx: Context, baseUrl: string): Promise<Context> {
  const { storage, settings } = ctx
  const fingerprint = indexFingerprint({ ...settings, baseUrl })
  const owner = ctx.newId()
  let held = false
  let waiting = false
  for (;;) {
    const epoch = await storage.epoch()
    const had = await storage.keep(fingerprintName(epoch), fingerprint)
    const whole = epoch === 0 || (await storage.counter(wholeName(epoch))) > 0
    const under = { ...ctx, registry: createRegistry([], epoch) }
    if (had === fingerprint && whole) {
      // Run out at once: whoever starts next under other settings need not wait for it.
      if (held) await storage.lease('index', owner, 0)
      return under
    }
    held = (await storage.lease('index', owner, LEASE_MS)) !== undefined
    if (!held) {
      if (!waiting) ctx.log.info('another server makes the index; waiting for it')
      waiting = true
      await new Promise(resolve => setTimeout(resolve, WAIT_MS))
    } else if (had === fingerprint) {
      await reindexAll(under, owner)
      await markWhole(under)
    } else {
      ctx.log.info('the index is made anew', { from: had, to: fingerprint })
      if (await storage.raiseEpoch(epoch + 1)) await storage.keep(fingerprintName(epoch + 1), fingerprint)
    }
  }
}

async function reindexAll(ctx: Context, owner: string): Promise<void> {
  const { storage, registry, log } = ctx
  let after: Cursor | undefined
  let done = 0
  for (;;) {
    const page = await storage.scan(after, PAGE)
    const rows = page.rows.map(stored => ({
      key: stored.key,
      version: stored.version,
      index: rowsOf(ctx, stored),
    }))
    // What has moved on meanwhile was indexed by whoever wrote it.
    if (rows.length > 0) await storage.reindex(rows, registry.epoch)
    done += rows.length
    if (done % LOG_EVERY < PAGE || !page.more) log.info('indexing', { done })
    if (!page.more || page.last === undefined) return
    after = page.last
    await storage.lease('index', owner, LEASE_MS)
  }
}

function rowsOf(ctx: Context, stored: Stored): IndexRow[] {
  try {
    return indexRowsOfText(ctx, stored.text)
  } catch (error) {
    // Stored without validation: it can be read, but not found.
    ctx.log.warn('a resource cannot be indexed', { type: typeOf(stored.key), error: (error as Error).name })
    return []
  }
}

async function markWhole({ storage, registry, newId, clock }: Context): Promise<void> {
  const { epoch } = registry
  const counter = { is: 'counter', name: wholeName(epoch), seen: 0, next: 1 } as const
  await storage.commit({ id: newId(), at: clock(), epoch, changes: [], require: [counter], outbox: [] })
}
