/** What happens to every request: its id, the checks before all routes, its figures and its log line. One function, as each costs. */
import type { MiddlewareHandler } from 'hono'
import { fhirError } from '../fhir/error.ts'
import type { AppDeps, Env } from './exchange.ts'
import type { OnError } from './on-error.ts'
import { createOriginCheck, forwarded, forwardedBase } from './origin.ts'

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** Returns the outermost middleware. A client's X-Request-Id is kept where it is harmless in a log, and replaced otherwise. */
export function createEdge(deps: AppDeps, onError: OnError): MiddlewareHandler<Env> {
  const { ctx, metrics } = deps
  const { log } = ctx
  const checkOrigin = createOriginCheck(ctx.settings.baseUrl)
  let current = ctx
  /** The context with the search parameters in force. */
  const now = () => {
    const registry = ctx.live?.registry() ?? ctx.registry
    if (registry !== current.registry) current = { ...ctx, registry }
    return current
  }

  return async (c, next) => {
    const start = performance.now()
    const { headers, method, url } = c.req.raw
    const sent = headers.get('x-request-id')
    const exchange = {
      id: sent !== null && REQUEST_ID.test(sent) ? sent : ctx.newId(),
      interaction: 'none',
      type: '',
      ctx: now(),
    }
    c.set('exchange', exchange)
    metrics.inFlight++
    try {
      const via = deps.fromTrustedProxy?.(c.env) ? forwarded(headers) : undefined
      checkOrigin(method, headers, via)
      if (via !== undefined)
        exchange.ctx = {
          ...exchange.ctx,
          settings: { ...ctx.settings, baseUrl: forwardedBase(ctx.settings.baseUrl, via) },
        }
      if (url.length > deps.urlLimit)
        throw fhirError(
          'too-long',
          `The URL is longer than ${deps.urlLimit} characters; POST to _search takes long searches.`,
        )
      await next()
    } catch (error) {
      c.res = await onError(error, c)
    }
    metrics.inFlight--
    const ms = performance.now() - start
    const { status } = c.res
    metrics.count(exchange.interaction, exchange.type, status, ms / 1000)
    log.info('request', {
      id: exchange.id,
      method,
      interaction: exchange.interaction,
      type: exchange.type,
      status,
      ms: Math.round(ms * 100) / 100,
    })
  }
}
