/**
 * Which part of a wellness record an Observation belongs to: by its code, or by its category where the value sets of NRCeS do not name it.
 * https://nrces.in/ndhm/fhir/r4/StructureDefinition-WellnessRecord.html
 */
import type { Resource } from '../fhir/json.ts'
import { choice, codings, hasCode } from '../fhir/tree.ts'
import { SNOMED } from './hi-types.ts'
import type { WellnessKind } from './rules.ts'

const LOINC = 'http://loinc.org'

/** The codes of the value sets that NRCeS binds, by system; and the types of value that the profile of the part allows. */
const PARTS: readonly [WellnessKind, values: readonly string[], system: string, codes: readonly string[]][] =
  [
    [
      'BodyMeasurement',
      ['Quantity', 'String'],
      LOINC,
      ['39156-5', '29463-7', '8302-2', '56074-8', '8280-0', '56072-2'],
    ],
    ['VitalSigns', ['Quantity', 'String'], LOINC, ['61008-9', '9279-1', '8867-4', '2708-6', '85354-9']],
    ['PhysicalActivity', ['Quantity', 'String'], LOINC, ['55423-8', '93832-4', '41981-2', '80493-0']],
    [
      'GeneralAssessment',
      ['Quantity', 'CodeableConcept'],
      LOINC,
      [
        '2339-0',
        '41604-0',
        '14743-9',
        '14760-3',
        '73708-0',
        '34534-8',
        '8999-5',
        '9052-2',
        '69429-9',
        '94122-9',
        '8693-4',
      ],
    ],
    ['GeneralAssessment', ['Quantity', 'CodeableConcept'], SNOMED, ['365275006']],
    ['WomenHealth', ['Quantity', 'String'], LOINC, ['11976-8', '92656-8', '42798-9', '42802-9', '8665-2']],
    ['Lifestyle', ['CodeableConcept'], SNOMED, ['228273003', '365981007', '228509002', '41829006']],
  ]

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'

const CATEGORIES: readonly [WellnessKind, values: readonly string[], code: string][] = [
  ['VitalSigns', ['Quantity', 'String'], 'vital-signs'],
  ['PhysicalActivity', ['Quantity', 'String'], 'activity'],
  ['Lifestyle', ['CodeableConcept'], 'social-history'],
]

/** Returns the part; what fits none, or has a value that the part's profile refuses, is another observation. */
export function wellnessOf(observation: Resource): WellnessKind {
  const value = choice(observation, 'value')?.type
  const fits = (values: readonly string[]): boolean => value === undefined || values.includes(value)
  const stated = codings(observation.code)
  for (const [kind, values, system, codes] of PARTS)
    if (stated.some(one => one.system === system && codes.includes(String(one.code))))
      return fits(values) ? kind : 'OtherObservations'
  for (const [kind, values, code] of CATEGORIES)
    if (hasCode(observation.category, CATEGORY, code) && fits(values)) return kind
  return 'OtherObservations'
}
