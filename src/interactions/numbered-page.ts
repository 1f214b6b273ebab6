/** Pages by their number, for clients that ask for the seventh one; FHIR's own go on from where the one before ended. */
import { mostCharacters } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import type { SearchPlan } from '../search/plan-node.ts'
import type { Cursor, Live } from '../storage/port.ts'

/** Rows that are passed over at once on the way to a later page. */
const STRIDE = 500

export interface NumberedPage {
  rows: Live[]
  /** Of all that is found. */
  count: number
  page: number
  pages: number
}

/**
 * Returns a page of what the plan finds, `size` rows long, the first being 1; undefined where there is none of that number. There is a first
 * one always.
 *
 * Throws `too-costly` (503) where the way to it takes too long.
 */
export async function numberedPage(
  ctx: Context,
  plan: SearchPlan,
  asked: number | 'last',
  size: number,
): Promise<NumberedPage | undefined> {
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const first = await ctx.storage.search(plan, { limit: asked === 1 ? size : 0, total: 'accurate', deadline })
  const count = first.total ?? 0
  const pages = Math.max(1, Math.ceil(count / size))
  const page = asked === 'last' ? pages : asked
  if (page < 1 || page > pages) return undefined
  const rows = asked === 1 ? first.rows : await rowsFrom(ctx, plan, (page - 1) * size, size, deadline)
  return { rows: rows as Live[], count, page, pages }
}

async function rowsFrom(
  ctx: Context,
  plan: SearchPlan,
  skip: number,
  size: number,
  deadline: number,
): Promise<Live[]> {
  let after: Cursor | undefined
  for (let left = skip; ; ) {
    const page = await ctx.storage.search(plan, {
      limit: left > 0 ? Math.min(left, STRIDE) : size,
      total: 'none',
      deadline,
      ...(left > 0 && { bytes: mostCharacters(ctx) }),
      ...(after !== undefined && { after }),
    })
    if (left <= 0) return page.rows as Live[]
    left -= page.rows.length
    after = page.last
    if (!page.more || after === undefined) return []
  }
}
