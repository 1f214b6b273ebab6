/** Which resources stand in which section: the rules of `hi-types.ts`, asked of what is stored. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { timeRange } from '../fhir/instant.ts'
import { hasCode, objects, text } from '../fhir/tree.ts'
import { isOfEncounter, type Scope, timeOf, within } from './gather.ts'
import { type RecordKind, SNOMED } from './hi-types.ts'
import type { Only, Rule } from './rules.ts'
import { keyIn, type Library, type Source } from './source.ts'
import { wellnessOf } from './wellness.ts'

/** What a document is asked to be made of. */
export interface Asked {
  scope: Scope
  /** Resources that the caller names: of their types only these are taken. */
  given: readonly Source[]
}

/** What stands in each section that has something, by its name, in order. */
export type Picked = ReadonlyMap<string, readonly Source[]>

/** Returns what the sections hold. Throws `multiple-matches` (422) where one resource is wanted and several fit. */
export async function pick(ctx: Context, library: Library, kind: RecordKind, asked: Asked): Promise<Picked> {
  const about = await aboutOf(ctx, library, asked.scope)
  const picked = new Map<string, Source[]>()
  const placed = new Set<Source>()
  for (const section of kind.sections) {
    const found: Source[] = []
    for (const rule of section.rules)
      for (const one of await byRule(library, rule, asked, about)) {
        // A resource stands in the first section that takes it.
        if (placed.has(one)) continue
        placed.add(one)
        found.push(one)
      }
    if (found.length > 0) picked.set(section.name, found)
  }
  return picked
}

/** What conditions look at beside the resource. */
interface About {
  ctx: Context
  scope: Scope
  /** Observations that a report stands for. */
  reported: ReadonlySet<string>
  /** Charges of the encounter. */
  charged: ReadonlySet<string>
}

async function aboutOf(ctx: Context, library: Library, scope: Scope): Promise<About> {
  const { encounter } = scope
  if (encounter === undefined) return { ctx, scope, reported: new Set(), charged: new Set() }
  const reports = await within(ctx, library, scope, 'DiagnosticReport', 'encounter')
  const results = reports.flatMap(({ tree }) => objects(tree.result))
  const charges = await within(ctx, library, scope, 'ChargeItem', 'encounter')
  return {
    ctx,
    scope,
    reported: new Set(results.flatMap(({ reference }) => keyIn(ctx, reference) ?? [])),
    charged: new Set(charges.filter(one => isOfEncounter(ctx, one, encounter)).map(one => one.key)),
  }
}

async function byRule(
  library: Library,
  { type, from, only, wellness, most, newest }: Rule,
  { scope, given }: Asked,
  about: About,
): Promise<Source[]> {
  const named = given.filter(one => one.type === type)
  let found = named
  if (named.length === 0 && from !== 'given') {
    const reach = from === 'patient' ? from : scope.encounter === undefined ? 'period' : 'encounter'
    const all = await within(about.ctx, library, scope, type, reach)
    found = all.filter(one => isWithin(one, from, about))
  }
  if (only !== undefined) found = found.filter(one => CONDITIONS[only](one, about))
  if (wellness !== undefined) found = found.filter(one => wellnessOf(one.tree) === wellness)
  if (newest) found = found.slice(-1)
  if (most !== undefined && found.length > most)
    throw fhirError(
      'multiple-matches',
      `${found.length} ${type} resources fit (${found
        .slice(0, 10)
        .map(({ key }) => key)
        .join(', ')}), and the document is of one: name it with the parameter resource.`,
      { status: 422, expression: 'http.resource' },
    )
  return found
}

function isWithin(one: Source, from: Rule['from'], about: About): boolean {
  const { ctx, scope } = about
  const { encounter, period, until } = scope
  const time = timeOf(ctx, one)
  if (from === 'patient') return time === undefined || time.lo < until
  if (encounter !== undefined) return isOfScope(one, about)
  if (period === undefined) return true
  return time !== undefined && time.lo < period.hi && time.hi > period.lo
}

/** An Invoice names no encounter: its charges do. */
function isOfScope(one: Source, { ctx, scope, charged }: About): boolean {
  if (scope.encounter === undefined) return false
  if (one.type !== 'Invoice') return isOfEncounter(ctx, one, scope.encounter)
  const charges = objects(one.tree.lineItem).flatMap(item => objects(item.chargeItemReference))
  return charges.some(({ reference }) => charged.has(keyIn(ctx, reference) ?? ''))
}

const OBSERVATION = 'http://terminology.hl7.org/CodeSystem/observation-category'
const CONDITION = 'http://terminology.hl7.org/CodeSystem/condition-category'

const isExamination = ({ tree }: Source): boolean =>
  hasCode(tree.category, OBSERVATION, 'vital-signs', 'exam')

/** A problem of the list is history even where it was written down at this visit. */
const isProblem = ({ tree }: Source): boolean => hasCode(tree.category, CONDITION, 'problem-list-item')

/** 3457005 Patient referral, 306206005 Referral to service. */
const isReferral = ({ tree }: Source): boolean =>
  [tree.category, tree.code].some(concept => hasCode(concept, SNOMED, '3457005', '306206005'))

const CONDITIONS: Readonly<Record<Only, (one: Source, about: About) => boolean>> = {
  current: one => !isProblem(one),
  history: (one, about) => isProblem(one) || !isOfScope(one, about),
  examination: isExamination,
  otherFinding: (one, { reported }) => !isExamination(one) && !reported.has(one.key),
  investigation: one => !isReferral(one),
  referral: isReferral,
  followUp: isFollowUp,
}

const TO_COME: ReadonlySet<string> = new Set([
  'proposed',
  'pending',
  'booked',
  'arrived',
  'checked-in',
  'fulfilled',
])

/** An appointment for after the encounter, made before the end of its day (`until`). */
function isFollowUp({ tree }: Source, { ctx, scope }: About): boolean {
  const start = timeRange(text(tree.start) ?? '', ctx.settings.zone)
  const { encounterEnd } = scope
  return (
    TO_COME.has(text(tree.status) ?? '') &&
    start !== undefined &&
    encounterEnd !== undefined &&
    start.lo >= encounterEnd
  )
}
