/** All resources of a document: what its sections hold, and what that needs, in the order in which it is met. */
import type { Context } from '../context.ts'
import { type Key, typeOf } from '../storage/port.ts'
import { type Adapting, adapt } from './adapt.ts'
import { isMistake } from './gather.ts'
import { profileOf } from './profiles.ts'
import { bringsAlong, isFileOfAnother, isOfAnother, namesPerson, referencesIn } from './references.ts'
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
  parts: ReadonlyMap<Key, WellnessKind>,
  by: Adapting,
  { direct = new Set<Key>(), adapts = true }: ClosureOptions = {},
): Promise<Member[]> {
  const { subject } = by
  const members = new Map<Key, Member>()
  const refused = new Set<Key>()
  const asked = new Set(roots.map(({ key }) => key))
  let level: readonly Source[] = roots
  while (level.length > 0) {
    const wanted: Key[] = []
    for (const source of level) {
      if (members.has(source.key)) continue
      const isStrange =
        isOfAnother(ctx, source, subject) ||
        (await isFileOfAnother(ctx, library, source, subject)) ||
        (isMistake(source) && !asked.has(source.key))
      if (isStrange && !direct.has(source.key)) {
        refused.add(source.key)
        continue
      }
      const profile = adapts ? profileOf(source.tree, parts.get(source.key)) : undefined
      if (adapts) await adapt(source, profile, by)
      members.set(source.key, { source, profile })
      wanted.push(...bringsAlong(ctx, source, subject))
    }
    level = await library.take(wanted.filter(key => !members.has(key)))
  }
  for (const { source } of members.values()) unname(ctx, source, members, refused)
  return [...members.values()]
}

/** Takes the names of those who do not come in out of a resource. */
function unname(
  ctx: Context,
  { tree }: Source,
  members: ReadonlyMap<Key, Member>,
  refused: ReadonlySet<Key>,
): void {
  for (const { reference } of referencesIn(tree)) {
    const stated = reference.reference as string
    const key = keyIn(ctx, stated)
    if (key !== undefined && members.has(key)) continue
    if (!namesPerson(ctx, stated) && (key === undefined || !refused.has(key))) continue
    delete reference.display
    delete reference._display
    delete reference.identifier
  }
}

/** Types whose name may stand for them where they are not in the document. */
const NAMED: ReadonlySet<string> = new Set(['CareTeam', 'HealthcareService', 'Endpoint', 'Account'])

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
