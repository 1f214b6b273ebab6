/** Errors that reach the HTTP layer: the only place where they become answers. */
import { FhirError, type IssueCode } from '../fhir/error.ts'
import { faultOf, nameOf } from '../lib/fault.ts'
import type { Log } from '../lib/log.ts'
import type { C } from './exchange.ts'
import { type Send, sendError } from './respond.ts'

export type OnError = (error: unknown, c: C) => Response | Promise<Response>

/** Refusals that a server under load makes as well: where in the program they are made says nothing. */
const EXPECTED: ReadonlySet<IssueCode> = new Set(['transient', 'timeout', 'too-costly', 'throttled'])

/** Returns the error handler. Anything but a FhirError is a bug: logged with its cause, answered 500 without its message. */
export function createOnError(send: Send, log: Log): OnError {
  return (error, c) => {
    const id = c.get('exchange').id
    if (!(error instanceof FhirError)) log.error('unexpected error', { id, error: faultOf(error) })
    else if (error.status >= 500) log.warn('request failed', { id, ...toldOf(error) })
    return sendError(send, c, error)
  }
}

function toldOf(error: FhirError): Record<string, string> {
  const { code, message, cause } = error
  const told = { code, error: message }
  if (!EXPECTED.has(code)) return { ...told, stack: faultOf(error) }
  return cause === undefined ? told : { ...told, cause: nameOf(cause) }
}

/** Returns the stack of an error and of what caused it, cut to a bearable length: for who starts the server, messages and all. */
export function traceOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const cause =
    error instanceof Error && error.cause !== undefined ? `\ncaused by ${traceOf(error.cause)}` : ''
  return `${stack.slice(0, 4000)}${cause}`.slice(0, 8000)
}
