import { describe, expect, test } from 'vitest'
import { FilterFault, MAX_DEPTH, parseFilter } from '../../src/search/filter-syntax.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { planSearch } from '../../src/search/plan.ts'
import { createRegistry } from '../../src/search/registry.ts'

const compare = (path: string, operator: string, value: string) => ({ is: 'compare', path, operator, value })

describe('the grammar', () => {
  test.each([
    ['a eq b', compare('a', 'eq', 'b')],
    ['  a   eq\tb ', compare('a', 'eq', 'b')],
    ['a.b-c._d eq 2014-10-10T10:00:00+05:30', compare('a.b-c._d', 'eq', '2014-10-10T10:00:00+05:30')],
    ['a eq "b) or (c"', compare('a', 'eq', 'b) or (c')],
    ['a eq "\\"\\\\\\u00e9\\n"', compare('a', 'eq', '"\\\u00e9\n')],
    // Half of a character is none.
    ['a eq "x\\ud800"', compare('a', 'eq', 'x\ufffd')],
    ['(a eq b)', compare('a', 'eq', 'b')],
    ['not (a eq b)', { is: 'not', of: compare('a', 'eq', 'b') }],
    ['android eq x', compare('android', 'eq', 'x')],
    ['nothing eq x', compare('nothing', 'eq', 'x')],
    ['a eq and', compare('a', 'eq', 'and')],
    ['a eq x,y', compare('a', 'eq', 'x,y')],
    [
      'a eq 1 and b eq 2 and c eq 3',
      { is: 'and', parts: [compare('a', 'eq', '1'), compare('b', 'eq', '2'), compare('c', 'eq', '3')] },
    ],
    // Logical expressions are evaluated left to right, with no precedence between "and" and "or".
    [
      'a eq 1 or b eq 2 and c eq 3',
      {
        is: 'and',
        parts: [
          { is: 'or', parts: [compare('a', 'eq', '1'), compare('b', 'eq', '2')] },
          compare('c', 'eq', '3'),
        ],
      },
    ],
    [
      'a eq 1 or (b eq 2 and c eq 3)',
      {
        is: 'or',
        parts: [
          compare('a', 'eq', '1'),
          { is: 'and', parts: [compare('b', 'eq', '2'), compare('c', 'eq', '3')] },
        ],
      },
    ],
  ])('%s', (text, expected) => {
    expect(parseFilter(text, 100)).toEqual(expected)
  })

  test('faults say where', () => {
    expect(() => parseFilter('a eq b xor c eq d', 100)).toThrow(/at character 8: "and", "or" or the end/)
    expect(() => parseFilter('a is b', 100)).toThrow(/at character 3: one of the operators eq, ne/)
    expect(() => parseFilter('(a eq b', 100)).toThrow(/at character 8: .*closing parenthesis/)
  })
})

describe('depth and length are limited', () => {
  const nested = (depth: number) => `${'('.repeat(depth)}a eq b${')'.repeat(depth)}`
  const turns = (changes: number) =>
    `a eq b${Array.from({ length: changes }, (_, i) => ` ${i % 2 === 0 ? 'and' : 'or'} a eq b`).join('')}`

  test('to the letter', () => {
    expect(() => parseFilter(nested(MAX_DEPTH), 100)).not.toThrow()
    expect(() => parseFilter(nested(MAX_DEPTH + 1), 100)).toThrow(FilterFault)
    expect(() => parseFilter(turns(MAX_DEPTH), 100)).not.toThrow()
    expect(() => parseFilter(turns(MAX_DEPTH + 1), 100)).toThrow(FilterFault)
    expect(() => parseFilter('a eq b or a eq b', 2)).not.toThrow()
    expect(() => parseFilter('a eq b or a eq b or a eq b', 2)).toThrow(FilterFault)
  })

  test.each([
    ['parentheses', '('.repeat(100_000)],
    ['negations', 'not('.repeat(100_000)],
    ['comparisons', 'a eq b and '.repeat(100_000)],
    ['changes', 'a eq b and a eq b or '.repeat(50_000)],
    ['a string without an end', `a eq "${'x'.repeat(100_000)}`],
    ['backslashes', `a eq "${'\\'.repeat(100_001)}`],
    ['blanks', `a${' '.repeat(100_000)}`],
    ['a name', 'a'.repeat(100_000)],
  ])('%s without end', (_, text) => {
    const started = performance.now()
    expect(() => parseFilter(text, 100)).toThrow(FilterFault)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('operators that a parameter does not take', () => {
  const diagnostics = (filter: string): string => {
    try {
      planSearch(parseSearch([['_filter', filter]]), {
        registry: createRegistry(),
        types: ['Observation'],
        zone: 'UTC',
        baseUrl: 'http://example.org/fhir',
        now: 0,
      })
    } catch (error) {
      return (error as Error).message
    }
    throw new Error(`${filter} is not refused`)
  }

  test.each([
    ['subject eq x', 're, pr'],
    ['code gt x', 'eq, ne, ss, sb, in, ni, pr'],
    ['date sw 2000', 'eq, ne, gt, lt, ge, le, ap, sa, eb, co, po, pr'],
    ['value-quantity po 5', 'eq, ne, gt, lt, ge, le, ap, sa, eb, pr'],
    ['value-string sa x', 'eq, ne, co, sw, ew, gt, lt, ge, le, pr'],
    ['subject:Patient.name ap x', 'eq, ne, co, sw, ew, gt, lt, ge, le, pr'],
  ])('%s names %s', (filter, operators) => {
    expect(diagnostics(filter)).toContain(`it takes ${operators}.`)
  })

  test.each(['__proto__ eq x', 'constructor eq x', 'subject.toString eq x', 'subject:__proto__.name eq x'])(
    '%s is refused',
    filter => {
      expect(diagnostics(filter)).toMatch(/no search parameter|None of the types|is none|not the name/)
    },
  )
})
