/**
 * The plan as a MongoDB filter. Values of the client stand as values or behind `$literal`, never as operators.
 * https://www.mongodb.com/docs/manual/tutorial/query-array-of-documents/
 */
import type { Document } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { Bound, Node, Op } from '../../search/plan-node.ts'
import { keyOf } from '../port.ts'
import { otherThan } from './differs.ts'
import { withinAny } from './places.ts'
import {
  afterPrefix,
  boundPrefix,
  idTerm,
  instantKey,
  prefixOf,
  referenceTerm,
  spanName,
  textTerm,
  tokenTerms,
} from './terms.ts'
import { byText, starting, startsWith } from './texts.ts'

export const NODES: ReadonlySet<Node['kind']> = new Set([
  'and',
  'or',
  'not',
  'type',
  'id',
  'updated',
  'present',
  'token',
  'string',
  'uri',
  'differs',
  'date',
  'quantity',
  'reference',
  'word',
  'near',
  'chain',
  'has',
] as const)

/** Deeper paths name nothing that exists, and each level is a candidate. */
const MOST_SLASHES = 200
/** More ids than this are looked up by their terms. */
const MOST_KEYS = 10_000

const OPERATOR: Record<Op, string> = { '<': '$lt', '<=': '$lte', '>': '$gt', '>=': '$gte' }
/** A place in the first position costs nothing to look at and finds the fewest. */
const RANK: Partial<Record<Node['kind'], number>> = {
  id: 0,
  reference: 1,
  token: 2,
  uri: 2,
  string: 3,
  quantity: 4,
  date: 5,
}

/** The filters that stand for chain and has nodes (`links.ts`). */
export type Linked = ReadonlyMap<Node, Document>
const NONE: Linked = new Map()

/** Returns the condition of being live and of one of these types, of any where there are none. */
export function liveOf(types: readonly string[]): Document {
  // A deletion's type begins with a hyphen, which sorts before every letter.
  return { t: types.length === 0 ? { $gte: 'A' } : types.length === 1 ? types[0] : { $in: types } }
}

/**
 * Returns the filter of documents for which the node holds; `types` are those that they can have, none where any. `linked` has a filter
 * for every chain and has node. Throws `not-supported` for a node unknown.
 */
export function compile(node: Node, types: readonly string[], linked: Linked = NONE): Document {
  switch (node.kind) {
    case 'and': {
      const sorted = [...node.nodes].sort((a, b) => (RANK[a.kind] ?? 9) - (RANK[b.kind] ?? 9))
      return merge(sorted.map(one => compile(one, types, linked)))
    }
    case 'or':
      return anyOf(node.nodes, types, linked)
    case 'not':
      return { $nor: [compile(node.node, types, linked)] }
    case 'type':
      return { t: { $in: [...node.types] } }
    case 'id':
      return byId(node.ids, types)
    case 'updated':
      return merge(node.bounds.map(bound => ({ lu: { [OPERATOR[bound.op]]: bound.value } })))
    case 'present':
      return starting(prefixOf(node.param))
    case 'token': {
      const { param, system, code } = node
      if (code === undefined)
        return system === undefined
          ? starting(`${prefixOf(param)}|`)
          : starting(tokenTerms.system(param, system))
      return {
        ix: system === undefined ? tokenTerms.code(param, code) : tokenTerms.both(param, system, code),
      }
    }
    case 'string':
      return byText(node)
    case 'uri':
      return byUri(node)
    case 'differs':
      return otherThan(node.param, node.from)
    case 'date':
      return bySpan(node.param, undefined, node.bounds, instantKey)
    case 'quantity':
      return bySpan(node.param, node.unit, node.bounds, key => key)
    case 'reference':
      return { ix: referenceTerm(node.param, node.type, node.id, node.version) }
    case 'word':
      return node.prefix ? startsWith(node.param, node.word) : { ix: textTerm(node.param, node.word) }
    case 'near':
      return withinAny([node])[0]!
    case 'chain':
    case 'has': {
      const link = linked.get(node)
      if (link === undefined)
        throw new Error(`A ${node.kind} node was compiled before its targets were known.`)
      return link
    }
    default:
      throw fhirError('not-supported', `MongoDB storage does not search by ${(node as Node).kind}.`)
  }
}

function anyOf(nodes: readonly Node[], types: readonly string[], linked: Linked): Document {
  const near = nodes.filter(one => one.kind === 'near')
  const others = nodes.filter(one => one.kind !== 'near')
  return either([...others.map(one => compile(one, types, linked)), ...withinAny(near)])
}

export const NEVER: Document = { _id: { $in: [] } }

/** Returns the conjunction, flat where it can be. */
export function merge(parts: readonly Document[]): Document {
  const needed = parts.filter(part => Object.keys(part).length > 0)
  if (needed.length === 0) return {}
  if (needed.length === 1) return needed[0]!
  const names = needed.flatMap(Object.keys)
  return new Set(names).size === names.length ? Object.assign({}, ...needed) : { $and: needed }
}

/** Returns the disjunction: all that ask for a term only become one $in, which also keeps the index's order of the internal id for a few. */
export function either(parts: readonly Document[]): Document {
  const terms = new Set<string>()
  const others: Document[] = []
  for (const part of parts) {
    if (part === NEVER) continue
    const own = onlyTerms(part)
    if (own !== undefined) for (const term of own) terms.add(term)
    else if (part.$or !== undefined && Object.keys(part).length === 1) others.push(...part.$or)
    else others.push(part)
  }
  if (terms.size > 0) others.push({ ix: terms.size === 1 ? [...terms][0] : { $in: [...terms] } })
  if (others.length === 0) return NEVER
  return others.length === 1 ? others[0]! : { $or: others }
}

function onlyTerms(part: Document): readonly string[] | undefined {
  const { ix } = part
  if (ix === undefined || Object.keys(part).length > 1) return undefined
  if (typeof ix === 'string') return [ix]
  return Array.isArray(ix.$in) ? ix.$in : undefined
}

function byId(ids: readonly string[], types: readonly string[]): Document {
  if (types.length > 0 && types.length * ids.length <= MOST_KEYS)
    return { _id: { $in: types.flatMap(type => ids.map(id => keyOf(type, id))) } }
  return { ix: { $in: ids.map(idTerm) } }
}

function byUri(node: Node & { kind: 'uri' }): Document {
  const { param, match, value } = node
  if (match === 'equals') return { ix: textTerm(param, value) }
  if (match !== 'above')
    return {
      $or: [{ ix: textTerm(param, value) }, startsWith(param, value + (match === 'below' ? '/' : '|'))],
    }
  const above = new Set([value])
  for (let at = value.indexOf('/'); at >= 0; at = value.indexOf('/', at + 1)) {
    if (above.size > 2 * MOST_SLASHES)
      throw fhirError('value', `A uri for :above has at most ${MOST_SLASHES} slashes.`)
    above.add(value.slice(0, at)).add(value.slice(0, at + 1))
  }
  return { ix: { $in: [...above].map(uri => textTerm(param, uri)) } }
}

interface Range<V> {
  from?: { value: V; open: boolean }
  to?: { value: V; open: boolean }
}

/**
 * Both ends of a row stand in `ix`, each for itself; which two belong together is known in `d` only. As lo <= hi, a bound below hi bounds
 * lo as well, so the index is driven by a range with two ends where the question has any.
 */
function bySpan<V extends number | string>(
  param: string,
  unit: string | undefined,
  bounds: readonly Bound<V>[],
  keyOfValue: (value: V) => string,
): Document {
  const range = { lo: rangeOf(bounds, 'lo'), hi: rangeOf(bounds, 'hi') }
  if (bounds.length === 0) return starting(boundPrefix(param, 'lo', unit))
  const ends = (['lo', 'hi'] as const).filter(end => range[end].from ?? range[end].to)
  const driven: Record<'lo' | 'hi', Range<V>> = { lo: { ...range.lo }, hi: { ...range.hi } }
  if (!driven.lo.to && range.hi.to) driven.lo.to = { value: range.hi.to.value, open: false }
  if (!driven.hi.from && range.lo.from) driven.hi.from = { value: range.lo.from.value, open: false }
  const term = (end: 'lo' | 'hi'): Document => {
    const prefix = boundPrefix(param, end, unit)
    const { from, to } = driven[end]
    return {
      ix: {
        $elemMatch: {
          ...(from ? { [from.open ? '$gt' : '$gte']: prefix + keyOfValue(from.value) } : { $gte: prefix }),
          ...(to
            ? { [to.open ? '$lt' : '$lte']: prefix + keyOfValue(to.value) }
            : { $lt: afterPrefix(prefix) }),
        },
      },
    }
  }
  if (ends.length === 1) return term(ends[0]!)
  const closed = (end: 'lo' | 'hi'): boolean => driven[end].from !== undefined && driven[end].to !== undefined
  const pair = {
    d: {
      $elemMatch: { p: spanName(param, unit), lo: conditions(bounds, 'lo'), hi: conditions(bounds, 'hi') },
    },
  }
  if (closed('lo')) return { ...term('lo'), ...pair }
  if (closed('hi')) return { ...term('hi'), ...pair }
  return { $and: [term('hi'), term('lo'), pair] }
}

function rangeOf<V extends number | string>(bounds: readonly Bound<V>[], end: 'lo' | 'hi'): Range<V> {
  const range: Range<V> = {}
  for (const bound of bounds) {
    if (bound.end !== end) continue
    const open = bound.op === '<' || bound.op === '>'
    const { value } = bound
    if (bound.op === '<' || bound.op === '<=') {
      if (!range.to || value < range.to.value || (value === range.to.value && open))
        range.to = { value, open }
    } else if (!range.from || value > range.from.value || (value === range.from.value && open))
      range.from = { value, open }
  }
  return range
}

function conditions<V>(bounds: readonly Bound<V>[], end: 'lo' | 'hi'): Document {
  const { from, to } = rangeOf(bounds as readonly Bound<number | string>[], end)
  return {
    ...(from ? { [from.open ? '$gt' : '$gte']: from.value } : {}),
    ...(to ? { [to.open ? '$lt' : '$lte']: to.value } : {}),
  }
}
