/** Errors that reach the HTTP layer: the only place where they become answers. */
import { FhirError } from '../fhir/error.ts'
import type { Log } from '../lib/log.ts'
import type { C } from './exchange.ts'
import { type Send, sendError } from './respond.ts'

export type OnError = (error: unknown, c: C) => Response | Promise<Response>

/** Returns the error handler. Anything but a FhirError is a bug: logged with its cause, answered 500 without its message. */
export function createOnError(send: Send, log: Log): OnError {
  return (error, c) => {
    const id = c.get('exchange').id
    if (!(error instanceof FhirError)) log.error('unexpected error', { id, error: traceOf(error) })
    else if (error.status >= 500)
      log.warn('request failed', { id, code: error.code, error: traceOf(error.cause ?? error) })
    return sendError(send, c, error)
  }
}

/** Returns the stack of an error and of what caused it, cut to a bearable length. */
export function traceOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const cause =
    error instanceof Error && error.cause !== undefined ? `\ncaused by ${traceOf(error.cause)}` : ''
  return `${stack.slice(0, 4000)}${cause}`.slice(0, 8000)
}
