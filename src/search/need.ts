/** What planning needs to know from the store, or the refusal where it cannot be known. */
import { type Ask, type Known, type Need, refusal, Unresolved, unsupported } from './ask.ts'

/** Codes or ids that one value may stand for. */
export const MAX_KNOWN = 10_000

type Found = Exclude<Known, { unknown: string }>

/**
 * Returns what is known of a need.
 *
 * Throws Unresolved where it was not looked up yet, `not-supported` where nothing can be looked up, `invalid` where it cannot be told, and
 * `too-costly` for more than MAX_KNOWN.
 */
function knownOf({ criterion, context }: Pick<Ask, 'criterion' | 'context'>, need: Need): Found {
  if (context.known === undefined)
    throw unsupported(
      criterion,
      `"${criterion.name}" asks for what only the store can tell, which cannot be looked up here.`,
    )
  const known = context.known(need)
  if (known === undefined) throw new Unresolved(need)
  if ('unknown' in known) throw refusal(criterion, known.unknown)
  const size = 'codes' in known ? known.codes.length : known.ids.length
  if (size > MAX_KNOWN)
    throw refusal(
      criterion,
      `The value of "${criterion.name}" stands for ${size} values; ${MAX_KNOWN} are the most that one search can ask for.`,
      'too-costly',
    )
  return known
}

/** Returns the codes of a need for codes. Throws as `knownOf` does. */
export function knownCodes(
  ask: Pick<Ask, 'criterion' | 'context'>,
  need: Extract<Need, { is: 'value-set' | 'codes' }>,
): readonly { system: string; code: string }[] {
  const known = knownOf(ask, need)
  return 'codes' in known ? known.codes : []
}

/** Returns the ids of a need for resources. Throws as `knownOf` does. */
export function knownIds(
  ask: Pick<Ask, 'criterion' | 'context'>,
  need: Extract<Need, { is: 'resources' }>,
): readonly string[] {
  const known = knownOf(ask, need)
  return 'ids' in known ? known.ids : []
}
