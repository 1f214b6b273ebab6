/**
 * How large an answer may become. Answers are joined in memory, where a hundred resources of 32 MB each would end the server; a page may
 * hold less than was asked for. https://hl7.org/fhir/R4/search.html#count
 */
import { mostCharacters } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import type { Page } from '../storage/port.ts'
import { failedEntry } from './entry-response.ts'

/**
 * Returns a page that fits into one answer, of one row at least. `read` returns the page of at most so many rows; it is asked again where
 * that is too large.
 */
export async function fittingPage<P extends Page>(
  ctx: Context,
  limit: number,
  read: (limit: number) => Promise<P>,
): Promise<P> {
  for (let most = limit; ; ) {
    const page = await read(most)
    const fit = rowsThatFit(page, mostCharacters(ctx))
    if (fit === page.rows.length) return page
    most = fit
  }
}

/** Returns the characters of all texts. */
export const charactersOf = (rows: readonly { text: string }[]): number =>
  rows.reduce((sum, { text }) => sum + text.length, 0)

function rowsThatFit({ rows }: Page, most: number): number {
  let left = most
  for (let i = 0; i < rows.length; i++) {
    left -= rows[i]!.text?.length ?? 0
    if (left < 0 && i > 0) return i
  }
  return rows.length
}

/** The characters left to the resources in the answer to a Bundle. */
export interface Room {
  left: number
}

export const roomOf = (ctx: Context): Room => ({ left: mostCharacters(ctx) })

/** Throws `too-costly` where nothing more fits. */
export function checkRoom({ left }: Room): void {
  if (left < 0)
    throw fhirError(
      'too-costly',
      'The answers to the entries before are too large for one Bundle: ask this by itself.',
    )
}

/**
 * Returns the entry where its resource fits. Where not, a write is answered without the resource, for it is done, and a read with an error.
 */
export function fitting(room: Room, entry: BundleEntry, isRead: boolean): BundleEntry {
  const { resource, fullUrl: _, ...rest } = entry
  if (resource === undefined) return entry
  room.left -= resource.length
  try {
    checkRoom(room)
  } catch (error) {
    return isRead ? failedEntry(error) : rest
  }
  return entry
}
