/**
 * The search families: what each asks, and what the answer must hold. A planted question has the same hits at every scale, known by their
 * ids; another is judged by what every match must be.
 */
import { type AnyJson, expect, expectMatches, expectStatus, parse } from '../check.ts'
import type { Answer } from '../http-connection.ts'
import { below, pick } from '../random.ts'
import {
  CATEGORY,
  type Data,
  day,
  encounterId,
  GROUPS,
  LOINC,
  MEMBERS,
  MRN,
  OBSERVATIONS,
  observationId,
  patientId,
  plantedBirth,
  plantedCode,
  plantedFamily,
  plantedFuture,
  plantedPast,
  plantedPressure,
  plantedStreet,
  plantedValue,
  UCUM,
} from './data.ts'

export const PAGE = 20

export interface Question {
  path: string
  /** Throws WrongAnswer. */
  check(answer: Answer): void
}

export interface Family {
  name: string
  /** Its hits are the same at every scale. */
  planted: boolean
  /** Counts that may be more than 100,000 have no bar. */
  large?: boolean
  ask(data: Data, random: () => number): Question
}

const DAY = 86_400_000
const encode = encodeURIComponent
const search = (type: string, ...parameters: string[]): string =>
  `/${type}?${[...parameters, `_count=${PAGE}`].join('&')}`
const param = (name: string, value: string): string => `${name}=${encode(value)}`
const members = (group: number): number[] => Array.from({ length: MEMBERS }, (_, m) => group * MEMBERS + m)
const anyGroup = (random: () => number): number => below(random, GROUPS)
const anyUnit = (data: Data, random: () => number): number => below(random, data.units)

/** A question with exactly these hits. */
const hits = (path: string, type: string, ids: readonly string[]): Question => ({
  path,
  check: answer => {
    expectMatches(answer, type, ids)
  },
})

/** A question that has more than a page of hits, each of which is right. */
const fullPage = (path: string, isRight: (match: AnyJson) => boolean): Question => ({
  path,
  check: answer => {
    const matches = matchesOf(answer)
    expect(matches.length === PAGE, () => `${matches.length} matches rather than ${PAGE}`)
    const ids = new Set(matches.map(match => match.id))
    expect(ids.size === matches.length, () => 'a match stands twice')
    for (const match of matches) expect(isRight(match), () => `${match.id} is no match`)
  },
})

/** A question that may have fewer hits than a page. */
const page = (path: string, least: number, isRight: (match: AnyJson) => boolean): Question => ({
  path,
  check: answer => {
    const matches = matchesOf(answer)
    expect(matches.length >= least && matches.length <= PAGE, () => `${matches.length} matches`)
    for (const match of matches) expect(isRight(match), () => `${match.id} is no match`)
  },
})

function entriesOf(answer: Answer): AnyJson[] {
  expectStatus(answer, 200)
  return parse(answer).entry ?? []
}

const matchesOf = (answer: Answer): AnyJson[] =>
  entriesOf(answer)
    .filter(({ search }) => (search?.mode ?? 'match') === 'match')
    .map(({ resource }) => resource)

const codeOf = (one: AnyJson): string => one.code.coding[0].code
const timeOf = (one: AnyJson): number => Date.parse(one.effectiveDateTime)
const amountOf = (one: AnyJson): number => one.valueQuantity?.value
const fold = (text: string): string => text.toLowerCase()

/** The ids of an Observation of each member of the groups from `from` to `to`. */
function plantedIds(from: number, to: number, nth: number): string[] {
  const ids: string[] = []
  for (let group = from; group <= to; group++)
    for (const unit of members(group)) ids.push(observationId(unit, nth))
  return ids
}

const planted = (name: string, ask: Family['ask']): Family => ({ name, planted: true, ask })
const natural = (name: string, ask: Family['ask']): Family => ({ name, planted: false, ask })

/** Planted dates: `past` groups count from the oldest, `future` ones from the latest, three at most, so that a page holds all. */
function datePrefix(prefix: string): Family {
  return planted(`date ${prefix}`, (_, random) => {
    const n = below(random, 3)
    const last = GROUPS - 1 - n
    const ask = (at: number, from: number, to: number, nth: number) =>
      hits(
        search('Observation', param('date', `${prefix}${day(at)}`)),
        'Observation',
        plantedIds(from, to, nth),
      )
    switch (prefix) {
      case 'eq': {
        const group = anyGroup(random)
        return ask(plantedPast(group), group, group, 0)
      }
      case 'gt':
      case 'sa':
        return ask(plantedFuture(last) - DAY, last, GROUPS - 1, 1)
      case 'ge':
        return ask(plantedFuture(last), last, GROUPS - 1, 1)
      case 'lt':
      case 'eb':
        return ask(plantedPast(n) + DAY, 0, n, 0)
      default:
        return ask(plantedPast(n), 0, n, 0)
    }
  })
}

export const FAMILIES: readonly Family[] = [
  natural('read', (data, random) => {
    const id = observationId(anyUnit(data, random), below(random, OBSERVATIONS))
    return {
      path: `/Observation/${id}`,
      check: answer => {
        expectStatus(answer, 200)
        expect(parse(answer).id === id, () => `not ${id}`)
      },
    }
  }),
  planted('identifier', (data, random) => {
    const unit = anyUnit(data, random)
    const value = `${MRN}|${data.person(unit).identifier}`
    return hits(search('Patient', param('identifier', value)), 'Patient', [patientId(unit)])
  }),
  planted('code, rare', (_, random) => {
    const group = anyGroup(random)
    const path = search('Observation', param('code', `${LOINC}|${plantedCode(group)}`))
    return hits(path, 'Observation', plantedIds(group, group, 4))
  }),
  natural('code, first page', (data, random) => {
    const code = data.codes[below(random, 60)]!
    return fullPage(search('Observation', param('code', `${LOINC}|${code}`)), one => codeOf(one) === code)
  }),
  natural('category of half, first page', (_, random) => {
    const code = pick(random, ['laboratory', 'vital-signs'])
    const path = search('Observation', param('category', `${CATEGORY}|${code}`))
    return fullPage(path, one => one.category[0].coding[0].code === code)
  }),
  planted('reference+code', (data, random) => {
    const unit = anyUnit(data, random)
    const { code } = data.observed(unit, 6)
    const ids: string[] = []
    for (let nth = 0; nth < OBSERVATIONS; nth++)
      if (data.observed(unit, nth).code === code) ids.push(observationId(unit, nth))
    const parameters = [param('subject', `Patient/${patientId(unit)}`), param('code', `${LOINC}|${code}`)]
    return hits(search('Observation', ...parameters), 'Observation', ids)
  }),
  planted('name prefix', (_, random) => {
    const group = anyGroup(random)
    const prefix = plantedFamily(group).toLowerCase()
    return hits(search('Patient', param('name', prefix)), 'Patient', members(group).map(patientId))
  }),
  natural('name prefix, first page', (data, random) => {
    const prefix = fold(data.families[below(random, 40)]!)
    const begins = ({ name: [{ family, given }] }: AnyJson) =>
      [family, ...given].some(part => fold(part).startsWith(prefix))
    return page(search('Patient', param('name', prefix)), 1, begins)
  }),
  planted('name:contains', (_, random) => {
    const group = anyGroup(random)
    const part = plantedFamily(group).slice(2).toLowerCase()
    return hits(search('Patient', param('name:contains', part)), 'Patient', members(group).map(patientId))
  }),
  natural('name:contains, first page', (data, random) => {
    const part = fold(data.families[below(random, 40)]!.slice(1))
    const holds = ({ name: [{ family, given }] }: AnyJson) =>
      [family, ...given].some(text => fold(text).includes(part))
    return page(search('Patient', param('name:contains', part)), 1, holds)
  }),
  planted('address:contains', (_, random) => {
    const group = anyGroup(random)
    const part = plantedStreet(group).slice(1, 9).toLowerCase()
    return hits(search('Patient', param('address:contains', part)), 'Patient', members(group).map(patientId))
  }),
  planted('string+date', (_, random) => {
    const group = anyGroup(random)
    const member = below(random, MEMBERS)
    const parameters = [
      param('family', plantedFamily(group)),
      param('birthdate', `ge${plantedBirth(member)}`),
    ]
    return hits(search('Patient', ...parameters), 'Patient', members(group).slice(member).map(patientId))
  }),
  natural('string+date, first page', (data, random) => {
    const family = data.families[below(random, 20)]!
    const year = 1940 + below(random, 60)
    const parameters = [param('family', family), param('birthdate', `ge${year}`)]
    return page(
      search('Patient', ...parameters),
      0,
      one => one.birthDate >= String(year) && fold(one.name[0].family).startsWith(fold(family)),
    )
  }),
  ...['eq', 'gt', 'ge', 'lt', 'le', 'sa', 'eb'].map(datePrefix),
  natural('date ne, first page', (_, random) => {
    const at = Date.UTC(2010, 0, 1) + below(random, 5000) * DAY
    const path = search('Observation', param('date', `ne${day(at)}`))
    // The server's zone is not known here: only the middle of the day is surely another one's.
    const noon = Date.parse(`${day(at)}T12:00:00+05:30`)
    return fullPage(path, one => Math.abs(timeOf(one) - noon) > DAY / 4)
  }),
  natural('date ap', (_, random) => {
    const at = plantedPast(anyGroup(random))
    // A tenth of the distance to now on either side.
    const width = (Date.now() - at) / 10 + 2 * DAY
    const path = search('Observation', param('date', `ap${day(at)}`))
    return page(path, MEMBERS, one => Math.abs(timeOf(one) - at) <= width)
  }),
  natural('date ge, first page', (_, random) => {
    const at = Date.UTC(2010, 0, 1) + below(random, 5000) * DAY
    const path = search('Observation', param('date', `ge${day(at)}`))
    return fullPage(path, one => one.effectiveDateTime >= day(at))
  }),
  natural('date range, newest first', (_, random) => {
    const at = Date.UTC(2011, 0, 1) + below(random, 4500) * DAY
    const parameters = [
      param('date', `ge${day(at)}`),
      param('date', `lt${day(at + 30 * DAY)}`),
      param('_sort', '-date'),
    ]
    return {
      path: search('Observation', ...parameters),
      check: answer => {
        const times = matchesOf(answer).map(timeOf)
        expect(times.length === PAGE, () => `${times.length} matches rather than ${PAGE}`)
        expect(
          times.every((time, i) => i === 0 || time <= times[i - 1]!),
          () => 'not newest first',
        )
        const end = Date.parse(`${day(at + 30 * DAY)}T00:00:00Z`)
        expect(times[0]! < end && times[0]! > end - 10 * DAY, () => 'not the newest of the month')
      },
    }
  }),
  natural('code and date range, newest first', (data, random) => {
    const code = data.codes[below(random, 5)]!
    const at = Date.UTC(2011, 0, 1) + below(random, 4000) * DAY
    const parameters = [
      param('code', `${LOINC}|${code}`),
      param('date', `ge${day(at)}`),
      param('date', `lt${day(at + 365 * DAY)}`),
      param('_sort', '-date'),
    ]
    return page(search('Observation', ...parameters), 1, one => codeOf(one) === code)
  }),
  planted('quantity range', (_, random) => {
    const group = anyGroup(random)
    const from = plantedValue(group)
    const parameters = [
      param('value-quantity', `ge${from}|${UCUM}|mg/dL`),
      param('value-quantity', `lt${from + MEMBERS}|${UCUM}|mg/dL`),
    ]
    return hits(search('Observation', ...parameters), 'Observation', plantedIds(group, group, 2))
  }),
  natural('quantity range, first page', (_, random) => {
    const from = 10 + below(random, 40)
    const parameters = [
      param('value-quantity', `ge${from}|${UCUM}|mg/dL`),
      param('value-quantity', `lt${from + 5}|${UCUM}|mg/dL`),
    ]
    return page(
      search('Observation', ...parameters),
      1,
      one => one.valueQuantity.code === 'g/L' || (amountOf(one) >= from && amountOf(one) < from + 5),
    )
  }),
  planted('chain', (data, random) => {
    const unit = anyUnit(data, random)
    const value = `${MRN}|${data.person(unit).identifier}`
    const ids = Array.from({ length: OBSERVATIONS }, (_, nth) => observationId(unit, nth))
    return hits(search('Observation', param('subject:Patient.identifier', value)), 'Observation', ids)
  }),
  natural('chain by family, first page', (data, random) => {
    const group = anyGroup(random)
    const path = search('Observation', param('subject:Patient.family', plantedFamily(group)))
    const subjects = new Set(members(group).map(unit => `Patient/${patientId(unit)}`))
    return fullPage(path, one => subjects.has(one.subject.reference) && data.units > 0)
  }),
  planted('_has', (_, random) => {
    const group = anyGroup(random)
    const path = search('Patient', param('_has:Observation:patient:code', `${LOINC}|${plantedCode(group)}`))
    return hits(path, 'Patient', members(group).map(patientId))
  }),
  natural('_has, first page', (data, random) => {
    const code = data.codes[below(random, 5)]!
    const path = search('Patient', param('_has:Observation:patient:code', `${LOINC}|${code}`))
    return fullPage(path, one => one.resourceType === 'Patient')
  }),
  planted('_include', (data, random) => {
    const unit = anyUnit(data, random)
    const path = search(
      'Observation',
      param('subject', `Patient/${patientId(unit)}`),
      '_include=Observation:subject',
      '_include=Observation:encounter',
    )
    const ids = Array.from({ length: OBSERVATIONS }, (_, nth) => observationId(unit, nth))
    return {
      path,
      check: answer => {
        expectMatches(answer, 'Observation', ids)
        expectIncluded(answer, [`Patient/${patientId(unit)}`, `Encounter/${encounterId(unit)}`])
      },
    }
  }),
  planted('_revinclude', (data, random) => {
    const unit = anyUnit(data, random)
    const value = `${MRN}|${data.person(unit).identifier}`
    const path = search('Patient', param('identifier', value), '_revinclude=Observation:subject')
    return {
      path,
      check: answer => {
        expectMatches(answer, 'Patient', [patientId(unit)])
        const ids = Array.from({ length: OBSERVATIONS }, (_, nth) => observationId(unit, nth))
        expectIncluded(
          answer,
          ids.map(id => `Observation/${id}`),
        )
      },
    }
  }),
  planted('composite', (data, random) => {
    const group = anyGroup(random)
    const member = below(random, MEMBERS)
    const value = `${LOINC}|${data.codes[0]}$${2 * plantedValue(group) + member}|${UCUM}|mg/dL`
    const unit = group * MEMBERS + member
    return hits(search('Observation', param('code-value-quantity', value)), 'Observation', [
      observationId(unit, 3),
    ])
  }),
  planted('composite of components', (_, random) => {
    const group = anyGroup(random)
    const member = below(random, MEMBERS)
    const value = `${LOINC}|8480-6$${plantedPressure(group) + member}|${UCUM}|mm[Hg]`
    const unit = group * MEMBERS + member
    return hits(search('Observation', param('combo-code-value-quantity', value)), 'Observation', [
      observationId(unit, 5),
    ])
  }),
  {
    ...natural('count of half', (data, random) => {
      const code = pick(random, ['laboratory', 'vital-signs'])
      const path = `/Observation?${param('category', `${CATEGORY}|${code}`)}&_summary=count`
      return {
        path,
        check: answer => {
          expectStatus(answer, 200)
          const { total } = parse(answer)
          const all = data.units * OBSERVATIONS
          expect(total > all * 0.45 && total < all * 0.55, () => `total ${total} of ${all}`)
        },
      }
    }),
    large: true,
  },
]

/** The walks whose fiftieth page is asked for: name and search. */
export const WALKS: readonly { name: string; path(data: Data): string }[] = [
  {
    name: 'page 50 of a code',
    path: data => search('Observation', param('code', `${LOINC}|${data.codes[0]}`)),
  },
  {
    name: 'page 50 of a category, newest first',
    path: () => search('Observation', param('category', `${CATEGORY}|laboratory`), '_sort=-date'),
  },
  { name: 'page 50 by family', path: () => search('Patient', '_sort=family') },
]

function expectIncluded(answer: Answer, wanted: readonly string[]): void {
  const included = entriesOf(answer)
    .filter(({ search }) => search?.mode === 'include')
    .map(({ resource }) => `${resource.resourceType}/${resource.id}`)
    .sort()
  const sorted = [...wanted].sort()
  expect(
    included.length === sorted.length && included.every((key, i) => key === sorted[i]),
    () => `included [${included}] rather than [${sorted}]`,
  )
}
