/**
 * `_include` and `_revinclude`: which references bring other resources along.
 * https://hl7.org/fhir/R4/search.html#include, https://hl7.org/fhir/R4/search.html#revinclude
 */
import { type PlanContext, refusal, unsupported } from './ask.ts'
import { targetsOf } from './chain.ts'
import { type Criterion, shown } from './parse.ts'
import type { SearchRegistry } from './registry.ts'

/** One `_include` or `_revinclude`. */
export interface Include {
  /** `_revinclude`: what refers to a resource, instead of what it refers to. */
  reverse: boolean
  /** Applied to what was included too. */
  iterate: boolean
  /** The type that holds the reference; `*` any. */
  type: string
  /** The code of a reference parameter; `*` all of the type. */
  param: string
  /** The only type that the reference may lead to. */
  target?: string
}

const FORM = /^([A-Za-z]+):(\*|[A-Za-z_][A-Za-z0-9_-]*)(?::([A-Za-z]+))?$/

/** The includes of a criterion, and a sentence on each that is left out, as no match could ever need it. */
export interface PlannedIncludes {
  includes: Include[]
  idle: string[]
}

/**
 * Returns the includes that a criterion asks for in a search on these types, none for all.
 *
 * Throws `invalid` for another form, `not-supported` for an unknown type or parameter, one that is no reference, a type that it never leads
 * to, and a modifier other than `:iterate`.
 */
export function planInclude(
  criterion: Criterion,
  types: readonly string[],
  { registry }: PlanContext,
): PlannedIncludes {
  const { code, modifier, chain } = criterion
  if (modifier === 'recurse')
    throw unsupported(criterion, `"${code}:recurse" is of STU3; in R4 it is "${code}:iterate".`)
  if ((modifier !== undefined && modifier !== 'iterate') || chain !== undefined)
    throw unsupported(criterion, `"${code}" takes no modifier but ":iterate".`)
  const reverse = code === '_revinclude'
  const iterate = modifier === 'iterate'
  const planned: PlannedIncludes = { includes: [], idle: [] }
  for (const value of criterion.values) {
    if (value === '*') {
      planned.includes.push({ reverse, iterate, type: '*', param: '*' })
      continue
    }
    const match = FORM.exec(value)
    if (match === null)
      throw refusal(
        criterion,
        `A value of "${code}" is "[type]:[reference parameter]", "[type]:[reference parameter]:[target type]", "[type]:*" or "*".`,
      )
    const [, type, param, target] = match as unknown as [string, string, string, string | undefined]
    const include: Include = { reverse, iterate, type, param, ...(target === undefined ? {} : { target }) }
    checkNames(criterion, include, registry)
    const why = idleness(include, types, registry)
    if (why === undefined) planned.includes.push(include)
    else planned.idle.push(why)
  }
  return planned
}

function checkNames(criterion: Criterion, { type, param, target }: Include, registry: SearchRegistry): void {
  for (const one of [type, target])
    if (one !== undefined && !registry.types.includes(one))
      throw unsupported(criterion, `"${shown(one)}" is not a resource type of R4.`)
  if (param !== '*' && registry.param(type, param)?.type !== 'reference') {
    const codes = references(type, '*', registry).map(one => one.code)
    throw unsupported(
      criterion,
      `${type} has no reference parameter "${shown(param)}"; it has ${codes.join(', ') || 'none'}.`,
    )
  }
  const targets = targetsIn(type, param, registry)
  if (target !== undefined && !targets.includes(target))
    throw unsupported(criterion, `"${shown(param)}" of ${type} never refers to ${target}.`)
}

/** Returns why an include adds nothing, undefined where it may: without `:iterate` it is the matches alone that it starts from. */
function idleness(
  { reverse, iterate, type, param, target }: Include,
  types: readonly string[],
  registry: SearchRegistry,
): string | undefined {
  if (iterate || types.length === 0) return undefined
  if (!reverse)
    return types.includes(type)
      ? undefined
      : `This adds nothing, as no match is of type ${type}: "_include" starts from the matches, and "_include:iterate" from what was included too.`
  const targets = target === undefined ? targetsIn(type, param, registry) : [target]
  return types.some(one => targets.includes(one))
    ? undefined
    : `This adds nothing, as "${shown(param)}" of ${type} never refers to a match, which "_revinclude" starts from; "_revinclude:iterate" starts from what was included too.`
}

const references = (type: string, code: string, registry: SearchRegistry) =>
  registry.params(type).filter(param => param.type === 'reference' && (code === '*' || param.code === code))

const targetsIn = (type: string, code: string, registry: SearchRegistry): string[] =>
  references(type, code, registry).flatMap(param => targetsOf(param, registry))
