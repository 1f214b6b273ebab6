/**
 * How much one patch may do: an operation of fifty bytes can look through a million values, and a body holds thousands of them.
 * https://www.rfc-editor.org/rfc/rfc6902#section-5
 */

/** Values that the operations of one patch may look at, together: a second or two. Patches of people are far below. */
const MOST = 2_000_000
/** Items of a list that are moved on in the time of looking at one value. */
const MOVED_AT_ONCE = 64

/** What is left to one patch, in values to look at. */
export interface PatchWork {
  left: number
}

export const patchWork = (): PatchWork => ({ left: MOST })

/** Takes `values` from what is left. Throws what `fail` makes of it where that is not enough. */
export function spend(work: PatchWork, values: number, fail: (why: string) => Error): void {
  work.left -= values
  if (work.left < 0) throw fail('the patch is too much work; send it in several pieces')
}

/** Takes the work of moving on `items` of a list, to make or to close a gap. */
export const spendMoves = (work: PatchWork, items: number, fail: (why: string) => Error): void =>
  spend(work, items / MOVED_AT_ONCE, fail)
