/**
 * From a resource to its index rows, by closures compiled once per type from the expressions of its search parameters.
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import type { Step, TypedPath } from './expression.ts'
import type { IndexRow } from './index-row.ts'
import { DATE_WRITERS } from './params/date.ts'
import { QUANTITY_WRITERS } from './params/quantity.ts'
import { nestedWriter, REFERENCE_WRITERS, resolvesTo, writeAllReferences } from './params/reference.ts'
import { STRING_WRITERS, writeFamily } from './params/string.ts'
import { TOKEN_WRITERS, type Writer } from './params/token.ts'
import { URI_WRITERS } from './params/uri.ts'
import type { ParamType, SearchParam, SearchRegistry } from './registry.ts'
import { isCoded, isSortable } from './result-params.ts'
import { namesOf, type Sink } from './sink.ts'

export interface IndexerOptions {
  /** IANA name of the zone in which dates without one are read. */
  zone: string
  /** 'enforce' adds an ANY_REFERENCE row for each literal reference to this server. */
  references: 'off' | 'enforce'
  /** Without a slash at the end: absolute references that begin with it count as relative. */
  baseUrl: string
}

const WRITERS: Partial<Record<ParamType, Readonly<Record<string, Writer>>>> = {
  token: TOKEN_WRITERS,
  string: STRING_WRITERS,
  date: DATE_WRITERS,
  number: QUANTITY_WRITERS,
  quantity: QUANTITY_WRITERS,
  reference: REFERENCE_WRITERS,
  uri: URI_WRITERS,
}

type Walk = (value: Json, sink: Sink) => void

/** Returns what makes the index rows of a resource: those of one parameter stand together, its sort row last; none stands twice. */
export function createIndexer(
  registry: SearchRegistry,
  options: IndexerOptions,
): (resource: Resource) => IndexRow[] {
  const { zone, baseUrl, references } = options
  const walks = new Map<string, readonly Walk[]>()
  return resource => {
    const type = resource.resourceType
    let ofType = walks.get(type)
    if (ofType === undefined) {
      ofType = compile(registry, type)
      if (registry.types.includes(type)) walks.set(type, ofType)
    }
    const sink: Sink = {
      rows: [],
      resource,
      zone,
      baseUrl,
      start: 0,
      min: undefined,
      max: undefined,
      seen: undefined,
    }
    for (let i = 0; i < ofType.length; i++) ofType[i]!(resource, sink)
    if (references === 'enforce') {
      begin(sink)
      writeAllReferences(resource, sink)
    }
    return sink.rows
  }
}

function compile(registry: SearchRegistry, type: string): Walk[] {
  const walks: Walk[] = []
  for (const param of registry.params(type)) {
    // The union of others has no rows of its own.
    if (param.rows.length !== 1 || param.rows[0] !== param.name) continue
    const own = param.paths.flatMap(path => walkOf(param, path) ?? [])
    if (own.length > 0) walks.push(parameterWalk(param, own))
  }
  return walks
}

function begin(sink: Sink): void {
  sink.start = sink.rows.length
  sink.min = undefined
  sink.max = undefined
  sink.seen = undefined
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

function walkOf(param: SearchParam, path: TypedPath): Walk | undefined {
  const write = writerOf(param, path)
  if (write === undefined) return undefined
  const names = namesOf(param.name)
  const leaf: Walk = (value, sink) => write(value, names, sink)
  if (path.truth !== undefined) return truth(path.truth, leaf)
  let walk = leaf
  for (let i = path.steps.length - 1; i >= 0; i--) {
    const one = path.steps[i]!
    const before = path.steps[i - 1]
    if (one.is === 'at' && before?.is === 'get') {
      walk = itemOf(before.key, one.index, walk)
      i--
    } else walk = step(one, walk)
  }
  return walk
}

function itemOf(key: string, index: number, next: Walk): Walk {
  return (value, sink) => {
    const found = (value as JsonObject)[key]
    const item = Array.isArray(found) ? found[index] : undefined
    if (item !== undefined && item !== null) next(item, sink)
  }
}

function writerOf(param: SearchParam, path: TypedPath): Writer | undefined {
  if (param.type === 'reference' && path.type === 'Resource') return nestedWriter(param.targets)
  const last = path.steps.at(-1)
  if (param.type === 'string' && last?.is === 'get' && last.key === 'family') return writeFamily
  return WRITERS[param.type]?.[path.type]
}

/** Whether any of the ways leads to a value that is not false. */
function truth(paths: readonly TypedPath[], leaf: Walk): Walk {
  const keys = paths.flatMap(({ steps }) =>
    steps.length === 1 && steps[0]!.is === 'get' ? [steps[0]!.key] : [],
  )
  return (value, sink) => {
    if (!isObject(value)) return
    leaf(
      keys.some(key => value[key] !== undefined && value[key] !== null && value[key] !== false),
      sink,
    )
  }
}

function step(one: Step, next: Walk): Walk {
  switch (one.is) {
    case 'get': {
      const { key } = one
      return (value, sink) => {
        const found = (value as JsonObject)[key]
        if (found === undefined || found === null) return
        if (Array.isArray(found)) {
          for (let i = 0; i < found.length; i++) {
            const item = found[i]!
            if (item !== null) next(item, sink)
          }
        } else next(found, sink)
      }
    }
    case 'equals': {
      const { key, value: wanted } = one
      return (value, sink) => {
        if ((value as JsonObject)[key] === wanted) next(value, sink)
      }
    }
    case 'resolves':
      return (value, sink) => {
        if (resolvesTo(value, one.type, sink)) next(value, sink)
      }
    case 'at':
      return next
  }
}
