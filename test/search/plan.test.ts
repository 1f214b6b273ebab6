import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { type PlanOptions, planSearch } from '../../src/search/plan.ts'
import { createRegistry } from '../../src/search/registry.ts'

const registry = createRegistry()
const NOW = Date.UTC(2024, 5, 15)

const plan = (query: string, options: Partial<PlanOptions> = {}) =>
  planSearch(parseSearch([...new URLSearchParams(query)]), {
    registry,
    types: ['Patient'],
    zone: 'Asia/Kolkata',
    baseUrl: 'http://example.org/fhir',
    now: NOW,
    ...options,
  })

const refusal = (query: string, options: Partial<PlanOptions> = {}) => {
  try {
    plan(query, options)
  } catch (error) {
    if (error instanceof FhirError) return error.issues[0]!
    throw error
  }
  throw new Error(`${query} is not refused`)
}

describe('results', () => {
  test('without result parameters', () => {
    expect(plan('').result).toEqual({
      count: 20,
      total: undefined,
      summary: 'false',
      elements: undefined,
      pretty: false,
      format: undefined,
      includes: [],
      explain: false,
    })
  })

  test('with all of them', () => {
    expect(
      plan('_count=7&_total=estimate&_elements=name,gender,name&_format=json&_pretty=true').result,
    ).toEqual({
      count: 7,
      total: 'estimate',
      summary: 'false',
      elements: ['name', 'gender'],
      pretty: true,
      format: 'json',
      includes: [],
      explain: false,
    })
  })

  test('a count beyond the limit is the limit, and the self link says so', () => {
    const planned = plan('_count=999999', { limits: { pageMax: 500 } })
    expect(planned.result.count).toBe(500)
    expect(planned.applied).toEqual([['_count', '500']])
  })

  test('_count=0 is the same as _summary=count', () => {
    expect(plan('_count=0').result).toMatchObject({ count: 0, summary: 'count' })
  })
})

test('what a type has instead of an unknown parameter is what it can be searched by', () => {
  const { diagnostics } = refusal('color=red')
  expect(diagnostics).toMatch(/it has .*_id, _lastUpdated, _profile, /)
  expect(diagnostics).not.toMatch(/_filter|_query/)
})

describe('the self link', () => {
  test('shows what was applied, in the order sent', () => {
    expect(
      plan('_sort=family&gender=male,female&_count=3&family:exact=Nair&gender:not=other').applied,
    ).toEqual([
      ['_sort', 'family'],
      ['gender', 'male,female'],
      ['_count', '3'],
      ['family:exact', 'Nair'],
      ['gender:not', 'other'],
    ])
  })

  test('leaves out what was ignored and what is empty', () => {
    const planned = plan('color=red&gender=male&family=&birthdate:exact=2000', { lenient: true })
    expect(planned.applied).toEqual([['gender', 'male']])
    expect(planned.ignored.map(({ severity, expression }) => [severity, expression])).toEqual([
      ['warning', 'http.color'],
      ['warning', 'http.birthdate:exact'],
    ])
  })
})

test('near takes twenty places, and no more', () => {
  const near = (n: number) => `near=${Array.from({ length: n }, (_, i) => `${i}|76|5|km`).join()}`
  expect(plan(near(20), { types: ['Location'] }).plan.where).toMatchObject({ kind: 'or' })
  const issue = refusal(near(21), { types: ['Location'] })
  expect(issue).toMatchObject({ code: 'too-costly', expression: 'http.near' })
  expect(issue.diagnostics).toContain('20 places at most')
})

describe('refusals say what the parameter takes', () => {
  test.each([
    ['color=red', 'not-supported', 'http.color', /birthdate, .*family/],
    ['gender:exact=male', 'not-supported', 'http.gender:exact', /token parameter it takes :missing, :not, /],
    ['identifier:exact=1', 'not-supported', 'http.identifier:exact', /:missing, :not, :text, :of-type\./],
    ['birthdate:above=2000', 'not-supported', 'http.birthdate:above', /date parameter it takes :missing/],
    ['birthdate=tomorrow', 'invalid', 'http.birthdate', /yyyy-mm-dd/],
    ['birthdate=2001-02-29', 'invalid', 'http.birthdate', /no day "2001-02-29" in the calendar/],
    ['birthdate=ge1970-13', 'invalid', 'http.birthdate', /no month "1970-13" in the calendar/],
    ['birthdate=0000', 'invalid', 'http.birthdate', /no year "0000" in the calendar/],
    ['_lastUpdated=2001-02-30T10:00Z', 'invalid', 'http._lastUpdated', /no day "2001-02-30" in the calendar/],
    ['_lastUpdated=2001-02-28T25:00Z', 'invalid', 'http._lastUpdated', /no time "25:00Z" on the clock/],
    ['_filter=birthdate eq 2001-02-29', 'invalid', 'http._filter', /no day "2001-02-29" in the calendar/],
    ['_filter=birthdate po 1970-13', 'invalid', 'http._filter', /no month "1970-13" in the calendar/],
    ['_filter=birthdate po tomorrow', 'invalid', 'http._filter', /yyyy-mm-dd/],
    ['organization:Patient=1', 'invalid', 'http.organization:Patient', /Organization/],
    ['_sort=phone', 'not-supported', 'http._sort', /birthdate/],
    ['_lastUpdated:not=2000', 'not-supported', 'http._lastUpdated:not', /:missing/],
    ['family:Patient=x', 'not-supported', 'http.family:Patient', /:exact, :contains/],
  ])('%s', (query, code, expression, diagnostics) => {
    const issue = refusal(query)
    expect(issue).toMatchObject({ code, expression })
    expect(issue.diagnostics).toMatch(diagnostics)
  })
})

describe('limits', () => {
  test.each([
    ['parameters', Array.from({ length: 101 }, (_, i) => `family=a${i}`).join('&')],
    ['values', `family=${Array.from({ length: 1001 }, (_, i) => `a${i}`).join(',')}`],
    ['length', `family=${'a'.repeat(16_385)}`],
    ['sort keys', `_sort=${Array.from({ length: 9 }, () => 'family').join(',')}`],
    [
      'types of a chain',
      `focus.identifier=${Array.from({ length: 60 }, (_, i) => `a${i}`).join(',')}`,
      ['Observation'],
    ],
    [
      'types of the chains in a filter',
      `_filter=${Array.from({ length: 60 }, (_, i) => `focus.identifier eq a${i}`).join(' or ')}`,
      ['Observation'],
    ],
    [
      'types of several chains',
      Array.from({ length: 60 }, (_, i) => `focus.identifier=a${i}`).join('&'),
      ['Observation'],
    ],
    ['depth of a path', `_profile:above=http://a${'/a'.repeat(40)}`],
  ])('too many or too long: %s', (_, query, types = ['Patient']) => {
    expect(refusal(query, { types })).toMatchObject({ code: 'too-costly' })
  })
})

describe('the fingerprint', () => {
  const fingerprint = (query: string, options: Partial<PlanOptions> = {}) =>
    plan(query, options).plan.fingerprint

  test.each([
    ['gender=male&family=nair', 'family=nair&gender=male'],
    ['gender=male,female', 'gender=female,male'],
    ['gender=male,male', 'gender=male'],
    ['family=NAIR', 'family=nair'],
    ['identifier=a|b&identifier=a|b', 'identifier=a|b'],
    ['_count=5&gender=male', 'gender=male&_count=9'],
    ['_id=a,b', '_id=b,a'],
    ['birthdate=2000', 'birthdate=eq2000'],
  ])('of %s is that of %s', (a, b) => {
    expect(fingerprint(a)).toBe(fingerprint(b))
  })

  test.each([
    ['gender=male', 'gender=female'],
    ['gender=male', 'gender:not=male'],
    ['gender=male,female', 'gender=male&gender=female'],
    ['identifier=a|b', 'identifier=ab|'],
    ['identifier=b', 'identifier=|b'],
    ['family=x', 'given=x'],
    ['family=x', 'family:exact=x'],
    ['birthdate=2000', 'birthdate=2000-01'],
    ['_sort=family', '_sort=-family'],
    ['_sort=family,given', '_sort=given,family'],
    ['birthdate=ap2000', 'birthdate=ap2001'],
    ['birthdate=ap2000', 'birthdate=2000'],
  ])('of %s is not that of %s', (a, b) => {
    expect(fingerprint(a)).not.toBe(fingerprint(b))
  })

  test('does not change while time goes by', () => {
    const later = { now: NOW + 60_000 }
    expect(fingerprint('birthdate=ap2000')).toBe(fingerprint('birthdate=ap2000', later))
    expect(fingerprint('_lastUpdated=ap2024')).toBe(fingerprint('_lastUpdated=ap2024', later))
  })

  test('differs by the types searched', () => {
    expect(fingerprint('_id=x')).not.toBe(fingerprint('_id=x', { types: ['Observation'] }))
    expect(fingerprint('_id=x', { types: ['Patient', 'Observation'] })).toBe(
      fingerprint('_id=x', { types: ['Observation', 'Patient'] }),
    )
  })
})
