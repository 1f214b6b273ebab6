/** Pages that people look at: the day of a practitioner, and the display of a queue. docs/scheduling.md */
import { Hono } from 'hono'
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { timeRange } from '../fhir/instant.ts'
import type { AppDeps, C, Env } from '../http/exchange.ts'
import { read } from '../interactions/read.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { dayList } from '../scheduling/day-list.ts'
import { practitionersWithHours } from '../scheduling/practitioner.ts'
import { localDay, OWNERS, tokensOfDay } from '../scheduling/token.ts'
import { createCalendar } from './calendar.ts'
import { dayPage, lateMinutes } from './day-page.ts'
import { displayPage } from './display-page.ts'
import { type Markup, PAGE_HEADERS } from './layout.ts'
import { noticePage } from './notice-page.ts'
import { REFRESH } from './refresh.ts'
import { startPage } from './start-page.ts'
import { STYLE } from './style.ts'

/** Returns the routes below `/console`. Who asks comes from `deps.principalOf`, and is the server itself where there is none. */
export function createConsole(deps: AppDeps): Hono<Env> {
  const app = new Hono<Env>({ strict: false })

  const shown = (make: (ctx: Context, c: C) => Promise<Markup>) => async (c: C) => {
    c.get('exchange').interaction = 'console'
    try {
      return await answer(200, make(staffContext(deps, c), c))
    } catch (error) {
      // What cannot be read now may be read in a moment: that is the script's to try, and not a page of its own.
      if (!(error instanceof FhirError) || error.status >= 500) throw error
      return answer(error.status, noticePage(error))
    }
  }
  const file = (text: string, type: string) => () =>
    new Response(text, {
      headers: {
        'Content-Type': `${type}; charset=utf-8`,
        'X-Content-Type-Options': 'nosniff',
        'Cache-Control': 'no-cache',
      },
    })

  app.route('/calendar', createCalendar())
  app.get('/style.css', file(STYLE, 'text/css'))
  app.get('/refresh.js', file(REFRESH, 'text/javascript'))
  app.get(
    '/',
    shown(async ctx => startPage(await practitionersWithHours(ctx))),
  )
  app.get(
    '/day/:id',
    shown(async (ctx, c) => {
      const stored = await read(ctx, 'Practitioner', param(c, 'id'))
      const now = ctx.clock()
      const { zone } = ctx.settings
      const today = localDay(now, zone)
      const day = dayIn(c, zone) ?? today
      const visits = await dayList(ctx, stored.key, day)
      return dayPage({ practitioner: resourceOf(stored), day, today, now, zone, visits })
    }),
  )
  app.get(
    '/queue/:type/:id',
    shown(async (ctx, c) => {
      const type = param(c, 'type')
      if (!OWNERS.includes(type)) throw fhirError('not-found', `A queue is that of a ${OWNERS.join(', ')}.`)
      const stored = await read(ctx, type, param(c, 'id'))
      const now = ctx.clock()
      const { zone } = ctx.settings
      const day = localDay(now, zone)
      const category = c.req.query('category')
      const tokens = (await tokensOfDay(ctx, { owner: stored.key, day })).filter(
        ({ queue }) => category === undefined || queue.category === category,
      )
      const late = type === 'Practitioner' ? lateMinutes(await dayList(ctx, stored.key, day)) : undefined
      return displayPage({ owner: resourceOf(stored), now, zone, tokens, late })
    }),
  )
  return app
}

const answer = async (status: number, markup: Markup | Promise<Markup>): Promise<Response> =>
  new Response(String(await markup), { status, headers: PAGE_HEADERS })

const param = (c: C, name: string): string => c.req.param(name) ?? ''

/** Returns the day of the address; undefined without one. Throws `value` for what is no date. */
function dayIn(c: C, zone: string): string | undefined {
  const day = c.req.query('day')
  if (day !== undefined && (!/^.{10}$/.test(day) || timeRange(day, zone) === undefined))
    throw fhirError('value', 'A day is a date: 2026-11-21.')
  return day
}

/** Returns the context of who looks. Throws `login` (401) for nobody, `forbidden` for patients. */
function staffContext(deps: AppDeps, c: C): Context {
  const { ctx } = c.get('exchange')
  if (deps.principalOf === undefined) return ctx
  const principal = deps.principalOf(c.req.raw)
  if (principal === undefined) throw fhirError('login', 'Please sign in.')
  if (principal.role === 'patient') throw fhirError('forbidden', 'These pages are for the staff.')
  return { ...ctx, principal }
}
