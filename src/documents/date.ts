/** The date of a Composition, which is that of its last edit. https://hl7.org/fhir/R4/composition-definitions.html#Composition.date */
import { timeRange } from '../fhir/instant.ts'
import { at, object, text, texts } from '../fhir/tree.ts'
import type { Source } from './source.ts'

/** When what a resource says had been written down; dates that may lie ahead are none of them. */
const WRITTEN: Readonly<Record<string, readonly string[]>> = {
  AllergyIntolerance: ['recordedDate'],
  Appointment: ['created'],
  CarePlan: ['created'],
  Condition: ['recordedDate'],
  DiagnosticReport: ['issued', 'effectiveDateTime', 'effectivePeriod.end'],
  DocumentReference: ['date'],
  FamilyMemberHistory: ['date'],
  Immunization: ['recorded', 'occurrenceDateTime'],
  ImmunizationRecommendation: ['date'],
  Invoice: ['date'],
  MedicationRequest: ['authoredOn'],
  MedicationStatement: ['dateAsserted'],
  Observation: ['issued', 'effectiveDateTime', 'effectiveInstant', 'effectivePeriod.end'],
  Procedure: ['performedDateTime', 'performedPeriod.end'],
  ServiceRequest: ['authoredOn'],
}

/**
 * Returns the latest of the end of the encounter (its begin while it goes on) and of the dates of the entries, as it is written: a document
 * is no older than what it holds. Undefined where there is none. `zone` is that of dates without one.
 */
export function lastDate(
  encounter: Source | undefined,
  entries: readonly Source[],
  zone: string,
): string | undefined {
  const period = object(encounter?.tree.period)
  const dates = [text(period?.end) ?? text(period?.start)]
  for (const { type, tree } of entries)
    for (const way of WRITTEN[type] ?? []) dates.push(...texts(at(tree, way)))
  let last: { date: string; begin: number } | undefined
  for (const date of dates) {
    const begin = date === undefined ? undefined : timeRange(date, zone)?.lo
    if (begin !== undefined && (last === undefined || begin > last.begin)) last = { date: date!, begin }
  }
  return last?.date
}
