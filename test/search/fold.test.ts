import { describe, expect, test } from 'vitest'
import { compareUtf8, cut, fold, sortKey, wellFormed } from '../../src/search/fold.ts'

describe('folds alike', () => {
  test.each([
    ['Núñez', 'NUNEZ'],
    ['Núñez', 'Nu\u0301n\u0303ez'],
    ['Ångström', 'angstrom'],
    ['Strauß', 'STRAUSS'],
    ['Ὀδυσσεύς', 'ΟΔΥΣΣΕΥΣ'],
    ['Ёлка', 'елка'],
    ['İstanbul', 'istanbul'],
    ['ﬁn', 'FIN'],
    ['Ａｓｈａ', 'asha'],
    ['①', '1'],
    ["O'Brien", 'OBrien'],
    ['O’Brien', "o'brien"],
    ['Anne-Marie', 'annemarie'],
    ['a  b', ' A\tB\n'],
    ['a\u00a0b', 'a b'],
    ['Asha\u200b', 'asha'],
    // Malayalam chillu n, in one letter and with a joiner.
    ['അവൻ', 'അവ\u0d28\u0d4d\u200d'],
    ['കർത്താവ്', 'ക\u0d30\u0d4d\u200dത്താവ്'],
    // The conjunct nta, with na and with the chillu.
    ['എന്റെ', 'എ\u0d7b\u0d4d\u0d31െ'],
    // Vowel sign o in one part and in two.
    ['കൊച്ചി', 'ക\u0d46\u0d3eച്ചി'],
    // Nukta letters in one part and in two.
    ['\u0958', '\u0915\u093c'],
    ['क\u094d\u200dष', 'क्ष'],
    ['श्री\u200c', 'श्री'],
  ])('%s and %s', (a, b) => {
    expect(fold(a)).toBe(fold(b))
  })
})

describe('keeps apart', () => {
  test.each([
    ['മിനി', 'മനു'],
    ['മിനി', 'മനി'],
    ['राम', 'रमा'],
    ['राम', 'रम'],
    ['कमल', 'क़मल'],
    ['കല', 'കാല'],
    ['ൻ', 'ന'],
    ['அம்மா', 'அமமா'],
    ['a', 'b'],
    ['ab', 'a b'],
  ])('%s and %s', (a, b) => {
    expect(fold(a)).not.toBe(fold(b))
  })
})

test.each([
  ['Asha', 'asha'],
  ['12/3 M.G. Road', '123 mg road'],
  ['ß', 'ss'],
  ['', ''],
  ['   ', ''],
  ['-', '-'],
  ['+', '+'],
  ['<5', '<5'],
  ['...', '...'],
  ['മിനി', 'മിനി'],
])('%j folds to %j', (text, folded) => {
  expect(fold(text)).toBe(folded)
})

test('folding twice changes nothing more', () => {
  for (const text of [
    'Núñez',
    "O'Brien",
    'Ὀδυσσεύς',
    'അവ\u0d28\u0d4d\u200d',
    'क़',
    'İ',
    'ŉ',
    'ǰ',
    'ﬃ',
    '½',
    '가',
  ])
    expect(fold(fold(text))).toBe(fold(text))
})

test('a long text folds to a bounded one, in bounded time', () => {
  const start = performance.now()
  expect(fold('é'.repeat(1_000_000)).length).toBeLessThanOrEqual(2048)
  expect(fold(`a${'\u0301'.repeat(1_000_000)}`)).toBe('a')
  expect(fold('-'.repeat(1_000_000)).length).toBeLessThanOrEqual(2048)
  expect(performance.now() - start).toBeLessThan(1000)
})

test('half a character never reaches a backend', () => {
  expect(fold('a\ud800b')).toBe('a\ufffdb')
  expect(wellFormed('a\ud800b\0c')).toBe('a\ufffdbc')
  expect(cut('ab😀', 3)).toBe('ab')
  expect(sortKey('😀'.repeat(100)).length).toBeLessThanOrEqual(128)
  expect(sortKey('😀'.repeat(100)).isWellFormed()).toBe(true)
})

describe('compareUtf8', () => {
  test('orders as the bytes of UTF-8 do', () => {
    const texts = ['', 'a', 'aa', 'b', 'z', 'é', 'മ', '\ue000', '\uffff', '😀', '😀a', '😁', '𑂍']
    const bytes = (text: string) => Buffer.from(text, 'utf8')
    for (const a of texts)
      for (const b of texts)
        expect(Math.sign(compareUtf8(a, b)), `${a} ${b}`).toBe(Buffer.compare(bytes(a), bytes(b)))
  })
})
