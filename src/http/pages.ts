/** The routes beside FHIR: what a person or a watchman asks first. */
import { fhirError } from '../fhir/error.ts'
import type { AppDeps, Handler } from './exchange.ts'
import type { Send } from './respond.ts'

/** Milliseconds that the storage gets to answer /readyz. */
const READY_MS = 2000

/** Returns the handlers of /, /healthz, /readyz and /metrics. */
export function createPages(
  deps: AppDeps,
  send: Send,
): Record<'root' | 'live' | 'ready' | 'metrics', Handler> {
  const { ctx } = deps
  const plain = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }

  return {
    root: c => {
      const { baseUrl } = c.get('exchange').ctx.settings
      const text = {
        name: 'Nadi',
        version: ctx.version,
        fhirVersion: '4.0.1',
        fhir: baseUrl,
        capabilities: `${baseUrl}/metadata`,
        documentation: 'docs/ in the source; docs/configuration.md lists the settings',
        health: ['/healthz', '/readyz', '/metrics'],
      }
      return send(c, 200, `${JSON.stringify(text, null, 2)}\n`, plain)
    },

    live: c => send(c, 200, '{"status":"live"}\n', plain),

    ready: async c => {
      c.get('exchange').interaction = 'ready'
      await withinTime(ctx.storage.ping())
      return send(c, 200, '{"status":"ready"}\n', plain)
    },

    metrics: async c => {
      c.get('exchange').interaction = 'metrics'
      const stored = await withinTime(ctx.storage.gauges())
      return send(c, 200, deps.metrics.text({ ...deps.gauges?.(), ...stored }), {
        'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
        'Cache-Control': 'no-store',
      })
    },
  }
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${READY_MS} ms`)), READY_MS)
  })
  try {
    return await Promise.race([work, late])
  } catch (cause) {
    throw fhirError('transient', 'The storage does not answer.', { cause })
  } finally {
    clearTimeout(timer)
  }
}
