/** What a section takes of a record: the vocabulary of the table in `hi-types.ts`. docs/documents.md tells it in words. */

/**
 * Where a rule looks. `encounter`: what names the encounter. `patient`: all that is about the patient, up to the end of the document's time.
 * `scope`: the encounter where the document is of one, otherwise what is about the patient in the period. `given`: only what the caller names.
 */
export type From = 'encounter' | 'patient' | 'scope' | 'given'

/** Names of the conditions in `pick.ts`. */
export type Only =
  | 'current'
  | 'history'
  | 'examination'
  | 'otherFinding'
  | 'investigation'
  | 'referral'
  | 'followUp'

export type WellnessKind =
  | 'VitalSigns'
  | 'BodyMeasurement'
  | 'PhysicalActivity'
  | 'GeneralAssessment'
  | 'WomenHealth'
  | 'Lifestyle'
  | 'OtherObservations'

export interface Rule {
  type: string
  from: From
  only?: Only
  wellness?: WellnessKind
  /** More than so many are a fault of the question: the caller names the one that is meant. */
  most?: number
  /** Of several the one of the latest date is taken. */
  newest?: true
}
