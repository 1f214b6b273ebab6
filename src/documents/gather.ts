/** The resources of one type that a rule looks at: those of an encounter, or those of a patient in a time. */
import type { Context } from '../context.ts'
import { type TimeRange, timeRange } from '../fhir/instant.ts'
import { at, objects, text, texts } from '../fhir/tree.ts'
import { search } from '../interactions/search.ts'
import { keyOf, stampText } from '../storage/port.ts'
import { type Library, type Source, sourceOf } from './source.ts'

/** What a document is of. */
export interface Scope {
  /** Logical id. */
  patient: string
  /** Logical id; undefined for a document of a patient and a period. */
  encounter: string | undefined
  /** ms since 1970; undefined for all times. */
  period: TimeRange | undefined
  /** When the encounter ended, ms since 1970; undefined while it goes on, and where there is none. */
  encounterEnd: number | undefined
  /** The end of the document's time, exclusive: what was written down later is no history of it. */
  until: number
}

/** Where the encounter of a resource stands, by type; elsewhere it is `encounter`. */
const ENCOUNTER: Readonly<Record<string, string>> = {
  ChargeItem: 'context',
  DocumentReference: 'context.encounter',
  MedicationStatement: 'context',
}

/** When what a resource tells of took place, or was written down: the first that has a value counts. */
const DATES: Readonly<Record<string, readonly string[]>> = {
  AllergyIntolerance: ['recordedDate', 'onsetDateTime'],
  Appointment: ['created', 'start'],
  CarePlan: ['created', 'period.start'],
  ChargeItem: ['occurrenceDateTime', 'occurrencePeriod.start', 'enteredDate'],
  Condition: ['recordedDate', 'onsetDateTime', 'onsetPeriod.start'],
  DiagnosticReport: ['effectiveDateTime', 'effectivePeriod.start', 'issued'],
  DocumentReference: ['date', 'context.period.start', 'content.attachment.creation'],
  FamilyMemberHistory: ['date'],
  Immunization: ['occurrenceDateTime', 'recorded'],
  ImmunizationRecommendation: ['date'],
  Invoice: ['date'],
  MedicationRequest: ['authoredOn'],
  MedicationStatement: ['effectiveDateTime', 'effectivePeriod.start', 'dateAsserted'],
  Observation: ['effectiveDateTime', 'effectiveInstant', 'effectivePeriod.start', 'issued'],
  Procedure: ['performedDateTime', 'performedPeriod.start'],
  ServiceRequest: ['authoredOn', 'occurrenceDateTime'],
}

/** Returns the date of a resource as it is written; undefined where it has none. */
function dateOf({ type, tree }: Source): string | undefined {
  for (const way of DATES[type] ?? []) {
    const found = text(at(tree, way)[0])
    if (found !== undefined) return found
  }
  return undefined
}

/** Returns the time that the date covers, ms since 1970. */
export function timeOf(ctx: Context, source: Source): TimeRange | undefined {
  const date = dateOf(source)
  return date === undefined ? undefined : timeRange(date, ctx.settings.zone)
}

/** Words of a status that say: this is not so, was never so, does not hold, or does not hold yet. */
const VOID: ReadonlySet<string> = new Set([
  'aborted',
  'cancelled',
  'draft',
  'entered-in-error',
  'noshow',
  'not-done',
  'refuted',
  'revoked',
  'superseded',
])

const standings = ({ tree }: Source): string[] =>
  texts(
    [tree.status, tree.docStatus, ...at(tree, 'verificationStatus.coding.code')].filter(
      one => one !== undefined,
    ),
  )

/** Returns the word with which a resource says of itself that it does not hold; undefined where it does. */
export function voidOf(source: Source): string | undefined {
  // A medicine that somebody proposes is not prescribed.
  if (source.type === 'MedicationRequest' && source.tree.intent === 'proposal') return 'proposal'
  return standings(source).find(word => VOID.has(word))
}

/** Returns whether a resource was never true. */
export const isMistake = (source: Source): boolean => standings(source).includes('entered-in-error')

/** Returns whether a resource names the encounter. */
export const isOfEncounter = (ctx: Context, { type, tree }: Source, encounter: string): boolean =>
  at(tree, ENCOUNTER[type] ?? 'encounter')
    .flatMap(objects)
    .some(({ reference }) => isKey(ctx, reference, keyOf('Encounter', encounter)))

const isKey = (ctx: Context, reference: unknown, key: string): boolean =>
  typeof reference === 'string' &&
  (reference === key ||
    reference.startsWith(`${key}/_history/`) ||
    reference === `${ctx.settings.baseUrl}/${key}`)

/** How far a look goes: what names the encounter, what is of the period, or all that is about the patient. */
export type Reach = 'encounter' | 'period' | 'patient'

/** Types that R4 has in no compartment of a patient. */
const PATIENT_PARAM: Readonly<Record<string, string>> = { Invoice: 'subject' }

/** The search parameter for the encounter where it is not `encounter`; '' where R4 has none, and all are looked through. */
const ENCOUNTER_PARAM: Readonly<Record<string, string>> = {
  AllergyIntolerance: '',
  Appointment: '',
  ChargeItem: 'context',
  FamilyMemberHistory: '',
  Immunization: '',
  ImmunizationRecommendation: '',
  Invoice: '',
  MedicationStatement: 'context',
}

/** The search parameter for the date of `DATES`; types that are not here are looked through whole. */
const DATE_PARAM: Readonly<Record<string, string>> = {
  DiagnosticReport: 'date',
  Immunization: 'date',
  Invoice: 'date',
  MedicationRequest: 'authoredon',
  Observation: 'date',
}

const cache = new WeakMap<Library, Map<string, Promise<Source[]>>>()

/**
 * Returns the resources of a type within the reach, live, in the order of their dates and ids. What says of itself that it does not hold is
 * left out. More may come than are of the encounter or the period: the reach is for the store, the caller looks again.
 *
 * Throws `too-costly` (422) where they are more than a document holds.
 */
export function within(
  ctx: Context,
  library: Library,
  scope: Scope,
  type: string,
  reach: Reach,
): Promise<Source[]> {
  let known = cache.get(library)
  if (known === undefined) {
    known = new Map()
    cache.set(library, known)
  }
  const name = `${type} ${reach}`
  const found = known.get(name) ?? readAll(ctx, library, scope, type, reach)
  known.set(name, found)
  return found
}

/** Returns what the store is asked; it may find too much, and never too little. */
function criteria({ patient, encounter, period }: Scope, type: string, reach: Reach): [string, string][] {
  const pairs: [string, string][] = []
  const subject = PATIENT_PARAM[type]
  if (subject !== undefined) pairs.push([subject, `Patient/${patient}`])
  const param = ENCOUNTER_PARAM[type] ?? 'encounter'
  if (reach === 'encounter' && param !== '') pairs.push([param, `Encounter/${encounter}`])
  const date = DATE_PARAM[type]
  if (reach === 'period' && date !== undefined && period !== undefined) {
    if (Number.isFinite(period.lo)) pairs.push([date, `ge${stampText(period.lo)}`])
    if (Number.isFinite(period.hi)) pairs.push([date, `lt${stampText(period.hi)}`])
  }
  return pairs
}

async function readAll(
  ctx: Context,
  library: Library,
  scope: Scope,
  type: string,
  reach: Reach,
): Promise<Source[]> {
  const found: Source[] = library.made.filter(one => one.type === type)
  const made = new Set(found.map(one => one.key))
  const asked = [...criteria(scope, type, reach), ['_count', String(ctx.settings.limits.pageMax)] as const]
  const options =
    PATIENT_PARAM[type] === undefined ? { compartment: { type: 'Patient', id: scope.patient } } : {}
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await search(ctx, type, cursor === '' ? asked : [...asked, ['_cursor', cursor]], options)
    for (const row of page.rows) if (!made.has(row.key)) found.push(library.put(sourceOf(row)))
    const next = page.links.find(link => link.relation === 'next')
    cursor = next === undefined ? null : new URL(next.url).searchParams.get('_cursor')
  }
  const dated = found
    .filter(one => voidOf(one) === undefined)
    .map(source => ({ source, time: timeOf(ctx, source)?.lo ?? Number.NEGATIVE_INFINITY }))
  // By id last: resources of one date have one order.
  dated.sort((a, b) => a.time - b.time || (a.source.id < b.source.id ? -1 : 1))
  return dated.map(({ source }) => source)
}
