/** The appointment API of OpenCare over FHIR. */
import { Hono } from 'hono'
import type { AppDeps, Env } from '../../http/exchange.ts'

/** Returns the routes below `/api/v1`. */
export function createOpenCare(_deps: AppDeps): Hono<Env> {
  return new Hono<Env>({ strict: false })
}
