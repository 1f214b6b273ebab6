/**
 * How strings are folded for search and order: case and accents do not count, the signs of Indic scripts do.
 * https://hl7.org/fhir/R4/search.html#string, https://www.unicode.org/reports/tr15/
 */

/** Raised with every change of meaning in this file: stored indexes are rebuilt then. */
export const FOLDING_VERSION = 1

/** Longer texts are searched by their first part only, UTF-16 units. */
const MAX_FOLDED = 2048
const MAX_SORT = 128

/** Marks go only after letters of these scripts: without its vowel signs a Malayalam or Hindi name is another name. */
const ACCENTED = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{M}+/gu
/** Format characters without a meaning of their own, among them ZWJ, ZWNJ, bidirectional marks and the soft hyphen. */
const INVISIBLE = /\p{Cf}+/gu
const PUNCTUATION = /\p{P}+/gu
const SPACE = /[\s\p{Z}\p{Cc}]+/gu
/** Printable characters only: no marks, no control characters. */
const ASCII = /^[ -~]*$/
const PLAIN_ASCII = /^[a-z0-9]*$/
const ASCII_PUNCTUATION = /[!-#%-*,-/:;?@[-\]_{}]+/g
const ASCII_SPACE = / +/g

/** Malayalam chillu letters: the older spelling with a joiner, and the letter that replaced it in Unicode 5.1. */
const CHILLU: Record<string, string> = { ണ: 'ൺ', ന: 'ൻ', ര: 'ർ', ല: 'ൽ', ള: 'ൾ', ക: 'ൿ' }
const JOINED_CHILLU = /([ണനരലളക])\u0d4d\u200d/g
/** The conjunct nta is written with the chillu by some keyboards and with na by others. */
const CHILLU_NTA = /\u0d7b\u0d4d\u0d31/g

/**
 * Returns the text as it is compared: NFKD, case folded, without accents on Latin, Greek and Cyrillic letters, NFC; Malayalam chillus in one
 * spelling, joiners gone, punctuation left out, white space one blank. Of texts that are nothing but punctuation, that is kept.
 */
export function fold(text: string): string {
  if (ASCII.test(text)) {
    const lower = (text.length > MAX_FOLDED ? text.slice(0, MAX_FOLDED) : text).toLowerCase()
    return PLAIN_ASCII.test(lower) ? lower : tidy(lower, ASCII_PUNCTUATION, ASCII_SPACE)
  }
  const folded = cut(wellFormed(text), MAX_FOLDED)
    .replace(JOINED_CHILLU, (_, letter: string) => CHILLU[letter]!)
    .replace(CHILLU_NTA, '\u0d28\u0d4d\u0d31')
    .replace(INVISIBLE, '')
    .normalize('NFKD')
    // By way of capitals, as full case folding does: ß becomes ss.
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKD')
    .replace(ACCENTED, '$1')
    .normalize('NFC')
  return cut(tidy(folded, PUNCTUATION, SPACE), MAX_FOLDED)
}

/** Returns the text as a token on a string is compared: its case does not count, all else does, punctuation and accents too. */
export const caseless = (text: string): string =>
  wellFormed(text).normalize('NFC').toUpperCase().toLowerCase()

function tidy(text: string, punctuation: RegExp, space: RegExp): string {
  const bare = text.replace(punctuation, '').replace(space, ' ').trim()
  return bare === '' ? text.replace(space, ' ').trim() : bare
}

/** Returns the key that a folded string is ordered by. */
export const sortKey = (folded: string): string => cut(folded, MAX_SORT)

/** Returns the text, or its first `length` UTF-16 units without half a character at the end. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)
}

/** Returns the text as every backend can hold it: whole characters, no NUL. */
export const wellFormed = (text: string): string => {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '') : whole
}

/** Returns the order of two texts by their UTF-8 bytes, which is that of their code points; not that of JavaScript's `<`. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) {
      // Surrogates stand for code points above U+FFFF, yet their units lie below U+E000.
      const leftHigh = left >= 0xd800 && left < 0xe000
      const rightHigh = right >= 0xd800 && right < 0xe000
      return leftHigh === rightHigh ? left - right : leftHigh ? 1 : -1
    }
  }
  return a.length - b.length
}
