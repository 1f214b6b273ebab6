/** What the HTTP layer knows of one request beside what Hono does, and what it is given from outside. */
import type { Context as HonoContext } from 'hono'
import type { Context, Principal } from '../context.ts'
import type { Channel } from '../notifications/channel.ts'
import type { Templates } from '../notifications/template.ts'
import type { Metrics } from './metrics.ts'

export type Encoding = 'br' | 'gzip'

/** What the entries give to the HTTP layer. */
export interface AppDeps {
  ctx: Context
  metrics: Metrics
  /** Longest request URL, characters. */
  urlLimit: number
  /** Returns the body compressed; absent where the platform does it by itself. */
  compress?: (text: string, encoding: Encoding) => Promise<Uint8Array<ArrayBuffer>>
  /** Whether the request comes from a proxy whose forwarding headers count; `bindings` are the platform's (Hono's `c.env`). */
  fromTrustedProxy?: (bindings: unknown) => boolean
  /** Ways in which messages leave; none where the entry gives none. */
  channels?: readonly Channel[]
  /** What messages say; the built-in texts where the entry gives none. */
  templates?: Templates
  /** Returns the network address of the client; '' where it is not known. `bindings` as above. Absent: nobody's is. */
  addressOf?: (request: Request, bindings: unknown) => string
  /** Returns the addresses of a name; absent where the platform cannot tell. Throws where there is none. */
  resolve?: (name: string) => Promise<readonly string[]>
  /** Returns who asks, undefined for nobody. Absent: the principal of the context, until sign-in exists. */
  principalOf?: (request: Request) => Principal | undefined
  /** Process figures for /metrics: name -> value. */
  gauges?: () => Record<string, number>
}

export interface Exchange {
  /** X-Request-Id. */
  id: string
  /** Names for metrics and log lines: the interaction, and the resource type where it is one. */
  interaction: string
  type: string
  /** The context of the interactions; its base URL is the one this client sees. */
  ctx: Context
}

export type Env = { Variables: { exchange: Exchange } }
export type C = HonoContext<Env>
export type Handler = (c: C) => Promise<Response> | Response
