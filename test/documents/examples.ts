/** The finished documents of bundles/documents/: what each is asked for. */
import type { DocumentRequest } from '../../src/documents/request.ts'

/** The address of the clinic's server, of which the ids of the documents are made. */
export const CLINIC = 'https://thanal.example.org/fhir'

export const EXAMPLES: Readonly<Record<string, DocumentRequest>> = {
  OPConsultation: { hiType: 'OPConsultation', encounter: 'encounter-02' },
  DischargeSummary: { hiType: 'DischargeSummary', encounter: 'encounter-12' },
  Prescription: { hiType: 'Prescription', encounter: 'encounter-12' },
  'DiagnosticReport-Lab': { hiType: 'DiagnosticReport', encounter: 'encounter-07' },
  'DiagnosticReport-Imaging': { hiType: 'DiagnosticReport', encounter: 'encounter-06' },
  ImmunizationRecord: { hiType: 'ImmunizationRecord', patient: 'gopika-raj' },
  HealthDocumentRecord: { hiType: 'HealthDocumentRecord', patient: 'mini-varghese' },
  WellnessRecord: {
    hiType: 'WellnessRecord',
    patient: 'lakshmi-warrier',
    start: '2026-11-01',
    end: '2026-11-30',
  },
  Invoice: { hiType: 'Invoice', encounter: 'encounter-01' },
}
