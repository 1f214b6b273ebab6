/**
 * The terms of the array `ix`: `<parameter> <kind><value>`, so that one multikey index answers equality, prefix and range of every parameter.
 * Kinds: `~` code or id whatever its system or type, `|` system and code, `=` folded string or uri, `#` string as sent, `@` type and id,
 * `<` and `>` the lower and the upper end of a range, `!` a value too long for a term.
 */
import { createHash } from 'node:crypto'
import type { IndexRow } from '../../search/index-row.ts'
import { DATE_MAX, DATE_MIN } from '../../search/plan-node.ts'
import { idOf, type Key } from '../port.ts'
import type { IndexFields, LongValue, Span } from './document.ts'

/** Values with more UTF-16 units are cut here and closed by a hash of the whole. */
export const LONG = 300

/** Values of a sort key beyond this do not take part in the order. */
const SORT_LENGTH = 1024

/** Returns the beginning of every term of a parameter. */
export const prefixOf = (param: string): string =>
  `${/\s/.test(param) ? param.replace(/\s/g, encodeURIComponent) : param} `

/** Returns the first units of a text, never half a character. */
function cut(text: string, length: number): string {
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)
}

/** Returns the value as a term holds it: itself, or its beginning and the hash of the whole. */
export function held(value: string): string {
  if (value.length <= LONG) return value
  return `${cut(value, LONG)}\u0002${createHash('sha256').update(value).digest('base64url')}`
}

/** Returns the beginning by which a term of the value is found, whatever its length. */
export const beginning = (value: string): string => (value.length <= LONG ? value : cut(value, LONG))

/** \u0001 parts the fields of a term, so within a field it is written otherwise. */
const escaped = (value: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these two are the separators
  /[\u0001\u0002]/.test(value) ? value.replaceAll('\u0002', '\u0002b').replaceAll('\u0001', '\u0002a') : value

export const tokenTerms = {
  code: (param: string, code: string): string => `${prefixOf(param)}~${held(code)}`,
  /** The beginning of all terms of a system. */
  system: (param: string, system: string): string => `${prefixOf(param)}|${escaped(held(system))}\u0001`,
  both: (param: string, system: string, code: string): string =>
    `${tokenTerms.system(param, system)}${held(code)}`,
}

export const textTerm = (param: string, folded: string): string => `${prefixOf(param)}=${held(folded)}`
export const exactTerm = (param: string, exact: string): string => `${prefixOf(param)}#${held(exact)}`
/** Marks a resource that has a long value of the parameter in `w`. */
export const longMark = (param: string): string => `${prefixOf(param)}!`
export const idTerm = (id: string): string => `_id =${id}`

/** `type` undefined: of any type. */
export function referenceTerm(param: string, type: string | undefined, id: string, version = ''): string {
  const target = type === undefined ? `~${escaped(held(id))}` : `@${type}/${escaped(held(id))}`
  return `${prefixOf(param)}${target}${version === '' ? '' : `\u0001${version}`}`
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

/** Returns what search knows of a resource by its index rows. */
export function indexFields(key: Key, rows: readonly IndexRow[]): IndexFields {
  const ix = new Set<string>([idTerm(idOf(key))])
  const d: Span[] = []
  const w: LongValue[] = []
  const s: Record<string, string> = {}
  const sx: Record<string, string> = {}
  const text = (param: string, value: string): void => {
    ix.add(textTerm(param, value))
    if (value.length <= LONG) return
    ix.add(longMark(param))
    w.push({ p: param, v: value })
  }
  const span = (param: string, unit: string | undefined, lo: number | string, hi: number | string): void => {
    const key = (value: number | string): string => (typeof value === 'number' ? instantKey(value) : value)
    ix.add(boundPrefix(param, 'lo', unit) + key(lo))
    ix.add(boundPrefix(param, 'hi', unit) + key(hi))
    d.push({ p: spanName(param, unit), lo, hi })
  }
  for (const row of rows) {
    if (row.kind === 'token') {
      ix.add(tokenTerms.code(row.param, row.code))
      ix.add(tokenTerms.both(row.param, row.system, row.code))
    } else if (row.kind === 'string') {
      text(row.param, row.folded)
      ix.add(exactTerm(row.param, row.exact))
    } else if (row.kind === 'uri') text(row.param, row.value)
    else if (row.kind === 'date') span(row.param, undefined, row.lo, row.hi)
    else if (row.kind === 'quantity') span(row.param, row.unit, row.lo, row.hi)
    else if (row.kind === 'reference') {
      for (const version of row.version === '' ? [''] : ['', row.version]) {
        ix.add(referenceTerm(row.param, undefined, row.id, version))
        ix.add(referenceTerm(row.param, row.type, row.id, version))
      }
    } else if (row.kind === 'sort') {
      s[sortField(row.param)] = inverted(cut(row.min, SORT_LENGTH))
      sx[sortField(row.param)] = cut(row.max, SORT_LENGTH)
    }
  }
  const fields: IndexFields = { ix: [...ix] }
  if (d.length > 0) fields.d = d
  if (w.length > 0) fields.w = w
  if (Object.keys(s).length > 0) Object.assign(fields, { s, sx })
  return fields
}
