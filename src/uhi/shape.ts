/** What messages of UHI are made of, as data: read from JSON of strangers into plain values, with the place of the first fault. */

import { isObject, type Json, NumberText } from '../fhir/json.ts'
import { fromBase64 } from '../lib/base64.ts'
import { UhiError } from './error.ts'
import { isDay, localOf } from './time.ts'

/** `time` is local Indian time without a zone; `decimal` and `gps` are texts of numbers; `any` of these is left out where it is empty. */
export type Leaf =
  | 'text'
  | 'long'
  | 'id'
  | 'uri'
  | 'time'
  | 'date'
  | 'decimal'
  | 'gps'
  | 'int'
  | 'flag'
  | 'base64'
  | 'image'

export type Shape =
  | Leaf
  | { readonly one: readonly string[] }
  | { readonly list: Shape }
  | { readonly of: Members }
export interface Members {
  readonly [name: string]: Shape
}

/** The value of a shape: every member may be missing. */
export type ValueOf<S> = S extends 'int'
  ? number
  : S extends 'flag'
    ? boolean
    : S extends Leaf
      ? string
      : S extends { readonly one: readonly (infer T)[] }
        ? T
        : S extends { readonly list: infer T }
          ? ValueOf<T>[]
          : S extends { readonly of: infer M }
            ? { -readonly [K in keyof M]?: ValueOf<M[K]> }
            : never

const LONGEST = { text: 1000, long: 10_000, id: 64, uri: 2000, base64: 2_000_000, image: 200_000 } as const
/** Elements of a list: no order has more terms or lines of a bill. */
const MOST = 100

/**
 * Returns what stands there by the shape, undefined where there is nothing: null, an empty text, an object or a list without anything in
 * it. Members that the shape does not know are left out.
 *
 * Throws UhiError `UHI-1404` with the path of the first fault.
 */
export function readShape<S extends Shape>(
  value: Json | undefined,
  shape: S,
  path: string,
): ValueOf<S> | undefined {
  return readAny(value, shape, path) as ValueOf<S> | undefined
}

function readAny(value: Json | undefined, shape: Shape, path: string): unknown {
  if (value === undefined || value === null || (typeof value === 'string' && value.trim() === ''))
    return undefined
  if (typeof shape === 'string') return readLeaf(value, shape, path)
  if ('one' in shape) {
    if (typeof value === 'string' && shape.one.includes(value)) return value
    throw wrong(path, `ONE OF ${shape.one.join(', ')}`)
  }
  if ('list' in shape) {
    if (!Array.isArray(value) || value.length > MOST) throw wrong(path, `A LIST OF AT MOST ${MOST}`)
    const list = value.flatMap((one, i) => readAny(one, shape.list, `${path}[${i}]`) ?? [])
    return list.length === 0 ? undefined : list
  }
  if (!isObject(value)) throw wrong(path, 'AN OBJECT')
  const members: [string, unknown][] = []
  for (const [name, member] of Object.entries(shape.of)) {
    const read = readAny(Object.hasOwn(value, name) ? value[name] : undefined, member, `${path}/${name}`)
    if (read !== undefined) members.push([name, read])
  }
  return members.length === 0 ? undefined : Object.fromEntries(members)
}

const NUMBER = /^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$/

function readLeaf(value: Json, leaf: Leaf, path: string): string | number | boolean {
  if (leaf === 'flag') {
    if (typeof value === 'boolean') return value
    if (value === 'true' || value === 'false') return value === 'true'
    throw wrong(path, 'TRUE OR FALSE')
  }
  const text = value instanceof NumberText ? value.text : value
  if (typeof text !== 'string') throw wrong(path, 'A TEXT')
  if (leaf === 'int') {
    if (!/^[0-9]{1,4}$/.test(text)) throw wrong(path, 'A WHOLE NUMBER')
    return Number(text)
  }
  if (leaf === 'decimal') {
    if (!NUMBER.test(text) || text.startsWith('-')) throw wrong(path, 'A NUMBER')
    return text
  }
  if (value instanceof NumberText) throw wrong(path, 'A TEXT')
  if (leaf === 'time') {
    const local = localOf(text)
    if (local === undefined) throw wrong(path, 'A TIME AS 2026-06-18T10:37:32')
    return local
  }
  if (leaf === 'date') {
    if (!isDay(text)) throw wrong(path, 'A DATE AS 1990-02-11')
    return text
  }
  if (leaf === 'gps') {
    const parts = text.split(',').map(part => part.trim())
    if (parts.length !== 2 || !parts.every(part => NUMBER.test(part))) throw wrong(path, 'LATITUDE,LONGITUDE')
    return parts.join(',')
  }
  if (text.length > LONGEST[leaf]) throw wrong(path, `SHORTER THAN ${LONGEST[leaf] + 1} CHARACTERS`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: FHIR allows none of them in a string.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text))
    throw wrong(path, 'A TEXT WITHOUT CONTROL CHARACTERS')
  if (leaf === 'id' && !/^[A-Za-z0-9.-]{1,64}$/.test(text))
    throw wrong(path, 'AN ID OF LETTERS, DIGITS, - AND .')
  if (leaf === 'uri' && /\s/.test(text)) throw wrong(path, 'A URL')
  if (leaf === 'base64' && fromBase64(text) === undefined) throw wrong(path, 'BASE64')
  if (leaf === 'image' && !isUrl(text) && fromBase64(text) === undefined) throw wrong(path, 'A URL OR BASE64')
  return text
}

export const isUrl = (text: string): boolean => /^https?:\/\/\S+$/.test(text)

const wrong = (path: string, wanted: string): UhiError =>
  new UhiError('UHI-1404', path, `${path} MUST BE ${wanted}`)

/** Returns the paths of all leaves of a shape: `order/terms[]/type`. */
export function leavesOf(shape: Shape, path: string): string[] {
  if (typeof shape === 'string' || 'one' in shape) return [path]
  if ('list' in shape) return leavesOf(shape.list, `${path}[]`)
  return Object.entries(shape.of).flatMap(([name, member]) => leavesOf(member, `${path}/${name}`))
}
