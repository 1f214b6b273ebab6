import { describe, expect, test } from 'vitest'
import { Unresolved, Unsupported } from '../../src/search/ask.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { type PlanOptions, planSearch } from '../../src/search/plan.ts'
import { createRegistry } from '../../src/search/registry.ts'

const registry = createRegistry()
const plan = (type: string, query: string, options: Partial<PlanOptions>) =>
  planSearch(parseSearch([...new URLSearchParams(query)]), {
    registry,
    types: [type],
    zone: 'UTC',
    baseUrl: 'http://example.org/fhir',
    now: 0,
    ...options,
  })
const thrown = (type: string, query: string, options: Partial<PlanOptions>): unknown => {
  try {
    plan(type, query, options)
  } catch (error) {
    return error
  }
  return undefined
}

describe('what is not looked up yet is asked for', () => {
  const known = () => undefined
  test.each([
    ['Condition', 'code:in=http://x/vs', { is: 'value-set', url: 'http://x/vs' }],
    ['Condition', 'code:not-in=ValueSet/1', { is: 'value-set', url: 'ValueSet/1' }],
    ['Condition', 'code:in=http://example.org/fhir/ValueSet/1', { is: 'value-set', url: 'ValueSet/1' }],
    ['Condition', 'code:in=http://x/vs\\|2', { is: 'value-set', url: 'http://x/vs|2' }],
    ['Condition', 'code:below=http://x|1', { is: 'codes', system: 'http://x', code: '1', way: 'below' }],
    [
      'Procedure',
      'location:above=Location/1',
      { is: 'resources', type: 'Location', id: '1', param: 'Location.partof', way: 'above' },
    ],
    [
      'Observation',
      'has-member:below=Observation/1',
      { is: 'resources', type: 'Observation', id: '1', param: 'Observation.has-member', way: 'below' },
    ],
  ])('%s?%s', (type, query, need) => {
    const error = thrown(type, query, { known })
    expect(error).toBeInstanceOf(Unresolved)
    expect((error as Unresolved).need).toEqual(need)
  })
})

test('where nothing can be looked up, that is said', () => {
  expect(thrown('Condition', 'code:in=http://x/vs', {})).toBeInstanceOf(Unsupported)
})

test('what cannot be told is a 400 in the words of who looked', () => {
  const known = () => ({ unknown: 'This server has no ValueSet http://x/vs.' })
  expect(thrown('Condition', 'code:in=http://x/vs', { known })).toMatchObject({
    status: 400,
    issues: [
      {
        code: 'invalid',
        expression: 'http.code:in',
        diagnostics: 'This server has no ValueSet http://x/vs.',
      },
    ],
  })
})

test('ten thousand codes are the most', () => {
  const codes = (n: number) => ({
    codes: Array.from({ length: n }, (_, i) => ({ system: 'http://x', code: `c${i}` })),
  })
  expect(plan('Condition', 'code:in=http://x/vs', { known: () => codes(10_000) }).plan.where).toMatchObject({
    kind: 'or',
    nodes: { length: 10_000 },
  })
  expect(thrown('Condition', 'code:in=http://x/vs', { known: () => codes(10_001) })).toMatchObject({
    code: 'too-costly',
    status: 400,
  })
})
