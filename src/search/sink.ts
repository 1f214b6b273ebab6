/** Where the index rows of one resource gather while it is walked: no row twice, and the sort keys of the parameter at hand. */
import type { Resource } from '../fhir/json.ts'
import { compareUtf8 } from './fold.ts'
import type { IndexRow } from './index-row.ts'
import type { ParamName } from './plan-node.ts'

export interface Sink {
  readonly rows: IndexRow[]
  readonly resource: Resource
  readonly zone: string
  readonly baseUrl: string
  /** Where the rows of the parameter at hand begin. */
  start: number
  /** The smallest and the largest sort key of the parameter at hand. */
  min: string | undefined
  max: string | undefined
  /** Rows of the parameter at hand, once they are many. */
  seen: Set<string> | undefined
}

/** Returns an empty one. */
export const sinkOf = (resource: Resource, zone: string, baseUrl: string): Sink => ({
  rows: [],
  resource,
  zone,
  baseUrl,
  start: 0,
  min: undefined,
  max: undefined,
  seen: undefined,
})

/** What is added from now on belongs to another parameter. */
export function begin(sink: Sink): void {
  sink.start = sink.rows.length
  sink.min = undefined
  sink.max = undefined
  sink.seen = undefined
}

/** The names that one parameter's rows stand under. */
export interface Names {
  name: ParamName
  /** Texts of tokens. */
  text: ParamName
  ofType: ParamName
  identifier: ParamName
}

export const namesOf = (name: ParamName): Names => ({
  name,
  text: textName(name),
  ofType: ofTypeName(name),
  identifier: identifierName(name),
})

export const textName = (name: ParamName): ParamName => `${name}:text`
export const ofTypeName = (name: ParamName): ParamName => `${name}:of-type`
export const identifierName = (name: ParamName): ParamName => `${name}:identifier`
/** By which `:below` finds MIME types. */
export const mimeName = (name: ParamName): ParamName => `${name}:mime`
/** By which `:below` finds canonicals, by the beginning of their version. */
export const versionName = (name: ParamName): ParamName => `${name}:version`

/** Returns all names that rows of a parameter may stand under. */
export const allNames = (name: ParamName): ParamName[] => [
  name,
  textName(name),
  ofTypeName(name),
  identifierName(name),
  mimeName(name),
  versionName(name),
]

/** Beyond this many rows a set finds duplicates faster than a look at each. */
const MANY = 24

/** Adds the row unless the parameter has it already. */
export function addRow(sink: Sink, row: IndexRow): void {
  const { rows, start } = sink
  if (rows.length - start > MANY) {
    sink.seen ??= new Set(rows.slice(start).map(identity))
    const key = identity(row)
    if (sink.seen.has(key)) return
    sink.seen.add(key)
  } else for (let i = start; i < rows.length; i++) if (isSame(rows[i]!, row)) return
  rows.push(row)
}

const identity = (row: IndexRow): string => JSON.stringify(row)

function isSame(a: IndexRow, b: IndexRow): boolean {
  switch (a.kind) {
    case 'token':
      return b.kind === 'token' && a.code === b.code && a.system === b.system && a.param === b.param
    case 'string':
      return b.kind === 'string' && a.exact === b.exact && a.folded === b.folded && a.param === b.param
    case 'uri':
      return b.kind === 'uri' && a.value === b.value && a.param === b.param
    case 'date':
      return b.kind === 'date' && a.lo === b.lo && a.hi === b.hi && a.param === b.param
    case 'quantity':
      return (
        b.kind === 'quantity' && a.lo === b.lo && a.hi === b.hi && a.unit === b.unit && a.param === b.param
      )
    case 'reference':
      return (
        b.kind === 'reference' &&
        a.id === b.id &&
        a.type === b.type &&
        a.version === b.version &&
        a.param === b.param
      )
    default:
      return false
  }
}

/** Takes a sort key of the parameter at hand into account. */
export function order(sink: Sink, key: string): void {
  if (sink.min === undefined || sink.max === undefined) {
    sink.min = key
    sink.max = key
  } else if (compareUtf8(key, sink.min) < 0) sink.min = key
  else if (compareUtf8(key, sink.max) > 0) sink.max = key
}
