/** Whatever stands in the store (NADI_VALIDATE=off takes anything), a document is built or refused with a sentence; never a crash. */
import { expect, it } from 'vitest'
import { below, seeded } from '../../bench/random.ts'
import { buildDocument } from '../../src/documents/build.ts'
import type { DocumentRequest } from '../../src/documents/request.ts'
import { FhirError } from '../../src/fhir/error.ts'
import {
  copyJson,
  isObject,
  type Json,
  type JsonObject,
  NumberText,
  parseJson,
  type Resource,
} from '../../src/fhir/json.ts'
import { update } from '../../src/interactions/update.ts'
import { clinicContext } from './clinic.ts'

const JUNK: readonly Json[] = [
  'x',
  true,
  null,
  [],
  {},
  [null],
  [[]],
  new NumberText('7'),
  { reference: new NumberText('5') },
  { coding: 'x' },
  [{ coding: [null] }],
  { reference: 'Patient/meera-nair' },
]

const CASES: readonly [DocumentRequest, readonly string[]][] = [
  [
    { hiType: 'OPConsultation', encounter: 'encounter-02' },
    [
      'Encounter/encounter-02',
      'Condition/condition-02',
      'Observation/observation-08',
      'AllergyIntolerance/allergy-01',
      'FamilyMemberHistory/family-01',
      'ServiceRequest/order-01',
      'MedicationRequest/prescription-02',
      'Appointment/appointment-17',
      'Practitioner/anjali-menon',
      'PractitionerRole/anjali-menon',
      'Organization/thanal',
      'Patient/abdul-rahman',
    ],
  ],
  [{ hiType: 'Invoice', encounter: 'encounter-01' }, ['Invoice/invoice-01', 'ChargeItem/charge-01-3']],
  [
    { hiType: 'DiagnosticReport', encounter: 'encounter-06' },
    ['DiagnosticReport/report-03', 'Media/media-01', 'ImagingStudy/study-01'],
  ],
  [{ hiType: 'DischargeSummary', encounter: 'encounter-12' }, ['CarePlan/plan-01', 'Specimen/specimen-01']],
  [
    { hiType: 'ImmunizationRecord', patient: 'gopika-raj' },
    ['Immunization/immunization-01', 'ImmunizationRecommendation/recommendation-01'],
  ],
  [
    { hiType: 'HealthDocumentRecord', patient: 'mini-varghese' },
    ['DocumentReference/file-01', 'Binary/scan-01'],
  ],
  [
    { hiType: 'WellnessRecord', patient: 'lakshmi-warrier' },
    ['Observation/wellness-01', 'Observation/wellness-08'],
  ],
]

it('builds a document of misshapen resources, or refuses it with a sentence', async () => {
  const random = seeded(20261121)
  const one = <T>(list: readonly T[]): T => list[below(random, list.length)]!
  /** Puts junk in the place of something in the tree. */
  const spoil = (tree: Json[] | JsonObject, depth = 0): void => {
    const value = tree as JsonObject
    const names = Object.keys(value).filter(name => !['resourceType', 'id', 'meta'].includes(name))
    if (names.length === 0) return
    const name = one(names)
    const inside = value[name]
    if ((Array.isArray(inside) || isObject(inside)) && depth < 5 && below(random, 10) < 7)
      spoil(inside, depth + 1)
    else value[name] = one(JUNK)
  }
  const ctx = await clinicContext({ validate: 'off' })
  const outcomes = { built: 0, refused: 0 }
  for (let round = 0; round < 200; round++) {
    const [request, keys] = CASES[round % CASES.length]!
    const [type, id] = one(keys).split('/') as [string, string]
    const sound = parseJson((await ctx.storage.read(`${type}/${id}`))!.text!) as Resource
    const spoilt = copyJson(sound) as Resource
    spoil(spoilt)
    if (below(random, 2) === 0) spoil(spoilt)
    try {
      await update(ctx, type, id, spoilt)
      await buildDocument(ctx, request)
      outcomes.built++
    } catch (error) {
      if (!(error instanceof FhirError)) throw error
      expect(error.status).toBeGreaterThanOrEqual(400)
      expect(error.status).toBeLessThan(500)
      outcomes.refused++
    }
    await update(ctx, type, id, sound)
  }
  expect(outcomes.built).toBeGreaterThan(10)
  expect(outcomes.refused).toBeGreaterThan(10)
}, 120_000)
