/** The appointment API of the Care UHI plugin over FHIR. */
import { Hono } from 'hono'
import type { AppDeps, Env } from '../../http/exchange.ts'

/** Returns the routes below `/uhi`. */
export function createCareUhi(_deps: AppDeps): Hono<Env> {
  return new Hono<Env>({ strict: false })
}
