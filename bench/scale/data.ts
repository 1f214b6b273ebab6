/**
 * The data of the search benchmark, made from a seed resource by resource: tens of Patients' records whatever the scale, so many times as
 * it takes. A unit is 1 Patient, 1 Encounter and 8 Observations; nothing is kept, each is computed from its number.
 *
 * The first units are planted: they have names, addresses, codes, dates and values that no other unit has, five units to a group, so that
 * the questions about them have the same hits at every scale.
 */
import { below, pick, seeded } from '../random.ts'

export const UNIT = 10
export const OBSERVATIONS = 8
/** Planted groups, and their members: units 0 to GROUPS * MEMBERS - 1. */
export const GROUPS = 100
export const MEMBERS = 5

export const LOINC = 'http://loinc.org'
export const UCUM = 'http://unitsofmeasure.org'
export const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
export const MRN = 'https://nadi.example/bench/mrn'

const DAY = 86_400_000
const SYLLABLES =
  'ba be bi cha da de ga go ha ja ji ka ki la le ma me na ni pa pi ra ri sa su ta ti va vi ya'.split(' ')
const UNITS = ['mg/dL', 'mmol/L', 'g/L', 'mm[Hg]', '/min', 'kg', 'cm', '%', 'U/L', 'ng/mL']

const capital = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`

function words(seed: number, count: number, syllables: number): string[] {
  const random = seeded(seed)
  const found = new Set<string>()
  while (found.size < count)
    found.add(capital(Array.from({ length: syllables }, () => pick(random, SYLLABLES)).join('')))
  return [...found]
}

/** Returns what draws 0 to n - 1 with frequencies by Zipf's law: the k-th as often as 1 / (k + 1). */
function zipf(n: number): (random: () => number) => number {
  const sums = new Float64Array(n)
  let sum = 0
  for (let k = 0; k < n; k++) {
    sum += 1 / (k + 1)
    sums[k] = sum
  }
  return random => {
    const at = random() * sum
    let low = 0
    let high = n - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

export interface Observed {
  id: string
  subject: number
  code: string
  laboratory: boolean
  /** ms since 1970; printed in +05:30. */
  at: number
  value: number | undefined
  unit: string
  /** Systolic and diastolic pressure. */
  pressure?: readonly [number, number]
}

export interface Person {
  id: string
  unit: number
  /** The planted group, or -1. */
  group: number
  identifier: string
  family: string
  given: readonly [string, string]
  gender: 'male' | 'female'
  birthDate: string
  street: string
  city: string
}

export interface Data {
  seed: number
  units: number
  resources: number
  families: readonly string[]
  codes: readonly string[]
  person(unit: number): Person
  observed(unit: number, nth: number): Observed
  /** Returns the resources of a unit as a transaction that puts them under ids of their own. */
  transaction(units: readonly number[]): string
}

const letters = (group: number): string => String.fromCharCode(97 + Math.floor(group / 26), 97 + (group % 26))
/** What the names of a planted group hold and no other name does: no syllable of the others has q, x or z. */
export const plantedFamily = (group: number): string => `Quorz${letters(group)}`
export const plantedStreet = (group: number): string => `Zyxon${letters(group)} Quay`
export const plantedCode = (group: number): string => `plant-${group}`
/** Long before and long after all other Observations; ms since 1970. */
export const plantedPast = (group: number): number => Date.UTC(1900, 0, 1, 4) + group * 200 * DAY
export const plantedFuture = (group: number): number => Date.UTC(2100, 0, 1, 4) + group * 200 * DAY
/** Far above all other values; the members of a group are 1 apart. */
export const plantedValue = (group: number): number => 1_000_000 + group * 10
export const plantedPressure = (group: number): number => 10_000 + group * 10
export const plantedBirth = (member: number): string => `${1950 + 10 * member}-06-15`

export const patientId = (unit: number): string => `bp-${unit}`
export const encounterId = (unit: number): string => `be-${unit}`
export const observationId = (unit: number, nth: number): string => `bo-${unit}-${nth}`

/** Returns the instant as our dates print it. */
export const instant = (at: number): string =>
  `${new Date(at + 5.5 * 3_600_000).toISOString().slice(0, 19)}+05:30`
export const day = (at: number): string => instant(at).slice(0, 10)

/** Returns the data of `resources` resources, rounded down to whole units. */
export function makeData(seed: number, resources: number): Data {
  const units = Math.floor(resources / UNIT)
  if (units < 2000)
    throw new Error('The least scale is 20000 resources: below it the questions have no full pages.')
  const families = words(seed + 1, 6000, 3)
  const givens = words(seed + 2, 400, 2)
  const streets = words(seed + 3, 2000, 3)
  const cities = words(seed + 4, 300, 3)
  const codes = Array.from({ length: 600 }, (_, n) => `${10_000 + n}-${n % 10}`)
  const anyFamily = zipf(families.length)
  const anyCity = zipf(cities.length)
  const anyCode = zipf(codes.length)
  const randomOf = (kind: number, number: number) =>
    seeded((seed * 0x9e3779b1) ^ (kind * 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35))

  const person = (unit: number): Person => {
    const random = randomOf(1, unit)
    const group = unit < GROUPS * MEMBERS ? Math.floor(unit / MEMBERS) : -1
    const family = families[anyFamily(random)]!
    const given = [pick(random, givens), pick(random, givens)] as const
    const gender = random() < 0.5 ? 'male' : 'female'
    const birthDate = day(Date.UTC(1930, 0, 1) + below(random, 92 * 365) * DAY)
    const street = `${pick(random, streets)} Road`
    const city = cities[anyCity(random)]!
    return {
      id: patientId(unit),
      unit,
      group,
      identifier: `M${String(unit).padStart(8, '0')}`,
      family: group < 0 ? family : plantedFamily(group),
      given,
      gender,
      birthDate: group < 0 ? birthDate : plantedBirth(unit % MEMBERS),
      street: group < 0 ? street : plantedStreet(group),
      city,
    }
  }

  const observed = (unit: number, nth: number): Observed => {
    const random = randomOf(2 + nth, unit)
    const group = unit < GROUPS * MEMBERS ? Math.floor(unit / MEMBERS) : -1
    const kind = anyCode(random)
    const one: Observed = {
      id: observationId(unit, nth),
      subject: unit,
      code: codes[kind]!,
      laboratory: random() < 0.5,
      at: Date.UTC(2010, 0, 1) + below(random, 15 * 365 * 1440) * 60_000,
      value: Math.round(Math.exp(3 + 1.2 * (random() + random() + random() - 1.5)) * 10) / 10,
      unit: UNITS[kind % UNITS.length]!,
    }
    if (random() < 0.04) {
      one.value = undefined
      one.pressure = [90 + below(random, 90), 50 + below(random, 60)]
    }
    if (group < 0) return one
    const member = unit % MEMBERS
    const value = (base: number): Observed => {
      const { pressure: _, ...bare } = one
      return { ...bare, value: base + member, unit: 'mg/dL' }
    }
    if (nth === 0) return { ...one, at: plantedPast(group) }
    if (nth === 1) return { ...one, at: plantedFuture(group) }
    if (nth === 2) return value(plantedValue(group))
    if (nth === 3) return { ...value(2 * plantedValue(group)), code: codes[0]! }
    if (nth === 4) return { ...one, code: plantedCode(group) }
    if (nth === 5)
      return { ...one, value: undefined, pressure: [plantedPressure(group) + member, 60 + member] }
    return one
  }

  const transaction = (numbers: readonly number[]): string => {
    const entry: object[] = []
    const put = (resource: { resourceType: string; id: string }) => {
      const url = `${resource.resourceType}/${resource.id}`
      entry.push({ resource, request: { method: 'PUT', url } })
    }
    for (const unit of numbers) {
      put(patientResource(person(unit)))
      put(encounterResource(unit, observed(unit, 0).at))
      for (let nth = 0; nth < OBSERVATIONS; nth++) put(observationResource(observed(unit, nth)))
    }
    return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
  }

  return { seed, units, resources: units * UNIT, families, codes, person, observed, transaction }
}

export const patientResource = (person: Person) => ({
  resourceType: 'Patient',
  id: person.id,
  text: {
    status: 'generated',
    div: `<div xmlns="http://www.w3.org/1999/xhtml">${person.given.join(' ')} ${person.family}</div>`,
  },
  identifier: [{ system: MRN, value: person.identifier }],
  active: true,
  name: [{ use: 'official', family: person.family, given: person.given }],
  telecom: [{ system: 'phone', value: `+91 9${String(800_000_000 + person.unit)}`, use: 'mobile' }],
  gender: person.gender,
  birthDate: person.birthDate,
  address: [
    {
      line: [`${(person.unit % 400) + 1} ${person.street}`],
      city: person.city,
      state: 'Kerala',
      postalCode: `68${String(person.unit % 10_000).padStart(4, '0')}`,
      country: 'IN',
    },
  ],
})

const encounterResource = (unit: number, at: number) => ({
  resourceType: 'Encounter',
  id: encounterId(unit),
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  subject: { reference: `Patient/${patientId(unit)}` },
  period: { start: instant(at), end: instant(at + 1_800_000) },
})

export const observationResource = (one: Observed) => ({
  resourceType: 'Observation',
  id: one.id,
  status: 'final',
  category: [{ coding: [{ system: CATEGORY, code: one.laboratory ? 'laboratory' : 'vital-signs' }] }],
  code: { coding: [{ system: LOINC, code: one.code, display: `Finding ${one.code}` }] },
  subject: { reference: `Patient/${patientId(one.subject)}` },
  encounter: { reference: `Encounter/${encounterId(one.subject)}` },
  effectiveDateTime: instant(one.at),
  ...(one.value === undefined ? {} : { valueQuantity: quantity(one.value, one.unit) }),
  ...(one.pressure === undefined
    ? {}
    : {
        component: one.pressure.map((value, n) => ({
          code: { coding: [{ system: LOINC, code: n === 0 ? '8480-6' : '8462-4' }] },
          valueQuantity: quantity(value, 'mm[Hg]'),
        })),
      }),
})

const quantity = (value: number, unit: string) => ({ value, unit, system: UCUM, code: unit })
