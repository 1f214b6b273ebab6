/** The appointment API of OpenCare over FHIR: its routes, who may use them, and the shape of its answers. */
import { Hono } from 'hono'
import type { Context } from '../../context.ts'
import { readBody } from '../../http/body.ts'
import type { AppDeps, C, Env } from '../../http/exchange.ts'
import { checkGranted } from '../../interactions/identity.ts'
import { faultOf } from '../../lib/fault.ts'
import type { Node } from '../../search/plan-node.ts'
import { act, book, change, conflicts, detail, erase, shownAll } from './appointments.ts'
import type { State } from './codes.ts'
import { STATUSES } from './codes.ts'
import {
  noSuchMethod,
  notAllowed,
  notFound,
  notJson,
  notSignedIn,
  type Refusal,
  refusalOf,
  unknownMedia,
} from './errors.ts'
import { envelope, nodeOf, pageOf, queryNode, withStatus } from './list.ts'

/** Bytes of a body: many times what an appointment has. */
const MOST_BODY = 131_072

const ACTIONS: Readonly<Record<string, Exclude<State, 'scheduled'>>> = {
  cancel: 'cancelled',
  complete: 'completed',
  'mark-no-show': 'no_show',
}

type Answer = (ctx: Context, c: C) => Promise<Response>
type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Returns the routes below `/api/v1`. Who asks comes from `deps.principalOf`, and is the server itself where there is none. */
export function createOpenCare(deps: AppDeps): Hono<Env> {
  const app = new Hono<Env>({ strict: false })

  const routes: Record<string, Partial<Record<Verb, Answer>>> = {
    '/appointments': {
      GET: async (ctx, c) => listed(ctx, c, await queryNode(ctx, queryOf(c))),
      POST: async (ctx, c) => answer(201, await book(ctx, await bodyOf(c))),
    },
    '/appointments/upcoming': {
      GET: async (ctx, c) => {
        const later: Node = {
          kind: 'date',
          param: 'Appointment.date',
          bounds: [{ end: 'lo', op: '>', value: ctx.clock() }],
        }
        const filters = await queryNode(ctx, queryOf(c))
        return listed(ctx, c, { kind: 'and', nodes: [filters, later, withStatus(STATUSES.scheduled)] })
      },
    },
    '/appointments/by-provider/:of': { GET: (ctx, c) => listedOf(ctx, c, 'provider') },
    '/appointments/by-patient/:of': { GET: (ctx, c) => listedOf(ctx, c, 'patient') },
    '/appointments/:id': {
      GET: async (ctx, c) => answer(200, await detail(ctx, param(c, 'id'))),
      PUT: async (ctx, c) => answer(200, await change(ctx, param(c, 'id'), await bodyOf(c), false)),
      PATCH: async (ctx, c) => answer(200, await change(ctx, param(c, 'id'), await bodyOf(c), true)),
      DELETE: async (ctx, c) => {
        await erase(ctx, param(c, 'id'))
        return new Response(null, { status: 204 })
      },
    },
    '/appointments/:id/check-conflicts': {
      POST: async (ctx, c) => answer(200, await conflicts(ctx, param(c, 'id'))),
    },
    ...Object.fromEntries(
      Object.entries(ACTIONS).map(([name, to]) => [
        `/appointments/:id/${name}`,
        { POST: async (ctx: Context, c: C) => answer(200, await act(ctx, param(c, 'id'), to)) },
      ]),
    ),
  }

  for (const [path, answers] of Object.entries(routes)) {
    for (const [verb, make] of Object.entries(answers))
      app.on(verb, path, c => {
        c.get('exchange').interaction = 'opencare'
        c.get('exchange').type = 'Appointment'
        return make(contextOf(deps, c), c)
      })
    const allow = [...Object.keys(answers), 'OPTIONS'].join(', ')
    app.all(path, c => {
      contextOf(deps, c)
      if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { Allow: allow } })
      return refused(noSuchMethod(c.req.method), { Allow: allow })
    })
  }
  app.all('*', () => refused(notFound()))
  app.onError((error, c) => {
    const refusal = refusalOf(error)
    if (refusal.status >= 500)
      deps.ctx.log.error('request failed', { id: c.get('exchange').id, error: faultOf(error) })
    return refused(refusal)
  })
  return app
}

/** What every answer is made of. */
const READ = ['Appointment', 'Patient', 'Practitioner', 'PractitionerRole', 'Location', 'Communication']

/** Returns the context of who asks. Throws `forbidden` for who may not read what answers are made of, Refusal: 401 for nobody, 403 for a patient. */
function contextOf({ principalOf }: AppDeps, c: C): Context {
  const { ctx } = c.get('exchange')
  const principal = principalOf === undefined ? ctx.principal : principalOf(c.req.raw)
  if (principal === undefined) throw notSignedIn()
  if (principal.role === 'patient') throw notAllowed()
  const own = { ...ctx, principal }
  for (const type of READ) checkGranted(own, 'read', type)
  return own
}

const param = (c: C, name: string): string => c.req.param(name) ?? ''

const queryOf = (c: C): URLSearchParams => new URL(c.req.url).searchParams

async function listed(ctx: Context, c: C, node: Node): Promise<Response> {
  const page = await pageOf(ctx, node, queryOf(c))
  const { pathname, search } = new URL(c.req.url)
  // As the client sees the server, also through a proxy.
  const url = new URL(`${new URL(ctx.settings.baseUrl).origin}${pathname.replace(/\/*$/, '/')}${search}`)
  return answer(200, envelope(page, url, await shownAll(ctx, page.rows)))
}

/** Throws Refusal (404) for an id that is none. */
async function listedOf(ctx: Context, c: C, kind: 'provider' | 'patient'): Promise<Response> {
  const id = param(c, 'of')
  if (!/^[0-9]{1,15}$/.test(id)) throw notFound()
  return listed(ctx, c, {
    kind: 'and',
    nodes: [await nodeOf(ctx, kind, id), await queryNode(ctx, queryOf(c))],
  })
}

/** Returns the body of a request, JSON or a form. Throws Refusal (400, 415) and `too-costly`. */
async function bodyOf(c: C): Promise<unknown> {
  const type = (c.req.raw.headers.get('content-type') ?? 'application/json')
    .split(';')[0]!
    .trim()
    .toLowerCase()
  const isForm = type === 'application/x-www-form-urlencoded'
  if (!isForm && type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type))
    throw unknownMedia(type)
  const bytes = await readBody(c.req.raw, MOST_BODY)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw notJson('The body is not UTF-8.')
  }
  if (isForm) return Object.fromEntries(new URLSearchParams(text))
  try {
    return JSON.parse(text)
  } catch {
    throw notJson('JSON parse error - the body is no JSON.')
  }
}

const HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }

const answer = (status: number, body: unknown): Response =>
  new Response(JSON.stringify(body), { status, headers: HEADERS })

const refused = ({ status, body }: Refusal, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { ...HEADERS, ...(status === 401 && { 'WWW-Authenticate': 'Bearer realm="api"' }), ...headers },
  })
