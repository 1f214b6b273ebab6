/** The application in this process on a storage given, asked as a client asks. */
import { createApp } from '../../src/app.ts'
import { compress } from '../../src/cli/http-server.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { jsonLog } from '../../src/lib/json-log.ts'
import { uuid7 } from '../../src/lib/uuid7.ts'
import { createRegistry } from '../../src/search/registry.ts'
import type { Storage } from '../../src/storage/port.ts'
import { testSettings } from '../settings.ts'
import { CASE_BASE, CASE_ZONE } from './cases.ts'

export interface Asked {
  status: number
  /** What the answer holds as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: read field by field in assertions
  body: any
  text: string
}

export interface SearchApp {
  /** `path` is a whole URL, or what follows the base: `Patient?name=x`. */
  ask(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Asked>
  /** Lines of the log that are warnings or errors. */
  lines: string[]
}

const registry = createRegistry()

/** `searchMs`: how long a search may take. */
export function appOn(storage: Storage, clock: () => number, searchMs: number): SearchApp {
  const lines: string[] = []
  const log = jsonLog('warn', clock, line => lines.push(line))
  const app = createApp({
    ctx: {
      storage,
      settings: testSettings({
        baseUrl: CASE_BASE,
        zone: CASE_ZONE,
        validate: 'off',
        limits: { body: 4_000_000, entries: 1000, searchMs, slowMs: searchMs },
      }),
      registry,
      principal: { id: 'system' },
      clock,
      tick: () => performance.now(),
      newId: uuid7(clock, bytes => crypto.getRandomValues(bytes)),
      log,
      version: '0.0.0',
    },
    metrics: createMetrics('0.0.0'),
    urlLimit: 8192,
    compress,
    fromTrustedProxy: () => false,
  })
  const { origin } = new URL(CASE_BASE)
  return {
    lines,
    async ask(method, path, body, headers = {}) {
      const length: Record<string, string> =
        body === undefined
          ? {}
          : { 'content-length': String(Buffer.byteLength(body)), 'content-type': 'application/fhir+json' }
      const url = path.startsWith(origin) ? path : `${CASE_BASE}/${path}`
      const response = await app.request(url, {
        method,
        headers: { host: new URL(CASE_BASE).host, ...length, ...headers },
        body: body ?? null,
      })
      const text = await response.text()
      let tree: unknown
      try {
        tree = JSON.parse(text)
      } catch {
        tree = undefined
      }
      return { status: response.status, body: tree, text }
    },
  }
}
