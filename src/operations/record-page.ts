/** One page of a record: as many searches as it takes to fill it, within bounds of rows, bytes and time. */
import type { Context } from '../context.ts'
import type { Cursor, Live, SearchOptions } from '../storage/port.ts'
import type { Asked } from './record.ts'

/** Searches for one page: where most of a record is passed over, the page ends with what it has. */
const SEARCHES = 20

/** Where a page begins: after the rows that the cursor names; none of them were read where it names none. */
export interface From {
  /** As `sent-keys.ts` writes them. */
  sent: string
  after: Cursor | undefined
}

export interface RecordPage {
  /** What is shown as part of the record, the root first. */
  matches: readonly Live[]
  /** What was looked at and taken, shown or not. */
  walked: readonly Live[]
  /** Where the next page begins, empty for the first member; undefined where there is none. */
  next: Cursor | undefined
}

/** Returns the page that begins at the cursor, of `most` rows walked at most. Throws as the storage's search does. */
export async function pageOf(
  ctx: Context,
  asked: Asked,
  from: From | undefined,
  most = Number.POSITIVE_INFINITY,
): Promise<RecordPage> {
  const matches: Live[] = []
  const walked: Live[] = []
  const take = (row: Live): void => {
    walked.push(row)
    if (asked.shows(row)) matches.push(row)
  }
  if (from === undefined && asked.root !== undefined) take(asked.root)
  let after = from?.after
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  let room = ctx.settings.limits.body
  for (let n = 0; n < SEARCHES && room > 0; n++) {
    const limit = Math.min(asked.count - matches.length, most - walked.length)
    if (limit <= 0 || (n > 0 && ctx.clock() > deadline)) break
    const options: SearchOptions = { limit, total: 'none', deadline, bytes: room }
    if (after !== undefined) options.after = after
    const page = await ctx.storage.search(asked.plan, options)
    for (const row of page.rows as Live[]) {
      room -= row.text.length
      if (asked.takes(row)) take(row)
    }
    if (!page.more) return { matches, walked, next: undefined }
    after = page.last
  }
  return { matches, walked, next: after ?? [] }
}
