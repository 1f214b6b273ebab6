/** All that a plan finds, page by page, none of which holds more than one answer does. */
import type { Context } from '../context.ts'
import type { SearchPlan } from '../search/plan-node.ts'
import type { Cursor, Live } from '../storage/port.ts'

/** Largest bodies that one answer holds. */
const BODIES = 4

/** Returns the most characters of resources in one answer. */
export const mostCharacters = ({ settings }: Pick<Context, 'settings'>): number =>
  settings.limits.body * BODIES

export interface SearchPage {
  rows: readonly Live[]
  /** Another page follows. */
  more: boolean
}

/** Yields the pages, each of `limit` rows at most. Throws `too-costly` (503) at the deadline, ms since 1970, where the backend can end a search. */
export async function* searchPages(
  { storage, settings }: Pick<Context, 'storage' | 'settings'>,
  plan: SearchPlan,
  options: { limit: number; deadline?: number },
): AsyncGenerator<SearchPage> {
  const bytes = mostCharacters({ settings })
  let after: Cursor | undefined
  do {
    const page = await storage.search(plan, { ...options, total: 'none', bytes, ...(after && { after }) })
    after = page.more ? page.last : undefined
    yield { rows: page.rows as Live[], more: after !== undefined }
  } while (after !== undefined)
}
