/**
 * Another terminology server, asked about what is not held here: bounded in time, in size, and in how often a broken one is asked.
 * https://hl7.org/fhir/R4/terminology-service.html
 */
import type { Context } from '../context.ts'
import { isObject, type JsonObject, parseJson, type Resource, writeJson } from '../fhir/json.ts'
import { objects, text } from '../fhir/terminology/code-system.ts'
import { faultOf } from '../lib/fault.ts'
import type { Storage } from '../storage/port.ts'

/** What it said: a resource, that it does not know, or nothing at all. `why` goes on after a colon. */
export type Said = { resource: Resource } | { refused: string } | { silent: string }

export interface Remote {
  /** Returns what the server says to `Type/$operation` with these parameters. Never throws. */
  ask(path: string, parameters: readonly JsonObject[]): Promise<Said>
}

/** Bytes of one answer; answers that are kept, and characters of all of them. */
const MOST_BYTES = 4_000_000
const MOST_KEPT = 2000
const MOST_KEPT_LENGTH = 8_000_000
const DEPTH = 64

/** Milliseconds for which answers are kept: what it knows, what it refuses, that it did not answer. */
const KNOWN_MS = 3_600_000
const REFUSED_MS = 300_000

/** Failures in a row after which it is left alone, and for how long, ms: twice as long each time. */
const MOST_FAILURES = 3
const REST_MS = 10_000
const MOST_REST_MS = 300_000

interface State {
  url: string
  kept: Map<string, { said: Said; until: number; length: number }>
  length: number
  waiting: Map<string, Promise<Said>>
  failures: number
  /** ms since 1970. */
  restsUntil: number
}

const states = new WeakMap<Storage, State>()

/**
 * Returns the server of NADI_TERMINOLOGY_URL; undefined where none is set. All questions of one such object together take no longer than
 * NADI_TERMINOLOGY_TIMEOUT_MS, and none goes on after the deadline, ms since 1970.
 */
export function remoteOf(ctx: Context, deadline: number): Remote | undefined {
  const { terminologyUrl: url, terminologyMs } = ctx.settings
  if (url === undefined) return undefined
  let state = states.get(ctx.storage)
  if (state === undefined || state.url !== url) {
    state = { url, kept: new Map(), length: 0, waiting: new Map(), failures: 0, restsUntil: 0 }
    states.set(ctx.storage, state)
  }
  const own = state
  const began = ctx.tick()
  return {
    async ask(path, parameters) {
      const body = writeJson({ resourceType: 'Parameters', parameter: [...parameters] })
      const key = `${path} ${body}`
      const now = ctx.clock()
      const known = own.kept.get(key)
      if (known !== undefined && known.until > now) return known.said
      if (own.restsUntil > now) return { silent: 'it has failed several times and is left alone for a while' }
      const left = Math.min(terminologyMs - (ctx.tick() - began), deadline - now)
      if (left <= 0) return { silent: 'it had no time left' }
      const waiting = own.waiting.get(key) ?? question(ctx, own, path, key, body, left)
      own.waiting.set(key, waiting)
      return waiting
    },
  }
}

async function question(
  ctx: Context,
  state: State,
  path: string,
  key: string,
  body: string,
  ms: number,
): Promise<Said> {
  let said: Said
  try {
    said = await fetched(`${state.url}/${path}`, body, ms)
    state.failures = 0
  } catch (error) {
    said = { silent: wordsFor(error) }
    state.failures++
    if (state.failures >= MOST_FAILURES) {
      const rest = REST_MS * 2 ** Math.min(state.failures - MOST_FAILURES, 10)
      state.restsUntil = ctx.clock() + Math.min(rest, MOST_REST_MS)
    }
    // The question is nobody's record, but it is left out all the same.
    ctx.log.warn('terminology server does not answer', {
      operation: path,
      failures: state.failures,
      error: faultOf(error),
    })
  } finally {
    state.waiting.delete(key)
  }
  if (!('silent' in said)) {
    const length = key.length + ('resource' in said ? writeJson(said.resource).length : said.refused.length)
    const ttl = 'resource' in said ? KNOWN_MS : REFUSED_MS
    keep(state, key, { said, until: ctx.clock() + ttl, length })
  }
  return said
}

function keep(state: State, key: string, one: { said: Said; until: number; length: number }): void {
  state.length += one.length - (state.kept.get(key)?.length ?? 0)
  state.kept.delete(key)
  state.kept.set(key, one)
  for (const [oldest, { length }] of state.kept) {
    if (state.kept.size <= MOST_KEPT && state.length <= MOST_KEPT_LENGTH) break
    state.kept.delete(oldest)
    state.length -= length
  }
}

/** Throws for what is no answer at all: no connection, no time, a fault of the server, or nothing that can be read. */
async function fetched(url: string, body: string, ms: number): Promise<Said> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/fhir+json', Accept: 'application/fhir+json' },
    body,
    // A setting names this server; it may not send the questions on to another.
    redirect: 'manual',
    signal: AbortSignal.timeout(Math.max(1, Math.ceil(ms))),
  })
  const { status } = response
  if (status >= 500 || status === 429 || status < 200 || (status >= 300 && status < 400)) {
    await response.body?.cancel()
    throw new Error(`status ${status}`)
  }
  const json = parseJson(await textOf(response), DEPTH)
  if (!isObject(json) || typeof json.resourceType !== 'string') throw new Error('no resource')
  if (status < 400 && json.resourceType !== 'OperationOutcome') return { resource: json as Resource }
  const [issue] = objects(json.issue)
  const words = text(issue?.diagnostics) ?? (isObject(issue?.details) ? text(issue.details.text) : undefined)
  return { refused: (words ?? `status ${status}`).slice(0, 500) }
}

async function textOf(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > MOST_BYTES) {
      await reader.cancel()
      throw new Error(`more than ${MOST_BYTES} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}

function wordsFor(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  return name === 'TimeoutError' || name === 'AbortError'
    ? 'it did not answer in time'
    : 'it did not answer as a terminology server does'
}
