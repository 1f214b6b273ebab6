/**
 * Builds the NRCeS document Bundle of one health record from what is stored. The same input gives the same Bundle, byte by byte.
 * https://hl7.org/fhir/R4/documents.html, https://nrces.in/ndhm/fhir/r4/StructureDefinition-DocumentBundle.html
 */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { text } from '../fhir/tree.ts'
import { derivedId } from '../lib/derived-id.ts'
import type { Key } from '../storage/port.ts'
import { addressesOf, assemble, type Built, newestOf } from './assemble.ts'
import { authorsOf, custodianOf } from './author.ts'
import { closureOf } from './closure.ts'
import { compositionOf } from './composition.ts'
import { lastDate } from './date.ts'
import { displaysOf } from './display.ts'
import type { RecordKind, SectionKind } from './hi-types.ts'
import { type Missing, missingList } from './missing.ts'
import { type Picked, pick } from './pick.ts'
import { subjectOf } from './references.ts'
import { type DocumentRequest, type Read, readRequest } from './request.ts'
import type { WellnessKind } from './rules.ts'
import { libraryOf, type Source } from './source.ts'

/** What is made just now and is not stored yet; and where it stands, instead of where the rules would put it. */
export interface Making {
  made: readonly Source[]
  /** Keys by section. */
  sections?: ReadonlyMap<string, readonly Key[]>
  /** Sections after those of the profile, which leaves its end open. */
  extra?: readonly SectionKind[]
}

/**
 * Returns the document.
 *
 * Throws `business-rule` (422) with every thing that is missing for a valid record, each by its resource and element; as `read` does for
 * what the request names; `multiple-matches` (422) where it has to name one resource of several.
 */
export async function buildDocument(ctx: Context, request: DocumentRequest, making?: Making): Promise<Built> {
  const library = libraryOf(ctx, making?.made)
  const missing = missingList()
  const read = await readRequest(ctx, library, request, missing)
  if (read === undefined) throw failed(missing)
  const { kind, patient, encounter, asked } = read
  const picked =
    making?.sections === undefined
      ? await pick(ctx, library, kind, asked)
      : new Map(
          await Promise.all(
            [...making.sections].map(async ([name, keys]) => [name, await library.take(keys)] as const),
          ),
        )
  const entries = [...picked.values()].flat()
  checkPlaced(kind, asked.given, entries)
  sayEmpty(read, picked, missing)
  const authors = await authorsOf(ctx, library, request, read, entries, missing)
  const custodian = await custodianOf(ctx, library, request, read)

  const subject = subjectOf(patient.id, encounter?.id)
  const roots = [
    patient,
    ...(encounter ? [encounter] : []),
    ...authors,
    ...(custodian ? [custodian] : []),
    ...entries,
  ]
  const parts = partsOf(kind, picked)
  const by = { ctx, library, subject, display: displaysOf(ctx), missing }
  const members = await closureOf(ctx, library, roots, parts, by)
  missing.check()

  const { baseUrl } = ctx.settings
  const of = asked.scope.encounter === undefined ? patient.key : `Encounter/${asked.scope.encounter}`
  const { start = '', end = '', series = '', resources = [] } = request
  const seriesId = await derivedId(baseUrl, 'document', kind.hiType, of, start, end, series, ...resources)
  const stamp = newestOf(members)
  const date = request.date ?? lastDate(encounter, entries, ctx.settings.zone) ?? stamp
  const urls = await addressesOf(ctx, members)
  const composition = compositionOf({
    kind,
    seriesId,
    stamp,
    date,
    title: request.title ?? kind.title,
    status: isOver(encounter) ? 'final' : 'preliminary',
    patient,
    encounter,
    authors,
    custodian,
    picked,
    extra: making?.extra ?? [],
    fullUrlOf: ({ key }) => urls.get(key)!,
    zone: ctx.settings.zone,
  })
  return assemble(ctx, library, { seriesId, stamp, nrces: true, composition, members, urls })
}

const failed = (missing: Missing): FhirError =>
  new FhirError('business-rule', missing.issues, { status: 422 })

/** Throws `invalid` where the document would be silent about what the caller names. */
function checkPlaced({ hiType }: RecordKind, given: readonly Source[], entries: readonly Source[]): void {
  const lost = given.find(one => !entries.includes(one))
  if (lost === undefined) return
  throw fhirError('invalid', `${lost.key} has no place in a document of the kind ${hiType}.`, {
    expression: 'http.resource',
  })
}

/** Says where a record that needs something in it has nothing. */
function sayEmpty({ kind, encounter, patient, asked }: Read, picked: Picked, missing: Missing): void {
  const of = encounter?.key ?? patient.key
  if (kind.encounter && encounter === undefined)
    missing.say(
      of,
      'Composition.encounter',
      `${kind.profile}.encounter`,
      `the document is of an encounter. Call the operation on it: Encounter/[id]/$document`,
    )
  if (picked.size > 0) return
  const wanted = [...new Set(kind.sections.flatMap(({ rules }) => rules.map(({ type }) => type)))]
  const where =
    asked.scope.encounter === undefined
      ? asked.scope.period
        ? ' in the period'
        : ''
      : ' with this encounter'
  missing.say(
    of,
    'Composition.section',
    `${kind.profile}.section`,
    `there is nothing for the document: no ${wanted.join(', ')} is stored${where}. Store one, or name it with the parameter resource`,
  )
}

/** Returns which wellness profile an Observation is of: that of the section it stands in. */
function partsOf(kind: RecordKind, picked: Picked): Map<Key, WellnessKind> {
  const parts = new Map<Key, WellnessKind>()
  if (kind.hiType === 'WellnessRecord')
    for (const [name, sources] of picked) for (const { key } of sources) parts.set(key, name as WellnessKind)
  return parts
}

const isOver = (encounter: Source | undefined): boolean =>
  encounter === undefined || text(encounter.tree.status) === 'finished'
