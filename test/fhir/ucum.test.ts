/** What UCUM codes are in base units, by https://ucum.org/ucum; fractions worked out by hand. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import table from '../../src/fhir/definitions/generated/ucum.json' with { type: 'json' }
import { canonicalUnit } from '../../src/fhir/ucum.ts'
import { FOLDER } from './validate/places.ts'

/** Base units and the factor as `n/d` with its power of ten, such as `m-3.g 1/1e-1`. */
const shown = (code: string): string => {
  const unit = canonicalUnit(code)
  if (unit === undefined) return 'none'
  const { n, d, e } = unit.factor
  return `${unit.dimension} ${n}/${d}e${e}`
}

describe('factors are exact', () => {
  test.each([
    ['g', 'g 1/1e0'],
    ['mg', 'g 1/1e-3'],
    ['mg/dL', 'm-3.g 1/1e1'],
    ['g/L', 'm-3.g 1/1e3'],
    ['g/l', 'm-3.g 1/1e3'],
    ['kg/m2', 'm-2.g 1/1e3'],
    ['[lb_av]', 'g 45359237/1e-5'],
    ['[in_i]', 'm 254/1e-4'],
    ['min', 's 6/1e1'],
    ['wk', 's 6048/1e2'],
    ['/min', 's-1 1/6e-1'],
    ['/h', 's-1 1/36e-2'],
    ['mol', '1 602214076/1e15'],
    ['U/L', 'm-3.s-1 602214076/6e11'],
    ['10*3/uL', 'm-3 1/1e12'],
    ['10*9/L', 'm-3 1/1e12'],
    ['10^9/L', 'm-3 1/1e12'],
    ['%', '1 1/1e-2'],
    ['{score}', '1 1/1e0'],
    ['{# of fetuses}', '1 1/1e0'],
    ['10*3{cells}/uL', 'm-3 1/1e12'],
    ['U/(10.g){feces}', 's-1.g-1 602214076/6e7'],
    ['mm[Hg]', 'm-1.s-2.g 133322/1e0'],
    ['kPa', 'm-1.s-2.g 1/1e6'],
    ['cm[H2O]', 'm-1.s-2.g 980665/1e-1'],
    ['deg', 'rad 31415926535897932384626433832795028841971693993751058209749445923/18e-65'],
    ['m2', 'm2 1/1e0'],
    ['m+2', 'm2 1/1e0'],
    ['mm-3', 'm-3 1/1e9'],
    ['dar', 'm2 1/1e1'],
    ['1', '1 1/1e0'],
    ['Cel', 'K 1/1e0'],
    ['[degF]', 'K 5/9e0'],
    ['KiBy', '1 8192/1e0'],
  ])('%s', (code, expected) => {
    // Reduced fractions may share their power of ten either way; compare the numbers.
    const number = (text: string) => {
      const [, dimension, n, d, e] = /^(\S+) (\d+)\/(\d+)e(-?\d+)$/.exec(text)!
      const power = 10n ** BigInt(Math.abs(Number(e)))
      const [up, down] = Number(e) < 0 ? [1n, power] : [power, 1n]
      return [dimension, BigInt(n!) * up, BigInt(d!) * down] as const
    }
    const [dimension, n, d] = number(shown(code))
    const [wanted, m, b] = number(expected)
    expect(dimension).toBe(wanted)
    expect(n * b).toBe(m * d)
  })
})

test('operators go from left to right, a leading solidus divides one', () => {
  expect(shown('/kg.m')).toBe(shown('m/kg'))
  expect(shown('/kg/h')).toBe(shown('1/(kg.h)'))
  expect(shown('kg/m.s')).toBe(shown('kg.s/m'))
  expect(shown('mL/min/{1.73_m2}')).toBe(shown('mL/min'))
})

test('equal units have one fraction, however they are written', () => {
  expect(shown('mmol/L')).toBe(shown('mol/m3'))
  expect(shown('24.h')).toBe(shown('d'))
  expect(shown('Hz')).toBe(shown('60/min'))
  expect(shown('N.m')).toBe(shown('J'))
})

test('case counts, and prefixes stand before metric units alone', () => {
  for (const code of ['MG/DL', 'Mg/Dl', 'k[lb_av]', 'm%', 'kkg', 'mcg', 'k', 'da', 'm10*'])
    expect(shown(code)).toBe('none')
})

test('arbitrary units, special ones and what UCUM does not know have none', () => {
  for (const code of [
    '[iU]',
    '[IU]/mL',
    'm[IU]/L',
    "[arb'U]",
    '[CFU]/mL',
    "k[beth'U]",
    '[NTU]',
    '[hp_X]',
    '[pH]',
    'B',
    'dB',
    'B[10.nV]',
    'Np',
    'bit_s',
    '[m/s2/Hz^(1/2)]',
    '%[slope]',
    'mCel',
    'J/Cel',
    'Cel2',
    'mEq',
    'TAB',
    'month',
    'mmHg',
    '°C',
    'µg',
    'm0',
    '0',
    'm^2',
    'm**2',
    'm.',
    '.m',
    'm//s',
    '//m',
    '/',
    '()',
    '(m',
    'm)',
    '{',
    '{a',
    '}',
    '{a}{b}',
    '{a{b}}',
    '[',
    'm ',
    ' m',
    'm m',
    'm/ s',
    '-1',
    '1e3',
    '1.5e3',
    '',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
  ])
    expect([code, shown(code)]).toEqual([code, 'none'])
})

test('every unit of the table is made of base units', () => {
  expect(Object.keys((table as { units: object }).units).length).toBeGreaterThan(200)
  const units = Object.entries((table as { units: Record<string, [string, string]> }).units)
  // [IU] is said to be one [iU], which is arbitrary.
  expect(units.filter(([code]) => canonicalUnit(code) === undefined).map(([code]) => code)).toEqual(['[IU]'])
})

test('the units that HL7 lists as common are known, but for arbitrary and special ones', () => {
  const valueSet = JSON.parse(readFileSync(join(FOLDER, 'ValueSet-ucum-common.json'), 'utf8')) as {
    compose: { include: { concept: { code: string }[] }[] }
  }
  const codes = valueSet.compose.include.flatMap(include => include.concept.map(concept => concept.code))
  expect(codes.length).toBeGreaterThan(1000)
  const arbitrary = /\[([^\]]*'?U|[CT]CID_50|EID_50|hp_[XCMQ]|Lf|IR)\]/
  const special = /^(%\[slope\]|\[p'diop\]|\[pH\]|d?B|B\[.*\]|bit_s|Np)$/
  const unknown = codes.filter(code => canonicalUnit(code) === undefined)
  expect(unknown.filter(code => !arbitrary.test(code) && !special.test(code))).toEqual([])
})

describe('hostile codes', () => {
  const bounded = (code: string) => {
    const start = performance.now()
    const unit = canonicalUnit(code)
    expect(performance.now() - start).toBeLessThan(200)
    return unit
  }

  test('long ones, deep ones and large ones take no time', () => {
    for (const part of [
      '(',
      ')',
      '{',
      '[',
      '/',
      '.',
      '+',
      '-1',
      '9',
      'm',
      'm.',
      '(m.',
      '[c]99.',
      '10*99.',
      '%',
      ' ',
    ])
      for (const length of [64, 128, 129, 1024, 1_000_000]) bounded(part.repeat(length).slice(0, length))
    expect(bounded(`${'('.repeat(63)}m${')'.repeat(63)}`)?.dimension).toBe('m')
    expect(bounded('10*99.10*99.10*99')).toBeDefined()
    expect(bounded('10*99.10*99.10*99.10*99')).toBeUndefined()
    expect(bounded('m99.m99')).toBeUndefined()
    expect(bounded('m100')).toBeUndefined()
    expect(bounded('10*-99999999999')).toBeUndefined()
    expect(bounded('1'.repeat(129))).toBeUndefined()
    expect(bounded('[c]99')).toBeUndefined()
  })

  test('ten thousand at random: never a throw, never another answer for the same code', () => {
    const parts = [
      '[',
      ']',
      '{',
      '}',
      '(',
      ')',
      '.',
      '/',
      '+',
      '-',
      '1',
      '0',
      '99',
      'm',
      'k',
      'g',
      '[c]',
      '10*',
      '%',
      '[pi]',
      '\0',
      '\ud800',
      'മ',
    ]
    let state = 7
    const random = (n: number) => {
      state = (state * 48271) % 2147483647
      return state % n
    }
    const first = new Map<string, string>()
    for (let i = 0; i < 10_000; i++) {
      const code = Array.from({ length: 1 + random(12) }, () => parts[random(parts.length)]).join('')
      first.set(code, shown(code))
    }
    // More codes than are kept, so that these are read again.
    for (const [code, answer] of first) expect(shown(code)).toBe(answer)
    expect([...first.values()].filter(answer => answer !== 'none').length).toBeGreaterThan(30)
  })
})
