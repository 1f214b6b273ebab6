/**
 * From a resource to its index rows, by closures compiled once per type from the expressions of its search parameters.
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */
import type { Resource } from '../fhir/json.ts'
import { writeBusy } from './busy.ts'
import { compositeWalk } from './composite-rows.ts'
import { containedWalk } from './contained.ts'
import type { IndexRow } from './index-row.ts'
import { NEAR, writePosition } from './params/near.ts'
import { writeAllReferences } from './params/reference.ts'
import type { SearchParam, SearchRegistry } from './registry.ts'
import { isCoded, isSortable } from './result-params.ts'
import { begin, sinkOf } from './sink.ts'
import { type Walk, walkOf } from './walk.ts'
import { writeWords } from './words.ts'

export interface IndexerOptions {
  /** IANA name of the zone in which dates without one are read. */
  zone: string
  /** 'enforce' adds an ANY_REFERENCE row for each literal reference to this server. */
  references: 'off' | 'enforce'
  /** Without a slash at the end: absolute references that begin with it count as relative. */
  baseUrl: string
  /** 'on' adds the rows of `_text` and `_content`. */
  fullText?: 'on' | 'off'
}

/** Returns what makes the index rows of a resource: those of one parameter stand together, its sort row last; none stands twice. */
export function createIndexer(
  registry: SearchRegistry,
  options: IndexerOptions,
): (resource: Resource) => IndexRow[] {
  const { zone, baseUrl, references, fullText } = options
  const walks = new Map<string, readonly Walk[]>()
  const within = new Map<string, Walk>()
  const ofType = (type: string): readonly Walk[] => {
    let found = walks.get(type)
    if (found === undefined) {
      found = compile(registry, type)
      if (registry.types.includes(type)) walks.set(type, found)
    }
    return found
  }
  const withinType = (type: string): Walk => {
    let found = within.get(type)
    if (found === undefined) {
      found = containedWalk(registry.params(type), ofType)
      if (registry.types.includes(type)) within.set(type, found)
    }
    return found
  }
  return resource => {
    const type = resource.resourceType
    const own = ofType(type)
    const sink = sinkOf(resource, zone, baseUrl)
    for (let i = 0; i < own.length; i++) own[i]!(resource, sink)
    if (Array.isArray(resource.contained)) withinType(type)(resource, sink)
    if (references === 'enforce') {
      begin(sink)
      writeAllReferences(resource, sink)
    }
    writeBusy(resource, sink)
    if (fullText === 'on') writeWords(resource, sink.rows)
    return sink.rows
  }
}

function compile(registry: SearchRegistry, type: string): Walk[] {
  const walks: Walk[] = []
  for (const param of registry.params(type)) {
    // The union of others has no rows of its own.
    if (param.rows.length !== 1 || param.rows[0] !== param.name) continue
    const within = param.composite?.within
    if (within?.name === param.name) walks.push(compositeWalk(within))
    if (param.name === NEAR) walks.push(writePosition)
    const own = param.paths.flatMap(path => walkOf(param, path) ?? [])
    if (own.length > 0) walks.push(parameterWalk(param, own))
  }
  return walks
}

function parameterWalk(param: SearchParam, own: readonly Walk[]): Walk {
  const { name } = param
  const sorts = isSortable(param)
  const mark = isCoded(param) ? ({ of: 'token' } as const) : undefined
  return (value, sink) => {
    begin(sink)
    for (let i = 0; i < own.length; i++) own[i]!(value, sink)
    const { min, max } = sink
    if (sorts && min !== undefined && max !== undefined)
      sink.rows.push({ kind: 'sort', param: name, min, max, ...mark })
  }
}
