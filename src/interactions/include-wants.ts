/**
 * What one resource asks to come along: by its index rows, so that an include means what a search by the same parameter means.
 * https://hl7.org/fhir/R4/search.html#include, https://hl7.org/fhir/R4/search.html#versions
 */
import type { Context } from '../context.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import type { Include } from '../search/include-params.ts'
import type { IndexRow } from '../search/index-row.ts'
import type { Node, ParamName } from '../search/plan-node.ts'
import type { SearchParam } from '../search/registry.ts'
import { idOf, type Key, keyOf, type Live, typeOf } from '../storage/port.ts'
import { indexRowsOfText } from './indexer.ts'

/** What a level of resources asks for. */
export interface Wants {
  /** Current versions, each with the business versions that will do; '' is any. */
  keys: Map<Key, Set<string>>
  /** Versions of their own: `Patient/1` and the number. */
  versions: Map<string, { key: Key; version: number }>
  /** Canonical URLs, each with the types that it may lead to and the business versions that will do. */
  urls: Map<string, { types: Set<string>; versions: Set<string> }>
  /** What refers to the level. */
  reverse: Reverse[]
}

/** A row of one of these parameters refers to this resource: by type and id, or by its canonical URL. */
export interface Reverse {
  type: string
  params: readonly ParamName[]
  key: Key
  /** Absent where the parameter holds no canonicals, or the resource has no URL. */
  url?: string
  /** Business versions that will do; absent where the reference is no canonical. */
  versions?: ReadonlySet<string>
}

export const newWants = (): Wants => ({ keys: new Map(), versions: new Map(), urls: new Map(), reverse: [] })

/** Adds what the resource asks for under these includes. */
export function addWants(ctx: Context, wants: Wants, row: Live, includes: readonly Include[]): void {
  const type = typeOf(row.key)
  let rows: IndexRow[] | undefined
  for (const include of includes) {
    if (!include.reverse && include.type !== type && include.type !== '*') continue
    rows ??= indexRowsOfText(ctx, row.text)
    if (include.reverse) addReverse(ctx, wants, row, rows, include)
    else for (const param of paramsOf(ctx, type, include.param)) addForward(ctx, wants, rows, param, include)
  }
}

function paramsOf({ registry }: Context, type: string, code: string): readonly SearchParam[] {
  if (code === '*') return registry.params(type).filter(isReference)
  const param = registry.param(type, code)
  return param !== undefined && isReference(param) ? [param] : []
}

const isReference = ({ type }: SearchParam): boolean => type === 'reference'

/** Canonicals name the business version of a definition, References the version of its history. */
const holdsCanonicals = ({ paths }: SearchParam): boolean =>
  paths.some(({ type }) => type === 'canonical' || type === 'uri')

function addForward(
  ctx: Context,
  wants: Wants,
  rows: readonly IndexRow[],
  param: SearchParam,
  { target }: Include,
): void {
  const canonical = holdsCanonicals(param)
  for (const row of rows) {
    if (row.kind !== 'reference' || !param.rows.includes(row.param) || row.id === '') continue
    if (row.type === '') {
      if (canonical) addUrl(ctx, wants, row.id, row.version, param, target)
      continue
    }
    if (target !== undefined && row.type !== target) continue
    const key = keyOf(row.type, row.id)
    if (canonical || row.version === '') addTo(wants.keys, key, canonical ? row.version : '')
    else if (/^[1-9][0-9]{0,14}$/.test(row.version))
      wants.versions.set(`${key}/_history/${row.version}`, { key, version: Number(row.version) })
  }
}

function addTo<K>(map: Map<K, Set<string>>, key: K, version: string): void {
  const versions = map.get(key)
  if (versions === undefined) map.set(key, new Set([version]))
  else versions.add(version)
}

function addUrl(
  ctx: Context,
  wants: Wants,
  url: string,
  version: string,
  param: SearchParam,
  target: string | undefined,
): void {
  const targets = param.targets.length === 0 ? ctx.registry.types : param.targets
  const types = targets.filter(
    type => (target === undefined || target === type) && urlParam(ctx, type) !== undefined,
  )
  if (types.length === 0) return
  const known = wants.urls.get(url) ?? { types: new Set(), versions: new Set() }
  wants.urls.set(url, known)
  for (const type of types) known.types.add(type)
  known.versions.add(version)
}

/** Returns the name under which the type's own canonical URLs are indexed. */
export function urlParam({ registry }: Context, type: string): ParamName | undefined {
  const param = registry.param(type, 'url')
  return param?.type === 'uri' ? param.rows[0] : undefined
}

function addReverse(
  ctx: Context,
  wants: Wants,
  { key, text }: Live,
  rows: readonly IndexRow[],
  { type, param: code, target }: Include,
): void {
  const own = typeOf(key)
  let versions: ReadonlySet<string> | undefined
  if (target !== undefined && target !== own) return
  for (const source of type === '*' ? ctx.registry.types : [type])
    for (const param of paramsOf(ctx, source, code)) {
      if (param.targets.length > 0 && !param.targets.includes(own)) continue
      const reverse: Reverse = { type: source, params: param.rows, key }
      if (holdsCanonicals(param)) {
        const name = urlParam(ctx, own)
        const url = rows.find(row => row.kind === 'uri' && row.param === name)
        if (url?.kind === 'uri') reverse.url = url.value
        versions ??= new Set(['', businessVersion(text)])
        reverse.versions = versions
      }
      wants.reverse.push(reverse)
    }
}

/** Returns the version that a definition calls itself, '' for none; the index has it without its case. */
export function businessVersion(text: string): string {
  const { version } = parseJson(text, Number.POSITIVE_INFINITY) as Resource
  return typeof version === 'string' ? version : ''
}

/** Returns the nodes that find what refers to the resource; the business version is judged by `refers`. */
export const nodesOf = ({ params, key, url }: Reverse): Node[] =>
  params.flatMap((param): Node[] => [
    { kind: 'reference', param, type: typeOf(key), id: idOf(key) },
    ...(url === undefined ? [] : [{ kind: 'reference', param, type: '', id: url } as const]),
  ])

/** Returns whether an index row is the reference asked for. */
export const refers = ({ params, key, url, versions }: Reverse, row: IndexRow): boolean =>
  row.kind === 'reference' &&
  params.includes(row.param) &&
  (row.type === '' ? row.id === url : keyOf(row.type, row.id) === key) &&
  (versions === undefined || versions.has(row.version))
