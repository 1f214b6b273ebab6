/**
 * What several conditions on one date or quantity say together. `date=ge2026-01&date=lt2026-02` are two halves of a table, and together a
 * month of it. Each condition may be met by another row of the resource, so together they bound rows only where no resource has several
 * values: a row of `srt` says where one has (part 5).
 */
import type { Node } from '../../search/plan-node.ts'
import type { Find } from './compile.ts'
import { SEVERAL, type Terms, WIDE } from './index-tables.ts'
import { isMarked, termId } from './leaf.ts'
import { nameId } from './names.ts'
import { all, raw, type Sql, sql } from './sql.ts'

/** Longer dates have an index of their own (`schema.ts`), so that of all others the beginning says when they end; ms. */
export const LONGEST = 7 * 86_400_000

type Value = string | number

/** Bounds on `lo` of the rows, both inclusive. */
interface Range {
  from?: Value
  to?: Value
  /** `from` was taken from an end: a longer row that ends here or later may begin before `from`. */
  ends?: Value
}

export interface Window extends Range {
  kind: 'date' | 'quantity'
  param: string
  /** Of a quantity. */
  unit: string
}

type Ranged = Extract<Node, { kind: 'date' | 'quantity' }>

const least = (a: Value | undefined, b: Value | undefined): Value | undefined =>
  a === undefined ? b : b === undefined ? a : a < b ? a : b
const most = (a: Value | undefined, b: Value | undefined): Value | undefined =>
  a === undefined ? b : b === undefined ? a : a > b ? a : b

const defined = ({ from, to, ends }: { [K in keyof Range]: Value | undefined }): Range => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
  ...(from === undefined || ends === undefined ? {} : { ends }),
})

function rangeOf(node: Ranged): Range {
  let from: Value | undefined
  let to: Value | undefined
  let ends: Value | undefined
  for (const { end, op, value } of node.bounds) {
    if (op.startsWith('<')) to = least(to, value)
    else if (end === 'lo') from = most(from, value)
  }
  if (from === undefined)
    for (const { end, op, value } of node.bounds)
      if (end === 'hi' && op.startsWith('>')) {
        ends = most(ends, value)
        from = typeof ends === 'number' ? ends - LONGEST : ends
      }
  return defined({ from, to, ends })
}

/** Returns what a node says of one parameter's rows; undefined where it speaks of others too, or of none. */
function windowOf(node: Node): Window | undefined {
  if (node.kind === 'date') return { kind: 'date', param: node.param, unit: '', ...rangeOf(node) }
  if (node.kind === 'quantity')
    return { kind: 'quantity', param: node.param, unit: node.unit, ...rangeOf(node) }
  if (node.kind !== 'or' || node.nodes.length === 0) return undefined
  let window: Window | undefined
  for (const one of node.nodes) {
    const other = windowOf(one)
    if (other === undefined) return undefined
    if (window === undefined) window = other
    else if (!isSame(window, other)) return undefined
    else {
      const { from, to, ends, ...rest } = window
      const both = from !== undefined && other.from !== undefined
      window = {
        ...rest,
        ...defined({
          from: both ? least(from, other.from) : undefined,
          to: to !== undefined && other.to !== undefined ? most(to, other.to) : undefined,
          ends: least(ends, other.ends),
        }),
      }
    }
  }
  return window
}

const isSame = (a: Window, b: Window): boolean =>
  a.kind === b.kind && a.param === b.param && a.unit === b.unit

/** Returns the windows of conditions that must all hold. */
export function windows(nodes: readonly Node[]): Window[] {
  const found: Window[] = []
  for (const node of nodes) {
    const window = windowOf(node)
    if (window === undefined) continue
    const i = found.findIndex(one => isSame(one, window))
    if (i < 0) found.push(window)
    else {
      const { from, to, ends, ...rest } = found[i]!
      // The higher beginning counts, with what is said of it.
      const higher = most(from, window.from)
      found[i] = {
        ...rest,
        ...defined({ from: higher, to: least(to, window.to), ends: higher === from ? ends : window.ends }),
      }
    }
  }
  return found
}

/** Greater than every key. */
const LAST = '\u{10ffff}'

/** Whether a resource has several values, or of a quantity one that is more than a point. */
const several = ({ kind, param }: Window): Sql =>
  kind === 'date' ? isMarked(param, SEVERAL) : sql`(${isMarked(param, SEVERAL)} OR ${isMarked(param, WIDE)})`

/** The dates longer than LONGEST that reach into the window from before it. */
const longer = ({ param, from, to, ends }: Window): Sql =>
  sql`SELECT rid FROM dat INDEXED BY dat_long WHERE hi - lo > ${raw(String(LONGEST))} AND p = ${nameId(param)} AND hi >= ${ends!} AND lo < ${from!}${to === undefined ? raw('') : sql` AND lo <= ${to}`}`

/** Returns the find of all that may lie in the window; undefined where it has one side only. */
export function windowFind(window: Window, terms: Terms): Find | undefined {
  const { kind, param, unit, from, to, ends } = window
  if (from === undefined || to === undefined) return undefined
  const [first, last] = kind === 'date' ? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] : ['', LAST]
  const bound = (value: Value, other: Value): Sql =>
    sql`CASE WHEN ${several(window)} THEN ${other} ELSE ${value} END`
  const where = all([
    sql`p = ${nameId(param)}`,
    kind === 'date' ? raw('1') : sql`unit = ${termId(unit, terms)}`,
    sql`lo >= ${bound(from, first)}`,
    sql`lo <= ${bound(to, last)}`,
  ])
  const rows = sql`SELECT rid FROM ${raw(kind === 'date' ? 'dat' : 'qty')} WHERE ${where}`
  const select = kind === 'date' && ends !== undefined ? sql`${rows} UNION ALL ${longer(window)}` : rows
  return { select, unique: false, rank: 4, param }
}

/** The bounds that a window sets to sort keys. */
export interface KeyBounds {
  /** No key of a match is lower, or greater. */
  lowest?: Sql
  greatest?: Sql
}

/**
 * Returns the bounds on the keys by which matches are sorted, their smallest or, when descending, their largest; `keyOf` makes the key of
 * a date. Where a resource has several values, the key may be of another than the one that lies in the window.
 */
export function keyBounds(window: Window, descending: boolean, keyOf: (at: number) => string): KeyBounds {
  if (window.kind !== 'date') return {}
  const { from, to, ends } = window
  const bounds: KeyBounds = {}
  if (to !== undefined) {
    const key = keyOf(to as number)
    bounds.greatest = descending
      ? sql`CASE WHEN ${several(window)} THEN ${LAST} ELSE ${key} END`
      : sql`${key}`
  }
  if (from !== undefined) {
    const key = keyOf(from as number)
    const loose = [
      ...(descending ? [] : [several(window)]),
      ...(ends === undefined ? [] : [sql`EXISTS (${longer(window)})`]),
    ]
    bounds.lowest =
      loose.length === 0
        ? sql`${key}`
        : sql`CASE WHEN ${loose.length === 1 ? loose[0]! : sql`${loose[0]!} OR ${loose[1]!}`} THEN '' ELSE ${key} END`
  }
  return bounds
}
