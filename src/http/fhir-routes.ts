/**
 * The REST interactions over HTTP: each handler reads the request, calls one interaction and answers.
 * https://hl7.org/fhir/R4/http.html
 */

import { installedGuides } from '../conformance/package.ts'
import { profilesInForce } from '../conformance/profiles-in-force.ts'
import type { Context } from '../context.ts'
import { bundleText } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import { isObject, type Json, type Resource, writeJson } from '../fhir/json.ts'
import { outcomeText } from '../fhir/outcome.ts'
import { batch } from '../interactions/batch.ts'
import { capabilities } from '../interactions/capabilities.ts'
import { create } from '../interactions/create.ts'
import { conditionalDelete, remove } from '../interactions/delete.ts'
import { history, historyBundle } from '../interactions/history.ts'
import { isType } from '../interactions/identity.ts'
import { parsePairs } from '../interactions/pairs.ts'
import { conditionalPatch, type Patch, patch } from '../interactions/patch.ts'
import { etag, notModified } from '../interactions/preconditions.ts'
import { read } from '../interactions/read.ts'
import { search } from '../interactions/search.ts'
import { searchBundle } from '../interactions/search-bundle.ts'
import { shownOf, shownText, showsAll } from '../interactions/subset.ts'
import { transaction } from '../interactions/transaction.ts'
import { conditionalUpdate, update } from '../interactions/update.ts'
import { vread } from '../interactions/vread.ts'
import type { Deleted, Pairs, WriteOptions, Written } from '../interactions/written.ts'
import { OPERATIONS } from '../operations/registry.ts'
import { type HistoryScope, keyOf, type Live } from '../storage/port.ts'
import { terminologyCapabilities } from '../terminology/terminology-capabilities.ts'
import { binaryFrom, isBinary, isRawBinary, rawBinary } from './binary.ts'
import { formText, jsonOf, readBody, readJson } from './body.ts'
import type { C, Handler } from './exchange.ts'
import {
  bodyType,
  FHIR_JSON,
  FORM,
  JSON_PATCH,
  negotiate,
  type Prefer,
  prefer,
  WRITE_TYPES,
  withoutPresentation,
} from './negotiate.ts'
import { operate } from './operation-entries.ts'
import { queryText } from './query.ts'
import { pretty, type Send, versionHeaders, versionUrl } from './respond.ts'

/** What a handler learns of its request before it calls the interaction. */
interface Asked {
  /** '' where the route has none. */
  type: string
  id: string
  /** What is searched in the compartment of the resource: a type, or `*` for all. */
  inside: string
  /** Without those of presentation. */
  pairs: Pairs
  indent: boolean
  prefer: Prefer
}

export type FhirRoutes = ReturnType<typeof createFhirRoutes>

/** Returns the handlers of the REST interactions, by name. */
export function createFhirRoutes(send: Send) {
  const routes = {
    /** https://hl7.org/fhir/R4/http.html#read */
    read: handler('read', async (c, asked) =>
      answerRead(c, asked, await read(ctxOf(c), asked.type, asked.id)),
    ),

    /** https://hl7.org/fhir/R4/http.html#vread */
    vread: handler('vread', async (c, asked) => {
      const version = c.req.param('version') ?? ''
      return answerRead(c, asked, await vread(ctxOf(c), asked.type, asked.id, version))
    }),

    /** https://hl7.org/fhir/R4/http.html#create */
    create: handler('create', async (c, asked) => {
      noParameters(asked)
      const body = await resourceBody(c, asked.type)
      const criteria = c.req.raw.headers.get('if-none-exist')
      const options = criteria === null ? {} : { ifNoneExist: parsePairs(criteria.replace(/^[^=?]*\?/, '')) }
      return answerWrite(c, asked, await create(ctxOf(c), asked.type, body, options))
    }),

    /** https://hl7.org/fhir/R4/http.html#update */
    update: handler('update', async (c, asked) => {
      noParameters(asked)
      const body = await resourceBody(c, asked.type, asked.id)
      return answerWrite(c, asked, await update(ctxOf(c), asked.type, asked.id, body, writeOptions(c)))
    }),

    /** https://hl7.org/fhir/R4/http.html#cond-update */
    conditionalUpdate: handler('update', async (c, asked) => {
      const body = await resourceBody(c, asked.type)
      return answerWrite(
        c,
        asked,
        await conditionalUpdate(ctxOf(c), asked.type, asked.pairs, body, writeOptions(c)),
      )
    }),

    /** https://hl7.org/fhir/R4/http.html#patch */
    patch: handler('patch', async (c, asked) => {
      noParameters(asked)
      const change = await patchBody(c)
      return answerWrite(c, asked, await patch(ctxOf(c), asked.type, asked.id, change, writeOptions(c)))
    }),

    conditionalPatch: handler('patch', async (c, asked) => {
      const change = await patchBody(c)
      return answerWrite(
        c,
        asked,
        await conditionalPatch(ctxOf(c), asked.type, asked.pairs, change, writeOptions(c)),
      )
    }),

    /** https://hl7.org/fhir/R4/http.html#delete */
    delete: handler('delete', async (c, asked) => {
      noParameters(asked)
      return answerDelete(c, asked, await remove(ctxOf(c), asked.type, asked.id, writeOptions(c)))
    }),

    /** https://hl7.org/fhir/R4/http.html#3.1.0.7.1 */
    conditionalDelete: handler('delete', async (c, asked) => {
      const done = await conditionalDelete(ctxOf(c), asked.type, asked.pairs, writeOptions(c))
      return answerDelete(c, asked, done)
    }),

    /** https://hl7.org/fhir/R4/http.html#search */
    search: handler('search', (c, asked) => answerSearch(c, asked, asked.pairs)),

    searchByPost: handler('search', async (c, asked) => {
      const contentType = c.req.raw.headers.get('content-type')
      if (contentType !== null) bodyType(contentType, [FORM])
      const bytes = await readBody(c.req.raw, ctxOf(c).settings.limits.body)
      // Without a body there is nothing that could be of another type: the parameters are those of the URL.
      if (contentType === null && bytes.length > 0) bodyType(contentType, [FORM])
      const form = parsePairs(formText(bytes))
      const indent = asked.indent || negotiate(c.req.raw.headers.get('accept'), form)
      return answerSearch(c, { ...asked, indent }, [...asked.pairs, ...withoutPresentation(form)])
    }),

    /** https://hl7.org/fhir/R4/http.html#history */
    history: handler('history', async (c, asked) => {
      const scope: HistoryScope =
        asked.id !== '' ? { key: keyOf(asked.type, asked.id) } : asked.type !== '' ? { type: asked.type } : {}
      const result = await history(ctxOf(c), scope, asked.pairs, asked.prefer)
      return answer(c, asked, historyBundle(ctxOf(c), result), { 'Cache-Control': 'private, no-cache' })
    }),

    /** https://hl7.org/fhir/R4/http.html#transaction */
    bundle: handler('transaction', async (c, asked) => {
      noParameters(asked)
      bodyType(c.req.raw.headers.get('content-type'), WRITE_TYPES)
      const ctx = ctxOf(c)
      const bundle = await readJson(c.req.raw, ctx.settings.limits)
      if (!isObject(bundle) || bundle.resourceType !== 'Bundle')
        throw fhirError('invalid', 'What is posted here must be a Bundle.', { expression: 'Bundle' })
      const { type } = bundle
      if (type !== 'transaction' && type !== 'batch')
        throw fhirError('invalid', 'The Bundle must be of type transaction or batch.', {
          expression: 'Bundle.type',
        })
      c.get('exchange').interaction = type
      const options = { ...asked.prefer, metadata: () => statement(ctx), operate }
      const entries = await (type === 'batch' ? batch : transaction)(ctx, bundle as Resource, options)
      return answer(c, asked, bundleText({ type: `${type}-response`, entries }), {})
    }),

    /** https://hl7.org/fhir/R4/http.html#capabilities */
    capabilities: handler('capabilities', async (c, asked) => {
      const mode = asked.pairs.find(([name]) => name === 'mode')?.[1] ?? 'full'
      if (mode === 'terminology')
        return answer(c, asked, writeJson(await terminologyCapabilities(ctxOf(c))), {})
      if (mode !== 'full')
        throw fhirError('not-supported', 'Of /metadata there are mode=full and mode=terminology.', {
          expression: 'http.mode',
        })
      return answer(c, asked, await statement(ctxOf(c)), {})
    }),
  } satisfies Record<string, Handler>
  return routes

  function handler(interaction: string, act: (c: C, asked: Asked) => Promise<Response> | Response): Handler {
    return c => {
      const exchange = c.get('exchange')
      exchange.interaction = interaction
      const type = c.req.param('type') ?? ''
      const inside = c.req.param('inside') ?? ''
      const about = inside === '' ? type : inside
      if (isType(exchange.ctx, about)) exchange.type = about
      const { headers } = c.req.raw
      const query = queryText(c.req.raw.url)
      const all = query === '' ? [] : parsePairs(query)
      // Only a Binary is read in other formats; its handler negotiates by itself.
      const free = type === 'Binary' && (interaction === 'read' || interaction === 'vread')
      return act(c, {
        type,
        id: c.req.param('id') ?? '',
        inside,
        pairs: withoutPresentation(all),
        indent: negotiate(free ? null : headers.get('accept'), all),
        prefer: prefer(headers.get('prefer')),
      })
    }
  }

  function answer(c: C, asked: Asked, text: string, headers: Record<string, string>, status = 200) {
    return send(c, status, asked.indent ? pretty(text) : text, headers)
  }

  function answerRead(c: C, asked: Asked, stored: Live) {
    const shown = shownOf(asked.pairs, asked.prefer.lenient)
    const { headers } = c.req.raw
    const ifNoneMatch = headers.get('if-none-match')
    const ifModifiedSince = headers.get('if-modified-since')
    if (ifNoneMatch !== null || ifModifiedSince !== null) {
      const conditions = {
        ...(ifNoneMatch !== null && { ifNoneMatch }),
        ...(ifModifiedSince !== null && { ifModifiedSince }),
      }
      if (notModified(stored, conditions)) return send(c, 304, null, versionHeaders(stored))
    }
    if (asked.type === 'Binary' && showsAll(shown)) {
      const format = parsePairs(queryText(c.req.raw.url)).some(([name]) => name === '_format')
      const raw = rawBinary(stored, format ? FHIR_JSON : headers.get('accept'))
      if (raw !== undefined) {
        const all = { 'X-Request-Id': c.get('exchange').id, ...versionHeaders(stored), ...raw.headers }
        return new Response(c.req.raw.method === 'HEAD' ? null : raw.bytes, { headers: all })
      }
    }
    return answer(c, asked, shownText(stored.text, shown), versionHeaders(stored))
  }

  function answerWrite(c: C, asked: Asked, { stored, created }: Written) {
    const status = created ? 201 : 200
    const location = versionUrl(ctxOf(c).settings.baseUrl, stored)
    const headers = versionHeaders(stored)
    // Where the URL of the request does not name the resource, this tells the client which one it was.
    if (created || asked.id === '') headers.Location = location
    if (asked.prefer.return === 'minimal') return send(c, status, null, headers)
    if (asked.prefer.return === 'OperationOutcome')
      return answer(c, asked, done(`${stored.key} is stored as version ${stored.version}.`), headers, status)
    return answer(c, asked, stored.text, { ...headers, 'Content-Location': location }, status)
  }

  function answerDelete(c: C, asked: Asked, { stored }: Deleted) {
    const headers: Record<string, string> = stored.length === 1 ? { ETag: etag(stored[0]!) } : {}
    if (asked.prefer.return !== 'OperationOutcome') return send(c, 204, null, headers)
    return answer(c, asked, done(`Deleted: ${stored.length}.`), headers)
  }

  async function answerSearch(c: C, asked: Asked, pairs: Pairs) {
    const ctx = ctxOf(c)
    const { lenient } = asked.prefer
    const result =
      asked.inside === ''
        ? await search(ctx, asked.type || undefined, pairs, { lenient })
        : await search(ctx, asked.inside === '*' ? undefined : asked.inside, pairs, {
            lenient,
            compartment: { type: asked.type, id: asked.id },
          })
    return answer(c, asked, searchBundle(ctx, result), { 'Cache-Control': 'private, no-cache' })
  }
}

const FACTS = {
  formats: [FHIR_JSON, 'json'],
  patchFormats: [JSON_PATCH, FHIR_JSON],
  operations: OPERATIONS,
}

/** Half a megabyte that takes long to make; by registry, and by base URL, of which a proxy may give us several, packages and profiles. */
const statements = new WeakMap<Context['registry'], Map<string, string>>()
const MOST_STATEMENTS = 8

async function statement(ctx: Context): Promise<string> {
  const held = { guides: await installedGuides(ctx), profiles: await profilesInForce(ctx) }
  const name = [ctx.settings.baseUrl, ...held.guides, ...[...held.profiles].flat(2)].join(' ')
  const made = statements.get(ctx.registry) ?? new Map<string, string>()
  statements.set(ctx.registry, made)
  let text = made.get(name)
  if (text === undefined) {
    text = writeJson(capabilities(ctx, FACTS, held))
    if (made.size >= MOST_STATEMENTS) made.clear()
    made.set(name, text)
  }
  return text
}

const ctxOf = (c: C) => c.get('exchange').ctx

const done = (diagnostics: string): string =>
  outcomeText([{ severity: 'information', code: 'informational', diagnostics }])

function writeOptions(c: C): WriteOptions {
  const { headers } = c.req.raw
  const [ifMatch, ifNoneMatch] = [headers.get('if-match'), headers.get('if-none-match')]
  const ifUnmodifiedSince = headers.get('if-unmodified-since')
  return {
    ...(ifMatch !== null && { ifMatch }),
    ...(ifNoneMatch !== null && { ifNoneMatch }),
    ...(ifUnmodifiedSince !== null && { ifUnmodifiedSince }),
  }
}

/** Throws `not-supported` for parameters where the interaction takes none, unless the client prefers lenient handling. */
function noParameters({ pairs, prefer: { lenient } }: Asked): void {
  const [first] = pairs
  if (first !== undefined && !lenient)
    throw fhirError('not-supported', `The parameter ${first[0].slice(0, 64)} has no meaning here.`, {
      expression: 'http',
    })
}

async function resourceBody(c: C, type: string, id?: string): Promise<Json> {
  const { headers } = c.req.raw
  const { limits } = ctxOf(c).settings
  if (type === 'Binary' && isRawBinary(headers.get('content-type')))
    return binaryFrom(await readBody(c.req.raw, limits.body), headers, id)
  bodyType(headers.get('content-type'), WRITE_TYPES)
  if (type !== 'Binary') return readJson(c.req.raw, limits)
  const bytes = await readBody(c.req.raw, limits.body)
  const body = jsonOf(bytes, limits)
  return isBinary(body) ? body : binaryFrom(bytes, headers, id)
}

async function patchBody(c: C): Promise<Patch> {
  const media = bodyType(c.req.raw.headers.get('content-type'), [JSON_PATCH, FHIR_JSON, 'application/json'])
  const body = await readJson(c.req.raw, ctxOf(c).settings.limits)
  // Plain application/json says nothing; a JSON Patch is an array, a Parameters resource an object.
  const json = media.type === JSON_PATCH || (media.type !== FHIR_JSON && Array.isArray(body))
  return { kind: json ? 'json' : 'fhirpath', body }
}
