/** Pages that people look at: the day of a practitioner, the queue display; and calendar feeds. */
import { Hono } from 'hono'
import type { AppDeps, Env } from '../http/exchange.ts'

/** Returns the routes below `/console`. */
export function createConsole(_deps: AppDeps): Hono<Env> {
  return new Hono<Env>({ strict: false })
}
