import { describe, expect, it } from 'vitest'
import { compilePattern, type Pattern } from '../../../src/fhir/path/pattern.ts'
import { evaluated } from './evaluated.ts'

const pattern = (source: string): Pattern => {
  const compiled = compilePattern(source)
  if (typeof compiled === 'string') throw new Error(compiled)
  return compiled
}

const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  'abc',
  'aab',
  'abab',
  'A1',
  'a-b',
  'a.b',
  'x y',
  '2012-04',
  'नमस्ते',
  '😀',
  'a\nb',
  '[x]',
  'urn:oid:1.2',
]
const PATTERNS = [
  'a',
  'a*',
  'a+b?',
  '^a',
  'b$',
  '^(ab)+$',
  'a|b|',
  '(a|ab)(c|bcd)?',
  '[a-c]{2,3}',
  '[^a-z]+',
  '\\d{4}-\\d\\d',
  '\\w+\\s\\w+',
  '\\bx\\b',
  'a.b',
  '(?:a(?:b|c))*',
  '\\[x\\]',
  '[\\[\\]]',
  'a{0}',
  'a{2}',
  'a{1,}',
  '\\p{L}+',
  '[\\u0900-\\u097F]+',
  '.{1}',
  'a*?b',
  '[.\\-]',
  '\\S',
  '\\D\\W',
]

describe('patterns', () => {
  it.each(PATTERNS)('%s finds what the regular expressions of JavaScript find', source => {
    const native = new RegExp(source, 'us')
    const whole = new RegExp(`^(?:${source})$`, 'us')
    const compiled = pattern(source)
    for (const text of TEXTS) {
      expect([text, compiled.test(text, false, () => {})]).toEqual([text, native.test(text)])
      expect([text, compiled.test(text, true, () => {})]).toEqual([text, whole.test(text)])
      const match = native.exec(text)
      const found = compiled.find(text, 0, () => {})
      expect([text, found?.slice(0, 2)]).toEqual([
        text,
        match === null ? undefined : [match.index, match.index + match[0].length],
      ])
    }
  })

  it('groups are where JavaScript has them', () => {
    const found = pattern('(\\d+)-(?<b>\\d+)').find('x 12-345', 0, () => {})
    expect(found).toEqual([2, 8, 2, 4, 5, 8])
  })

  it.each([
    ['(?=a)', 'lookaround'],
    ['(?<!a)b', 'lookaround'],
    ['(a)\\1', 'not supported'],
    ['a**', 'repeated'],
    ['*a', 'repeats nothing'],
    ['(a', 'does not close'],
    ['a)', 'closes nothing'],
    ['[a', 'does not close'],
    ['a{3,2}', 'ends before it begins'],
    ['[z-a]', 'malformed'],
    ['(((a{100}){100}){100}){100}', 'too large'],
    ['(?:(?:(?:(?:a{0}){9999}){9999}){9999}){9999}', 'too large'],
    ['(?:'.repeat(1000), 'nested deeper'],
    ['(a)'.repeat(40), 'more than 32 groups'],
    ['x'.repeat(5000), 'longer than'],
  ])('%.40s is refused, and the reason is given', (source, why) => {
    expect(compilePattern(source)).toContain(why)
  })

  it.each(['(a+)+$', '(a|aa)+$', '(.*a){12}$', '([a-zA-Z]+)*$', '(a|a?)+$', '^(([a-z])+.)+[A-Z]([a-z])+$'])(
    'the steps of %s grow with the text and no faster',
    source => {
      const steps = (length: number): number => {
        let count = 0
        pattern(source).test(`${'a'.repeat(length)}!`, false, more => {
          count += more
        })
        return count
      }
      expect(steps(2000) / steps(1000)).toBeLessThan(2.1)
      expect(steps(1000)).toBeLessThan(1000 * (pattern(source).size + 2))
    },
  )

  it('a hostile text against a hostile pattern ends by the budget or in time', () => {
    const text = 'a'.repeat(60_000)
    const start = performance.now()
    expect(() =>
      evaluated(`'${text.slice(0, 15_000)}'.matches('(a|aa|aaa|aaaa){1,250}b$')`, undefined, {
        steps: 1_000_000,
      }),
    ).toThrow('too many steps')
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it('a pattern in the expression that cannot be read is refused when it is compiled, one in the data when it is met', () => {
    expect(() => evaluated("{}.matches('(?=a)')")).toThrow('malformed')
    expect(() => evaluated("'a'.matches('(?' & '=a)')")).toThrow('cannot be evaluated')
  })
})
