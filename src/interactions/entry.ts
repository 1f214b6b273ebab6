/**
 * The entries of a batch or transaction, read from the Bundle.
 * https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/http.html#transaction
 */
import type { Context } from '../context.ts'
import { FhirError, fhirError, type Issue } from '../fhir/error.ts'
import { isObject, type Json, type JsonObject, parseJsonBytes, type Resource } from '../fhir/json.ts'
import { validateStructure } from '../fhir/validate/structure.ts'
import { fromBase64 } from '../lib/base64.ts'
import { parsePairs } from './pairs.ts'
import type { Patch } from './patch.ts'
import type { Pairs } from './written.ts'

export type EntryMethod = 'DELETE' | 'POST' | 'PUT' | 'PATCH' | 'GET' | 'HEAD'

/** What a request.url names, as the routes of the REST interface do. */
export interface Target {
  /** '' where the URL has none. */
  type: string
  id: string
  /** What is searched in the compartment of the resource: a type, or `*` for all; '' elsewhere. */
  inside: string
  version: string
  history: boolean
  /** The CapabilityStatement. */
  metadata: boolean
  /** The path of an operation below the base, as it stands in the URL: `Patient/1/$everything`; '' elsewhere. */
  operation: string
  /** The query, without `_format` and `_pretty`. */
  pairs: Pairs
}

export interface Entry {
  /** Position in the Bundle. */
  index: number
  method: EntryMethod
  target: Target
  fullUrl: string | undefined
  resource: Json | undefined
  ifMatch: string | undefined
  ifNoneMatch: string | undefined
  ifModifiedSince: string | undefined
  ifNoneExist: Pairs | undefined
}

const METHODS: readonly string[] = ['DELETE', 'POST', 'PUT', 'PATCH', 'GET', 'HEAD']

/**
 * Returns the raw entries of a Bundle; each is read by `readEntry`.
 *
 * Throws `too-costly` for more than the limit, validation's issues where the Bundle, apart from the resources in it, is malformed.
 */
export function entriesOf(ctx: Context, bundle: Resource): JsonObject[] {
  const entries = bundle.entry ?? []
  if (!Array.isArray(entries) || !entries.every(isObject))
    throw fhirError('structure', 'entry must be a list of objects.', { expression: 'Bundle.entry' })
  const most = ctx.settings.limits.entries
  if (entries.length > most)
    throw fhirError('too-costly', `The Bundle has ${entries.length} entries; at most ${most} are taken.`, {
      expression: 'Bundle.entry',
    })
  if (ctx.settings.validate !== 'off') {
    // Resources are validated one by one, where it is known what they are to be.
    const envelope = { ...bundle, entry: entries.map(entry => ({ ...entry, resource: undefined })) }
    if (entries.length === 0) delete (envelope as JsonObject).entry
    const issues = validateStructure(envelope, 'Bundle').filter(issue => issue.severity === 'error')
    if (issues[0] !== undefined) throw new FhirError(issues[0].code, issues, { status: 400 })
  }
  return entries
}

/** Returns an entry. Throws `invalid` or `structure` for what is no request; `not-supported` for one that is not served here. */
export function readEntry(ctx: Context, entry: JsonObject, index: number): Entry {
  const { request, resource, fullUrl } = entry
  const wrong = (why: string, place: string) => fhirError('invalid', why, { expression: `http.${place}` })
  if (!isObject(request)) throw wrong('The entry has no request.', 'request')
  const { method, url } = request
  if (typeof method !== 'string' || !METHODS.includes(method))
    throw wrong(`request.method must be one of ${METHODS.join(', ')}.`, 'method')
  if (typeof url !== 'string') throw wrong('request.url is missing.', 'url')
  if (fullUrl !== undefined && typeof fullUrl !== 'string')
    throw wrong('fullUrl must be a string.', 'fullUrl')
  const text = (name: string): string | undefined => {
    const value = request[name]
    if (value !== undefined && typeof value !== 'string')
      throw wrong(`request.${name} must be a string.`, name)
    return value
  }
  const allowed = (name: string, methods: readonly string[]): string | undefined => {
    const value = text(name)
    if (value !== undefined && !methods.includes(method))
      throw wrong(`request.${name} has no meaning for ${method}.`, name)
    return value
  }
  const target = targetOf(ctx, url)
  checkRoute(method as EntryMethod, target)
  const isOperation = target.operation !== ''
  if (resource === undefined && !isOperation && (method === 'POST' || method === 'PUT' || method === 'PATCH'))
    throw fhirError('required', `The entry has no resource to ${method}.`, { expression: 'resource' })
  const ifNoneExist = allowed('ifNoneExist', ['POST'])
  return {
    index,
    method: method as EntryMethod,
    target,
    fullUrl,
    resource,
    ifMatch: allowed('ifMatch', ['PUT', 'PATCH', 'DELETE']),
    ifNoneMatch: allowed('ifNoneMatch', ['GET', 'HEAD']),
    ifModifiedSince: allowed('ifModifiedSince', ['GET', 'HEAD']),
    ifNoneExist: ifNoneExist === undefined ? undefined : parsePairs(ifNoneExist.replace(/^[^=?]*\?/, '')),
  }
}

function targetOf(ctx: Context, url: string): Target {
  const { baseUrl } = ctx.settings
  const own = url === baseUrl || url.startsWith(`${baseUrl}/`) || url.startsWith(`${baseUrl}?`)
  const relative = (own ? url.slice(baseUrl.length) : url).replace(/^\/+/, '')
  const mark = relative.indexOf('?')
  const path = mark < 0 ? relative : relative.slice(0, mark)
  const pairs = mark < 0 ? [] : parsePairs(relative.slice(mark + 1))
  const target = {
    type: '',
    id: '',
    inside: '',
    version: '',
    history: false,
    metadata: false,
    operation: '',
    pairs: pairs.filter(([name]) => name !== '_format' && name !== '_pretty'),
  }
  const segments = path === '' ? [] : path.split('/').map(segment => decodeSegment(segment))
  const unknown = (why = 'There is nothing at request.url that a Bundle entry can ask.') =>
    fhirError('not-supported', why, { expression: 'http.url' })
  if (segments.some(segment => segment[0] === '$')) return { ...target, operation: path }
  if (segments.includes('_search'))
    throw unknown(
      '_search is not served in a Bundle: an entry searches by GET, with the parameters in request.url, such as Patient?name=x.',
    )
  if (segments.includes('')) throw unknown()
  if (relative === 'metadata') return { ...target, metadata: true }
  const names = segments.filter(segment => segment !== '_history')
  if (names.some(name => name[0] === '_') || names.length > 3) throw unknown()
  target.history = names.length < segments.length
  const shape = segments.map(segment => (segment === '_history' ? 'h' : 'n')).join('')
  if (!['', 'n', 'nn', 'h', 'nh', 'nnh', 'nnhn', 'nnn'].includes(shape)) throw unknown()
  ;[target.type = '', target.id = ''] = names
  target[target.history ? 'version' : 'inside'] = names[2] ?? ''
  return target
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw fhirError('invalid', 'request.url has a malformed % escape.', { expression: 'http.url' })
  }
}

/** Throws `not-supported` where the method is not served at such a URL. */
function checkRoute(method: EntryMethod, { type, id, inside, history, pairs, operation }: Target): void {
  if (method === 'GET' || method === 'HEAD') return
  if (operation !== '' && method === 'POST') return
  const conditional = id === '' && pairs.length > 0
  const fits = method === 'POST' ? id === '' && !conditional : id !== '' ? pairs.length === 0 : conditional
  if (type === '' || inside !== '' || history || !fits)
    throw fhirError('not-supported', `${method} has no meaning for this request.url.`, {
      expression: 'http.url',
    })
}

/** The error for an operation where none is served. */
export const noOperation = () =>
  fhirError(
    'not-supported',
    'Operations are not served in a Bundle, but for those in a batch that change nothing: ask for each in a request of its own.',
    { expression: 'http.url' },
  )

/**
 * Returns the patch that an entry holds: JSON Patch in a Binary, FHIRPath Patch as Parameters.
 *
 * Throws `invalid` for anything else.
 */
export function patchOf(ctx: Context, { resource }: Entry): Patch {
  if (isObject(resource) && resource.resourceType === 'Parameters')
    return { kind: 'fhirpath', body: resource }
  if (!isObject(resource) || resource.resourceType !== 'Binary')
    throw fhirError(
      'invalid',
      'A patch in a Bundle is a Parameters resource, or a Binary that holds a JSON Patch.',
      {
        expression: 'resource',
      },
    )
  const { contentType, data } = resource
  if (typeof contentType !== 'string' || contentType.split(';')[0]!.trim() !== 'application/json-patch+json')
    throw fhirError('invalid', 'The contentType of a patch in a Binary is application/json-patch+json.', {
      expression: 'Binary.contentType',
    })
  const bytes = typeof data === 'string' ? fromBase64(data) : undefined
  if (bytes === undefined) throw fhirError('value', 'data must be base64.', { expression: 'Binary.data' })
  return { kind: 'json', body: parseJsonBytes(bytes, ctx.settings.limits.depth) }
}

/** The names of request elements by the headers and places that single interactions name. */
const REQUEST: Record<string, string> = {
  'http.If-Match': 'request.ifMatch',
  'http.If-None-Exist': 'request.ifNoneExist',
  'http.request': 'request',
  'http.method': 'request.method',
  'http.fullUrl': 'fullUrl',
  'http.ifMatch': 'request.ifMatch',
  'http.ifNoneMatch': 'request.ifNoneMatch',
  'http.ifModifiedSince': 'request.ifModifiedSince',
  'http.ifNoneExist': 'request.ifNoneExist',
}

/**
 * Returns an entry's error with every expression begun with `Bundle.entry[index]`; what is no FhirError is returned as it is.
 */
export function errorInEntry(error: unknown, index: number): unknown {
  if (!(error instanceof FhirError)) return error
  const place = (expression: string | undefined): string => {
    const entry = `Bundle.entry[${index}]`
    if (expression === undefined) return entry
    if (expression.startsWith('http')) return `${entry}.${REQUEST[expression] ?? 'request.url'}`
    if (expression.startsWith('patch[')) return `${entry}.resource.data`
    // A path in the resource begins with its type.
    return `${entry}.resource${/^[A-Za-z]+/.test(expression) ? expression.replace(/^[A-Za-z]+/, '') : ''}`
  }
  const issues = error.issues.map((issue): Issue => ({ ...issue, expression: place(issue.expression) }))
  return new FhirError(error.code, issues, { status: error.status, cause: error })
}

/** Returns what `act` returns; its errors name the entry. */
export function inEntrySync<T>(index: number, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw errorInEntry(error, index)
  }
}

/** Returns what `act` returns in the end; its errors name the entry. */
export async function inEntry<T>({ index }: Entry, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw errorInEntry(error, index)
  }
}
