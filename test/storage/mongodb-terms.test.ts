/** The order of terms is the order of what they stand for, by the UTF-8 bytes that MongoDB compares. */
import { describe, expect, it } from 'vitest'
import { DATE_MAX, DATE_MIN } from '../../src/search/plan-node.ts'
import { afterPrefix, held, instantKey, inverted, LONG, sortField } from '../../src/storage/mongodb/terms.ts'

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
const TEXTS = [
  '',
  '\u0000',
  'a',
  'a\u0000',
  'aa',
  'ab',
  'b',
  'z',
  '\u007f',
  '\u0080',
  'é',
  'മ',
  'മിനി',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '😀',
  '😀a',
  '\u{10ffff}',
]

describe('terms of the MongoDB index', () => {
  it('instants keep their order, from the first to the last that a Date can hold', () => {
    const instants = [
      DATE_MIN,
      DATE_MIN + 1,
      -86_400_000,
      -1,
      0,
      1,
      999,
      1000,
      1_700_000_000_000,
      DATE_MAX - 1,
      DATE_MAX,
    ]
    const keys = instants.map(instantKey)
    expect([...keys].sort(bytewise)).toEqual(keys)
    expect(new Set(keys.map(key => key.length))).toEqual(new Set([12]))
  })

  it('inverted keys descend where the keys ascend', () => {
    const ascending = [...TEXTS].sort(bytewise)
    const turned = ascending.map(inverted)
    expect([...turned].sort(bytewise).reverse()).toEqual(turned)
    expect(new Set(turned).size).toBe(TEXTS.length)
  })

  it('the end of a prefix stands after all that begin with it and before all else that is greater', () => {
    for (const prefix of TEXTS.filter(text => text !== '' && text !== '\u{10ffff}')) {
      const end = afterPrefix(prefix)
      expect(bytewise(prefix, end), prefix).toBeLessThan(0)
      for (const rest of TEXTS) expect(bytewise(prefix + rest, end), prefix).toBeLessThan(0)
      for (const other of TEXTS)
        if (!other.startsWith(prefix) && bytewise(other, prefix) > 0)
          expect(bytewise(other, end), `${prefix} ${other}`).toBeGreaterThanOrEqual(0)
    }
  })

  it('long values are cut between characters and told apart by a hash', () => {
    const long = '😀'.repeat(LONG)
    expect(held('x'.repeat(LONG))).toBe('x'.repeat(LONG))
    expect(held(long)).not.toBe(held(`${long}b`))
    expect(held(long).isWellFormed()).toBe(true)
    expect(held(long).length).toBeLessThan(LONG + 50)
    expect(held(`x${long}`).isWellFormed()).toBe(true)
  })

  it('sort fields are names that hold no path and no operator', () => {
    expect(sortField('Patient.birthdate')).toBe('birthdate')
    expect(sortField('_lastUpdated')).toBe('_lastUpdated')
    expect(sortField('Patient.$where')).toBe('%24where')
    expect(sortField('X.a b')).toBe('a%20b')
  })
})
