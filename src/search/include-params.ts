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

/**
 * Returns the includes that a criterion asks for in a search on these types, none for all.
 *
 * Throws `invalid` for another form, `not-supported` for an unknown type or parameter, one that is no reference, a type that it never leads
 * to, a modifier other than `:iterate`, and an include that could never apply.
 */
export function planInclude(
  criterion: Criterion,
  types: readonly string[],
  { registry }: PlanContext,
): Include[] {
  const { code, modifier, chain } = criterion
  if (modifier === 'recurse')
    throw unsupported(criterion, `"${code}:recurse" is of STU3; in R4 it is "${code}:iterate".`)
  if ((modifier !== undefined && modifier !== 'iterate') || chain !== undefined)
    throw unsupported(criterion, `"${code}" takes no modifier but ":iterate".`)
  const reverse = code === '_revinclude'
  const iterate = modifier === 'iterate'
  return criterion.values.map(value => {
    if (value === '*') return { reverse, iterate, type: '*', param: '*' }
    const match = FORM.exec(value)
    if (match === null)
      throw refusal(
        criterion,
        `A value of "${code}" is "[type]:[reference parameter]", "[type]:[reference parameter]:[target type]", "[type]:*" or "*".`,
      )
    const [, type, param, target] = match as unknown as [string, string, string, string | undefined]
    const include: Include = { reverse, iterate, type, param, ...(target === undefined ? {} : { target }) }
    checkNames(criterion, include, registry)
    checkUse(criterion, include, types, registry)
    return include
  })
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

/** Without `:iterate` it is the matches alone that an include starts from. */
function checkUse(
  criterion: Criterion,
  { reverse, iterate, type, param, target }: Include,
  types: readonly string[],
  registry: SearchRegistry,
): void {
  if (iterate || types.length === 0) return
  if (!reverse && !types.includes(type))
    throw unsupported(
      criterion,
      `No match is of type ${type}: "_include" starts from the matches, and "_include:iterate" from what was included too.`,
    )
  if (!reverse) return
  const targets = target === undefined ? targetsIn(type, param, registry) : [target]
  if (!types.some(one => targets.includes(one)))
    throw unsupported(
      criterion,
      `"${shown(param)}" of ${type} never refers to a match, which "_revinclude" starts from; "_revinclude:iterate" starts from what was included too.`,
    )
}

const references = (type: string, code: string, registry: SearchRegistry) =>
  registry.params(type).filter(param => param.type === 'reference' && (code === '*' || param.code === code))

const targetsIn = (type: string, code: string, registry: SearchRegistry): string[] =>
  references(type, code, registry).flatMap(param => targetsOf(param, registry))
