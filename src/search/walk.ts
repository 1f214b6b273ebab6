/** What walks a resource along typed paths and writes a row for each value that it comes to. */
import { isObject, type Json, type JsonObject } from '../fhir/json.ts'
import type { Step, TypedPath } from './expression.ts'
import { DATE_WRITERS } from './params/date.ts'
import { isMime, writeMime } from './params/mime.ts'
import { QUANTITY_WRITERS } from './params/quantity.ts'
import { nestedWriter, REFERENCE_WRITERS, resolvesTo } from './params/reference.ts'
import { STRING_WRITERS, writeFamily } from './params/string.ts'
import { TOKEN_WRITERS, type Writer } from './params/token.ts'
import { URI_WRITERS } from './params/uri.ts'
import type { ParamType, SearchParam } from './registry.ts'
import { namesOf, type Sink } from './sink.ts'

const WRITERS: Partial<Record<ParamType, Readonly<Record<string, Writer>>>> = {
  token: TOKEN_WRITERS,
  string: STRING_WRITERS,
  date: DATE_WRITERS,
  number: QUANTITY_WRITERS,
  quantity: QUANTITY_WRITERS,
  reference: REFERENCE_WRITERS,
  uri: URI_WRITERS,
}

export type Walk = (value: Json, sink: Sink) => void

/** What a writer needs to know of the parameter that it writes for. */
export type Written = Pick<SearchParam, 'name' | 'type' | 'targets'>

/** Returns the walk from a resource to its values on one path; undefined where the parameter's type has nothing to write of them. */
export function walkOf(param: Written, path: TypedPath): Walk | undefined {
  const write = writerOf(param, path)
  if (write === undefined) return undefined
  const names = namesOf(param.name)
  const leaf: Walk = (value, sink) => write(value, names, sink)
  if (path.truth !== undefined) return truth(path.truth, leaf)
  return along(path.steps, leaf)
}

/** Whether the parameter's type has anything to write of values at the end of the path. */
export const writes = (param: Written, path: TypedPath): boolean => writerOf(param, path) !== undefined

/** Returns the walk that takes each value at the end of the steps on to `leaf`. */
export function along(steps: readonly Step[], leaf: Walk): Walk {
  let walk = leaf
  for (let i = steps.length - 1; i >= 0; i--) {
    const one = steps[i]!
    // What comes first is only known when all before it has been seen.
    if (one.is === 'at') return nth(steps.slice(0, i), one.index, walk)
    walk = step(one, walk)
  }
  return walk
}

/** What the steps lead to is gathered, and the one at `index` taken on. */
function nth(steps: readonly Step[], index: number, next: Walk): Walk {
  let found: Json[] = []
  const before = along(steps, value => {
    found.push(value)
  })
  return (value, sink) => {
    found = []
    before(value, sink)
    const one = found[index]
    found = []
    if (one !== undefined) next(one, sink)
  }
}

function writerOf(param: Written, path: TypedPath): Writer | undefined {
  if (param.type === 'reference' && path.type === 'Resource') return nestedWriter(param.targets)
  if (param.type === 'token' && isMime(path)) return writeMime
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

function step(one: Exclude<Step, { is: 'at' }>, next: Walk): Walk {
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
  }
}
