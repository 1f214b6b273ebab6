/** Regular expressions of value set filters. https://hl7.org/fhir/R4/valueset-filter-operator.html */
import { describe, expect, it } from 'vitest'
import { compileRegex } from '../../../src/fhir/terminology/regex.ts'

describe('a regular expression of a filter', () => {
  it.each([
    ['abc', ['abc'], ['ab', 'abcd', 'xabc']],
    ['^abc$', ['abc'], ['abcd']],
    ['a.c', ['abc', 'a.c'], ['ac']],
    ['a\\.c', ['a.c'], ['abc']],
    ['[A-Z]\\d+', ['A1', 'Z99'], ['a1', 'A', 'A1x']],
    ['[^a-c]*', ['', 'xyz'], ['xay']],
    ['a?b{2}c{1,2}', ['abbc', 'bbcc'], ['abc', 'bbccc']],
    ['a{2,}', ['aa', 'aaaaa'], ['a']],
    ['LP.*|LA[|x].*', ['LP1', 'LA|', 'LAx2'], ['LB', 'LA']],
    ['\\w*é', ['caé', 'é'], ['e']],
  ])('%s', (pattern, yes, no) => {
    const test = compileRegex(pattern)!
    for (const text of yes) expect(test(text), text).toBe(true)
    for (const text of no) expect(test(text), text).toBe(false)
  })

  it.each(['(a)', 'a**', '[a', 'a{3,1}', '\\p{L}', 'a(?=b)', '*a', 'a{999}b{999}', '[z-a]'])(
    '%s is not understood',
    pattern => {
      expect(compileRegex(pattern)).toBeUndefined()
    },
  )

  it('costs no more than its length times that of the text', () => {
    const test = compileRegex(`${'a?'.repeat(120)}${'a'.repeat(120)}`)!
    const before = performance.now()
    expect(test('a'.repeat(120))).toBe(true)
    expect(test(`${'a'.repeat(240)}b`)).toBe(false)
    const stars = compileRegex(`${'[ab]*'.repeat(200)}c`)!
    expect(stars('ab'.repeat(500))).toBe(false)
    expect(performance.now() - before).toBeLessThan(2000)
  })
})
