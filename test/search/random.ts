/** Random patients and queries from a seed, with a plain reading of what each query finds. */
import { seeded, below as wholeBelow } from '../../bench/random.ts'

export const SEED = Number(process.env.NADI_TEST_SEED ?? Date.now() % 2 ** 31)
console.log(`seed ${SEED}: repeat with NADI_TEST_SEED=${SEED}`)

/** Returns a generator of random numbers, of whole ones below another, and of picks from a list. */
export function generator(seed: number) {
  const random = seeded(seed)
  const below = (n: number) => wholeBelow(random, n)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
  return { random, below, pick }
}

export interface RandomPatient {
  resourceType: 'Patient'
  id: string
  gender?: string
  birthDate?: string
  name?: { family?: string; given?: string[] }[]
  identifier?: { system?: string; value: string }[]
}

const FAMILIES = ['Nair', 'nair', 'Menon', 'Menón', 'Pillai', 'Nairobi', 'മേനോൻ', 'Das', 'DAS']
const GIVEN = ['Asha', 'Ash', 'Ravi', 'രവി', 'Leela', 'Leelā']
const DATES = ['1980', '1980-05', '1980-05-05', '1980-05-06', '1999-12-31', '2000', '2000-01-01']

export function randomPatient(
  i: number,
  pick: <T>(list: readonly T[]) => T,
  below: (n: number) => number,
): RandomPatient {
  const patient: RandomPatient = { resourceType: 'Patient', id: `random${i}` }
  if (below(4) > 0) patient.gender = pick(['male', 'female', 'other'])
  if (below(4) > 0) patient.birthDate = pick(DATES)
  if (below(5) > 0)
    patient.name = Array.from({ length: 1 + below(2) }, () => ({
      family: pick(FAMILIES),
      given: [pick(GIVEN)],
    }))
  if (below(3) > 0)
    patient.identifier = Array.from({ length: 1 + below(3) }, () => ({
      ...(below(2) ? { system: pick(['s', 't']) } : {}),
      value: pick(['1', '2', '3']),
    }))
  return patient
}

export type Expected = (patient: RandomPatient) => boolean

/** As a person folds these few names in the head. */
const bare = (text: string) => text.toLowerCase().replace('ó', 'o').replace('ā', 'a')
/** First and last day that a date says, as text: India's days compare with each other without any clock. */
const days = (date: string): [string, string] => [
  date.length === 4 ? `${date}-01-01` : date.length === 7 ? `${date}-01` : date,
  date.length === 4 ? `${date}-12-31` : date.length === 7 ? `${date}-31` : date,
]

export function randomQuery(
  pick: <T>(list: readonly T[]) => T,
  below: (n: number) => number,
): [string, string, Expected] {
  const families = (patient: RandomPatient) => patient.name?.map(name => name.family!) ?? []
  switch (below(9)) {
    case 0: {
      const gender = pick(['male', 'female', 'other', 'unknown'])
      return ['gender', gender, patient => patient.gender === gender]
    }
    case 1: {
      const gender = pick(['male', 'female', 'other'])
      return ['gender:not', gender, patient => patient.gender !== gender]
    }
    case 2: {
      const text = pick([...FAMILIES, 'na', 'm', 'd', 'പ'])
      return [
        'family',
        text,
        patient => families(patient).some(family => bare(family).startsWith(bare(text))),
      ]
    }
    case 3: {
      const text = pick([...FAMILIES, 'a', 'en', 'ill'])
      return [
        'family:contains',
        text,
        patient => families(patient).some(family => bare(family).includes(bare(text))),
      ]
    }
    case 4: {
      const text = pick(FAMILIES)
      return ['family:exact', text, patient => families(patient).includes(text)]
    }
    case 5: {
      const [system, value] = [pick([undefined, '', 's', 't']), pick(['1', '2', '3'])]
      return [
        'identifier',
        system === undefined ? value : `${system}|${value}`,
        patient =>
          patient.identifier?.some(
            one => one.value === value && (system === undefined || (one.system ?? '') === system),
          ) ?? false,
      ]
    }
    case 6: {
      const missing = pick([true, false])
      return ['birthdate:missing', String(missing), patient => (patient.birthDate === undefined) === missing]
    }
    case 7: {
      const names = [pick(GIVEN), pick(GIVEN)]
      return [
        'given',
        names.join(','),
        patient =>
          patient.name?.some(name => names.some(text => bare(name.given![0]!).startsWith(bare(text)))) ??
          false,
      ]
    }
    default: {
      const [prefix, date] = [pick(['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb']), pick(DATES)]
      const [from, to] = days(date)
      return [
        'birthdate',
        `${prefix}${date}`,
        patient => {
          if (patient.birthDate === undefined) return false
          const [first, last] = days(patient.birthDate)
          const within = first >= from && last <= to
          if (prefix === 'ne') return !within
          if (prefix === 'gt') return last > to
          if (prefix === 'lt') return first < from
          if (prefix === 'ge') return last > to || within
          if (prefix === 'le') return first < from || within
          if (prefix === 'sa') return first > to
          if (prefix === 'eb') return last < from
          return within
        },
      ]
    }
  }
}
