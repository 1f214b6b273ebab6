/**
 * UHI as a provider platform (HSPA): every action is answered at once with ACK or NACK, its result goes out as `on_*`.
 * docs/uhi.md
 */
import { Hono } from 'hono'
import { FhirError } from '../fhir/error.ts'
import { readBody } from '../http/body.ts'
import type { AppDeps, C, Env } from '../http/exchange.ts'
import { createRateLimit } from '../http/rate-limit.ts'
import { faultOf } from '../lib/fault.ts'
import type { Action } from './act.ts'
import { cancel } from './actions/cancel.ts'
import { confirm } from './actions/confirm.ts'
import { init } from './actions/init.ts'
import { onMessage } from './actions/on-message.ts'
import { onUpdate } from './actions/on-update.ts'
import { search } from './actions/search.ts'
import { status } from './actions/status.ts'
import { admit, type Gate } from './admit.ts'
import { errorBody, refusalOf, UhiError } from './error.ts'
import { isSigned, recordReport } from './payment.ts'
import { UHI_PRINCIPAL } from './principal.ts'
import { createLookup } from './registry.ts'
import { selfOf } from './self.ts'

const ACTIONS: Readonly<Record<string, Action>> = {
  search,
  init,
  confirm,
  status,
  cancel,
  on_update: onUpdate,
  on_message: onMessage,
}

/** The largest message: a chat may bring a photograph. */
const MOST = 3_000_000
const MOST_REPORT = 16_384

/** Returns the routes below `/hspa`. */
export function createUhi({ ctx: bare, resolve, addressOf }: AppDeps): Hono<Env> {
  const app = new Hono<Env>({ strict: false })
  const { settings, clock } = bare
  const self = selfOf(settings)
  if (self === undefined) {
    bare.log.error(
      'UHI is on, but its subscriber id, key id or private key is missing: nothing is served at /hspa',
    )
    app.all('*', c => answer(c, new UhiError('UHI-1407', '/', 'THE HSPA IS NOT SET UP')))
    return app
  }
  const { expiresS, timeoutMs, rate, rateAll } = settings.uhi
  const limited = createRateLimit(rate, rateAll)
  const mayAsk = (c: C): boolean => limited(addressOf?.(c.req.raw, c.env) ?? '', clock())
  const sending = { clock, signer: self.signer, expiresS, timeoutMs }
  const lookup = createLookup(sending, self.registry)
  const gate: Gate = { settings, self, lookup, resolve, clock }

  for (const [name, action] of Object.entries(ACTIONS))
    app.post(`/${name}`, async c => {
      const exchange = c.get('exchange')
      exchange.interaction = `uhi ${name}`
      if (!mayAsk(c)) return answer(c, new UhiError('UHI-1407', '/', 'TOO MANY REQUESTS, TRY AGAIN'), 429)
      try {
        const limit = Math.min(MOST, settings.limits.body)
        const body = await readBody(c.req.raw, limit)
        const admitted = await admit(gate, name, c.req.raw.headers, body)
        const ctx = { ...exchange.ctx, settings, principal: UHI_PRINCIPAL }
        await action({ ctx, self, admitted })
        return answer(c, undefined)
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal === undefined)
          bare.log.error('unexpected error', { id: exchange.id, error: faultOf(error) })
        return answer(c, refusal ?? new UhiError('UHI-1407', '/', 'INTERNAL ERROR'))
      }
    })

  app.post('/payment', async c => {
    const exchange = c.get('exchange')
    exchange.interaction = 'uhi payment'
    const say = (code: number, error: string) => Response.json({ error }, { status: code, headers: NO_STORE })
    if (!mayAsk(c)) return say(429, 'Too many requests.')
    try {
      const body = new Uint8Array(await readBody(c.req.raw, MOST_REPORT))
      const header = c.req.raw.headers.get('x-nadi-signature')
      if (!(await isSigned(settings, header, body, clock()))) return say(401, 'The signature does not hold.')
      await recordReport({ ...exchange.ctx, settings, principal: UHI_PRINCIPAL }, body)
      return Response.json({ ok: true }, { headers: NO_STORE })
    } catch (error) {
      if (error instanceof UhiError) return say(400, error.message)
      if (error instanceof FhirError) return say(error.status, error.message)
      throw error
    }
  })

  app.all('*', c => answer(c, new UhiError('UHI-1404', '/', 'THERE IS NO SUCH ACTION HERE')))
  return app
}

const NO_STORE = { 'Cache-Control': 'no-store' }

/** Returns ACK, or NACK with its reason. Both are 200, but for the flood: what the network reads is the body. */
const answer = (c: C, error: UhiError | undefined, status = 200): Response =>
  Response.json(
    {
      message: { ack: { status: error === undefined ? 'ACK' : 'NACK' } },
      error: error === undefined ? {} : errorBody(error),
    },
    {
      status,
      headers: {
        ...NO_STORE,
        'X-Request-Id': c.get('exchange').id,
        ...(status === 429 && { 'Retry-After': '5' }),
      },
    },
  )
