/** The application in this process, on SQLite in memory, with a clock that stands and a log that is kept. */
import { createApp } from '../../src/app.ts'
import { compress } from '../../src/cli/http-server.ts'
import type { Context } from '../../src/context.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { jsonLog } from '../../src/lib/json-log.ts'
import { uuid7 } from '../../src/lib/uuid7.ts'
import { createRegistry } from '../../src/search/registry.ts'
import type { Storage } from '../../src/storage/port.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { testSettings } from '../settings.ts'

/** Sat, 21 Nov 2026 05:00:00 GMT. */
export const NOW = Date.UTC(2026, 10, 21, 5)

export interface TestApp {
  ctx: Context
  lines: string[]
  /** Requests come from a trusted proxy. */
  viaProxy: boolean
  ask(
    method: string,
    path: string,
    init?: { body?: BodyInit; headers?: Record<string, string> },
  ): Promise<Response>
  close(): Promise<void>
}

/** `broken`: methods of the storage that are replaced, to see what becomes of errors. */
export async function testApp(broken: Partial<Storage> = {}): Promise<TestApp> {
  const lines: string[] = []
  const log = jsonLog(
    'info',
    () => NOW,
    line => lines.push(line),
  )
  const storage = await openSqlite({ path: ':memory:', sync: 'full', clock: () => NOW, log })
  const ctx: Context = {
    storage: { ...storage, ...broken },
    settings: testSettings({ limits: { body: 1_000_000, entries: 50, pageMax: 100, searchMs: 5000 } }),
    registry: createRegistry(),
    principal: { id: 'system' },
    clock: () => NOW,
    tick: () => performance.now(),
    newId: uuid7(
      () => NOW,
      bytes => crypto.getRandomValues(bytes),
    ),
    log,
    version: '0.0.0',
  }
  const test: TestApp = {
    ctx,
    lines,
    viaProxy: false,
    ask: async (method, path, { body, headers = {} } = {}) => {
      const length: Record<string, string> =
        typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
      const all = { host: '127.0.0.1:8080', ...length, ...headers }
      const init = { method, headers: all, body: body ?? null, duplex: 'half' }
      return app.request(`http://127.0.0.1:8080${path}`, init as RequestInit)
    },
    close: () => storage.close(),
  }
  const app = createApp({
    ctx,
    metrics: createMetrics('0.0.0'),
    urlLimit: 8192,
    compress,
    fromTrustedProxy: () => test.viaProxy,
  })
  return test
}
