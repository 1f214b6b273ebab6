import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { type Json, NumberText, type Resource } from '../../src/fhir/json.ts'
import type { IndexRow } from '../../src/search/index-row.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { compareBySort, matches } from '../../src/search/match.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { type PlannedSearch, planSearch } from '../../src/search/plan.ts'
import type { Node } from '../../src/search/plan-node.ts'
import { createRegistry } from '../../src/search/registry.ts'

const SEED = Number(process.env.NADI_TEST_SEED ?? Date.now() % 2 ** 31)
console.log(`seed ${SEED}: repeat with NADI_TEST_SEED=${SEED}`)

/** Mulberry32. */
function generator(seed: number) {
  let state = seed
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number) => Math.floor(random() * n)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
  return { random, below, pick }
}

const registry = createRegistry()
const index = createIndexer(registry, {
  zone: 'Asia/Kolkata',
  references: 'enforce',
  baseUrl: 'http://example.org/fhir',
})

const plan = (pairs: [string, string][], types: string[], lenient = false): PlannedSearch =>
  planSearch(parseSearch(pairs), {
    registry,
    types,
    zone: 'Asia/Kolkata',
    baseUrl: 'http://example.org/fhir',
    now: Date.UTC(2024, 5, 15),
    lenient,
  })

const PIECES = [
  'a',
  'eq',
  'ne',
  'gt',
  'ap',
  '2020',
  '-01',
  'T10:00',
  'Z',
  '+05:30',
  '5.4',
  '1e5',
  'e',
  '.',
  '-',
  '|',
  ',',
  '$',
  '\\',
  '\\,',
  '\\|',
  ':',
  '/',
  '#',
  '%',
  "'",
  '"',
  '--',
  ';',
  '*',
  '?',
  '(',
  ')',
  '[',
  '{',
  '}',
  '\0',
  '\n',
  ' ',
  'é',
  'മ',
  '\u200d',
  '😀',
  '\ud800',
  'http://x/',
  'urn:',
  'Patient/1',
  '_history/',
  '__proto__',
  'constructor',
  '$where',
  '{"$gt":""}',
  '.*',
  '(a+)+$',
  'NaN',
  'null',
  'true',
  '99999999999999999999',
  '0x1',
  '१',
]
const MODIFIERS = [
  '',
  '',
  '',
  ':missing',
  ':exact',
  ':contains',
  ':not',
  ':text',
  ':of-type',
  ':identifier',
  ':above',
  ':below',
  ':in',
  ':Patient',
  ':x',
  ':',
  '.name',
  ':Patient.name',
]

describe(`seed ${SEED}`, () => {
  test('no query text makes anything but a plan or a FhirError, and quickly', () => {
    const { below, pick } = generator(SEED)
    const codes = [...new Set(registry.types.flatMap(type => registry.params(type).map(param => param.code)))]
    const special = [
      '_count',
      '_sort',
      '_total',
      '_summary',
      '_elements',
      '_type',
      '_has:a:b:c',
      '_include',
      '_format',
      '_pretty',
      '',
      '$',
      'x y',
      '__proto__',
      'constructor',
    ]
    let planned = 0
    const start = performance.now()
    for (let i = 0; i < 6000; i++) {
      const type = pick(registry.types)
      const own = registry.params(type).map(param => param.code)
      const pairs = Array.from({ length: 1 + below(3) }, (): [string, string] => [
        `${pick([own, own, own, codes, special][below(5)]!)}${pick(MODIFIERS)}`,
        Array.from({ length: below(6) }, () => pick(PIECES)).join(''),
      ])
      try {
        const { plan: found } = plan(pairs, pick([[type], [], [type, 'Patient']]), below(2) === 0)
        planned++
        matches(found, { type, id: 'x', at: 0, rows: [] })
      } catch (error) {
        if (!(error instanceof FhirError))
          throw new Error(`${JSON.stringify(pairs)}: ${error}`, { cause: error })
        expect(error.status, JSON.stringify(pairs)).toBe(400)
      }
    }
    expect(planned).toBeGreaterThan(500)
    expect(performance.now() - start).toBeLessThan(20_000)
  })

  test('expressions that explode do not', () => {
    const bombs = [
      'a'.repeat(16_000),
      '\\,'.repeat(8000),
      '|'.repeat(16_000),
      '-'.repeat(16_000),
      '/'.repeat(16_000),
      ' '.repeat(16_000),
      '9'.repeat(16_000),
      `1e${'9'.repeat(16_000)}`,
      'é'.repeat(16_000),
      '\u0301'.repeat(16_000),
      `http://${'a/'.repeat(7000)}`,
    ]
    const start = performance.now()
    for (const bomb of bombs)
      for (const [type, name] of [
        ['Patient', 'family'],
        ['Patient', 'family:exact'],
        ['Patient', 'identifier'],
        ['Patient', 'phone'],
        ['Patient', 'birthdate'],
        ['Patient', 'organization'],
        ['RiskAssessment', 'probability'],
        ['Observation', 'value-quantity'],
        ['ValueSet', 'url'],
        ['ValueSet', 'url:above'],
        ['ValueSet', 'url:below'],
        ['Patient', '_sort'],
        ['Patient', '_elements'],
        ['Patient', bomb],
      ] as const)
        try {
          plan([[name, bomb]], [type])
        } catch (error) {
          expect(error).toBeInstanceOf(FhirError)
        }
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('random resources answer random queries as a plain reading of the parameters does', () => {
    const { below, pick } = generator(SEED + 1)
    let hits = 0
    let queries = 0
    for (let round = 0; round < 30; round++) {
      const patients = Array.from({ length: 25 }, (_, i) => randomPatient(i, pick, below))
      const indexed = patients.map((patient, i) => ({
        type: 'Patient',
        id: String(patient.id),
        at: i,
        rows: index(patient as unknown as Resource),
      }))
      for (let i = 0; i < 20; i++) {
        const [name, value, expected] = randomQuery(pick, below)
        const found = plan([[name, value]], ['Patient']).plan
        const ids = indexed.filter(one => matches(found, one)).map(one => one.id)
        const wanted = patients.filter(expected).map(patient => patient.id)
        expect(ids, `${name}=${value} on ${JSON.stringify(patients)}`).toEqual(wanted)
        queries++
        if (ids.length > 0) hits++
      }
    }
    // A search that finds nothing proves little.
    expect(hits / queries).toBeGreaterThan(0.3)
  })

  test('sorting is a total order of what it sorts', () => {
    const { below, pick } = generator(SEED + 2)
    const indexed = Array.from({ length: 60 }, (_, i) => {
      const patient = randomPatient(i, pick, below)
      return { type: 'Patient', id: patient.id, at: i, rows: index(patient as unknown as Resource) }
    })
    for (const sort of [
      'family',
      '-family',
      'birthdate,-given',
      'gender,-birthdate,family',
      '-_lastUpdated',
      '_id',
      'name',
      '-identifier',
    ]) {
      const compare = compareBySort(plan([['_sort', sort]], ['Patient']).plan)
      for (const a of indexed)
        for (const b of indexed) {
          expect(Math.sign(compare(a, b)) + Math.sign(compare(b, a))).toBe(0)
          const c = pick(indexed)
          if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0)
        }
    }
  })

  test('random trees of any type give rows without an error', () => {
    const { below, pick } = generator(SEED + 3)
    for (let i = 0; i < 2000; i++) {
      const type = pick(registry.types)
      const keys = registry
        .params(type)
        .flatMap(param =>
          param.paths.flatMap(path => path.steps.flatMap(step => ('key' in step ? [step.key] : []))),
        )
      const rows = index({
        ...(randomTree(4, [...keys, ...KEYS], pick, below) as object),
        resourceType: type,
      } as Resource)
      expectWellFormed(rows)
      matches({ kind: 'and', nodes: rows.map(leafOf) }, { type, id: 'x', at: 0, rows })
    }
  })
})

const KEYS = [
  'system',
  'code',
  'value',
  'coding',
  'text',
  'display',
  'reference',
  'identifier',
  'start',
  'end',
  'low',
  'high',
  'unit',
  'comparator',
  'family',
  'given',
  'event',
  'repeat',
  'boundsPeriod',
  'contained',
  'resourceType',
  'id',
  'type',
  'meta',
  'tag',
]

function randomTree(
  depth: number,
  keys: readonly string[],
  pick: <T>(list: readonly T[]) => T,
  below: (n: number) => number,
): Json {
  const kind = depth === 0 ? below(5) : 3 + below(6)
  if (kind < 1) return null
  if (kind < 2) return pick([true, false])
  if (kind < 4)
    return new NumberText(pick(['0', '-1', '1.50', '1e400', '-1e-400', '123456789012345678901234567890']))
  if (kind < 5) return Array.from({ length: below(4) }, () => pick(PIECES)).join('')
  if (kind < 6) return Array.from({ length: below(4) }, () => randomTree(depth - 1, keys, pick, below))
  return Object.fromEntries(
    Array.from({ length: below(12) }, () => [pick(keys), randomTree(depth - 1, keys, pick, below)]),
  )
}

/** What every backend relies on. */
function expectWellFormed(rows: readonly IndexRow[]): void {
  const seen = new Set<string>()
  for (const row of rows) {
    const text = JSON.stringify(row)
    expect(seen.has(text), text).toBe(false)
    seen.add(text)
    for (const value of Object.values(row))
      if (typeof value === 'string') expect(value.isWellFormed() && !value.includes('\0'), text).toBe(true)
      else expect(Number.isSafeInteger(value), text).toBe(true)
    if (row.kind === 'date') expect(row.lo, text).toBeLessThan(row.hi)
  }
}

const leafOf = (row: IndexRow): Node => ({ kind: 'present', param: row.param })

interface RandomPatient {
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

function randomPatient(
  i: number,
  pick: <T>(list: readonly T[]) => T,
  below: (n: number) => number,
): RandomPatient {
  const patient: RandomPatient = { resourceType: 'Patient', id: `p${i}` }
  if (below(4) > 0) patient.gender = pick(['male', 'female', 'other'])
  if (below(4) > 0) patient.birthDate = pick(DATES)
  if (below(5) > 0)
    patient.name = Array.from({ length: 1 + below(2) }, () => ({
      family: pick(FAMILIES),
      given: [pick(GIVEN)],
    }))
  if (below(3) > 0)
    patient.identifier = [{ ...(below(2) ? { system: pick(['s', 't']) } : {}), value: pick(['1', '2', '3']) }]
  return patient
}

type Expected = (patient: RandomPatient) => boolean

/** As a person folds these few names in the head. */
const bare = (text: string) => text.toLowerCase().replace('ó', 'o').replace('ā', 'a')
/** First and last day that a date says, as text: India's days compare with each other without any clock. */
const days = (date: string): [string, string] => [
  date.length === 4 ? `${date}-01-01` : date.length === 7 ? `${date}-01` : date,
  date.length === 4 ? `${date}-12-31` : date.length === 7 ? `${date}-31` : date,
]

function randomQuery(
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
