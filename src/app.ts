/** The application: every route of the server. Dependencies are arguments; each entry (`node.ts`, `worker.ts`) makes its own. */
import { Hono } from 'hono'
import { createConsole } from './console/routes.ts'
import type { Context } from './context.ts'
import { createCallbackHandler } from './facades/care-uhi/callback.ts'
import { CALLBACK } from './facades/care-uhi/first.ts'
import { createCareUhi } from './facades/care-uhi/routes.ts'
import { createOpenCare } from './facades/opencare/routes.ts'
import { fhirError } from './fhir/error.ts'
import { createEdge } from './http/edge.ts'
import type { AppDeps, Env, Handler } from './http/exchange.ts'
import { createFhirRoutes } from './http/fhir-routes.ts'
import { createOnError } from './http/on-error.ts'
import { createOperationRoute, isOperation } from './http/operation-routes.ts'
import { createPages } from './http/pages.ts'
import { createSend, sendError } from './http/respond.ts'
import type { Channel } from './notifications/channel.ts'
import { createDeliver, type DeliverOptions } from './notifications/deliver.ts'
import type { Handlers } from './notifications/dispatch.ts'
import { MESSAGE_JOB } from './notifications/message.ts'
import { createMessageRule } from './notifications/message-rule.ts'
import type { Templates } from './notifications/template.ts'
import { TEMPLATES } from './notifications/templates.ts'
import { bookingRule } from './scheduling/booking-rule.ts'
import { responseRule } from './scheduling/response-rule.ts'
import { tokenRule } from './scheduling/token-rule.ts'
import { waitlistRule } from './scheduling/waitlist-rule.ts'
import { createUhiDeliver } from './uhi/deliver.ts'
import { UHI_JOB } from './uhi/job.ts'
import { uhiMessageRule } from './uhi/message-rule.ts'
import { FORGET_JOB, forgetMessage } from './uhi/once.ts'
import { uhiOrderRule } from './uhi/order-rule.ts'
import { createUhi } from './uhi/routes.ts'

type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What stands in a compartment: a type or `*`. Operations and `_history` begin otherwise. */
const INSIDE = ':inside{[^$_/][^/]*}'

/**
 * Returns the context under what holds for every write, whichever door it comes by; each rule sees what those before it have added.
 */
export const underRules = (
  ctx: Context,
  channels: readonly Channel[] = [],
  templates: Templates = TEMPLATES,
): Context => ({
  ...ctx,
  rules: [
    ...(ctx.settings.uhi.enabled ? [uhiOrderRule] : []),
    responseRule,
    bookingRule,
    waitlistRule,
    tokenRule,
    createMessageRule(channels, templates),
    ...(ctx.settings.uhi.enabled ? [uhiMessageRule] : []),
  ],
})

/** Returns who does what commits leave to be done after them, by the kind of job. The context that they are given is under the rules. */
export const jobHandlers = (
  channels: readonly Channel[],
  options?: DeliverOptions,
  resolve?: AppDeps['resolve'],
): Handlers => ({
  [MESSAGE_JOB]: createDeliver(channels, options),
  [CALLBACK]: createCallbackHandler(resolve),
  [UHI_JOB]: createUhiDeliver({ random: options?.random ?? Math.random, resolve }),
  [FORGET_JOB]: forgetMessage,
})

/** Returns the application. FHIR is served under the path of the base URL. */
export function createApp(given: AppDeps): Hono<Env> {
  const deps = { ...given, ctx: underRules(given.ctx, given.channels, given.templates) }
  const send = createSend(deps)
  const onError = createOnError(send, deps.ctx.log)
  const fhir = createFhirRoutes(send)
  const pages = createPages(deps, send)
  const base = new URL(deps.ctx.settings.baseUrl).pathname.replace(/\/$/, '')
  const operation = createOperationRoute(send, base)

  const routes: Record<string, Partial<Record<Verb, Handler>>> = {
    ...(base !== '' && { '/': { GET: pages.root } }),
    '/healthz': { GET: pages.live },
    '/readyz': { GET: pages.ready },
    '/metrics': { GET: pages.metrics },
    [base || '/']: { GET: fhir.search, POST: fhir.bundle },
    [`${base}/metadata`]: { GET: fhir.capabilities },
    [`${base}/_search`]: { POST: fhir.searchByPost },
    [`${base}/_history`]: { GET: fhir.history },
    [`${base}/:type`]: {
      GET: fhir.search,
      POST: fhir.create,
      PUT: fhir.conditionalUpdate,
      PATCH: fhir.conditionalPatch,
      DELETE: fhir.conditionalDelete,
    },
    [`${base}/:type/_search`]: { POST: fhir.searchByPost },
    [`${base}/:type/_history`]: { GET: fhir.history },
    [`${base}/:type/:id`]: { GET: fhir.read, PUT: fhir.update, PATCH: fhir.patch, DELETE: fhir.delete },
    [`${base}/:type/:id/_history`]: { GET: fhir.history },
    [`${base}/:type/:id/${INSIDE}`]: { GET: fhir.search },
    [`${base}/:type/:id/${INSIDE}/_search`]: { POST: fhir.searchByPost },
    [`${base}/:type/:id/_history/:version`]: { GET: fhir.vread },
  }

  const app = new Hono<Env>({ strict: false })
  app.use('*', createEdge(deps, onError))
  const { careUhi, uhi, openCare } = deps.ctx.settings
  if (careUhi.enabled) app.route('/uhi', createCareUhi(deps))
  if (uhi.enabled) app.route('/hspa', createUhi(deps))
  if (openCare.enabled) app.route('/api/v1', createOpenCare(deps))
  app.route('/console', createConsole(deps))
  for (const [path, handlers] of Object.entries(routes)) {
    // An operation stands where a type or an id does: `Patient/$everything`.
    for (const [verb, handler] of Object.entries(handlers))
      app.on(
        verb,
        path,
        path.includes('/:') ? c => (isOperation(c.req.path) ? operation : handler)(c) : handler,
      )
    const allow = Object.keys(handlers).flatMap(verb => (verb === 'GET' ? ['GET', 'HEAD'] : [verb]))
    const Allow = [...allow, 'OPTIONS'].join(', ')
    app.all(path, c => {
      if (isOperation(c.req.path)) return operation(c)
      if (c.req.raw.method === 'OPTIONS') return send(c, 204, null, { Allow })
      const error = fhirError('not-supported', `Here are allowed: ${Allow}.`, { status: 405 })
      return sendError(send, c, error, { Allow })
    })
  }
  app.notFound(c => {
    if (isOperation(c.req.path)) return operation(c)
    return sendError(send, c, fhirError('not-found', 'There is nothing at this address.'))
  })
  app.onError((error, c) => onError(error, c))
  return app
}
