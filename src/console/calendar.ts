/** Calendar feeds under their private addresses. docs/notifications.md */
import { Hono } from 'hono'
import type { C, Env } from '../http/exchange.ts'
import { isId } from '../interactions/identity.ts'
import { calendarFeed } from '../notifications/calendar-feed.ts'
import { FEEDS, isPass } from '../scheduling/feed-address.ts'

/** Returns the routes below `/console/calendar`. The address is the only thing that is asked for. */
export function createCalendar(): Hono<Env> {
  const app = new Hono<Env>({ strict: false })
  app.get('/:type/:id/:file', async c => {
    c.get('exchange').interaction = 'calendar'
    const text = await feedFor(c)
    // Whoever guesses learns nothing: an address is right, or there is nothing.
    if (text === undefined)
      return new Response('There is no calendar at this address.\n', { status: 404, headers: PLAIN })
    return new Response(text, { headers: CALENDAR })
  })
  return app
}

const PLAIN = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }
const CALENDAR = {
  'Content-Type': 'text/calendar; charset=utf-8',
  'Cache-Control': 'private, max-age=300',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

async function feedFor(c: C): Promise<string | undefined> {
  const { ctx } = c.get('exchange')
  const [type = '', id = '', file = ''] = ['type', 'id', 'file'].map(name => c.req.param(name))
  const pass = /^([A-Za-z0-9_-]{43})\.ics$/.exec(file)?.[1]
  if (!FEEDS.includes(type) || !isId(id) || pass === undefined) return undefined
  const key = `${type}/${id}` as const
  return (await isPass(ctx, key, pass)) ? calendarFeed(ctx, key) : undefined
}
