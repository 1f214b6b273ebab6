/**
 * Answers. Headers are made together with the body, because one that is added later makes the answer twice as dear.
 * https://hl7.org/fhir/R4/http.html#summary
 */
import { fhirError } from '../fhir/error.ts'
import { parseJson, writeJson } from '../fhir/json.ts'
import { outcomeText, statusOf } from '../fhir/outcome.ts'
import { etag, httpDate } from '../interactions/preconditions.ts'
import { idOf, type Stored, typeOf } from '../storage/port.ts'
import type { AppDeps, C, Encoding } from './exchange.ts'
import { FHIR_JSON_UTF8 } from './negotiate.ts'

/** Below this many characters compressing costs more than it saves: the answer fits into one or two packets anyway. */
const COMPRESS_FROM = 2048

export type Send = (
  c: C,
  status: number,
  text: string | null,
  headers?: Record<string, string>,
) => Response | Promise<Response>

/** Returns the function that makes every text answer of the server. */
export function createSend(deps: AppDeps): Send {
  return (c, status, text, headers) => {
    const all: Record<string, string> = { 'X-Request-Id': c.get('exchange').id, ...headers }
    if (text === null) return new Response(null, { status, headers: all })
    all['Content-Type'] ??= FHIR_JSON_UTF8
    all['X-Content-Type-Options'] = 'nosniff'
    all.Vary = 'Accept, Accept-Encoding'
    if (text.length >= COMPRESS_FROM && deps.compress !== undefined) {
      const encoding = wanted(c.req.raw.headers.get('accept-encoding'))
      if (encoding !== undefined)
        return deps.compress(text, encoding).then(bytes => {
          all['Content-Encoding'] = encoding
          return withBody(c, status, bytes, all)
        })
    }
    return withBody(c, status, text, all)
  }
}

/** A page runs no script and loads nothing. */
const PAGE = {
  'Content-Security-Policy':
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:",
}

/**
 * Returns an answer that is no FHIR JSON: a page or a file. What stands in it may come from anybody, so a page is shut in. A PDF is not: the
 * viewers of browsers do not start in a sandbox, and are one themselves.
 */
export const sendAs = (
  c: C,
  status: number,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Response =>
  withBody(c, status, body, {
    'X-Request-Id': c.get('exchange').id,
    'X-Content-Type-Options': 'nosniff',
    ...(headers['Content-Type'] !== 'application/pdf' && PAGE),
    Vary: 'Accept',
    ...headers,
  })

function withBody(
  c: C,
  status: number,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Response {
  if (c.req.raw.method !== 'HEAD') return new Response(body, { status, headers })
  const length = typeof body === 'string' ? new TextEncoder().encode(body).length : body.length
  return new Response(null, { status, headers: { ...headers, 'Content-Length': String(length) } })
}

/** Returns the better encoding that an Accept-Encoding header allows. */
export function wanted(accept: string | null): Encoding | undefined {
  if (accept === null) return undefined
  const allowed = new Map<string, boolean>()
  for (const part of accept.toLowerCase().split(',')) {
    const [name = '', ...params] = part.split(';').map(text => text.trim())
    allowed.set(name, !params.some(param => /^q=0(\.0*)?$/.test(param)))
  }
  if (allowed.get('br')) return 'br'
  return (allowed.get('gzip') ?? allowed.get('*')) ? 'gzip' : undefined
}

/** Returns the text indented, its numbers untouched. Throws `too-costly` where that becomes larger than a text can be. */
export function pretty(text: string): string {
  const tree = parseJson(text, Number.MAX_SAFE_INTEGER)
  try {
    return `${writeJson(tree, true)}\n`
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw fhirError('too-costly', 'The answer is too large to be indented.', { cause })
  }
}

/** Returns the headers that name a version. `private, no-cache`: kept by the client alone, and asked for again with its ETag. */
export const versionHeaders = (stored: Stored): Record<string, string> => ({
  ETag: etag(stored),
  'Last-Modified': httpDate(stored),
  'Cache-Control': 'private, no-cache',
})

/** Returns the URL of a version: `http://127.0.0.1:8080/fhir/Patient/1/_history/2`. */
export const versionUrl = (baseUrl: string, stored: Stored): string =>
  `${baseUrl}/${typeOf(stored.key)}/${idOf(stored.key)}/_history/${stored.version}`

/** Returns what every refusal is answered with: the OperationOutcome and its status. */
export function sendError(
  send: Send,
  c: C,
  error: unknown,
  headers?: Record<string, string>,
): Response | Promise<Response> {
  const status = statusOf(error)
  const retry: Record<string, string> = status === 503 || status === 429 ? { 'Retry-After': '1' } : {}
  return send(c, status, outcomeText(error), { 'Cache-Control': 'no-store', ...retry, ...headers })
}
