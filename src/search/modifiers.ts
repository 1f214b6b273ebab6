/**
 * Which modifiers a parameter takes, and what plans a value under each.
 * https://hl7.org/fhir/R4/search.html#modifiers
 */
import { type Ask, anyOf, type Planner, unsupported } from './ask.ts'
import { compositeDependsOnNow, compositePresence, planComposite } from './params/composite.ts'
import { planDate, planUpdated } from './params/date.ts'
import { planTokenAbove, planTokenBelow } from './params/mime.ts'
import { NEAR, planNear } from './params/near.ts'
import { planNumber, planQuantity } from './params/quantity.ts'
import {
  planReference,
  planReferenceAbove,
  planReferenceBelow,
  planTypedReference,
} from './params/reference.ts'
import { planContains, planExact, planString } from './params/string.ts'
import { checkText, isText, planText } from './params/text.ts'
import { planIdentifier, planIn, planOfType, planToken, planTokenText } from './params/token.ts'
import { planAbove, planBelow, planUri } from './params/uri.ts'
import { shown, unescapeValue } from './parse.ts'
import type { Node } from './plan-node.ts'
import type { ParamType, SearchParam } from './registry.ts'

/** The planners of each type by modifier; '' is none, `Type` any resource type. `missing` and `not` are the same for all. */
const PLANNERS: Partial<Record<ParamType, Readonly<Record<string, Planner>>>> = {
  token: {
    '': planToken,
    not: planToken,
    text: planTokenText,
    in: planIn,
    'not-in': planIn,
    above: planTokenAbove,
    below: planTokenBelow,
    'of-type': planOfType,
  },
  string: { '': planString, exact: planExact, contains: planContains },
  date: { '': planDate },
  number: { '': planNumber },
  quantity: { '': planQuantity },
  reference: {
    '': planReference,
    identifier: planIdentifier,
    above: planReferenceAbove,
    below: planReferenceBelow,
    Type: planTypedReference,
  },
  uri: { '': planUri, above: planAbove, below: planBelow },
  composite: { '': planComposite },
  special: { '': planNear },
}

/** Returns the modifiers that parameters of a type may take, `missing` included; `[type]` stands for the name of a resource type. */
export const modifiersOf = (type: ParamType): string[] => {
  const planners = PLANNERS[type]
  if (planners === undefined) return []
  return [
    'missing',
    ...Object.keys(planners).flatMap(name => (name === '' ? [] : name === 'Type' ? ['[type]'] : [name])),
  ]
}

const CODED = ['Coding', 'CodeableConcept', 'code']

/** Modifiers that have a meaning only on values of certain FHIR types. */
const NEEDS: Partial<Record<ParamType, Readonly<Record<string, readonly string[]>>>> = {
  token: {
    text: ['Coding', 'CodeableConcept', 'Identifier'],
    'of-type': ['Identifier'],
    in: CODED,
    'not-in': CODED,
    above: CODED,
    below: CODED,
  },
  reference: { identifier: ['Reference'], '[type]': ['Reference'] },
}

/** Returns the modifiers that this parameter takes: those of its type that have a meaning on its values. */
export function paramModifiers(param: SearchParam): string[] {
  if (isColumn(param)) return param.code === '_id' ? ['missing', 'not'] : ['missing']
  if (isText(param.code)) return ['missing']
  const needs = NEEDS[param.type] ?? {}
  return modifiersOf(param.type).filter(name => {
    if (param.type === 'reference' && (name === 'above' || name === 'below'))
      return (param.hierarchies ?? []).length > 0 || (name === 'below' && hasVersions(param))
    const needed = Object.hasOwn(needs, name) ? needs[name] : undefined
    return needed === undefined || param.paths.some(path => needed.includes(path.type))
  })
}

const hasVersions = ({ paths }: SearchParam): boolean => paths.some(({ type }) => type === 'canonical')

/** Modifiers under which a criterion asks for the resources that its values do not find, those without a value among them. */
export const isNegated = (modifier: string | undefined): boolean =>
  modifier === 'not' || modifier === 'not-in'

/** Whether a search can ask for the parameter at all. */
export const isSearched = (param: SearchParam): boolean =>
  isColumn(param) ||
  isText(param.code) ||
  param.composite !== undefined ||
  param.name === NEAR ||
  (modifiersOf(param.type).length > 0 && param.paths.length > 0)

/** Returns the node that holds for resources with a value of the parameter. */
export function presence(param: SearchParam): Node {
  if (isColumn(param)) return { kind: 'and', nodes: [] }
  if (param.composite !== undefined) return compositePresence(param)
  return anyOf(param.rows.map((name): Node => ({ kind: 'present', param: name })))
}

/** Throws `not-supported` for a parameter whose rows this server does not keep. */
export function checkKept(ask: Pick<Ask, 'param' | 'criterion' | 'context'>): void {
  if (isText(ask.param.code)) checkText(ask)
}

/** Whether the node of a value depends on the time of asking. */
export const dependsOnNow = (ask: Ask): boolean =>
  ask.param.composite === undefined
    ? ask.param.type === 'date' && ask.value.startsWith('ap')
    : compositeDependsOnNow(ask)

/** `_id` and `_lastUpdated` every resource has; they are not in the index rows. */
export const isColumn = (param: SearchParam): boolean => param.code === '_id' || param.code === '_lastUpdated'

/** Returns what plans a value under the criterion's modifier. Throws `not-supported` for a modifier that the parameter does not take. */
export function plannerOf({ param, criterion, context }: Ask): Planner {
  const { modifier } = criterion
  if (param.code === '_id' && (modifier === undefined || modifier === 'not')) return planId
  if (param.code === '_lastUpdated' && modifier === undefined) return planUpdated
  if (isText(param.code) && modifier === undefined) return planText
  const taken = paramModifiers(param)
  const isType = modifier !== undefined && context.registry.types.includes(modifier)
  if (modifier === undefined || taken.includes(isType ? '[type]' : modifier)) {
    const planner = PLANNERS[param.type]?.[isType ? 'Type' : (modifier ?? '')]
    if (planner !== undefined) return planner
  }
  throw unsupported(
    criterion,
    `"${param.code}" does not take the modifier ":${shown(modifier ?? '')}"; as a ${param.type} parameter it takes ${taken.map(name => `:${name}`).join(', ')}.`,
  )
}

/** All the criterion's values at once, as one list is looked up at once. */
const planId: Planner = ({ criterion }) => ({
  kind: 'id',
  ids: [...new Set(criterion.values.map(unescapeValue))],
})
