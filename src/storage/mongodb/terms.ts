/**
 * The terms of the array `ix`: `<parameter> <kind><value>`, so that one multikey index answers equality, prefix and range of every parameter.
 * Kinds: `~` code or id whatever its system or type, `|` system and code, `=` folded string, word or uri, `#` string as sent, `@` type and id,
 * `<` and `>` the lower and the upper end of a range, `*` a window of a string, `^` the latitude of a place, `!` values that are not
 * here in full, or without windows.
 */
import { createHash } from 'node:crypto'
import { DATE_MAX, DATE_MIN } from '../../search/plan-node.ts'

/** Values with more UTF-16 units are cut here and closed by a hash of the whole. */
export const LONG = 300

/** Parts the beginning of a longer value from its hash. */
export const CUT = '\u0002'

/** Returns the beginning of every term of a parameter. */
export const prefixOf = (param: string): string =>
  `${/\s/.test(param) ? param.replace(/\s/g, encodeURIComponent) : param} `

/** Returns the first units of a text, never half a character. */
export function cut(text: string, length: number): string {
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)
}

/** Returns the value as a term holds it: itself, or its beginning and the hash of the whole. */
export function held(value: string): string {
  if (value.length <= LONG) return value
  return `${cut(value, LONG)}${CUT}${createHash('sha256').update(value).digest('base64url')}`
}

/** Returns the beginning by which a term of the value is found, whatever its length. */
export const beginning = (value: string): string => (value.length <= LONG ? value : cut(value, LONG))

/** \u0001 parts the fields of a term, so within a field it is written otherwise. */
export const escaped = (value: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these two are the separators
  /[\u0001\u0002]/.test(value) ? value.replaceAll('\u0002', '\u0002b').replaceAll('\u0001', '\u0002a') : value

export const tokenTerms = {
  code: (param: string, code: string): string => `${prefixOf(param)}~${held(code)}`,
  /** The beginning of all terms of a system. */
  system: (param: string, system: string): string => `${prefixOf(param)}|${escaped(held(system))}\u0001`,
  both: (param: string, system: string, code: string): string =>
    `${tokenTerms.system(param, system)}${held(code)}`,
}

export const textPrefix = (param: string): string => `${prefixOf(param)}=`
export const textTerm = (param: string, folded: string): string => textPrefix(param) + held(folded)
export const windowPrefix = (param: string): string => `${prefixOf(param)}*`
export const exactTerm = (param: string, exact: string): string => `${prefixOf(param)}#${held(exact)}`
/** Marks a resource that has values of the parameter in `w`, or that has no windows of them. */
export const longMark = (param: string): string => `${prefixOf(param)}!`
export const idTerm = (id: string): string => `_id =${id}`

/** `type` undefined: of any type. */
export function referenceTerm(param: string, type: string | undefined, id: string, version = ''): string {
  const target = type === undefined ? `~${escaped(held(id))}` : `@${type}/${escaped(held(id))}`
  return `${prefixOf(param)}${target}${version === '' ? '' : `\u0001${version}`}`
}

/** Returns the beginning of the terms of all references of a parameter that have a type and an id, `Patient/1`. */
export const targetPrefix = (param: string): string => `${prefixOf(param)}@`

export const placePrefix = (param: string): string => `${prefixOf(param)}^`

/** Returns the term of a latitude, degrees: ten digits whose order is that of the latitudes. */
export function placeTerm(param: string, latitude: number): string {
  const steps = Math.round((latitude + 90) * 1e7)
  return placePrefix(param) + String(steps).padStart(10, '0')
}

/** Returns eleven digits in base 36 after the sign: their bytewise order is the order of instants. ms since 1970. */
export function instantKey(ms: number): string {
  const bounded = Math.max(DATE_MIN, Math.min(DATE_MAX, ms))
  const digits = (bounded < 0 ? bounded - DATE_MIN : bounded).toString(36).padStart(11, '0')
  return (bounded < 0 ? '0' : '1') + digits
}

/** Returns the parameter's name in `d`: with the unit for quantities. */
export const spanName = (param: string, unit?: string): string =>
  unit === undefined ? param : `${param}\u0001${held(unit)}`

/** Returns the beginning of the bounds of one end. */
export const boundPrefix = (param: string, end: 'lo' | 'hi', unit?: string): string =>
  `${prefixOf(param)}${end === 'lo' ? '<' : '>'}${unit === undefined ? '' : `${escaped(held(unit))}\u0001`}`

/** Returns the least text that is greater than every text with this beginning. */
export function afterPrefix(prefix: string): string {
  const points = [...prefix]
  for (let i = points.length - 1; i >= 0; i--) {
    const point = points[i]!.codePointAt(0)!
    if (point === 0x10ffff) continue
    // The surrogates are no characters: after U+D7FF comes U+E000.
    const next = point === 0xd7ff ? 0xe000 : point + 1
    return points.slice(0, i).join('') + String.fromCodePoint(next)
  }
  return '\u{10ffff}'
}

/** Returns the field name of a parameter's sort keys: its code, which the types that share it share. */
export function sortField(param: string): string {
  const code = param.slice(param.lastIndexOf('.') + 1)
  return code.replace(/[^A-Za-z0-9_-]/g, char => `%${char.codePointAt(0)!.toString(16)}`)
}

/** Returns a text whose descending bytewise order is the ascending order of `key`. */
export function inverted(key: string): string {
  let text = ''
  for (const byte of Buffer.from(key, 'utf8')) text += String.fromCharCode(0x100 + 255 - byte)
  return `${text}\u0200`
}
