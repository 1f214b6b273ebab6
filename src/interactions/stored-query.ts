/**
 * Searches that are too long for a URL: kept for a day, and named by an id in the links of their pages.
 * https://hl7.org/fhir/R4/search.html#Introduction
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { toBase64 } from '../lib/base64.ts'
import type { Pairs } from './written.ts'

/** The parameter that names a stored query. */
export const STORED = '_stored'

/** How long a search is kept after it was last asked for in full, ms. */
const KEPT_MS = 24 * 3_600_000

/** What one row holds on every backend, however many bytes a character has. */
const MOST_CHARACTERS = 600_000

/**
 * Keeps the parameters of a search for its asker, and returns the id. The same search of the same asker has the same id, so that who
 * polls does not fill the store.
 *
 * Throws `too-costly` (413) where the search is too long even for that.
 */
export async function storeQuery(ctx: Context, path: string, pairs: Pairs): Promise<string> {
  const text = JSON.stringify(pairs)
  if (text.length > MOST_CHARACTERS)
    throw fhirError('too-costly', 'The search is too long for the links of its pages: ask for less at once.')
  const id = await idOf(ctx, path, text)
  await ctx.storage.remember(nameOf(ctx, path, id), text, ctx.clock() + KEPT_MS)
  return id
}

/**
 * Returns the parameters of a stored query.
 *
 * Throws `not-found` (410) where its time has run out, or where it is another asker's or of another path.
 */
export async function recallQuery(ctx: Context, path: string, id: string): Promise<Pairs> {
  const text = ID.test(id) ? await ctx.storage.recall(nameOf(ctx, path, id)) : undefined
  if (text === undefined)
    throw fhirError(
      'not-found',
      'This search is kept no more: long searches are kept for 24 hours, each for who asked it. Please search again.',
      { status: 410, expression: `http.${STORED}` },
    )
  return JSON.parse(text) as Pairs
}

const ID = /^[A-Za-z0-9_-]{43}$/

const nameOf = (ctx: Context, path: string, id: string): string => `query ${ctx.principal.id} ${path} ${id}`

/** Under a key of the store's own, or an id would tell who guesses the search that it is the right one. */
async function idOf(ctx: Context, path: string, text: string): Promise<string> {
  const secret = await ctx.storage.keep(
    'stored-query-key',
    toBase64(crypto.getRandomValues(new Uint8Array(32))),
  )
  const encoder = new TextEncoder()
  const hash = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), hash, false, ['sign'])
  const signed = await crypto.subtle.sign(
    'HMAC',
    key,
    encoder.encode(`${ctx.principal.id}\n${path}\n${text}`),
  )
  return toBase64(new Uint8Array(signed)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
