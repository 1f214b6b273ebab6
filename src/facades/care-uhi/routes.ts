/**
 * The appointment API of the Care UHI plugin over FHIR, in both of its generations. docs/care-uhi.md describes it.
 *
 * It has no sign-in: it runs as a principal of its own that may do little, under a rate limit, and under a key where one is set.
 */
import { Hono, type Handler as HonoHandler } from 'hono'
import type { Context } from '../../context.ts'
import type { Json } from '../../fhir/json.ts'
import { readJson } from '../../http/body.ts'
import type { AppDeps, C, Env } from '../../http/exchange.ts'
import { createRateLimit } from '../../http/rate-limit.ts'
import { faultOf } from '../../lib/fault.ts'
import { availability } from './availability.ts'
import { directory } from './catalog.ts'
import { emergency } from './emergency.ts'
import { answerFirst } from './first.ts'
import { type Action, generationOf, memberOf } from './generation.ts'
import { createKeyCheck } from './key.ts'
import { said } from './message.ts'
import { CARE_UHI } from './names.ts'
import { Refusal, refusalOf } from './refusal.ts'
import { answerThird, type ThirdAction } from './third.ts'

/** The largest body, bytes: the longest of the contract has two. */
const LARGEST = 200_000

/** Returns the routes below `/uhi`. */
export function createCareUhi(deps: AppDeps): Hono<Env> {
  const { careUhi } = deps.ctx.settings
  const mayAsk = createRateLimit(careUhi.rate, careUhi.rateAll)
  const checkKey = createKeyCheck(careUhi.key)
  const rules = { allowPrivate: careUhi.privateCallbacks, resolve: deps.resolve }

  /** Answers with what `act` returns, or with the contract's error. */
  const call =
    (name: string, act: (ctx: Context, c: C) => Promise<Response>): HonoHandler<Env> =>
    async c => {
      const exchange = c.get('exchange')
      exchange.interaction = `care-uhi ${name}`
      try {
        if (!mayAsk(deps.addressOf?.(c.req.raw, c.env) ?? '', deps.ctx.clock()))
          throw new Refusal(429, 'Too many requests')
        await checkKey(c.req.raw.headers.get('x-api-key'))
        return await act({ ...exchange.ctx, principal: CARE_UHI }, c)
      } catch (error) {
        const refusal = refusalOf(error)
        if (!(refusal instanceof Refusal)) throw error
        return answer(c, refusal.status, { error: refusal.message })
      }
    }
  const bodyOf = (c: C): Promise<Json> => {
    const { limits } = deps.ctx.settings
    return readJson(c.req.raw, { ...limits, body: Math.min(limits.body, LARGEST) })
  }

  /** A path that both generations share. */
  const shared = (action: Action, third: (ctx: Context, body: Json) => Promise<object>) =>
    call(action, async (ctx, c) => {
      const body = await bodyOf(c)
      if (generationOf(action, body) === 'third') return answer(c, 200, await third(ctx, body))
      const result = await answerFirst(ctx, rules, action, body)
      return answer(c, result.status, result.body)
    })
  const third = (action: ThirdAction) => (ctx: Context, body: Json) => answerThird(ctx, action, body)
  const search = async (ctx: Context, body: Json) =>
    directory(ctx, said(memberOf(body, 'message'), 'provider_id'))
  const never = () => Promise.reject(new Refusal(404, 'Not found'))

  const routes: Record<string, Partial<Record<'GET' | 'POST', HonoHandler<Env>>>> = {
    '/health': {
      GET: c => c.text('OK', 200, { 'X-Request-Id': c.get('exchange').id, 'Cache-Control': 'no-store' }),
    },
    '/appointment/search': {
      GET: call('search', async (ctx, c) => {
        const id = new URL(c.req.url).searchParams.get('provider_id')
        return answer(c, 200, await directory(ctx, id === null || id === '' ? undefined : id))
      }),
      POST: shared('search', search),
    },
    '/appointment/select': { POST: shared('select', third('select')) },
    '/appointment/init': { POST: shared('init', never) },
    '/appointment/confirm': { POST: shared('confirm', third('confirm')) },
    '/appointment/status': { POST: shared('status', third('status')) },
    '/appointment/cancel': { POST: shared('cancel', third('cancel')) },
    '/appointment/reschedule': {
      POST: call('reschedule', async (ctx, c) =>
        answer(c, 200, await answerThird(ctx, 'reschedule', await bodyOf(c))),
      ),
    },
    '/service_availability': {
      POST: call('service_availability', async (ctx, c) =>
        answer(c, 200, await availability(ctx, await bodyOf(c))),
      ),
    },
    '/emergency_request': {
      POST: call('emergency_request', async (ctx, c) =>
        answer(c, 200, await emergency(ctx, await bodyOf(c))),
      ),
    },
  }

  const app = new Hono<Env>({ strict: false })
  for (const [path, handlers] of Object.entries(routes)) {
    for (const [verb, handler] of Object.entries(handlers)) app.on(verb, path, handler)
    const Allow = Object.keys(handlers).join(', ')
    app.all(path, c => answer(c, 405, { error: `Here are allowed: ${Allow}` }, { Allow }))
  }
  app.all('*', c => answer(c, 404, { error: 'Not found' }))
  app.onError((error, c) => {
    deps.ctx.log.error('request failed', { id: c.get('exchange').id, error: faultOf(error) })
    return answer(c, 500, { error: 'The server met an unexpected error.' })
  })
  return app
}

const answer = (c: C, status: number, body: object, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': c.get('exchange').id,
      ...(status === 429 && { 'Retry-After': '5' }),
      ...headers,
    },
  })
