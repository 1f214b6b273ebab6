/** UHI as a provider platform (HSPA). */
import { Hono } from 'hono'
import type { AppDeps, Env } from '../http/exchange.ts'

/** Returns the routes below `/hspa`. */
export function createUhi(_deps: AppDeps): Hono<Env> {
  return new Hono<Env>({ strict: false })
}
