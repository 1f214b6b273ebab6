/**
 * Operations over HTTP: `[base]/$name`, `[base]/Type/$name`, `[base]/Type/id/$name`, and on versions.
 * https://hl7.org/fhir/R4/operations.html#executing
 */
import { fhirError } from '../fhir/error.ts'
import { isObject } from '../fhir/json.ts'
import { accept } from '../interactions/accept.ts'
import { underCurrent } from '../interactions/current.ts'
import { parsePairs } from '../interactions/pairs.ts'
import type { Level, Operation } from '../operations/operation.ts'
import { type Given, givenByPairs, givenByResource, readParameters } from '../operations/parameters.ts'
import { operationAt } from '../operations/registry.ts'
import { formText, jsonOf, readBody } from './body.ts'
import type { C, Handler } from './exchange.ts'
import {
  bodyType,
  chosenMedia,
  FORM,
  negotiate,
  prefer,
  WRITE_TYPES,
  withoutPresentation,
} from './negotiate.ts'
import { queryText } from './query.ts'
import { pretty, type Send, sendAs, sendError, versionHeaders } from './respond.ts'

/** Whether a path names an operation: no type, id or version begins with `$`. */
export const isOperation = (path: string): boolean => path.includes('/$') || path.includes('/%24')

/** Returns the handler of every path that names an operation. `base` is the path of the base URL, without a slash at the end. */
export function createOperationRoute(send: Send, base: string): Handler {
  return async c => {
    const { ctx } = c.get('exchange')
    const place = placeOf(c.req.path, base)
    const operation = operationAt(ctx, place.name, place.level, place.type)
    const exchange = c.get('exchange')
    exchange.interaction = `$${place.name}`
    exchange.type = place.type

    const { method, headers, url } = c.req.raw
    const Allow = operation.affectsState ? 'POST, OPTIONS' : 'GET, HEAD, POST, OPTIONS'
    if (method === 'OPTIONS') return send(c, 204, null, { Allow })
    if (method !== 'POST' && (operation.affectsState || (method !== 'GET' && method !== 'HEAD')))
      return sendError(send, c, fhirError('not-supported', `Here are allowed: ${Allow}.`, { status: 405 }), {
        Allow,
      })
    const query = queryText(url)
    const pairs = query === '' ? [] : parsePairs(query)
    const sent: Sent = method === 'POST' ? await bodyOf(c, operation) : NOTHING
    const shown = [...pairs, ...sent.form]
    const media = operation.media && chosenMedia(headers.get('accept'), shown, operation.media)
    const indent = media === undefined && negotiate(headers.get('accept'), shown)
    const { lenient } = prefer(headers.get('prefer'))
    const given = [
      ...givenByPairs(withoutPresentation(pairs)),
      ...givenByPairs(withoutPresentation(sent.form)),
      ...sent.given,
    ]
    const mayStore = method === 'POST' && sent.isFhir
    const call = { ...place, ...readParameters(operation, given, lenient), media, lenient, mayStore }
    const answer = await underCurrent(ctx, under => operation.run(under, call))
    const about = {
      ...(answer.stored === undefined
        ? { 'Cache-Control': 'private, no-cache' }
        : versionHeaders(answer.stored)),
      ...answer.headers,
    }
    const { text, contentType, status = 200 } = answer
    if (contentType !== undefined) return sendAs(c, status, text, { 'Content-Type': contentType, ...about })
    return send(c, status, indent ? pretty(text as string) : (text as string), about)
  }
}

interface Place {
  level: Level
  type: string
  id: string
  version: string
  name: string
}

/** Throws `not-supported` (404) for a path that names no place where operations are. */
export function placeOf(path: string, base: string): Place {
  const segments = path
    .slice(base.length)
    .replace(/^\/|\/$/g, '')
    .split('/')
    .map(decoded)
  const last = (path.startsWith(`${base}/`) && segments.pop()) || ''
  const none = () => fhirError('not-supported', 'There is no operation of this name here.', { status: 404 })
  // An id that was left out, as in `Patient//$everything`, must not ask for all of them.
  if (last[0] !== '$' || segments.some(segment => segment === '' || segment[0] === '$')) throw none()
  const name = last.slice(1)
  const [type = '', id = '', history, version = ''] = segments
  const place = { type, id, version, name }
  if (segments.length === 0) return { ...place, level: 'system' }
  if (segments.length === 1) return { ...place, level: 'type' }
  if (segments.length === 2) return { ...place, level: 'instance' }
  if (segments.length === 4 && history === '_history') return { ...place, level: 'version' }
  throw none()
}

/** A malformed escape stays as it is, and names nothing. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

interface Sent {
  form: ReturnType<typeof parsePairs>
  given: Given[]
  /** It came in a media type of FHIR, which a browser asks about before it sends it to another site. */
  isFhir: boolean
}

const NOTHING: Sent = { form: [], given: [], isFhir: false }

/**
 * Returns the parameters of a body: a Parameters resource, or the one resource that the operation takes; for what changes nothing also a
 * form, or no body at all.
 *
 * Throws `not-supported` (415) for a body of another type.
 */
async function bodyOf(c: C, operation: Operation): Promise<Sent> {
  const { ctx } = c.get('exchange')
  const { headers } = c.req.raw
  const { limits } = ctx.settings
  const { affectsState } = operation
  const contentType = headers.get('content-type')
  // What a foreign web page can send without the browser asking first must change nothing.
  if (contentType === null && !affectsState) {
    const bytes = await readBody(c.req.raw, limits.body)
    if (bytes.length === 0) return NOTHING
  }
  const media = bodyType(contentType, affectsState ? WRITE_TYPES : [...WRITE_TYPES, FORM])
  const bytes = await readBody(c.req.raw, limits.body)
  if (media.type === FORM) return { ...NOTHING, form: parsePairs(formText(bytes)) }
  if (bytes.length === 0 && !affectsState) return { ...NOTHING, isFhir: true }
  const body = jsonOf(bytes, limits)
  if (isObject(body) && body.resourceType !== 'Parameters' && operation.body !== undefined) {
    const resource = operation.unchecked ? body : await accept(ctx, body, String(body.resourceType))
    return { form: [], given: [{ name: operation.body, value: { resource } }], isFhir: true }
  }
  if (!isObject(body) || body.resourceType !== 'Parameters')
    throw fhirError('invalid', 'The body of an operation is a Parameters resource.', {
      expression: 'Parameters',
    })
  return {
    form: [],
    isFhir: true,
    given: givenByResource(operation.unchecked ? body : await accept(ctx, body, 'Parameters')),
  }
}
