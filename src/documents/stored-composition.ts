/**
 * The document of a Composition that is stored: it and all that it refers to.
 * https://hl7.org/fhir/R4/composition-operation-document.html
 */
import type { Context } from '../context.ts'
import { object, objects, texts } from '../fhir/tree.ts'
import { derivedId } from '../lib/derived-id.ts'
import { type Key, keyOf } from '../storage/port.ts'
import type { Adapting } from './adapt.ts'
import { addressesOf, assemble, type Built, newestOf } from './assemble.ts'
import { closureOf, type Member } from './closure.ts'
import { displaysOf } from './display.ts'
import { isMistake } from './gather.ts'
import { byGraph } from './graph.ts'
import { HI_TYPES, profileUrl, RECORD_KINDS } from './hi-types.ts'
import { type Missing, missingList } from './missing.ts'
import { isFileOfAnother, isOfAnother, referencesIn, type Subject } from './references.ts'
import { one } from './request.ts'
import type { WellnessKind } from './rules.ts'
import { keyIn, type Library, libraryOf, type Source } from './source.ts'

/**
 * Returns the document. A Composition of an NRCeS record becomes a document of NRCeS, with all resources in the form that its profiles ask
 * for; any other is bundled as it is. `graph` is the canonical of a GraphDefinition, for what is to come along besides.
 *
 * Throws as `read` does for the Composition and the graph; `business-rule` (422) for what it refers to and is not here, and for what is
 * missing for a valid record.
 */
export async function documentOf(ctx: Context, id: string, graph?: string): Promise<Built> {
  const library = libraryOf(ctx)
  const missing = missingList()
  const composition = await one(ctx, library, keyOf('Composition', id))
  const kind = kindOf(composition)
  const direct: Key[] = []
  for (const { reference, way } of referencesIn(composition.tree)) {
    const key = keyIn(ctx, reference.reference)
    if (key !== undefined) direct.push(key)
    else if (!(reference.reference as string).startsWith('#'))
      missing.say(
        composition.key,
        `Composition.${way}`,
        'document-reference',
        `${String(reference.reference).slice(0, 200)} is not on this server, and a document holds all that its Composition refers to. Store it here`,
      )
  }
  const found = await library.take(direct)
  for (const key of direct)
    if (!found.some(source => source.key === key))
      missing.say(
        composition.key,
        'Composition',
        'document-reference',
        `there is no ${key}, to which it refers. Store it, or take the reference out`,
      )
  const patient = keyIn(ctx, object(composition.tree.subject)?.reference)
  const subject = {
    patient: patient ?? ('Patient/' as Key),
    encounter: keyIn(ctx, object(composition.tree.encounter)?.reference),
  }
  if (kind !== undefined) await checkOwn(ctx, library, composition, found, subject, missing)
  const by: Adapting = { ctx, library, subject, display: displaysOf(ctx), missing }
  const chosen = graph === undefined ? [] : await byGraph(ctx, library, graph, composition)
  const parts = kind?.hiType === 'WellnessRecord' ? wellnessParts(ctx, composition) : new Map()
  const members = await closureOf(ctx, library, [...found, ...chosen], parts, by, {
    direct: new Set(direct),
    adapts: kind !== undefined,
  })
  const root: Member = { source: composition, profile: kind?.profile }
  missing.check()

  const all = [root, ...members]
  const { baseUrl } = ctx.settings
  const seriesId = await derivedId(baseUrl, 'document', composition.key, graph ?? '')
  const urls = await addressesOf(ctx, all)
  return assemble(ctx, library, {
    seriesId,
    stamp: newestOf(all),
    nrces: kind !== undefined,
    members: all,
    urls,
  })
}

/** A health record is handed on: it says what is so, and of its patient alone. */
async function checkOwn(
  ctx: Context,
  library: Library,
  composition: Source,
  found: readonly Source[],
  subject: Subject,
  missing: Missing,
): Promise<void> {
  const say = (element: string, what: string): void =>
    missing.say(composition.key, element, 'document-subject', what)
  if (isMistake(composition))
    say('Composition.status', 'it was entered in error, and no record is made of it. Correct its status')
  for (const one of found)
    if (isOfAnother(ctx, one, subject) || (await isFileOfAnother(ctx, library, one, subject)))
      say('Composition', `${one.key} is about another patient. Take the reference out`)
}

function kindOf({ tree }: Source) {
  const stated = texts(object(tree.meta)?.profile).map(url => url.split('|')[0])
  return HI_TYPES.map(hiType => RECORD_KINDS[hiType]).find(({ profile }) =>
    stated.includes(profileUrl(profile)),
  )
}

/** Returns which wellness profile an Observation is of: by the title of its section, which the profile fixes. */
function wellnessParts(ctx: Context, { tree }: Source): Map<Key, WellnessKind> {
  const parts = new Map<Key, WellnessKind>()
  for (const section of objects(tree.section)) {
    const named = RECORD_KINDS.WellnessRecord.sections.find(({ title }) => title === section.title)
    for (const { reference } of objects(section.entry)) {
      const key = keyIn(ctx, reference)
      if (named !== undefined && key !== undefined) parts.set(key, named.name as WellnessKind)
    }
  }
  return parts
}
