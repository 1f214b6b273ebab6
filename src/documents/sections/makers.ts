/** Which sections each kind of record has, and what makes their resources. */
import type { HiType } from '../hi-types.ts'
import {
  allergies,
  complaints,
  diagnoses,
  examination,
  family,
  history,
  immunizations,
  plan,
  prescribed,
  procedures,
  taken,
} from './clinical.ts'
import type { Maker } from './draft.ts'
import { MEASUREMENTS, measurements, results } from './results.ts'

const CONSULTATION: readonly Maker[] = [
  complaints,
  diagnoses,
  examination,
  history,
  family,
  procedures,
  taken,
  prescribed,
  allergies,
  immunizations,
  plan,
]

export const MAKERS: Partial<Record<HiType, readonly Maker[]>> = {
  OPConsultation: CONSULTATION,
  DischargeSummary: [...CONSULTATION, results],
  Prescription: [prescribed],
  DiagnosticReport: [results],
  ImmunizationRecord: [immunizations],
  WellnessRecord: [measurements],
}

const VISIT: readonly string[] = [
  'chiefComplaints',
  'conditions',
  'physicalExamination',
  'medicalHistory',
  'familyHistory',
  'currentProcedures',
  'currentMedications',
  'prescribedMedications',
  'allergies',
  'immunizations',
  'advisoryNotes',
  'carePlan',
  'followUp',
]

/** Names of sections that a kind of record takes, as they stand in `SECTIONS`. */
export const TAKES: Partial<Record<HiType, readonly string[]>> = {
  OPConsultation: VISIT,
  DischargeSummary: [...VISIT, 'investigations'],
  Prescription: ['prescribedMedications'],
  DiagnosticReport: ['labReports'],
  ImmunizationRecord: ['immunizations'],
  WellnessRecord: MEASUREMENTS.map(([name]) => name),
}
