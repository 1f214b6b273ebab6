/** Many resources by their keys, without more of them in memory at once than their size allows. */

import { mostCharacters } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import type { Key, Live } from '../storage/port.ts'

/** Resources of the first read, whose size is not known, and of any. */
const FIRST = 16
const MOST = 1000

/** Yields the live ones in the order of their keys. As many are read at once as one answer holds, by the size of those before. */
export async function* readEach(ctx: Context, keys: readonly Key[]): AsyncGenerator<Live> {
  let atOnce = FIRST
  for (let at = 0; at < keys.length; ) {
    const part = keys.slice(at, at + atOnce)
    at += part.length
    const stored = await ctx.storage.readMany(part)
    let characters = 0
    for (const { text } of stored.values()) characters += text?.length ?? 0
    for (const key of part) {
      const row = stored.get(key)
      if (row?.text !== undefined) yield row as Live
    }
    const fitting = characters === 0 ? MOST : Math.floor((mostCharacters(ctx) * part.length) / characters)
    atOnce = Math.max(1, Math.min(MOST, atOnce * 8, fitting))
  }
}
