/** The server on Cloudflare Workers: the same application on D1. https://developers.cloudflare.com/d1/worker-api/ */
import type { D1Database } from '@cloudflare/workers-types'
import pkg from '../package.json' with { type: 'json' }
import { createApp } from './app.ts'
import { bringIndexUpToDate } from './cli/index-update.ts'
import { isLoopback } from './config/table.ts'
import { readConfig, settingsOf } from './config.ts'
import { systemContext } from './context.ts'
import { fhirError } from './fhir/error.ts'
import { outcomeText } from './fhir/outcome.ts'
import { createMetrics } from './http/metrics.ts'
import { FHIR_JSON_UTF8 } from './http/negotiate.ts'
import { jsonLog } from './lib/json-log.ts'
import { d1Storage } from './storage/sqlite/d1.ts'

interface Bindings {
  DB: D1Database
  [setting: string]: unknown
}

type App = ReturnType<typeof createApp>

/** One application per base URL; an isolate sees one, in development perhaps two names of this machine. */
const apps = new Map<string, Promise<App>>()

export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    const { hostname, origin } = new URL(request.url)
    if (!isLoopback(hostname.replace(/^\[(.*)\]$/, '$1')))
      return refuse('Without sign-in (NADI_AUTH, not built yet) this server answers on localhost only.')
    try {
      const app = apps.get(origin) ?? start(origin, bindings)
      if (apps.size < 8) apps.set(origin, app)
      return await (await app).fetch(request, bindings)
    } catch (error) {
      // The next request tries again: the database may not have been there yet.
      apps.delete(origin)
      console.error(error)
      return refuse('The server cannot start: its log says why.')
    }
  },
}

async function start(origin: string, bindings: Bindings): Promise<App> {
  const vars = Object.entries(bindings).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  const config = readConfig(Object.fromEntries(vars))
  const settings = settingsOf({ ...config, baseUrl: config.baseUrl ?? `${origin}/fhir` }, 0)
  const log = jsonLog(config.log, Date.now, line => console.log(line.trimEnd()))
  const storage = d1Storage(bindings.DB, { clock: Date.now })
  const ctx = systemContext({ storage, settings, log, version: pkg.version })
  return createApp({
    ctx: await bringIndexUpToDate(ctx, config.baseUrl ?? ''),
    metrics: createMetrics(pkg.version),
    urlLimit: config.limits.url,
  })
}

const refuse = (diagnostics: string): Response =>
  new Response(outcomeText(fhirError('transient', diagnostics)), {
    status: 503,
    headers: { 'Content-Type': FHIR_JSON_UTF8, 'Cache-Control': 'no-store' },
  })
