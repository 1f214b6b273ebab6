/** What a document is asked for, and what of the store it is about. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { type TimeRange, timeRange } from '../fhir/instant.ts'
import { object, text } from '../fhir/tree.ts'
import { live } from '../interactions/read.ts'
import { idOf, type Key, keyOf, typeOf } from '../storage/port.ts'
import { isMistake, type Scope, voidOf } from './gather.ts'
import { type HiType, RECORD_KINDS, type RecordKind } from './hi-types.ts'
import type { Missing } from './missing.ts'
import type { Asked } from './pick.ts'
import { isFileOfAnother, isOfAnother, subjectOf } from './references.ts'
import { keyIn, type Library, type Source } from './source.ts'

export interface DocumentRequest {
  hiType: HiType
  /** Logical id; undefined where an encounter says it. */
  patient?: string
  /** Logical id. */
  encounter?: string
  /** FHIR dates; both ends are in it. */
  start?: string
  end?: string
  /** References to resources that the document is to hold: of their types it holds no others. */
  resources?: readonly string[]
  /** References; where there are none, the data says who it was. */
  authors?: readonly string[]
  custodian?: string
  /** FHIR dateTime of the Composition; otherwise the latest of the end of the encounter and the dates of what is in it. */
  date?: string
  title?: string
  /** Tells documents apart that are of one kind and about one thing: a record of another system. */
  series?: string
}

/** A request with what it names. */
export interface Read {
  kind: RecordKind
  patient: Source
  encounter: Source | undefined
  asked: Asked
}

/**
 * Returns what the request is about. Throws `not-found` (404) for what it names and is not there, `invalid` for bad dates and resources of
 * another patient, `business-rule` (422) for named ones that do not hold.
 */
export async function readRequest(
  ctx: Context,
  library: Library,
  request: DocumentRequest,
  missing: Missing,
): Promise<Read | undefined> {
  const kind = RECORD_KINDS[request.hiType]
  const encounter =
    request.encounter === undefined
      ? undefined
      : await one(ctx, library, keyOf('Encounter', request.encounter))
  const named = encounter === undefined ? undefined : keyIn(ctx, object(encounter.tree.subject)?.reference)
  if (encounter !== undefined && (named === undefined || typeOf(named) !== 'Patient')) {
    missing.say(
      encounter.key,
      'Encounter.subject',
      'Composition.subject',
      'subject names no Patient of this server, whom the document is about. Store it',
    )
    return undefined
  }
  if (encounter !== undefined && !tookPlace(encounter, kind))
    missing.say(
      encounter.key,
      'Encounter.status',
      `${kind.profile}.encounter`,
      `the encounter is ${text(encounter.tree.status)}, and there is no record of what did not take place`,
    )
  const id = named === undefined ? request.patient : idOf(named)
  if (id === undefined) throw fhirError('required', 'A document is of an encounter or of a patient.')
  if (request.patient !== undefined && request.patient !== id)
    throw fhirError('invalid', 'The encounter is of another patient.', { expression: 'http.encounter' })
  const patient = await one(ctx, library, keyOf('Patient', id))
  const scope = scopeOf(ctx, request, id, encounter)
  const subject = subjectOf(id, request.encounter)
  const given: Source[] = []
  for (const reference of request.resources ?? []) {
    const source = await one(ctx, library, namedKey(ctx, reference, 'resource'))
    if (isOfAnother(ctx, source, subject) || (await isFileOfAnother(ctx, library, source, subject)))
      throw fhirError('invalid', `${source.key} is about another patient.`, { expression: 'http.resource' })
    const word = voidOf(source)
    if (word !== undefined)
      throw fhirError(
        'business-rule',
        `${source.key} says of itself that it does not hold (${word}): no document is made of it.`,
        { status: 422, expression: 'http.resource' },
      )
    given.push(source)
  }
  return { kind, patient, encounter, asked: { scope, given } }
}

/** A prescription or an invoice may be of an encounter that is still to come, or was cancelled. */
const tookPlace = (encounter: Source, { encounter: isOfVisit }: RecordKind): boolean =>
  !isMistake(encounter) &&
  !(isOfVisit && (voidOf(encounter) !== undefined || encounter.tree.status === 'planned'))

/** Returns the key that a reference of a request names. Throws `invalid` for one that is none of this server, or of another type. */
export function namedKey(ctx: Context, reference: string, name: string, types?: readonly string[]): Key {
  const key = keyIn(ctx, reference)
  if (key === undefined || (types !== undefined && !types.includes(typeOf(key)))) {
    const what = types === undefined ? 'a resource' : `a ${types.join(', ')}`
    throw fhirError(
      'invalid',
      `${name} is a reference to ${what} of this server, such as ${types?.[0] ?? 'Invoice'}/1.`,
      { expression: `http.${name}` },
    )
  }
  return key
}

/** Throws as `read` does. */
export async function one(ctx: Context, library: Library, key: Key): Promise<Source> {
  const found = (await library.take([key]))[0]
  if (found === undefined) live(await ctx.storage.read(key), typeOf(key), idOf(key))
  return found!
}

const DAY = 86_400_000

function scopeOf(
  ctx: Context,
  { start, end, date }: DocumentRequest,
  patient: string,
  encounter: Source | undefined,
): Scope {
  const range = (name: string, value: string | undefined): TimeRange | undefined => {
    if (value === undefined) return undefined
    const found = timeRange(value, ctx.settings.zone)
    if (found === undefined)
      throw fhirError('invalid', `${name} is a date, such as 2026-11-21.`, { expression: `http.${name}` })
    return found
  }
  const [from, to, dated] = [range('start', start), range('end', end), range('date', date)]
  const period =
    from === undefined && to === undefined
      ? undefined
      : { lo: from?.lo ?? Number.NEGATIVE_INFINITY, hi: to?.hi ?? Number.POSITIVE_INFINITY }
  if (period !== undefined && period.lo >= period.hi)
    throw fhirError('invalid', 'end is before start.', { expression: 'http.end' })
  const span = object(encounter?.tree.period)
  // A finished visit of which no end is known was over on its day.
  const ended = text(span?.end) ?? (encounter?.tree.status === 'finished' ? text(span?.start) : undefined)
  const finish = ended === undefined ? undefined : timeRange(ended, ctx.settings.zone)
  // What is written on the evening of a visit belongs to it.
  const day = ended === undefined ? undefined : timeRange(ended.slice(0, 10), ctx.settings.zone)
  const until = encounter === undefined ? period?.hi : (day?.hi ?? undefined)
  return {
    patient,
    encounter: encounter?.id,
    period,
    encounterEnd: finish?.lo,
    until: Math.max(until ?? Number.POSITIVE_INFINITY, dated === undefined ? 0 : dated.lo + DAY),
  }
}
