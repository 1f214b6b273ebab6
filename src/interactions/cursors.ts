/** Cursors of this server: sealed with the key that its storage keeps for all instances. */
import type { Context } from '../context.ts'
import {
  CURSOR_KEY,
  type CursorScope,
  importCursorKey,
  newCursorKey,
  openCursor,
  sealCursor,
} from '../search/cursor.ts'
import { indexFingerprint } from '../search/index-fingerprint.ts'
import type { Cursor, Storage } from '../storage/port.ts'

/** A page that follows the cursor, or one that ends before it. */
export type Way = CursorScope['direction']

export interface Place {
  way: Way
  cursor: Cursor
}

/** The key never changes; asking storage for it once is enough. */
const keys = new WeakMap<Storage, Promise<CryptoKey>>()

function keyOf({ storage }: Context): Promise<CryptoKey> {
  const known = keys.get(storage)
  if (known !== undefined) return known
  const key = storage.keep(CURSOR_KEY, newCursorKey()).then(importCursorKey)
  keys.set(storage, key)
  // A store that does not answer now may answer later.
  key.catch(() => keys.delete(storage))
  return key
}

const scopeOf = (ctx: Context, fingerprint: string, direction: Way): CursorScope => ({
  fingerprint,
  principal: ctx.principal.id,
  // The names of custom parameters in the plan say which definition they are of.
  index: indexFingerprint(ctx.settings),
  direction,
})

/** Stands before the cursors of previous pages; a sealed text never begins so. */
const BACKWARDS = 'b.'

/** Returns the text of a place for a URL. `fingerprint` names the search or history that it is good for. */
export async function sealPlace(ctx: Context, fingerprint: string, { way, cursor }: Place): Promise<string> {
  const sealed = await sealCursor(cursor, scopeOf(ctx, fingerprint, way), await keyOf(ctx))
  return way === 'before' ? BACKWARDS + sealed : sealed
}

/** Returns the place that a text of ours names. Throws `invalid` for any other. */
export async function openPlace(ctx: Context, fingerprint: string, text: string): Promise<Place> {
  const way = text.startsWith(BACKWARDS) ? 'before' : 'after'
  const sealed = way === 'before' ? text.slice(BACKWARDS.length) : text
  return { way, cursor: await openCursor(sealed, scopeOf(ctx, fingerprint, way), await keyOf(ctx)) }
}
