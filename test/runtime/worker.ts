/** The Worker in workerd with a migrated D1 database, for tests. One at a time: several would not fit into a small machine. */
import { fileURLToPath } from 'node:url'
import { createTestHarness } from 'wrangler'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface RunningWorker {
  /** `http://127.0.0.1:PORT/fhir`, reached over a socket like any server. */
  base: string
  /** Sends a request under any URL; the Worker sees its host. */
  fetch(url: string, init?: RequestInit): Promise<Response>
  /** Sends the event of a cron trigger. */
  tick(): Promise<void>
  stop(): Promise<void>
}

export interface WorkerOptions {
  /** Settings, over those of wrangler.toml. */
  vars?: Record<string, string>
}

/** Starts the Worker of wrangler.toml, offline, with an empty database and a silent log unless `vars` says otherwise. */
export async function startWorker(options: WorkerOptions = {}): Promise<RunningWorker> {
  // wrangler reads these when it starts, and would otherwise ask the network.
  Object.assign(process.env, {
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_WRITE_LOGS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  })
  const harness = createTestHarness({
    root: ROOT,
    workers: [{ configPath: './wrangler.toml', vars: { NADI_LOG: 'silent', ...options.vars } }],
  })
  const { url } = await harness.listen()
  const worker = harness.getWorker<{ DB: never }>()
  await worker.applyD1Migrations('DB')
  return {
    base: `http://127.0.0.1:${url.port}/fhir`,
    fetch: (target, init) => harness.fetch(target, init as never) as unknown as Promise<Response>,
    tick: async () => {
      await worker.scheduled({ cron: '* * * * *', scheduledTime: new Date() })
    },
    stop: () => harness.close(),
  }
}
