/** The server on Cloudflare Workers: the same application on D1. https://developers.cloudflare.com/d1/worker-api/ */
import type { D1Database, ExecutionContext, ScheduledController } from '@cloudflare/workers-types'
import harfbuzz from 'harfbuzzjs/dist/harfbuzz.wasm'
import pkg from '../package.json' with { type: 'json' }
import { createApp, jobHandlers, underRules } from './app.ts'
import { bringIndexUpToDate, type Indexed, indexAStep } from './cli/index-update.ts'
import { isLoopback } from './config/table.ts'
import { readConfig, settingsOf } from './config.ts'
import { systemContext } from './context.ts'
import { FhirError, fhirError } from './fhir/error.ts'
import { outcomeText } from './fhir/outcome.ts'
import { createMetrics } from './http/metrics.ts'
import { FHIR_JSON_UTF8 } from './http/negotiate.ts'
import { faultOf } from './lib/fault.ts'
import { jsonLog } from './lib/json-log.ts'
import type { Channel } from './notifications/channel.ts'
import { channelsOf } from './notifications/channels/configured.ts'
import { dispatch, dispatchOptions } from './notifications/dispatch.ts'
import { tick } from './notifications/tick.ts'
import { d1Storage } from './storage/sqlite/d1.ts'

interface Bindings {
  DB: D1Database
  [setting: string]: unknown
}

interface App {
  app: ReturnType<typeof createApp>
  ctx: Indexed
  channels: readonly Channel[]
  /** A commit has left work since it was looked at last. */
  left: boolean
  /** When the index was looked after last, ms since 1970. */
  tended: number
}

/** One application per base URL; an isolate sees one, in development perhaps two names of this machine. */
const apps = new Map<string, Promise<App>>()

export default {
  async fetch(request: Request, bindings: Bindings, execution: ExecutionContext): Promise<Response> {
    const { hostname, origin } = new URL(request.url)
    if (!isLoopback(hostname.replace(/^\[(.*)\]$/, '$1')))
      return refuse('Without sign-in (NADI_AUTH, not built yet) this server answers on localhost only.')
    try {
      const starting = apps.get(origin) ?? start(origin, bindings)
      if (apps.size < 8) apps.set(origin, starting)
      const one = await starting
      const answer = await one.app.fetch(request, bindings)
      tend(one, execution)
      if (one.left) execution.waitUntil(deliver(one))
      return answer
    } catch (error) {
      // The next request tries again: the database may not have been there yet.
      apps.delete(origin)
      // An index that is made anew is made by many requests, each a piece of it.
      if (error instanceof FhirError) return refuse(error.message)
      console.error(error)
      return refuse('The server cannot start: its log says why.')
    }
  },
  /** Cron trigger: what is due by now. https://developers.cloudflare.com/workers/runtime-apis/handlers/scheduled/ */
  async scheduled(_event: ScheduledController, bindings: Bindings): Promise<void> {
    // Any address does: an isolate that has served requests knows one.
    const [known] = apps.values()
    const one = await (known ?? start(UNASKED, bindings))
    await tick(underRules(one.ctx, one.channels), one.ctx.clock())
    await deliver(one)
  },
}

/** Where the server is taken to be while nobody has asked it, and no setting says so. */
const UNASKED = 'http://127.0.0.1:8787'

/** Rounds of deliveries after one request or trigger; the rest is left to the next trigger. */
const ROUNDS = 20

/** Delivers what is due. A failure is logged: the next trigger tries again. */
async function deliver(one: App): Promise<void> {
  one.left = false
  const ctx = underRules(one.ctx, one.channels)
  try {
    const options = dispatchOptions(ctx)
    for (let round = 0; round < ROUNDS; round++) {
      const { taken } = await dispatch(ctx, jobHandlers(one.channels), options)
      if (taken < options.parallel) return
    }
  } catch (error) {
    ctx.log.warn('the outbox cannot be reached at the moment', { error: faultOf(error) })
  }
}

/** Milliseconds between two looks at the index, and what one request does of it after its answer. */
const TEND_MS = 2000
const STEP = { ms: 5000, pages: 10 }

function tend(one: App, execution: ExecutionContext): void {
  if (Date.now() - one.tended < TEND_MS) return
  one.tended = Date.now()
  execution.waitUntil(indexAStep(one.ctx, STEP))
}

async function start(origin: string, bindings: Bindings): Promise<App> {
  const vars = Object.entries(bindings).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  const config = readConfig(Object.fromEntries(vars))
  const settings = settingsOf({ ...config, baseUrl: config.baseUrl ?? `${origin}/fhir` }, 0)
  const log = jsonLog(config.log, Date.now, line => console.log(line.trimEnd()))
  const storage = d1Storage(bindings.DB, { clock: Date.now })
  const bare = {
    ...systemContext({ storage, settings, log, version: pkg.version }),
    harfbuzz: () => Promise.resolve(harfbuzz),
  }
  const indexed = await bringIndexUpToDate(bare, config.baseUrl ?? '', STEP)
  const channels = channelsOf(settings.notifications, { log, clock: Date.now })
  const ctx = {
    ...indexed,
    announce: () => {
      one.left = true
    },
  }
  const app = createApp({
    ctx,
    metrics: createMetrics(pkg.version),
    urlLimit: config.limits.url,
    channels,
    addressOf: request => request.headers.get('cf-connecting-ip') ?? '',
  })
  const one: App = { app, ctx, channels, left: false, tended: Date.now() }
  return one
}

const refuse = (diagnostics: string): Response =>
  new Response(outcomeText(fhirError('transient', diagnostics)), {
    status: 503,
    headers: { 'Content-Type': FHIR_JSON_UTF8, 'Cache-Control': 'no-store' },
  })
