/** Measurements and reports of sections. */
import type { Json, JsonObject } from '../../fhir/json.ts'
import { text } from '../../fhir/tree.ts'
import { about, type Draft, each, type Maker, type Visit } from './draft.ts'
import { linesOf, rowsOf } from './input.ts'
import { measured } from './measurement.ts'

export const observation = (line: string, visit: Visit, kind: string, concept = false): JsonObject => ({
  status: 'final',
  ...measured(line, kind, concept),
  ...about(visit),
  effectiveDateTime: visit.date,
})

const REPORT_STATUSES = new Set([
  'registered',
  'partial',
  'preliminary',
  'final',
  'amended',
  'corrected',
  'appended',
])

/** One object of results: an own report where it says its conclusion, single observations otherwise. */
export const results: Maker = (input, visit, missing) =>
  ['investigations', 'labReports'].flatMap(name =>
    rowsOf(input.sections, name).flatMap((row, index): Draft[] => {
      const lines = linesOf(new Map<string, Json>(Object.entries(row) as [string, Json][]), 'observations')
      const date = text(row.recordedDate) ?? visit.date
      const observations = lines.map(
        (line, number): Draft => ({
          type: 'Observation',
          place: `${name}/${index}/${number}`,
          body: { ...observation(line, visit, 'laboratory'), effectiveDateTime: date },
        }),
      )
      const conclusion = text(row.conclusion)
      const stated = (text(row.status) ?? 'final').toLowerCase()
      if (name === 'investigations' && !conclusion)
        return observations.map(one => ({ ...one, section: 'InvestigationResults' }))
      if (!conclusion)
        missing.say(
          'sections',
          'sections.lab_reports.conclusion',
          'DiagnosticReport.conclusion',
          'conclusion is missing in lab_reports. Send it',
        )
      const title = text(row.category) ?? 'Investigations'
      const report: Draft = {
        type: 'DiagnosticReport',
        place: `${name}/${index}`,
        section: input.hiType === 'DischargeSummary' ? 'Investigations' : 'DiagnosticReport',
        body: {
          status: REPORT_STATUSES.has(stated) ? stated : stated === 'completed' ? 'final' : 'unknown',
          category: [{ text: title }],
          code: { text: title },
          ...about(visit),
          effectiveDateTime: date,
          issued: instantOf(date),
          ...(visit.doctor && { resultsInterpreter: [{ reference: visit.doctor }] }),
          ...(observations.length > 0 && {
            result: observations.map(one => ({ reference: visit.referenceTo(one) })),
          }),
          ...(conclusion && { conclusion }),
        },
      }
      return [...observations, report]
    }),
  )

const instantOf = (date: string): string | undefined =>
  /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(date) ? date : undefined

export const MEASUREMENTS: readonly [name: string, section: string, kind: string, concept?: true][] = [
  ['vitalSigns', 'VitalSigns', 'vital-signs'],
  ['bodyMeasurements', 'BodyMeasurement', 'vital-signs'],
  ['physicalActivities', 'PhysicalActivity', 'activity'],
  ['womenHealth', 'WomenHealth', 'survey'],
  ['lifeStyle', 'Lifestyle', 'social-history', true],
  ['others', 'OtherObservations', 'survey'],
]

export const measurements: Maker = (input, visit) =>
  MEASUREMENTS.flatMap(([name, section, kind, concept]) =>
    each(input, name, line => ({
      type: 'Observation',
      section,
      body: observation(line, visit, kind, concept),
    })),
  )
