/** The order of a queue: who stands where, who is next, and who is to be told. Pure; what is stored comes from `token.ts`. */

import type { Notice, Token, Told } from './token.ts'
import { IN_LINE } from './token-status.ts'

/** Returns those who stand in line, first to last: put-ahead tokens at their new place, equal ones by number. */
export const lineOf = (tokens: readonly Token[]): Token[] =>
  tokens
    .filter(({ state }) => IN_LINE.has(state))
    .sort((a, b) => a.order - b.order || numberFor(a) - numberFor(b) || (a.key < b.key ? -1 : 1))

const numberFor = ({ number }: Token): number => number ?? Number.MAX_SAFE_INTEGER

/** Returns the position, 1 for the first, that is next: behind who is called or being served, if anybody is. */
export const nextPosition = (line: readonly Token[]): number =>
  line.some(({ state }) => state !== 'waiting') ? 2 : 1

/** Returns who is to be called next: the first in line who waits. */
export const nextToCall = (line: readonly Token[]): Token | undefined =>
  line.find(({ state }) => state === 'waiting')

/** The fifth is told so first; being next or called is told to the same token in a later pass. */
const FIFTH = 5

/**
 * Returns what is to be told to whom in a queue as it stands now: each notice once per token, `told` being what it was told before; and
 * once more on its day where that was `early`. A token that is fifth is told nothing else in the same pass.
 */
export function queueNotices(tokens: readonly Token[], early: boolean): { token: Token; told: Told }[] {
  const line = lineOf(tokens)
  const next = nextPosition(line)
  return line.flatMap((token, index) => {
    const position = index + 1
    const due = (notice: Notice, holds: boolean) =>
      holds && !token.told.some(one => one.notice === notice && (early || !one.early))
        ? [{ token, told: { notice, position, early } }]
        : []
    const fifth = due('fifth', position === FIFTH)
    if (fifth.length > 0) return fifth
    return [
      ...due('next', position === next && token.state === 'waiting'),
      ...due('called', token.state === 'called'),
    ]
  })
}

/** The least difference of two orders that still has room between. */
const LEAST = 1e-6

/**
 * Returns the order that puts a token before another one of the line; undefined where there is no room left between that one and who
 * stands before it.
 */
export function orderBefore(line: readonly Token[], moved: Token, target: Token): number | undefined {
  const others = line.filter(({ key }) => key !== moved.key)
  const at = others.findIndex(({ key }) => key === target.key)
  const before = others[at - 1]
  if (before === undefined) return target.order - 1
  const gap = target.order - before.order
  return gap < LEAST ? undefined : before.order + gap / 2
}
