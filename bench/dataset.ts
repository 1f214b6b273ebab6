/**
 * The data set of the read and search rows: so many Patients with ten Observations each, and questions whose answers are known from
 * the seed. Every question has hits that one of its parameters alone would not separate, so that a server that ignores a parameter
 * is found out.
 */
import { below, pick, seeded } from './random.ts'

export interface DataSetSize {
  seed: number
  patients: number
}

/** One seeded patient: what the questions ask for. */
export interface Person {
  number: number
  family: string
  given: string
  gender: 'male' | 'female'
  /** YYYY-MM-DD. */
  birthDate: string
}

export interface DataSet {
  seed: number
  persons: readonly Person[]
  /** Patients by family name and, descending, birth date. */
  byFamily: ReadonlyMap<string, readonly Person[]>
}

export const OBSERVATIONS_PER_PATIENT = 10

/** [LOINC code, display, UCUM unit, lowest, spread, decimals]; a patient's ten Observations take each code twice. */
const MEASURED = [
  ['8302-2', 'Body height', 'cm', 140, 50, 1],
  ['29463-7', 'Body weight', 'kg', 40, 60, 1],
  ['8867-4', 'Heart rate', '/min', 55, 60, 0],
  ['8310-5', 'Body temperature', 'Cel', 36, 3, 1],
  ['4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood', '%', 4, 8, 2],
] as const

export const CODES: readonly string[] = MEASURED.map(([code]) => code)
export const LOINC = 'http://loinc.org'

const SYLLABLES = ['Ba', 'De', 'Ga', 'Ji', 'Ka', 'La', 'Me', 'Na', 'Pi', 'Ra', 'Su', 'Ta', 'Vi', 'Yo']
const GIVEN = ['Anjali', 'Arjun', 'Devika', 'Farhan', 'Gopal', 'Ishaan', 'Lakshmi', 'Meera', 'Nikhil', 'Zoya']
const CITIES = ['Thrissur', 'Kochi', 'Kannur', 'Kollam', 'Palakkad', 'Alappuzha', 'Kottayam', 'Kozhikode']

/** About so many patients share a family name. */
const FAMILY_SIZE = 20

export const system = (seed: number, name: string): string => `https://nadi.example/bench/${seed}/${name}`

/** Every family name has the same length and none begins with W, which the created patients' names do: so a prefix search hits one. */
function familyNames(random: () => number, n: number): string[] {
  const names = new Set<string>()
  while (names.size < n) {
    const parts = Array.from({ length: 4 }, () => pick(random, SYLLABLES).toLowerCase()).join('')
    names.add(`${parts[0]!.toUpperCase()}${parts.slice(1)}n`)
  }
  return [...names]
}

export function makeDataSet({ seed, patients }: DataSetSize): DataSet {
  const random = seeded(seed)
  const families = familyNames(random, Math.max(2, Math.ceil(patients / FAMILY_SIZE)))
  const persons: Person[] = []
  const byFamily = new Map<string, Person[]>()
  for (let number = 0; number < patients; number++) {
    const person = makePerson(number, pick(random, families), random)
    persons.push(person)
    const same = byFamily.get(person.family)
    if (same) same.push(person)
    else byFamily.set(person.family, [person])
  }
  for (const same of byFamily.values()) same.sort((a, b) => (a.birthDate < b.birthDate ? 1 : -1))
  return { seed, persons, byFamily }
}

/** Returns a person outside the data set, whom no question of the searches hits. */
export function stranger(number: number, random: () => number): Person {
  return makePerson(number, `W${pick(random, SYLLABLES).toLowerCase()}${number.toString(36)}`, random)
}

function makePerson(number: number, family: string, random: () => number): Person {
  const gender = random() < 0.5 ? 'male' : 'female'
  const day = new Date(Date.UTC(1940, 0, 1) + below(random, 80 * 365) * 86_400_000)
  return { number, family, given: pick(random, GIVEN), gender, birthDate: day.toISOString().slice(0, 10) }
}

/** The value that stands under both identifier systems: `mrn` is the patient's own number, `card` the next patient's. */
export const mrn = (number: number): string => `B${String(number).padStart(8, '0')}`

/**
 * Returns a Patient of about 1 KB. `set` names the identifier systems; `revision` changes nothing that the questions ask for.
 */
export function patientResource(seed: number, set: string, person: Person, revision = 0): object {
  const { number } = person
  return {
    resourceType: 'Patient',
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${person.given} ${person.family}, born ${person.birthDate}</p></div>`,
    },
    identifier: [
      {
        use: 'usual',
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }],
          text: 'Medical record number',
        },
        system: system(seed, `${set}/mrn`),
        value: mrn(number),
      },
      { use: 'secondary', system: system(seed, `${set}/card`), value: mrn(number + 1) },
    ],
    active: true,
    name: [{ use: 'official', family: person.family, given: [person.given, 'Kumari'] }],
    telecom: [
      {
        system: 'phone',
        value: `+91 98${String(10_000_000 + ((number * 37 + revision) % 90_000_000))}`,
        use: 'mobile',
      },
      { system: 'email', value: `patient${number}.${revision}@clinic.example`, use: 'home' },
    ],
    gender: person.gender,
    birthDate: person.birthDate,
    address: [
      {
        use: 'home',
        line: [`${(number % 400) + 1}, Temple Road`, 'Near the post office'],
        city: CITIES[number % CITIES.length],
        state: 'Kerala',
        postalCode: `68${String(number % 10_000).padStart(4, '0')}`,
        country: 'IN',
      },
    ],
    communication: [
      {
        language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'ml', display: 'Malayalam' }] },
        preferred: true,
      },
    ],
  }
}

/** Returns the `nth` Observation of a patient, about 900 bytes. */
export function observationResource(person: Person, nth: number, subject: string): object {
  const [code, display, unit, lowest, spread, decimals] = MEASURED[nth % MEASURED.length]!
  const share = ((person.number * 31 + nth * 17) % 100) / 100
  const when = new Date(Date.UTC(2020, 0, 1) + ((person.number * 7 + nth * 151) % 2000) * 86_400_000)
  const instant = `${when.toISOString().slice(0, 10)}T09:${String(10 + nth).padStart(2, '0')}:00+05:30`
  return {
    resourceType: 'Observation',
    status: 'final',
    category: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/observation-category',
            code: 'vital-signs',
            display: 'Vital Signs',
          },
        ],
      },
    ],
    code: { coding: [{ system: LOINC, code, display }], text: display },
    subject: { reference: subject },
    effectiveDateTime: instant,
    issued: instant,
    valueQuantity: {
      value: Number((lowest + share * spread).toFixed(decimals)),
      unit,
      system: 'http://unitsofmeasure.org',
      code: unit,
    },
    interpretation: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
            code: 'N',
            display: 'Normal',
          },
        ],
      },
    ],
    referenceRange: [
      {
        low: { value: lowest, unit, system: 'http://unitsofmeasure.org', code: unit },
        high: { value: lowest + spread, unit, system: 'http://unitsofmeasure.org', code: unit },
      },
    ],
  }
}

/** Returns the transaction Bundle of one Patient and ten Observations, linked by urn:uuid. */
export function patientTransaction(patient: object, person: Person, urn: string): object {
  const entry = (resource: object, fullUrl: string, type: string) => ({
    fullUrl,
    resource,
    request: { method: 'POST', url: type },
  })
  const entries = [entry(patient, urn, 'Patient')]
  for (let nth = 0; nth < OBSERVATIONS_PER_PATIENT; nth++) {
    // Counted on from the last digits, so that none is the Patient's own.
    const own = `${urn.slice(0, -4)}${((Number.parseInt(urn.slice(-4), 16) + 1 + nth) & 0xffff).toString(16).padStart(4, '0')}`
    entries.push(entry(observationResource(person, nth, urn), own, 'Observation'))
  }
  return { resourceType: 'Bundle', type: 'transaction', entry: entries }
}

/** A question of the string+date row: those of the family born on or after a day, fewer than the family, more than none. */
export interface FamilyQuestion {
  family: string
  from: string
  hits: readonly Person[]
}

/** Returns the questions of all families of at least three members; the cut lies between two birth dates. */
export function familyQuestions(data: DataSet): FamilyQuestion[] {
  const questions: FamilyQuestion[] = []
  for (const [family, same] of data.byFamily) {
    const cut = Math.min(5, same.length - 1)
    if (same.length < 3 || same[cut]!.birthDate === same[cut - 1]!.birthDate) continue
    questions.push({ family, from: same[cut - 1]!.birthDate, hits: same.slice(0, cut) })
  }
  return questions
}
