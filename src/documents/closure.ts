/** All resources of a document: what its sections hold, and what that needs, in the order in which it is met. */
import type { Context } from '../context.ts'
import { type Key, typeOf } from '../storage/port.ts'
import { type Adapting, adapt } from './adapt.ts'
import { profileOf } from './profiles.ts'
import { bringsAlong, isOfAnother, referencesIn, type Subject } from './references.ts'
import type { WellnessKind } from './rules.ts'
import { keyIn, type Library, type Source } from './source.ts'

export interface Member {
  source: Source
  /** The name of its NRCeS profile. */
  profile: string | undefined
}

export interface ClosureOptions {
  /** These come in whosever they are: the Composition itself names them. */
  direct?: ReadonlySet<Key>
  /** They are changed to what the NRCeS profiles ask for. */
  adapts?: boolean
}

/** Returns the members, adapted to their profiles; what they lack is said to `by.missing`. */
export async function closureOf(
  ctx: Context,
  library: Library,
  roots: readonly Source[],
  subject: Subject,
  parts: ReadonlyMap<Key, WellnessKind>,
  by: Adapting,
  { direct = new Set<Key>(), adapts = true }: ClosureOptions = {},
): Promise<Member[]> {
  const members = new Map<Key, Member>()
  let level: readonly Source[] = roots
  while (level.length > 0) {
    const wanted: Key[] = []
    for (const source of level) {
      if (members.has(source.key)) continue
      if (!direct.has(source.key) && isOfAnother(ctx, source, subject)) continue
      const profile = adapts ? profileOf(source.tree, parts.get(source.key)) : undefined
      if (adapts) await adapt(source, profile, by)
      members.set(source.key, { source, profile })
      wanted.push(...bringsAlong(ctx, source, subject))
    }
    level = await library.take(wanted.filter(key => !members.has(key)))
  }
  return [...members.values()]
}

/** Types whose name may stand for them where they are not in the document. */
const NAMED: ReadonlySet<string> = new Set(['CareTeam', 'HealthcareService', 'Endpoint', 'Account', 'Group'])

/** Returns the names of what members refer to and the document does not hold. */
export async function outsideNames(
  ctx: Context,
  library: Library,
  members: readonly Member[],
): Promise<Map<Key, string>> {
  const keys = members.flatMap(({ source }) =>
    referencesIn(source.tree).flatMap(({ reference }) =>
      reference.display === undefined ? (keyIn(ctx, reference.reference) ?? []) : [],
    ),
  )
  const found = await library.take(keys.filter(key => NAMED.has(typeOf(key))))
  return new Map(
    found.flatMap(({ key, tree }) => (typeof tree.name === 'string' ? [[key, tree.name] as const] : [])),
  )
}
