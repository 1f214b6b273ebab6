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
import { stored } from './cases.ts'
import { generator, randomPatient, randomQuery, SEED } from './random.ts'
import { randomLinkCases, randomWorld } from './random-links.ts'

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
  ':Patient._id',
  '._has:Observation:subject:code',
  ':Group.member:Device.identifier:not',
  '.subject.subject.subject',
  '._list',
  '..',
]
const HAS = [
  '_has:',
  'Observation:',
  'Patient:',
  'subject:',
  'patient:',
  'member:',
  'code',
  '_id',
  ':',
  '.',
  'x',
  '_has',
]
const FILTER = [
  ...['(', ')', ' ', ' and ', ' or ', 'not ', 'not(', '[', ']', '"', '\\', '\\u0000', '\\ud800'],
  ...[' eq ', ' ne ', ' co ', ' pr ', ' po ', ' re ', ' ap ', ' in ', ' ss ', ' ew ', ' xx '],
  ...['code', 'subject', 'subject.name', '_id', 'name', 'birthdate', 'date', '_has:Observation:subject:code'],
  ...['code eq x', 'name co "x"', 'birthdate ge 2020', 'gender pr true', '2020', 'true', 'loinc|1', '"x"'],
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
      '_include:iterate',
      '_revinclude',
      '_list',
      '_in',
      '_contained',
      '_explain',
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
      if (below(6) === 0)
        pairs.push([Array.from({ length: 1 + below(7) }, () => pick(HAS)).join(''), pick(PIECES)])
      if (below(6) === 0)
        pairs.push(['_filter', Array.from({ length: 1 + below(9) }, () => pick(FILTER)).join('')])
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
        ['Patient', '_filter'],
        ['Patient', '_list'],
        ['Patient', '_include'],
        ['Patient', '_has:Observation:patient:code'],
        ['Patient', `_has:${bomb}`],
        ['Patient', `_has:Observation:${bomb}:code`],
        ['Patient', `organization.${bomb}`],
        ['Patient', `organization:${bomb}.name`],
        ['Observation', 'focus.identifier'],
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
      expectDerivedKeys(rows, type)
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

/** A backend that reads codes where the plan says so finds the keys that the sort rows hold. */
function expectDerivedKeys(rows: readonly IndexRow[], type: string): void {
  for (const { code, name, rows: own } of registry.params(type)) {
    if (own[0] !== name || own.length > 1) continue
    const sorts = rows.flatMap(row => (row.kind === 'sort' && row.param === name ? [row] : []))
    expect(sorts.length).toBeLessThanOrEqual(1)
    let coded = false
    try {
      const key = plan([['_sort', code]], [type]).plan.sort[0]!
      coded = key.by === 'param' && (key.coded?.includes(name) ?? false)
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(FhirError)
    }
    if (!coded) {
      expect(sorts.filter(row => row.of !== undefined)).toEqual([])
      continue
    }
    const codes = rows.flatMap(row =>
      row.kind === 'token' && row.param === name && row.code !== '' ? [Buffer.from(row.code)] : [],
    )
    codes.sort(Buffer.compare)
    const [min, max] = [codes[0]?.toString(), codes.at(-1)?.toString()]
    expect(sorts).toEqual(min === undefined ? [] : [{ kind: 'sort', param: name, min, max, of: 'token' }])
  }
}

const leafOf = (row: IndexRow): Node => ({ kind: 'present', param: row.param })

describe(`chains, reverse chains and filters find what a plain reading finds, seed ${SEED}`, () => {
  const random = generator(SEED + 11)
  let hits = 0
  const ROUNDS = 10
  const QUERIES = 60
  test('in random worlds', () => {
    for (let round = 0; round < ROUNDS; round++) {
      const world = randomWorld(random)
      const resources = stored(world, 0)
      const others = {
        get: (type: string, id: string) => resources.find(one => one.type === type && one.id === id),
        all: (types: readonly string[]) => resources.filter(one => types.includes(one.type)),
      }
      for (const { type, name, value, holds } of randomLinkCases(random, world, QUERIES)) {
        const planned = plan([[name, value]], [type]).plan
        const found = resources.filter(one => matches(planned, one, others)).map(one => one.id)
        const wanted = world.filter(one => one.resourceType === type && holds(one)).map(one => one.id)
        expect(found, `${type}?${name}=${value}`).toEqual(wanted)
        if (wanted.length > 0) hits++
      }
    }
  })
  test('of which many find something', () => {
    expect(hits).toBeGreaterThan(ROUNDS * QUERIES * 0.3)
  })
})
