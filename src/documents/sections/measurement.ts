/** Measurements written as `name, value, unit`, as Observations. https://hl7.org/fhir/R4/observation-vitalsigns.html */
import { type JsonObject, NumberText } from '../../fhir/json.ts'

const LOINC = 'http://loinc.org'
const UCUM = 'http://unitsofmeasure.org'
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'

/** What a name means beyond doubt, and the UCUM codes of the units it may come in. */
interface Meaning {
  code: string
  display: string
  units: Readonly<Record<string, string>>
}

const PER_MINUTE = {
  '/min': '/min',
  bpm: '/min',
  'per minute': '/min',
  'beats/min': '/min',
  'breaths/min': '/min',
}
const MEANINGS: readonly [names: RegExp, Meaning][] = [
  [/^(?:heart rate|pulse|pulse rate)$/i, { code: '8867-4', display: 'Heart rate', units: PER_MINUTE }],
  [
    /^(?:respiratory rate|respiration rate)$/i,
    { code: '9279-1', display: 'Respiratory rate', units: PER_MINUTE },
  ],
  [
    /^(?:oxygen saturation|spo2)$/i,
    { code: '2708-6', display: 'Oxygen saturation in Arterial blood', units: { '%': '%' } },
  ],
  [
    /^(?:body )?temperature$/i,
    {
      code: '8310-5',
      display: 'Body temperature',
      units: {
        c: 'Cel',
        cel: 'Cel',
        '°c': 'Cel',
        celsius: 'Cel',
        f: '[degF]',
        '°f': '[degF]',
        '[degf]': '[degF]',
      },
    },
  ],
  [/^(?:body )?weight$/i, { code: '29463-7', display: 'Body weight', units: { kg: 'kg', g: 'g' } }],
  [/^(?:body )?height$/i, { code: '8302-2', display: 'Body height', units: { cm: 'cm' } }],
  [
    /^(?:bmi|body mass index)$/i,
    {
      code: '39156-5',
      display: 'Body mass index (BMI) [Ratio]',
      units: { 'kg/m2': 'kg/m2', 'kg/m²': 'kg/m2' },
    },
  ],
]
const PRESSURE = /^(?:blood pressure|bp)$/i
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/

const NAMES: Readonly<Record<string, string>> = {
  'vital-signs': 'Vital Signs',
  exam: 'Exam',
  laboratory: 'Laboratory',
  activity: 'Activity',
  survey: 'Survey',
  'social-history': 'Social History',
}

export const category = (code: string): JsonObject => ({
  coding: [{ system: CATEGORY, code, display: NAMES[code]! }],
})

const coded = (code: string, display: string, text?: string): JsonObject => ({
  coding: [{ system: LOINC, code, display }],
  ...(text !== undefined && { text }),
})

const quantity = (value: string, unit: string, code?: string): JsonObject => ({
  value: new NumberText(value),
  ...(unit !== '' && { unit }),
  ...(code !== undefined && { system: UCUM, code }),
})

/**
 * Returns category, code and value of an Observation. A name is coded only where name and unit leave no doubt; all else is kept in the
 * words that were sent. `kind` is the category code where the name tells none; `concept`: a value that is no number becomes a
 * CodeableConcept, as the profile of the way of life wants.
 */
export function measured(line: string, kind: string, concept = false): JsonObject {
  const parts = line.split(',').map(part => part.trim())
  const [name = '', value = '', ...rest] = parts
  const unit = rest.join(', ')
  const pressure = PRESSURE.test(name) ? /^(\d{2,3})\s*\/\s*(\d{2,3})$/.exec(value) : null
  if (pressure !== null && /^mm ?\[?hg\]?$/i.test(unit))
    return {
      category: [category('vital-signs')],
      code: coded('85354-9', 'Blood pressure panel with all children optional', name),
      component: [
        {
          code: coded('8480-6', 'Systolic blood pressure'),
          valueQuantity: quantity(pressure[1]!, 'mmHg', 'mm[Hg]'),
        },
        {
          code: coded('8462-4', 'Diastolic blood pressure'),
          valueQuantity: quantity(pressure[2]!, 'mmHg', 'mm[Hg]'),
        },
      ],
    }
  // A number after the number is the rest of it (1,50,000), or another: to take the first alone would tell of something else.
  const isCut = /^\d/.test(unit)
  const joined = isCut
    ? line.slice(line.indexOf(',') + 1).trim()
    : [value, unit].filter(part => part !== '').join(' ')
  const said = value === '' ? line : joined
  if (concept)
    return {
      category: [category(kind)],
      code: { text: value === '' ? line : name },
      valueCodeableConcept: { text: said },
    }
  if (isCut || !NUMBER.test(value))
    return { category: [category(kind)], code: { text: value === '' ? line : name }, valueString: said }
  const meaning = MEANINGS.find(([names]) => names.test(name))?.[1]
  const known =
    meaning === undefined
      ? undefined
      : Object.entries(meaning.units).find(([one]) => one === unit.toLowerCase())?.[1]
  if (meaning !== undefined && known !== undefined)
    return {
      category: [category('vital-signs')],
      code: coded(meaning.code, meaning.display, name),
      valueQuantity: quantity(value, unit, known),
    }
  return { category: [category(kind)], code: { text: name }, valueQuantity: quantity(value, unit) }
}
